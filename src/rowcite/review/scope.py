"""What a review is about: who decides, on which rows first, and what was decided before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rowcite.model import Decision
from rowcite.report.cells import Views, with_decision
from rowcite.report.facts import Facts, ReviewReason
from rowcite.review.listed import Listed
from rowcite.rows.reviewed import DecisionsByReviewer
from rowcite.spec.fields import Field


@dataclass(slots=True)
class Scope:
    """The reviewer, the decisions when the review began, and the rows to review first.

    `named` has the listed row that each row of the page shows: rows with the same input are one row of the page.
    """

    who: str
    fields: Sequence[Field]
    decisions: DecisionsByReviewer = field(default_factory=dict)
    listed: Listed = field(default_factory=Listed)
    named: dict[int, int] = field(default_factory=dict)

    def reasons(self, key: bytes, numbers: Sequence[int], seen: Views) -> tuple[ReviewReason, ...]:
        """Return the reasons to review some rows besides those that a report knows."""
        found = []
        listed = next((number for number in numbers if number in self.listed.rows), None)
        if listed is not None:
            self.named[numbers[0]] = listed
            found.append(ReviewReason.LISTED)
        own = own_decisions(self.decisions, key, self.who)
        cells = zip(self.fields, seen.cells, strict=True)
        if any(with_decision(cell, own.get(part.name), part).earlier for part, cell in cells if own):
            found.append(ReviewReason.CHANGED)
        return tuple(found)

    def order(self, facts: Facts) -> None:
        """Put the listed rows first, in the order of the list."""
        places = {number: place for place, number in enumerate(self.listed.rows)}
        last = len(places)
        facts.rows.sort(key=lambda row: places.get(self.named.get(row.number, 0), last))


def own_decisions(decisions: DecisionsByReviewer, key: bytes | None, who: str) -> Mapping[str, Decision]:
    """Return a reviewer's decisions on a task, by field."""
    cells = decisions.get(key, {}) if key else {}
    return {name: by[who] for name, by in cells.items() if who in by}
