"""All runs that were made for a row to its cells: the best answer to each field, and what people said of it. Pure.

An accepted value goes before a refused one. Among accepted ones the more confident counts, then the one with more
distinct domains behind it, then the later. A null never goes before an accepted value. A decision of a person goes
before everything; under `fill` a value that was given goes before what was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from rowcite.accept.domains import sites
from rowcite.accept.evidence import UNKNOWN, score
from rowcite.accept.judge import Cell, apply_row_rules, judge, judge_fields, refusals
from rowcite.accept.policy import AcceptancePolicy, FieldPolicy
from rowcite.api.answers import answer
from rowcite.model import Answer, Decision, RowStatus, RunState, StoredRun
from rowcite.rows.decisions import decided, decided_value, unless_rejected
from rowcite.rows.given import Conflict, coerce_or_none, merge_with_given

_UNDER_WAY = (RunState.INTENDED, RunState.SUBMITTED)


class ResolvedRow(msgspec.Struct, frozen=True, gc=False):
    """A row's cells in the fields' order, where it stands and why, and the runs that its cells came from.

    A row that failed or is pending has the cells that were given or decided, and empty ones.
    """

    cells: list[Cell]
    status: RowStatus
    error: str | None = None
    run_ids: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def refused(self) -> bool:
        """Tell whether a value of the row does not count."""
        return any(cell.refused is not None for cell in self.cells)


def resolve(  # noqa: PLR0913 - what a row is made of, by name
    runs: Sequence[StoredRun],
    policy: AcceptancePolicy,
    day: date,
    *,
    given: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    decisions: Mapping[str, Decision] | None = None,
) -> ResolvedRow:
    """Return what a row comes to.

    `runs` are all runs made for it, oldest first, the first question and those that asked again for some fields.
    `day` is the day that the age of evidence counts from. `given` has the row's own values by field, blanks left out;
    `overwrite` lets accepted values replace them. `decisions` are people's, by field.
    """
    if len(runs) == 1 and runs[0].first and not given and not decisions:
        return _one(runs[0], policy, day)
    return _Row(policy, day, given or {}, decisions or {}).resolved(runs, overwrite=overwrite)


def _one(run: StoredRun, policy: AcceptancePolicy, day: date) -> ResolvedRow:
    """Resolve the common row: one run, nothing given, nothing decided."""
    who = ((run.run_id,) if run.run_id else (), (run.processor,))
    if run.state is not RunState.COMPLETED or run.output is None:
        status, error = _standing([run])
        return ResolvedRow([_EMPTY] * len(policy.fields), status, error, *who)
    try:
        cells = judge(answer(run.run_id or "", run.processor, run.output), policy, day)
    except ValueError as error:
        return ResolvedRow([_EMPTY] * len(policy.fields), RowStatus.REJECTED, str(error), *who)
    for cell in cells:
        if cell.refused is not None:
            why = "; ".join(refusals(cells, [part.field for part in policy.fields]))
            return ResolvedRow(cells, RowStatus.REJECTED, why, *who)
    return ResolvedRow(cells, RowStatus.COMPLETED, None, *who)


_EMPTY = Cell(None)


def _standing(runs: Sequence[StoredRun]) -> tuple[RowStatus, str | None]:
    """Return where a row without an answer stands, and why it failed."""
    if not runs or any(run.state in _UNDER_WAY for run in runs):
        return RowStatus.PENDING, None
    return RowStatus.FAILED, _failure(runs[-1])


def _failure(run: StoredRun) -> str:
    ref = f" (ref_id {run.ref_id})" if run.ref_id and run.ref_id not in (run.error or "") else ""
    return f"{run.state}: {run.error or 'the API gave no reason'}{ref}"


def current(runs: Sequence[StoredRun]) -> list[StoredRun]:
    """Return the runs that belong together: the newest answer to the first question, and what was asked again after it.

    A task that was asked anew (`--fresh`, `--retry-failed`) has older runs beside it, whose answers no longer count.
    """
    firsts = [run for run in runs if run.first]
    answered = [run for run in firsts if run.state is RunState.COMPLETED]
    base = answered[-1] if answered else firsts[-1] if firsts else None
    if base is None:
        return list(runs)
    active = [run for run in firsts if run.state in _UNDER_WAY and run is not base]
    return [base, *(run for run in runs if not run.first and run.number > base.number), *active]


class _Row:
    """Resolves one row that has several runs, given values or decisions."""

    def __init__(
        self, policy: AcceptancePolicy, day: date, given: Mapping[str, Any], decisions: Mapping[str, Decision]
    ) -> None:
        self.policy, self.day, self.given, self.decisions = policy, day, given, decisions
        self.found: dict[str, dict[str, Cell]] = {part.field.name: {} for part in policy.fields}
        self.troubles: list[str] = []

    def resolved(self, runs: Sequence[StoredRun], *, overwrite: bool) -> ResolvedRow:
        runs = current(runs)
        answered = [run for run in runs if run.state is RunState.COMPLETED and run.output is not None]
        for run in answered:
            self._take(run)
        cells = apply_row_rules(self._best_cells(), self.policy, self._fixed(overwrite=overwrite))
        cells, conflicts = self._beside_given(cells, overwrite=overwrite)
        cells = [
            decided(part, [cell, *self.found[part.field.name].values()], self.decisions.get(part.field.name))
            for part, cell in self._each(cells)
        ]
        status, error = self._status(runs, cells) if answered else _standing(runs)
        ids, processors = _sources(cells, runs)
        return ResolvedRow(cells, status, error, ids, processors, conflicts)

    def _each(self, cells: Sequence[Cell]) -> list[tuple[FieldPolicy, Cell]]:
        return list(zip(self.policy.fields, cells, strict=True))

    def _take(self, run: StoredRun) -> None:
        """Add the cells of an answer, each held to what it was asked for."""
        try:
            read = answer(run.run_id or "", run.processor, run.output or b"")
        except ValueError as error:
            self.troubles.append(str(error))
            return
        parts = _asked(read, run, self.policy)
        names = {part.field.name for part in parts}
        beside = {
            part.field.name: cell.value
            for part, cell in self._each(self._best_cells())
            if part.field.name not in names and cell.refused is None
        }
        cells = judge_fields(read, parts, self.day)
        cells = apply_row_rules(cells, AcceptancePolicy(parts, self.policy.rules), beside)
        for part, cell in zip(parts, cells, strict=True):
            self.found[part.field.name].pop(
                run.processor, None
            )  # asked again: the newer answer is what it says
            decision = self.decisions.get(part.field.name)
            self.found[part.field.name][run.processor] = unless_rejected(part, cell, decision)

    def _best_cells(self) -> list[Cell]:
        found = (list(self.found[part.field.name].values()) for part in self.policy.fields)
        return [_best(cells) if cells else _EMPTY for cells in found]

    def _fixed(self, *, overwrite: bool) -> dict[str, Any]:
        """Return the values that stand whatever was found, as their fields' types."""
        fixed: dict[str, Any] = {}
        for part in self.policy.fields:
            name = part.field.name
            decision = self.decisions.get(name)
            if decision is not None and decision.verdict != "reject" and decision.value is not None:
                fixed[name] = decided_value(part, decision)
            elif name in self.given and not overwrite:
                fixed[name] = coerce_or_none(self.given[name], part.field.type)
        return fixed

    def _beside_given(
        self, cells: Sequence[Cell], *, overwrite: bool
    ) -> tuple[list[Cell], tuple[Conflict, ...]]:
        standing: list[Cell] = []
        conflicts: list[Conflict] = []
        for part, cell in self._each(cells):
            name = part.field.name
            if name not in self.given:
                standing.append(cell)
                continue
            stands, conflict = merge_with_given(
                name, part.field.type, self.given[name], cell, overwrite=overwrite
            )
            standing.append(stands)
            conflicts += [conflict] if conflict is not None else []
        return standing, tuple(conflicts)

    def _status(self, runs: Sequence[StoredRun], cells: Sequence[Cell]) -> tuple[RowStatus, str | None]:
        """Return where a row with an answer stands. One with open values is pending while a run is under way."""
        refused = refusals(cells, [part.field for part in self.policy.fields])
        unread = self.troubles and not any(self.found.values())
        if not refused and not unread:
            return RowStatus.COMPLETED, None
        ended = [
            f"{run.processor} {_failure(run)}"
            for run in runs
            if run.state is not RunState.COMPLETED and run.state not in _UNDER_WAY
        ]
        why = "; ".join([*refused, *self.troubles, *ended])
        active = any(run.state in _UNDER_WAY for run in runs)
        return (RowStatus.PENDING if active else RowStatus.REJECTED), why


def _asked(read: Answer, run: StoredRun, policy: AcceptancePolicy) -> tuple[FieldPolicy, ...]:
    """Return the fields that a run was asked for: all, or those that an answer to a narrowed question has."""
    if run.first or not isinstance(read.content, dict):
        return policy.fields
    return tuple(
        part for part in policy.fields if part.field.basis == "output" or part.field.name in read.content
    )


def fields_of(run: StoredRun, policy: AcceptancePolicy) -> tuple[FieldPolicy, ...]:
    """Return the fields that a completed run was asked for; none if its answer cannot be read."""
    try:
        return _asked(answer(run.run_id or "", run.processor, run.output or b""), run, policy)
    except ValueError:
        return policy.fields if run.first else ()


def _best(cells: Sequence[Cell]) -> Cell:
    """Return the best of a field's cells; of two that are equally good the later."""
    best = cells[0]
    for cell in cells[1:]:
        if _rank(cell) >= _rank(best):
            best = cell
    return best


def _rank(cell: Cell) -> tuple[int, float, int]:
    counts = 2 if cell.refused is None else 0
    sure = UNKNOWN if cell.confidence is None else score(cell.confidence)
    known = (cell.value if cell.refused is None else cell.said) is not None
    return counts + known, sure, len(sites(citation.url for citation in cell.citations))


def _sources(cells: Sequence[Cell], runs: Sequence[StoredRun]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the runs that the cells came from, oldest first, and their processors; without any, the last run's."""
    used = {cell.run_id for cell in cells if cell.run_id}
    shown = [run for run in runs if run.run_id in used] or list(runs[-1:])
    return (
        tuple(dict.fromkeys(run.run_id for run in shown if run.run_id)),
        tuple(dict.fromkeys(run.processor for run in shown)),
    )
