"""What a run tells while it goes: the one observer, and a silent one."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of every step. Calls are cheap and frequent: an implementation draws at most ten times a second."""

    def begin(self, tasks: int, answered: int) -> None:
        """So many tasks in all, of which so many were answered before."""

    def more(self, tasks: int, text: str) -> None:
        """So many tasks have come on top, and why."""

    def submitted(self, runs: int, spent: int) -> None:
        """So many more runs are under way; `spent` micro-US$ in all by this command."""

    def ended(self, completed: int, failed: int) -> None:
        """So many more runs have ended, and their answers are in the ledger."""

    def say(self, text: str) -> None:
        """Something that a person should read."""

    def end(self) -> None:
        """Nothing more will be told."""


class Silent:
    """Tells nobody."""

    def begin(self, tasks: int, answered: int) -> None:
        """Ignore it."""

    def more(self, tasks: int, text: str) -> None:
        """Ignore it."""

    def submitted(self, runs: int, spent: int) -> None:
        """Ignore it."""

    def ended(self, completed: int, failed: int) -> None:
        """Ignore it."""

    def say(self, text: str) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""
