"""Gets tasks answered: which batch goes when, under budget, credit and the number of active runs.

A batch is a task group of its own: `rowcite.submit.create` creates its runs, `rowcite.submit.follow` follows them to their end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

from rowcite.api.bodies import LOCAL, Question
from rowcite.api.client import Client
from rowcite.api.facts import usd
from rowcite.api.keys import canonical
from rowcite.errors import ApiRefused, Incomplete, KeyRefused, NotFound, OutOfCredit, RowciteError
from rowcite.ledger import Ledger
from rowcite.model import ActiveBatch, EndedRun, RunState, Task
from rowcite.progress import Progress
from rowcite.submit.create import Created, Creator
from rowcite.submit.follow import Follower
from rowcite.submit.ledger_thread import LedgerThread
from rowcite.submit.options import SubmitOptions
from rowcite.submit.queue import Chunk, SendQueue, TaskSource
from rowcite.submit.results import RunResults

__all__ = ["Submitter", "TaskSource"]
_DRAIN_SECONDS = 10.0  # seconds that POSTs under way have to be answered when the door was shut


class Submitter:
    """One submission: call `submit` once.

    Whatever it raises, what had arrived by then is in the ledger.
    """

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        options: SubmitOptions,
        progress: Progress,
        *,
        spent_before: int = 0,
    ) -> None:
        self.client, self.ledger, self.options, self.progress = client, ledger, options, progress
        self._before = spent_before  # by the same command
        self._ledger_thread = LedgerThread()
        self._creator = Creator(client, ledger, self._ledger_thread, options, progress)
        self._queue = SendQueue(options)
        self._numbers: dict[bytes, int] = {}  # of questions in the ledger, by fingerprint
        self.spent = 0
        self._active = 0  # runs that hold a place under `active_runs`
        self._running = 0  # jobs: batches being sent or followed
        self._sending = 0  # of these, batches of which it is not yet known what was created
        self._changed = asyncio.Event()
        self._missing: RowciteError | None = None  # raise this in the end

    @property
    def submitted(self) -> int:
        """Return how many runs the API has taken."""
        return self._queue.submitted

    async def submit(self, asked: Question, tasks: Iterable[Task]) -> None:
        """Get every task of one question answered: `submit_all` for a single source, of the options' processor."""
        await self.submit_all(
            [TaskSource(asked, self.options.processor, self.options.price, tasks)], api=asked.named["api"]
        )

    async def submit_all(self, sources: Iterable[TaskSource], *, api: str) -> None:
        """Get every task of some sources answered, and every run that an earlier command left open at this API.

        Tasks are read after it is known what that command had created.

        Raises:
            OutOfCredit: budget or credit allow no more; what was under way has been awaited.
            Incomplete: the API does not know what an earlier command left open, or lists less than it counts.
            RowciteError: the API failed, see `rowcite.errors`.
        """
        self.client.rate_limiter.on_throttled = self._slowed
        try:
            async with asyncio.TaskGroup() as jobs:
                await self._resume(jobs, api)
                await self._feed(jobs, self._queue.chunks(sources))
        except BaseExceptionGroup as group:
            raise _first(group) from group
        if error := self._queue.stopped or self._missing:
            raise error

    def _slowed(self, rate: int) -> None:
        self.progress.say(f"the API turns requests away (429): going on at {rate:,} requests a minute")

    # --- jobs ----------------------------------------------------------------------------------------

    async def _feed(self, jobs: asyncio.TaskGroup, fresh: Iterator[Chunk]) -> None:
        """Start a job a batch, as fast as `active_runs` allows, until nothing is left and no job is running."""
        while True:
            chunk = await self._next(fresh)
            if chunk is None:
                if not self._running:
                    return
                await self._change()
                continue
            runs = len(chunk.tasks)
            if not self._affordable(runs, chunk.source.price):
                continue
            while self._active and self._active + runs > self.options.active_runs:
                await self._change()
            self._sending += 1
            self._start(jobs, partial(self._send, chunk), runs)

    async def _next(self, fresh: Iterator[Chunk]) -> Chunk | None:
        """Return what to send now, None to wait for a change."""
        queue = self._queue
        if queue.is_paused(running=self._running, sending=self._sending):
            return None
        if (chunk := queue.next()) is not None:
            return chunk
        if (chunk := await self._ledger_thread.call(next, fresh, None)) is not None:
            queue.put(chunk)
        if queue.is_paused(running=self._running, sending=self._sending):
            return None
        return queue.next()  # what came back meanwhile, or else the fresh one

    def _start(self, jobs: asyncio.TaskGroup, job: Callable[[], Awaitable[None]], runs: int) -> None:
        async def counted() -> None:
            try:
                await job()
            except Exception as error:
                if isinstance(first := _first(error), KeyRefused | ApiRefused):
                    self._queue.stopped = self._queue.stopped or first
                    await self._drain_posts()
                raise
            finally:
                self._running -= 1
                self._changed.set()

        self._running += 1
        self._active += runs
        jobs.create_task(counted())

    async def _drain_posts(self) -> None:
        """Let POSTs under way be answered: they find the same door shut, and then nothing is owed for them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._sending:
                    await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _freed(self, runs: int) -> None:
        self._active -= runs
        self._changed.set()

    def _affordable(self, runs: int, price: int) -> bool:
        cost = runs * price
        if self.options.budget is None or self.spent + cost <= self.options.budget:
            self.spent += cost
            return True
        self._queue.stopped = OutOfCredit(
            f"stopped: {runs:,} more runs at {usd(price)} would pass what may be spent"
            f" ({usd(self.options.budget)}, of which {usd(self.spent)} is spent). Raise limits.max_cost_usd,"
            " limits.max_total_usd or --max-cost to go on"
        )
        return False

    # --- one batch -----------------------------------------------------------------------------------

    async def _send(self, chunk: Chunk) -> None:
        """Create a group and its runs, and follow them to their end."""
        alone = self._running == 1
        try:
            number = await self._number(chunk.source.question)
            made = await self._creator.create(chunk.source, number, chunk.tasks)
            await self._count(chunk, made, alone=alone)
        except Incomplete as error:
            self._defer(error, len(chunk.tasks))
            return
        finally:
            self._sending -= 1
            self._changed.set()
        if made.batch.active:
            tasks = sum(map(made.batch.size, made.batch.active))
            self.progress.submitted(tasks, self._before + self.spent)
        await self._follow(made.batch)

    async def _number(self, asked: Question) -> int:
        """Return the number that the ledger knows a question by."""
        name = asked.fingerprint
        if name not in self._numbers:
            self._numbers[name] = await self._ledger_thread.call(
                self.ledger.record_question, name, canonical(asked.named)
            )
        return self._numbers[name]

    async def _count(self, chunk: Chunk, made: Created, *, alone: bool) -> None:
        """Draw the sum under a POST; queue the tasks that were not created."""
        batch, unsent, problem = made.batch, made.unsent, made.problem
        taken = len(batch.active) - len(unsent)
        if taken:
            self._queue.taken(chunk, taken, problem)
        if not unsent:
            return
        try:
            refusal = self._queue.refused(chunk, problem)
        except ApiRefused:
            await self._uncreated(batch, unsent, chunk.source.price)
            raise
        if refusal is not None:
            await self._refused(batch, chunk, refusal)
            return
        await self._uncreated(batch, unsent, chunk.source.price)
        alone = alone and not taken and self._running == 1
        self._queue.back(chunk, unsent, problem, taken=taken > 0, alone=alone)

    async def _uncreated(self, batch: ActiveBatch, keys: set[bytes], price: int) -> None:
        """Give back the money and the places of runs that were never created."""
        await self._creator.forget(batch, keys)
        self.spent -= len(keys) * price
        self._freed(len(keys))

    async def _refused(self, batch: ActiveBatch, chunk: Chunk, error: ApiRefused) -> None:
        task = chunk.tasks[0]
        await self._ledger_thread.call(self.ledger.mark_refused, batch.id, task.key, str(error), error.ref_id)
        self.spent -= chunk.source.price
        batch.active.discard(task.key)
        self._freed(1)
        self.progress.ended(0, 1)

    async def _resume(self, jobs: asyncio.TaskGroup, api: str) -> None:
        """Follow what an earlier command left under way, after finding out what it really created."""
        left = await self._ledger_thread.call(self.ledger.active_batches)
        for batch in sorted(left, key=lambda batch: batch.unsure):
            if batch.api != api and batch.api.startswith(LOCAL):
                # a local server over other documents: gone when its command ended
                await self._ledger_thread.call(self.ledger.mark_lost, batch.id)
                continue
            if batch.api != api:
                self.progress.say(
                    f"{len(batch.active)} runs are still open at {batch.api}: run against it to collect them"
                )
                continue
            try:
                await self.client.group(batch.group_id)
                await self._creator.forget(
                    batch, await self._creator.reconcile(batch, self.options.reconcile_after)
                )
            except NotFound as error:
                await self._mark_missing(batch, error)
            except Incomplete as error:
                self._missing = self._missing or error
            else:
                self._start(jobs, partial(self._follow, batch), len(batch.active))

    async def _follow(self, batch: ActiveBatch) -> None:
        """Follow a batch to its end. One that the API loses or is at odds with itself about stops no other."""

        def saved(ended: list[EndedRun]) -> None:
            self._freed(len(ended))
            tasks = sum(batch.size(item.key) for item in ended)
            completed = sum(batch.size(item.key) for item in ended if item.state is RunState.COMPLETED)
            self.progress.ended(completed, tasks - completed)

        results = RunResults(self._ledger_thread, self.ledger, batch, saved)
        try:
            await Follower(self.client, results, self.options).follow()
        except NotFound as error:
            await self._mark_missing(batch, error)
            self._freed(len(batch.active))
        except Incomplete as error:
            self._defer(error, len(batch.active))

    def _defer(self, error: Incomplete, runs: int) -> None:
        """Go on without these runs, and say so in the end."""
        self._missing = self._missing or error
        self._freed(runs)

    async def _mark_missing(self, batch: ActiveBatch, error: NotFound) -> None:
        if self.options.local:
            await self._ledger_thread.call(self.ledger.mark_lost, batch.id)
            return
        self._missing = self._missing or Incomplete(
            f"{error}. The API does not know this task group any more, and what became of its {len(batch.active)} runs is not"
            " known. Their rows stay pending, and nothing is sent twice: run again later, or ask the API's support"
        )


def _first(error: BaseException) -> BaseException:
    """Return the error that a group of jobs failed with: the first, for the others were stopped by it."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
