"""Plan, submit, write: the few calls in a row that make a run.

From command to request in four hops: cli -> pipeline -> submitter -> client. Answers reach the table only
through the ledger, so a fresh run, a resumed one and a re-merge take one path.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from rowcite.client import Client
from rowcite.errors import OutOfCredit, Unfinished
from rowcite.ledger import Ledger
from rowcite.limits import spec_warnings
from rowcite.merge import added, added_schema
from rowcite.model import Counts, RowStatus, RunState, Task, TaskKey
from rowcite.pace import Pace
from rowcite.prices import MICRO, known, usd
from rowcite.progress import Progress
from rowcite.reader import Batch, Reader
from rowcite.spec import Spec
from rowcite.submitter import MOST_RUNS, Submitter
from rowcite.terms import Terms
from rowcite.wire import Question, question, runs_body
from rowcite.writer import TableWriter, output_format

_UNDER_WAY = (RunState.INTENDED, RunState.SUBMITTED)
_REQUESTS_A_BATCH = 4  # create the group, add the runs, follow the events, read the answers


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done: a spec, a table, and who is asked.

    `api` names who is asked for the ledger (a base URL, or `local:` and a digest). `fresh` ignores what is
    stored, `retry_failed` asks again what has failed.
    """

    spec: Spec
    reader: Reader
    asked: Question
    fresh: bool = False
    retry_failed: bool = False
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


def make_job(spec: Spec, reader: Reader, api: str, *, fresh: bool = False, retry_failed: bool = False) -> Job:
    """Put a job together. `api` says who is asked."""
    return Job(spec, reader, question(spec, reader.types, api), fresh=fresh, retry_failed=retry_failed)


def plan(job: Job, ledger: Ledger) -> Plan:
    """Read the table once and say what a run would do. Spends nothing, writes nothing."""
    statuses: Counter[str] = Counter()
    found: Counter[RunState | None] = Counter()  # None: to be submitted
    sample: Task | None = None
    for batch, fresh in _new_tasks(job, ledger):
        statuses.update(status or "asked" for status in batch.status)
        for key, state in fresh.items():
            wanted = _wanted(job, state)
            if sample is None or (wanted and not found[None]):
                sample = Task(key, batch.tasks[key])
            found[None if wanted else state] += 1
    to_submit, answered = found[None], found[RunState.COMPLETED]
    under_way = sum(found[state] for state in _UNDER_WAY)
    return Plan(
        rows=statuses.total(),
        skipped=statuses[RowStatus.SKIPPED],
        too_long=statuses[RowStatus.FAILED],
        tasks=found.total(),
        answered=answered,
        under_way=under_way,
        failed=found.total() - to_submit - under_way - answered,
        to_submit=to_submit,
        answered_otherwise=ledger.answered_otherwise(job.asked.fingerprint),
        price=job.price,
        requests=-(-to_submit // min(MOST_RUNS, job.spec.limits.active_runs)) * _REQUESTS_A_BATCH,
        seconds=_seconds(job, to_submit),
        sample=runs_body(job.asked.shown, [sample]).decode() if sample else None,
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
    job: Job, ledger: Ledger, base_url: str, key: str | None, *, budget: int, progress: Progress, tally: Tally
) -> None:
    """Get every task answered that is not.

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
                await submitter.submit(job.asked, unanswered(job, ledger))
        except TimeoutError:
            raise Unfinished(
                f"the deadline of {limits.deadline} came with work left. What was answered is saved: run again to go on"
            ) from None
        finally:
            tally.submitted, tally.requests = submitter.submitted, pace.requests


def unanswered(job: Job, ledger: Ledger) -> Iterator[Task]:
    """Yield the tasks that a run submits, each once, as the ledger stands while they are read."""
    for batch, fresh in _new_tasks(job, ledger):
        yield from (Task(key, batch.tasks[key]) for key, state in fresh.items() if _wanted(job, state))


def merged(job: Job, ledger: Ledger, *, native: bool) -> Iterator[tuple[Batch, pl.DataFrame]]:
    """Yield the table's batches with the columns that are added to each."""
    for batch in job.reader.batches(job.asked):
        yield batch, added(batch, ledger.held(batch.tasks), job.spec, native=native)


def write(job: Job, ledger: Ledger, target: str) -> Counts:
    """Write the table with what the ledger holds; return how many rows stand where."""
    from rowcite.reports import write_reports

    source = job.reader.source
    kind = output_format(target, source)
    native = kind in ("parquet", "jsonl")
    counts, reports = Counts(), job.spec.columns.reports
    folder: Path | None = job.spec.path(reports) if reports is not None else None
    with TableWriter(target, kind, source, added_schema(job.spec, native=native)) as writer:
        for batch, columns in merged(job, ledger, native=native):
            writer.write(batch.rows, columns)
            if folder is not None:  # as they were said: the formula guard is for spreadsheets
                said = added(batch, ledger.held(batch.tasks), job.spec, native=True)
                write_reports(folder, counts.rows, said)
            count(counts, columns)
    return counts


def count(counts: Counts, columns: pl.DataFrame) -> None:
    """Add a batch's rows to the counts."""
    counts.rows += columns.height
    for status, rows in columns["rowcite_status"].value_counts().iter_rows():
        setattr(counts, status, getattr(counts, status) + rows)


def _new_tasks(job: Job, ledger: Ledger) -> Iterator[tuple[Batch, dict[TaskKey, RunState | None]]]:
    """Yield each batch with where the tasks stand that no batch before it had."""
    had: set[bytes] = set()
    for batch in job.reader.batches(job.asked):
        keys = [key for key in batch.tasks if key not in had]
        had.update(keys)
        standing = ledger.standing(keys, since=job.since)
        yield batch, {key: standing.get(key) for key in keys}


def _wanted(job: Job, state: RunState | None) -> bool:
    if state is None:
        return True
    return (job.fresh or job.retry_failed) and state is not RunState.COMPLETED and state not in _UNDER_WAY


def _seconds(job: Job, runs: int) -> tuple[float, float] | None:
    processor = known(job.spec.task.processor)
    if processor is None or job.local or not runs:
        return None
    waves = -(-runs // job.spec.limits.active_runs)
    low, high = processor.seconds
    return low * waves, high * waves
