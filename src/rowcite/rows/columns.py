"""Rows resolved many at a time, to columns: no object is made for a cell of an accepted row. Pure.

A row with one answer, all of whose values are accepted, no given values and no decisions is judged with many others. Each other
row is resolved by itself, and its cells are put in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from rowcite.accept.judge import CellColumn, judge_columns
from rowcite.accept.policy import AcceptancePolicy
from rowcite.api.answers import answer
from rowcite.model import Answer, Decision, RowStatus, RunState, StoredRun
from rowcite.rows.resolve import ResolvedRow, is_single

_NO_ANSWER = Answer("", "", {})  # in the place of a row that is resolved by itself


class StoredRow(NamedTuple):
    """What a row is resolved from: its runs, oldest first, its given values and its decisions."""

    runs: Sequence[StoredRun]
    given: Mapping[str, Any]
    decisions: Mapping[str, Decision]


class ResolvedColumns(NamedTuple):
    """Resolved rows in columns: the cells of each field, and a list with one item a row for each member of `ResolvedRow`."""

    cells: list[CellColumn]
    statuses: list[RowStatus]
    errors: list[str | None]
    processors: list[tuple[str, ...]]
    run_ids: list[tuple[str, ...]]

    def replace(self, at: int, row: ResolvedRow) -> None:
        """Put a row in its place."""
        for column, cell in zip(self.cells, row.cells, strict=True):
            column.replace(at, cell)
        self.statuses[at], self.errors[at] = row.status, row.error
        self.processors[at], self.run_ids[at] = row.processors, row.run_ids


def resolve_accepted(
    rows: Sequence[StoredRow], policy: AcceptancePolicy, day: date, *, texts: bool
) -> tuple[ResolvedColumns, set[int]]:
    """Return rows in columns, and the places of those that `resolve` has to resolve: their columns are not complete."""
    answers = [_single_answer(row, texts=texts) for row in rows]
    others = {at for at, read in enumerate(answers) if read is _NO_ANSWER}
    cells, rejected = judge_columns(answers, policy, day)
    columns = ResolvedColumns(
        cells,
        [RowStatus.COMPLETED] * len(rows),
        [None] * len(rows),
        [(read.processor,) for read in answers],
        [(read.run_id,) if read.run_id else () for read in answers],
    )
    return columns, others | rejected


def _single_answer(row: StoredRow, *, texts: bool) -> Answer:
    """Return the answer of a row that has just one, and nothing else that decides its cells."""
    if not is_single(*row):
        return _NO_ANSWER
    run = row.runs[0]
    if run.state is not RunState.COMPLETED or run.output is None:
        return _NO_ANSWER
    try:
        return answer(run.run_id or "", run.processor, run.output, texts=texts)
    except ValueError:
        return _NO_ANSWER
