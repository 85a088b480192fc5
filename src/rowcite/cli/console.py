"""How the command speaks: lines of text or JSON to stderr, with nothing in them that a terminal would obey."""

from __future__ import annotations

import sys
import time
from typing import ClassVar


class Console:
    """Writes lines to stderr. `quiet` leaves errors and warnings, `verbose` adds every request."""

    _current: ClassVar[Console | None] = None

    def __init__(self, form: str = "text", *, quiet: bool = False, verbose: bool = False) -> None:
        self.form, self.quiet, self.verbose = form, quiet, verbose

    @classmethod
    def default(cls) -> Console:
        """Start over with the plain console, for what goes wrong before the flags are read."""
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
            self._tell_requests()
        return self

    def info(self, text: str) -> None:
        """Say something that is good to know."""
        if not self.quiet:
            self._line("info", text)

    def warning(self, text: str) -> None:
        """Say something that the user should look at."""
        self._line("warning", text)

    def error(self, text: str) -> None:
        """Say why the command ends."""
        self._line("error", text)

    def debug(self, text: str) -> None:
        """Say what only matters when something is being looked for."""
        if self.verbose:
            self._line("debug", text)

    def _line(self, level: str, text: str) -> None:
        if self.form == "json":
            import json

            line = json.dumps({"time": round(time.time(), 3), "level": level, "message": text})
        else:
            mark = {"warning": "warning: ", "error": "error: "}.get(level, "")
            line = "\n".join(mark + printable(part) for part in text.split("\n"))
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the one place that speaks

    def _tell_requests(self) -> None:
        import logging

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                Console.current().debug(record.getMessage())

        logger = logging.getLogger("rowcite")
        logger.setLevel(logging.DEBUG)
        logger.handlers = [Handler()]
        logger.propagate = False


def printable(text: str) -> str:
    """Return a text as one line without control characters.

    An answer from the web must not move the cursor, turn the writing round or forge a line.
    """
    return "".join(char if char == "\t" or char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """Return a character as JSON escapes it, so that JSON stays JSON."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
