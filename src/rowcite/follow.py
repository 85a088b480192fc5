"""Follows one batch: hears of completions on the event stream, fetches outputs in bulk, saves them as they come.

The stream only says when to look: what counts is what the listing of runs shows. So a stream that breaks,
repeats itself, stalls or never tells costs time and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from rowcite.client import Client
from rowcite.errors import NotThere, Retriable, RowciteError
from rowcite.ledger import Ended, Ledger, OpenBatch
from rowcite.match import key_of
from rowcite.model import ENDED, RunState
from rowcite.wire import Event, Run, api_warnings, output_of

_CHUNK = 250  # answers a transaction
_FEW, _OF_MANY = 4, 50  # so few answers are fetched one by one, when the listing would repeat that many times as much
_LONGEST_PAUSE = 30.0


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
    _told: set[str] = field(default_factory=set)  # runs that have ended, of which nothing is saved yet
    _done: set[str] = field(default_factory=set)  # runs that are saved
    _look: bool = False  # the stream ended or broke: look without waiting for more
    _broken: RowciteError | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _buffer: dict[bytes, Ended] = field(default_factory=dict)
    _bare: set[str] = field(default_factory=set)  # completed runs whose output did not come along

    async def follow(self) -> None:
        """Return when every run of the batch has ended and is in the ledger."""
        if not self.batch.open:
            return
        watching = asyncio.create_task(self._watch())
        try:
            while self.batch.open:
                await self._until_worth_it()
                await self._fetch()
        finally:
            self._save()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    # --- hearing -------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Listen to the group's events for as long as it takes, opening the stream again when it ends."""
        cursor, pause = None, 0.5
        while True:
            try:
                async for event in self.client.group_events(self.batch.group_id, cursor):
                    cursor, pause = event.event_id or cursor, 0.5
                    self._hear(event)
            except Retriable:
                pass
            except RowciteError as error:
                self._broken = error
            self._look = True  # nobody promises that a stream which is opened again repeats what was missed
            self._news.set()
            if self._broken is not None:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _hear(self, event: Event) -> None:
        run = event.run
        if run is None or run.state not in ENDED or run.run_id in self._done:
            return
        if output_of(event) is not None:
            self._take(event)
        else:
            self._told.add(run.run_id)
        self._news.set()

    async def _until_worth_it(self) -> None:
        """Wait until there is something to fetch, and a little longer for its neighbours."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        limit = began + self.sweep
        while not self._look and len(self._told) + len(self._buffer) < len(self.batch.open):
            if (self._told or self._buffer) and limit > loop.time() + self.gather:
                limit = loop.time() + self.gather
            left = limit - loop.time()
            if left <= 0:
                break
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                break
        if self._broken is not None:
            raise self._broken
        self._look = False

    # --- fetching ------------------------------------------------------------------------------------

    async def _fetch(self) -> None:
        """Fetch what has ended: by the listing, or one by one where that is much less to read."""
        self._save()
        told, self._told = self._told, set()
        if told and len(told) <= _FEW and len(self._done) >= _OF_MANY * len(told):
            for run_id in told:
                await self._fetch_one(run_id)
        elif self.batch.open:
            await self._fetch_all(told)
        self._save()

    async def _fetch_all(self, told: set[str]) -> None:
        with_inputs = False

        def take(event: Event) -> None:
            nonlocal with_inputs
            if event.run is not None and event.run.run_id not in self._done:
                with_inputs |= not self._take(event)
                if len(self._buffer) >= _CHUNK:
                    self._save()

        group = self.batch.group_id
        await self.client.group_runs(group, take, outputs=True)
        if with_inputs:  # metadata does not come along here: the inputs tell which task is which
            await self.client.group_runs(group, take, outputs=True, inputs=True)
        self._save()
        bare, self._bare = self._bare, set()
        for run_id in bare:
            await self._fetch_one(run_id)
        self._told |= told - self._done  # the listing may lag behind the events: look again

    async def _fetch_one(self, run_id: str) -> None:
        try:
            result = await self.client.result(run_id)
            self._take(Event(run=result.run, output=result.output))
        except Retriable as error:
            if error.status != 408:
                raise
            self._told.add(run_id)  # still active after all
        except NotThere:  # so the API answers for a run that failed
            run = await self.client.run(run_id)
            if run.state is RunState.COMPLETED or not self._take(Event(run=run)):
                raise

    def _take(self, event: Event) -> bool:
        """Keep what an event says of a run that has ended; False when it does not tell which task that is."""
        run = event.run
        if run is None or run.state not in ENDED or run.run_id in self._done:
            return True
        key = key_of(self.batch, run, event)
        if key is None:
            return False
        if key in self.batch.open:
            output = output_of(event)
            if run.state is RunState.COMPLETED and output is None:
                self._bare.add(run.run_id)
            else:
                self._buffer[key] = _ended(key, run, output)
        else:
            self._done.add(run.run_id)
        return True

    def _save(self) -> None:
        if self._buffer:
            ended, self._buffer = list(self._buffer.values()), {}
            self.ledger.save(self.batch.id, ended)
            self._done.update(item.run_id for item in ended)
            self._told.difference_update(self._done)
            self.batch.open.difference_update(item.key for item in ended)
            self.saved(ended)


def _ended(key: bytes, run: Run, output: bytes | None) -> Ended:
    told = tuple(f"{warning.type}: {warning.message}" for warning in api_warnings(run))
    if run.state is RunState.COMPLETED:
        return Ended(key, run.run_id, run.state, output, warnings=told)
    problem = run.problem
    return Ended(key, run.run_id, run.state, None, problem.message or run.status, problem.ref_id, told)
