"""The lock of a ledger folder: one command at a time, on a file system that keeps locks."""

from __future__ import annotations

import errno
import os
import struct
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkstemp

from filelock import FileLock, Timeout

from rowcite.errors import LedgerBusy, LedgerError
from rowcite.files import create_private

_TAKEN = (errno.EAGAIN, errno.EACCES)
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)


def acquire(folder: Path, wait: float) -> FileLock:
    """Create the folder where it is missing, and return its lock, acquired within `wait` seconds.

    Raises:
        LedgerBusy: another process has it.
        LedgerError: the folder cannot be written, or its file system does not keep locks.
    """
    lock = FileLock(folder / "lock", timeout=wait, mode=0o600)
    with ExitStack() as undo:
        undo.callback(lock.release)
        try:
            _make_folder(folder)
            lock.acquire()
            _check_locks(folder)
        except Timeout:
            raise LedgerBusy(
                f"{folder}: another rowcite is using this ledger. Run again when it has ended, or wait for it with --wait-lock"
            ) from None
        except OSError as error:
            raise no_locks(folder) if error.errno in _UNSUPPORTED else cannot_open(folder, error) from error
        undo.pop_all()
    return lock


def is_in_use(folder: Path) -> bool:
    """Return True if another process has the ledger in a folder for writing, or this one may not know."""
    lock = FileLock(folder / "lock", timeout=0, mode=0o600)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def no_locks(folder: Path) -> LedgerError:
    """Return the error of a file system on which two commands could use one ledger at the same time."""
    return LedgerError(
        f"{folder}: this file system does not lock files, so two commands could pay for the same rows. Nothing was submitted."
        " Keep the ledger on a local disk: name a folder there with --ledger DIR or ROWCITE_LEDGER"
    )


def cannot_open(folder: Path, error: OSError) -> LedgerError:
    """Return the error of a folder that cannot be read or written."""
    return LedgerError(f"{folder}: cannot open the ledger: {error.strerror or error}")


def _check_locks(folder: Path) -> None:
    """Try the locks on a file that no other command knows."""
    descriptor, name = mkstemp(prefix=".lock-", dir=folder)
    os.close(descriptor)
    try:
        if not (_is_exclusive(Path(name)) and _has_record_locks(Path(name))):
            raise no_locks(folder)
    finally:
        Path(name).unlink(missing_ok=True)


def _is_exclusive(file: Path) -> bool:
    """Return True if a lock that is held is refused to a second descriptor."""
    first, second = (FileLock(file, timeout=0, mode=0o600) for _ in range(2))
    with first:
        try:
            second.acquire()
        except Timeout:
            return True
        second.release()
        return False


def _has_record_locks(file: Path) -> bool:
    """Return True if ranges of bytes can be locked, as SQLite does it: some file systems lock whole files only.

    Only Linux distinguishes the two. There a lock of an open file is refused if this process already has a record lock.
    """
    try:
        import fcntl
    except ImportError:
        return True
    if not hasattr(fcntl, "F_OFD_SETLK"):
        return True
    whole = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
    with file.open("w+b") as first, file.open("r+b") as second:
        fcntl.lockf(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.fcntl(second, fcntl.F_OFD_SETLK, whole)
        except OSError as error:
            return error.errno in (*_TAKEN, errno.EINVAL)  # EINVAL: a kernel without this kind of lock
    return False


def _make_folder(folder: Path) -> None:
    """Create the folder where it is missing, ignored by git: a ledger holds customers' records."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        create_private(folder / ".gitignore")
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
