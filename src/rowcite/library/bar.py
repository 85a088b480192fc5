"""A progress bar in a notebook or on a terminal. tqdm draws it, as a widget where ipywidgets is installed, else as text."""

from __future__ import annotations

import sys
import threading
import warnings
from typing import Any

from rowcite.api.facts import usd
from rowcite.progress import Band, Progress, Silent, TaskCounts, Ticker

_REDRAW_SECONDS = 0.5


def progress_of(*, wanted: bool | None) -> Progress:
    """Return the observer of a run. None: a bar in a notebook and at the prompt of Python, and nothing in a program."""
    return Bar() if wanted or (wanted is None and _is_interactive()) else Silent()


def _is_interactive() -> bool:
    ipython = sys.modules.get("IPython")
    return hasattr(sys, "ps1") or (ipython is not None and ipython.get_ipython() is not None)


class Bar:
    """Shows the done tasks, and how many are active or have failed. Redraws itself, so that its clock runs while nothing happens."""

    def __init__(self) -> None:
        self._counts = TaskCounts()
        self._lock = threading.Lock()
        self._ticker = Ticker("rowcite-progress", self._draw)
        self._bar: Any = None

    def begin(self, tasks: int, answered: int, active: int = 0, seconds: Band | None = None) -> None:  # noqa: ARG002 - tqdm estimates
        """Start to draw."""
        with self._lock:
            self._counts.tasks, self._counts.answered, self._counts.active = tasks, answered, active
        self._start()

    def more(self, tasks: int, text: str, seconds: Band | None = None) -> None:  # noqa: ARG002 - tqdm estimates
        """Add the tasks of an escalation round."""
        with self._lock:
            self._counts.tasks += tasks
        self._start()
        self.say(text)

    def submitted(self, tasks: int, spent: int) -> None:
        """Count active tasks and spend."""
        with self._lock:
            self._counts.submitted(tasks, spent)

    def ended(self, completed: int, failed: int) -> None:
        """Count tasks that have ended."""
        with self._lock:
            self._counts.ended(completed, failed)

    def say(self, text: str) -> None:
        """Write a message above the bar."""
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)

    def end(self) -> None:
        """Draw the last state, once."""
        if self._ticker.stop():
            self._draw()
            self._bar.close()

    def _start(self) -> None:
        if self._ticker.runs or not self._counts.tasks:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm recommends ipywidgets
            from tqdm.auto import tqdm
        tqdm.monitor_interval = 0  # the ticker redraws, so tqdm needs none
        counts = self._counts
        self._bar = tqdm(total=counts.tasks, initial=counts.answered, unit=" tasks", miniters=1 << 62)
        self._ticker.start(_REDRAW_SECONDS)

    def _draw(self) -> None:
        with self._lock:
            counts = self._counts
            self._bar.n, self._bar.total = counts.done, counts.tasks
            parts = [f"{counts.active:,} active"] if counts.active else []
            parts += [f"{counts.failed:,} failed"] if counts.failed else []
            parts += [usd(counts.spent)] if counts.spent else []
        self._bar.set_postfix_str(", ".join(parts), refresh=False)
        self._bar.refresh()
