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
from rowcite.errors import ApiRefused, KeyRefused, NotThere, OutOfCredit, RowciteError, Unfinished
from rowcite.ledger import Ledger
from rowcite.model import Ended, OpenBatch, RunState, Task
from rowcite.progress import Progress
from rowcite.submit.create import Created, Creator
from rowcite.submit.follow import Follower
from rowcite.submit.ledger_thread import Books
from rowcite.submit.options import Terms
from rowcite.submit.queue import MOST_RUNS, Errand, Outbox, Part
from rowcite.submit.results import Harvest

__all__ = ["MOST_RUNS", "Errand", "Submitter"]
_LAST_WORDS = 10.0  # seconds that POSTs under way have to be answered when the door was shut


class Submitter:
    """One submission: call `submit` once.

    Whatever it raises, what had arrived by then is in the ledger.
    """

    def __init__(
        self, client: Client, ledger: Ledger, terms: Terms, progress: Progress, *, spent_before: int = 0
    ) -> None:
        self.client, self.ledger, self.terms, self.progress = client, ledger, terms, progress
        self._before = spent_before  # by the same command
        self._books = Books()
        self._creator = Creator(client, ledger, self._books, terms, progress)
        self._outbox = Outbox(terms)
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
        return self._outbox.submitted

    async def submit(self, asked: Question, tasks: Iterable[Task]) -> None:
        """Get every task of one question answered: `submit_all` for a single errand, of the terms' processor."""
        await self.submit_all(
            [Errand(asked, self.terms.processor, self.terms.price, tasks)], api=asked.named["api"]
        )

    async def submit_all(self, errands: Iterable[Errand], *, api: str) -> None:
        """Get every task of some errands answered, and every run that an earlier command left open at this API.

        Tasks are read after it is known what that command had created.

        Raises:
            OutOfCredit: budget or credit allow no more; what was under way has been awaited.
            Unfinished: the API does not know what an earlier command left open, or lists less than it counts.
            RowciteError: the API failed, see `rowcite.errors`.
        """
        self.client.pace.told = self._slowed
        try:
            async with asyncio.TaskGroup() as jobs:
                await self._resume(jobs, api)
                await self._feed(jobs, self._outbox.parts(errands))
        except BaseExceptionGroup as group:
            raise _first(group) from group
        if error := self._outbox.stopped or self._missing:
            raise error

    def _slowed(self, rate: int) -> None:
        self.progress.say(f"the API turns requests away (429): going on at {rate:,} requests a minute")

    # --- jobs ----------------------------------------------------------------------------------------

    async def _feed(self, jobs: asyncio.TaskGroup, fresh: Iterator[Part]) -> None:
        """Start a job a batch, as fast as `active_runs` allows, until nothing is left and no job is running."""
        while True:
            part = await self._next(fresh)
            if part is None:
                if not self._running:
                    return
                await self._change()
                continue
            runs = len(part.tasks)
            if not self._affordable(runs, part.errand.price):
                continue
            while self._active and self._active + runs > self.terms.active_runs:
                await self._change()
            self._sending += 1
            self._start(jobs, partial(self._send, part), runs)

    async def _next(self, fresh: Iterator[Part]) -> Part | None:
        """Return what to send now, None to wait for a change."""
        outbox = self._outbox
        if outbox.closed(running=self._running, sending=self._sending):
            return None
        if (part := outbox.next()) is not None:
            return part
        if (part := await self._books.do(next, fresh, None)) is not None:
            outbox.put(part)
        if outbox.closed(running=self._running, sending=self._sending):
            return None
        return outbox.next()  # what came back meanwhile, or else the fresh one

    def _start(self, jobs: asyncio.TaskGroup, job: Callable[[], Awaitable[None]], runs: int) -> None:
        async def counted() -> None:
            try:
                await job()
            except Exception as error:
                if isinstance(first := _first(error), KeyRefused | ApiRefused):
                    self._outbox.stopped = self._outbox.stopped or first
                    await self._last_words()
                raise
            finally:
                self._running -= 1
                self._changed.set()

        self._running += 1
        self._active += runs
        jobs.create_task(counted())

    async def _last_words(self) -> None:
        """Let POSTs under way be answered: they find the same door shut, and then nothing is owed for them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
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
        if self.terms.budget is None or self.spent + cost <= self.terms.budget:
            self.spent += cost
            return True
        self._outbox.stopped = OutOfCredit(
            f"stopped: {runs:,} more runs at {usd(price)} would pass what may be spent"
            f" ({usd(self.terms.budget)}, of which {usd(self.spent)} is spent). Raise limits.max_cost_usd,"
            " limits.max_total_usd or --max-cost to go on"
        )
        return False

    # --- one batch -----------------------------------------------------------------------------------

    async def _send(self, part: Part) -> None:
        """Create a group and its runs, and follow them to their end."""
        alone = self._running == 1
        try:
            number = await self._number(part.errand.question)
            made = await self._creator.create(part.errand, number, part.tasks)
            await self._count(part, made, alone=alone)
        except Unfinished as error:
            self._set_aside(error, len(part.tasks))
            return
        finally:
            self._sending -= 1
            self._changed.set()
        if made.batch.open:
            tasks = sum(map(made.batch.size, made.batch.open))
            self.progress.submitted(tasks, self._before + self.spent)
        await self._follow(made.batch)

    async def _number(self, asked: Question) -> int:
        """Return the number that the ledger knows a question by."""
        name = asked.fingerprint
        if name not in self._numbers:
            self._numbers[name] = await self._books.do(self.ledger.question, name, canonical(asked.named))
        return self._numbers[name]

    async def _count(self, part: Part, made: Created, *, alone: bool) -> None:
        """Draw the sum under a POST; queue the tasks that were not created."""
        batch, unsent, problem = made.batch, made.unsent, made.problem
        taken = len(batch.open) - len(unsent)
        if taken:
            self._outbox.taken(part, taken, problem)
        if not unsent:
            return
        try:
            refusal = self._outbox.refused(part, problem)
        except ApiRefused:
            await self._uncreated(batch, unsent, part.errand.price)
            raise
        if refusal is not None:
            await self._refused(batch, part, refusal)
            return
        await self._uncreated(batch, unsent, part.errand.price)
        alone = alone and not taken and self._running == 1
        self._outbox.back(part, unsent, problem, taken=taken > 0, alone=alone)

    async def _uncreated(self, batch: OpenBatch, keys: set[bytes], price: int) -> None:
        """Give back the money and the places of runs that were never created."""
        await self._creator.forget(batch, keys)
        self.spent -= len(keys) * price
        self._freed(len(keys))

    async def _refused(self, batch: OpenBatch, part: Part, error: ApiRefused) -> None:
        task = part.tasks[0]
        await self._books.do(self.ledger.refused, batch.id, task.key, str(error), error.ref_id)
        self.spent -= part.errand.price
        batch.open.discard(task.key)
        self._freed(1)
        self.progress.ended(0, 1)

    async def _resume(self, jobs: asyncio.TaskGroup, api: str) -> None:
        """Follow what an earlier command left under way, after finding out what it really created."""
        left = await self._books.do(self.ledger.open_batches)
        for batch in sorted(left, key=lambda batch: batch.unsure):
            if batch.api != api and batch.api.startswith(LOCAL):
                # a local server over other documents: gone when its command ended
                await self._books.do(self.ledger.lost, batch.id)
                continue
            if batch.api != api:
                self.progress.say(
                    f"{len(batch.open)} runs are still open at {batch.api}: run against it to collect them"
                )
                continue
            try:
                await self.client.group(batch.group_id)
                await self._creator.forget(batch, await self._creator.settled(batch, self.terms.settle))
            except NotThere as error:
                await self._gone(batch, error)
            except Unfinished as error:
                self._missing = self._missing or error
            else:
                self._start(jobs, partial(self._follow, batch), len(batch.open))

    async def _follow(self, batch: OpenBatch) -> None:
        """Follow a batch to its end. One that the API loses or is at odds with itself about stops no other."""

        def saved(ended: list[Ended]) -> None:
            self._freed(len(ended))
            tasks = sum(batch.size(item.key) for item in ended)
            completed = sum(batch.size(item.key) for item in ended if item.state is RunState.COMPLETED)
            self.progress.ended(completed, tasks - completed)

        harvest = Harvest(self._books, self.ledger, batch, saved)
        try:
            await Follower(self.client, harvest, self.terms).follow()
        except NotThere as error:
            await self._gone(batch, error)
            self._freed(len(batch.open))
        except Unfinished as error:
            self._set_aside(error, len(batch.open))

    def _set_aside(self, error: Unfinished, runs: int) -> None:
        """Go on without these runs, and say so in the end."""
        self._missing = self._missing or error
        self._freed(runs)

    async def _gone(self, batch: OpenBatch, error: NotThere) -> None:
        if self.terms.local:
            await self._books.do(self.ledger.lost, batch.id)
            return
        self._missing = self._missing or Unfinished(
            f"{error}. The API does not know this task group any more, and what became of its {len(batch.open)} runs is not"
            " known. Their rows stay pending, and nothing is sent twice: run again later, or ask the API's support"
        )


def _first(error: BaseException) -> BaseException:
    """Return the error that a group of jobs failed with: the first, for the others were stopped by it."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
