"""The line of a fault in a CSV.

Arrow's errors name no line. A faulty file is read again, slowly, with Python's csv module, so only it pays for that.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.csv_hints import ragged_hint
from rowcite.table.sources.limits import TOO_LARGE, row_too_long
from rowcite.table.sources.streams import RowLines, RowTooLong, open_stream, open_text, unreadable_error
from rowcite.wording import plural

QUOTE_FAULT = "a quote is never closed, or text follows a closing one"
QUOTE_HINT = " Is a quote never closed?"
_QUOTES = 'A value that begins with a quote ends with one, and each quote inside it is doubled ("")'


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV is written. `header` has its columns, none while they are not read; `skip` lines are above it."""

    name: str
    separator: str
    encoding: str
    header: Sequence[str] = ()
    skip: int = 0


def find_fault(file: Path, form: CsvForm, reason: str) -> TableError:
    """Return the error for a file that Arrow did not read for a reason: with the line, if a fault is found."""
    fault = first_fault(file, form, read_limits.CELL)
    return fault or TableError(f"{file}: cannot be read as {form.name}: {reason}")


def first_fault(file: Path, form: CsvForm, most: int) -> TableError | None:
    """Return the error for a file's first fault, with its line; None if Python's strict reader accepts the file.

    A cell of more than `most` characters is a fault.
    """
    line = read = form.skip + 1
    try:
        with open_text(file, form.encoding) as text, field_size_limit(most):
            lines = RowLines(text)
            lines.skip(form.skip)
            rows = csv.reader(lines, delimiter=form.separator, strict=True)
            try:
                for row in rows:
                    if row and form.header and len(row) != len(form.header):
                        return _ragged(f"{file}:{line}", row, form.header, line)
                    line = form.skip + rows.line_num + 1
                    lines.next_row()
            finally:
                read = form.skip + rows.line_num
    except UnicodeError as error:
        return _encoding_fault(file, form.encoding, error)
    except csv.Error as error:
        return _quote_fault(file, line, read, error)
    except RowTooLong:
        return TableError(f"{file}:{line}: {row_too_long(QUOTE_HINT)}")
    except OSError as error:
        return unreadable_error(file, error)
    return None


@contextmanager
def field_size_limit(most: int) -> Iterator[None]:
    """Let Python's csv module read cells of up to `most` characters. Its limit is one for the whole process."""
    before = csv.field_size_limit(most)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _quote_fault(file: Path, first: int, last: int, error: csv.Error) -> TableError:
    """Return the error for a row from line `first` to line `last` that the strict reader rejects."""
    if "field larger" in str(error):
        return TableError(f"{file}:{first}: {TOO_LARGE}.{QUOTE_HINT}")
    if "unexpected end" in str(error):
        return TableError(f"{file}:{first}: a quote is opened and never closed. {_QUOTES}")
    begins = f" of a row that begins in line {first}" if last > first else ""
    return TableError(f"{file}:{last}: text follows the closing quote of a value{begins}. {_QUOTES}")


def _ragged(place: str, row: list[str], header: Sequence[str], line: int) -> TableError:
    cells = plural(len(row), "cell")
    return TableError(
        f"{place}: {cells} where the header has {len(header)}. {ragged_hint(header, row, line)}"
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
