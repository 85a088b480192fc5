"""One look at a sheet's XML before its values are read: its size, and what the reader of values does not show.

The reader has a whole sheet in memory, in a rectangle around its cells, so the rectangle and the text are measured first.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.xlsx_parts import Parts

_NAME = rb"<(?:[^\s<>/:\"'=]*:)?"  # of an element: its prefix, if it has one
_C, _END = _NAME + rb"c(?=[\s/>])", rb"</(?:[^\s<>/:\"'=]*:)?c>"
_OTHERS = rb"(?:\s+(?:s|t|cm|vm|ph)=\"[^\"<>&]*\")*"
_ANY_CELL = re.compile(_C)
_PREFIXED = re.compile(rb":c[\s/>]")
_AT = rb'r="([A-Z]{1,3})([0-9]{1,7})"' + _OTHERS + rb"\s*/?>"
_PLAIN_ADDRESS = re.compile(rb"<c " + _AT)
_ADDRESS = re.compile(_C + _OTHERS + rb"\s+" + _AT)
"""A whole tag: the reader must not find another address in it than the check does."""
_ERROR = re.compile(
    _C + rb'([^>]*?\st="e"[^>]*)(?<!/)>(?:(?!' + _END + rb").)*?<(?:\w+:)?v>([^<]*)</(?:\w+:)?v>", re.DOTALL
)
_VALUE = rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?"
_NO_VALUE = re.compile(
    _C
    + rb"(\s[^>]*)(?<!/)>\s*<(?:\w+:)?f(?:\s[^>]*)?(?:/>|(?<!/)>[^<]*</(?:\w+:)?f>)\s*"
    + _VALUE
    + rb"\s*"
    + _END
)
_FORMULA = re.compile(rb"[<:]f[\s/>]")
_PLACE = re.compile(rb'\sr="([A-Z]{1,3})([0-9]{1,7})"')
_IS_TEXT = re.compile(rb'\st="str"')
_HIDDEN = re.compile(rb'<(?:\w+:)?row\s[^>]*?\bhidden="(?:1|true)"')
_SHARED = re.compile(_C + rb'[^>]*?\st="s"[^>]*>\s*<(?:\w+:)?v>([0-9]{1,9})</')
_ITEM = re.compile(rb"</(?:\w+:)?si>|<(?:\w+:)?si\s*/>")
_STRINGS = "xl/sharedStrings.xml"
_COLUMNS = 16_384
ERRORS = (
    *("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"),
    *("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#UNKNOWN!"),
)
"""The errors of cells; another one counts as the last."""


class Places:
    """Cells of a sheet in order, each with a number below 16."""

    def __init__(self) -> None:
        self._items = array("Q")

    def add(self, row: int, column: int, number: int = 0) -> None:
        """Add a cell, counted from 0."""
        self._items.append((row * _COLUMNS + column) << 4 | number)

    def sort(self) -> None:
        """Put the cells in order."""
        if any(before > after for before, after in zip(self._items, self._items[1:], strict=False)):
            self._items = array("Q", sorted(self._items))

    def between(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield row, column and number of the cells of some rows."""
        first = bisect_left(self._items, start * _COLUMNS << 4)
        for item in self._items[first : bisect_left(self._items, end * _COLUMNS << 4)]:
            yield *divmod(item >> 4, _COLUMNS), item & 15


@dataclass(slots=True)
class Scan:
    """What is in a sheet: its last row and column, counted from 1, its hidden rows, and cells without a value of theirs.

    `errors` have the place of each error in `ERRORS`; `without_value` are formulas without a stored value.
    """

    rows: int = 0
    columns: int = 0
    cells: int = 0
    hidden_rows: int = 0
    errors: Places = field(default_factory=Places)
    without_value: Places = field(default_factory=Places)


def scan_sheet(file: Path, parts: Parts, part: str) -> Scan:
    """Return what is in a sheet.

    Raises:
        TableError: it is larger than what is read, or its XML is not as Excel writes it.
    """
    scan = Scan()
    for chunk in _whole_cells(file, parts, part):
        _look(file, chunk, scan)
    scan.errors.sort()
    scan.without_value.sort()
    area = scan.rows * scan.columns
    if area > read_limits.SHEET_CELLS:
        raise TableError(
            f"{file}: the sheet reaches to {address(scan.rows - 1, scan.columns - 1)}: {area:,} cells, and rowcite reads"
            f" {read_limits.SHEET_CELLS:,} at most. Delete what is far from the table, or save the sheet as CSV"
        )
    _check_text(file, parts, part, scan)
    return scan


def address(row: int, column: int) -> str:
    """Return the address of a cell, counted from 0, as Excel shows it: B7."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _whole_cells(file: Path, parts: Parts, part: str) -> Iterator[bytes]:
    """Yield the XML of a sheet, divided after cells."""
    rest = b""
    for chunk in parts.chunks(part):
        data = rest + chunk
        cut = max(data.rfind(b"</c>") + 4, data.rfind(b":c>") + 3)
        if cut < 4:
            rest = data
        else:
            yield data[:cut]
            rest = data[cut:]
        if len(rest) > read_limits.ROW:
            raise TableError(
                f"{file}: its XML is not as Excel writes it: {read_limits.size(len(rest))} without a cell"
            )
    yield rest


def _look(file: Path, chunk: bytes, scan: Scan) -> None:
    places = _addresses(chunk)
    if places is None or b"<!" in chunk or b"\0" in chunk:
        raise TableError(
            f'{file}: its XML is not as Excel writes it. Open it in Excel or LibreOffice and save it as "Excel Workbook (.xlsx)"'
        )
    if places:
        letters, digits = zip(*places, strict=True)
        scan.columns = max(scan.columns, *(_column(name) + 1 for name in set(letters)))
        scan.rows = max(scan.rows, *map(int, set(digits)))
        scan.cells += len(places)
    if b'hidden="' in chunk:
        scan.hidden_rows += len(_HIDDEN.findall(chunk))
    if b't="e"' in chunk:
        for attributes, text in _ERROR.findall(chunk):
            name = text.decode("utf-8", "replace").strip()
            number = ERRORS.index(name) if name in ERRORS else len(ERRORS) - 1
            scan.errors.add(*_place(attributes), number)
    for attributes in _NO_VALUE.findall(chunk) if _FORMULA.search(chunk) else ():
        if not _IS_TEXT.search(attributes):  # the stored value of such a formula is the empty text
            scan.without_value.add(*_place(attributes))


def _addresses(chunk: bytes) -> list[tuple[bytes, bytes]] | None:
    """Return the address of each cell; None if a cell has none."""
    if not _PREFIXED.search(chunk):  # as Excel writes it: a tenth of the time
        found = _PLAIN_ADDRESS.findall(chunk)
        if len(found) == sum(map(chunk.count, (b"<c ", b"<c>", b"<c/", b"<c\n", b"<c\r", b"<c\t"))):
            return found
    found = _ADDRESS.findall(chunk)
    return found if len(found) == len(_ANY_CELL.findall(chunk)) else None


def _place(attributes: bytes) -> tuple[int, int]:
    found = _PLACE.search(attributes)
    assert found is not None  # `_look` has counted the addresses
    return int(found[2]) - 1, _column(found[1])


def _check_text(file: Path, parts: Parts, part: str, scan: Scan) -> None:
    """Raise TableError if the texts of a sheet, each as often as it is used, are too large for memory."""
    lengths = _lengths(file, parts)
    if max(lengths, default=0) * scan.cells <= read_limits.SHEET_TEXT:
        return
    total = 0
    for chunk in _whole_cells(file, parts, part):
        total += _used(lengths, _SHARED.findall(chunk))
        if total > read_limits.SHEET_TEXT:
            raise TableError(
                f"{file}: the sheet has more than {read_limits.size(read_limits.SHEET_TEXT)} of text, the most that is"
                " read. Save it as CSV, or leave out columns that are not needed"
            )


def _used(lengths: Sequence[int], places: list[bytes]) -> int:
    return sum(lengths[place] for place in map(int, places) if place < len(lengths))


def _lengths(file: Path, parts: Parts) -> Sequence[int]:
    """Return the bytes of each shared text, with its markup."""
    lengths = array("I")
    rest = b""
    for chunk in parts.chunks(_STRINGS):
        data, at = rest + chunk, 0
        for found in _ITEM.finditer(data):
            lengths.append(found.end() - at)
            at = found.end()
        rest = data[at:]
        if len(rest) > read_limits.ROW or len(lengths) > read_limits.SHEET_CELLS:
            raise TableError(
                f"{file}: a text of the workbook is too long, or it has too many. Save the sheet as CSV"
            )
    return lengths
