"""Gets tasks answered: decides which batch is sent when, under budget, credit and the number of active runs.

Each batch has a task group: `rowcite.submit.create` creates its runs, `rowcite.submit.follow` follows them to
their end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

from rowcite.api.bodies import LOCAL
from rowcite.api.client import Client
from rowcite.api.facts import usd
from rowcite.api.rate_limit import RateLimiter
from rowcite.errors import (
    ApiRefused,
    BudgetExceeded,
    Incomplete,
    KeyRefused,
    NotFound,
    RowciteError,
)
from rowcite.ledger import Ledger
from rowcite.model import ActiveBatch, EndedRun, RunState
from rowcite.progress import Progress
from rowcite.submit.create import Created, Creator
from rowcite.submit.follow import Follower
from rowcite.submit.ledger_thread import LedgerThread
from rowcite.submit.options import AnsweringApi, Follow, SubmissionTotals, SubmitOptions
from rowcite.submit.queue import Chunk, SendQueue, TaskSource
from rowcite.submit.results import RunResults
from rowcite.submit.stop import Stop
from rowcite.wording import plural, plural_is

_DRAIN_SECONDS = 10.0  # for the responses to POSTs, when the API has refused the key or the processor


def submit_tasks(  # noqa: PLR0913 - the parts of a submission, by name
    sources: Iterable[TaskSource],
    api: AnsweringApi,
    ledger: Ledger,
    options: SubmitOptions,
    *,
    rate_limiter: RateLimiter,
    totals: SubmissionTotals,
    progress: Progress,
    stop: Stop,
) -> None:
    """Get the tasks of some sources answered, and every run that an earlier command left active at this API.

    With `options.follow` other than `TO_END` they are sent only.

    Runs an event loop and opens another connection to the ledger: `ledger` must not be used meanwhile.
    Whatever it raises, the results that have arrived are in the ledger, and `totals` are right.

    Raises:
        InsufficientCredit, BudgetExceeded: no more runs can be created; those that were active have been awaited.
        Incomplete: the API does not know what an earlier command left open, or lists less than it counts.
        DeadlineReached: the deadline of `stop` has passed.
        RowciteError: the API failed, see `rowcite.errors`.
    """
    client = Client(api.base_url, api.key, rate_limiter, mcp=api.mcp)
    with LedgerThread(ledger.reopen) as ledger_thread:
        submitter = Submitter(client, ledger_thread, options, totals, progress)
        try:
            asyncio.run(submitter.submit_all(sources, api.name, stop))
        finally:
            totals.requests = rate_limiter.requests


class Submitter:
    """One submission: await `submit_all` once."""

    def __init__(
        self,
        client: Client,
        ledger_thread: LedgerThread,
        options: SubmitOptions,
        totals: SubmissionTotals,
        progress: Progress,
    ) -> None:
        self.client, self.options, self.totals, self.progress = client, options, totals, progress
        self._ledger_thread, self._ledger = ledger_thread, ledger_thread.ledger
        self._creator = Creator(client, ledger_thread, options, progress)
        self._queue = SendQueue(options)
        self._table_thread = ThreadPoolExecutor(1, "rowcite-table")  # reads the table for new tasks
        self._active = 0  # runs that count towards `active_runs`
        self._running = 0  # batches that are being sent or followed
        self._sending = 0  # of these, batches whose runs are not known yet
        self._changed = asyncio.Event()
        self._unfinished: RowciteError | None = None  # raised in the end

    async def submit_all(self, sources: Iterable[TaskSource], api: str, stop: Stop) -> None:
        """Get all tasks answered, and the runs that the ledger holds as active at `api`; as `submit_tasks`."""
        self.client.rate_limiter.on_throttled = self._report_throttling
        try:
            async with self.client, stop.submitting(), asyncio.TaskGroup() as batches:
                async for batch in self._active_batches(api):
                    self._begin(len(batch.active))
                    batches.create_task(self._resume(batch))
                async for chunk in self._chunks(sources):
                    self._begin(len(chunk.tasks))
                    self._sending += 1
                    batches.create_task(self._send(chunk))
        except BaseExceptionGroup as group:
            raise _first(group) from group
        finally:
            self._table_thread.shutdown(wait=False)
        if error := self._queue.stopped or self._unfinished:
            raise error

    def _report_throttling(self, rate: int) -> None:
        self.progress.say(f"the API is throttling (429): continuing at {rate:,} requests a minute")

    # --- what is sent when ---------------------------------------------------------------------------

    async def _active_batches(self, api: str) -> AsyncIterator[ActiveBatch]:
        """Yield the batches that an earlier command left active at `api`, when it is known which runs exist."""
        batches = await self._ledger_thread.call(self._ledger.active_batches)
        async with self._creator.looking_up(batches, api):
            for batch in sorted(batches, key=lambda batch: batch.unsure):
                if batch.api != api and batch.api.startswith(LOCAL):
                    # a local server over other documents: it ended with its command
                    await self._ledger_thread.call(self._ledger.mark_lost, batch.id)
                elif batch.api != api:
                    self.progress.say(
                        f"{plural_is(len(batch.active), 'run')} still active at {batch.api}: run with --base-url {batch.api} to collect them"
                    )
                elif await self._exists(batch):
                    yield batch

    async def _exists(self, batch: ActiveBatch) -> bool:
        """Find out which runs of a batch exist; return True if the batch can be followed."""
        if self.options.follow is Follow.NEVER and not batch.unsure:
            return True
        try:
            await self.client.group(batch.group_id)
            missing = await self._creator.reconcile(batch, self.options.reconcile_after)
            await self._creator.forget(batch, missing)
            if missing:
                self.progress.submitted(-sum(map(batch.size, missing)), self.totals.spent)
        except NotFound as error:
            await self._mark_missing(batch, error)
        except Incomplete as error:
            self._unfinished = self._unfinished or error
        else:
            return True
        return False

    async def _chunks(self, sources: Iterable[TaskSource]) -> AsyncIterator[Chunk]:
        """Yield chunks when they may be sent, until none is left and no batch is running."""
        new = self._queue.chunks(sources, self._states)
        loop = asyncio.get_running_loop()
        while True:
            queue = self._queue
            chunk = None if queue.is_paused(running=self._running, sending=self._sending) else queue.next()
            if chunk is None and not queue.is_paused(running=self._running, sending=self._sending):
                if (fresh := await loop.run_in_executor(self._table_thread, next, new, None)) is not None:
                    queue.put(fresh)
                if not queue.is_paused(running=self._running, sending=self._sending):
                    chunk = queue.next()  # one that came back meanwhile, or the new one
            if chunk is None and not self._running:
                return
            if chunk is None:
                await self._change()
            elif self._reserve(len(chunk.tasks), chunk.source):
                if await self._room_for(len(chunk.tasks)):
                    yield chunk
                else:
                    self.totals.spent -= len(chunk.tasks) * chunk.source.price

    async def _room_for(self, runs: int) -> bool:
        """Wait until `runs` more may be active; return False, and send no more, if none of the active ones is followed."""
        while self._active and self._active + runs > self.options.active_runs:
            if self.options.follow is not Follow.TO_END and not self._running:
                self._queue.stopped = Incomplete(
                    f"Stopped at limits.active_runs ({self.options.active_runs:,}): {plural_is(self._active, 'run')} active."
                    " Send the other rows when some have ended (`rowcite collect`), or raise the limit"
                )
                return False
            await self._change()
        return True

    def _states(
        self, keys: Sequence[bytes], *, not_before: float = 0.0, failed_since: float = 0.0
    ) -> Mapping[bytes, RunState]:
        """Return the states of tasks, for the thread that reads the table."""
        return self._ledger_thread.ask(
            self._ledger.task_states, keys, not_before=not_before, failed_since=failed_since
        )

    def _reserve(self, runs: int, source: TaskSource) -> bool:
        """Count runs as spent; return False, and send no more, if the budget does not allow them."""
        cost, spent, budget = runs * source.price, self.totals.spent, self.options.budget
        if budget is None or spent + cost <= budget:
            self.totals.spent += cost
            return True
        rows = "1 run needs" if runs == 1 else f"{runs:,} runs need"
        self._queue.stopped = BudgetExceeded(
            f"Stopped at the {usd(budget)} limit: {usd(spent)} spent. The next {rows} {source.processor} ({usd(cost)})."
            " Raise limits.max_cost_usd, limits.max_total_usd or --max-cost to continue"
        )
        return False

    # --- one batch -----------------------------------------------------------------------------------

    async def _send(self, chunk: Chunk) -> None:
        """Create a group and its runs, and follow them to their end."""
        async with self._running_batch():
            alone = self._running == 1
            try:
                made = await self._creator.create(chunk.source, chunk.tasks)
                await self._settle(chunk, made, alone=alone)
            except Incomplete as error:
                self._defer(error, len(chunk.tasks))
                return
            finally:
                self._sending -= 1
                self._changed.set()
            batch = made.batch
            if batch.active:
                self.progress.submitted(sum(map(batch.size, batch.active)), self.totals.spent)
            if self.options.follow is Follow.TO_END:
                async with self._tolerating(batch):
                    await Follower(self.client, self._results(batch), self.options).follow()

    async def _resume(self, batch: ActiveBatch) -> None:
        """Follow a batch that an earlier command created, as `options.follow` has it."""
        async with self._running_batch(), self._tolerating(batch):
            follower = Follower(self.client, self._results(batch), self.options)
            if self.options.follow is Follow.TO_END:
                await follower.follow()
            elif self.options.follow is Follow.ONCE:
                await follower.look()

    async def _settle(self, chunk: Chunk, made: Created, *, alone: bool) -> None:
        """Record the outcome of a POST; queue the tasks that were not created."""
        batch, unsent, problem = made.batch, made.unsent, made.problem
        created = len(batch.active) - len(unsent)
        if created:
            self.totals.submitted += created
            self._queue.taken(chunk, created, problem)
        if not unsent:
            return
        try:
            refusal = self._queue.refused(chunk, problem)
        except ApiRefused:
            await self._give_back(batch, unsent, chunk.source.price)
            raise
        if refusal is not None:
            await self._refuse(batch, chunk, refusal)
            return
        await self._give_back(batch, unsent, chunk.source.price)
        alone = alone and not created and self._running == 1
        self._queue.back(chunk, unsent, problem, taken=created > 0, alone=alone)

    async def _give_back(self, batch: ActiveBatch, keys: set[bytes], price: int) -> None:
        """Give back the money and the places of runs that were never created."""
        await self._creator.forget(batch, keys)
        self.totals.spent -= len(keys) * price
        self._free(len(keys))

    async def _refuse(self, batch: ActiveBatch, chunk: Chunk, error: ApiRefused) -> None:
        task = chunk.tasks[0]
        await self._ledger_thread.call(
            self._ledger.mark_refused, batch.id, task.key, str(error), error.ref_id
        )
        self.totals.spent -= chunk.source.price
        batch.active.discard(task.key)
        self._free(1)
        self.progress.submitted(1, self.totals.spent)
        self.progress.ended(0, 1)

    def _results(self, batch: ActiveBatch) -> RunResults:
        def saved(ended: list[EndedRun]) -> None:
            self._free(len(ended))
            tasks = sum(batch.size(item.key) for item in ended)
            completed = sum(batch.size(item.key) for item in ended if item.state is RunState.COMPLETED)
            self.progress.ended(completed, tasks - completed)

        return RunResults(self._ledger_thread, batch, saved)

    # --- accounts ------------------------------------------------------------------------------------

    def _begin(self, runs: int) -> None:
        self._running += 1
        self._active += runs

    @asynccontextmanager
    async def _running_batch(self) -> AsyncIterator[None]:
        """Count a batch as running until the context ends."""
        try:
            yield
        except (KeyRefused, ApiRefused, ExceptionGroup) as error:
            if isinstance(first := _first(error), KeyRefused | ApiRefused):
                self._queue.stopped = self._queue.stopped or first
                await self._drain_posts()
            raise
        finally:
            self._running -= 1
            self._changed.set()

    @asynccontextmanager
    async def _tolerating(self, batch: ActiveBatch) -> AsyncIterator[None]:
        """Let a batch that the API does not know, or contradicts itself about, stop no other batch."""
        try:
            yield
        except NotFound as error:
            await self._mark_missing(batch, error)
            self._free(len(batch.active))
        except Incomplete as error:
            self._defer(error, len(batch.active))

    async def _drain_posts(self) -> None:
        """Wait for the responses to POSTs under way: they are refused as well, and then nothing was created."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._sending:
                    await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _free(self, runs: int) -> None:
        self._active -= runs
        self._changed.set()

    def _defer(self, error: Incomplete, runs: int) -> None:
        """Continue without these runs, and raise the error in the end."""
        self._unfinished = self._unfinished or error
        self._free(runs)

    async def _mark_missing(self, batch: ActiveBatch, error: NotFound) -> None:
        if self.options.local:
            await self._ledger_thread.call(self._ledger.mark_lost, batch.id)
            self.progress.submitted(-sum(map(batch.size, batch.active)), self.totals.spent)
            return
        self._unfinished = self._unfinished or Incomplete(
            f"{error}. The API does not know this task group any more, so the outcome of its {plural(len(batch.active), 'run')} is not"
            " known. Their rows stay pending, and nothing is sent twice: run again later, or ask the API's support"
        )


def _first(error: BaseException) -> BaseException:
    """Return the error that a group of tasks failed with: the first one, which stopped the others."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
