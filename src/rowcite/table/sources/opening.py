"""Open a table by its path: a file, a glob, a folder of parts, an address, or stdin."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions, Format
from rowcite.table.sources.base import Source
from rowcite.table.sources.partitions import is_partition, partitioned
from rowcite.table.sources.registry import format_names, format_of, input_format
from rowcite.table.sources.remote import RemoteSource, Stamp, remote_stamp
from rowcite.wording import did_you_mean_file

WHICH_INPUT = ". Correct input.path (relative to the spec), or give --input"
"""What to do about a table that is not there, unless another flag named it."""


def open_source(
    path: str,
    kind: Format | None,
    options: CsvOptions,
    *,
    sheet: str | None = None,
    spool: Path | None = None,
) -> Source:
    """Open a file, a glob, a folder of parts, an address of these, or `-` for stdin.

    stdin is copied to `spool`, which must remain while the source is used. `sheet` is that of a workbook.

    Raises:
        TableError: the table does not exist, its format is unknown, or its header cannot be used.
    """
    if "://" in path:
        return RemoteSource(path, kind, lambda names: open_files(names, path, kind, options, sheet))
    names = {file: str(file) for file in find_files(path, kind, spool)}
    return open_files(names, path, kind, options, sheet)


def stamp_of(path: str, kind: Format | None, spool: Path | None) -> Stamp:
    """Return the names, sizes and times of a table's parts; None where an address gives none.

    Raises:
        TableError: the table does not exist, or cannot be reached.
    """
    if "://" in path:
        return remote_stamp(path, kind)
    try:
        return tuple((str(file), *_marks(file.stat())) for file in find_files(path, kind, spool))
    except OSError as error:
        raise TableError(f"{path}: cannot read the path: {error.strerror or error}") from error


def _marks(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def open_files(
    names: Mapping[Path, str], path: str, kind: Format | None, options: CsvOptions, sheet: str | None = None
) -> Source:
    """Open files that form one table. `names` has the path or address of each."""
    files = list(names)
    if bad := [file for file in files if not _is_unicode(str(file))]:
        raise TableError(f"{bad[0]}: the name is not UTF-8, and Arrow opens no such file. Rename it")
    formats = set[Format]()
    for file in files:
        found = kind or format_of(file)
        if found is None:
            raise TableError(f"{file}: unknown format. Set input.format to {format_names()}")
        formats.add(found)
    if len(formats) > 1:
        raise TableError(
            f"{path}: parts of different formats ({', '.join(sorted(formats))}). Name one with a glob"
        )
    source = input_format(formats.pop()).open(files, options, sheet)
    return source if path == "-" else partitioned(source, root_of(path, names), names)


def root_of(path: str, names: Mapping[Path, str]) -> str:
    """Return the part of a path below which folders are partitions: all of it, or a glob up to its first wildcard."""
    if path in names.values():
        return path
    fixed = re.split(r"[*?\[]", path, maxsplit=1)[0]
    folder = path.rstrip("/") if fixed == path else fixed.rpartition("/")[0]
    return folder if "://" in path or not folder else str(Path(folder)).removeprefix(".")


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def find_files(path: str, kind: Format | None, spool: Path | None) -> list[Path]:
    """Return the files of a table on this machine; of a folder, those of the format if it is given. stdin is copied to `spool`."""
    if path == "-":
        return [_copy_of_stdin(spool, kind)]
    try:
        return _find(path, kind)
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or error
        raise TableError(f"{path}: cannot read the path: {text}") from error


def _find(path: str, kind: Format | None) -> list[Path]:
    place = Path(path)
    if place.exists() and not place.is_file() and not place.is_dir():
        raise TableError(
            f"{path}: a pipe or device can be read only once. Name the table `-` and send it to stdin"
        )
    if place.is_dir():
        files = sorted(_parts(place, kind))
        if not files:
            raise TableError(
                f"{path}: the folder holds no {format_names()} file. For files in other folders below it give a glob,"
                f" such as {place / '**' / '*.parquet'}"
            )
        return files
    if place.exists():
        return [place]
    if any(sign in path for sign in "*?["):
        files = sorted(file for file in _glob(path) if file.is_file())
        if files:
            return files
    raise TableError(f"{path}: no such file{did_you_mean_file(place)}{WHICH_INPUT}")


def _parts(folder: Path, kind: Format | None) -> Iterator[Path]:
    """Yield the parts in a folder, and in the partitions below it."""
    for item in folder.iterdir():
        if item.name[0] in "._":
            continue
        if item.is_dir() and is_partition(item.name):
            yield from _parts(item, kind)
        elif item.is_file() and (kind or format_of(item)):
            yield item


def _glob(path: str) -> Iterator[Path]:
    from glob import iglob

    yield from map(Path, iglob(path, recursive=True))  # noqa: PTH207 - a Path has no glob of a whole pattern


def _copy_of_stdin(spool: Path | None, kind: Format | None) -> Path:
    if spool is None:
        raise TableError("stdin can be read only once: give the table as a file")
    if not spool.exists():
        try:
            with spool.open("wb") as out:
                shutil.copyfileobj(sys.stdin.buffer, out)
        except OSError as error:
            raise TableError(f"stdin: cannot copy it to {spool.parent}: {error.strerror or error}") from error
        except AttributeError:
            raise TableError("stdin is closed: send the table to it, or give --input a file") from None
    if kind is None:
        raise TableError(f"stdin has no suffix to show its format: set input.format to {format_names()}")
    return spool
