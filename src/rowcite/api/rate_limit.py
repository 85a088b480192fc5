"""How many requests when: a limit a minute, a number at once, one pause for everyone. The clock is passed in.

The limit that the user gives is kept whatever comes. The API's own may be lower: after 429s that are no accident the
rate falls to what the API let through, and rises again while it is quiet.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

WINDOW = 61.0
"""Seconds. The API counts a minute by its own clock and after the network: one second more keeps a minute
of its time under the limit too."""
RISE_AFTER, RISE_BY = 10.0, 1.1
"""After so many quiet seconds the rate rises by so much: from a tenth of the limit to all of it in four minutes."""
LEAST = 10
"""Requests a minute that are tried although all are turned away: who asks less often learns too late that it is over."""
_ACCIDENTS, _ACCIDENT_SHARE = 3, 0.05
"""Fewer 429s than these in a window, and a smaller share of its requests, are hiccups: a pause is enough."""
_DEEPEST_CUT = 4
"""One cut divides the rate by no more: what came through may be little because little was asked."""
_SETTLING = 5.0  # seconds that a cut has to show its effect before the next
_TELL_EVERY = 60.0  # seconds


class RateLimiter:
    """Lets requests start.

    Never more than `per_minute` start in any 60 s, and never more than `at_once` are under way (long
    event streams apart). `refused` stops everyone, and slows down when it is no accident; `told` is called then with
    the requests a minute at which it goes on, at most once a minute.
    """

    def __init__(
        self,
        per_minute: int,
        at_once: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.per_minute = per_minute
        self.requests = 0
        self.on_throttled: Callable[[int], None] | None = None
        self._rate = float(per_minute)
        self._starts: deque[float] = deque()  # of the last window
        self._refusals: deque[float] = deque()  # the same
        self._slots = asyncio.Semaphore(at_once)
        self._queue = asyncio.Lock()  # first come, first served
        self._clock = clock
        self._sleep = sleep
        self._first: float | None = None  # when the first request started
        self._held_until = self._settled_at = self._rises_at = 0.0
        self._told_at: float | None = None

    @property
    def rate(self) -> int:
        """Return how many requests a minute may start as it stands: `per_minute`, or fewer after 429s."""
        return int(self._rate)

    def hold(self, seconds: float) -> None:
        """Let nobody start for so long."""
        self._held_until = max(self._held_until, self._clock() + seconds)

    def refused(self, seconds: float) -> None:
        """Note that the API turned a request away (429), to come again in so many seconds."""
        self.hold(seconds)
        now = self._clock()
        self._refusals.append(now)
        self._forget(now)
        refusals, starts = len(self._refusals), len(self._starts)
        if refusals < _ACCIDENTS or refusals < _ACCIDENT_SHARE * starts:
            return
        if now >= self._settled_at:
            self._slow_down(now, starts - refusals)
        if self.on_throttled is not None and (self._told_at is None or now - self._told_at >= _TELL_EVERY):
            self._told_at = now
            self.on_throttled(self.rate)

    @asynccontextmanager
    async def turn(self, *, stream: bool = False) -> AsyncIterator[None]:
        """Wait for a turn and keep a place while the request is under way; a stream keeps none."""
        if stream:
            await self._start()
            yield
            return
        async with self._slots:
            await self._start()
            yield

    async def _start(self) -> None:
        async with self._queue:
            while (wait := self._wait(self._clock())) > 0:
                await self._sleep(wait)
            now = self._clock()
            self._first = now if self._first is None else self._first
            self._starts.append(now)
            self.requests += 1

    def _wait(self, now: float) -> float:
        self._forget(now)
        self._rise(now)
        held = self._held_until - now
        if len(self._starts) < self.rate:
            return max(held, 0.0)
        free = self._starts[-self.rate] + WINDOW - now
        if self.rate < self.per_minute:
            free = min(free, self._rises_at - now)  # there may be room sooner
        return max(held, free)

    def _forget(self, now: float) -> None:
        for times in (self._starts, self._refusals):
            while times and times[0] + WINDOW - now <= 0:
                times.popleft()

    def _slow_down(self, now: float, passed: int) -> None:
        """Go on at the rate at which requests came through, over the last window or as long as there were any."""
        since = min(WINDOW, max(now - (self._first if self._first is not None else now), 1.0))
        wanted = max(passed * WINDOW / since, self._rate / _DEEPEST_CUT, min(LEAST, self.per_minute))
        self._rate = min(self._rate, wanted)
        self._settled_at = self._held_until + _SETTLING
        self._rises_at = self._held_until + RISE_AFTER

    def _rise(self, now: float) -> None:
        while self._rate < self.per_minute and now >= self._rises_at:
            self._rate = min(self._rate * RISE_BY, self.per_minute)
            self._rises_at += RISE_AFTER
