"""Some rows of a table, kept in memory, and the job that asks one processor about them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace

import polars as pl
from msgspec import structs

from rowcite.api.bodies import REPEAT
from rowcite.ledger import Ledger
from rowcite.model import StoredRun
from rowcite.pipeline.job import Job, make_job
from rowcite.table.reader import Reader
from rowcite.table.sources import Rows, Source


class SomeRows:
    """The rows of a table that `pick` chooses: it gets a part and the number of rows before it, and returns places in the part.

    `numbers` are the rows' places in the table; 1 is the first.
    """

    def __init__(self, source: Source, pick: Callable[[Rows, int], list[int]]) -> None:
        self.format, self.files, self.separator = source.format, source.files, source.separator
        self.text_form, self.schema, self.arrow_schema = source.text_form, source.schema, source.arrow_schema
        self.faults = source.faults
        self.numbers: list[int] = []
        self._parts: list[Rows] = []
        before = 0
        for rows in source.batches():
            if places := pick(rows, before):
                self.numbers += [before + place + 1 for place in places]
                lines = [rows.lines[place] for place in places] if rows.lines is not None else None
                arrow = rows.arrow.take(places) if rows.arrow is not None else None
                kinds = rows.kinds[places] if rows.kinds is not None else None
                self._parts.append(Rows(rows.frame[places], arrow, lines, kinds))
            before += rows.frame.height

    @classmethod
    def by_number(cls, source: Source, numbers: set[int]) -> SomeRows:
        """Return the rows with these numbers."""
        return cls(
            source,
            lambda rows, before: [at for at in range(rows.frame.height) if before + at + 1 in numbers],
        )

    def kept(self, numbers: Container[int]) -> SomeRows:
        """Return those of these rows that have these numbers."""
        own = self.numbers
        return SomeRows(
            self,
            lambda rows, before: [at for at in range(rows.frame.height) if own[before + at] in numbers],
        )

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""
        yield from self._parts

    def keys_of(self, job: Job) -> list[bytes | None]:
        """Return the key of each row's task; None for a row that is not sent. `job` reads these rows."""
        keys = (batch.keys for batch in job.reader.batches(job.question))
        return pl.concat([pl.Series([], dtype=pl.Binary), *keys]).to_list()


def job_of(
    job: Job, rows: SomeRows, processor: str, escalate: tuple[str, ...] = (), *, again: bool = False
) -> Job:
    """Return the job that asks a processor, and those it escalates to, about some rows; `again`: for a second answer."""
    task = job.spec.task.model_copy(update={"processor": processor})
    spec = job.spec.model_copy(update={"task": task, "escalate": escalate})
    made = make_job(
        spec,
        Reader(rows, spec),
        str(job.question.named["api"]),
        fresh=job.fresh,
        retry_failed=job.retry_failed,
    )
    question = made.question
    if again:
        question = structs.replace(question, named={**question.named, REPEAT: 2})
    return replace(made, began=job.began, question=question)


def price(runs: Sequence[StoredRun], ledger: Ledger) -> int:
    """Return the price of a row's runs in micro-US$; of a run for several rows its share."""
    shares = ledger.packs(run.number for run in runs if not run.price)
    return sum(run.price for run in runs) + sum(round(whole / rows) for whole, rows in shares.values())
