"""Write the table: the rows of the input, merged with what the ledger holds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import polars as pl

from rowcite.files import write_errors, write_many
from rowcite.ledger import Ledger
from rowcite.model import Counts, RowStatus
from rowcite.pipeline.job import Job
from rowcite.table.columns import ColumnLayout
from rowcite.table.merge import Merge
from rowcite.table.sinks import open_table, output_format
from rowcite.table.sources import Rows


def merged(job: Job, ledger: Ledger, *, native: bool) -> Iterator[tuple[Rows, pl.DataFrame]]:
    """Yield the table's rows in parts, with the columns that are added to them."""
    table = job.reader.source.schema
    merge = Merge(job.spec, table, ledger, native=native, room=job.memory // 4)
    for batch in job.reader.batches(job.question):
        yield from merge.parts(batch)


def write(job: Job, ledger: Ledger, target: str) -> Counts:
    """Write the table with the answers of the ledger; return the number of rows in each status."""
    source = job.reader.source
    native = output_format(target, source).native
    counts, reports = Counts(), job.spec.columns.reports
    added = ColumnLayout(job.spec, source.schema, native=native).schema
    with open_table(target, source, added) as write_rows, ThreadPoolExecutor(1) as pool:
        written: Future[None] | None = None
        for rows, columns in merged(job, ledger, native=native):
            if written is not None:
                written.result()
            written = pool.submit(write_rows, rows, columns)  # while the next rows are merged
            count(counts, columns)
        if written is not None:
            written.result()
    if reports is not None:
        _write_reports(job, ledger, job.spec.path(reports))
    return counts


def _write_reports(job: Job, ledger: Ledger, folder: Path) -> None:
    """Write each row's report to `row-000001.md`, numbered from 1. Only a table escapes texts for spreadsheets."""
    number = 0
    for _, columns in merged(job, ledger, native=True):
        reports = enumerate(columns[columns.columns[0]], number + 1)
        files = ((f"row-{row:06}.md", _lines(text)) for row, text in reports if text is not None)
        with write_errors(str(folder)):
            write_many(folder, files)
        number += columns.height


def _lines(text: str) -> bytes:
    return (text if text.endswith("\n") else f"{text}\n").encode()


def count(counts: Counts, columns: pl.DataFrame) -> None:
    """Add a batch's rows to the counts."""
    for status, rows in columns["rowcite_status"].value_counts().iter_rows():
        counts[RowStatus(status)] += rows
