"""What stands behind the cells of one row: the runs, what each said, and which rule let a value count or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import msgspec
import polars as pl

from rowcite.accept.judge import Cell, verdicts
from rowcite.accept.policy import FieldPolicy
from rowcite.api.answers import answer
from rowcite.errors import UsageError
from rowcite.ledger import Ledger
from rowcite.model import Citation, RowStatus, RunState, StoredRun, TaskKey
from rowcite.pipeline.job import Job
from rowcite.rows.resolve import ResolvedRow, current, fields_of
from rowcite.rows.resolver import RowResolver
from rowcite.table.reader import Batch, Reader
from rowcite.table.sources import FrameSource, limited


class Run(msgspec.Struct, frozen=True):
    """A run that was made for the row. `price` is micro-US$ at list price; `counts`: its answer is looked at.

    A run that was made for several rows at once costs `whole` micro-US$, and `price` is this row's share of it.
    """

    run_id: str | None
    processor: str
    state: RunState
    price: int
    error: str | None
    counts: bool
    rows: int = 1
    whole: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """A rule that a value was held to: its name, what it asks, and why it refused the value (None: it did not)."""

    rule: str
    asks: str
    refused: str | None


class Said(msgspec.Struct, frozen=True):
    """What one run said of a field, and whether that counts."""

    processor: str
    run_id: str | None
    said: Any
    confidence: str | None
    rule: str | None
    refused: str | None


class Explained(msgspec.Struct, frozen=True):
    """One cell and its evidence. `given` is what stood in the table, where that and the found value differ."""

    field: str
    value: Any
    said: Any
    confidence: str | None
    rule: str | None
    refused: str | None
    reasoning: str | None
    citations: tuple[Citation, ...]
    processor: str | None
    run_id: str | None
    verdicts: list[Verdict]
    answers: list[Said]
    given: Any = None


class Explanation(msgspec.Struct, frozen=True):
    """A row, what was sent of it, where it stands, and its cells. `row` counts from 1, without the header."""

    row: int
    input: Any
    status: RowStatus
    error: str | None
    runs: list[Run]
    fields: list[Explained]

    @property
    def price(self) -> int:
        """Return what the row has cost, in micro-US$."""
        return sum(run.price for run in self.runs)


def explain(job: Job, ledger: Ledger, row: int, field: str | None = None) -> Explanation:
    """Say what stands behind a row's cells, or behind one of them.

    Raises:
        UsageError: the table has no such row, or the spec no such field.
    """
    frame, batch = _row(job, row)
    resolver = RowResolver(job.spec, frame.schema, ledger)
    wanted = _wanted(job, field, [item.name for item in resolver.fields])
    group = next(resolver.groups(batch.keys, frame), None)
    if group is None:
        return Explanation(row, None, RowStatus(batch.status[0]), batch.why[0], [], [])
    case = _Case(resolver, current(group.runs), group.resolved)
    cells = [case.explained(at) for at, item in enumerate(resolver.fields) if item.name in wanted]
    sent = msgspec.json.decode(batch.tasks[TaskKey(group.key)])
    told = _runs(group.runs, ledger.packs(run.number for run in group.runs))
    return Explanation(row, sent, group.resolved.status, group.resolved.error, told, cells)


def _wanted(job: Job, field: str | None, names: list[str]) -> list[str]:
    if field is None:
        return names
    if field in names:
        return [field]
    plain = field.removeprefix(job.spec.columns.prefix)
    if plain in names:
        return [plain]
    near = get_close_matches(field, names, 1, 0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"fields: {', '.join(names)}"
    raise UsageError(f"no field {field!r} in {job.spec.file}: {hint}")


def _row(job: Job, row: int) -> tuple[pl.DataFrame, Batch]:
    """Return one row of the table, and what is asked about it."""
    before = 0
    for rows in limited(job.reader.source.batches(), job.reader.limit):
        at = row - 1 - before
        if at < rows.frame.height:
            frame = rows.frame.slice(at, 1)
            return frame, next(Reader(FrameSource(frame), job.spec).batches(job.question))
        before += rows.frame.height
    raise UsageError(
        f"no row {row:,}: there {'is 1 row' if before == 1 else f'are {before:,} rows'}."
        " Rows count from 1, without the header"
    )


def _runs(runs: Sequence[StoredRun], packs: Mapping[int, tuple[int, int]]) -> list[Run]:
    """Return a row's runs; of one that was made for several rows the row has its share of the price."""
    counting = {run.number for run in current(runs)}
    free = (RunState.REFUSED, RunState.LOST)
    told: list[Run] = []
    for run in runs:
        whole, rows = packs.get(run.number, (run.price, 1))
        whole = 0 if run.state in free else whole
        share, counts = round(whole / rows), run.number in counting
        told.append(Run(run.run_id, run.processor, run.state, share, run.error, counts, rows, whole))
    return told


class _Case(NamedTuple):
    """A row's cells, and the runs that they came from."""

    resolver: RowResolver
    runs: Sequence[StoredRun]
    found: ResolvedRow

    def explained(self, at: int) -> Explained:
        part, cell = self.resolver.policy.fields[at], self.found.cells[at]
        conflict = next((item for item in self.found.conflicts if item.field == part.field.name), None)
        return Explained(
            part.field.name,
            msgspec.to_builtins(cell.value),
            msgspec.to_builtins(cell.said),
            cell.confidence,
            cell.rule,
            cell.refused,
            cell.reasoning,
            cell.citations,
            cell.processor,
            cell.run_id,
            self._verdicts(part, cell),
            [
                self._said(run, at)
                for run in self.runs
                if run.state is RunState.COMPLETED and part in fields_of(run, self.resolver.policy)
            ],
            conflict.given if conflict is not None else None,
        )

    def _verdicts(self, part: FieldPolicy, cell: Cell) -> list[Verdict]:
        """Return every rule that the value was held to, in the order in which they are looked at."""
        source = next((run for run in self.runs if cell.run_id and run.run_id == cell.run_id), None)
        if source is None or source.output is None:
            return []
        read = answer(source.run_id or "", source.processor, source.output)
        told = [Verdict(*verdict) for verdict in verdicts(read, part, self.resolver.day)]
        if any(verdict.refused for verdict in told):
            return told
        for index, rule in enumerate(self.resolver.policy.rules):
            if part.field.name in rule.fields:
                broken = cell.rule == f"rules.{index}"
                told.append(Verdict(f"rules.{index}", rule.text, cell.refused if broken else None))
        return told

    def _said(self, run: StoredRun, at: int) -> Said:
        """Return what one run said of a field, and whether that counts by itself."""
        cell = self.resolver.resolve([run]).cells[at]
        said = msgspec.to_builtins(cell.said)
        return Said(run.processor, run.run_id, said, cell.confidence, cell.rule, cell.refused)
