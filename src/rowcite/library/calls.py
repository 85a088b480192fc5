"""The functions of the library: each takes a table and a spec, and gives the table back with its new columns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar, Unpack, cast, overload

import polars as pl
import pyarrow as pa

from rowcite.errors import DeadlineReached, Incomplete, LedgerBusy, RowciteError
from rowcite.evaluation.evaluate import Evaluation, evaluator
from rowcite.evaluation.requests import request_answers
from rowcite.evaluation.truth import NONE_MARKER
from rowcite.ledger import open_ledger
from rowcite.library.arguments import (
    ApiOptions,
    Options,
    as_arguments,
    check_evaluation,
    check_options,
    naming_arguments,
    overrides_of,
    with_named_options,
)
from rowcite.library.bar import progress_of
from rowcite.library.frames import Frame
from rowcite.library.kinds import FrameT, HasArrowStream, PathLike, SpecLike, TableLike
from rowcite.library.merging import merge_table
from rowcite.library.opening import check_kind, open_frame
from rowcite.library.result import Result
from rowcite.local import backend
from rowcite.model import RowStatus
from rowcite.pipeline import plan as planning
from rowcite.pipeline import run as running
from rowcite.pipeline.execution import Confirmations, add_coverage
from rowcite.pipeline.input_changes import with_table_of_now
from rowcite.pipeline.plan import Plan
from rowcite.pipeline.prepare import Prepared, prepare, read_spec
from rowcite.pipeline.summary import leave
from rowcite.rows.given import given_columns
from rowcite.submit.stop import Stop
from rowcite.table.reader import columns_read
from rowcite.wording import plural_is

T = TypeVar("T")
_SIGNAL_SECONDS = 0.1  # with the signal handler of polars, a wait without an end is not interrupted


@with_named_options(Options)
def plan(table: TableLike, spec: SpecLike, **options: Unpack[Options]) -> Plan:
    """Return the plan of a run: rows, tasks, cost and time. Sends nothing and writes nothing. The options are those of `enrich`.

    Raises:
        InputError: the spec or the table does not work.
    """
    with naming_arguments():
        prepared, _ = _prepared(table, spec, options)
        with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
            return planning.plan(prepared.job, ledger)


@overload
def run(table: PathLike, spec: SpecLike, **options: Unpack[Options]) -> Result[pl.DataFrame]: ...
@overload
def run(table: FrameT, spec: SpecLike, **options: Unpack[Options]) -> Result[FrameT]: ...
@overload
def run(table: HasArrowStream, spec: SpecLike, **options: Unpack[Options]) -> Result[pa.Table]: ...
@with_named_options(Options)
def run(table: Any, spec: SpecLike, **options: Unpack[Options]) -> Result[Any]:
    """Enrich a table as `enrich` does; return the table with its plan and its summary.

    Where `enrich` raises because work is left, this returns the table with the answers so far.

    Raises:
        LedgerBusy: another process uses the ledger.
        InputError: the spec or the table does not work; nothing was spent.
        RowciteError: the API failed, see `rowcite.errors`.
    """
    return _in_any_thread(lambda stop: _run(table, spec, options, stop, partial=True))


@with_named_options(ApiOptions)
def evaluate(  # noqa: PLR0913 - the parts of an evaluation, by name
    table: TableLike,
    spec: SpecLike,
    truth: TableLike,
    *,
    key: str | None = None,
    processors: Sequence[str] = (),
    target: float | None = None,
    none_marker: str = NONE_MARKER,
    drawn: TableLike | None = None,
    **options: Unpack[ApiOptions],
) -> Evaluation:
    """Return stored answers compared with labels, as frames: `frame()` counts by field, `pairs_frame()` has each judged label.

    `truth` is a table (a path or a frame) with the column `key` and the right values of some fields, or "reviewed": the decisions of
    reviewers, which need no `key`; with `drawn`, the file of `rowcite eval --draw`, those on its rows. The answers of `processors` that
    are not stored are requested, for labelled rows only and within the budget. With `target` the cheapest policy is `choice`.

    Raises:
        InputError: the spec, the table or the truth does not work; nothing was spent.
        RowciteError: the API failed, or the budget allows no more, see `rowcite.errors`.
    """

    def evaluated(_stop: Stop) -> Evaluation:
        check_options(cast("Options", options), ApiOptions)
        check_evaluation(processors, target)
        prepared, _ = _prepared(table, spec, cast("Options", options), *([key] if key is not None else []))
        with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
            made = evaluator(
                prepared.job,
                ledger,
                _truth(truth),
                key=key,
                none_marker=none_marker,
                target=target,
                drawn=None if drawn is None else _truth(drawn),
            )
        if processors:
            jobs = [made.job_of(name) for name in processors]
            progress = progress_of(wanted=options.get("progress"))
            request_answers(prepared, jobs, progress, lambda _, __: True)
        with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
            return made.evaluate(ledger, processors, target)

    with naming_arguments():
        return _in_any_thread(evaluated)


@overload
def enrich(table: PathLike, spec: SpecLike, **options: Unpack[Options]) -> pl.DataFrame: ...
@overload
def enrich(table: FrameT, spec: SpecLike, **options: Unpack[Options]) -> FrameT: ...
@overload
def enrich(table: HasArrowStream, spec: SpecLike, **options: Unpack[Options]) -> pa.Table: ...
@with_named_options(Options)
def enrich(table: Any, spec: SpecLike, **options: Unpack[Options]) -> Any:
    """Enrich a table: fill the fields of a spec and return all columns, old and new.

    `table` is a frame (polars, pandas, a pyarrow Table or RecordBatchReader, a duckdb relation, or any object with an Arrow C
    stream) and the same kind is returned, or the path of a table, which returns a polars frame. `spec` is the path of a YAML spec,
    the same as a dict, or a `Spec`. The ledger is the one that `rowcite run` uses, so nothing is paid for twice. No file
    is written: `output` in the spec is for the command. A row that failed has `rowcite_status` "failed".

    Args:
        table: a frame, or the path of a table.
        spec: the path of a spec, a dict, or a `Spec`.
        **options: each replaces a value of the spec or the environment.
            limit: request answers for the first rows only; stored answers are used for all.
            max_cost_usd: what this call may newly spend.
            processor, escalate: the processor, and those that rejected values are retried with, in order.
            escalate_anyway: retry also where most answers were rejected.
            fresh: ignore stored answers. retry_failed: send failed tasks again.
            backend, base_url, api_key: who answers. ledger: its folder.
            progress: draw a bar. The default draws one in a notebook and at the prompt of Python.

    Raises:
        InputError: the spec or the table does not work; nothing was spent.
        Incomplete, InsufficientCredit, BudgetExceeded: stopped with work left. The answers so far are in the ledger:
            call again to continue.
        RowciteError: the API failed, see `rowcite.errors`.
    """
    return _in_any_thread(lambda stop: _run(table, spec, options, stop)).table


@overload
async def aenrich(table: PathLike, spec: SpecLike, **options: Unpack[Options]) -> pl.DataFrame: ...
@overload
async def aenrich(table: FrameT, spec: SpecLike, **options: Unpack[Options]) -> FrameT: ...
@overload
async def aenrich(table: HasArrowStream, spec: SpecLike, **options: Unpack[Options]) -> pa.Table: ...
@with_named_options(Options)
async def aenrich(table: Any, spec: SpecLike, **options: Unpack[Options]) -> Any:
    """Enrich a table as `enrich` does, in a thread: the caller's event loop is not blocked.

    When the caller is cancelled, the submission ends, and the answers so far are saved before this returns.
    """
    stop, thread = Stop(), ThreadPoolExecutor(1, "rowcite")
    enriched = thread.submit(_run, table, spec, options, stop)
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
        called = thread.submit(job, stop)
        try:
            while not wait([called], _SIGNAL_SECONDS).done:
                pass
            return called.result()
        finally:
            stop.request()


def _run(
    table: TableLike, spec: SpecLike, options: Options, stop: Stop, *, partial: bool = False
) -> Result[Any]:
    with naming_arguments():
        return _enriched(table, spec, options, stop, partial=partial)


def _enriched(
    table: TableLike, spec: SpecLike, options: Options, stop: Stop, *, partial: bool
) -> Result[Any]:
    (prepared, frame), plans = _prepared(table, spec, options), list[Plan]()

    def confirm(planned: Plan) -> bool:
        plans.append(planned)
        return True

    confirmations = Confirmations(confirm, lambda _: options.get("escalate_anyway", False))
    progress = progress_of(wanted=options.get("progress"))
    summary, stopped_by = running.run(prepared, progress, confirmations, stop)
    if stopped_by is not None and (isinstance(stopped_by, LedgerBusy) or not partial):
        raise stopped_by
    stop.limit(None)  # the deadline is for answers, not for the table
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        merged = with_table_of_now(prepared.job, lambda now: merge_table(now, ledger, stop, frame))
    summary.rows, summary.next = merged.rows, []
    add_coverage(summary, merged.coverage)
    stopped_by = _unfinished(stopped_by, merged.requested[RowStatus.PENDING])
    if stopped_by is not None:
        summary.stopped, summary.exit_code = as_arguments(str(stopped_by)), stopped_by.exit_code
    leave(summary, prepared.ledger, has_lock=False)
    if stopped_by is not None and not partial:
        raise stopped_by
    return Result(merged.table, plans[0] if plans else None, summary, merged.preview)


def _unfinished(stopped_by: RowciteError | None, pending: int) -> RowciteError | None:
    """Return the error that explains pending rows: the one that stopped the run, or a table that changed meanwhile."""
    if isinstance(stopped_by, DeadlineReached):
        stopped_by.pending = pending
    if stopped_by is None and pending:
        rows = f"{plural_is(pending, 'row')} still pending"
        return Incomplete(f"the table changed while it was enriched: {rows}. Call again to continue")
    return stopped_by


def _prepared(
    table: TableLike, spec: SpecLike, options: Options, *columns: str
) -> tuple[Prepared, Frame | None]:
    """Return the job of a call, and its table if that is a frame. `columns` are used as well as those of the spec."""
    check_options(options, Options)
    check_kind(table)
    read, path = read_spec(spec), str(table) if isinstance(table, (str, Path)) else None
    overrides = overrides_of(options, path)
    frame = open_frame(table) if path is None else None
    source = None
    if frame is not None:
        filled = given_columns(read, pl.Schema(dict.fromkeys(frame.names, pl.String())))
        source = frame.source({*columns_read(read, frame.names), *columns}, filled)
    return prepare(read, overrides, local=backend, source=source, writes=None), frame


def _truth(truth: TableLike) -> Any:
    if isinstance(truth, (str, Path)):
        return str(truth)
    frame = open_frame(truth)
    return frame.source(frame.names)
