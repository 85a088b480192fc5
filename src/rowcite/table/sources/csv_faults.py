"""The line of a fault in a CSV.

Arrow's errors name no line. A faulty file is read again, slowly, with Python's csv module, so only it pays for that.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.limits import TOO_LARGE, row_too_long
from rowcite.table.sources.streams import RowLines, RowTooLong, open_stream, open_text, unreadable_error

UNCLOSED = "unclosed quote"
QUOTE_HINT = " Is a quote never closed?"


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV is written. `width` is the number of its columns, 0 while the header is not read."""

    name: str
    separator: str
    encoding: str
    width: int = 0


def find_fault(file: Path, form: CsvForm, reason: str) -> TableError:
    """Return the error for a file that Arrow did not read for a reason: with the line, if a fault is found."""
    line, last = 1, 1
    try:
        with open_text(file, form.encoding) as text, field_size_limit(read_limits.CELL):
            lines = RowLines(text)
            rows = csv.reader(lines, delimiter=form.separator)
            for row in rows:
                if row and form.width and len(row) != form.width:
                    return _ragged(f"{file}:{line}", row, form.width)
                last, line = line, rows.line_num + 1
                lines.next_row()
    except UnicodeError as error:
        return _encoding_fault(file, form.encoding, error)
    except csv.Error:
        return TableError(f"{file}:{line}: {TOO_LARGE}.{QUOTE_HINT}")
    except RowTooLong:
        return TableError(f"{file}:{line}: {row_too_long(QUOTE_HINT)}")
    except OSError as error:
        return unreadable_error(file, error)
    if reason == UNCLOSED:
        return TableError(f"{file}:{last}: a quote is opened and never closed")
    return TableError(f"{file}: cannot be read as {form.name}: {reason}")


@contextmanager
def field_size_limit(most: int) -> Iterator[None]:
    """Let Python's csv module read cells of up to `most` characters. Its limit is one for the whole process."""
    before = csv.field_size_limit(most)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def has_unclosed_quote(file: Path, last: pl.DataFrame, tail: str, separator: str) -> bool:
    """Return True if the last cell runs into the end of the file for want of a quote.

    `last` holds the last rows that were read, `tail` the end of the file's text. The quotes of the whole file are
    counted only if the last cell looks open.
    """
    return _looks_open(last, tail, separator) and _has_odd_quotes(file)


def _looks_open(last: pl.DataFrame, tail: str, separator: str) -> bool:
    value = last.row(-1)[-1]
    if value is None:
        return False
    open_ended = '"' + value.replace('"', '""')
    if len(open_ended) < len(tail):
        return tail.endswith(open_ended) and tail[-len(open_ended) - 1] in (separator, "\r", "\n")
    return "\n" in value and not tail.rstrip("\r\n\x00").endswith('"')


def _has_odd_quotes(file: Path) -> bool:
    quotes = 0
    with open_stream(file) as stream:
        while part := stream.read(1 << 20):
            quotes += part.count(b'"')
    return quotes % 2 == 1


def _ragged(place: str, row: list[str], width: int) -> TableError:
    cells = f"{len(row)} cell{'s' if len(row) > 1 else ''}"
    return TableError(
        f"{place}: {cells} where the header has {width}. Quote cells that hold the separator, or set input.csv.separator"
    )


def _encoding_fault(file: Path, encoding: str, error: UnicodeError) -> TableError:
    if not isinstance(error, UnicodeDecodeError):
        return TableError(
            f"{file}: is not {encoding}: {error}. Set input.csv.encoding to the file's encoding"
        )
    line, byte = _line_of_bad_byte(file, encoding), error.object[error.start : error.start + 1].hex()
    return TableError(
        f"{file}:{line}: byte 0x{byte} is not {encoding}. Is it a text file? Then set input.csv.encoding,"
        " for example to cp1252, latin-1 or utf-16"
    )


def _line_of_bad_byte(file: Path, encoding: str) -> int:
    decoder, line = codecs.getincrementaldecoder(encoding)("strict"), 1
    with open_stream(file) as raw, suppress(OSError):
        while chunk := raw.read(1 << 16):
            for part in chunk.splitlines(keepends=True):
                try:
                    decoder.decode(part)
                except UnicodeError:
                    return line
                line += part.endswith(b"\n")
    return line
