"""How many requests when: a limit a minute, a number at once, and one pause for everyone. The clock is passed in."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

WINDOW = 61.0
"""Seconds. The API counts a minute by its own clock and after the network: one second more keeps a minute
of its time under the limit too."""


class Pace:
    """Lets requests start.

    Never more than `per_minute` start in any 60 s, and never more than `at_once` are under way (long
    event streams apart). `hold` stops everyone, for a 429.
    """

    def __init__(
        self,
        per_minute: int,
        at_once: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._starts: deque[float] = deque(maxlen=per_minute)
        self._per_minute = per_minute
        self._slots = asyncio.Semaphore(at_once)
        self._door = asyncio.Lock()  # first come, first served
        self._held_until = 0.0
        self._clock = clock
        self._sleep = sleep
        self.requests = 0

    def hold(self, seconds: float) -> None:
        """Let nobody start for so long."""
        self._held_until = max(self._held_until, self._clock() + seconds)

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
        async with self._door:
            while (wait := self._wait(self._clock())) > 0:
                await self._sleep(wait)
            self._starts.append(self._clock())
            self.requests += 1

    def _wait(self, now: float) -> float:
        full = len(self._starts) == self._per_minute
        return max(self._held_until - now, self._starts[0] + WINDOW - now if full else 0.0)
