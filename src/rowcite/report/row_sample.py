"""Which rows a page has room for: those that need a person, fairly by reason, then the others, in table order."""

from __future__ import annotations

from collections.abc import Hashable

from rowcite.report.facts import Need, RowView

_ORDER: tuple[Need | None, ...] = (*Need, None)  # None: needs nobody


class Keeper:
    """Keeps at most `most` rows. Each reason is sure of its share of the room; what is left goes by order.

    Rows that come to the same are kept as one: `what` is what tells others apart, None for a row that is like no other.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = most // len(Need)
        self._rows: dict[Need | None, list[RowView]] = {reason: [] for reason in _ORDER}
        self._kept: dict[Hashable, RowView] = {}
        self._what: dict[int, Hashable] = {}

    def again(self, what: Hashable, rows: int) -> bool:
        """Tell whether one that comes to the same is kept already, and count the rows that do too."""
        kept = self._kept.get(what)
        if kept is not None:
            kept.same += rows
        return kept is not None

    def wants(self, needs: tuple[Need, ...]) -> bool:
        """Tell whether a row with these needs would stay, so that others need not be built."""
        reason = needs[0] if needs else None
        return self._count() < self._most or self._victim(reason) is not reason

    def keep(self, row: RowView, what: Hashable = None) -> None:
        """Keep a row; another one leaves when there is no room."""
        reason = row.needs[0] if row.needs else None
        self._rows[reason].append(row)
        if what is not None:
            self._kept[what], self._what[row.number] = row, what
        if self._count() > self._most:
            gone = self._rows[self._victim(None)].pop()
            self._kept.pop(self._what.pop(gone.number, None), None)

    def rows(self) -> list[RowView]:
        """Return what was kept: by reason, then in table order."""
        return [row for reason in _ORDER for row in self._rows[reason]]

    def _count(self) -> int:
        return sum(len(rows) for rows in self._rows.values())

    def _victim(self, coming: Need | None) -> Need | None:
        """Return the reason that gives way: the last one that has more than its share, `coming` counted in."""
        for reason in reversed(_ORDER):
            size = len(self._rows[reason]) + (reason is coming and coming is not None)
            if size > (self._share if reason is not None else 0):
                return reason
        return coming
