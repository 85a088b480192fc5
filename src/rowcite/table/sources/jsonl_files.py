"""JSON lines in. The lines are kept, so that a JSONL output repeats them to the byte."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.spec.models import Format
from rowcite.table.sources.base import BATCH_ROWS, CellFault, Rows, TextForm, batch_rows
from rowcite.table.sources.csv_hints import check_is_text
from rowcite.table.sources.jsonl_faults import (
    check_depth,
    check_surrogates,
    find_fault,
    may_repeat_names,
    mixed_kinds,
    repeats_a_name,
)
from rowcite.table.sources.limits import check_cells, check_columns, check_names
from rowcite.table.sources.registry import InputFormat
from rowcite.table.sources.streams import byte_lines

_REPEATED = "a name is in one object more than once"
_SCHEMA_LINES = 4_096
"""Lines whose fields are inferred at once. polars' time grows with the square of the number of names among them."""


class JsonlSource:
    """Files of JSON lines, whose fields together are the columns."""

    format: Format | None = "jsonl"
    separator = ","
    text_form = TextForm()
    faults: Sequence[CellFault] = ()
    arrow_schema: pa.Schema | None = None

    def __init__(self, files: Sequence[Path]) -> None:
        self.files: Sequence[Path] = list(files)
        self._checked: set[Path] = set()
        empty: pl.DataFrame | None = None
        for file in self.files:
            check_is_text(file, "")
            for _, data in _lines(file, batch_rows(read_limits.BATCH_CELLS // _SCHEMA_LINES)):
                fields = pl.DataFrame(schema=self._fields(file, data))
                empty = fields if empty is None else self._union(empty, fields)
                check_columns(file, sum(map(_width, empty.schema.values())))
        if empty is None:
            raise TableError(
                f"{self.files[0]}: the file is empty; JSON lines name the columns, so there must be one"
            )
        check_names(self.files[0], empty.columns)
        self.schema = empty.schema

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            yield from self.read(file)

    def read(self, file: Path) -> Iterator[Rows]:
        """Yield the rows of one file."""
        rows, done = batch_rows(sum(map(_width, self.schema.values()))), 0
        for lines, data in _lines(file, rows):
            frame = self._frame(file, data)
            if file not in self._checked:
                self._check_names(file, frame, lines, data)
            check_cells(file, frame, done)
            done += frame.height
            yield Rows(frame, lines=lines)
        self._checked.add(file)

    def _check_names(self, file: Path, frame: pl.DataFrame, lines: list[bytes], data: bytes) -> None:
        """Raise TableError for two values with one name, of which the frame has the last."""
        if may_repeat_names(frame, data) and any(map(repeats_a_name, lines)):
            raise find_fault(file, self.files, ValueError(_REPEATED))

    def _frame(self, file: Path, data: bytes) -> pl.DataFrame:
        try:
            return pl.read_ndjson(data, schema=self.schema)
        except pl.exceptions.PolarsError as error:
            raise find_fault(file, self.files, error) from error

    def _fields(self, file: Path, data: bytes) -> pl.Schema:
        try:
            fields = pl.scan_ndjson(io.BytesIO(data), infer_schema_length=None).collect_schema()
        except pl.exceptions.PolarsError as error:
            raise find_fault(file, self.files, error) from error
        if any(map(_repeats_a_member, fields.values())):
            raise find_fault(file, self.files, ValueError(_REPEATED))
        return fields

    def _union(self, some: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
        """Return an empty frame with the columns of two, whose types hold the values of both."""
        if some.schema == more.schema:
            return some
        try:
            return pl.concat([some, more], how="diagonal_relaxed")
        except pl.exceptions.PolarsError as error:
            raise mixed_kinds(self.files, error) from error


def text_values(file: Path, name: str) -> Iterator[pl.Series]:
    """Yield the texts of one member, some lines at a time; stop where no line has it. The other members have no types."""
    for _, data in _lines(file, BATCH_ROWS):
        try:
            values = pl.read_ndjson(data, schema={name: pl.String})[name]
        except pl.exceptions.PolarsError as error:
            raise find_fault(file, [file], error) from error
        if values.null_count() == values.len():
            return
        yield values


def _width(dtype: Any) -> int:
    """Return the number of columns that a type counts as: itself, and the members of its objects."""
    if isinstance(dtype, pl.Struct):
        return 1 + sum(_width(field.dtype) for field in dtype.fields)
    return _width(dtype.inner) if isinstance(dtype, pl.List) else 1


def _repeats_a_member(dtype: Any) -> bool:
    """Return True if a type has two members of one name, which polars infers, and panics on when it reads."""
    if isinstance(dtype, pl.List):
        return _repeats_a_member(dtype.inner)
    if not isinstance(dtype, pl.Struct):
        return False
    names = {field.name for field in dtype.fields}
    return len(names) < len(dtype.fields) or any(_repeats_a_member(field.dtype) for field in dtype.fields)


def _lines(file: Path, rows: int) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield the lines that are not blank, at most `rows` at once, as a list and joined."""
    for number, lines in byte_lines(file, rows):
        if number == 1:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        kept = [line for line in map(bytes.strip, lines) if line]
        data = b"\n".join(kept)
        if data.count(b"[") + data.count(b"{") > len(kept) - 1 + read_limits.DEPTH:
            check_depth(file, number, lines)
        if b"\\ud" in data or b"\\uD" in data:
            check_surrogates(file, number, lines)
        if kept and data[:1] != b"{":  # polars would unpack data that begins like a compressed file
            raise find_fault(file, [file], ValueError("not a line of JSON"))
        if kept:
            yield kept, data


JSONL = InputFormat("jsonl", (".jsonl", ".ndjson"), lambda files, *_: JsonlSource(files))
