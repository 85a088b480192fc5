"""All runs of a row to its cells: the best answer to each field, with given values and people's decisions. Pure.

An accepted value wins over a rejected one. Among accepted ones the more confident wins, then the one with more distinct
domains in its citations, then the later. A null never wins over an accepted value. A person's decision wins over
everything; under `fill` a given value wins over a found one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from rowcite.accept.evidence import UNKNOWN, score, sites
from rowcite.accept.judge import Cell, apply_row_rules, judge, judge_fields, rejections
from rowcite.accept.policy import AcceptancePolicy, FieldPolicy
from rowcite.api.answers import answer
from rowcite.model import ACTIVE, Answer, Decision, RowStatus, RunState, StoredRun
from rowcite.rows.decisions import BLANK, answer_changed, decided, decided_value, unless_rejected
from rowcite.rows.given import GIVEN, Conflict, coerce_or_none, merge_with_given

_EMPTY = Cell(None)


class ResolvedRow(msgspec.Struct, frozen=True, gc=False):
    """A row's cells in the fields' order, its status and the reason for it, and the runs that its cells come from.

    A row that failed or is pending has the cells that were given or decided, and empty ones. `answers` has of each field the cell
    of each run that counts, and the given value; it is empty for a row with one run and no given values and decisions.
    """

    cells: list[Cell]
    status: RowStatus
    error: str | None = None
    run_ids: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    answers: tuple[tuple[Cell, ...], ...] = ()

    @property
    def has_rejected_values(self) -> bool:
        """Return True if a value of the row is rejected."""
        return any(cell.rejection is not None for cell in self.cells)


def resolve(  # noqa: PLR0913 - the parts of a row, by name
    runs: Sequence[StoredRun],
    policy: AcceptancePolicy,
    day: date,
    *,
    given: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    decisions: Mapping[str, Decision] | None = None,
    texts: bool = True,
) -> ResolvedRow:
    """Return a row's cells and status. Outside this room use `RowResolver`.

    `runs` are all runs made for the row, oldest first: first runs, and those that retried some fields. `day` is the day
    that the age of evidence counts from. `given` has the row's own values by field, blanks left out; `overwrite` lets
    accepted values replace them. `decisions` are people's, by field. Without `texts` the evidence may lack reasonings, titles
    and excerpts.
    """
    if is_single(runs, given, decisions):
        return _resolve_one(runs[0], policy, day, texts=texts)
    return _Row(policy, day, given or {}, decisions or {}).resolved(runs, overwrite=overwrite)


def is_single(
    runs: Sequence[StoredRun], given: Mapping[str, Any] | None, decisions: Mapping[str, Decision] | None
) -> bool:
    """Return True for the most common row: one run, no given values, no decisions."""
    return len(runs) == 1 and runs[0].first and not given and not decisions


def _resolve_one(run: StoredRun, policy: AcceptancePolicy, day: date, *, texts: bool) -> ResolvedRow:
    """Resolve a row for which `is_single` returns True."""
    source = ((run.run_id,) if run.run_id else (), (run.processor,))
    if run.state is not RunState.COMPLETED or run.output is None:
        status, error = _status_without_answer([run])
        return ResolvedRow([_EMPTY] * len(policy.fields), status, error, *source)
    try:
        cells = judge(answer(run.run_id or "", run.processor, run.output, texts=texts), policy, day)
    except ValueError as error:
        return ResolvedRow([_EMPTY] * len(policy.fields), RowStatus.REJECTED, str(error), *source)
    for cell in cells:
        if cell.rejection is not None:
            reasons = rejections(cells, [part.field for part in policy.fields])
            return ResolvedRow(cells, RowStatus.REJECTED, "; ".join(reasons), *source)
    return ResolvedRow(cells, RowStatus.COMPLETED, None, *source)


def _status_without_answer(runs: Sequence[StoredRun]) -> tuple[RowStatus, str | None]:
    """Return the status of a row without an answer, and why it failed."""
    if not runs or any(run.state in ACTIVE for run in runs):
        return RowStatus.PENDING, None
    return RowStatus.FAILED, _failure(runs[-1])


def _failure(run: StoredRun) -> str:
    ref = f" (ref_id {run.ref_id})" if run.ref_id and run.ref_id not in (run.error or "") else ""
    return f"{run.state}: {run.error or 'the API gave no reason'}{ref}"


def current(runs: Sequence[StoredRun]) -> list[StoredRun]:
    """Return the runs that count: the newest answered first run, the retries after it, and active first runs.

    A task that was sent again (`--fresh`, `--retry-failed`) has older runs, whose answers no longer count.
    """
    firsts = [run for run in runs if run.first]
    answered = [run for run in firsts if run.state is RunState.COMPLETED]
    base = answered[-1] if answered else firsts[-1] if firsts else None
    if base is None:
        return list(runs)
    active = [run for run in firsts if run.state in ACTIVE and run is not base]
    return [base, *(run for run in runs if not run.first and run.number > base.number), *active]


def fields_of(run: StoredRun, policy: AcceptancePolicy) -> tuple[FieldPolicy, ...]:
    """Return the fields that a completed run was to answer; of an unreadable answer all, or none for a retry."""
    try:
        return _fields_in(answer(run.run_id or "", run.processor, run.output or b""), run, policy)
    except ValueError:
        return policy.fields if run.first else ()


def _fields_in(read: Answer, run: StoredRun, policy: AcceptancePolicy) -> tuple[FieldPolicy, ...]:
    """Return the fields that a run was to answer: all, or for a retry those in its answer."""
    if run.first or not isinstance(read.content, dict):
        return policy.fields
    return tuple(
        part for part in policy.fields if part.field.basis == "output" or part.field.name in read.content
    )


class _Row:
    """Resolves one row that has several runs, given values or decisions."""

    def __init__(
        self, policy: AcceptancePolicy, day: date, given: Mapping[str, Any], decisions: Mapping[str, Decision]
    ) -> None:
        self.policy, self.day, self.given, self.decisions = policy, day, given, decisions
        self.found: dict[str, dict[str, Cell]] = {part.field.name: {} for part in policy.fields}
        self.unreadable: list[str] = []

    def resolved(self, runs: Sequence[StoredRun], *, overwrite: bool) -> ResolvedRow:
        runs = current(runs)
        answered = [run for run in runs if run.state is RunState.COMPLETED and run.output is not None]
        for run in answered:
            self._add(run)
        answers = [self._answers(part.field.name) for part in self.policy.fields]
        self._set_aside(answers)
        cells = apply_row_rules(self._best_cells(), self.policy, self._fixed(overwrite=overwrite))
        cells, conflicts = self._with_given(cells, overwrite=overwrite)
        cells = [
            decided(part, [cell, *self.found[part.field.name].values()], self.decisions.get(part.field.name))
            for part, cell in self._each(cells)
        ]
        status, error = self._status(runs, cells) if answered else _status_without_answer(runs)
        ids, processors = _sources(cells, runs)
        return ResolvedRow(cells, status, error, ids, processors, conflicts, tuple(answers))

    def _each(self, cells: Sequence[Cell]) -> list[tuple[FieldPolicy, Cell]]:
        return list(zip(self.policy.fields, cells, strict=True))

    def _add(self, run: StoredRun) -> None:
        """Add the cells of an answer, each judged by its field's policy."""
        try:
            read = answer(run.run_id or "", run.processor, run.output or b"")
        except ValueError as error:
            self.unreadable.append(str(error))
            return
        parts = _fields_in(read, run, self.policy)
        names = {part.field.name for part in parts}
        others = {
            part.field.name: cell.value
            for part, cell in self._each(self._best_cells())
            if part.field.name not in names and cell.rejection is None
        }
        cells = judge_fields(read, parts, self.day)
        cells = apply_row_rules(cells, AcceptancePolicy(parts, self.policy.rules), others)
        for part, cell in zip(parts, cells, strict=True):
            found = self.found[part.field.name]
            found.pop(run.processor, None)  # a newer answer of the same processor replaces the older one
            found[run.processor] = unless_rejected(part, cell, self.decisions.get(part.field.name))

    def _answers(self, name: str) -> tuple[Cell, ...]:
        given = [Cell(self.given[name], GIVEN)] if name in self.given else []
        return (*self.found[name].values(), *given)

    def _set_aside(self, answers: Sequence[Sequence[Cell]]) -> None:
        """Drop the decisions that were made on an answer that the row has no more; corrections stay."""
        for part, cells in zip(self.policy.fields, answers, strict=True):
            decision = self.decisions.get(part.field.name)
            if decision is None or decision.verdict == "correct":
                continue
            if answer_changed(decision, part.field.type, cells):
                self.decisions = {
                    name: item for name, item in self.decisions.items() if name != part.field.name
                }

    def _best_cells(self) -> list[Cell]:
        found = (list(self.found[part.field.name].values()) for part in self.policy.fields)
        return [_best(cells) if cells else _EMPTY for cells in found]

    def _fixed(self, *, overwrite: bool) -> dict[str, Any]:
        """Return the values that no run can change, as their fields' types."""
        fixed: dict[str, Any] = {}
        for part in self.policy.fields:
            name = part.field.name
            decision = self.decisions.get(name)
            if decision is not None and decision.verdict == BLANK:
                fixed[name] = coerce_or_none(self.given.get(name), part.field.type)
            elif decision is not None and decision.verdict != "reject" and decision.value is not None:
                fixed[name] = decided_value(part, decision)
            elif name in self.given and not overwrite:
                fixed[name] = coerce_or_none(self.given[name], part.field.type)
        return fixed

    def _with_given(
        self, cells: Sequence[Cell], *, overwrite: bool
    ) -> tuple[list[Cell], tuple[Conflict, ...]]:
        merged: list[Cell] = []
        conflicts: list[Conflict] = []
        for part, cell in self._each(cells):
            name, conflict = part.field.name, None
            if name in self.given:
                given = self.given[name]
                cell, conflict = merge_with_given(name, part.field.type, given, cell, overwrite=overwrite)  # noqa: PLW2901
            merged.append(cell)
            conflicts += [conflict] if conflict is not None else []
        return merged, tuple(conflicts)

    def _status(self, runs: Sequence[StoredRun], cells: Sequence[Cell]) -> tuple[RowStatus, str | None]:
        """Return the status of a row with an answer: pending if a value is open and a run is active."""
        rejected = rejections(cells, [part.field for part in self.policy.fields])
        is_unread = self.unreadable and not any(self.found.values())
        if not rejected and not is_unread:
            return RowStatus.COMPLETED, None
        failed = [
            f"{run.processor} {_failure(run)}"
            for run in runs
            if run.state is not RunState.COMPLETED
            and run.state not in ACTIVE
            and not any(later.processor == run.processor and later.number > run.number for later in runs)
        ]
        active = any(run.state in ACTIVE for run in runs)
        error = "; ".join([*rejected, *self.unreadable, *failed])
        return (RowStatus.PENDING if active else RowStatus.REJECTED), error


def _best(cells: Sequence[Cell]) -> Cell:
    """Return the best of a field's cells, the later of two equally good ones."""
    best = cells[0]
    for cell in cells[1:]:
        if _rank(cell) >= _rank(best):
            best = cell
    return best


def _rank(cell: Cell) -> tuple[int, float, int]:
    accepted = 2 if cell.rejection is None else 0
    has_value = (cell.value if cell.rejection is None else cell.found) is not None
    confidence = UNKNOWN if cell.confidence is None else score(cell.confidence)
    return accepted + has_value, confidence, len(sites(citation.url for citation in cell.citations))


def _sources(cells: Sequence[Cell], runs: Sequence[StoredRun]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the runs that the cells come from, oldest first, and their processors; the last run's if none does."""
    used = {cell.run_id for cell in cells if cell.run_id}
    sources = [run for run in runs if run.run_id in used] or list(runs[-1:])
    return (
        tuple(dict.fromkeys(run.run_id for run in sources if run.run_id)),
        tuple(dict.fromkeys(run.processor for run in sources)),
    )
