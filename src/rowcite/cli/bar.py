"""Progress on a terminal, and in plain lines elsewhere. The only file with tqdm."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from rowcite.api.facts import usd
from rowcite.cli.console import MOST, Console
from rowcite.inert import one_line
from rowcite.progress import TaskCounts

if TYPE_CHECKING:
    from tqdm import tqdm

_EVERY = 10.0  # seconds between plain lines


class Bar:
    """A tqdm bar of tasks: done, failed, active, rate, time left and spend."""

    def __init__(self, console: Console, *, free: bool) -> None:
        self.counts = TaskCounts()
        self._console, self._free = console, free
        self._bar: tqdm[Any] | None = None

    def begin(self, tasks: int, answered: int) -> None:
        """Draw the bar; tasks answered by earlier commands count as done, not towards the rate."""
        from tqdm import tqdm

        self.counts.tasks, self.counts.answered = tasks, answered
        form = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
        self._bar = tqdm(
            total=tasks, initial=answered, unit=" tasks", file=sys.stderr, dynamic_ncols=True, bar_format=form
        )

    def more(self, tasks: int, text: str) -> None:
        """Lengthen the bar."""
        self.counts.tasks += tasks
        if self._bar is not None:
            self._bar.total = self.counts.tasks
            self._bar.write(one_line(text, MOST), file=sys.stderr)

    def submitted(self, runs: int, spent: int) -> None:
        """Count active runs and spend."""
        self.counts.submitted(runs, spent)
        self._redraw(refresh=True)

    def ended(self, completed: int, failed: int) -> None:
        """Count runs that have ended."""
        self.counts.ended(completed, failed)
        self._redraw()
        if self._bar is not None:
            self._bar.update(completed + failed)

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        if self._bar is not None and self._console.form == "text":
            self._bar.write(one_line(text, MOST), file=sys.stderr)
        else:
            self._console.warning(text)

    def end(self) -> None:
        """Leave the finished bar on the terminal."""
        if self._bar is not None:
            self._bar.close()

    def _redraw(self, *, refresh: bool = False) -> None:
        counts = self.counts
        parts = [f"{counts.active:,} active", *([f"{counts.failed:,} failed"] if counts.failed else [])]
        parts += [] if self._free else [usd(counts.spent)]
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(parts), refresh=refresh)


class Lines:
    """A plain line every ten seconds, for logs."""

    def __init__(self, console: Console, *, free: bool) -> None:
        self.counts = TaskCounts()
        self._console, self._free = console, free
        self._began = self._written = time.monotonic()

    def begin(self, tasks: int, answered: int) -> None:
        """Start counting."""
        self.counts.tasks, self.counts.answered = tasks, answered
        self._began = self._written = time.monotonic()

    def more(self, tasks: int, text: str) -> None:
        """Count the tasks of an escalation round."""
        self.counts.tasks += tasks
        self._console.info(text)

    def submitted(self, runs: int, spent: int) -> None:
        """Count active runs and spend."""
        self.counts.submitted(runs, spent)

    def ended(self, completed: int, failed: int) -> None:
        """Count runs that have ended, and write a line from time to time."""
        self.counts.ended(completed, failed)
        if time.monotonic() - self._written >= _EVERY:
            self._write()

    def say(self, text: str) -> None:
        """Write a line."""
        self._console.warning(text)

    def end(self) -> None:
        """Write the last line."""
        if self.counts.completed + self.counts.failed:
            self._write()

    def _write(self) -> None:
        self._written = now = time.monotonic()
        counts = self.counts
        rate = (counts.completed + counts.failed) / max(now - self._began, 1e-9)
        left = (counts.tasks - counts.done) / rate if rate else 0.0
        money = "" if self._free else f", {usd(counts.spent)} spent"
        self._console.info(
            f"{counts.done:,}/{counts.tasks:,} done, {counts.failed:,} failed, {counts.active:,} active,"
            f" {rate:.1f}/s{money}" + (f", {left:.0f} s left" if counts.done < counts.tasks else "")
        )
