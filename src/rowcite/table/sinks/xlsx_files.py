"""Excel workbooks out: the table, the sheet Sources with the evidence, and the sheet Run. Nothing in the file runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from rowcite.errors import TableError
from rowcite.table.cell_values import Evidence, evidence_of
from rowcite.table.columns import CELL_CHARS, EVIDENCE, utf16_chars
from rowcite.table.sinks.registry import OutputFormat, OutputTable, WriteRows
from rowcite.table.sinks.xlsx_evidence import EvidenceWriter, band
from rowcite.table.sinks.xlsx_sheet import MARKS, Sheet, SheetLimits
from rowcite.table.sinks.xlsx_values import column_values, own_values
from rowcite.table.sources import Rows
from rowcite.wording import needs_extra

if TYPE_CHECKING:
    from xlsxwriter import Workbook

_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - the same rows give the same bytes
_ROWS = 2_000  # rows whose values are Python objects at once


@contextmanager
def _open(limits: SheetLimits, stream: BinaryIO, table: OutputTable) -> Iterator[WriteRows]:
    with TemporaryDirectory(prefix="rowcite-") as folder:
        book = _workbook(stream, folder)
        try:
            writer = _TableWriter(book, table, limits)
            yield writer.write
            writer.finish()
            _close(book)
        finally:
            for sheet in book.worksheets():
                sheet.row_data_fh.close()


def _workbook(stream: BinaryIO, folder: str) -> Workbook:
    with needs_extra("excel", "workbooks need", TableError):
        from xlsxwriter import Workbook
    book = Workbook(stream, {"constant_memory": True, "tmpdir": folder})
    book.use_zip64()
    book.set_properties({"created": _MADE, "comments": "Written by rowcite"})
    return book


def _close(book: Workbook) -> None:
    from xlsxwriter.exceptions import FileCreateError

    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from error


class _TableWriter:
    """Writes the sheets of a workbook."""

    def __init__(self, book: Workbook, table: OutputTable, limits: SheetLimits) -> None:
        self._table = table
        names = [name for name in table.columns if not name.startswith(EVIDENCE)]
        self._places = {name: place for place, name in enumerate(names)}
        self._fields = [name.removeprefix(EVIDENCE) for name in table.added if name.startswith(EVIDENCE)]
        self._sheet = Sheet(book, "Enriched")
        self._sheet.write_header(names, own=len(table.source.schema))
        self._evidence = EvidenceWriter(book, self._sheet, limits)
        self._run = Sheet(book, "Run")
        self._marked = {
            self._places[mark]: name
            for name in self._fields
            if (mark := f"{name}_confidence") in self._places
        }

    def write(self, rows: Rows, added: pl.DataFrame) -> None:
        """Write some rows."""
        for start in range(0, added.height, _ROWS):
            self._write(rows.slice(start, _ROWS), added.slice(start, _ROWS))

    def _write(self, rows: Rows, added: pl.DataFrame) -> None:
        found = [added[EVIDENCE + name].to_list() for name in self._fields]
        new = [column_values(added[name]) for name in added.columns if not name.startswith(EVIDENCE)]
        evidences = zip(*found, strict=True) if found else iter([()] * added.height)
        for values, evidence in zip(zip(*own_values(rows), *new, strict=True), evidences, strict=True):
            self._write_row(values, evidence)

    def _write_row(self, values: Sequence[object], encoded: Sequence[bytes | None]) -> None:
        row, found = self._sheet.next_row, dict[int, tuple[str, Evidence]]()
        for name, data in zip(self._fields, encoded, strict=True):
            if data is not None and values[self._places[name]] is not None:
                found[self._places[name]] = name, evidence_of(data)
        links = {place: self._evidence.link(evidence) for place, (_, evidence) in found.items()}
        bands = {place: band(evidence.confidence) for place, (_, evidence) in found.items()}
        marks = {place: band(str(values[place])) for place in self._marked if values[place] is not None}
        self._sheet.write_row(values, bands, marks, links)
        for place, (name, evidence) in found.items():
            self._evidence.add(row, place, name, values[place], evidence)

    def finish(self) -> None:
        """Finish the sheets, and write the sheet Run."""
        notes = self._evidence.close()
        self._table.about.notes.extend(notes)
        self._sheet.finish()
        self._run.write_header(("what", "value"), widths=(32, 90))
        legend = ", ".join(f"{mark} {name}" for name, mark in MARKS.items())
        facts = [*self._table.about.facts(), *(("note", note) for note in notes), ("confidence", legend)]
        for fact in facts:
            self._run.write_row(fact)
        self._run.finish()


def _check(limits: SheetLimits, path: str, table: OutputTable) -> None:
    """Raise TableError if a table does not fit into a sheet: its columns, its rows, or an original cell."""
    columns = sum(not name.startswith(EVIDENCE) for name in table.columns)
    if columns > limits.columns:
        raise TableError(f"{path}: {columns:,} columns, and a sheet has {limits.columns:,}. {_ELSE}")
    done = 0
    for rows in table.source.batches():
        _check_cells(path, rows.frame, done)
        done += rows.frame.height
    if done >= limits.rows:
        raise TableError(
            f"{path}: {done:,} rows, and a sheet has {limits.rows - 1:,} below its header. {_ELSE}"
        )


_ELSE = "Write to .csv or .parquet, or give a smaller table"


def _check_cells(path: str, frame: pl.DataFrame, done: int) -> None:
    for name, dtype in frame.schema.items():
        if dtype != pl.String:
            continue
        chars = frame.select(utf16_chars(pl.col(name))).to_series()
        at = chars.arg_max()
        if at is not None and chars[at] > CELL_CHARS:
            raise TableError(
                f"{path}: row {done + at + 1:,}, column {name!r}: {chars[at]:,} characters, and a cell of a workbook holds"
                f" {CELL_CHARS:,}. Write to .csv or .parquet, or shorten it"
            )


def workbooks(limits: SheetLimits) -> OutputFormat:
    """Return the format of workbooks whose sheets have some limits."""
    return OutputFormat(
        "xlsx",
        (".xlsx",),
        native=False,
        open=partial(_open, limits),
        compressed=True,
        workbook=True,
        check=partial(_check, limits),
    )


XLSX = workbooks(SheetLimits())
