"""How many runs a server has had, and how long from the first creation to the last end: its own makespan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SubmissionCounts:
    """Counts since this process began; `first` and `last` are Unix seconds. A restored run counts when it ends."""

    created: int = 0
    ended: int = 0
    first: float | None = None
    last: float | None = None

    def add(self, created: int, now: float) -> None:
        """Count new runs."""
        self.created += created
        self.first = now if self.first is None else self.first

    def end(self, ended: int, now: float) -> None:
        """Count runs that ended."""
        if ended:
            self.ended += ended
            self.last = now

    @property
    def makespan(self) -> float:
        """Seconds from the first creation to the last end; 0 before there are both."""
        return max(0.0, self.last - self.first) if self.first is not None and self.last is not None else 0.0

    def __str__(self) -> str:
        return f"{self.created:,} runs created, {self.ended:,} ended; {self.makespan:.3f} s from the first creation to the last end"
