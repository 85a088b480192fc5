"""The one way a file appears: written beside its target, synced to disk, then renamed. It is there whole or not at all.

A file whose bytes would not change is not touched. A killed command leaves its temporary file behind; the next command
that writes to the same folder removes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rowcite.errors import Incomplete, TableError

try:
    import fcntl
except ImportError:  # Windows: without locks a file in use looks like one left behind, so nothing is removed
    fcntl = None  # type: ignore[assignment]

_PRIVATE, _PART = 0o600, 1 << 20
_PREFIX, _SUFFIX = ".rowcite-", ".tmp"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_RUST_ERROR = re.compile(r"\(os error (\d+)\)$")


@contextmanager
def atomic_write(
    target: Path, *, private: bool = False, choose: Callable[[Path], Path | None] = lambda place: place
) -> Iterator[BinaryIO]:
    """Open a file that replaces the target when the block ends without an error.

    A new file has the mode that the umask gives, an existing one keeps its mode; a `private` one is readable by its
    owner alone. The mode holds from the first byte on. A link is followed, except one of another user in a shared folder.
    `choose` is called with the place of the target when the file is complete. It returns where the file goes in the same
    folder; None drops the file.

    Raises:
        OSError: the target cannot be written. It is as it was.
    """
    place = _prepared(target)
    _remove_leftovers(place.parent)
    with _replacing(place, private=private, choose=choose) as file:
        yield file
    _sync_folder(place.parent)


def write_whole(target: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file at once, as `atomic_write` does."""
    with atomic_write(target, private=private) as file:
        file.write(content)


def write_many(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files of one folder, each as `atomic_write` does, by name and content."""
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    for name, content in files:
        with _replacing(_prepared(folder / name), private=False) as file:
            file.write(content)
    _sync_folder(folder)


def move_whole(file: Path, target: Path, *, copy: bool = False) -> None:
    """Put a whole file in the place of a target on the same disk; with `copy`, a copy of it. Equal files are left as they are.

    Raises:
        OSError: the target cannot be written. It is as it was.
    """
    place = _prepared(target)
    if _is_equal(file, place):
        return
    if copy:
        with atomic_write(target) as new, file.open("rb") as content:
            shutil.copyfileobj(content, new, _PART)
        return
    file.replace(place)
    _sync_folder(place.parent)


def open_append(path: Path) -> BinaryIO:
    """Open a file to append to it.

    Raises:
        OSError: the file cannot be written, or is a link of another user in a shared folder.
    """
    _refuse_foreign_link(path)
    return path.open("ab")


def create_private(path: Path) -> None:
    """Create an empty file that its owner alone can read, unless the file exists.

    Raises:
        OSError: the file cannot be created, or is a link of another user in a shared folder.
    """
    _refuse_foreign_link(path)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _PRIVATE))


@contextmanager
def write_errors(name: str) -> Iterator[None]:
    """Translate an OSError: a full disk into Incomplete, any other into TableError. A closed pipe stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        number, text = error.errno, error.strerror or str(error)
        if number is None and (found := _RUST_ERROR.search(text)):  # polars has the number in its text alone
            number, text = int(found[1]), os.strerror(int(found[1]))
        if number in (errno.ENOSPC, errno.EDQUOT):
            raise Incomplete(
                f"{name}: the disk is full, and the file is as it was. Make room, then run again"
            ) from error
        raise TableError(f"{name}: cannot write the file: {text}") from error


def _prepared(target: Path) -> Path:
    """Return the real path of a target, in a folder that exists."""
    place = target.parent.resolve() / target.name if _is_foreign_link(target) else target.resolve()
    if place.exists() and not place.is_file():
        raise OSError(errno.EINVAL, "not a file")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _refuse_foreign_link(path: Path) -> None:
    if _is_foreign_link(path):
        raise OSError(errno.ELOOP, "it is a link of another user", str(path))


def _is_foreign_link(target: Path) -> bool:
    """Return True if a link in a shared folder such as /tmp belongs to another user, as Linux judges it for `open`."""
    if not target.is_symlink():
        return False
    folder = target.parent.stat()
    shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    return bool(shared) and target.lstat().st_uid not in {os.getuid(), folder.st_uid}


@contextmanager
def _replacing(
    place: Path, *, private: bool, choose: Callable[[Path], Path | None] = lambda place: place
) -> Iterator[BinaryIO]:
    """Open a temporary file beside a target; sync it and rename it to the target when the block ends."""
    mode = _PRIVATE if private else _mode_of(place)
    handle, sibling = _open_temp_sibling(place, mode)
    file = os.fdopen(handle, "wb")
    try:
        if mode is not None:
            os.fchmod(handle, mode)  # the umask may have taken something away
        yield file
        file.flush()
        chosen = choose(place)
        if chosen is not None and not _is_equal(sibling, chosen):
            os.fsync(handle)
            sibling.replace(chosen)  # before the file is closed, which would end its lock
    finally:
        with contextlib.suppress(OSError):  # after an error the rest of the buffer is not wanted
            file.close()
        sibling.unlink(missing_ok=True)


def _is_equal(file: Path, other: Path) -> bool:
    """Return True if a file has the bytes and the mode of another."""
    mine, there = file.stat(), other.lstat() if other.exists() else None
    if there is None or (mine.st_size, mine.st_mode) != (there.st_size, there.st_mode):
        return False
    with file.open("rb") as first, other.open("rb") as second:
        while part := first.read(_PART):
            if part != second.read(_PART):
                return False
    return True


def _mode_of(place: Path) -> int | None:
    try:
        return stat.S_IMODE(place.stat().st_mode)
    except FileNotFoundError:
        return None


def _open_temp_sibling(place: Path, mode: int | None) -> tuple[int, Path]:
    """Create a file beside a target and lock it for as long as this process has it open.

    Its name cannot be guessed, and a file or a link that has the name already is an error.
    """
    while True:
        sibling = place.with_name(f"{_PREFIX}{os.urandom(8).hex()}{_SUFFIX}")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | _NO_LINK
        handle = os.open(sibling, flags, 0o666 if mode is None else mode)
        _lock(handle)
        if os.fstat(handle).st_nlink:
            return handle, sibling
        os.close(handle)  # another command removed it as a leftover before it was locked


def _lock(handle: int) -> None:
    if fcntl is not None:
        with contextlib.suppress(OSError):  # some network folders have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of killed commands: those that no process has locked."""
    for left in folder.glob(f"{_PREFIX}*{_SUFFIX}") if fcntl is not None else ():
        with contextlib.suppress(OSError):
            handle = os.open(left, os.O_RDONLY | os.O_NONBLOCK | _NO_LINK)  # a planted pipe would block
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
