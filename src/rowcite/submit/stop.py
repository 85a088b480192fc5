"""When a run stops before it is done: at its deadline, or because another thread requests it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from threading import Lock
from typing import TypeVar

from rowcite.errors import DeadlineReached
from rowcite.progress import duration

T = TypeVar("T")


class Stop:
    """The deadline of one run, and the way to cancel the run from another thread.

    Every phase looks at it: synchronous work between two batches of the table, a submission at any time.
    """

    def __init__(self) -> None:
        self._seconds: float | None = None
        self._began = 0.0
        self._pause: float | None = None
        self._lock = Lock()
        self._requested = False
        self._submission: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None

    def limit(self, deadline: timedelta | None) -> None:
        """Begin, and stop when `deadline` has passed; None is no deadline."""
        self._seconds = deadline.total_seconds() if deadline else None
        self._began = time.monotonic()

    def extend(self, seconds: float) -> None:
        """Leave `seconds` out of the deadline: the time in which a person was asked."""
        self._began += seconds

    def request(self) -> None:
        """Cancel the run, from any thread."""
        with self._lock:
            self._requested = True
            if self._submission is not None:
                loop, task = self._submission
                loop.call_soon_threadsafe(task.cancel)

    def check(self) -> None:
        """Return if the run may continue.

        Raises:
            DeadlineReached: the deadline has passed.
            CancelledError: another thread requested the end.
        """
        if self._requested:
            raise asyncio.CancelledError
        left = self._left()
        if left is not None and left <= 0:
            raise self._reached()

    @contextmanager
    def pausing_after(self, wait: timedelta) -> Iterator[None]:
        """Stop the work of the context after `wait`, without an error. The deadline remains.

        Raises:
            DeadlineReached: the deadline has passed.
        """
        self._pause = time.monotonic() + wait.total_seconds()
        try:
            yield
        except DeadlineReached:
            self._pause = None
            self.check()
        finally:
            self._pause = None

    def checked(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, and check before each of them."""
        for item in items:
            self.check()
            yield item

    @asynccontextmanager
    async def submitting(self) -> AsyncIterator[None]:
        """Cancel the task that runs the context when the run stops.

        Raises:
            DeadlineReached: the deadline has passed.
        """
        self.check()
        task = asyncio.current_task()
        assert task is not None
        with self._lock:
            self._submission = asyncio.get_running_loop(), task
        try:
            async with asyncio.timeout(self._left()) as timeout:
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise self._reached() from None
        finally:
            with self._lock:
                self._submission = None

    def _left(self) -> float | None:
        """Return the seconds until the deadline or the pause, None without either."""
        ends = [self._pause] if self._pause is not None else []
        ends += [self._began + self._seconds] if self._seconds is not None else []
        return min(ends) - time.monotonic() if ends else None

    def _reached(self) -> DeadlineReached:
        return DeadlineReached(duration(self._seconds or 0.0))
