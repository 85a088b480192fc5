"""Policies on labelled rows: what each would have accepted, and what it would have cost.

Each stored answer is judged once, and the policies are then column operations over all rows. In a row whose values may break a
rule over the row (`accept.rules`) the fields depend on each other: such a row is resolved for each policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import IntEnum
from itertools import product
from math import prod
from typing import Any, NamedTuple

import polars as pl

from rowcite.accept.evidence import LEVELS, score
from rowcite.accept.judge import Cell
from rowcite.accept.policy import acceptance_policy, terms_of
from rowcite.accept.rules import Rule
from rowcite.evaluation.choice import Candidate, FieldSums, Tally, is_choosing
from rowcite.evaluation.judging import Comparisons
from rowcite.evaluation.labelled_rows import LabelledTask
from rowcite.evaluation.policies import BARS, Policy, accept_of
from rowcite.evaluation.row_simulation import simulate
from rowcite.model import ANSWERED_ROWS, StoredRun
from rowcite.rows.resolve import ResolvedRow, resolve
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


_COST, _CHOOSING, _WEIGHT, _VALUED = "\0cost", "\0choosing", "\0weight", "\0valued"
_WEIGHT_OF, _NEXT = "\0weight of ", "\0next "  # before a field's name
_MOST_TRIED = 500  # values together, in one rule and row
_Cells = Sequence[Judged]  # of one answer under one bar, in the fields' order


class Simulation:
    """Simulates policies over some processors. `prices` are those of a run, in micro-US$."""

    def __init__(
        self, spec: Spec, prices: Mapping[str, int], rows: Sequence[LabelledAnswers], comparisons: Comparisons
    ) -> None:
        self._spec, self._prices, self._comparisons = spec, prices, comparisons
        self._fields, self._day = fields(spec), datetime.now(UTC).date()
        self._names = [field.name for field in self._fields]
        terms = (terms_of(name, spec.accept) for name in self._names)
        self._has_own_bars = any(item.min_confidence is not None for item in terms)
        bars = [_Bar(spec, bar, self._fields, self._day) for bar in BARS]
        rules = acceptance_policy(self._fields, spec.accept).rules
        self._dependent = [item for item in rows if rules and self._may_break(item, rules, bars)]
        apart = set(map(id, self._dependent))
        self._rows = [item for item in rows if id(item) not in apart]
        self._labels = _labels([*self._rows, *self._dependent], self._names)
        self._judged = self._judge_all(bars)

    def candidate(self, policy: Policy) -> Candidate:
        """Return what a policy gives on the rows that have the answers it needs."""
        cells = pl.concat([self._walked(policy, self._judged), self._resolved(policy)])
        frame = self._labels.hstack(cells).filter(pl.col(_COST).is_not_null())
        by_half = {row[_CHOOSING]: row for row in frame.group_by(_CHOOSING).agg(self._sums()).to_dicts()}
        choosing, certifying = (_tally(by_half.get(half), self._names) for half in (True, False))
        return Candidate(policy, choosing, certifying, choosing + certifying)

    def _sums(self) -> list[pl.Expr]:
        sums = [
            pl.len().alias("rows"),
            pl.col(_WEIGHT).sum().alias("weight"),
            (pl.col(_WEIGHT) * pl.col(_COST)).sum().alias("cost"),
            pl.col(_VALUED).sum().alias("valued"),
        ]
        for name in self._names:
            cell, weight = pl.col(name), pl.col(_WEIGHT_OF + name)
            given = cell >= Judged.WRONG
            sums.append((weight * (cell == Judged.RIGHT)).sum().alias(f"right {name}"))
            sums.append((weight * given).sum().alias(f"given {name}"))
            sums.append((weight * weight * given).sum().alias(f"squares {name}"))
        return sums

    def _price(self, processors: Sequence[str]) -> int:
        first, *retries = (self._prices[name] for name in processors)
        return first // self._spec.task.records_per_run + sum(retries)

    # --- all rows at once ---------------------------------------------------------------------------------

    def _walked(self, policy: Policy, judged: pl.DataFrame) -> pl.DataFrame:
        """Return each row's cells and cost under a policy; a cost of null if an answer is missing."""
        terms = accept_of(policy, self._spec.accept)
        required = [name for name in self._names if terms_of(name, terms).required]
        first, *retries = policy.ladder
        cost = pl.when(pl.col(self._columns(policy, first)[0]).is_not_null()).then(self._price([first]))
        cells = judged.select(
            cost.cast(pl.Int64).alias(_COST),
            *(pl.col(column).alias(name) for name, column in self._named(policy, first)),
        )
        for processor in retries:
            more = judged.select(
                pl.col(column).alias(_NEXT + name) for name, column in self._named(policy, processor)
            )
            cells = cells.hstack(more).select(self._retried(self._prices[processor], required))
        return cells

    def _retried(self, price: int, required: Sequence[str]) -> list[pl.Expr]:
        """Return the cells and the cost after a further processor, which answers the open fields."""
        is_open = {
            name: (pl.col(name) == Judged.REJECTED) | ((pl.col(name) == Judged.NULL) & (name in required))
            for name in self._names
        }
        retried = pl.any_horizontal([is_open[name] for name in required or self._names])
        answered = pl.when(pl.col(_NEXT + self._names[0]).is_not_null()).then(pl.col(_COST) + price)
        return [
            pl.when(retried).then(answered).otherwise(pl.col(_COST)).alias(_COST),
            *(
                pl.when(retried & is_open[name] & (pl.col(_NEXT + name) != Judged.NOTHING))
                .then(pl.col(_NEXT + name))
                .otherwise(pl.col(name))
                .alias(name)
                for name in self._names
            ),
        ]

    def _columns(self, policy: Policy, processor: str) -> list[str]:
        return [column for _, column in self._named(policy, processor)]

    def _named(self, policy: Policy, processor: str) -> Iterator[tuple[str, str]]:
        """Yield each field with the column of its judged cells."""
        return ((name, _column(processor, policy.bar_of(name), name)) for name in self._names)

    def _judge_all(self, bars: Sequence[_Bar]) -> pl.DataFrame:
        """Return the judged cells of each processor under each bar: a column for each field, null without an answer."""
        columns: dict[str, list[Judged | None]] = {}
        for processor in self._prices:
            runs = ((item.task, item.runs.get(processor)) for item in self._rows)
            judged = [None if run is None else self._judge_run(task, run, bars) for task, run in runs]
            for bar, level in enumerate(BARS):
                for at, name in enumerate(self._names):
                    columns[_column(processor, level, name)] = [
                        None if cells is None else cells[bar][at] for cells in judged
                    ]
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.UInt8))

    def _judge_run(self, task: LabelledTask, run: StoredRun, bars: Sequence[_Bar]) -> list[_Cells]:
        """Return an answer's cells under each bar. A bar on its own rejects what is less sure: that needs no new judgement."""
        if self._has_own_bars:
            return [self._judge(task, bar.resolve(run)) for bar in bars]
        row = bars[0].resolve(run)
        judged = self._judge(task, row)
        return [judged, *([*map(bar.judged, judged, row.cells)] for bar in bars[1:])]

    def _judge(self, task: LabelledTask, row: ResolvedRow) -> _Cells:
        if row.status not in ANSWERED_ROWS or (row.error and not row.has_rejected_values):
            return [Judged.NOTHING] * len(self._names)
        return [self._judge_cell(task, name, cell) for name, cell in zip(self._names, row.cells, strict=True)]

    def _judge_cell(self, task: LabelledTask, name: str, cell: Cell) -> Judged:
        if cell.rejection is not None:
            return Judged.REJECTED
        if cell.value is None:
            return Judged.NULL
        if name not in task.labels:
            return Judged.UNLABELLED
        label = task.labels[name]
        is_right = label is not None and self._comparisons.same(name, label, cell.value)
        return Judged.RIGHT if is_right else Judged.WRONG

    # --- each row by itself -------------------------------------------------------------------------------

    def _may_break(self, item: LabelledAnswers, rules: Sequence[Rule], bars: Sequence[_Bar]) -> bool:
        """Return True if some of a row's values, accepted together, would break a rule, or if there are too many to try."""
        values: dict[str, dict[str, Any]] = {
            name: {"": None} for name in self._names
        }  # a rejected one is unknown
        for run, bar in product(item.runs.values(), bars if self._has_own_bars else bars[:1]):
            for name, cell in zip(self._names, bar.resolve(run).cells, strict=True):
                if cell.rejection is None:
                    values[name][repr(cell.value)] = cell.value
        for rule in rules:
            found = [values[name].values() for name in rule.fields]
            if prod(map(len, found)) > _MOST_TRIED:
                return True
            if any(rule.broken(dict(zip(rule.fields, some, strict=True))) for some in product(*found)):
                return True
        return False

    def _resolved(self, policy: Policy) -> pl.DataFrame:
        """Return what `_walked` returns, of the rows that are resolved one by one."""
        accept = acceptance_policy(self._fields, accept_of(policy, self._spec.accept))
        lines: list[list[int | None]] = []
        for item in self._dependent:
            made = simulate(item.runs, policy.ladder, accept, self._day)
            if made is None:
                lines.append([None] * (len(self._names) + 1))
            else:
                lines.append([self._price(made.processors), *self._judge(item.task, made.row)])
        schema = {_COST: pl.Int64, **dict.fromkeys(self._names, pl.UInt8)}
        return pl.DataFrame(lines, schema=schema, orient="row")


class _Bar:
    """The acceptance policy of a spec with one bar for all fields, without rules over the row."""

    def __init__(self, spec: Spec, bar: str | None, parts: tuple[Field, ...], day: date) -> None:
        self._accept = acceptance_policy(
            parts, accept_of(Policy((), bar), spec.accept.model_copy(update={"rules": ()}))
        )
        self._texts, self._day = self._accept.reads_texts, day
        self._least = LEVELS[bar] if bar is not None else 0.0

    def resolve(self, run: StoredRun) -> ResolvedRow:
        return resolve([run], self._accept, self._day, texts=self._texts)

    def judged(self, judged: Judged, cell: Cell) -> Judged:
        """Return a cell that was judged without a bar as it is under this one."""
        if judged < Judged.UNLABELLED or cell.confidence is None or score(cell.confidence) >= self._least:
            return judged
        return Judged.REJECTED


def _column(processor: str, bar: str | None, field: str) -> str:
    return f"{processor}\0{bar}\0{field}"


def _labels(rows: Sequence[LabelledAnswers], names: Sequence[str]) -> pl.DataFrame:
    """Return a row for each labelled task: its half, its weight, and by field the weight of its label, 0 without one."""
    valued = (
        sum(item.weights[name] for name, label in item.task.labels.items() if label is not None)
        for item in rows
    )
    columns: dict[str, list[Any]] = {
        _CHOOSING: [is_choosing(item.task.record) for item in rows],
        _WEIGHT: [float(item.weight) for item in rows],
        _VALUED: list(map(float, valued)),
        **{_WEIGHT_OF + name: [float(item.weights.get(name, 0)) for item in rows] for name in names},
    }
    types = {name: pl.Boolean if name == _CHOOSING else pl.Float64 for name in columns}
    return pl.DataFrame(columns, schema=types)


def _tally(sums: Mapping[str, float] | None, names: Sequence[str]) -> Tally:
    if sums is None:
        return Tally()
    by_field = {
        name: FieldSums(sums[f"right {name}"], sums[f"given {name}"], sums[f"squares {name}"])
        for name in names
        if sums[f"given {name}"]
    }
    return Tally(int(sums["rows"]), sums["weight"], sums["cost"], sums["valued"], by_field)
