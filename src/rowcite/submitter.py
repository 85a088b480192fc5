"""Gets tasks answered: batches of tasks become task groups, which are followed until every run has ended.

The order that keeps money safe: the intent is in the ledger before a POST, the run ids after it. A POST whose
answer is lost is not sent again before its group was counted and listed. Each batch has a group of its own, so
that the group's count of runs decides.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from rowcite.client import Client
from rowcite.errors import ApiError, ApiRefused, NotThere, OutOfCredit, Retriable, Unfinished
from rowcite.follow import Follower
from rowcite.keys import canonical
from rowcite.ledger import Ended, Ledger, OpenBatch
from rowcite.match import listed
from rowcite.model import RunState, Task
from rowcite.prices import usd
from rowcite.progress import Progress
from rowcite.wire import Question, runs_body

MOST_RUNS = 1_000
"""The API takes so many runs a POST."""
_NO_SUCH_PROCESSOR = 403


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms tasks are submitted. Money is micro-US$, times are seconds."""

    processor: str
    price: int
    active_runs: int = 10_000
    budget: int | None = None
    local: bool = False
    """A group that the API does not know is a local server's that is gone, and cost nothing: ask again."""
    gather: float = 4.0
    """How long an answer may wait for others to be fetched with it."""
    sweep: float = 60.0
    """How often to look at a group although its event stream says nothing."""
    settle: float = 30.0
    """How long after a POST whose answer was lost its runs may still come to light."""
    settle_refused: float = 1.0
    """The same after a POST that was refused in so many words."""
    unexplained: float = 1_800.0
    """How long to look for runs that the API counts but does not list."""
    refusals: int = 10
    """So many tasks refused one by one, and none ever taken: the spec is at fault, not the rows."""


class Submitter:
    """One submission: call `submit` once.

    Whatever it raises, what had arrived by then is in the ledger.
    """

    def __init__(self, client: Client, ledger: Ledger, terms: Terms, progress: Progress) -> None:
        self.client, self.ledger, self.terms, self.progress = client, ledger, terms, progress
        self.spent = 0
        self.submitted = 0
        self._active = 0  # runs that hold a place under `active_runs`
        self._running = 0  # jobs: batches being sent or followed
        self._changed = asyncio.Event()
        self._again: deque[list[Task]] = deque()  # tasks that were not created: to be sent again
        self._refusals = 0
        self._no_credit: OutOfCredit | None = None  # 402 came: wait for what is under way, then try again
        self._over: OutOfCredit | None = None

    async def submit(self, asked: Question, tasks: Iterable[Task]) -> None:
        """Get every task answered, and every run that an earlier command left open.

        `tasks` is read after it is known what that command had created.

        Raises:
            OutOfCredit: budget or credit allow no more; what was under way has been awaited.
            RowciteError: the API failed, see `rowcite.errors`.
        """
        number = self.ledger.question(asked.fingerprint, canonical(asked.named))
        try:
            async with asyncio.TaskGroup() as jobs:
                for batch in await self._left_open(asked.named["api"]):
                    self._start(jobs, self._follow(batch), len(batch.open))
                await self._feed(jobs, asked, number, self._batches(tasks))
        except BaseExceptionGroup as group:
            raise _first(group) from group
        if self._over is not None:
            raise self._over

    # --- jobs ----------------------------------------------------------------------------------------

    async def _feed(self, jobs: asyncio.TaskGroup, asked: Question, number: int, fresh: Iterator[list[Task]]) -> None:
        """Start a job a batch, as fast as `active_runs` allows, until nothing is left and no job is running."""
        while True:
            some = None
            if self._over is None and (self._no_credit is None or not self._running):
                some = self._again.pop() if self._again else next(fresh, None)
            if some is None:
                if not self._running:
                    return
                await self._change()
                continue
            if not self._affordable(len(some)):
                continue
            while self._active and self._active + len(some) > self.terms.active_runs:
                await self._change()
            self._start(jobs, self._send(asked, number, some), len(some))

    def _start(self, jobs: asyncio.TaskGroup, job: Coroutine[None, None, None], runs: int) -> None:
        async def counted() -> None:
            try:
                await job
            finally:
                self._running -= 1
                self._changed.set()

        self._running += 1
        self._active += runs
        jobs.create_task(counted())

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _freed(self, runs: int) -> None:
        self._active -= runs
        self._changed.set()

    def _batches(self, tasks: Iterable[Task]) -> Iterator[list[Task]]:
        size, source = min(MOST_RUNS, self.terms.active_runs), iter(tasks)
        while some := list(islice(source, size)):
            yield some

    def _affordable(self, runs: int) -> bool:
        cost = runs * self.terms.price
        if self.terms.budget is None or self.spent + cost <= self.terms.budget:
            self.spent += cost
            return True
        self._over = OutOfCredit(
            f"stopped: {runs:,} more runs at {usd(self.terms.price)} would pass what may be spent"
            f" ({usd(self.terms.budget)}, of which {usd(self.spent)} is spent). Raise limits.max_cost_usd,"
            " limits.max_total_usd or --max-cost to go on"
        )
        return False

    # --- one batch -----------------------------------------------------------------------------------

    async def _send(self, asked: Question, number: int, tasks: list[Task]) -> None:
        """Create a group, write the intent, create the runs, follow them to their end."""
        terms = self.terms
        group_id = await self.client.create_group()
        batch = self.ledger.intend(number, group_id, tasks, processor=terms.processor, price=terms.price)
        refused: ApiRefused | OutOfCredit | None = None
        try:
            run_ids = await self.client.add_runs(group_id, runs_body(asked, tasks))
            self.ledger.answered(batch.id, run_ids)
            batch.unsure = len(run_ids) != len(tasks)
        except Retriable as error:
            if not error.sent or error.status == 429:
                self._uncreated(batch, set(batch.open))
                raise ApiError(f"{error}. Nothing was created; run again to go on", status=error.status) from error
            self.progress.say(f"the answer to creating {len(tasks)} runs was lost ({error}): looking up what was created")
        except (ApiRefused, OutOfCredit) as error:
            refused = error
        unsent = await self._settled(batch, terms.settle_refused if refused else terms.settle)
        if unsent and len(tasks) == 1 and isinstance(refused, ApiRefused) and refused.status != _NO_SUCH_PROCESSOR:
            self._refused(batch, tasks[0], refused)
        else:
            self._uncreated(batch, unsent)
            self._send_again([task for task in tasks if task.key in unsent], refused, alone=not batch.open)
        if batch.open:
            self._no_credit = None
            self.submitted += len(batch.open)
            self.progress.submitted(len(batch.open), self.spent)
        await self._follow(batch)

    async def _settled(self, batch: OpenBatch, settle: float) -> set[bytes]:
        """Make sure which runs of a batch exist; return the keys of those that do not."""
        if not batch.unsure:
            return set()
        found = await self._found(batch, settle)
        if found is None:
            self.ledger.sent(batch.id)
            missing: set[bytes] = set()
        else:
            self.ledger.seen(batch.id, found.items())
            missing = batch.open - found.keys()
        batch.unsure = False
        return missing

    async def _found(self, batch: OpenBatch, settle: float) -> dict[bytes, str] | None:
        """Find out what a POST created: run ids by key, or None for everything.

        Runs may come to light late, and the API may list ended runs only. So nothing counts as not created
        before `settle` seconds have passed and every run that the group counts is accounted for.
        """
        began, pause = time.time(), 0.5
        while True:
            count = (await self.client.group(batch.group_id)).status.num_task_runs
            if count >= len(batch.inputs):
                return None
            found = await listed(self.client, batch, count)
            late = time.time() - batch.created_at
            if len(found) >= count and late >= settle:
                return found
            if time.time() - began > self.terms.unexplained:
                raise Unfinished(
                    f"task group {batch.group_id}: the API counts {count} runs and lists {len(found)}, so it is not known"
                    " which tasks it is working on. Nothing is sent twice: run again later to go on"
                )
            await asyncio.sleep(min(pause, max(settle - late, 0.5)))
            pause = min(pause * 2, 30.0)

    def _uncreated(self, batch: OpenBatch, keys: set[bytes]) -> None:
        """Give back the money and the places of runs that were never created."""
        self._forget(batch, keys)
        self.spent -= len(keys) * self.terms.price
        self._freed(len(keys))

    def _forget(self, batch: OpenBatch, keys: set[bytes]) -> None:
        self.ledger.uncreated(batch.id, keys)
        batch.inputs = {key: text for key, text in batch.inputs.items() if key not in keys}
        batch.open -= keys

    def _send_again(self, tasks: list[Task], refused: ApiRefused | OutOfCredit | None, *, alone: bool) -> None:
        """Queue tasks that were not created. Of a refused batch the halves: one bad row must not sink the others."""
        if not tasks:
            return
        if isinstance(refused, ApiRefused):
            if refused.status == _NO_SUCH_PROCESSOR:
                raise refused
            half = len(tasks) // 2
            self._again.extend([tasks[half:], tasks[:half]])
            return
        if refused is not None:
            self._no_credit = refused
            if alone and self._running == 1:
                self._over = refused  # nothing is under way that could give credit back
        self._again.append(tasks)

    def _refused(self, batch: OpenBatch, task: Task, error: ApiRefused) -> None:
        self._refusals += 1
        if not self.submitted and self._refusals >= self.terms.refusals:
            self._uncreated(batch, {task.key})
            raise error
        self.ledger.refused(batch.id, task.key, str(error), error.ref_id)
        self.spent -= self.terms.price
        batch.open.discard(task.key)
        self._freed(1)
        self.progress.ended(0, 1)

    async def _left_open(self, api: str) -> list[OpenBatch]:
        """Return what an earlier command left under way, after finding out what it really created."""
        batches = []
        for batch in self.ledger.open_batches():
            if batch.api != api:
                self.progress.say(f"{len(batch.open)} runs are still open at {batch.api}: run against it to collect them")
                continue
            try:
                if self.terms.local:
                    await self.client.group(batch.group_id)
                self._forget(batch, await self._settled(batch, self.terms.settle))
                batches.append(batch)
            except NotThere:
                if not self.terms.local:
                    raise
                self.ledger.lost(batch.id)
        return batches

    async def _follow(self, batch: OpenBatch) -> None:
        def saved(ended: list[Ended]) -> None:
            completed = sum(item.state is RunState.COMPLETED for item in ended)
            self._freed(len(ended))
            self.progress.ended(completed, len(ended) - completed)

        terms = self.terms
        follower = Follower(self.client, self.ledger, batch, saved, gather=terms.gather, sweep=terms.sweep)
        await follower.follow()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that a group of jobs failed with: the first, for the others were stopped by it."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
