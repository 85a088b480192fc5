"""The observers of a command: of a run, with its counts, and of each pass over a table; and the thread that redraws them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Band: TypeAlias = tuple[float, float]
"""A range of seconds: from, to."""


class Progress(Protocol):
    """Receives every step of a run. Calls are cheap and frequent: draw at most ten times a second."""

    def begin(self, tasks: int, answered: int, active: int = 0, seconds: Band | None = None) -> None:
        """Begin with `tasks` tasks: earlier commands got `answered` of them answered, and left `active` of them active.

        `seconds` is the time that the others usually take, None if it is not known.
        """

    def more(self, tasks: int, text: str, seconds: Band | None = None) -> None:
        """Add `tasks` tasks, which usually take `seconds`; `text` gives the reason."""

    def submitted(self, tasks: int, spent: int) -> None:
        """Add active tasks; less than 0: those do not exist after all. `spent` is the command's spend so far, in micro-US$."""

    def ended(self, completed: int, failed: int) -> None:
        """Count runs that have ended and whose answers are in the ledger."""

    def say(self, text: str) -> None:
        """Show a message to the user."""

    def end(self) -> None:
        """End: nothing more is reported."""


class Silent:
    """Reports nothing."""

    def begin(self, tasks: int, answered: int, active: int = 0, seconds: Band | None = None) -> None:
        """Ignore it."""

    def more(self, tasks: int, text: str, seconds: Band | None = None) -> None:
        """Ignore it."""

    def submitted(self, tasks: int, spent: int) -> None:
        """Ignore it."""

    def ended(self, completed: int, failed: int) -> None:
        """Ignore it."""

    def say(self, text: str) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""


@dataclass(slots=True)
class TaskCounts:
    """The tasks of a command: all of them, answered by earlier commands, and by state since. Money is micro-US$.

    `sent` counts those that this command sent.
    """

    tasks: int = 0
    answered: int = 0
    sent: int = 0
    completed: int = 0
    failed: int = 0
    active: int = 0
    spent: int = 0

    @property
    def done(self) -> int:
        """Return how many tasks have ended."""
        return self.answered + self.completed + self.failed

    def submitted(self, tasks: int, spent: int) -> None:
        """Add active tasks; less than 0: those do not exist after all."""
        self.sent += max(tasks, 0)
        self.active += tasks
        self.spent = spent

    def ended(self, completed: int, failed: int) -> None:
        """Count tasks that have ended."""
        self.completed += completed
        self.failed += failed
        self.active = max(self.active - completed - failed, 0)


class Reading(Protocol):
    """Receives each pass over a table: its beginning, the rows and the stored answers that were read, and its end."""

    def begin(self) -> None:
        """Begin with a pass."""

    def read(self, rows: int, answers: int) -> None:
        """Add rows and answers that were read."""

    def end(self) -> None:
        """End the pass."""


_reading: ContextVar[Reading | None] = ContextVar("reading", default=None)


@contextmanager
def watching(reading: Reading) -> Iterator[None]:
    """Report the passes of the block. Every command reads tables, so the observer is not an argument of all of them."""
    token = _reading.set(reading)
    try:
        yield
    finally:
        _reading.reset(token)


@contextmanager
def table_pass() -> Iterator[None]:
    """Report that the block reads a table."""
    reading = _reading.get()
    if reading is not None:
        reading.begin()
    try:
        yield
    finally:
        if reading is not None:
            reading.end()


def count_read(*, rows: int = 0, answers: int = 0) -> None:
    """Report rows of a table, or stored answers, that were read."""
    if (reading := _reading.get()) is not None:
        reading.read(rows, answers)


class Ticker:
    """Calls a function every few seconds, in a thread, until it is stopped. It can be started again."""

    def __init__(self, name: str, call: Callable[[], None]) -> None:
        self._name, self._call = name, call
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def runs(self) -> bool:
        """Return True between start and stop."""
        return self._thread is not None

    @property
    def is_stopped(self) -> bool:
        """Return True after stop."""
        return self._stopped.is_set()

    def start(self, seconds: float) -> None:
        """Call the function every few seconds from now on."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, args=(seconds,), name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Wait for the last call; return True if it was started."""
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        return thread is not None

    def _run(self, seconds: float) -> None:
        while not self._stopped.wait(seconds):
            self._call()


def duration(seconds: float) -> str:
    """Return a time in words: 3 s, 12 min, 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"
