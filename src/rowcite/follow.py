"""Follows one batch: hears of completions on the event stream, fetches outputs in bulk, saves them as they come.

The stream only says when to look: what counts is what the listing of runs shows. So a stream that breaks,
repeats itself, stalls or never tells costs time and nothing else.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from rowcite.client import Client
from rowcite.errors import ApiError, ApiRefused, NotThere, Retriable
from rowcite.ledger import Ledger
from rowcite.match import key_of
from rowcite.model import ENDED, RunState
from rowcite.records import Ended, OpenBatch
from rowcite.wire import Event, Run, api_warnings, output_of

_CHUNK = 250  # answers a transaction
_AT_ONCE = 50  # answers that are fetched one by one before they are saved
_FEW, _OF_MANY = (
    4,
    50,
)  # so few answers are fetched one by one, when the listing would repeat that many times as much
_TRIES = 3  # so often a completed run is asked for its output
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


@dataclass(slots=True)
class Follower:
    """Follows `batch` until every run has ended. `saved` is called with the runs of each transaction.

    `gather` and `sweep` are seconds: how long an answer may wait for others to be fetched with it, and how often to
    look although the stream says nothing.
    """

    client: Client
    ledger: Ledger
    batch: OpenBatch
    saved: Callable[[list[Ended]], None]
    gather: float
    sweep: float
    _told: set[str] = field(
        default_factory=set
    )  # runs that have ended, so the stream said, and nobody looked yet
    _late: set[str] = field(default_factory=set)  # the same, looked for in vain
    _bare: set[str] = field(default_factory=set)  # completed runs whose output did not come along
    _tries: Counter[str] = field(default_factory=Counter)
    _done: set[str] = field(default_factory=set)  # runs that are saved
    _keys: dict[str, bytes] = field(default_factory=dict)  # of ended runs
    _buffer: dict[bytes, Ended] = field(default_factory=dict)
    _inputs: bool = False  # metadata does not come along in listings: ask for inputs
    _due: float = math.inf  # the loop's time at which to look
    _pause: float = _FIRST_PAUSE  # before looking again for what is late
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Return when every run of the batch has ended and is in the ledger."""
        if not self.batch.open:
            return
        self._look_in(self.sweep)
        watching = asyncio.create_task(self._watch())
        watching.add_done_callback(lambda _: self._look_in(0))
        try:
            while self.batch.open:
                await self._wait()
                if watching.done():
                    watching.result()  # it only ends by an error
                self._due = math.inf
                self._look_in(self.sweep)
                await self._fetch()
        finally:
            try:
                self._save()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    # --- hearing -------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Listen to the group's events for as long as it takes, opening the stream again when it ends."""
        cursor, pause = None, _FIRST_PAUSE
        while True:
            try:
                async with aclosing(self.client.group_events(self.batch.group_id, cursor)) as events:
                    async for event in events:
                        cursor = event.event_id or cursor
                        if self._hear(event):
                            pause = _FIRST_PAUSE
            except Retriable:
                pass
            except ApiRefused:
                if cursor is None:
                    raise
                cursor = None  # the API does not know its own cursor any more
            self._look_in(0)  # nobody promises that a stream which is opened again repeats what was missed
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _hear(self, event: Event) -> bool:
        """Note what an event says; tell whether it was news."""
        run = event.run
        if run is None or run.state not in ENDED:
            return False
        if any(run.run_id in known for known in (self._done, self._late, self._told)):
            return False
        if output_of(event) is None or not self._take(event):
            self._told.add(run.run_id)
        ended = len(self._told) + len(self._late) + len(self._buffer)
        self._look_in(0 if ended >= len(self.batch.open) else self.gather)
        return True

    def _look_in(self, seconds: float) -> None:
        """See that somebody looks in so many seconds, or sooner."""
        self._due = min(self._due, asyncio.get_running_loop().time() + seconds)
        self._news.set()

    async def _wait(self) -> None:
        while (left := self._due - asyncio.get_running_loop().time()) > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                return

    # --- fetching ------------------------------------------------------------------------------------

    async def _fetch(self) -> None:
        """Fetch what has ended: by the listing, or one by one where that is much less to read."""
        self._save()
        if not self.batch.open:
            return
        told, self._told = self._told | self._late, set()
        few = 0 < len(told) <= _FEW and len(self._done) >= _OF_MANY * len(told)
        if not few:
            await self._fetch_all()
        left = told - self._done - self._bare
        if len(left) <= _FEW:
            await self._fetch_each(left)
        if few and told - self._done:
            await self._fetch_all()
        self._late = told - self._done
        self._told -= self._late
        if self._late or self._bare:  # the listing lags behind the events: look again, not too soon
            self._look_in(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        else:
            self._pause = _FIRST_PAUSE

    async def _fetch_all(self) -> None:
        untold: str | None = None

        def take(event: Event) -> None:
            nonlocal untold
            if event.run is not None and not self._take(event):
                untold = event.run.run_id
            if len(self._buffer) >= _CHUNK:
                self._save()

        group, asked = self.batch.group_id, self._inputs
        await self.client.group_runs(group, take, outputs=True, inputs=asked)
        if untold and not asked:
            untold, self._inputs = None, True
            await self.client.group_runs(group, take, outputs=True, inputs=True)
        self._save()
        if untold:
            raise ApiError(
                f"run {untold} of task group {group} came with neither its metadata nor its input, so it is not known"
                " which row it answers. Everything that was matched is saved"
            )
        await self._fetch_each(self._bare - self._done)

    async def _fetch_each(self, run_ids: Iterable[str]) -> None:
        waiting = sorted(run_ids)
        for start in range(0, len(waiting), _AT_ONCE):
            async with asyncio.TaskGroup() as jobs:
                for run_id in waiting[start : start + _AT_ONCE]:
                    jobs.create_task(self._fetch_one(run_id))
            self._save()

    async def _fetch_one(self, run_id: str) -> None:
        """Fetch one answer. What cannot be had now is left for the next look."""
        error: Retriable | None = None
        try:
            event = await self.client.result(run_id)
        except NotThere:  # so the API answers for a run that failed
            event = Event(run=await self.client.run(run_id))
        except Retriable as found:
            if found.status == 408:
                return  # still active after all
            event, error = Event(), found
        self._take(event)
        if run_id not in self._bare:
            return
        self._tries[run_id] += 1
        if self._tries[run_id] < _TRIES:
            return
        if error is not None:
            raise error
        self._bare.discard(run_id)
        key = self._keys[run_id]
        self._buffer[key] = Ended(
            key, run_id, RunState.FAILED, error="the API calls the run completed and has no output of it"
        )

    def _take(self, event: Event) -> bool:
        """Keep what an event says of a run that has ended; False when it does not tell which task that is."""
        run = event.run
        if run is None or run.state not in ENDED or run.run_id in self._done:
            return True
        key = self._keys.get(run.run_id) or key_of(self.batch, run, event)
        if key is None:
            return False
        self._keys[run.run_id] = key
        if key not in self.batch.open:
            self._done.add(run.run_id)
            return True
        output = output_of(event)
        if run.state is RunState.COMPLETED and output is None:
            self._bare.add(run.run_id)
        else:
            self._bare.discard(run.run_id)
            self._buffer[key] = _ended(key, run, output)
        return True

    def _save(self) -> None:
        if not self._buffer:
            return
        ended, self._buffer = list(self._buffer.values()), {}
        self.ledger.save(self.batch.id, ended)
        self._done.update(item.run_id for item in ended)
        self._told -= self._done
        self.batch.open.difference_update(item.key for item in ended)
        self.saved(ended)


def _ended(key: bytes, run: Run, output: bytes | None) -> Ended:
    told = tuple(f"{warning.type}: {warning.message}" for warning in api_warnings(run))
    if run.state is RunState.COMPLETED:
        return Ended(key, run.run_id, run.state, output, warnings=told)
    problem = run.problem
    return Ended(key, run.run_id, run.state, None, problem.message or run.status, problem.ref_id, told)
