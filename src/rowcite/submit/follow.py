"""Follows one batch to its end: waits for events, lists the runs with their outputs, saves them as they come.

The event stream only says when to list: what counts is the listing of runs. So a stream that breaks, repeats itself,
stalls or reports nothing costs time and nothing else. A few runs are fetched one by one, where the listing would
repeat much that is known or leaves something out.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from rowcite.api.bodies import Event, UnreadableEvent, output_of
from rowcite.api.client import Client
from rowcite.errors import ApiError, ApiRefused, Incomplete, InsufficientCredit, NotFound, Retriable
from rowcite.model import ENDED
from rowcite.submit.options import SubmitOptions
from rowcite.submit.results import RunResults, keys_of_inputs

_AT_ONCE = 50  # runs that are fetched one by one before they are saved
_FEW = 4  # runs at most are fetched one by one, ...
_REPEATED = 50  # ... and only where the listing would repeat this many known runs for each of them
_ATTEMPTS = 3
_STILL_ACTIVE = 408


@dataclass(slots=True)
class Follower:
    """Follows a batch until every run has ended and is in the ledger."""

    client: Client
    results: RunResults
    options: SubmitOptions
    _reported: set[str] = field(
        default_factory=set
    )  # runs that the stream reported as ended since the last look
    _late: set[str] = field(default_factory=set)  # the same, which the last look did not return
    _due: float = math.inf  # the loop's time of the next look
    _pause: float = field(init=False)  # before the next look at what is late
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _inputs: bool = False  # listings omit the metadata: request inputs with them
    _attempts: Counter[str] = field(default_factory=Counter)  # requests for the output of a completed run
    _broken: set[str] = field(default_factory=set)  # runs with an unreadable event
    _unreadable: str = ""  # why an event of the last listing could not be read that names no run
    _readable: int = 0  # events of the last listing that could be read
    _unreadable_listings: int = 0  # listings in a row without anything that could be read
    _stalled_since: float | None = None  # since when no run has ended or is active

    def __post_init__(self) -> None:
        self._pause = self.options.first_pause

    async def follow(self) -> None:
        """Return when every run of the batch has ended and is in the ledger.

        Raises:
            Incomplete: for `options.stalled_timeout` seconds no run has ended, and none is active as far as the API
                says.
        """
        results = self.results
        if not results.batch.active:
            return
        self._look_in(self.options.sweep)
        async with self._watching() as watching:
            while results.batch.active:
                await self._wait()
                if watching.done():
                    watching.result()  # it ends by an error only
                self._due = math.inf
                self._look_in(self.options.sweep)
                reported, self._reported = self._reported | self._late, set()
                async with self._looking:
                    await self._fetch(set(reported))
                self._plan_next_look(reported)

    async def look(self) -> None:
        """Save the runs of the batch that have ended by now."""
        if self.results.batch.active:
            try:
                await self._fetch(set())
            finally:
                await self.results.save()

    # --- when to look --------------------------------------------------------------------------------

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[asyncio.Task[None]]:
        """Read the event stream meanwhile; in the end save what has arrived, also after an error."""
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

    async def _watch(self) -> None:
        """Read the group's events without end, opening the stream again whenever it ends."""
        cursor, pause = None, self.options.first_pause
        while True:
            try:
                events = self.client.group_events(self.results.batch.group_id, cursor)
                async with aclosing(events):
                    async for some in events:
                        cursor = next((item.event_id for item in reversed(some) if item.event_id), cursor)
                        if self._note_all(some):
                            pause = self.options.first_pause
            except ApiRefused:
                cursor = None  # the API may not accept its own cursor any more
            except (ApiError, InsufficientCredit):
                pass
            self._look_in(0)  # a stream that is opened again may not repeat what was missed
            await asyncio.sleep(pause)
            async with self._looking:  # a look that is under way may find that every run has ended
                pause = min(pause * 2, self.options.longest_pause)

    def _note_all(self, events: list[Event]) -> bool:
        """Note which runs have ended; return True if any was news."""
        if not [event for event in events if self._note(event)]:
            return False
        ended = len(self._reported) + len(self._late)
        self._look_in(0 if ended >= len(self.results.batch.active) else self.options.gather)
        return True

    def _note(self, event: Event) -> bool:
        """Note that a run has ended; return True if that was news."""
        run, results = event.run, self.results
        if run is None or run.state not in ENDED:
            return False
        if run.run_id in results.done or run.run_id in self._reported or run.run_id in self._late:
            return False
        if output_of(event) is not None:
            results.add(event)
        self._reported.add(run.run_id)
        return True

    def _look_in(self, seconds: float) -> None:
        """Look in `seconds` seconds, or sooner."""
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

    def _plan_next_look(self, reported: set[str]) -> None:
        """Look again, not too soon, at what the listing did not show although the stream reported it."""
        results = self.results
        self._late = reported - results.done
        self._reported -= self._late | results.done
        if self._late or results.missing_output or results.anomalies:
            self._look_in(self._pause)
            self._pause = min(self._pause * 2, self.options.longest_pause)
        else:
            self._pause = self.options.first_pause

    # --- looking -------------------------------------------------------------------------------------

    async def _fetch(self, reported: set[str]) -> None:
        """Fetch the runs that have ended: `reported`, as the stream has it, and any others."""
        results = self.results
        done_before = len(results.done)
        await results.save()
        reported -= results.done
        few = 0 < len(reported) <= _FEW and len(results.done) >= _REPEATED * len(reported)
        if not few and results.batch.active:
            await self._fetch_each(await self._fetch_listed())
        left = reported - results.done - results.missing_output
        if len(left) <= _FEW:
            await self._fetch_each(left)
        elif len(results.done) == done_before and self._pause >= self.options.longest_pause:
            # The listing shows none of them for a long time now, perhaps never.
            await self._fetch_each(sorted(left & self._late)[:_AT_ONCE])
        if few and reported - results.done:
            await self._fetch_each(await self._fetch_listed())
        if results.batch.active and not await self._any_active(reported):
            await self._fetch_each(self._contradictory(reported))
            self._check_stalled(news=len(results.done) > done_before)
        else:
            self._stalled_since = None

    async def _fetch_listed(self) -> set[str]:
        """Fetch all runs that the listing shows; return those that must be fetched one by one."""
        results = self.results
        results.active.clear()
        await self._list(outputs=True)
        if results.unidentified and not self._inputs:
            self._inputs = True
            await self._list(outputs=True)
        await self._identify()
        if self._unreadable:  # perhaps because of its output: without outputs the listing may name the run
            await self._list(outputs=False)
        self._check_readable()
        self._broken -= results.done
        return (results.missing_output | self._broken) - results.done

    async def _list(self, *, outputs: bool) -> None:
        self._readable, self._unreadable = 0, ""

        async def add(events: list[Event | UnreadableEvent]) -> None:
            for event in events:
                if isinstance(event, Event):
                    self._readable += 1
                    self.results.add(event)
                elif event.run_id is not None:
                    self._broken.add(event.run_id)
                else:
                    self._unreadable = event.why
            await self.results.save_some()

        await self.client.group_runs(self.results.batch.group_id, add, outputs=outputs, inputs=self._inputs)
        await self.results.save()

    async def _identify(self) -> None:
        """Request the inputs of ended runs that came without key and input."""
        results = self.results
        if results.unidentified:
            ids = sorted(results.unidentified)
            shown = await asyncio.gather(*map(self.client.input, ids), return_exceptions=True)
            for key, run_id in keys_of_inputs(results.batch, ids, shown).items():
                results.identify(run_id, key)
            await results.save()
            results.check_identified()

    def _check_readable(self) -> None:
        nothing = self._unreadable and not self._readable
        self._unreadable_listings = self._unreadable_listings + 1 if nothing else 0
        if self._unreadable_listings >= _ATTEMPTS:
            raise ApiError(
                f"nothing that the API lists of task group {self.results.batch.group_id} can be read"
                f" ({self._unreadable}). Nothing is lost: try a newer rowcite, or run again to continue"
            )

    async def _fetch_each(self, run_ids: Iterable[str]) -> None:
        waiting = sorted(run_ids)
        for start in range(0, len(waiting), _AT_ONCE):
            async with asyncio.TaskGroup() as jobs:
                for run_id in waiting[start : start + _AT_ONCE]:
                    jobs.create_task(self._fetch_one(run_id))
            await self._identify()
            await self.results.save()

    async def _fetch_one(self, run_id: str) -> None:
        """Fetch one run with its output. What cannot be fetched now is left for the next look, with the reason."""
        results = self.results
        event, problem = None, ""
        try:
            event = await self.client.result(run_id)
        except NotFound:
            pass  # the response for a run that failed
        except Retriable as error:
            if not error.sent:
                raise
            problem = f"has an output that cannot be fetched ({error})"
            if error.status == _STILL_ACTIVE:
                event, problem = (
                    Event(),
                    "has ended by one response of the API and is active by another (408)",
                )
        try:
            if event is None:
                event = Event(run=await self.client.run(run_id))
                problem = problem if event.run and event.run.status in ("completed", "succeeded") else ""
        except NotFound:
            results.anomalies[run_id] = "is not known to the API any more"
        except Retriable as error:
            if not error.sent:
                raise
            results.anomalies[run_id] = f"cannot be fetched ({error})"
        else:
            self._add_fetched(run_id, event, problem)

    def _add_fetched(self, run_id: str, event: Event, problem: str) -> None:
        results = self.results
        if event.run is not None and event.run.run_id == run_id:
            results.add(event)
        if problem:
            results.anomalies[run_id] = problem
        elif run_id in results.missing_output:
            self._attempts[run_id] += 1
            age = results.batch.age + time.monotonic() - results.batch.sent
            if self._attempts[run_id] >= _ATTEMPTS and age >= self.options.missing_output_timeout:
                results.fail_without_output(run_id)

    # --- giving up -----------------------------------------------------------------------------------

    async def _any_active(self, reported: set[str]) -> bool:
        """Return True if the API reports a run as active that it does not report as ended elsewhere."""
        results = self.results
        if results.active - reported:
            # Runs end and do not begin again: a group without active runs is not merely late.
            return not (await self.client.group(results.batch.group_id)).status.at_rest
        if len(results.anomalies.keys() | (reported - results.done)) >= len(results.batch.active):
            return False  # each of them has a reason, and none is active
        return (await self.client.group(results.batch.group_id)).status.active

    def _contradictory(self, reported: set[str]) -> list[str]:
        """Return some runs that are active by the listing and ended by their group."""
        some = sorted(self.results.active - reported)[:_AT_ONCE]
        reason = "is active in the list of runs and has ended in its group"
        self.results.anomalies.update(dict.fromkeys(some, reason))
        return some

    def _check_stalled(self, *, news: bool) -> None:
        """Give up on runs that are neither ended nor active. An active run is waited for without end."""
        results, now = self.results, asyncio.get_running_loop().time()
        if news:
            self._stalled_since = None
            return
        self._stalled_since = now if self._stalled_since is None else self._stalled_since
        if now - self._stalled_since < self.options.stalled_timeout:
            return
        run_id = min(results.anomalies, default="")
        reason = f"run {run_id} {results.anomalies[run_id]}" if run_id else self._unreadable or "not listed"
        raise Incomplete(
            f"task group {results.batch.group_id}: for {self.options.stalled_timeout:,.0f} s the API has reported"
            f" {len(results.batch.active):,} of its runs neither as active nor as ended ({reason}). Their rows stay"
            " pending, and nothing is sent twice: run again later to continue, or ask the API's support"
        )
