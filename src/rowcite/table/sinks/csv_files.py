"""CSV and TSV out, in UTF-8, quoted where necessary, with the byte-order mark and the line ends of a CSV input."""

from __future__ import annotations

import io
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO

import polars as pl

from rowcite.table.sinks.registry import OutputFormat, OutputTable, WriteRows
from rowcite.table.sinks.text_columns import without_nesting
from rowcite.table.sources import Rows, csv_files
from rowcite.table.sources.members import own_texts

_ROWS_AS_TEXT = 10_000  # rows whose text is in memory at once


def _open_csv(stream: BinaryIO, table: OutputTable) -> AbstractContextManager[WriteRows]:
    """Open a CSV with the separator of a CSV input."""
    return _open(stream, table, table.source.separator if table.source.format == "csv" else ",")


def _open_tsv(stream: BinaryIO, table: OutputTable) -> AbstractContextManager[WriteRows]:
    return _open(stream, table, "\t")


@contextmanager
def _open(stream: BinaryIO, table: OutputTable, separator: str) -> Iterator[WriteRows]:
    line_end = table.source.text_form.line_end
    if table.source.text_form.byte_order_mark:
        stream.write(BOM_UTF8)
        stream.flush()  # polars writes to the file past its buffer
    _write(stream, pl.DataFrame(schema=table.columns), separator, line_end, header=True)

    def write(rows: Rows, added: pl.DataFrame) -> None:
        for part in own_texts(rows, rows.frame.columns).hstack(added).iter_slices(_ROWS_AS_TEXT):
            _write(stream, part, separator, line_end)

    yield write


def _write(
    stream: BinaryIO, frame: pl.DataFrame, separator: str, line_end: str, *, header: bool = False
) -> None:
    # polars writes to a plain file by itself, which is quicker than through Python.
    to_file = isinstance(stream, io.BufferedWriter)
    target = stream if to_file else io.BytesIO()
    without_nesting(frame).write_csv(
        target, include_header=header, separator=separator, line_terminator=line_end, quote_style="necessary"
    )
    if isinstance(target, io.BytesIO):
        stream.write(target.getbuffer())
    else:
        target.flush()


CSV = OutputFormat("csv", csv_files.CSV.suffixes, native=False, open=_open_csv)
TSV = OutputFormat("tsv", csv_files.TSV.suffixes, native=False, open=_open_tsv)
