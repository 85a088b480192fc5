"""A table as it is read: a schema, and rows in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import polars as pl
import pyarrow as pa

from rowcite.spec import read_limits
from rowcite.spec.models import Format

BATCH_ROWS = 50_000
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
"""The codec that a suffix stands for."""
WITH_LINES = frozenset({"jsonl", "xlsx"})
"""Formats whose columns declare no type: their rows have a JSON line each, with every value as it is."""


class CellFault(NamedTuple):
    """Cells of a column that are read as blank: how many, the address of the first, and the reason.

    `blocks`: the column cannot be an input. Without a column, `reason` is about the whole sheet.
    """

    column: str | None
    reason: str
    cells: int = 0
    first: str = ""
    blocks: bool = False

    def __str__(self) -> str:
        """Return the fault as a warning."""
        if self.column is None:
            return self.reason
        cells = "1 cell is" if self.cells == 1 else f"{self.cells:,} cells are"
        return f'column "{self.column}": {cells} read as blank: {self.reason}. The first is {self.first}'


@dataclass(frozen=True, slots=True)
class TextForm:
    """How the text of a CSV is written, apart from its separator."""

    byte_order_mark: bool = False
    line_end: str = "\n"


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows. `arrow` (Parquet) and `lines` (`WITH_LINES`) are the originals: a frame does not keep all of them.

    `kinds` (workbooks) shows for some columns what the lines do not: which cells are dates and times, and which are errors.
    `found` has of merged rows the values that are in place of their own, by column; null where there is none.
    """

    frame: pl.DataFrame
    arrow: pa.Table | None = None
    lines: list[bytes] | None = None
    kinds: pl.DataFrame | None = None
    found: pl.DataFrame | None = None

    def slice(self, start: int, rows: int) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.frame.slice(start, rows),
            self.arrow.slice(start, rows) if self.arrow is not None else None,
            self.lines[start : start + rows] if self.lines is not None else None,
            self.kinds.slice(start, rows) if self.kinds is not None else None,
        )

    def select(self, columns: Sequence[str]) -> Rows:
        """Return some of the columns, without lines."""
        return Rows(
            self.frame.select(columns), self.arrow.select(columns) if self.arrow is not None else None
        )


class Source(Protocol):
    """A table that can be read more than once. `files` are the local files that it is read from.

    `faults` are cells without a value that can be read.
    """

    format: Format | None
    files: Sequence[Path]
    separator: str
    text_form: TextForm
    schema: pl.Schema
    arrow_schema: pa.Schema | None
    faults: Sequence[CellFault]

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""


class FileSource(Source, Protocol):
    """A table in local files."""

    def read(self, file: Path) -> Iterator[Rows]:
        """Yield the rows of one file."""


@dataclass(slots=True)
class FrameSource:
    """A table in memory. `arrow` has the originals of some columns, `lines` the rows as JSON lines if `format` is in `WITH_LINES`."""

    frame: pl.DataFrame
    format: Format | None = None
    files: Sequence[Path] = ()
    separator: str = ","
    text_form: TextForm = TextForm()
    arrow_schema: pa.Schema | None = None
    lines: list[bytes] | None = None
    arrow: pa.Table | None = None
    faults: Sequence[CellFault] = ()
    schema: pl.Schema = field(init=False)

    def __post_init__(self) -> None:
        self.schema = self.frame.schema
        if self.arrow is not None:
            self.arrow_schema = self.arrow.schema

    def batches(self) -> Iterator[Rows]:
        """Yield slices of the frame."""
        whole = Rows(self.frame, self.arrow, self.lines)
        for start in range(0, self.frame.height, BATCH_ROWS):
            yield whole.slice(start, BATCH_ROWS)


class PartSource:
    """One file of a table, as a table that has the schema of the whole."""

    def __init__(self, whole: FileSource, file: Path) -> None:
        self._whole = whole
        self.files: Sequence[Path] = [file]
        self.format, self.separator, self.text_form = whole.format, whole.separator, whole.text_form
        self.schema, self.arrow_schema, self.faults = whole.schema, whole.arrow_schema, whole.faults

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""
        return self._whole.read(self.files[0])


def batch_rows(columns: int) -> int:
    """Return the largest number of rows in a batch of a table with that many columns."""
    return max(1, min(BATCH_ROWS, read_limits.BATCH_CELLS // max(columns, 1)))


def limited(batches: Iterator[Rows], limit: int | None) -> Iterator[Rows]:
    """Yield the first `limit` rows; all rows for None."""
    if limit is None:
        yield from batches
        return
    left = limit
    for rows in batches:
        if left <= 0:
            return
        if rows.frame.height > left:
            yield rows.slice(0, left)
            return
        yield rows
        left -= rows.frame.height


_COALESCED_ROWS, _COALESCED_BYTES, _LINE_OBJECT = 125_000, 16 << 20, 41


def coalesce(batches: Iterator[Rows]) -> Iterator[Rows]:
    """Yield the same rows in larger batches, within a limit of memory: large batches have more duplicates to skip.

    A batch is in memory about six times while it is keyed and written.
    """
    waiting: list[Rows] = []
    count = size = 0
    for rows in batches:
        waiting.append(rows)
        count, size = count + rows.frame.height, size + _memory(rows)
        del rows
        if count >= _COALESCED_ROWS or size >= _COALESCED_BYTES:
            yield _concat(waiting)
            waiting, count, size = [], 0, 0
    if waiting:
        yield _concat(waiting)


def _memory(rows: Rows) -> int:
    """Return about how many bytes some rows take, a line as an object of Python."""
    lines = rows.lines or ()
    return int(rows.frame.estimated_size()) + sum(map(len, lines)) + _LINE_OBJECT * len(lines)


def _concat(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    tables = [part.arrow for part in parts if part.arrow is not None]
    lines = [part.lines for part in parts if part.lines is not None]
    kinds = [part.kinds for part in parts if part.kinds is not None]
    return Rows(
        pl.concat([part.frame for part in parts]),
        pa.concat_tables(tables) if tables else None,
        [line for some in lines for line in some] if lines else None,
        pl.concat(kinds) if kinds else None,
    )
