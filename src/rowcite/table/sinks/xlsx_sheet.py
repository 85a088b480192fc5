"""A sheet of a workbook that is written row after row, as text, numbers, booleans and dates, and never as formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from rowcite.inert import cell_text, shortened
from rowcite.table.columns import CELL_CHARS

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

_DATE_FORMATS: dict[type, str] = {
    date: "yyyy-mm-dd",
    datetime: "yyyy-mm-dd hh:mm:ss",
    time: "hh:mm:ss",
    timedelta: "[h]:mm:ss",
}
_FILLS = {"high": "#DDF2E3", "medium": "#FFF3CC", "low": "#FBE0D5"}
MARKS = {"high": "●●●", "medium": "●●○", "low": "●○○"}
"""What shows a confidence without colour."""
_MIN_WIDTH, _MAX_WIDTH, _MEASURED = 9, 60, 200


@dataclass(frozen=True, slots=True)
class SheetLimits:
    """What a sheet holds: `rows` and `columns` as Excel has them, and the cells that may have a link or a comment.

    Excel takes 65,530 links. It builds a box for each comment when it opens the file.
    """

    rows: int = 1_048_576
    columns: int = 16_384
    links: int = 65_000
    comments: int = 20_000


class Styles:
    """The formats of a workbook's cells: by the type of the value and the confidence, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[Any, ...], Format] = {}

    def of(self, value: object, band: str | None = None, *, mark: bool = False) -> Format | None:
        """Return the format of a value; `band` fills its cell, `mark` shows the band before the text."""
        number = _DATE_FORMATS.get(type(value))
        if number is None and band is None:
            return None
        key = (number, band, mark)
        if key not in self._made:
            options: dict[str, Any] = {} if number is None else {"num_format": number}
            if band is not None:
                options |= {"bg_color": _FILLS[band], "italic": band == "low"}
            if mark and band is not None:
                options["num_format"] = f'"{MARKS[band]} "@'
            self._made[key] = self._book.add_format(options)
        return self._made[key]

    def header(self, *, added: bool) -> Format:
        """Return the format of the header; that of added columns is darker."""
        key = ("header", added)
        if key not in self._made:
            colors = {"bg_color": "#1F4E5F", "font_color": "#FFFFFF"} if added else {"bg_color": "#E4E9EC"}
            self._made[key] = self._book.add_format({"bold": True, "bottom": 1, "valign": "top", **colors})
        return self._made[key]


class Sheet:
    """A sheet whose next row is written by each call."""

    def __init__(self, book: Workbook, name: str) -> None:
        self._sheet = book.add_worksheet(name)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        self._escape = book.add_format({"bold": False})
        self._styles, self.next_row, self._widths = Styles(book), 0, list[int]()
        self._fixed = False

    def write_header(self, names: Sequence[str], *, own: int = 0, widths: Sequence[int] = ()) -> None:
        """Write the header, with another colour for the columns after the first `own`."""
        self._widths = list(widths) or [min(max(len(name) + 3, _MIN_WIDTH), _MAX_WIDTH) for name in names]
        self._fixed = bool(widths)
        for column, name in enumerate(names):
            self._text(0, column, name, self._styles.header(added=column >= own > 0))
        self._sheet.freeze_panes(1, 0)
        self._sheet.repeat_rows(0)
        self._sheet.set_landscape()
        self.next_row = 1

    def write_row(
        self,
        values: Sequence[object],
        bands: Mapping[int, str | None] = {},
        marks: Mapping[int, str | None] = {},
        links: Mapping[int, str | None] = {},
    ) -> None:
        """Write the next row. `bands` are confidences that fill a cell, `marks` those that are also shown, by column."""
        row, self.next_row = self.next_row, self.next_row + 1
        for column, value in enumerate(values):
            if value is None:
                continue
            if link := links.get(column):
                self._sheet.write_url(row, column, link, None, "x")  # the value takes the place of the text
            band = bands.get(column) or marks.get(column)
            self.write(row, column, value, self._styles.of(value, band, mark=column in marks))
        if row <= _MEASURED and not self._fixed:
            self._measure(values)

    def write(self, row: int, column: int, value: object, style: Format | None) -> None:
        """Write one value."""
        if isinstance(value, str):
            self._text(row, column, value, style)
        elif isinstance(value, bool):
            self._sheet.write_boolean(row, column, value, style)
        elif isinstance(value, (date, time, timedelta)):
            self._sheet.write_datetime(row, column, value, style)
        else:
            self._sheet.write_number(row, column, value, style)

    def comment(self, row: int, column: int, text: str) -> None:
        """Put a comment on a cell."""
        lines = sum(1 + len(line) // 52 for line in text.split("\n"))
        size = {"width": 340, "height": min(18 * lines + 12, 420)}
        self._sheet.write_comment(row, column, text, {"author": "rowcite", "font_size": 9, **size})

    def finish(self) -> None:
        """Set the widths and the filter."""
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, width)
        if self._widths and self.next_row:
            self._sheet.autofilter(0, 0, self.next_row - 1, len(self._widths) - 1)

    def _text(self, row: int, column: int, text: str, style: Format | None) -> None:
        text = cell_text(text)
        if len(text) > CELL_CHARS // 2 and _utf16(text) > CELL_CHARS:
            text = shortened(text, CELL_CHARS // 2 - 100)
        if text.startswith("<r>") and text.endswith("</r>"):  # XlsxWriter would take it for XML
            self._sheet.write_rich_string(
                row, column, "<", self._escape, text[1:], *([style] if style else [])
            )
        elif text:
            self._sheet.write_string(row, column, text, style)

    def _measure(self, values: Sequence[object]) -> None:
        for column, value in enumerate(values):
            if value is not None:
                length = 20 if isinstance(value, datetime) else max(map(len, str(value).split("\n")))
                self._widths[column] = max(self._widths[column], min(length + 2, _MAX_WIDTH))


def _utf16(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
