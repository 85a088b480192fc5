"""Write the table: the rows of the input, merged with what the ledger holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from rowcite.api.facts import MICRO
from rowcite.errors import Incomplete
from rowcite.files import write_errors, write_many
from rowcite.inert import plain_markdown
from rowcite.ledger import Ledger
from rowcite.model import ANSWERED_ROWS, Counts, RowStatus
from rowcite.pipeline.input_changes import check_unchanged, has_other_rows, with_table_of_now
from rowcite.pipeline.job import Job
from rowcite.table.columns import STATUS_COLUMNS, ColumnLayout
from rowcite.table.coverage import Coverage
from rowcite.table.merge import Merge
from rowcite.table.sinks import About, NewTable, Replacement, open_table, output_format
from rowcite.table.sources import Rows
from rowcite.wording import plural, plural_is

FAILED_TOO_MANY = 7


def merged(
    job: Job, ledger: Ledger, *, native: bool, workbook: bool = False
) -> Iterator[tuple[Rows, pl.DataFrame]]:
    """Yield the table's rows in parts, with the columns that are added to them."""
    table = job.reader.source.schema
    merge = Merge(job.spec, table, ledger, native=native, workbook=workbook, room=job.memory // 4)
    for batch in job.reader.batches(job.question):
        yield from merge.parts(batch)


@dataclass(slots=True)
class Written:
    """A table that was written, and the exit code of its command.

    `rows` counts all rows, `requested` those within `--limit`. `place` is where the table is: the output, the `.partial`
    beside it if the output has a richer table, or None. `warning` is what else the user needs to know. `input_changed`:
    the rows are not those of the table when the command began. `files` are those that were written, `notes` what the
    table holds only in part, `coverage` what it holds.
    """

    rows: Counts = field(default_factory=Counts)
    requested: Counts = field(default_factory=Counts)
    exit_code: int = 0
    place: str | None = None
    warning: str | None = None
    input_changed: bool = False
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)


def write(
    job: Job, ledger: Ledger, target: str, *, exit_code: Callable[[Counts], int], replace: bool = False
) -> Written:
    """Write the table of now with the answers of the ledger, unless a richer one is there.

    `exit_code` returns the exit code of the command for the rows within `--limit`; it becomes 5 if the rows of the table
    changed since the command began. With `replace` any table is replaced.

    Raises:
        TableChanged: the table has another header than when the command began, or cannot be read. Nothing was written.
    """

    def final_code(rows: Counts, *, changed: bool) -> int:
        code = exit_code(rows)
        return Incomplete.exit_code if changed and code in (0, FAILED_TOO_MANY) else code

    def write_now(now: Job) -> Written:
        changed = has_other_rows(job, now)
        written = _write(now, ledger, target, partial(final_code, changed=changed), replace=replace)
        written.input_changed = changed
        return written

    return with_table_of_now(job, write_now)


def _write(
    job: Job, ledger: Ledger, target: str, exit_code: Callable[[Counts], int], *, replace: bool
) -> Written:
    written, reports = Written(), job.spec.columns.reports

    def finished() -> NewTable:
        answered = sum(written.rows[status] for status in ANSWERED_ROWS)
        complete = job.reader.limit is None and not exit_code(written.requested)
        return NewTable(answered, complete=complete, replace=replace)

    replacement = Replacement(finished)
    _write_table(job, ledger, target, replacement, written)
    written.exit_code = exit_code(written.requested)
    written.place = target if replacement.in_place else replacement.place
    written.warning = replacement.warning
    written.files = [written.place] if written.place not in {None, "-"} else []
    if reports is not None and replacement.in_place:
        _write_reports(job, ledger, job.spec.path(reports))
        written.files.append(str(job.spec.path(reports)))
    return written


def _write_table(job: Job, ledger: Ledger, target: str, replacement: Replacement, written: Written) -> None:
    """Write a table and count its rows. `replacement` chooses its place when all are counted."""
    source, limit = job.reader.source, job.reader.limit
    form = output_format(target, source)
    layout = ColumnLayout(job.spec, source.schema, native=form.native, workbook=form.workbook)
    headings = layout.headings
    added = pl.Schema({headings[name]: dtype for name, dtype in layout.schema.items()})
    about = About(partial(_facts, job, ledger, written))
    with open_table(target, source, added, replacement, about) as write_rows, ThreadPoolExecutor(1) as pool:
        pending: Future[None] | None = None
        for rows, columns in merged(job, ledger, native=form.native, workbook=form.workbook):
            if pending is not None:
                pending.result()
            pending = pool.submit(
                write_rows, rows, columns.rename(headings)
            )  # while the next rows are merged
            left = None if limit is None else max(limit - written.rows.total(), 0)
            count(written.requested, columns.head(columns.height if left is None else left))
            count(written.rows, columns)
            written.coverage.add(job.spec, rows.frame, columns)
        if pending is not None:
            pending.result()
        check_unchanged(job)
    written.notes = about.notes


def _facts(job: Job, ledger: Ledger, written: Written) -> Iterator[tuple[str, str | int | float]]:
    """Yield what a workbook shows about its run. It is the same as long as the ledger and the table are."""
    yield "spec", Path(job.spec.file).name
    yield "api", str(job.question.named["api"])
    yield "processors", ", ".join([job.spec.task.processor, *job.spec.escalate])
    yield "rows", written.rows.total()
    for status in RowStatus:
        yield f"rows {status}", written.rows[status]
    yield "new accepted values", written.coverage.found
    for name, rows in written.coverage.filled.items():
        yield f"rows with {name}", rows
    for reason, rows in written.coverage.reasons.most_common(10):
        yield f"{plural(rows, 'row')} rejected or failed", reason
    for state, runs in ledger.state_counts().items():
        yield f"runs {state}", runs
    yield "spent in US$, list price of all runs", ledger.spent() / MICRO


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
    text = plain_markdown(text)
    return (text if text.endswith("\n") else f"{text}\n").encode()


def pending_text(rows: int, command: str) -> str:
    """Return the message about rows that are pending after a command, with the one that continues."""
    return f"{plural_is(rows, 'row')} still pending. Run `{command}` to continue"


def unfinished_text(written: Written, pending_text: Callable[[int], str], command: str) -> str | None:
    """Return why the rows of a written table are not finished, and how to continue; None if all are."""
    pending = written.requested[RowStatus.PENDING]
    rows = pending_text(pending) if pending else None
    if not written.input_changed:
        return rows
    text = "The input changed while this command was running"
    return f"{text}: {rows}" if rows else f"{text}. Run `{command}` to continue"


def count(counts: Counts, columns: pl.DataFrame) -> None:
    """Add a batch's rows to the counts."""
    for status, rows in columns[STATUS_COLUMNS[0]].value_counts().iter_rows():
        counts[RowStatus(status)] += rows
