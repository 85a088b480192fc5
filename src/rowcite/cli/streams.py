"""stdout and stderr of the command: a failure of stdout has an exit code, a failure of stderr is ignored."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from rowcite.errors import Incomplete

READER_GONE = 141  # the code of SIGPIPE in a shell: `rowcite run … -o - | head`
_STDIN, _STDOUT, _STDERR = 0, 1, 2


class ReaderGone(Exception):  # has its exit code, and no message
    """The reader of stdout has gone away."""

    exit_code = READER_GONE


class StdoutFailed(Incomplete):
    """stdout is closed, or the device behind it is full."""


def guard_streams() -> None:
    """Replace stdout and stderr for the rest of the process by streams that fail as the command documents.

    A descriptor that the parent process closed is opened on the null device: a file that the command opens must not
    become its stdout.
    """
    for number in (_STDIN, _STDOUT, _STDERR):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = _text(_Stdout(is_open=sys.stdout is not None), sys.stdout)
    sys.stderr = _text(_Stderr(), sys.stderr)


def check_stdout() -> None:
    """Raise StdoutFailed if the parent process closed stdout."""
    if (raw := _guarded()) is not None:
        raw.check()


def flush_stdout() -> None:
    """Write what is buffered, so that its failure has an exit code."""
    with suppress(AttributeError, ValueError):  # closed
        sys.stdout.flush()


def discard_stdout() -> None:
    """Drop what is still buffered for stdout, and what follows."""
    if (raw := _guarded()) is not None:
        raw.discards = True


def _guarded() -> _Stdout | None:
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Stdout) else None


class _Stdout(io.FileIO):
    """The bytes of stdout. Errors of writing are ReaderGone or StdoutFailed."""

    def __init__(self, *, is_open: bool) -> None:
        super().__init__(_STDOUT, "wb", closefd=False)
        self._is_open = is_open
        self.discards = False

    def check(self) -> None:
        """Raise StdoutFailed if it was closed from the start."""
        if not self._is_open:
            raise StdoutFailed("stdout is closed. Open it, or give --output a file")

    def write(self, data: Any, /) -> int:
        """Write bytes; return their number."""
        if self.discards:
            return len(data)
        self.check()
        try:
            return super().write(data) or 0
        except BrokenPipeError as error:
            raise ReaderGone from error
        except OSError as error:
            raise StdoutFailed(f"stdout: {error.strerror}. Make room, then run again") from error


class _Stderr(io.FileIO):
    """The bytes of stderr. A message that cannot be written is dropped: it must not end a command."""

    def __init__(self) -> None:
        super().__init__(_STDERR, "wb", closefd=False)

    def write(self, data: Any, /) -> int:
        """Write bytes; return their number."""
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


def _text(raw: io.FileIO, before: TextIO | None) -> TextIO:
    """Return a text stream over bytes, in the form of the one before."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before is not None else "utf-8",
        errors=before.errors if before is not None else "backslashreplace",
        line_buffering=before is not None and bool(getattr(before, "line_buffering", False)),
    )
