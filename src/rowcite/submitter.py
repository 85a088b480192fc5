"""Gets tasks answered: batches of tasks become task groups, which are followed until every run has ended.

The order that keeps money safe: the intent is in the ledger before a POST, the run ids after it. A POST whose
answer is lost is not sent again before its group was counted and listed. Each batch has a group of its own, so
that the group's count of runs decides.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from rowcite.client import Client
from rowcite.errors import ApiError, ApiRefused, NotThere, OutOfCredit, Retriable, RowciteError, Unfinished
from rowcite.follow import Follower
from rowcite.keys import canonical
from rowcite.ledger import Ledger
from rowcite.match import created
from rowcite.model import RunState, Task
from rowcite.prices import usd
from rowcite.progress import Progress
from rowcite.records import Ended, OpenBatch
from rowcite.terms import Terms
from rowcite.wire import LOCAL, Question, runs_body

MOST_RUNS = 1_000
"""The API takes so many runs a POST."""
_THROTTLED = 429
_NO_SUCH_PROCESSOR = 403
_Problem = ApiRefused | OutOfCredit | Retriable


@dataclass(frozen=True, slots=True)
class _Part:
    """Tasks for one POST. `losses`: so many POSTs with them came to nothing, for no reason that was given."""

    tasks: list[Task]
    losses: int = 0


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
        self._sending = 0  # of these, batches of which it is not yet known what was created
        self._size = min(MOST_RUNS, terms.active_runs)
        self._changed = asyncio.Event()
        self._again: deque[_Part] = deque()  # tasks that were not created: to be sent again
        self._refusals = 0
        self._doubt = False  # something was refused and nothing taken yet: one POST at a time
        self._no_credit = False  # 402 came: wait for what is under way, then one POST at a time
        self._stopped: RowciteError | None = None  # submit no more, and raise this in the end
        self._missing: RowciteError | None = None  # raise this in the end

    async def submit(self, asked: Question, tasks: Iterable[Task]) -> None:
        """Get every task answered, and every run that an earlier command left open.

        `tasks` is read after it is known what that command had created.

        Raises:
            OutOfCredit: budget or credit allow no more; what was under way has been awaited.
            Unfinished: the API does not know what an earlier command left open, or lists less than it counts.
            RowciteError: the API failed, see `rowcite.errors`.
        """
        number = self.ledger.question(asked.fingerprint, canonical(asked.named))
        try:
            async with asyncio.TaskGroup() as jobs:
                await self._resume(jobs, asked.named["api"])
                await self._feed(jobs, asked, number, self._parts(tasks))
        except BaseExceptionGroup as group:
            raise _first(group) from group
        if error := self._stopped or self._missing:
            raise error

    # --- jobs ----------------------------------------------------------------------------------------

    async def _feed(
        self, jobs: asyncio.TaskGroup, asked: Question, number: int, fresh: Iterator[_Part]
    ) -> None:
        """Start a job a batch, as fast as `active_runs` allows, until nothing is left and no job is running."""
        while True:
            part = self._next(fresh)
            if part is None:
                if not self._running:
                    return
                await self._change()
                continue
            runs = len(part.tasks)
            if not self._affordable(runs):
                continue
            while self._active and self._active + runs > self.terms.active_runs:
                await self._change()
            self._sending += 1
            self._start(jobs, partial(self._send, asked, number, part), runs)

    def _next(self, fresh: Iterator[_Part]) -> _Part | None:
        """Return what to send now, None to wait for a change."""
        if self._stopped or (self._no_credit and self._running) or (self._doubt and self._sending):
            return None
        return self._again.pop() if self._again else next(fresh, None)

    def _start(self, jobs: asyncio.TaskGroup, job: Callable[[], Awaitable[None]], runs: int) -> None:
        async def counted() -> None:
            try:
                await job()
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

    def _parts(self, tasks: Iterable[Task]) -> Iterator[_Part]:
        source = iter(tasks)
        while some := list(islice(source, self._size)):
            yield _Part(some)

    def _affordable(self, runs: int) -> bool:
        cost = runs * self.terms.price
        if self.terms.budget is None or self.spent + cost <= self.terms.budget:
            self.spent += cost
            return True
        self._stopped = OutOfCredit(
            f"stopped: {runs:,} more runs at {usd(self.terms.price)} would pass what may be spent"
            f" ({usd(self.terms.budget)}, of which {usd(self.spent)} is spent). Raise limits.max_cost_usd,"
            " limits.max_total_usd or --max-cost to go on"
        )
        return False

    # --- one batch -----------------------------------------------------------------------------------

    async def _send(self, asked: Question, number: int, part: _Part) -> None:
        """Create a group and its runs, and follow them to their end."""
        try:
            batch = await self._created(asked, number, part)
        finally:
            self._sending -= 1
            self._changed.set()
        if batch.open:
            self.progress.submitted(len(batch.open), self.spent)
        await self._follow(batch)

    async def _created(self, asked: Question, number: int, part: _Part) -> OpenBatch:
        """Write the intent, create the runs, and make sure which exist. Queue the tasks of those that do not."""
        terms, tasks = self.terms, part.tasks
        group_id = await self.client.create_group()
        batch = self.ledger.intend(number, group_id, tasks, processor=terms.processor, price=terms.price)
        alone = self._running == 1
        problem = await self._post(asked, batch, tasks)
        reason = isinstance(problem, ApiRefused | OutOfCredit)
        if _came_to_nothing(problem):
            unsent = set(batch.open)
        else:
            unsent = await self._settled(batch, terms.settle_refused if reason else terms.settle)
        taken = batch.open - unsent
        if taken:
            self.submitted += len(taken)
            self._doubt, self._no_credit = False, isinstance(problem, OutOfCredit)
        if (
            unsent
            and len(tasks) == 1
            and isinstance(problem, ApiRefused)
            and problem.status != _NO_SUCH_PROCESSOR
        ):
            self._refused(batch, tasks[0], problem)
            return batch
        self._uncreated(batch, unsent)
        left = _Part(
            [task for task in tasks if task.key in unsent], 0 if reason or taken else part.losses + 1
        )
        if left.tasks:
            self._send_again(left, problem, alone=alone and not taken and self._running == 1)
        return batch

    async def _post(self, asked: Question, batch: OpenBatch, tasks: list[Task]) -> _Problem | None:
        """Send the POST that costs money; return why it is not known, from the answer, that all runs exist."""
        body, sending = runs_body(asked, tasks), partial(self.ledger.sending, batch)
        try:
            run_ids = await self.client.add_runs(batch.group_id, body, sending=sending, many=len(tasks) > 1)
        except (ApiRefused, OutOfCredit, Retriable) as error:
            batch.sent_at = time.time()  # it was under way until now
            if isinstance(error, Retriable) and not _came_to_nothing(error):
                self.progress.say(
                    f"the answer to creating {len(tasks)} runs was lost ({error}): looking up what was created"
                )
            return error
        self.ledger.answered(batch.id, run_ids)
        batch.unsure = len(run_ids) != len(tasks)
        return None

    async def _settled(self, batch: OpenBatch, settle: float) -> set[bytes]:
        """Make sure which runs of a batch exist; return the keys of those that do not."""
        if not batch.unsure:
            return set()
        found = await created(self.client, batch, settle=settle, unexplained=self.terms.unexplained)
        if found is None:
            self.ledger.sent(batch.id)
            missing: set[bytes] = set()
        else:
            self.ledger.seen(batch.id, found.items())
            missing = batch.open - found.keys()
        batch.unsure = False
        return missing

    def _uncreated(self, batch: OpenBatch, keys: set[bytes]) -> None:
        """Give back the money and the places of runs that were never created."""
        self._forget(batch, keys)
        self.spent -= len(keys) * self.terms.price
        self._freed(len(keys))

    def _forget(self, batch: OpenBatch, keys: set[bytes]) -> None:
        self.ledger.uncreated(batch.id, keys)
        batch.open -= keys

    def _send_again(self, part: _Part, problem: _Problem | None, *, alone: bool) -> None:
        """Queue tasks that were not created, in halves: one bad row, or too little credit, must not sink the others.

        `alone`: nothing was under way when the API refused them, nor is now.
        """
        if isinstance(problem, OutOfCredit):
            self._no_credit = True
            if not alone:  # what is under way may give credit back
                self._again.append(part)
                return
            if len(part.tasks) == 1:
                self._stopped = problem
                return
        elif isinstance(problem, ApiRefused):
            self._doubt = not self.submitted
            if problem.status == _NO_SUCH_PROCESSOR:
                raise ApiRefused(
                    f"{problem}. Is there a processor {self.terms.processor!r}, for this key?", status=403
                )
        elif part.losses >= self.terms.losses or (isinstance(problem, Retriable) and not problem.sent):
            raise ApiError(
                f"{problem or 'the API created no runs'}. Run again to go on",
                status=problem.status if problem else 0,
            )
        elif isinstance(problem, Retriable) and problem.status == _THROTTLED:
            self._size = max(
                1, min(self._size, len(part.tasks) // 2)
            )  # it may be the runs that the API counts
        half = -(-len(part.tasks) // 2)
        for some in (part.tasks[half:], part.tasks[:half]):
            if some:
                self._again.append(_Part(some, part.losses))

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

    async def _resume(self, jobs: asyncio.TaskGroup, api: str) -> None:
        """Follow what an earlier command left under way, after finding out what it really created."""
        for batch in sorted(self.ledger.open_batches(), key=lambda batch: batch.unsure):
            if batch.api != api and batch.api.startswith(LOCAL):
                self.ledger.lost(batch.id)  # a local server over other documents: gone when its command ended
                continue
            if batch.api != api:
                self.progress.say(
                    f"{len(batch.open)} runs are still open at {batch.api}: run against it to collect them"
                )
                continue
            try:
                await self.client.group(batch.group_id)
                self._forget(batch, await self._settled(batch, self.terms.settle))
            except NotThere as error:
                self._gone(batch, error)
            else:
                self._start(jobs, partial(self._follow, batch), len(batch.open))

    def _gone(self, batch: OpenBatch, error: NotThere) -> None:
        if self.terms.local:
            self.ledger.lost(batch.id)
            return
        self._missing = Unfinished(
            f"{error}. An earlier command left {len(batch.open)} runs in this task group, and it is not known what became of"
            " them. Their rows stay pending, and nothing is sent twice: run again later, or ask the API's support"
        )

    async def _follow(self, batch: OpenBatch) -> None:
        def saved(ended: list[Ended]) -> None:
            completed = sum(item.state is RunState.COMPLETED for item in ended)
            self._freed(len(ended))
            self.progress.ended(completed, len(ended) - completed)

        terms = self.terms
        follower = Follower(self.client, self.ledger, batch, saved, gather=terms.gather, sweep=terms.sweep)
        await follower.follow()


def _came_to_nothing(problem: _Problem | None) -> bool:
    """Tell whether a POST certainly created nothing: it never got there, or was turned away at the door."""
    return isinstance(problem, Retriable) and (not problem.sent or problem.status == _THROTTLED)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that a group of jobs failed with: the first, for the others were stopped by it."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
