"""Submit, write: the few calls in a row that make a run.

From command to request in four hops: cli -> pipeline -> submitter -> client. Answers reach the table only
through the ledger, so a fresh run, a resumed one and a re-merge take one path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rowcite.api.bodies import Question
from rowcite.api.client import Client
from rowcite.api.facts import usd
from rowcite.api.packing import packed, packs
from rowcite.api.rate_limit import RateLimiter
from rowcite.errors import Incomplete
from rowcite.ledger import Ledger
from rowcite.model import Task
from rowcite.pipeline.escalate import EscalationRound, climb
from rowcite.pipeline.job import Job
from rowcite.progress import Progress
from rowcite.submit.options import SubmitOptions
from rowcite.submit.submitter import Submitter, TaskSource
from rowcite.table.survey import Survey, tasks_to_do


@dataclass(slots=True)
class SubmissionCounts:
    """What a submission came to, right also when it ended early. `again` counts runs that asked again."""

    submitted: int = 0
    again: int = 0
    requests: int = 0


class Submission:
    """Gets a table's tasks answered: call `submit` once.

    `agree` is asked before a step up the ladder that more than half of the first answers would take.
    """

    def __init__(  # noqa: PLR0913 - what a run is made of
        self,
        job: Job,
        ledger: Ledger,
        *,
        budget: int,
        progress: Progress,
        tally: SubmissionCounts,
        agree: Callable[[EscalationRound], bool],
    ) -> None:
        self.job, self.ledger, self.progress, self.tally = job, ledger, progress, tally
        self._left, self._agree, self._spent = budget, agree, 0

    async def submit(self, found: Survey, base_url: str, key: str | None) -> None:
        """Get every task answered that is not, of those that were found, and ask again for what was not accepted.

        Raises:
            OutOfCredit: budget or credit allow no more.
            Incomplete: the deadline came first, or too many would be asked again.
            RowciteError: what the API said.
        """
        spec, limits = self.job.spec, self.job.spec.limits
        rate_limiter = RateLimiter(limits.requests_per_minute, limits.concurrency)
        deadline = limits.deadline.total_seconds() if limits.deadline else None
        together = spec.task.records_per_run > 1
        async with Client(
            base_url, key, rate_limiter, mcp=bool(spec.task.mcp_servers), per_element=together
        ) as client:
            try:
                async with asyncio.timeout(deadline):
                    await self._first(client, found)
                    for _ in spec.escalate:
                        if not await self._again(client):
                            break
            except TimeoutError:
                raise Incomplete(
                    f"the deadline of {limits.deadline} came with work left. What was answered is saved: run again to go on"
                ) from None
            finally:
                self.tally.requests = rate_limiter.requests

    async def _first(self, client: Client, found: Survey) -> None:
        """Ask the spec's own question: of several rows at once if it says so, then of those that got no answer so."""
        job, ledger, most = self.job, self.ledger, self.job.spec.task.records_per_run
        if most > 1:
            asked, alone = packed(job.question), list[Task]()
            some = _of_several(packs(asked, unanswered(job, ledger, found), most), alone)
            # `alone` fills while the packs are read, and they are read before it.
            await self._submit_sources(client, [self._source(asked, some), self._source(job.question, alone)])
        tasks = unanswered(job, ledger, found, left=most > 1)
        await self._submit_sources(client, [self._source(job.question, tasks)])

    def _source(self, asked: Question, tasks: Iterable[Task]) -> TaskSource:
        return TaskSource(
            asked, self.job.ledger_processor(self.job.spec.task.processor), self.job.price, tasks
        )

    async def _again(self, client: Client) -> bool:
        """Go one step up the ladder; tell whether there was one."""
        with TemporaryDirectory(prefix="rowcite-") as folder:
            rung = climb(self.job, self.ledger, Path(folder))
            if not rung.tasks:
                return False
            if rung.steep and not self._agree(rung):
                raise Incomplete(
                    f"stopped before asking again: of the first {rung.answers} answers {rung.left_open} were not accepted,"
                    f" and {rung.tasks:,} rows would be asked again of {', '.join(rung.processors)} for"
                    f" {usd(rung.cost)}. Look at `accept` (rowcite explain SPEC --row 1), or give --escalate-anyway"
                )
            whom = ", ".join(rung.processors)
            self.progress.more(rung.tasks, f"asking {whom} again for {rung.tasks:,} rows ({usd(rung.cost)})")
            before = self.tally.submitted
            try:
                await self._submit_sources(client, rung.sources())
            finally:
                self.tally.again += self.tally.submitted - before
        return True

    async def _submit_sources(self, client: Client, sources: Iterable[TaskSource]) -> None:
        job = self.job
        terms = SubmitOptions(
            processor=job.ledger_processor(job.spec.task.processor),
            price=job.price,
            active_runs=job.spec.limits.active_runs,
            budget=self._left,
            local=job.local,
        )
        submitter = Submitter(client, self.ledger, terms, self.progress, spent_before=self._spent)
        try:
            await submitter.submit_all(sources, api=job.question.named["api"])
        finally:
            self._left -= submitter.spent
            self._spent += submitter.spent
            self.tally.submitted += submitter.submitted


def _of_several(together: Iterable[Task], alone: list[Task]) -> Iterator[Task]:
    """Yield packs; put the row of one that holds no other to `alone`: it is asked the plain question."""
    for pack in together:
        if len(pack.members) > 1:
            yield pack
        else:
            alone += pack.members


def unanswered(job: Job, ledger: Ledger, found: Survey, *, left: bool = False) -> Iterator[Task]:
    """Yield the tasks that a run submits, each once; with `left`, those of them that do not stand in the ledger by now.

    What an earlier command left under way is looked at again when its turn comes: by then it is known what that
    command had really created.
    """
    for to_submit, unsure in tasks_to_do(job.reader.batches(job.question), found):
        if not left:
            yield from to_submit
        doubted = [*to_submit, *unsure] if left else unsure
        failed_since = job.began if left else 0.0  # what failed before this command was asked again by it
        standing = ledger.task_states(
            [task.key for task in doubted], not_before=job.not_before, failed_since=failed_since
        )
        yield from (task for task in doubted if task.key not in standing)
