"""Decisions of reviews as labels: what people found right and wrong, and where two of them contradict each other. Pure.

with closing(open_ledger(folder, writing=False)) as ledger:
    cells = reviewed_cells(ledger.decisions_by_reviewer(), fields(spec))
found = labels(cells)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

from rowcite.model import Decision
from rowcite.rows.decisions import BLANK, as_type, made_on
from rowcite.spec.fields import Field

DecisionsByReviewer = Mapping[bytes, Mapping[str, Mapping[str, Decision]]]
"""The decisions of `Ledger.decisions_by_reviewer`: by task, field and reviewer."""


class ReviewedCell(NamedTuple):
    """One reviewer's decision on one cell.

    `task` is the key of the task, and `answer` the value that the cell had; None if it had none, or if that is not known. `verdict`
    is `accept`, `reject`, `correct` or `blank`. `value` is the value that the reviewer found right; None if there is truly nothing,
    or, of a rejected answer, if the right value is not known. `at` is Unix seconds.
    """

    task: bytes
    field: str
    verdict: str
    value: Any
    answer: Any
    reviewer: str
    at: float
    note: str | None = None

    @property
    def is_label(self) -> bool:
        """Return True if the decision says which value is right; a rejection says only which one is wrong."""
        return self.verdict != "reject"


class Labels(NamedTuple):
    """The labels that reviewers agree on, by task and field.

    `right` has the right value of a cell, None where there is truly nothing. `wrong` has the answers that were rejected in cells whose
    right value is not known. `contradicted` are the cells of which two reviewers say different things: they have no label.
    """

    right: dict[bytes, dict[str, Any]]
    wrong: dict[bytes, dict[str, list[Any]]]
    contradicted: list[tuple[bytes, str]]


class Agreement(NamedTuple):
    """Two reviewers on the cells that both decided on, for the same answer; `differing` has the pairs that contradict each other."""

    first: str
    second: str
    cells: int
    differing: list[tuple[ReviewedCell, ReviewedCell]]

    @property
    def agree(self) -> int:
        """Return the number of cells on which they agree."""
        return self.cells - len(self.differing)


def reviewed_cells(decisions: DecisionsByReviewer, fields: Iterable[Field]) -> list[ReviewedCell]:
    """Return the decisions on some fields as labels. An accepted value that is not known (from a CSV without it) is left out."""
    named = {field.name: field for field in fields}
    made = (
        _cell(decision, named[name])
        for cells in decisions.values()
        for name, by in cells.items()
        if name in named
        for decision in by.values()
    )
    return [cell for cell in made if cell is not None]


def _cell(decision: Decision, field: Field) -> ReviewedCell | None:
    answer = made_on(decision)
    text = decision.value if decision.verdict == "correct" else answer
    if text is None and decision.verdict in ("accept", "correct"):
        return None
    value = None if decision.verdict in ("reject", BLANK) or text is None else _typed(text, field)
    return ReviewedCell(
        decision.key,
        decision.field,
        decision.verdict,
        value,
        None if answer is None else _typed(answer, field),
        decision.who,
        decision.at,
        decision.note,
    )


def _typed(text: str, field: Field) -> Any:
    return as_type(json.loads(text), field.type)


def labels(cells: Iterable[ReviewedCell]) -> Labels:
    """Return the labels that the reviewers of some cells agree on."""
    found = Labels({}, {}, [])
    for (task, name), made in _by_cell(cells).items():
        right = [cell.value for cell in made if cell.is_label]
        if any(contradict(one, other) for one, other in combinations(made, 2)):
            found.contradicted.append((task, name))
        elif right:
            found.right.setdefault(task, {})[name] = right[0]
        else:
            found.wrong.setdefault(task, {})[name] = [cell.answer for cell in made]
    return found


def agreements(cells: Iterable[ReviewedCell]) -> list[Agreement]:
    """Return the agreement of each two reviewers who decided on the same cells, those with the most cells first."""
    both, differing = (
        Counter[tuple[str, str]](),
        dict[tuple[str, str], list[tuple[ReviewedCell, ReviewedCell]]](),
    )
    for made in _by_cell(cells).values():
        for one, other in combinations(sorted(made, key=lambda cell: cell.reviewer), 2):
            if one.answer != other.answer:
                continue
            names = one.reviewer, other.reviewer
            both[names] += 1
            if contradict(one, other):
                differing.setdefault(names, []).append((one, other))
    return [Agreement(*names, count, differing.get(names, [])) for names, count in both.most_common()]


def contradict(one: ReviewedCell, other: ReviewedCell) -> bool:
    """Return True if two reviewers found different values right, or one rejected what the other found right.

    Texts are compared without case and spaces.
    """
    if one.is_label and other.is_label:
        return bool(_plain(one.value) != _plain(other.value))
    if one.is_label or other.is_label:
        label, rejection = (one, other) if one.is_label else (other, one)
        return bool(_plain(label.value) == _plain(rejection.answer))
    return False


def _plain(value: Any) -> Any:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value


def _by_cell(cells: Iterable[ReviewedCell]) -> dict[tuple[bytes, str], list[ReviewedCell]]:
    found: dict[tuple[bytes, str], list[ReviewedCell]] = {}
    for cell in cells:
        found.setdefault((cell.task, cell.field), []).append(cell)
    return found
