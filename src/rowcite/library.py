"""rowcite from Python: the run of the command, with a frame in place of a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

from rowcite.errors import UsageError
from rowcite.ledger import open_ledger
from rowcite.local import backend
from rowcite.pipeline.prepare import Overrides, Prepared, prepare
from rowcite.pipeline.run import Confirmations, run
from rowcite.pipeline.write import merged
from rowcite.progress import Silent
from rowcite.spec.models import Spec
from rowcite.submit.stop import Stop
from rowcite.table.columns import ColumnLayout


def enrich(table: pl.DataFrame | str | Path, spec: str | Path | Mapping[str, Any] | Spec) -> pl.DataFrame:
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
    stop = Stop()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _enrich(table, spec, stop)
    with ThreadPoolExecutor(1, "rowcite") as thread:  # a notebook: the loop of this thread is taken
        enriched = thread.submit(_enrich, table, spec, stop)
        try:
            return enriched.result()
        finally:
            stop.request()


async def aenrich(
    table: pl.DataFrame | str | Path, spec: str | Path | Mapping[str, Any] | Spec
) -> pl.DataFrame:
    """Enrich a table as `enrich` does, in a thread: the caller's event loop is not blocked.

    When the caller is cancelled, the submission ends, and the answers so far are saved before this returns.
    """
    stop, thread = Stop(), ThreadPoolExecutor(1, "rowcite")
    enriched = thread.submit(_enrich, table, spec, stop)
    try:
        return await asyncio.wrap_future(enriched)
    finally:
        stop.request()
        if not enriched.done():
            await asyncio.shield(asyncio.to_thread(wait, [enriched]))
        thread.shutdown(wait=False)


def _enrich(
    table: pl.DataFrame | str | Path, spec: str | Path | Mapping[str, Any] | Spec, stop: Stop
) -> pl.DataFrame:
    prepared = _prepared(table, spec)
    _, stopped_by = run(prepared, Silent(), Confirmations(), stop)
    if stopped_by is not None:
        raise stopped_by
    table_schema = prepared.job.reader.source.schema
    empty = pl.DataFrame(
        schema={**table_schema, **ColumnLayout(prepared.job.spec, table_schema, native=True).schema}
    )
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        batches = stop.checked(merged(prepared.job, ledger, native=True))
        return pl.concat([empty, *(rows.frame.hstack(columns) for rows, columns in batches)])


def _prepared(table: pl.DataFrame | str | Path, spec: str | Path | Mapping[str, Any] | Spec) -> Prepared:
    if not isinstance(table, (pl.DataFrame, str, Path)):
        raise UsageError(
            f"cannot enrich a {type(table).__name__}: give a polars DataFrame or a path (polars.from_pandas helps)"
        )
    frame = table if isinstance(table, pl.DataFrame) else None
    overrides = Overrides(input=None if frame is not None else str(table))
    return prepare(spec, overrides, local=backend, frame=frame, writes=False)
