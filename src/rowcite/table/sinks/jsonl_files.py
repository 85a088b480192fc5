"""JSON lines out: a JSONL input's own lines, to the byte, with the added members at their end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import polars as pl

from rowcite.table.sinks.registry import OutputFormat, OutputTable, WriteRows
from rowcite.table.sinks.text_columns import without_bytes_and_durations
from rowcite.table.sources import Rows, jsonl_files
from rowcite.wording import plural_is

_ROWS_AS_TEXT = 4_000  # a row is in memory four times while it becomes text


@contextmanager
def _open(stream: BinaryIO, table: OutputTable) -> Iterator[WriteRows]:
    nulls = 0

    def write(rows: Rows, added: pl.DataFrame) -> None:
        nonlocal nulls
        nulls += _not_in_json(rows)
        for start in range(0, added.height, _ROWS_AS_TEXT):
            some = rows.slice(start, _ROWS_AS_TEXT)
            stream.write(_lines(some, added.slice(start, _ROWS_AS_TEXT)))

    yield write
    if nulls:
        note = f"JSON has no NaN and no infinity: {plural_is(nulls, 'value')} null there"
        table.about.notes.append(note)


def _lines(rows: Rows, added: pl.DataFrame) -> bytes:
    new = added.write_ndjson().encode().splitlines()
    old = rows.lines
    if old is None:
        old = without_bytes_and_durations(rows.frame).write_ndjson().encode().splitlines()
    return b"".join(_joined(line[:-1], more) for line, more in zip(old, new, strict=True))


def _not_in_json(rows: Rows) -> int:
    """Return the number of NaNs and infinities that become null in JSON lines. Lines of a JSONL input have none."""
    return 0 if rows.lines is not None else sum(map(_not_finite, rows.frame))


def _not_finite(column: pl.Series) -> int:
    dtype = column.dtype
    if dtype.is_float():
        return int((~column.is_finite()).sum())
    if isinstance(dtype, pl.Struct):
        return sum(map(_not_finite, column.struct.unnest()))
    return _not_finite(column.explode()) if isinstance(dtype, pl.List | pl.Array) else 0


def _joined(line: bytes, more: bytes) -> bytes:
    """Return a line, given without its last brace, with the members of another."""
    comma = b"" if line.rstrip().endswith(b"{") else b","
    return b"".join((line, comma, more[1:], b"\n"))


JSONL = OutputFormat("jsonl", jsonl_files.JSONL.suffixes, native=True, open=_open)
