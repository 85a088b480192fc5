"""The rate limiter: requests a minute, requests in flight, one pause for all. The clock is passed in.

The user's limit always holds. The API's own may be lower: after repeated 429s the rate falls to what the API let
through, and rises again while there are none.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

WINDOW = 61.0
"""Seconds. The API counts by its own clock, after the network: one second more keeps a minute of its time under the
limit too."""
RISE_AFTER, RISE_BY = 10.0, 1.1
"""Seconds without a 429 after which the rate rises, and the factor: from a tenth of the limit to all of it in four minutes."""
MIN_RATE = 10
"""Requests a minute, even if all get 429: a lower rate would notice too late that the limit has risen."""
_ISOLATED, _ISOLATED_SHARE = 3, 0.05
"""Fewer 429s in a window, or a smaller share of its requests, only cause a pause."""
_MAX_CUT = 4
"""One reduction divides the rate by at most this: few requests may have passed because few were sent."""
_SETTLING = 5.0  # seconds for a reduction to take effect before the next
_REPORT_EVERY = 60.0  # seconds


class RateLimiter:
    """Delays requests so that the limits hold.

    At most `per_minute` start in any 60 s, and at most `at_once` are in flight (long event streams excluded).
    `throttled` pauses all requests, and reduces the rate if 429s repeat; `on_throttled` is then called with the new
    rate, at most once a minute.
    """

    def __init__(
        self,
        per_minute: int,
        at_once: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.per_minute, self.at_once = per_minute, at_once
        self.requests = 0
        self.on_throttled: Callable[[int], None] | None = None
        self._rate = float(per_minute)
        self._starts: deque[float] = deque()  # requests of the last window
        self._throttles: deque[float] = deque()  # 429s of the last window
        self.enter_loop()
        self._clock = clock
        self._sleep = sleep
        self._first: float | None = None  # start of the first request
        self._paused_until = self._settled_at = self._rises_at = 0.0
        self._reported_at: float | None = None

    @property
    def rate(self) -> int:
        """Return how many requests a minute may start now: `per_minute`, or fewer after 429s."""
        return int(self._rate)

    def enter_loop(self) -> None:
        """Prepare for the event loop that uses it next. The log of starts is kept: the limit holds across loops."""
        self._slots = asyncio.Semaphore(self.at_once)
        self._queue = asyncio.Lock()  # first come, first served

    def pause(self, seconds: float) -> None:
        """Start no request for a number of seconds."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def throttled(self, seconds: float) -> None:
        """Record a 429, whose request may be retried after a number of seconds."""
        self.pause(seconds)
        now = self._clock()
        self._throttles.append(now)
        self._forget(now)
        throttles, starts = len(self._throttles), len(self._starts)
        if throttles < _ISOLATED or throttles < _ISOLATED_SHARE * starts:
            return
        if now >= self._settled_at:
            self._slow_down(now, starts - throttles)
        if self.on_throttled is not None and (
            self._reported_at is None or now - self._reported_at >= _REPORT_EVERY
        ):
            self._reported_at = now
            self.on_throttled(self.rate)

    @asynccontextmanager
    async def turn(self, *, stream: bool = False) -> AsyncIterator[None]:
        """Wait until a request may start, and hold one of the `at_once` places meanwhile; a stream holds none."""
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
        paused = self._paused_until - now
        if len(self._starts) < self.rate:
            return max(paused, 0.0)
        free = self._starts[-self.rate] + WINDOW - now
        if self.rate < self.per_minute:
            free = min(free, self._rises_at - now)  # the rate may rise sooner
        return max(paused, free)

    def _forget(self, now: float) -> None:
        for times in (self._starts, self._throttles):
            while times and times[0] + WINDOW - now <= 0:
                times.popleft()

    def _slow_down(self, now: float, passed: int) -> None:
        """Reduce the rate to that at which requests passed, over the last window or since the first request."""
        since = min(WINDOW, max(now - (self._first if self._first is not None else now), 1.0))
        wanted = max(passed * WINDOW / since, self._rate / _MAX_CUT, min(MIN_RATE, self.per_minute))
        self._rate = min(self._rate, wanted)
        self._settled_at = self._paused_until + _SETTLING
        self._rises_at = self._paused_until + RISE_AFTER

    def _rise(self, now: float) -> None:
        while self._rate < self.per_minute and now >= self._rises_at:
            self._rate = min(self._rate * RISE_BY, self.per_minute)
            self._rises_at += RISE_AFTER
