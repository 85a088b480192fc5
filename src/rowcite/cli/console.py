"""Messages on stderr, as text or JSON: each a line, with control characters escaped and its length limited."""

from __future__ import annotations

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
            text = "\n".join(mark + one_line(line, MOST) for line in lines)
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


def on_terminal(stream: TextIO | None) -> bool:
    """Return True if a stream is a terminal. None: the parent process closed it."""
    return stream is not None and stream.isatty()
