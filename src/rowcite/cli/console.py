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
        self.shows_tasks = False
        """Whether the progress of tasks is shown now."""

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


_COLUMNS = re.compile(r"\s*(?:\S.*?\s{2,})*")  # what comes before the text of a line: a name, a number
_NARROWEST = 20
_WORDS = re.compile(
    r"(?:`[^`]*`|[^\s`])+"
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
    before = _COLUMNS.match(line)
    indent = before.end() if before else 0
    if len(line) <= width or indent > width // 2 or line.startswith("rowcite ", indent):
        return line
    parts, part = [], line[:indent]
    room = " " * (indent or 2)
    for word in _WORDS.findall(line[indent:]):
        gap = "" if part in (line[:indent], room) else " "
        if gap and len(part) + 1 + len(word) > width:
            parts.append(part)
            part, gap = room, ""
        part += gap + word
    return "\n".join([*parts, part])


def on_terminal(stream: TextIO | None) -> bool:
    """Return True if a stream is a terminal. None: the parent process closed it."""
    return stream is not None and stream.isatty()
