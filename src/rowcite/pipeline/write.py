"""Write the table: the rows of the input, merged with what the ledger holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from rowcite.api.facts import MICRO
from rowcite.engines.distribution import Distribution
from rowcite.engines.output_folder import existing_folder, remove_folder
from rowcite.errors import Incomplete
from rowcite.files import write_errors, write_many
from rowcite.inert import plain_markdown
from rowcite.ledger import Ledger
from rowcite.model import Counts, RowStatus
from rowcite.pipeline.input_changes import check_unchanged, has_other_rows, with_table_of_now
from rowcite.pipeline.job import MEMORY, Job
from rowcite.table.contents import Contents, count, write_contents
from rowcite.table.contents import merged as merged_rows
from rowcite.table.merge import Merge
from rowcite.table.sinks import About, NewTable, Replacement
from rowcite.table.sources import Rows
from rowcite.wording import plural, plural_is

FAILED_TOO_MANY = 7


def merged(job: Job, ledger: Ledger, *, native: bool) -> Iterator[tuple[Rows, pl.DataFrame]]:
    """Yield the table's rows some at a time, with the columns that are added to them."""
    merge = Merge(job.spec, job.reader.source.schema, ledger, native=native, room=job.memory // 4)
    return merged_rows(job.reader, job.question, merge)


@dataclass(slots=True)
class Written(Contents):
    """A table that was written, and the exit code of its command.

    `place` is where the table is: the output, the `.partial` beside it if the output has a richer table, or None. `warning`
    is what else the user needs to know. `input_changed`: the rows are not those of the table when the command began. `files`
    are those that were written, `notes` what the table holds only in part.
    """

    exit_code: int = 0
    place: str | None = None
    warning: str | None = None
    input_changed: bool = False
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


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
        complete = job.reader.limit is None and not exit_code(written.requested)
        return NewTable(written.answered, complete=complete, replace=replace)

    if job.distribution is not None:
        replacement = Replacement(finished, existing_folder, remove_folder)
        _write_parts(job, job.distribution, ledger, target, replacement, written)
    else:
        replacement = Replacement(finished)
        _write_file(job, ledger, target, replacement, written)
    written.exit_code = exit_code(written.requested)
    written.place = target if replacement.in_place else replacement.place
    written.warning = replacement.warning
    written.files = [written.place] if written.place not in {None, "-"} else []
    if reports is not None and replacement.in_place:
        _write_reports(job, ledger, job.spec.path(reports))
        written.files.append(str(job.spec.path(reports)))
    return written


def _write_file(job: Job, ledger: Ledger, target: str, replacement: Replacement, written: Written) -> None:
    about = About(partial(_facts, job, ledger, written))
    write_contents(
        job.reader,
        job.question,
        ledger,
        target,
        written,
        room=job.memory // 4,
        replacement=replacement,
        about=about,
        before_end=partial(check_unchanged, job),
        open_runs=ledger.opener() if job.memory >= MEMORY else None,
    )
    written.notes = about.notes


def _write_parts(  # noqa: PLR0913, PLR0917 - a table of parts, and its place
    job: Job,
    parts: Distribution,
    ledger: Ledger,
    target: str,
    replacement: Replacement,
    written: Written,
) -> None:
    def choose(contents: Contents) -> str | None:
        check_unchanged(job)
        written.append(contents)
        return replacement.choose(target, job.reader.source)

    parts.write(ledger, target, job.reader.limit, choose)
    replacement.remove_partial(job.reader.source)


def row_counts(job: Job, ledger: Ledger) -> Counts:
    """Return the number of the table's rows with each status."""
    if job.distribution is not None:
        return job.distribution.status_counts(ledger)
    rows = Counts()
    for _, columns in merged(job, ledger, native=True):
        count(rows, columns)
    return rows


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
