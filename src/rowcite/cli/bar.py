"""Progress on a terminal, and in plain lines where there is none. The only file with tqdm."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from rowcite.api.facts import usd
from rowcite.cli.console import Console, printable

if TYPE_CHECKING:
    from tqdm import tqdm

_EVERY = 10.0  # seconds between plain lines


class Bar:
    """A tqdm bar of tasks: done, failed, active, rate, time left and spend."""

    def __init__(self, console: Console, *, free: bool) -> None:
        self._voice, self._free = console, free
        self._bar: tqdm[Any] | None = None
        self._failed = self._active = self._spent = 0

    def begin(self, tasks: int, answered: int) -> None:
        """Draw the bar; what was answered before counts as done, not towards the rate."""
        from tqdm import tqdm

        form = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
        self._bar = tqdm(
            total=tasks, initial=answered, unit=" tasks", file=sys.stderr, dynamic_ncols=True, bar_format=form
        )

    def more(self, tasks: int, text: str) -> None:
        """Lengthen the bar."""
        if self._bar is not None:
            self._bar.total = (self._bar.total or 0) + tasks
            self._bar.write(printable(text), file=sys.stderr)

    def submitted(self, runs: int, spent: int) -> None:
        """Count runs under way and money."""
        self._active += runs
        self._spent = spent
        self._redraw(refresh=True)

    def ended(self, completed: int, failed: int) -> None:
        """Count runs that have ended."""
        self._active = max(self._active - completed - failed, 0)
        self._failed += failed
        self._redraw()
        if self._bar is not None:
            self._bar.update(completed + failed)

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        if self._bar is not None and self._voice.form == "text":
            self._bar.write(printable(text), file=sys.stderr)
        else:
            self._voice.warning(text)

    def end(self) -> None:
        """Leave the finished bar standing."""
        if self._bar is not None:
            self._bar.close()

    def _redraw(self, *, refresh: bool = False) -> None:
        parts = [f"{self._active:,} active", *([f"{self._failed:,} failed"] if self._failed else [])]
        parts += [] if self._free else [usd(self._spent)]
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(parts), refresh=refresh)


class Lines:
    """A plain line every ten seconds, for logs."""

    def __init__(self, console: Console, *, free: bool) -> None:
        self._voice, self._free = console, free
        self._tasks = self._before = self._completed = self._failed = self._active = self._spent = 0
        self._began = self._told = time.monotonic()

    def begin(self, tasks: int, answered: int) -> None:
        """Start counting."""
        self._tasks, self._before = tasks, answered
        self._began = self._told = time.monotonic()

    def more(self, tasks: int, text: str) -> None:
        """Count what came on top."""
        self._tasks += tasks
        self._voice.info(text)

    def submitted(self, runs: int, spent: int) -> None:
        """Count runs under way and money."""
        self._active += runs
        self._spent = spent

    def ended(self, completed: int, failed: int) -> None:
        """Count runs that have ended, and tell from time to time."""
        self._completed += completed
        self._failed += failed
        self._active = max(self._active - completed - failed, 0)
        if time.monotonic() - self._told >= _EVERY:
            self._tell()

    def say(self, text: str) -> None:
        """Write a line."""
        self._voice.warning(text)

    def end(self) -> None:
        """Tell where it ended."""
        if self._completed + self._failed:
            self._tell()

    def _tell(self) -> None:
        self._told = now = time.monotonic()
        ended = self._completed + self._failed
        rate = ended / max(now - self._began, 1e-9)
        left = (self._tasks - self._before - ended) / rate if rate else 0.0
        money = "" if self._free else f", {usd(self._spent)} spent"
        done = self._before + ended
        self._voice.info(
            f"{done:,}/{self._tasks:,} done, {self._failed:,} failed, {self._active:,} active, {rate:.1f}/s{money}"
            + (f", {left:.0f} s left" if done < self._tasks else "")
        )
