"""Gathers the facts of a report from a job and its ledger, in one pass over the table, batch by batch.

Memory holds the rows on the page and 16 bytes for each distinct task.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import polars as pl

from rowcite.ledger import Ledger
from rowcite.model import ANSWERED_ROWS, RowStatus
from rowcite.pipeline.input_changes import check_unchanged, with_table_of_now
from rowcite.pipeline.job import Job
from rowcite.report.cells import Views, views
from rowcite.report.facts import Facts, ReviewReason, RowView
from rowcite.report.outcomes import OutcomeCounter
from rowcite.report.row_sample import RowSample
from rowcite.report.what_changed import since_then
from rowcite.report.work import stored_before, timeline
from rowcite.rows.resolver import RowGroup, RowResolver
from rowcite.table.coverage import MOST_REASONS, OTHER, reasons_in
from rowcite.table.reader import Batch
from rowcite.table.sources.members import own_texts

MOST_ROWS = 1_000
FurtherReasons = Callable[[bytes, Sequence[int], Views], tuple[ReviewReason, ...]]
"""Returns further reasons to review some rows that resolve alike: from their task's key, their numbers and their cells."""

_LABEL_CHARS = 300


def gather(  # noqa: PLR0913 - what a page needs, by name
    job: Job,
    ledger: Ledger,
    *,
    most_rows: int = MOST_ROWS,
    decided: bool = True,
    table: str | None = None,
    since: float | None = None,
    also: FurtherReasons | None = None,
) -> Facts:
    """Count the rows and cells of a table by its ledger, and choose the rows for the page.

    `table` is the path that replaced the spec's `input.path`; the page shows only its last part. Without `decided`,
    decisions are not applied: the review applies them to its own page, and adds its reasons with `also`. With `since` (Unix seconds), the facts have what changed since then.

    Raises:
        TableChanged: the table has another header than when the command began, or keeps changing.
    """

    def gather_now(now: Job) -> Facts:
        facts = _Gathering(now, ledger, most_rows, decided=decided, table=table, also=also).facts()
        facts.changes = None if since is None else since_then(now, ledger, since)
        check_unchanged(now)
        return facts

    return with_table_of_now(job, gather_now)


class _Gathering:
    def __init__(  # noqa: PLR0913 - as `gather`
        self,
        job: Job,
        ledger: Ledger,
        most_rows: int,
        *,
        decided: bool,
        table: str | None,
        also: FurtherReasons | None,
    ) -> None:
        self._job, self._ledger, self._also = job, ledger, also
        self._resolver = RowResolver(job.spec, job.reader.source.schema, ledger, decided=decided)
        self._fields = self._resolver.fields
        self._sample = RowSample(most_rows)
        self._outcomes = OutcomeCounter(self._resolver, ledger, packed=job.spec.task.records_per_run > 1)
        self._facts = Facts(
            name=job.spec.name,
            table=_name(table or job.spec.input.path),
            processor=job.spec.task.processor,
            local=job.local,
            price=job.price,
            made=time.time(),
            fields=self._fields,
            cells={field.name: Counter() for field in self._fields},
            escalation=tuple((name, job.price_of(name)) for name in job.spec.escalate),
        )

    def facts(self) -> Facts:
        facts, tasks, before = self._facts, set[bytes](), 0
        for batch in self._job.reader.batches(self._job.question):
            self._add_skipped(batch, before)
            for item in self._resolver.groups(batch.keys, batch.rows.frame):
                if item.key not in tasks:
                    tasks.add(item.key)
                    plain = not (item.given or item.decisions)
                    self._outcomes.add(item.runs, item.resolved if plain else None)
                self._add(batch, before, item)
            before += batch.keys.len()
        facts.rows, facts.tasks = self._sample.rows(), len(tasks)
        facts.spend, facts.packs = self._ledger.spend_by_processor(), self._ledger.packing()
        facts.outcomes, facts.timeline = self._outcomes.found, timeline(self._ledger)
        facts.warnings, facts.stored = self._ledger.warnings(), stored_before(self._ledger, tasks)
        return facts

    # --- answers -----------------------------------------------------------------------------------------

    def _add(self, batch: Batch, before: int, item: RowGroup) -> None:
        facts, rows = self._facts, len(item.rows)
        seen = views(item.resolved, self._fields, item.decisions)
        if self._also is not None:
            more = self._also(item.key, [before + row + 1 for row in item.rows], seen)
            seen = replace(seen, reasons=(*more, *seen.reasons))
        facts.requested += rows
        self._count(seen, rows)
        if seen.reasons:
            facts.to_review += rows
            facts.reasons.update(dict.fromkeys(seen.reasons, rows))
        content = (item.key, repr(item.given))
        if not self._sample.add_duplicate(content, rows) and self._sample.has_room_for(seen.reasons):
            self._sample.add(self._row(batch, before, item, seen), content)

    # --- counting ----------------------------------------------------------------------------------------

    def _count(self, seen: Views, rows: int) -> None:
        facts = self._facts
        self._status(seen.status, rows)
        for field, cell in zip(self._fields, seen.cells, strict=True):
            if seen.status in ANSWERED_ROWS:
                facts.cells[field.name][cell.state] += rows
            for domain in {_domain(citation.url) for citation in cell.citations} - {""}:
                facts.domains[domain] += rows
        self._reasons(seen.status, seen.error, rows)

    def _status(self, status: str, rows: int) -> None:
        self._facts.counts[RowStatus(status)] += rows

    def _reasons(self, status: str, error: str | None, rows: int) -> None:
        """Count each reason in an error, as the summary of a run counts them."""
        causes = self._facts.causes
        for reason in reasons_in(error) if error else ():
            known = (status, reason) in causes or len(causes) < MOST_REASONS
            causes[status, reason if known else OTHER] += rows

    def _add_skipped(self, batch: Batch, before: int) -> None:
        """Count the rows of a batch that have no task; rows too long to send need review."""
        rows = pl.DataFrame({"status": batch.status, "why": batch.why, "key": batch.keys}).with_row_index(
            "row"
        )
        without_task = rows.filter(pl.col("key").is_null())
        for status, why, count in (
            without_task.group_by("status", "why", maintain_order=True).len().iter_rows()
        ):
            self._status(status, count)
            self._reasons(status, why, count)
        failed = without_task.filter(pl.col("status") == RowStatus.FAILED.value)
        self._facts.to_review += failed.height
        self._facts.reasons[ReviewReason.FAILED] += failed.height
        for row, status, why, _ in failed.iter_rows():
            if self._sample.has_room_for((ReviewReason.FAILED,)):
                label, given = self._label(batch, row, before + row + 1)
                self._sample.add(
                    RowView(
                        before + row + 1, None, label, given, status, why, None, None, (ReviewReason.FAILED,)
                    )
                )

    # --- rows --------------------------------------------------------------------------------------------

    def _row(self, batch: Batch, before: int, item: RowGroup, seen: Views) -> RowView:
        number = before + item.rows[0] + 1
        label, given = self._label(batch, item.rows[0], number)
        return RowView(
            number,
            item.key,
            label,
            given,
            seen.status,
            seen.error,
            ", ".join(item.resolved.processors) or None,
            ", ".join(item.resolved.run_ids) or None,
            seen.reasons,
            seen.cells,
            duplicates=len(item.rows) - 1,
        )

    def _label(self, batch: Batch, row: int, number: int) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return a row's label, and its input columns with their values."""
        inputs = self._job.spec.task.inputs
        columns = (
            list(dict.fromkeys(item.column for item in inputs.values()))
            if inputs
            else batch.rows.frame.columns[:6]
        )
        values = own_texts(batch.rows.slice(row, 1), columns).row(0)
        given = tuple(
            (name, str(value)[:_LABEL_CHARS])
            for name, value in zip(columns, values, strict=True)
            if value is not None and str(value).strip() and value not in self._job.spec.input.csv.null_values
        )
        return (given[0][1] if given else f"row {number}"), given


def _name(path: str | None) -> str:
    """Return the last part of a table's path or URL, without folders, host and query."""
    if path is None or path == "-":
        return "stdin" if path else "a frame"
    return path.partition("?")[0].rstrip("/").rpartition("/")[2] or "the table"


def _domain(url: str) -> str:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").removeprefix("www.")[:100] if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""
