"""Progress on a terminal, and in plain lines elsewhere: once a second and every 30 seconds. The only file of the command with tqdm."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from rowcite.api.facts import MICRO, usd
from rowcite.cli.console import LINE_SECONDS, Console
from rowcite.cli.time_left import TimeLeft
from rowcite.progress import Band, TaskCounts, Ticker

if TYPE_CHECKING:
    from tqdm import tqdm

REDRAW_SECONDS = 1.0
_LEAST_BAR, _LONGEST_BAR = 10, 40


class Meter:
    """Counts the tasks of a command, and shows them every few seconds whether or not anything has happened.

    `free`: no money is spent. `sends`: the command ends when all tasks are sent, so those count as done.
    """

    seconds = LINE_SECONDS

    def __init__(self, console: Console, *, free: bool, sends: bool = False) -> None:
        self.counts = TaskCounts()
        self._console, self._free, self.sends = console, free, sends
        self._began = time.monotonic()
        self._time_left = TimeLeft(None, self._began)
        self._lock = threading.RLock()
        self._ticker = Ticker("rowcite-progress", self._tick)

    @property
    def word(self) -> str:
        """Return the word for done tasks."""
        return "sent" if self.sends else "done"

    @property
    def position(self) -> int:
        """Return how many tasks are done."""
        return self.counts.sent if self.sends else self.counts.done

    def begin(self, tasks: int, answered: int, active: int = 0, seconds: Band | None = None) -> None:
        """Start to count and to show."""
        with self._lock:
            self.counts.tasks, self.counts.answered, self.counts.active = tasks, answered, active
            self._began = time.monotonic()
            self._expect(seconds)
        self._run()

    def more(self, tasks: int, text: str, seconds: Band | None = None) -> None:
        """Count the tasks of an escalation round."""
        with self._lock:
            self.counts.tasks += tasks
            self._expect(seconds)
        self._console.info(text, event="retry", tasks=tasks)
        self._run()

    def submitted(self, tasks: int, spent: int) -> None:
        """Count active tasks and spend."""
        with self._lock:
            self.counts.submitted(tasks, spent)
        self._changed()

    def ended(self, completed: int, failed: int) -> None:
        """Count tasks that have ended."""
        with self._lock:
            self.counts.ended(completed, failed)
        self._changed()

    def say(self, text: str) -> None:
        """Write a warning."""
        self._console.warning(text)

    def end(self) -> None:
        """Show the last state, once."""
        if self._ticker.stop():
            self._finish()
            self._console.shows_tasks = False

    def parts(self, *, short: bool = False) -> list[str]:
        """Return what is shown, in order: the done tasks, the time, those in other states, money, and the time left."""
        counts, now = self.counts, time.monotonic()
        done = f"{self.position:,}/{counts.tasks:,}{'' if short else f' {self.word}'}"
        return [
            done,
            clock(now - self._began),
            *([f"{counts.active:,} active"] if counts.active and not self.sends else []),
            *([f"{counts.failed:,} failed"] if counts.failed else []),
            *([usd(counts.spent)] if counts.spent and not self._free and not short else []),
            *filter(None, [self._left(now, short=short)]),
        ]

    def _left(self, now: float, *, short: bool) -> str:
        left = self.counts.tasks - self.position
        running = left > 0 and not self._ticker.is_stopped
        return self._time_left.text(left, now, short=short) if running else ""

    def _expect(self, seconds: Band | None) -> None:
        self._time_left = TimeLeft(None if self.sends else seconds, time.monotonic())

    def _changed(self) -> None:
        with self._lock:
            ended = self.position - self.counts.answered
            self._time_left.add(ended, time.monotonic())

    def _run(self) -> None:
        """Start to show, unless there is nothing to show or it runs already."""
        if not self.counts.tasks or self._ticker.runs:
            return
        self._console.shows_tasks = True
        with self._lock:
            self._start()
        self._ticker.start(self.seconds)

    def _tick(self) -> None:
        with self._lock:
            self._show()

    def _start(self) -> None:
        """Show the first state."""

    def _show(self) -> None:
        """Show the present state."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Show the last state."""
        self._show()


class Bar(Meter):
    """One line at the bottom of a terminal: counts and time first, the drawn bar where there is room for it."""

    seconds = REDRAW_SECONDS

    def __init__(self, console: Console, *, free: bool, sends: bool = False) -> None:
        super().__init__(console, free=free, sends=sends)
        self._line = _LastLine(console, self._lock)

    def _start(self) -> None:
        self._line.open(total=self.counts.tasks, bar_format=self._form(), miniters=1 << 62)
        self._show()

    def _show(self) -> None:
        if (bar := self._line.bar) is not None:
            bar.n, bar.total = self.position, self.counts.tasks
            bar.bar_format, bar.ncols = self._form(), _columns()
            bar.refresh()

    def _finish(self) -> None:
        with self._lock:
            self._show()
            self._line.close()

    def _form(self) -> str:
        """Return the line in tqdm's notation."""
        return bar_form(self.parts(), self.parts(short=True), self.position, self.counts.tasks, _columns())


class Lines(Meter):
    """A plain line every 30 seconds, for logs."""

    def __init__(self, console: Console, *, free: bool, sends: bool = False) -> None:
        super().__init__(console, free=free, sends=sends)
        self.seconds = console.line_seconds

    def _show(self) -> None:
        counts = self.counts
        self._console.info(
            ", ".join(self.parts()),
            event="progress",
            tasks=counts.tasks,
            done=self.position,
            active=counts.active,
            failed=counts.failed,
            spent_usd=counts.spent / MICRO,
            seconds=round(time.monotonic() - self._began, 1),
        )


class Passes:
    """Shows each pass over a table that takes its time: one line of a terminal, or a plain line every 30 seconds.

    Nothing is shown while a `Meter` shows tasks.
    """

    first_seconds = REDRAW_SECONDS

    def __init__(self, console: Console) -> None:
        self._console, self.seconds = console, console.line_seconds
        self._passes = self._rows = self._answers = 0
        self._began = 0.0
        self._lock = threading.RLock()
        self._line = _LastLine(console, self._lock)
        self._ticker = Ticker("rowcite-reading", self._tick)

    def begin(self) -> None:
        """Start to count the rows of a pass."""
        with self._lock:
            self._passes += 1
            if self._passes > 1 or self._console.quiet:
                return
            self._rows = self._answers = 0
            self._began = time.monotonic()
        self._ticker.start(self.first_seconds if self._console.draws else self.seconds)

    def read(self, rows: int, answers: int) -> None:
        """Add rows and answers that were read."""
        self._rows += rows
        self._answers += answers

    def end(self) -> None:
        """End the pass: take its line from the terminal, or write a last one if lines were due."""
        with self._lock:
            self._passes = max(self._passes - 1, 0)
            if self._passes:
                return
        if not self._ticker.stop():
            return
        with self._lock:
            if self._line.bar is not None:
                self._line.close()
            elif not self._console.draws and time.monotonic() - self._began >= self.seconds:
                self._show()

    def parts(self) -> list[str]:
        """Return what is shown: the rows and answers read, the time, and how many of them a second."""
        seconds = time.monotonic() - self._began
        count, noun = (self._answers, "answers") if self._answers else (self._rows, "rows")
        answers = [f"{self._answers:,} stored answers read"] if self._answers else []
        rate = f"{count / seconds:,.0f} {noun}/s" if seconds >= self.first_seconds else ""
        return [f"{self._rows:,} rows read", *answers, clock(seconds), *filter(None, [rate])]

    def _tick(self) -> None:
        with self._lock:
            self._show()

    def _show(self) -> None:
        if not self._console.shows_tasks:
            (self._draw if self._console.draws else self._write)()

    def _write(self) -> None:
        seconds = round(time.monotonic() - self._began, 1)
        self._console.info(
            ", ".join(self.parts()), event="reading", rows=self._rows, answers=self._answers, seconds=seconds
        )

    def _draw(self) -> None:
        bar = self._line.open(bar_format="{desc}", leave=False)
        bar.set_description_str("  ".join(self.parts())[: _columns()])


class _LastLine:
    """The last line of the terminal, which tqdm draws: messages are written above it while it is open."""

    def __init__(self, console: Console, lock: threading.RLock) -> None:
        self._console, self._lock = console, lock
        self.bar: tqdm[Any] | None = None

    def open(self, **options: Any) -> tqdm[Any]:
        """Return the line, drawn from now on."""
        from tqdm import tqdm

        if self.bar is None:
            tqdm.monitor_interval = 0  # the ticker redraws, so tqdm needs no thread
            self.bar = tqdm(file=sys.stderr, **options)
            self._console.write_above = self._above
        return self.bar

    def close(self) -> None:
        """Leave the line, or remove it if it was opened so."""
        self._console.write_above = None
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def _above(self, line: str) -> None:
        with self._lock:
            if self.bar is not None:
                self.bar.write(line, file=sys.stderr)


def bar_form(parts: list[str], short: list[str], done: int, tasks: int, columns: int) -> str:
    """Return the line of a bar in tqdm's notation. `short` is used where `parts` do not fit; what is last is left out first."""
    text = "  ".join(parts)
    if len(text) > columns:
        while len(short) > 2 and len("  ".join(short)) > columns:
            short.pop(-2 if len(short) > 3 else -1)
        return "  ".join(short)[:columns]
    percent = f"  {100 * done // max(tasks, 1)}% "
    room = min(columns - len(text) - len(percent) - 2, _LONGEST_BAR)
    return f"{text}{percent}|{{bar:{room}}}|" if room >= _LEAST_BAR else text


def clock(seconds: float) -> str:
    """Return a time as a clock shows it: 0:32, 1:02:14."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _columns() -> int:
    """Return the columns of the terminal on stderr but the last, where some terminals wrap."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 80
    return max(columns - 1, 10)
