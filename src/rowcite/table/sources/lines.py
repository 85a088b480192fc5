"""Lines of files, never longer than a row may be: of text for Python's csv module, of bytes for JSON."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.base import ReadBytes, unreadable

_CHUNK = 16 << 20


class TooLong(Exception):  # a signal, not an error: who reads knows the line
    """A row goes on for longer than any may."""


def text_of(file: Path, encoding: str) -> IO[str]:
    """Open a file as text, unpacked; a byte order mark is no part of it."""
    bom_aware = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(io.BufferedReader(ReadBytes(file), 1 << 18), encoding=bom_aware, newline="")


class RowLines:
    """The lines of a text, for `csv.reader`. Call `next_row` after each row.

    Raises:
        TooLong: a row's lines, and blank ones above it, have more characters than a row may have bytes.
    """

    def __init__(self, text: IO[str]) -> None:
        self._text, self._left = text, read_limits.ROW

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        while line := self._text.readline(self._left + 1):
            self._left -= len(line)
            if self._left < 0:
                raise TooLong
            yield line

    def next_row(self) -> None:
        """Begin to count again."""
        self._left = read_limits.ROW


def byte_lines(file: Path, rows: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the lines of a file, `rows` at a time or fewer when they are long, and the number of the first one.

    Raises:
        TableError: a line is longer than a row may be, or the file cannot be read.
    """
    for number, lines in _chunks_of_lines(file):
        for start in range(0, len(lines), rows):
            yield number + start, lines[start : start + rows]


def _chunks_of_lines(file: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Yield what lines each few MB hold."""
    rest: list[bytes] = []
    number, held = 1, 0
    raw: IO[bytes]
    with io.BufferedReader(ReadBytes(file), _CHUNK) as raw:
        while chunk := _next(file, raw):
            head, found, tail = chunk.rpartition(b"\n")
            if not found:
                rest.append(chunk)
                held += len(chunk)
            else:
                lines = b"".join((*rest, head)).split(b"\n")
                rest, held = [tail], len(tail)
                yield number, lines
                number += len(lines)
            if held > read_limits.ROW:
                raise TableError(f"{file}:{number}: {row_too_long()}")
    if last := b"".join(rest):
        yield number, [last]


def _next(file: Path, raw: IO[bytes]) -> bytes:
    try:
        return raw.read(_CHUNK)
    except OSError as error:
        raise unreadable(file, error) from error


def row_too_long(hint: str = "") -> str:
    """Say that a row is too long to be read."""
    return f"a row of more than {read_limits.size(read_limits.ROW)}, which is the most that is read.{hint} Cut it, or take it out"
