"""Follows one batch: hears of completions on the event stream, fetches outputs in bulk, saves them as they come.

The stream only says when to look: what counts is what the listing of runs shows. So a stream that breaks,
repeats itself, stalls or never tells costs time and nothing else.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from rowcite.api.bodies import Event, output_of
from rowcite.api.client import Client
from rowcite.errors import ApiError, ApiRefused, OutOfCredit
from rowcite.model import ENDED
from rowcite.submit.fetch import Fetcher
from rowcite.submit.options import SubmitOptions
from rowcite.submit.results import RunResults

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


@dataclass(slots=True)
class Follower:
    """Follows the batch of a results until every run has ended."""

    client: Client
    results: RunResults
    options: SubmitOptions
    _told: set[str] = field(
        default_factory=set
    )  # runs that have ended, so the stream said, nobody looked yet
    _late: set[str] = field(default_factory=set)  # the same, looked for in vain
    _due: float = math.inf  # the loop's time at which to look
    _pause: float = _FIRST_PAUSE  # before looking again for what is late
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Return when every run of the batch has ended and is in the ledger.

        Raises:
            Incomplete: the API contradicts itself about what is left, and has for too long.
        """
        batch = self.results.batch
        if not batch.active:
            return
        fetcher = Fetcher(self.client, self.results, self.options)
        self._look_in(self.options.sweep)
        async with self._watching() as watching:
            while batch.active:
                await self._wait()
                if watching.done():
                    watching.result()  # it only ends by an error
                self._due = math.inf
                self._look_in(self.options.sweep)
                await self._look(fetcher)

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[asyncio.Task[None]]:
        """Listen meanwhile; save what has arrived in the end, whatever that is."""
        watching = asyncio.create_task(self._watch())
        watching.add_done_callback(lambda _: self._look_in(0))
        try:
            yield watching
        finally:
            try:
                await self.results.save()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    # --- hearing -------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Listen to the group's events for as long as it takes, opening the stream again when it ends."""
        cursor, pause = None, _FIRST_PAUSE
        while True:
            try:
                events = self.client.group_events(self.results.batch.group_id, cursor)
                async with aclosing(events):
                    async for event in events:
                        cursor = event.event_id or cursor
                        if self._hear(event):
                            pause = _FIRST_PAUSE
            except ApiRefused:
                cursor = None  # the API may not know its own cursor any more
            except (ApiError, OutOfCredit):
                pass
            self._look_in(0)  # nobody promises that a stream which is opened again repeats what was missed
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _hear(self, event: Event) -> bool:
        """Note what an event says; tell whether it was news."""
        run, results = event.run, self.results
        if run is None or run.state not in ENDED:
            return False
        if any(run.run_id in known for known in (results.done, self._late, self._told)):
            return False
        if output_of(event) is not None:
            results.take(event)
        self._told.add(run.run_id)
        ended = len(self._told) + len(self._late)
        self._look_in(0 if ended >= len(results.batch.active) else self.options.gather)
        return True

    # --- looking -------------------------------------------------------------------------------------

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

    async def _look(self, fetcher: Fetcher) -> None:
        results = self.results
        told, self._told = self._told | self._late, set()
        await fetcher.fetch(told)
        self._late = told - results.done
        self._told -= self._late | results.done
        if (
            self._late or results.bare or results.odd
        ):  # the listing lags behind the events: look again, not too soon
            self._look_in(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        else:
            self._pause = _FIRST_PAUSE
