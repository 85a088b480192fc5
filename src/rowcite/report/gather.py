"""From a job and its ledger to the facts of a report: one pass over the table, batch by batch.

What is kept is what the page shows, and 16 bytes a distinct task: a table of any length takes the same room but for those.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from urllib.parse import urlsplit

import polars as pl

from rowcite.api.facts import MICRO, PROCESSORS
from rowcite.ledger import Ledger
from rowcite.model import RowStatus
from rowcite.pipeline.job import Job
from rowcite.pipeline.row_groups import RowGroup, RowGroups
from rowcite.report.cells import Views, views
from rowcite.report.facts import Facts, Need, RowView
from rowcite.report.row_sample import Keeper
from rowcite.report.work import packs, spend, stored_before, timeline
from rowcite.spec.models import Spec
from rowcite.table.reader import Batch

MOST_ROWS = 1_000
_MOST_CAUSES = 500
_OTHER = "other causes"
_LABEL_CHARS = 300
_CAUSE_CHARS = 120
_REFERENCE = re.compile(r" \(ref_id [^)]*\)")
_VARYING = re.compile(r"""'[^']*'|"[^"]*"|\b[0-9a-f]{8,}\b|\b\w*\d{3,}\w*\b|\d[\d.,]*""")


def gather(
    job: Job, ledger: Ledger, *, most_rows: int = MOST_ROWS, decided: bool = True, table: str | None = None
) -> Facts:
    """Count the table as it stands by the ledger, and pick the rows for the page.

    `table` is where the table was read from instead of where the spec says; the page has no more of it than its name.
    Without `decided` the decisions of people are left out: a review lays them over its page itself.
    """
    return _Gathering(job, ledger, most_rows, decided=decided, table=table).facts()


class _Gathering:
    def __init__(self, job: Job, ledger: Ledger, most_rows: int, *, decided: bool, table: str | None) -> None:
        self._job, self._ledger = job, ledger
        self._settling = RowGroups(job, ledger, decided=decided)
        self._fields = self._settling.fields
        self._keeper = Keeper(most_rows)
        self._facts = Facts(
            name=job.spec.name,
            table=_name(table or job.spec.input.path),
            processor=job.spec.task.processor,
            local=job.local,
            price=job.price,
            made=time.time(),
            fields=self._fields,
            cells={field.name: Counter() for field in self._fields},
            ladder=tuple((name, _price(job.spec, name)) for name in job.spec.escalate),
        )

    def facts(self) -> Facts:
        facts, tasks, before = self._facts, set[bytes](), 0
        for batch, settled in self._settling.batches():
            self._take_unasked(batch, before)
            for item in settled:
                tasks.add(item.key)
                self._take(batch, before, item)
            before += batch.keys.len()
        facts.rows, facts.tasks = self._keeper.rows(), len(tasks)
        facts.spend, facts.packs = spend(self._ledger), packs(self._ledger)
        facts.timeline = timeline(self._ledger)
        facts.warnings, facts.stored = self._ledger.warnings(), stored_before(self._ledger, tasks)
        return facts

    # --- answers -----------------------------------------------------------------------------------------

    def _take(self, batch: Batch, before: int, item: RowGroup) -> None:
        facts, rows = self._facts, len(item.rows)
        seen = views(item.resolved, self._fields, item.decisions)
        facts.asked += rows
        self._count(seen, rows)
        if seen.needs:
            facts.needing += rows
            facts.needs.update(dict.fromkeys(seen.needs, rows))
        what = (item.key, repr(item.given))
        if not self._keeper.again(what, rows) and self._keeper.wants(seen.needs):
            self._keeper.keep(self._row(batch, before, item, seen), what)

    # --- counting ----------------------------------------------------------------------------------------

    def _count(self, seen: Views, rows: int) -> None:
        facts = self._facts
        self._status(seen.status, rows)
        for field, cell in zip(self._fields, seen.cells, strict=True):
            facts.cells[field.name][cell.standing] += rows
            if cell.refused is not None:
                self._cause(RowStatus.REJECTED, cell.refused, rows)
            for domain in {_domain(citation.url) for citation in cell.citations} - {""}:
                facts.domains[domain] += rows
        if seen.error and not any(cell.refused for cell in seen.cells):
            self._cause(seen.status, seen.error, rows)

    def _status(self, status: str, rows: int) -> None:
        counts = self._facts.counts
        counts.rows += rows
        setattr(counts, status, getattr(counts, status) + rows)

    def _cause(self, status: str, why: str, rows: int) -> None:
        """Count a cause, with what varies from row to row taken out of it."""
        causes = self._facts.causes
        cause = (status, _VARYING.sub("…", _REFERENCE.sub("", why))[:_CAUSE_CHARS])
        if cause not in causes and len(causes) >= _MOST_CAUSES:
            cause = (status, _OTHER)
        causes[cause] += rows

    def _take_unasked(self, batch: Batch, before: int) -> None:
        """Count the rows of a batch that are not asked about; those too long to send need a person."""
        rows = pl.DataFrame({"status": batch.status, "why": batch.why, "key": batch.keys}).with_row_index(
            "row"
        )
        unasked = rows.filter(pl.col("key").is_null())
        for status, why, count in unasked.group_by("status", "why", maintain_order=True).len().iter_rows():
            self._status(status, count)
            self._cause(status, why or "", count)
        failed = unasked.filter(pl.col("status") == RowStatus.FAILED.value)
        self._facts.needing += failed.height
        self._facts.needs[Need.FAILED] += failed.height
        for row, status, why, _ in failed.iter_rows():
            if self._keeper.wants((Need.FAILED,)):
                label, given = self._label(batch, row, before + row + 1)
                self._keeper.keep(
                    RowView(before + row + 1, None, label, given, status, why, None, None, (Need.FAILED,))
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
            seen.needs,
            seen.cells,
            same=len(item.rows) - 1,
        )

    def _label(self, batch: Batch, row: int, number: int) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return what a row is called, and the columns that describe it with their values."""
        inputs = self._job.spec.task.inputs
        columns = (
            list(dict.fromkeys(item.column for item in inputs.values()))
            if inputs
            else batch.rows.frame.columns[:6]
        )
        values = batch.rows.frame.select(columns).row(row)
        given = tuple(
            (name, str(value)[:_LABEL_CHARS])
            for name, value in zip(columns, values, strict=True)
            if value is not None and str(value).strip() and value not in self._job.spec.input.csv.null_values
        )
        return (given[0][1] if given else f"row {number}"), given


def _name(path: str | None) -> str:
    """Return a table's name, without the folders, the host and the secrets of its address."""
    if path is None or path == "-":
        return "stdin" if path else "a frame"
    return path.partition("?")[0].rstrip("/").rpartition("/")[2] or "the table"


def _price(spec: Spec, processor: str) -> int:
    own, listed = spec.prices.get(processor), PROCESSORS.get(processor)
    return round(own * MICRO) if own is not None else listed.price if listed else 0


def _domain(url: str) -> str:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").removeprefix("www.")[:100] if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""
