"""The evidence of found values in a workbook: comments, links, and the sheet Sources with one row for each citation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rowcite.accept.evidence import score
from rowcite.inert import cell_text, is_link, shortened
from rowcite.table.cell_values import Evidence
from rowcite.table.sinks.xlsx_sheet import Sheet, SheetLimits

if TYPE_CHECKING:
    from xlsxwriter import Workbook

_COMMENT_CITATIONS, _TITLE_CHARS, _EXCERPT_CHARS, _COMMENT_CHARS = 3, 150, 300, 1_500
_HEADER = ("row", "field", "value", "confidence", "title", "url", "excerpts")
_WIDTHS = (8, 22, 28, 12, 40, 50, 90)
_HIGH, _MEDIUM = 0.8, 0.5


def band(confidence: str | None) -> str | None:
    """Return high, medium or low for a confidence; None for one that is neither a word nor a number."""
    if confidence is None or not (value := score(confidence)) >= 0:
        return None
    return "high" if value >= _HIGH else "medium" if value >= _MEDIUM else "low"


def comment_of(evidence: Evidence) -> str:
    """Return the comment on a found value."""
    lines = [f"Confidence: {evidence.confidence or 'not given'}"]
    for number, (title, url, excerpts) in enumerate(evidence.citations[:_COMMENT_CITATIONS], 1):
        lines.append(f"{number}. {shortened(title or url, _TITLE_CHARS)}")
        if excerpts:
            lines.append(f"“{shortened(excerpts, _EXCERPT_CHARS)}”")
    if more := len(evidence.citations) - _COMMENT_CITATIONS:
        lines += [f"{more} more on the sheet Sources"] if more > 0 else []
    return shortened(cell_text("\n".join(lines)), _COMMENT_CHARS)


class EvidenceWriter:
    """Writes the evidence of found values, up to the limits of a sheet."""

    def __init__(self, book: Workbook, table: Sheet, limits: SheetLimits) -> None:
        self._book, self._table, self._limits = book, table, limits
        self.links = self.comments = self.cells = self.citations = 0
        self._sheets: list[Sheet] = []
        self._next_sheet()

    def link(self, evidence: Evidence) -> str | None:
        """Return the link of the next found value, None if it has none."""
        self.cells += 1
        if self.cells > self._limits.links:
            return None
        return next((url for _, url, _ in evidence.citations if is_link(url)), None)

    def add(self, row: int, column: int, field: str, value: object, evidence: Evidence) -> None:
        """Write the comment of a found value, and its citations."""
        if self.comments < self._limits.comments:
            self._table.comment(row, column, comment_of(evidence))
            self.comments += 1
        for title, url, excerpts in evidence.citations:
            sheet = self._sheets[-1] if self._sheets[-1].next_row < self._limits.rows else self._next_sheet()
            shown = shortened(str(value), 200)
            cells = (row + 1, field, shown, evidence.confidence, title, url, excerpts)
            self.citations += 1
            is_linked = len(self._sheets) == 1 and sheet.next_row <= self._limits.links and is_link(url)
            sheet.write_row(cells, links={5: url} if is_linked else {})

    def close(self) -> list[str]:
        """Finish the sheets; return what is only on Sources."""
        for sheet in self._sheets:
            sheet.finish()
        notes, most = [], self._limits
        if self.cells > most.comments:
            notes.append(
                f"comments are on the first {most.comments:,} of {self.cells:,} found cells; the sheet Sources has the evidence of all"
            )
        if self.cells > most.links:
            notes.append(
                f"links are on the first {most.links:,} of {self.cells:,} found cells; the sheet Sources has the URLs of all"
            )
        return notes

    def _next_sheet(self) -> Sheet:
        number = len(self._sheets) + 1
        sheet = Sheet(self._book, "Sources" if number == 1 else f"Sources {number}")
        sheet.write_header(_HEADER, widths=_WIDTHS)
        self._sheets.append(sheet)
        return sheet
