"""Tables that are too large to read: too many columns, a value too long, a file that unpacks to too much."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.base import COMPRESSED

NO_SPACE = "the disk has no space for a copy of it. Set TMPDIR to a folder on another disk"
TOO_LARGE = (
    f"a value of more than {read_limits.size(read_limits.CELL)}, the largest that is read. "
    "Remove such values from the table, or shorten them"
)


def check_columns(file: Path, columns: int) -> None:
    """Raise TableError if a table has more columns than are read."""
    if columns > read_limits.COLUMNS:
        raise TableError(
            f"{file}: {columns:,} columns, and rowcite reads {read_limits.COLUMNS:,} at most. "
            "Check the separator, or leave out columns that are not needed"
        )


def check_names(file: Path, names: Iterable[str]) -> None:
    """Raise TableError if a column's name has a NUL, where Arrow and polars would end it, or is a pattern of polars."""
    for name in names:
        if "\0" in name:
            raise TableError(f"{file}: the name of column {name!r} holds a NUL. Rename it")
        if is_pattern(name):
            raise TableError(f"{file}: the name of column {name!r} {NAMES_SEVERAL}. Rename it")


NAMES_SEVERAL = "is a pattern (`*`, or from `^` to `$`), which stands for several columns"


def is_pattern(name: str) -> bool:
    """Return True if polars takes a name as that of every column, or as an expression for some."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def check_cells(file: Path, frame: pl.DataFrame, rows_before: int) -> None:
    """Raise TableError if a value is too large. `rows_before` rows of the file precede the frame's."""
    if frame.estimated_size() <= read_limits.CELL:
        return
    for name, dtype in frame.schema.items():
        if dtype not in (pl.String, pl.Binary):
            continue
        sizes = frame[name].str.len_bytes() if dtype == pl.String else frame[name].bin.size()
        if (sizes > read_limits.CELL).any():
            row = rows_before + (sizes.arg_max() or 0) + 1
            raise TableError(f"{file}: row {row:,}, column {name!r}: {TOO_LARGE}")


def row_too_long(hint: str = "") -> str:
    """Return the message for a row that is too long to be read."""
    most = read_limits.size(read_limits.ROW)
    return f"a row of more than {most}, the largest that is read.{hint} Shorten it, or remove it"


def max_unpacked_bytes(file: Path) -> int:
    """Return the number of bytes that a file may unpack to. One that is not compressed may have any size."""
    return max_bytes_of(file) if file.suffix.lower() in COMPRESSED else sys.maxsize


def max_bytes_of(compressed: Path) -> int:
    """Return the number of bytes that a compressed file, or a part of it, may unpack to."""
    return max(read_limits.FREE, read_limits.RATIO * compressed.stat().st_size)


def decompression_bomb_error(file: Path) -> TableError:
    """Return the error for a file that unpacks to more bytes than it may."""
    packed, most = read_limits.size(file.stat().st_size), read_limits.size(max_unpacked_bytes(file))
    return TableError(
        f"{file}: {packed} that unpack to more than {most}: no table packs {read_limits.RATIO} times. "
        "If this one does, unpack it and name the unpacked file"
    )
