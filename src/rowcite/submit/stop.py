"""When a run stops before it is done: at its deadline, or because another thread requests it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
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
        if self._seconds is not None and time.monotonic() - self._began >= self._seconds:
            raise self._reached()

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
        left = None if self._seconds is None else self._began + self._seconds - time.monotonic()
        try:
            async with asyncio.timeout(left) as timeout:
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise self._reached() from None
        finally:
            with self._lock:
                self._submission = None

    def _reached(self) -> DeadlineReached:
        return DeadlineReached(duration(self._seconds or 0.0))
