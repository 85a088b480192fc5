"""The choice of rows for a page: those that need review, each reason with its share, then the others."""

from __future__ import annotations

from collections.abc import Hashable

from rowcite.report.facts import ReviewReason, RowView

_SHARES = 4
_ORDER: tuple[ReviewReason | None, ...] = (*ReviewReason, None)  # None: needs no review


class RowSample:
    """Keeps at most `most` rows. Up to four reasons are each guaranteed a quarter of the room; the rest is filled in order.

    Rows with equal content are kept once and counted. `content` identifies them, and is None for a row that has no
    duplicates.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = most // _SHARES
        self._rows: dict[ReviewReason | None, list[RowView]] = {reason: [] for reason in _ORDER}
        self._kept: dict[Hashable, RowView] = {}
        self._content: dict[int, Hashable] = {}

    def add_duplicate(self, content: Hashable, rows: int) -> bool:
        """Return True if a row with this content is kept, and count `rows` more of it."""
        kept = self._kept.get(content)
        if kept is not None:
            kept.duplicates += rows
        return kept is not None

    def has_room_for(self, reasons: tuple[ReviewReason, ...]) -> bool:
        """Return True if a row with these reasons would be kept, so that others need not be built."""
        reason = reasons[0] if reasons else None
        return self._count() < self._most or self._victim(reason) is not reason

    def add(self, row: RowView, content: Hashable = None) -> None:
        """Keep a row; without room, drop another one."""
        reason = row.reasons[0] if row.reasons else None
        self._rows[reason].append(row)
        if content is not None:
            self._kept[content], self._content[row.number] = row, content
        if self._count() > self._most:
            dropped = self._rows[self._victim(None)].pop()
            self._kept.pop(self._content.pop(dropped.number, None), None)

    def rows(self) -> list[RowView]:
        """Return the kept rows: by reason, then in table order."""
        return [row for reason in _ORDER for row in self._rows[reason]]

    def _count(self) -> int:
        return sum(len(rows) for rows in self._rows.values())

    def _victim(self, added: ReviewReason | None) -> ReviewReason | None:
        """Return the reason that gives up a row: the last one above its share, with `added` counted in, else the last one."""
        for reason in reversed(_ORDER):
            size = len(self._rows[reason]) + (reason is added and added is not None)
            if size > (self._share if reason is not None else 0):
                return reason
        return next((reason for reason in reversed(_ORDER) if self._rows[reason]), added)
