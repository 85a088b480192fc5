"""Bytes and lines of files, unpacked by the suffix, and never longer than a row may be."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.limits import decompression_bomb_error, max_unpacked_bytes, row_too_long

_CHUNK = 16 << 20


def open_stream(file: Path) -> Any:
    """Open a file as an Arrow stream of its unpacked bytes."""
    try:
        return pa.input_stream(str(file), compression="detect")
    except (OSError, pa.ArrowException) as error:
        raise unreadable_error(file, error) from error


def unreadable_error(file: Path, error: Exception) -> TableError:
    """Return the error for a file that cannot be read."""
    text = (getattr(error, "strerror", None) or str(error)).split(". Detail:", 1)[0]
    return TableError(f"{file}: cannot read it: {text}")


class ReadBytes(io.RawIOBase):
    """A file's unpacked bytes for Python.

    Raises:
        TableError: the file unpacks to more bytes than it may.
    """

    def __init__(self, file: Path) -> None:
        self._inner, self._file = open_stream(file), file
        self._most, self._count = max_unpacked_bytes(file), 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return the number of bytes read."""
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self._count += len(data)
        if self._count > self._most:
            raise decompression_bomb_error(self._file)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._inner.close()
        super().close()


def open_text(file: Path, encoding: str) -> IO[str]:
    """Open a file as unpacked text, without its byte-order mark."""
    bom_aware = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(io.BufferedReader(ReadBytes(file), 1 << 18), encoding=bom_aware, newline="")


class RowTooLong(Exception):  # a signal: the reader knows the line and raises the error
    """A row is longer than a row may be."""


class RowLines:
    """The lines of a text, for `csv.reader`. Call `next_row` after each row. `last` is the line that was read last.

    Raises:
        RowTooLong: a row's lines, and blank ones above it, have more characters than a row may have bytes.
    """

    def __init__(self, text: IO[str]) -> None:
        self._text, self._left = text, read_limits.ROW
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        while line := self._text.readline(self._left + 1):
            self._left -= len(line)
            if self._left < 0:
                raise RowTooLong
            self.last = line
            yield line

    def skip(self, lines: int) -> None:
        """Read some lines that are of no row."""
        for _ in range(lines):
            next(iter(self), "")
            self.next_row()

    def next_row(self) -> None:
        """Start counting for the next row."""
        self._left = read_limits.ROW


def byte_lines(file: Path, rows: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield at most `rows` lines of a file at once, with the number of the first one.

    Raises:
        TableError: a line is longer than a row may be, or the file cannot be read.
    """
    for number, lines in _chunks_of_lines(file):
        for start in range(0, len(lines), rows):
            yield number + start, lines[start : start + rows]


def _chunks_of_lines(file: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the lines of each chunk of the file; a line that crosses a border is with the later chunk."""
    rest: list[bytes] = []
    number, rest_bytes = 1, 0
    raw: IO[bytes]
    with io.BufferedReader(ReadBytes(file), _CHUNK) as raw:
        while chunk := _next_chunk(file, raw):
            head, found, tail = chunk.rpartition(b"\n")
            if not found:
                rest.append(chunk)
                rest_bytes += len(chunk)
            else:
                lines = b"".join((*rest, head)).split(b"\n")
                rest, rest_bytes = [tail], len(tail)
                yield number, lines
                number += len(lines)
            if rest_bytes > read_limits.ROW:
                raise TableError(f"{file}:{number}: {row_too_long()}")
    if last := b"".join(rest):
        yield number, [last]


def _next_chunk(file: Path, raw: IO[bytes]) -> bytes:
    try:
        return raw.read(_CHUNK)
    except OSError as error:
        raise unreadable_error(file, error) from error
