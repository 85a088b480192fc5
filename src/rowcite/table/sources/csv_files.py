"""CSV and TSV, read as text.

Arrow's reader refuses ragged rows; the line of a fault is looked up afterwards with Python's csv module, so that
only a faulty file pays for it.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.spec.models import CsvOptions, Format
from rowcite.table.sources.base import (
    TOO_LARGE,
    Rows,
    cells_fit,
    columns_fit,
    decompression_bomb_error,
    framed,
    most_unpacked,
    names_fit,
    opened,
    unreadable,
)
from rowcite.table.sources.lines import RowLines, TooLong, row_too_long, text_of
from rowcite.table.sources.registry import InputFormat

_BLOCKS = (4 << 20, 16 << 20, read_limits.ROW)
"""Bytes of CSV that are parsed at once; each but the first where a row does not fit in the one before. Arrow reads 32 ahead."""
_TAIL = 4096


class CsvSource:
    """CSV or TSV files with one header. Every value is text; a blank cell is null, a quoted blank is ""."""

    arrow_schema: pa.Schema | None = None

    def __init__(self, files: Sequence[Path], kind: Format, options: CsvOptions) -> None:
        self.format: Format | None = kind
        self.files: Sequence[Path] = list(files)
        self.options = options
        self.separator = options.separator or ("\t" if kind == "tsv" else ",")
        self._names: list[str] = []
        self._before = {file: self._header(file) for file in self.files}
        self.schema = pl.Schema(dict.fromkeys(self._names, pl.String))

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            yield from self._read(file)

    def _read(self, file: Path) -> Iterator[Rows]:
        done = self._before[file]
        for block in _BLOCKS:
            try:
                for frame in self._frames(file, block, done):
                    cells_fit(file, frame, done - self._before[file])
                    done += frame.height
                    yield Rows(frame)
            except (pa.ArrowException, UnicodeError, OSError) as error:
                if "straddling" not in str(error) or block == _BLOCKS[-1]:
                    raise self._fault(file, str(error)) from error
            else:
                return

    def _frames(self, file: Path, block: int, skip: int) -> Iterator[pl.DataFrame]:
        """Parse a file, without its first `skip` rows; the header is one of them."""
        most, count, width = most_unpacked(file), 0, len(self._names)
        with _utf8(file, self.options.encoding) as plain:
            last: pl.DataFrame | None = None
            with self._reader(plain, block) as reader:
                for batch in reader:
                    count += batch.nbytes - 8 * width * batch.num_rows  # without the offsets of the values
                    if count > most:
                        raise decompression_bomb_error(file)
                    past, skip = min(skip, batch.num_rows), max(skip - batch.num_rows, 0)
                    last = framed(batch) if batch.num_rows else last
                    if last is not None and batch.num_rows > past:
                        yield last.slice(past)
            if last is not None and _unclosed(last, _tail(plain), self.separator) and _odd_quotes(plain):
                raise self._fault(file, _UNCLOSED)

    def _reader(self, file: Path, block: int) -> Any:
        return pacsv.open_csv(
            opened(file),
            read_options=pacsv.ReadOptions(block_size=block, use_threads=False, column_names=self._names),
            parse_options=pacsv.ParseOptions(
                delimiter=self.separator, newlines_in_values=True, ignore_empty_lines=len(self._names) > 1
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.large_string() for name in self._names},
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )

    def _header(self, file: Path) -> int:
        """Check a file's header against the first file's; return how many rows stand before the values."""
        try:
            with text_of(file, self.options.encoding) as text, _field_size(read_limits.ROW):
                rows, blank = csv.reader(RowLines(text), delimiter=self.separator), 0
                while not (names := next(rows, None)):
                    if names is None:
                        raise TableError(f"{file}: the file is empty; a table has at least a header")
                    blank += 1
        except csv.Error as error:
            raise TableError(f"{file}:1: cannot read the header: {error}") from error
        except TooLong as error:
            raise TableError(f"{file}:1: the header: {row_too_long(_QUOTE)}") from error
        except (UnicodeError, OSError) as error:
            raise self._fault(file, str(error)) from error
        columns_fit(file, len(names))
        names[0] = names[0].removeprefix("\ufeff")
        if not self._names:
            self._names = _unique(file, names)
        elif names != self._names:
            raise TableError(f"{file}:{blank + 1}: {_difference(names, self._names)} {self.files[0].name}")
        return 1 + (blank if len(names) == 1 else 0)

    def _fault(self, file: Path, reason: str) -> TableError:
        """Say where a file is faulty: read it again, slowly, with Python's csv module."""
        width, line, last = len(self._names), 1, 1
        try:
            with text_of(file, self.options.encoding) as text, _field_size(read_limits.CELL):
                lines = RowLines(text)
                rows = csv.reader(lines, delimiter=self.separator)
                for row in rows:
                    if row and width and len(row) != width:
                        return _ragged(f"{file}:{line}", row, width)
                    last, line = line, rows.line_num + 1
                    lines.next_row()
        except UnicodeDecodeError as error:
            bad = error.object[error.start : error.start + 1].hex()
            return TableError(
                f"{file}:{_line_of_bad_byte(file, self.options.encoding)}: byte 0x{bad} is not {self.options.encoding}. "
                "Is it a text file? Then set input.csv.encoding, for example to cp1252, latin-1 or utf-16"
            )
        except UnicodeError as error:
            return TableError(
                f"{file}: is not {self.options.encoding}: {error}. Set input.csv.encoding to what it is"
            )
        except csv.Error:
            return TableError(f"{file}:{line}: {TOO_LARGE}.{_QUOTE}")
        except TooLong:
            return TableError(f"{file}:{line}: {row_too_long(_QUOTE)}")
        except OSError as error:
            return unreadable(file, error)
        if reason == _UNCLOSED:
            return TableError(f"{file}:{last}: a quote is opened and never closed")
        return TableError(f"{file}: cannot be read as {self.format}: {reason}")


_UNCLOSED = "unclosed"
_QUOTE = " Is a quote never closed?"


@contextmanager
def _field_size(most: int) -> Iterator[None]:
    """Let Python's csv module read cells of so many characters; its limit is the process's."""
    before = csv.field_size_limit(most)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _unique(file: Path, names: list[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    names_fit(file, names)
    if twice:
        shown = ", ".join(repr(name) for name in twice)
        raise TableError(
            f"{file}:1: the header has {shown} more than once. Rename the columns so that each is unique"
        )
    return names


def _difference(names: list[str], first: list[str]) -> str:
    more = [name for name in names if name not in first]
    less = [name for name in first if name not in names]
    said = [f"has {', '.join(map(repr, more))}"] if more else []
    said += [f"lacks {', '.join(map(repr, less))}"] if less else []
    return f"the header {' and '.join(said) or 'has its columns in another order'}, unlike"


def _ragged(where: str, row: list[str], width: int) -> TableError:
    cells = f"{len(row)} cell{'s' if len(row) > 1 else ''}"
    return TableError(
        f"{where}: {cells} where the header has {width}. Quote cells that hold the separator, or set input.csv.separator"
    )


@contextmanager
def _utf8(file: Path, encoding: str) -> Iterator[Path]:
    """Yield a file with the same text in UTF-8.

    Arrow reads ahead in a thread. It is given a file and never a Python object: a thread that calls Python while
    Python ends, because a row was faulty or `--limit` was reached, takes the whole process down.
    """
    if encoding == "utf-8":
        yield file
        return
    with NamedTemporaryFile(prefix="rowcite-", suffix=".csv") as plain:
        with text_of(file, encoding) as text:
            while part := text.read(1 << 20):
                plain.write(part.encode())
        plain.flush()
        yield Path(plain.name)


def _tail(file: Path) -> str:
    """Return the end of a file's text."""
    if file.suffix.lower() in (*CSV.suffixes, *TSV.suffixes):
        with file.open("rb") as raw:
            raw.seek(max(file.stat().st_size - _TAIL, 0))
            return raw.read().decode(errors="replace")
    tail = b""
    with opened(file) as stream:
        while part := stream.read(1 << 20):
            tail = (tail + part)[-_TAIL:]
    return tail.decode(errors="replace")


def _unclosed(last: pl.DataFrame, tail: str, separator: str) -> bool:
    """Tell whether the last cell may have run into the end of the file: its quote is there, and perhaps none after it."""
    value = last.row(-1)[-1]
    if value is None:
        return False
    open_ended = '"' + value.replace('"', '""')
    if len(open_ended) < len(tail):
        return tail.endswith(open_ended) and tail[-len(open_ended) - 1] in (separator, "\r", "\n")
    return "\n" in value and not tail.rstrip("\r\n\x00").endswith('"')


def _odd_quotes(file: Path) -> bool:
    """Tell whether some quote has no other: only asked when the last cell looks open, for it reads the whole file."""
    quotes = 0
    with opened(file) as stream:
        while part := stream.read(1 << 20):
            quotes += part.count(b'"')
    return quotes % 2 == 1


def _line_of_bad_byte(file: Path, encoding: str) -> int:
    decoder, line = codecs.getincrementaldecoder(encoding)("strict"), 1
    with opened(file) as raw, suppress(OSError):
        while chunk := raw.read(1 << 16):
            for part in chunk.splitlines(keepends=True):
                try:
                    decoder.decode(part)
                except UnicodeError:
                    return line
                line += part.endswith(b"\n")
    return line


CSV = InputFormat("csv", (".csv",), lambda files, options: CsvSource(files, "csv", options))
TSV = InputFormat("tsv", (".tsv", ".tab"), lambda files, options: CsvSource(files, "tsv", options))
