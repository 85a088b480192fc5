"""Excel workbooks in: one sheet with one table, each cell with its own type.

python-calamine reads the values. What it does not show (errors, formulas without a stored value) is found in the XML.
"""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions, Format
from rowcite.table.sources.base import CellFault, Rows, TextForm
from rowcite.table.sources.limits import check_cells
from rowcite.table.sources.registry import InputFormat
from rowcite.table.sources.xlsx_cells import FIRST_ERROR, rows_of
from rowcite.table.sources.xlsx_parts import find_sheet, open_parts, unpacked
from rowcite.table.sources.xlsx_scan import scan_sheet
from rowcite.table.sources.xlsx_table import SheetTable, find_table, table_rows
from rowcite.wording import needs_extra

_KIND = "\0kind "
_LINE = "\0line"


class XlsxSource:
    """Workbooks whose sheets have one header. The rows are kept in a temporary folder when they are first read."""

    format: Format | None = "xlsx"
    separator = ","
    text_form = TextForm()
    arrow_schema: pa.Schema | None = None

    def __init__(self, files: Sequence[Path], sheet: str | None, skip: int) -> None:
        self.files: Sequence[Path] = list(files)
        self._sheet, self._skip = sheet, skip
        self._folder = Path(mkdtemp(prefix="rowcite-"))
        self._cleanup = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._kept: dict[Path, list[Path]] = {}
        first = self._open(self.files[0])
        self._names, self._types = first.names, first.types
        self.faults: Sequence[CellFault] = first.faults
        self._only = first if len(self.files) == 1 else None
        for file in self.files[1:]:
            self._add(self._open(file))
        self.schema = pl.Schema(
            {name: kind.dtype for name, kind in zip(self._names, self._types, strict=True)}
        )

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            yield from self.read(file)

    def read(self, file: Path) -> Iterator[Rows]:
        """Yield the rows of one file."""
        if file not in self._kept:
            self._keep(file)
        for part in self._kept[file]:
            yield _restored(pl.read_ipc(part))

    def _open(self, file: Path) -> SheetTable:
        table = _open_sheet(file, self._sheet)
        find_table(table, self._skip)
        return table

    def _add(self, table: SheetTable) -> None:
        if table.names != self._names:
            raise TableError(
                f"{table.at(table.header, table.first)}: the header is {', '.join(table.names)}, and in"
                f" {self.files[0].name} {', '.join(self._names)}. Give all workbooks one header"
            )
        for mine, other in zip(self._types, table.types, strict=True):
            mine.join(other)
        self.faults = (*self.faults, *table.faults)

    def _reopened(self, file: Path) -> SheetTable:
        """Return one of several files again. It must still fit the types that were found in all of them."""
        table = self._open(file)
        fits = all(mine.holds(other) for mine, other in zip(self._types, table.types, strict=False))
        if table.names != self._names or not fits:
            raise TableError(
                f"{file}: the workbook changed while it was read. Run again when no other program writes to it"
            )
        return table

    def _keep(self, file: Path) -> None:
        """Write the rows of a file to the temporary folder."""
        table, self._only = self._only or self._reopened(file), None
        kept: list[Path] = []
        done = 0
        for start, rows in table_rows(table):
            some = rows_of(self._names, self._types, rows, _errors(table, start, len(rows)))
            check_cells(file, some.frame, done)
            done += some.frame.height
            kept.append(self._folder / f"{len(self._kept):06}-{len(kept):06}.arrow")
            _spread(some).write_ipc(kept[-1], compression="lz4")
        self._kept[file] = kept


def _errors(table: SheetTable, start: int, rows: int) -> Iterator[tuple[int, int, int]]:
    """Yield row, column and kind of the errors in some rows of a table."""
    for row, column, number in table.scan.errors.between(start, start + rows):
        if (place := table.place(column)) is not None:
            yield row - start, place, FIRST_ERROR + number


def _spread(rows: Rows) -> pl.DataFrame:
    """Return rows as one frame."""
    frame = rows.frame.with_columns(pl.Series(_LINE, rows.lines, pl.Binary))
    return frame if rows.kinds is None else frame.hstack(rows.kinds.rename(_KIND.__add__))


def _restored(frame: pl.DataFrame) -> Rows:
    marks = [name for name in frame.columns if name.startswith(_KIND)]
    kinds = frame.select(marks).rename(lambda name: name.removeprefix(_KIND)) if marks else None
    return Rows(frame.drop(_LINE, *marks), lines=frame[_LINE].to_list(), kinds=kinds)


def _open_sheet(file: Path, name: str | None) -> SheetTable:
    with needs_extra("excel", f"{file}: workbooks need", TableError):
        from python_calamine import CalamineError, CalamineWorkbook
    with unpacked(file) as plain:
        with open_parts(plain) as parts:
            sheet = find_sheet(file, parts.sheets(), name)
            scan = scan_sheet(file, parts, sheet.part)
        try:
            with CalamineWorkbook.from_path(plain) as workbook:
                values = workbook.get_sheet_by_name(sheet.name)
        except (CalamineError, OSError, ValueError) as error:
            raise _unreadable(file, error) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of the Rust library
                raise
            raise _unreadable(file, error) from error
    return SheetTable(file, sheet.name, scan, values)


def _unreadable(file: Path, error: BaseException) -> TableError:
    return TableError(
        f'{file}: the workbook cannot be read: {error}. Open it in Excel and save it as "Excel Workbook (.xlsx)" again'
    )


def _source(files: Sequence[Path], options: CsvOptions, sheet: str | None) -> XlsxSource:
    return XlsxSource(files, sheet, options.skip_lines)


XLSX = InputFormat("xlsx", (".xlsx", ".xlsm"), _source)
