"""The observer of a run: what is reported while it works, and how its counts are kept."""

from __future__ import annotations

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


def duration(seconds: float) -> str:
    """Return a time in words: 3 s, 12 min, 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"
