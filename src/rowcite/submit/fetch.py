"""Fetches what has ended of one batch: by the listing, or one by one where that is much less to read or says more.

Also decides when the API has stalled_timeout itself about a run for so long that waiting is given up.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rowcite.api.bodies import Event, UnreadableEvent
from rowcite.api.client import Client
from rowcite.errors import ApiError, Incomplete, NotFound, Retriable
from rowcite.submit.options import SubmitOptions
from rowcite.submit.results import RunResults

_AT_ONCE = 50  # answers that are fetched one by one before they are saved
_FEW, _OF_MANY = (
    4,
    50,
)  # so few answers are fetched one by one, when the listing would repeat that many times as much
_TRIES = 3
_STILL_ACTIVE = 408


@dataclass(slots=True)
class Fetcher:
    """Fetches for one results."""

    client: Client
    results: RunResults
    options: SubmitOptions
    _inputs: bool = False  # metadata does not come along in listings: ask for inputs
    _tries: Counter[str] = field(default_factory=Counter)  # so often a completed run was asked for its output
    _broken: set[str] = field(default_factory=set)  # runs of which an event could not be read
    _unread: str = ""  # why an event of the last listing could not be read, of which nobody knows the run
    _read: int = 0  # events of the last listing that could be read
    _in_vain: int = 0  # so many listings in a row held nothing that could be read
    _since: float | None = None  # since when nothing has ended nor is said to go on

    async def fetch(self, told: set[str]) -> None:
        """Fetch what has ended; `told` are runs that have, so the stream said.

        Raises:
            Incomplete: for `stalled_timeout` seconds nothing has ended, and by all the API says nothing goes on either.
        """
        results = self.results
        had = len(results.done)
        await results.save()
        told = told - results.done
        few = 0 < len(told) <= _FEW and len(results.done) >= _OF_MANY * len(told)
        if not few and results.batch.active:
            await self._fetch_all()
        left = told - results.done - results.bare
        if len(left) <= _FEW:
            await self._fetch_each(left)
        if few and told - results.done:
            await self._fetch_all()
        if results.batch.active:
            await self._doubt(told, news=len(results.done) > had)

    # --- many at once --------------------------------------------------------------------------------

    async def _fetch_all(self) -> None:
        results = self.results
        results.active.clear()
        await self._list(outputs=True)
        if results.untold and not self._inputs:
            self._inputs = True
            await self._list(outputs=True)
        if results.untold:
            await results.bind(self.client)
        if self._unread:  # perhaps for its output: without outputs it may say which run it is
            await self._list(outputs=False)
        self._check_readable()
        await self._fetch_each((results.bare | self._broken) - results.done)
        self._broken -= results.done

    async def _list(self, *, outputs: bool) -> None:
        self._read, self._unread = 0, ""

        async def take(event: Event | UnreadableEvent) -> None:
            if isinstance(event, Event):
                self._read += 1
                self.results.take(event)
                await self.results.save_some()
            elif event.run_id is not None:
                self._broken.add(event.run_id)
            else:
                self._unread = event.why

        await self.client.group_runs(self.results.batch.group_id, take, outputs=outputs, inputs=self._inputs)
        await self.results.save()

    def _check_readable(self) -> None:
        self._in_vain = self._in_vain + 1 if self._unread and not self._read else 0
        if self._in_vain >= _TRIES:
            raise ApiError(
                f"nothing that the API lists of task group {self.results.batch.group_id} can be read ({self._unread})."
                " Nothing is lost: perhaps a newer rowcite can. Run again to go on"
            )

    # --- one by one ----------------------------------------------------------------------------------

    async def _fetch_each(self, run_ids: Iterable[str]) -> None:
        waiting = sorted(run_ids)
        for start in range(0, len(waiting), _AT_ONCE):
            async with asyncio.TaskGroup() as jobs:
                for run_id in waiting[start : start + _AT_ONCE]:
                    jobs.create_task(self._fetch_one(run_id))
            if self.results.untold:
                await self.results.bind(self.client)
            await self.results.save()

    async def _fetch_one(self, run_id: str) -> None:
        """Fetch one answer. What cannot be had now is left for the next look, with the reason."""
        results, why = self.results, ""
        try:
            event, why = await self._asked(run_id)
        except NotFound:
            results.odd[run_id] = "is not known to the API any more"
            return
        except Retriable as error:
            if not error.sent:
                raise
            results.odd[run_id] = f"cannot be looked at ({error})"
            return
        if event.run is not None and event.run.run_id == run_id:
            results.take(event)
        if why:
            results.odd[run_id] = why
        elif run_id in results.bare:
            self._tries[run_id] += 1
            age = time.time() - results.batch.sent_at
            if self._tries[run_id] >= _TRIES and age >= self.options.missing_output_timeout:
                results.without_output(run_id)

    async def _asked(self, run_id: str) -> tuple[Event, str]:
        """Return what the API says of one run, and what is wrong with it."""
        why = ""
        try:
            return await self.client.result(run_id), why
        except NotFound:
            pass  # so the API answers for a run that failed
        except Retriable as error:
            if not error.sent:
                raise
            if error.status == _STILL_ACTIVE:
                return Event(), "has ended, as the API tells it in one place, and goes on in another (408)"
            why = f"has an answer that cannot be fetched ({error})"
        run = await self.client.run(run_id)
        return Event(run=run), why if run.status in ("completed", "succeeded") else ""

    # --- giving up -----------------------------------------------------------------------------------

    async def _doubt(self, told: set[str], *, news: bool) -> None:
        """Give up on runs that neither end nor go on. What the API says goes on is waited for without end."""
        results, now = self.results, asyncio.get_running_loop().time()
        if news or await self._goes_on(told):
            self._since = None
            return
        self._since = now if self._since is None else self._since
        if now - self._since < self.options.stalled_timeout:
            return
        run_id = min(results.odd, default="")
        reason = f"run {run_id} {results.odd[run_id]}" if run_id else self._unread or "it does not list them"
        raise Incomplete(
            f"task group {results.batch.group_id}: for {self.options.stalled_timeout:,.0f} s the API has said of"
            f" {len(results.batch.active)} runs neither that they go on nor how they ended ({reason}). Their rows stay"
            " pending, and nothing is sent twice: run again later to go on, or ask the API's support"
        )

    async def _goes_on(self, told: set[str]) -> bool:
        results = self.results
        if going := results.active - told:
            # Runs end and do not begin again: a group that says all have ended is not merely late.
            if not (await self.client.group(results.batch.group_id)).status.at_rest:
                return True
            some = sorted(going)[:_AT_ONCE]
            results.odd.update(
                dict.fromkeys(some, "goes on, in the list of runs, and has ended, in the group")
            )
            await self._fetch_each(some)
            return False
        if len(results.odd.keys() | (told - results.done)) >= len(results.batch.active):
            return False  # each of them is accounted for, and none is under way
        return (await self.client.group(results.batch.group_id)).status.active
