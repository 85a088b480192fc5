"""Messages on stderr, as text or JSON, with control characters escaped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import ClassVar


class Console:
    """Writes messages to stderr. `quiet` writes only warnings and errors, `verbose` adds every request."""

    _current: ClassVar[Console | None] = None

    def __init__(self, form: str = "text", *, quiet: bool = False, verbose: bool = False) -> None:
        self.form, self.quiet, self.verbose = form, quiet, verbose
        self.on_interrupt: Callable[[], str] | None = lambda: "Interrupted"
        """Returns the last line after a signal. None where a signal is the usual end."""

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

    def info(self, text: str) -> None:
        """Write an informational message."""
        if not self.quiet:
            self._line("info", text)

    def warning(self, text: str) -> None:
        """Write a warning."""
        self._line("warning", text)

    def error(self, text: str) -> None:
        """Write the error that ends the command."""
        self._line("error", text)

    def debug(self, text: str) -> None:
        """Write a message for debugging."""
        if self.verbose:
            self._line("debug", text)

    def _line(self, level: str, text: str) -> None:
        if self.form == "json":
            import json

            line = json.dumps({"time": round(time.time(), 3), "level": level, "message": text})
        else:
            mark = {"warning": "warning: ", "error": "error: "}.get(level, "")
            line = "\n".join(mark + printable(part) for part in text.split("\n"))
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the only place that writes to stderr

    def _log_requests(self) -> None:
        import logging

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                Console.current().debug(record.getMessage())

        logger = logging.getLogger("rowcite")
        logger.setLevel(logging.DEBUG)
        logger.handlers = [Handler()]
        logger.propagate = False


def printable(text: str) -> str:
    """Return a text as one line with control and format characters escaped.

    A value from the web must not move the cursor, reverse the text or forge a line.
    """
    return "".join(char if char == "\t" or char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """Return a character's JSON escape, which keeps JSON valid."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
