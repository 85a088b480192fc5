"""The functions of the library: each takes a table and a spec, and gives the table back with its new columns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import polars as pl

from rowcite.errors import DeadlineReached, Incomplete, LedgerBusy, RowciteError, UsageError
from rowcite.evaluation.evaluate import Evaluation, Evaluator
from rowcite.evaluation.requests import request_answers
from rowcite.evaluation.truth import NONE_MARKER, label_columns, read_truth
from rowcite.ledger import Ledger, open_ledger
from rowcite.local import backend
from rowcite.model import Counts, RowStatus
from rowcite.pipeline import plan as planning
from rowcite.pipeline import run as running
from rowcite.pipeline.execution import Confirmations
from rowcite.pipeline.input_changes import check_unchanged, with_table_of_now
from rowcite.pipeline.job import Job
from rowcite.pipeline.plan import Plan
from rowcite.pipeline.prepare import Overrides, Prepared, prepare
from rowcite.pipeline.summary import Summary, leave
from rowcite.pipeline.write import count, merged
from rowcite.progress import Silent
from rowcite.spec.models import Spec
from rowcite.submit.stop import Stop
from rowcite.table.columns import ColumnLayout
from rowcite.table.sources.members import with_own_texts
from rowcite.wording import plural_is

T = TypeVar("T")
TableLike: TypeAlias = pl.DataFrame | str | Path
SpecLike: TypeAlias = str | Path | Mapping[str, Any] | Spec


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of `run`: the enriched table, the plan (None if the run stopped before it had one) and the summary.

    `summary.stopped` is the reason for an `exit_code` that is not 0, else None.
    """

    table: pl.DataFrame
    plan: Plan | None
    summary: Summary


def plan(table: TableLike, spec: SpecLike) -> Plan:
    """Return the plan of a run: rows, tasks, cost and time. Sends nothing and writes nothing.

    Raises:
        InputError: the spec or the table does not work.
    """
    prepared = _prepared(table, spec)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        return planning.plan(prepared.job, ledger)


def run(table: TableLike, spec: SpecLike) -> Result:
    """Enrich a table as `enrich` does; return the table with its plan and its summary.

    Where `enrich` raises because work is left, this returns the table with the answers so far.

    Raises:
        LedgerBusy: another process uses the ledger.
        InputError: the spec or the table does not work; nothing was spent.
        RowciteError: the API failed, see `rowcite.errors`.
    """
    return _in_any_thread(lambda stop: _run(table, spec, stop, partial=True))


def evaluate(  # noqa: PLR0913 - the parts of an evaluation, by name
    table: TableLike,
    spec: SpecLike,
    truth: str | Path,
    *,
    key: str,
    processors: Sequence[str] = (),
    target: float | None = None,
    none_marker: str = NONE_MARKER,
    base_url: str | None = None,
) -> Evaluation:
    """Return stored answers compared with labels, as frames: `frame()` counts by field, `pairs_frame()` has each judged label.

    `truth` is the path of a table with the column `key` and the right values of some fields. The answers of `processors` that
    are not stored are requested, for labelled rows only and within the spec's budget. With `target` the cheapest policy is `choice`.

    Raises:
        InputError: the spec, the table or the truth does not work; nothing was spent.
        RowciteError: the API failed, or the budget allows no more, see `rowcite.errors`.
    """
    return _in_any_thread(
        lambda _: _evaluate(table, spec, str(truth), key, processors, target, none_marker, base_url)
    )


def _evaluate(  # noqa: PLR0913, PLR0917 - as `evaluate`
    table: TableLike,
    spec: SpecLike,
    truth: str,
    key: str,
    processors: Sequence[str],
    target: float | None,
    none_marker: str,
    base_url: str | None,
) -> Evaluation:
    prepared = _prepared(table, spec, base_url)
    columns = label_columns(prepared.job.spec)
    evaluator = Evaluator(prepared.job, read_truth(truth, key, columns, none_marker), key)
    if processors:
        jobs = [evaluator.job_of(name) for name in processors]
        request_answers(prepared, jobs, Silent(), lambda _, __: True)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        return evaluator.evaluate(ledger, processors, target)


def enrich(table: TableLike, spec: SpecLike) -> pl.DataFrame:
    """Enrich a table: fill the fields of a spec and return all columns, old and new.

    `table` is a polars frame or the path of a CSV, TSV, Parquet or JSONL file; `spec` the path of a YAML spec, the
    same as a dict, or a `Spec`. The ledger is the one that `rowcite run` uses, so nothing is paid for twice. No file
    is written: `output` in the spec is for the command. A row that failed has `rowcite_status` "failed".

    Raises:
        InputError: the spec or the table does not work; nothing was spent.
        Incomplete, InsufficientCredit, BudgetExceeded: stopped with work left. The answers so far are in the ledger:
            call again to continue.
        RowciteError: the API failed, see `rowcite.errors`.
    """
    return _in_any_thread(lambda stop: _run(table, spec, stop)).table


async def aenrich(table: TableLike, spec: SpecLike) -> pl.DataFrame:
    """Enrich a table as `enrich` does, in a thread: the caller's event loop is not blocked.

    When the caller is cancelled, the submission ends, and the answers so far are saved before this returns.
    """
    stop, thread = Stop(), ThreadPoolExecutor(1, "rowcite")
    enriched = thread.submit(_run, table, spec, stop)
    try:
        return (await asyncio.wrap_future(enriched)).table
    finally:
        stop.request()
        if not enriched.done():
            await asyncio.shield(asyncio.to_thread(wait, [enriched]))
        thread.shutdown(wait=False)


def _in_any_thread(job: Callable[[Stop], T]) -> T:
    """Call a job that runs event loops: in a thread where one is running already, as in a notebook."""
    stop = Stop()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return job(stop)
    with ThreadPoolExecutor(1, "rowcite") as thread:
        try:
            return thread.submit(job, stop).result()
        finally:
            stop.request()


def _run(table: TableLike, spec: SpecLike, stop: Stop, *, partial: bool = False) -> Result:
    prepared, plans = _prepared(table, spec), list[Plan]()

    def confirm(planned: Plan) -> bool:
        plans.append(planned)
        return True

    summary, stopped_by = running.run(prepared, Silent(), Confirmations(confirm), stop)
    if stopped_by is not None and (isinstance(stopped_by, LedgerBusy) or not partial):
        raise stopped_by
    stop.limit(None)  # the deadline is for answers, not for the table
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        merged_table = with_table_of_now(prepared.job, lambda now: _merged(now, ledger, stop))
    summary.rows = merged_table.rows
    stopped_by = _unfinished(stopped_by, summary.rows[RowStatus.PENDING])
    if stopped_by is not None:
        summary.stopped, summary.exit_code = str(stopped_by), stopped_by.exit_code
    leave(summary, prepared.ledger, has_lock=False)
    if stopped_by is not None and not partial:
        raise stopped_by
    return Result(merged_table.table, plans[0] if plans else None, summary)


def _unfinished(stopped_by: RowciteError | None, pending: int) -> RowciteError | None:
    """Return the error that explains pending rows: the one that stopped the run, or a table that changed meanwhile."""
    if isinstance(stopped_by, DeadlineReached):
        stopped_by.pending = pending
    if stopped_by is None and pending:
        rows = f"{plural_is(pending, 'row')} still pending"
        return Incomplete(f"the table changed while it was enriched: {rows}. Call again to continue")
    return stopped_by


class _Merged(NamedTuple):
    table: pl.DataFrame
    rows: Counts


def _merged(job: Job, ledger: Ledger, stop: Stop) -> _Merged:
    """Return the enriched table, and its rows by status."""
    columns, rows = job.reader.source.schema, Counts()
    frames = [pl.DataFrame(schema={**columns, **ColumnLayout(job.spec, columns, native=True).schema})]
    for part, added in stop.checked(merged(job, ledger, native=True)):
        count(rows, added)
        frames.append(with_own_texts(part).hstack(added))
    check_unchanged(job)
    return _Merged(pl.concat(frames), rows)


def _prepared(table: TableLike, spec: SpecLike, base_url: str | None = None) -> Prepared:
    if not isinstance(table, (pl.DataFrame, str, Path)):
        raise UsageError(
            f"cannot enrich a {type(table).__name__}: give a polars DataFrame or a path (polars.from_pandas helps)"
        )
    frame = table if isinstance(table, pl.DataFrame) else None
    overrides = Overrides(input=None if frame is not None else str(table), base_url=base_url)
    return prepare(spec, overrides, local=backend, frame=frame, writes=None)
