"""A whole run: plan, submit, write. `enrich` is the same for Python, with a frame in place of a file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from rowcite.api.facts import MICRO
from rowcite.errors import Incomplete, LedgerBusy, OutOfCredit, RowciteError, UsageError
from rowcite.ledger import Ledger, open_ledger
from rowcite.model import Counts, RowStatus
from rowcite.pipeline.escalate import EscalationRound
from rowcite.pipeline.job import Job
from rowcite.pipeline.plan import Plan, check_budget, look, plan
from rowcite.pipeline.prepare import Overrides, Prepared, answering, prepare
from rowcite.pipeline.submission import Submission, SubmissionCounts
from rowcite.pipeline.write import merged, write
from rowcite.progress import Progress, Silent
from rowcite.spec.models import Spec
from rowcite.table.columns import ColumnLayout

T = TypeVar("T")
FAILED_TOO_MANY = 7


@dataclass(slots=True)
class Summary:
    """What a run came to. Money is US$ at list price, an upper bound."""

    rows: Counts = field(default_factory=Counts)
    tasks: int = 0
    answered_before: int = 0
    submitted: int = 0
    asked_again: int = 0
    spent_usd: float = 0.0
    requests: int = 0
    seconds: float = 0.0
    output: str | None = None
    ledger: str = ""
    warnings: dict[str, int] = field(default_factory=dict)
    stopped: str | None = None
    exit_code: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**values, "rows": self.rows.as_dict()}


def run(
    prepared: Prepared,
    progress: Progress,
    *,
    agree: Callable[[Plan], None] = lambda _: None,
    climb: Callable[[EscalationRound], bool] = lambda _: False,
) -> tuple[Summary, RowciteError | None]:
    """Do a whole run; write the table if the job has an output.

    `agree` sees the plan before anything is spent, and raises to stop. `climb` is asked before a step up the ladder that
    more than half of the first answers would take. After an `Incomplete` or `OutOfCredit` the
    table is written with what there is, and the error comes back beside the summary.
    """
    return in_loop(_run(prepared, progress, agree, climb))


async def _run(
    prepared: Prepared,
    progress: Progress,
    agree: Callable[[Plan], None],
    climb: Callable[[EscalationRound], bool],
) -> tuple[Summary, RowciteError | None]:
    began, job, held = time.monotonic(), prepared.job, None
    summary = Summary(output=prepared.output, ledger=str(prepared.ledger))
    try:
        with _opened(prepared) as ledger:
            try:
                await _submit(prepared, ledger, progress, agree, climb, summary)
            except (Incomplete, OutOfCredit) as error:
                held = error
            finally:
                progress.end()
            _write(prepared, ledger, summary)
    except LedgerBusy as error:
        held = error
        with _opened(prepared, writing=False) as ledger:
            _write(prepared, ledger, summary)
    summary.seconds = round(time.monotonic() - began, 3)
    summary.stopped = str(held) if held else None
    summary.exit_code = held.exit_code if held else _verdict(job.spec, summary.rows)
    return summary, held


def _write(prepared: Prepared, ledger: Ledger, summary: Summary) -> None:
    summary.warnings = ledger.warnings()
    if prepared.output is not None:
        summary.rows = write(prepared.job, ledger, prepared.output)


async def _submit(  # noqa: PLR0913, PLR0917 - what a run is made of
    prepared: Prepared,
    ledger: Ledger,
    progress: Progress,
    agree: Callable[[Plan], None],
    climb: Callable[[EscalationRound], bool],
    summary: Summary,
) -> None:
    job = prepared.job
    found = look(job, ledger)
    planned = plan(job, ledger, found)
    summary.tasks, summary.answered_before = planned.tasks, planned.answered
    budget = check_budget(job, planned, ledger)
    agree(planned)
    if not planned.to_submit and not planned.to_escalate and not ledger.active_batches():
        return
    progress.begin(planned.tasks, planned.tasks - planned.to_submit - planned.active)
    spent_before = ledger.spent()
    tally = SubmissionCounts()
    submission = Submission(job, ledger, budget=budget, progress=progress, tally=tally, agree=climb)
    with answering(prepared) as (base_url, key):
        try:
            await submission.submit(found, base_url, key)
        finally:
            summary.submitted, summary.asked_again = tally.submitted, tally.again
            summary.requests = tally.requests
            summary.spent_usd = (ledger.spent() - spent_before) / MICRO


def _verdict(spec: Spec, rows: Counts) -> int:
    most = spec.limits.max_failed
    allowed = most * rows.total() if isinstance(most, float) else most
    return FAILED_TOO_MANY if rows[RowStatus.FAILED] > allowed else 0


@contextmanager
def _opened(prepared: Prepared, *, writing: bool = True) -> Iterator[Ledger]:
    with closing(open_ledger(prepared.ledger, writing=writing, wait=prepared.wait)) as ledger:
        yield ledger


async def aenrich(
    table: pl.DataFrame | str | Path, spec: str | Path | Mapping[str, Any] | Spec
) -> pl.DataFrame:
    """Enrich a table; as `enrich`, for code that runs in an event loop."""
    if not isinstance(table, (pl.DataFrame, str, Path)):
        raise UsageError(
            f"cannot enrich a {type(table).__name__}: give a polars DataFrame or a path (polars.from_pandas helps)"
        )
    frame = table if isinstance(table, pl.DataFrame) else None
    overrides = Overrides(input=None if frame is not None else str(table))
    prepared = prepare(spec, overrides, frame=frame, writes=False)
    _, held = await _run(prepared, Silent(), lambda _: None, lambda _: False)
    if held is not None:
        raise held
    with _opened(prepared, writing=False) as ledger:
        merged_batches = merged(prepared.job, ledger, native=True)
        frames = [rows.frame.hstack(columns) for rows, columns in merged_batches]
    return pl.concat([_empty(prepared.job), *frames])


def _empty(job: Job) -> pl.DataFrame:
    """Return the enriched table without its rows."""
    table = job.reader.source.schema
    return pl.DataFrame(schema={**table, **ColumnLayout(job.spec, table, native=True).schema})


def enrich(table: pl.DataFrame | str | Path, spec: str | Path | Mapping[str, Any] | Spec) -> pl.DataFrame:
    """Enrich a table: fill the fields of a spec and return all columns, old and new.

    `table` is a polars frame or the path of a CSV, TSV, Parquet or JSONL file; `spec` the path of a YAML spec, the
    same as a dict, or a `Spec`. The ledger is the one that `rowcite run` uses, so nothing is paid for twice. No file
    is written: `output` in the spec is for the command. A row that failed has `rowcite_status` "failed".

    Raises:
        InputError: the spec or the table does not work; nothing was spent.
        Incomplete, OutOfCredit: stopped with work left. What was answered is in the ledger: call again to go on.
        RowciteError: the API failed, see `rowcite.errors`.
    """
    return in_loop(aenrich(table, spec))


def in_loop(job: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, from anywhere: in a thread where a loop is running already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(job)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, thread_name_prefix="rowcite") as pool:
        return pool.submit(asyncio.run, job).result()
