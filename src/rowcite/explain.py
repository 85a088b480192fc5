"""The evidence behind one row's cells: its runs, the answer of each, and the rules that accepted or rejected a value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import polars as pl

from rowcite.accept.evidence import Element
from rowcite.accept.judge import Cell, check_results
from rowcite.accept.policy import FieldPolicy
from rowcite.api.answers import answer
from rowcite.errors import UsageError
from rowcite.ledger import Ledger
from rowcite.model import FREE_OF_CHARGE, Citation, Decision, RowStatus, RunState, StoredRun, TaskKey
from rowcite.pipeline.job import Job
from rowcite.rows.decisions import answer_changed, made_on
from rowcite.rows.resolve import ResolvedRow, current, fields_of
from rowcite.rows.resolver import RowResolver
from rowcite.table.reader import Batch, Reader
from rowcite.table.sources import FrameSource
from rowcite.table.sources.members import own_texts
from rowcite.table.where import no_column
from rowcite.wording import nearest

_MOST_ROWS = 5  # named in an error


class Run(msgspec.Struct, frozen=True):
    """A run made for the row. `price` is micro-US$ at list price; `counts` is False if a later run replaced it.

    A run made for several rows costs `whole` micro-US$, and `price` is this row's share of it.
    """

    run_id: str | None
    processor: str
    state: RunState
    price: int
    error: str | None
    counts: bool
    rows: int = 1
    whole: int = 0


class CheckResult(msgspec.Struct, frozen=True):
    """A rule that applies to a value: its name, its requirement, and the reason if it rejected the value."""

    rule: str
    requires: str
    rejection: str | None


class RunAnswer(msgspec.Struct, frozen=True):
    """One run's answer to a field, judged by itself."""

    processor: str
    run_id: str | None
    found: Any
    confidence: str | None
    rule: str | None
    rejection: str | None


class ExplainedElement(msgspec.Struct, frozen=True):
    """One element of a list, at position `element` from 0, with its own evidence and the rule that rejected it."""

    element: int
    value: Any
    confidence: str | None
    rule: str | None
    rejection: str | None
    reasoning: str | None
    citations: tuple[Citation, ...]


class ExplainedDecision(msgspec.Struct, frozen=True):
    """A person's decision on a cell. `answer` is the value that the cell had then, None if it had none or that is not known.

    `is_outdated` is True if the cell has another answer since; `is_set_aside` if the decision has no effect for that reason.
    """

    verdict: str
    value: Any
    answer: Any
    reviewer: str
    at: float
    note: str | None
    is_outdated: bool
    is_set_aside: bool


class Explained(msgspec.Struct, frozen=True):
    """One cell and its evidence. `given` is the table's value, if the found value differs from it.

    `elements` are those of a list that have evidence of their own.
    """

    field: str
    value: Any
    found: Any
    confidence: str | None
    rule: str | None
    rejection: str | None
    reasoning: str | None
    citations: tuple[Citation, ...]
    processor: str | None
    run_id: str | None
    checks: list[CheckResult]
    answers: list[RunAnswer]
    given: Any = None
    elements: list[ExplainedElement] = []
    decision: ExplainedDecision | None = None


class Explanation(msgspec.Struct, frozen=True):
    """A row: its input as it was sent, its status, its runs and its cells. `row` counts from 1, without the header."""

    row: int
    input: Any
    status: RowStatus
    error: str | None
    runs: list[Run]
    fields: list[Explained]

    @property
    def price(self) -> int:
        """Return the cost of the row, in micro-US$."""
        return sum(run.price for run in self.runs)


def explain(job: Job, ledger: Ledger, row: int, field: str | None = None) -> Explanation:
    """Return the evidence behind a row's cells, or behind one of them.

    Raises:
        UsageError: the table has no such row, or the spec no such field.
    """
    frame, batch = _row(job, row)
    resolver = RowResolver(job.spec, frame.schema, ledger)
    wanted = _wanted(job, field, [item.name for item in resolver.fields])
    group = next(resolver.groups(batch.keys, frame), None)
    if group is None:
        return Explanation(row, None, RowStatus(batch.status[0]), batch.why[0], [], [])
    evidence = _Evidence(resolver, current(group.runs), group.resolved, group.decisions)
    cells = [evidence.explained(at) for at, item in enumerate(resolver.fields) if item.name in wanted]
    sent = msgspec.json.decode(batch.tasks[TaskKey(group.key)])
    runs = _runs(group.runs, ledger.packs(run.number for run in group.runs))
    return Explanation(row, sent, group.resolved.status, group.resolved.error, runs, cells)


def row_of(job: Job, key: str) -> int:
    """Return the number of the row that `key` names, written COLUMN=VALUE. 1 is the first after the header.

    Raises:
        UsageError: the table has no such column, no such row, or several.
    """
    column, equals, value = key.partition("=")
    if not equals:
        raise UsageError(f"--key {key}: write it as COLUMN=VALUE, such as id=4711")
    names = job.reader.source.schema.names()
    if column not in names:
        raise UsageError(f"--key: {no_column(column, names)}")
    found, before = list[int](), 0
    for rows in job.reader.source.batches():
        texts = own_texts(rows, [column]).to_series().to_list()
        found += [before + at for at, text in enumerate(texts, 1) if text is not None and str(text) == value]
        before += rows.frame.height
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f'--key: no row has "{value}" in column "{column}"')
    shown = ", ".join(map(str, found[:_MOST_ROWS])) + ", ..." * (len(found) > _MOST_ROWS)
    raise UsageError(f'--key: {len(found):,} rows have "{value}" in column "{column}": give --row {shown}')


def _wanted(job: Job, field: str | None, names: list[str]) -> list[str]:
    if field is None:
        return names
    if field in names:
        return [field]
    plain = field.removeprefix(job.spec.columns.prefix)
    if plain in names:
        return [plain]
    near = nearest(field, names)
    hint = f"did you mean {near!r}?" if near else f"fields: {', '.join(names)}"
    raise UsageError(f"no field {field!r} in {job.spec.file}: {hint}")


def _row(job: Job, row: int) -> tuple[pl.DataFrame, Batch]:
    """Return one row of the table, and its task."""
    before = 0
    for rows in job.reader.source.batches():
        at = row - 1 - before
        if at < rows.frame.height:
            only = rows.slice(at, 1)
            source = FrameSource(only.frame, job.reader.source.format, lines=only.lines)
            return only.frame, next(Reader(source, job.spec).batches(job.question))
        before += rows.frame.height
    raise UsageError(
        f"no row {row:,}: there {'is 1 row' if before == 1 else f'are {before:,} rows'}."
        " Rows count from 1, without the header"
    )


def _runs(runs: Sequence[StoredRun], packs: Mapping[int, tuple[int, int]]) -> list[Run]:
    """Return a row's runs; of a run made for several rows the row has its share of the price."""
    counting = {run.number for run in current(runs)}
    found: list[Run] = []
    for run in runs:
        whole, rows = packs.get(run.number, (run.price, 1))
        whole = 0 if run.state in FREE_OF_CHARGE else whole
        share, counts = round(whole / rows), run.number in counting
        found.append(Run(run.run_id, run.processor, run.state, share, run.error, counts, rows, whole))
    return found


def _element(element: Element, found: list[Any]) -> ExplainedElement:
    basis = element.basis
    return ExplainedElement(
        element.position,
        found[element.position],
        None if basis.confidence is None else str(basis.confidence),
        element.rule,
        element.rejection,
        basis.reasoning or None,
        basis.citations,
    )


def _decision(
    decision: Decision | None, part: FieldPolicy, answers: Sequence[Cell]
) -> ExplainedDecision | None:
    if decision is None:
        return None
    value, answer = decision.value, made_on(decision)
    is_outdated = answer_changed(decision, part.field.type, answers)
    return ExplainedDecision(
        decision.verdict,
        json.loads(value) if value is not None and decision.verdict == "correct" else None,
        None if answer is None else json.loads(answer),
        decision.who,
        decision.at,
        decision.note,
        is_outdated,
        is_outdated and decision.verdict != "correct",
    )


class _Evidence(NamedTuple):
    """A resolved row, the runs that its cells come from, and people's decisions on them."""

    resolver: RowResolver
    runs: Sequence[StoredRun]
    row: ResolvedRow
    decisions: Mapping[str, Decision]

    def explained(self, at: int) -> Explained:
        part, cell = self.resolver.policy.fields[at], self.row.cells[at]
        conflict = next((item for item in self.row.conflicts if item.field == part.field.name), None)
        answers = [
            self._answer(run, at)
            for run in self.runs
            if run.state is RunState.COMPLETED and part in fields_of(run, self.resolver.policy)
        ]
        return Explained(
            part.field.name,
            msgspec.to_builtins(cell.value),
            msgspec.to_builtins(cell.found),
            cell.confidence,
            cell.rule,
            cell.rejection,
            cell.reasoning,
            cell.citations,
            cell.processor,
            cell.run_id,
            self._checks(part, cell),
            answers,
            conflict.given if conflict is not None else None,
            [_element(element, cell.found) for element in cell.elements],
            _decision(
                self.decisions.get(part.field.name), part, self.row.answers[at] if self.row.answers else ()
            ),
        )

    def _checks(self, part: FieldPolicy, cell: Cell) -> list[CheckResult]:
        """Return every rule that applies to the value, in the order in which they are checked."""
        source = next((run for run in self.runs if cell.run_id and run.run_id == cell.run_id), None)
        if source is None or source.output is None:
            return []
        read = answer(source.run_id or "", source.processor, source.output)
        results = [CheckResult(*result) for result in check_results(read, part, self.resolver.day)]
        if any(result.rejection for result in results):
            return results
        for index, rule in enumerate(self.resolver.policy.rules):
            if part.field.name in rule.fields:
                is_broken = cell.rule == f"rules.{index}"
                results.append(
                    CheckResult(f"rules.{index}", rule.text, cell.rejection if is_broken else None)
                )
        return results

    def _answer(self, run: StoredRun, at: int) -> RunAnswer:
        cell = self.resolver.resolve([run]).cells[at]
        found = msgspec.to_builtins(cell.found)
        return RunAnswer(run.processor, run.run_id, found, cell.confidence, cell.rule, cell.rejection)
