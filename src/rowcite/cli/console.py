"""Messages on stderr, as text or JSON: each a line, with control characters escaped and its length limited."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, TextIO

from rowcite.inert import one_line, shortened

MOST = 5_000
"""Characters of a line."""
LINE_SECONDS = 30.0
"""How often progress is written without a terminal."""


class Console:
    """Writes messages to stderr. `quiet` writes only warnings and errors, `verbose` adds every request."""

    _current: ClassVar[Console | None] = None

    def __init__(self, form: str = "text", *, quiet: bool = False, verbose: bool = False) -> None:
        self.form, self.quiet, self.verbose = form, quiet, verbose
        self.on_interrupt: Callable[[], str] | None = lambda: "Interrupted"
        """Returns the last line after a signal. None where a signal is the usual end."""
        self.write_above: Callable[[str], None] | None = None
        """Writes a line above a progress bar, while there is one."""
        self.draws = form == "text" and not quiet and on_terminal(sys.stderr)
        """Whether progress is drawn, not written as lines."""
        self.line_seconds = LINE_SECONDS
        """How often a line of progress is written."""
        self.shows_tasks = False
        """Whether the progress of tasks is shown now."""
        self._is_asking = False

    @classmethod
    def default(cls) -> Console:
        """Reset to the default console, for errors before the flags are parsed."""
        cls._current = cls()
        return cls._current

    @classmethod
    def current(cls) -> Console:
        """Return the console of the running command."""
        return cls._current or cls.default()

    def take_over(self) -> Console:
        """Become the console of the running command."""
        Console._current = self
        if self.verbose:
            self._log_requests()
        return self

    def info(self, *lines: str, event: str = "message", **fields: Any) -> None:
        """Write an informational message. `event` is its name in a JSON log, with its fields (`rowcite.cli.events`)."""
        if not self.quiet:
            self._write("info", event, fields, *lines)

    def warning(self, *lines: str) -> None:
        """Write a warning."""
        self._write("warning", "warning", {}, *lines)

    def error(self, *lines: str, exit_code: int, event: str = "error") -> None:
        """Write the error that ends the command."""
        self._write("error", event, {"exit_code": exit_code}, *lines)

    def debug(self, text: str) -> None:
        """Write a message for debugging."""
        if self.verbose:
            self._write("debug", "request", {}, text)

    def ask(self, question: str) -> str:
        """Ask on the terminal; return the line that was typed, empty at the end of the input. A signal interrupts it."""
        text = folded(one_line(question), sys.stderr)
        print(f"{text}: ", end="", file=sys.stderr, flush=True)  # noqa: T201 - a question does not belong in a log
        self._is_asking = True
        line = sys.stdin.readline()
        self._is_asking = line == ""
        return line.strip()

    def _write(self, level: str, event: str, fields: Mapping[str, Any], *lines: str) -> None:
        """Write the lines of one message. A line break inside of one is from a value, and is escaped."""
        if self.form == "json":
            import json

            message = "\n".join(shortened(line, MOST) for line in lines)
            time = datetime.now(UTC).isoformat(timespec="milliseconds")
            text = json.dumps({"time": time, "level": level, "event": event, "message": message, **fields})
        else:
            mark = {"warning": "warning: ", "error": "error: "}.get(level, "")
            text = "\n".join(folded(mark + one_line(line, MOST), sys.stderr) for line in lines)
        text, self._is_asking = "\n" * self._is_asking + text, False
        if self.write_above is not None:
            self.write_above(text)
        elif sys.stderr is not None:  # else `print` would write to stdout
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - the only place that writes to stderr

    def _log_requests(self) -> None:
        import logging

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                Console.current().debug(record.getMessage())

        logger = logging.getLogger("rowcite")
        logger.setLevel(logging.DEBUG)
        logger.handlers = [Handler()]
        logger.propagate = False


_GAPS = re.compile(r"^ *|(?<=\S) {2,}(?=\S)")  # before the columns of a line: a name, a number, a text
_NARROWEST = 20
_WORDS = re.compile(
    r"( *)((?:`[^`]*`|\S)+)"
)  # a command between backticks is one word, so that it can be copied


def folded(line: str, stream: TextIO | None) -> str:
    """Return a line, folded between words if it is longer than the terminal, with its text below its text.

    A command to type next is never folded, so that it can be copied.
    """
    if not on_terminal(stream) or len(line) < _NARROWEST:
        return line
    assert stream is not None
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return line
    return fold(line, width) if width >= _NARROWEST else line  # a terminal may not know its width


def fold(line: str, width: int) -> str:
    """Return a line in parts of at most `width` characters, unless a word is longer."""
    columns = [found.end() for found in _GAPS.finditer(line)]
    if len(line) <= width or line.startswith("rowcite ", columns[-1]):
        return line
    indent = max(column for column in columns if column <= width // 2)
    parts, part = [], line[:indent]
    room = " " * (indent or 2)
    for gap, word in _WORDS.findall(line[indent:]):
        if part not in (line[:indent], room) and len(part) + len(gap) + len(word) > width:
            parts.append(part)
            part = room
        part += word if part in (line[:indent], room) else gap + word
    return "\n".join([*parts, part])


def on_terminal(stream: TextIO | None) -> bool:
    """Return True if a stream is a terminal. None: the parent process closed it."""
    return stream is not None and stream.isatty()
