"""The one table of a sheet: where its header is, what its columns hold, and what keeps it from being read without guessing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rowcite.errors import TableError
from rowcite.table.sources.base import CellFault, batch_rows
from rowcite.table.sources.limits import check_columns, check_names
from rowcite.table.sources.xlsx_cells import ColumnTypes, text_of
from rowcite.table.sources.xlsx_scan import Places, Scan, address
from rowcite.wording import plural_is

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_BATCH_ROWS = 20_000
_OWN_SHEET = "move what is beside or below the table to another sheet"


@dataclass(slots=True)
class SheetTable:
    """A table in a sheet: the row of its header and its first column, counted from 0, and its columns."""

    file: Path
    sheet: str
    scan: Scan
    values: CalamineSheet
    header: int = 0
    first: int = 0
    names: list[str] = field(default_factory=list)
    types: list[ColumnTypes] = field(default_factory=list)
    faults: list[CellFault] = field(default_factory=list)

    def at(self, row: int, column: int) -> str:
        """Return a cell of the sheet as a message names it."""
        return f"{self.file}: {self.address(row, column)}"

    def address(self, row: int, column: int) -> str:
        """Return the sheet and the address of a cell."""
        return f"{self.sheet}!{address(row, column)}"

    @property
    def span(self) -> slice:
        """Return the places of the table's columns in a row of `values`, which begins at the first used column."""
        left = self.first - (self.values.start or (0, 0))[1]
        return slice(left, left + len(self.names))

    def place(self, column: int) -> int | None:
        """Return the place of a column of the sheet in the table, None for one outside."""
        place = column - self.first
        return place if 0 <= place < len(self.names) else None


def find_table(table: SheetTable, skip: int) -> None:
    """Find the header below `skip` rows, the types of the columns, and the faults.

    Raises:
        TableError: the sheet is empty, the header has a gap or is merged, or there may be more than one table.
    """
    _find_header(table, skip)
    _check_names(table)
    _check_merged_header(table)
    _check_beside(table)
    table.types = [ColumnTypes() for _ in table.names]
    for start, rows in table_rows(table):
        for kind, values in zip(table.types, zip(*rows, strict=True), strict=True):
            kind.add(values)
        _check_blank_rows(table, start, rows)
    _add_faults(table)


def table_rows(table: SheetTable) -> Iterator[tuple[int, list[list[Any]]]]:
    """Yield the rows of the table in parts, each with the number of its first row in the sheet."""
    span = table.span
    rows = (row[span] for row in islice(table.values.iter_rows(), table.header + 1, None))
    start = table.header + 1
    while some := list(islice(rows, min(_BATCH_ROWS, batch_rows(len(table.names))))):
        yield start, some
        start += len(some)


def _find_header(table: SheetTable, skip: int) -> None:
    # Before 0.9 the reader panics on the rows of an empty sheet.
    rows = table.values.iter_rows() if table.values.start is not None else iter(())
    for number, row in enumerate(islice(rows, skip, None), skip):
        named = [place for place, value in enumerate(row) if value != ""]
        if named:
            table.header, table.first = number, (table.values.start or (0, 0))[1] + named[0]
            table.names = [text_of(value) for value in row[named[0] : named[-1] + 1]]
            return
    raise TableError(
        f"{table.file}: the sheet {table.sheet} is empty; a table has at least a header. Set input.sheet to another"
    )


def _check_names(table: SheetTable) -> None:
    names = table.names
    for place, name in enumerate(names):
        where = table.at(table.header, table.first + place)
        if not name.strip():
            raise TableError(
                f"{where}: the header has no name here. Name the column, or unmerge it; if another table is beside this"
                f" one, {_OWN_SHEET}"
            )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        where = table.at(table.header, table.first + names.index(twice))
        raise TableError(
            f"{where}: the header has {twice!r} more than once. Rename the columns so that each is unique"
        )
    check_columns(table.file, len(names))
    check_names(table.file, names)


def _check_merged_header(table: SheetTable) -> None:
    for (top, left), (bottom, right) in table.values.merged_cell_ranges or ():
        if top <= table.header <= bottom and left < table.first + len(table.names) and right >= table.first:
            raise TableError(
                f"{table.at(top, left)}: a merged cell in the header ({address(top, left)}:{address(bottom, right)})."
                " Unmerge it, and give each column one cell with its name. Rows above the header are left out with"
                " input.csv.skip_lines"
            )


def _check_beside(table: SheetTable) -> None:
    """Raise TableError if a cell below the header has a value in a column without a name."""
    span, origin = table.span, (table.values.start or (0, 0))[1]
    if span.start == 0 and span.stop >= table.values.width:
        return
    for number, row in enumerate(islice(table.values.iter_rows(), table.header + 1, None), table.header + 1):
        beside = [
            place for place, value in enumerate(row) if value != "" and not span.start <= place < span.stop
        ]
        if beside:
            hint = f"Name the column in row {table.header + 1}, or {_OWN_SHEET}"
            if len(table.names) == 1:
                hint = f"If row {table.header + 1} is a title, set input.csv.skip_lines to the number of rows above the header"
            raise TableError(
                f"{table.at(number, origin + beside[0])}: a value in a column without a name. {hint}"
            )


def _check_blank_rows(table: SheetTable, start: int, rows: list[list[Any]]) -> None:
    """Raise TableError if a row is blank, for others follow: a second table may begin there."""
    width = len(table.names)
    for number, row in enumerate(rows, start):
        if row.count("") == width and not any(
            [*places.between(number, number + 1)] for places in (table.scan.errors, table.scan.without_value)
        ):
            raise TableError(
                f"{table.at(number, table.first)}: row {number + 1} is blank, and rows follow it. Delete the blank row, or"
                f" {_OWN_SHEET}"
            )


def _add_faults(table: SheetTable) -> None:
    for name, (cells, first) in _counted(table, table.scan.without_value).items():
        fault = CellFault(name, "a formula without a stored value", cells, first, blocks=True)
        table.faults.append(fault)
    for name, (cells, first) in _counted(table, table.scan.errors).items():
        table.types[table.names.index(name)].has_errors = True
        table.faults.append(CellFault(name, "an error such as #N/A", cells, first))
    for name, (cells, first) in _merged(table).items():
        table.faults.append(CellFault(name, "part of a merged cell", cells, first, blocks=True))
    if hidden := table.scan.hidden_rows:
        text = f"sheet {table.sheet}: {plural_is(hidden, 'hidden row')} read like the others"
        table.faults.append(CellFault(None, text))


def _counted(table: SheetTable, places: Places) -> dict[str, tuple[int, str]]:
    """Return the number of cells and the address of the first, by column."""
    found: dict[str, tuple[int, str]] = {}
    for row, column, _ in places.between(table.header + 1, table.scan.rows):
        if (place := table.place(column)) is not None:
            cells, first = found.get(table.names[place], (0, table.address(row, column)))
            found[table.names[place]] = cells + 1, first
    return found


def _merged(table: SheetTable) -> dict[str, tuple[int, str]]:
    """Return the number of merged cells without a value, and the first, by column: the value is in the top left cell alone."""
    found: dict[str, tuple[int, str]] = {}
    last = table.first + len(table.names) - 1
    for (top, left), (bottom, right) in sorted(table.values.merged_cell_ranges or ()):
        for column in range(max(left, table.first), min(right, last) + 1) if top > table.header else ():
            own = column == left
            if blank := bottom - top + 1 - own:
                name = table.names[column - table.first]
                cells, first = found.get(name, (0, table.address(top + own, column)))
                found[name] = cells + blank, first
    return found
