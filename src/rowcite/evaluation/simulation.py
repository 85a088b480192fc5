"""Policies on labelled rows: what each would have accepted, and what it would have cost.

Each stored answer is judged once for each bar. Rows whose answers were judged alike are simulated as one, so that many policies
on many rows take seconds. With rules over the row (`accept.rules`) the fields depend on each other: then each row is
resolved for each policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import IntEnum
from typing import Any, NamedTuple

from rowcite.accept.judge import Cell
from rowcite.accept.policy import AcceptancePolicy, acceptance_policy, terms_of
from rowcite.evaluation.choice import Candidate, SomeLabels, Tally, is_choosing
from rowcite.evaluation.judging import Comparisons
from rowcite.evaluation.labelled_rows import LabelledTask
from rowcite.evaluation.policies import BARS, Policy, accept_of
from rowcite.evaluation.row_simulation import simulate
from rowcite.model import ANSWERED_ROWS, StoredRun
from rowcite.rows.plain_answers import PlainAnswers
from rowcite.rows.resolve import ResolvedRow, resolve
from rowcite.spec.accept_models import Accept
from rowcite.spec.fields import Field, fields
from rowcite.spec.models import Spec


class LabelledAnswers(NamedTuple):
    """A labelled task with its runs by processor, and how many rows it stands for: `weight`, and `weights` by field."""

    task: LabelledTask
    runs: Mapping[str, StoredRun]
    weight: float
    weights: Mapping[str, float]


class Judged(IntEnum):
    """A cell of an answer under a bar."""

    NOTHING = 0  # no readable answer
    REJECTED = 1
    NULL = 2  # accepted, and no value
    UNLABELLED = 3  # accepted
    WRONG = 4  # accepted; also where there is truly nothing
    RIGHT = 5  # accepted


_Cells = tuple[Judged, ...]  # of one answer under one bar, in the fields' order
_Answers = tuple[tuple[_Cells, ...] | None, ...]  # by processor, each by bar; None if there is no answer
_Given = tuple[
    list[tuple[str, bool]], tuple[str, ...]
]  # the accepted labelled cells, and the processors asked


class Simulation:
    """Simulates policies over some processors. `prices` are those of a run, in micro-US$."""

    def __init__(
        self, spec: Spec, prices: Mapping[str, int], rows: Sequence[LabelledAnswers], comparisons: Comparisons
    ) -> None:
        self._spec, self._prices, self._comparisons = spec, prices, comparisons
        self._fields, self._day = fields(spec), datetime.now(UTC).date()
        self._names = [field.name for field in self._fields]
        self._exact = rows if spec.accept.rules else ()
        self._alike = {} if self._exact else self._grouped(rows)

    def candidate(self, policy: Policy) -> Candidate:
        """Return what a policy gives on the rows that have the answers it needs."""
        found = Candidate(policy, Tally(), Tally(), Tally())
        for halves, (given, processors) in self._outcomes(policy):
            first, *retries = (self._prices[name] for name in processors)
            cost = first // self._spec.task.records_per_run + sum(retries)
            for half, labels in zip((found.choosing, found.certifying), halves, strict=True):
                if labels.rows:
                    half.add(labels, given, cost)
                    found.whole.add(labels, given, cost)
        return found

    def _outcomes(self, policy: Policy) -> Iterator[tuple[tuple[SomeLabels, SomeLabels], _Given]]:
        if self._exact:
            accept = acceptance_policy(self._fields, accept_of(policy, self._spec.accept))
            for item in self._exact:
                if (made := self._resolved(item, policy, accept)) is not None:
                    yield _halves([item]), made
            return
        walk = _Walk(policy, list(self._prices), self._fields, self._spec.accept)
        for answers, halves in self._alike.items():
            if (made := walk.given(answers)) is not None:
                yield halves, made

    def _resolved(self, item: LabelledAnswers, policy: Policy, accept: AcceptancePolicy) -> _Given | None:
        made = simulate(item.runs, policy.ladder, accept, self._day)
        if made is None:
            return None
        judged = self._judged(item.task, made.row)
        given = [
            (name, cell is Judged.RIGHT)
            for name, cell in zip(self._names, judged, strict=True)
            if cell >= Judged.WRONG
        ]
        return given, made.processors

    # --- rows that are alike ------------------------------------------------------------------------------

    def _grouped(self, rows: Sequence[LabelledAnswers]) -> dict[_Answers, tuple[SomeLabels, SomeLabels]]:
        alike: dict[_Answers, list[LabelledAnswers]] = {}
        bars = [_Bar(self._spec, bar, self._fields, self._day) for bar in BARS]
        for item in rows:
            answers = (item.runs.get(name) for name in self._prices)
            judged = tuple(
                None if run is None else tuple(self._judged(item.task, bar.resolve(run)) for bar in bars)
                for run in answers
            )
            alike.setdefault(judged, []).append(item)
        return {judged: _halves(items) for judged, items in alike.items()}

    def _judged(self, task: LabelledTask, row: ResolvedRow) -> _Cells:
        if row.status not in ANSWERED_ROWS or (row.error and not row.has_rejected_values):
            return (Judged.NOTHING,) * len(self._names)
        return tuple(self._judge(task, name, cell) for name, cell in zip(self._names, row.cells, strict=True))

    def _judge(self, task: LabelledTask, name: str, cell: Cell) -> Judged:
        if cell.rejection is not None:
            return Judged.REJECTED
        if cell.value is None:
            return Judged.NULL
        if name not in task.labels:
            return Judged.UNLABELLED
        label: Any = task.labels[name]
        is_right = label is not None and self._comparisons.same(name, label, cell.value)
        return Judged.RIGHT if is_right else Judged.WRONG


class _Bar:
    """The acceptance policy of a spec with one bar for all fields."""

    def __init__(self, spec: Spec, bar: str | None, parts: tuple[Field, ...], day: date) -> None:
        self._accept = acceptance_policy(parts, accept_of(Policy((), bar), spec.accept))
        self._plain, self._day = PlainAnswers(self._accept, day), day

    def resolve(self, run: StoredRun) -> ResolvedRow:
        return self._plain.resolve(run) or resolve([run], self._accept, self._day)


def _halves(items: Sequence[LabelledAnswers]) -> tuple[SomeLabels, SomeLabels]:
    """Return the labels of the rows that choose, and of those that certify."""
    choosing, certifying = SomeLabels(), SomeLabels()
    for task, _, weight, weights in items:
        labels = ((name, weights[name], label is not None) for name, label in task.labels.items())
        (choosing if is_choosing(task.record) else certifying).add(weight, labels)
    return choosing, certifying


class _Walk:
    """A policy on rows whose cells do not depend on each other. `rowcite.evaluation.row_simulation` gives the same."""

    def __init__(
        self, policy: Policy, processors: Sequence[str], parts: Sequence[Field], accept: Accept
    ) -> None:
        self._policy, self._names = policy, [part.name for part in parts]
        self._ladder = [processors.index(name) for name in policy.ladder]
        self._bars = [BARS.index(policy.bar_of(name)) for name in self._names]
        terms = accept_of(policy, accept)
        self._required = {at for at, name in enumerate(self._names) if terms_of(name, terms).required}

    def given(self, answers: _Answers) -> _Given | None:
        """Return the accepted labelled cells of such rows, and the processors asked; None if an answer is missing."""
        if (first := self._cells(answers, self._ladder[0])) is None:
            return None
        cells, steps = first, 1
        for processor in self._ladder[1:]:
            open_places = self._open(cells)
            if not open_places:
                break
            if (more := self._cells(answers, processor)) is None:
                return None
            steps += 1
            for place in open_places:
                cells[place] = more[place] or cells[place]
        given = [
            (self._names[at], cell is Judged.RIGHT) for at, cell in enumerate(cells) if cell >= Judged.WRONG
        ]
        return given, self._policy.ladder[:steps]

    def _cells(self, answers: _Answers, processor: int) -> list[Judged] | None:
        by_bar = answers[processor]
        return None if by_bar is None else [by_bar[bar][at] for at, bar in enumerate(self._bars)]

    def _open(self, cells: Sequence[Judged]) -> list[int]:
        """Return the places of the fields that the next processor is asked for."""
        places = [
            at
            for at, cell in enumerate(cells)
            if cell is Judged.REJECTED or (cell is Judged.NULL and at in self._required)
        ]
        return places if not self._required or not self._required.isdisjoint(places) else []
