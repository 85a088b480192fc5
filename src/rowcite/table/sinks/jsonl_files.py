"""JSON lines out: a JSONL input's own lines, to the byte, with the added members at their end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import polars as pl

from rowcite.table.sinks.registry import OutputFormat, OutputTable, WriteRows
from rowcite.table.sinks.text_columns import without_bytes_and_durations
from rowcite.table.sources import Rows, jsonl_files


@contextmanager
def _open(stream: BinaryIO, _: OutputTable) -> Iterator[WriteRows]:
    def write(rows: Rows, added: pl.DataFrame) -> None:
        stream.write(_lines(rows, added))

    yield write


def _lines(rows: Rows, added: pl.DataFrame) -> bytes:
    new = added.write_ndjson().encode().splitlines()
    old = rows.lines
    if old is None:
        old = without_bytes_and_durations(rows.frame).write_ndjson().encode().splitlines()
    return b"".join(_joined(line[:-1], more) for line, more in zip(old, new, strict=True))


def _joined(line: bytes, more: bytes) -> bytes:
    """Return a line, given without its last brace, with the members of another."""
    comma = b"" if line.rstrip().endswith(b"{") else b","
    return b"".join((line, comma, more[1:], b"\n"))


JSONL = OutputFormat("jsonl", jsonl_files.JSONL.suffixes, native=True, open=_open)
