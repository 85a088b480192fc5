"""Plan, submit, write: the few calls in a row that make a run.

From command to request in four hops: cli -> pipeline -> submitter -> client. Answers reach the table only
through the ledger, so a fresh run, a resumed one and a re-merge take one path.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from rowcite.client import Client
from rowcite.columns import added_schema
from rowcite.errors import OutOfCredit, Unfinished
from rowcite.ledger import Ledger
from rowcite.limits import spec_warnings
from rowcite.merge import Merge
from rowcite.model import Counts, Task
from rowcite.pace import Pace
from rowcite.prices import MICRO, known, usd
from rowcite.progress import Progress
from rowcite.reader import Reader
from rowcite.source import Rows
from rowcite.spec import Spec
from rowcite.submitter import MOST_RUNS, Submitter
from rowcite.survey import Survey, survey, tasks_to_do
from rowcite.terms import Terms
from rowcite.wire import Question, question, runs_body
from rowcite.writer import TableWriter, output_format

MEMORY = 1 << 30
_REQUESTS_A_BATCH = 4  # create the group, add the runs, follow the events, read the answers


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done: a spec, a table, and who is asked.

    `api` names who is asked for the ledger (a base URL, or `local:` and a digest). `fresh` ignores what is
    stored, `retry_failed` asks again what has failed. `memory` is about how many bytes keys and answers may take.
    """

    spec: Spec
    reader: Reader
    asked: Question
    fresh: bool = False
    retry_failed: bool = False
    memory: int = MEMORY
    began: float = field(default_factory=time.time)

    @property
    def local(self) -> bool:
        """Tell whether the shipped server answers: then nothing costs anything."""
        return self.spec.backend == "local"

    @property
    def price(self) -> int:
        """Return what one run costs, in micro-US$."""
        if self.local:
            return 0
        name = self.spec.task.processor
        own, listed = self.spec.prices.get(name), known(name)
        return round(own * MICRO) if own is not None else listed.price if listed else 0

    @property
    def since(self) -> float:
        """Return the time (Unix seconds) that an answer must not be older than."""
        if self.fresh:
            return self.began
        age = self.spec.cache.max_age
        return self.began - age.total_seconds() if age else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Money is micro-US$; `seconds` is from and to, None where it is not known.

    `answered_otherwise` counts stored answers to other questions, which a changed spec has left behind.
    """

    rows: int
    skipped: int
    too_long: int
    tasks: int
    answered: int
    under_way: int
    failed: int
    to_submit: int
    answered_otherwise: int
    price: int
    requests: int
    seconds: tuple[float, float] | None
    sample: str | None
    warnings: list[str]

    @property
    def cost(self) -> int:
        """Return what is newly spent."""
        return self.to_submit * self.price


def make_job(  # noqa: PLR0913 - what is read, who is asked, and how
    spec: Spec,
    reader: Reader,
    api: str,
    *,
    fresh: bool = False,
    retry_failed: bool = False,
    memory: int = MEMORY,
) -> Job:
    """Put a job together. `api` says who is asked."""
    asked = question(spec, reader.types, api)
    return Job(spec, reader, asked, fresh=fresh, retry_failed=retry_failed, memory=memory)


def look(job: Job, ledger: Ledger) -> Survey:
    """Read the table once: what it holds, and what stands of it in the ledger."""
    batches = job.reader.batches(job.asked)
    again = job.fresh or job.retry_failed
    return survey(batches, ledger, since=job.since, again=again, room=job.memory // 2)


def plan(job: Job, ledger: Ledger, found: Survey | None = None) -> Plan:
    """Say what a run would do. Spends nothing, writes nothing. Reads the table, unless it was surveyed already."""
    found = found or look(job, ledger)
    to_submit = found.to_submit
    return Plan(
        rows=found.rows,
        skipped=found.skipped,
        too_long=found.too_long,
        tasks=found.tasks,
        answered=found.answered,
        under_way=found.under_way,
        failed=found.failed,
        to_submit=to_submit,
        answered_otherwise=ledger.answered_otherwise(job.asked.fingerprint),
        price=job.price,
        requests=-(-to_submit // min(MOST_RUNS, job.spec.limits.active_runs)) * _REQUESTS_A_BATCH,
        seconds=_seconds(job, to_submit),
        sample=runs_body(job.asked.shown, [found.sample]).decode() if found.sample else None,
        warnings=spec_warnings(job.spec),
    )


def check_budget(job: Job, planned: Plan, ledger: Ledger) -> int:
    """Return what this command may newly spend, in micro-US$.

    Raises:
        OutOfCredit: the plan costs more.
    """
    limits = job.spec.limits
    most = round(limits.max_cost_usd * MICRO)
    if planned.cost > most:
        raise OutOfCredit(
            f"{planned.to_submit:,} runs would cost {usd(planned.cost)}, and limits.max_cost_usd is {usd(most)}."
            " Nothing was submitted. Raise it, give --max-cost, or take fewer rows with --limit"
        )
    if limits.max_total_usd is None:
        return most
    left = round(limits.max_total_usd * MICRO) - ledger.spent()
    if planned.cost > left:
        raise OutOfCredit(
            f"{planned.to_submit:,} runs would cost {usd(planned.cost)}, and of limits.max_total_usd"
            f" {usd(max(left, 0))} is left. Nothing was submitted. Raise it to go on"
        )
    return min(most, left)


@dataclass(slots=True)
class Tally:
    """What a submission came to, right also when it ended early."""

    submitted: int = 0
    requests: int = 0


async def submit(  # noqa: PLR0913 - what a run is made of
    job: Job,
    ledger: Ledger,
    found: Survey,
    base_url: str,
    key: str | None,
    *,
    budget: int,
    progress: Progress,
    tally: Tally,
) -> None:
    """Get every task answered that is not, of those that were found in the table.

    Raises:
        Unfinished: the deadline came first.
        RowciteError: what the API said.
    """
    limits = job.spec.limits
    pace = Pace(limits.requests_per_minute, limits.concurrency)
    terms = Terms(
        processor=("local:" if job.local else "") + job.spec.task.processor,
        price=job.price,
        active_runs=limits.active_runs,
        budget=budget,
        local=job.local,
    )
    deadline = limits.deadline.total_seconds() if limits.deadline else None
    async with Client(base_url, key, pace, mcp=bool(job.spec.task.mcp_servers)) as client:
        submitter = Submitter(client, ledger, terms, progress)
        try:
            async with asyncio.timeout(deadline):
                await submitter.submit(job.asked, unanswered(job, ledger, found))
        except TimeoutError:
            raise Unfinished(
                f"the deadline of {limits.deadline} came with work left. What was answered is saved: run again to go on"
            ) from None
        finally:
            tally.submitted, tally.requests = submitter.submitted, pace.requests


def unanswered(job: Job, ledger: Ledger, found: Survey) -> Iterator[Task]:
    """Yield the tasks that a run submits, each once.

    What an earlier command left under way is looked at again when its turn comes: by then it is known what that
    command had really created.
    """
    for to_submit, unsure in tasks_to_do(job.reader.batches(job.asked), found):
        yield from to_submit
        standing = ledger.standing([task.key for task in unsure], since=job.since)
        yield from (task for task in unsure if task.key not in standing)


def merged(job: Job, ledger: Ledger, *, native: bool) -> Iterator[tuple[Rows, pl.DataFrame]]:
    """Yield the table's rows, some at a time, with the columns that are added to them."""
    table = job.reader.source.schema
    merge = Merge(job.spec, table, ledger, native=native, room=job.memory // 4)
    for batch in job.reader.batches(job.asked):
        yield from merge.parts(batch)


def write(job: Job, ledger: Ledger, target: str) -> Counts:
    """Write the table with what the ledger holds; return how many rows stand where."""
    source = job.reader.source
    kind = output_format(target, source)
    native = kind in ("parquet", "jsonl")
    counts, reports = Counts(), job.spec.columns.reports
    with TableWriter(target, kind, source, added_schema(job.spec, source.schema, native=native)) as writer:
        for rows, columns in merged(job, ledger, native=native):
            writer.write(rows, columns)
            count(counts, columns)
    if reports is not None:
        _write_reports(job, ledger, job.spec.path(reports))
    return counts


def _write_reports(job: Job, ledger: Ledger, folder: Path) -> None:
    """Write reports as they were said: the formula guard is for spreadsheets."""
    from rowcite.reports import write_reports

    rows = 0
    for _, columns in merged(job, ledger, native=True):
        write_reports(folder, rows, columns)
        rows += columns.height


def count(counts: Counts, columns: pl.DataFrame) -> None:
    """Add a batch's rows to the counts."""
    counts.rows += columns.height
    for status, rows in columns["rowcite_status"].value_counts().iter_rows():
        setattr(counts, status, getattr(counts, status) + rows)


def _seconds(job: Job, runs: int) -> tuple[float, float] | None:
    processor = known(job.spec.task.processor)
    if processor is None or job.local or not runs:
        return None
    waves = -(-runs // job.spec.limits.active_runs)
    low, high = processor.seconds
    return low * waves, high * waves
