"""CSV and TSV in, as text. Arrow reads them, and rejects ragged rows."""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.spec.models import CsvOptions, Format
from rowcite.table.sources.arrow_types import to_frame
from rowcite.table.sources.base import CellFault, Rows, TextForm
from rowcite.table.sources.csv_faults import (
    QUOTE_FAULT,
    QUOTE_HINT,
    CsvForm,
    field_size_limit,
    find_fault,
    first_fault,
)
from rowcite.table.sources.csv_hints import check_header, check_is_text
from rowcite.table.sources.csv_quotes import BLOCK, Quotes, check_quotes, row_blocks
from rowcite.table.sources.limits import (
    check_cells,
    check_columns,
    check_names,
    decompression_bomb_error,
    max_unpacked_bytes,
    row_too_long,
)
from rowcite.table.sources.registry import InputFormat
from rowcite.table.sources.streams import RowLines, RowTooLong, open_stream, open_text

_BLOCKS = (BLOCK, read_limits.ROW >> 3, read_limits.ROW)
"""Bytes of CSV that are parsed at once. A larger block is tried if a row does not fit. Arrow reads 32 blocks ahead."""


class CsvSource:
    """CSV or TSV files with one header. Every value is text; a blank cell is null, a quoted blank is ""."""

    arrow_schema: pa.Schema | None = None
    faults: Sequence[CellFault] = ()

    def __init__(self, files: Sequence[Path], kind: Format, options: CsvOptions) -> None:
        self.format: Format | None = kind
        self.files: Sequence[Path] = list(files)
        self.options = options
        self.separator = options.separator or ("\t" if kind == "tsv" else ",")
        self.text_form = TextForm()
        self._names: list[str] = []
        self._quotes: dict[Path, Quotes] = {}
        self._header_rows = {file: self._read_header(file) for file in self.files}
        self.schema = pl.Schema(dict.fromkeys(self._names, pl.String))

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            yield from self.read(file)

    def read(self, file: Path) -> Iterator[Rows]:
        """Yield the rows of one file."""
        done = self._header_rows[file]
        for block in _BLOCKS:
            try:
                for frame in self._frames(file, block, done):
                    check_cells(file, frame, done - self._header_rows[file])
                    done += frame.height
                    yield Rows(frame)
            except (pa.ArrowException, UnicodeError, OSError) as error:
                if "straddling" not in str(error) or block == _BLOCKS[-1]:
                    raise self._fault(file, str(error)) from error
                if block == _BLOCKS[-2] and (fault := first_fault(file, self._form(), read_limits.ROW)):
                    raise fault from error  # before Arrow reads ahead by the largest blocks
            else:
                return

    def _frames(self, file: Path, block: int, skip: int) -> Iterator[pl.DataFrame]:
        """Parse a file without its first `skip` rows; the header is one of them."""
        most, count, width = max_unpacked_bytes(file), 0, len(self._names)
        with _utf8(file, self.options.encoding) as plain:
            for batch in self._parsed(plain, block, whole_rows=self._checked_quotes(file, plain).splits):
                count += batch.nbytes - 8 * width * batch.num_rows  # without the offsets of the values
                if count > most:
                    raise decompression_bomb_error(file)
                past, skip = min(skip, batch.num_rows), max(skip - batch.num_rows, 0)
                if batch.num_rows > past:
                    yield to_frame(batch).slice(past)

    def _checked_quotes(self, file: Path, plain: Path) -> Quotes:
        """Return what is known of a file's quotes, after a check when it is first read. `plain` has its text in UTF-8.

        Raises:
            TableError: a quote is faulty.
        """
        if file not in self._quotes:
            found = check_quotes(plain, self.separator, self.options.skip_lines)
            if found.faulty:
                raise self._fault(file, QUOTE_FAULT)
            self._quotes[file] = found
        return self._quotes[file]

    def _parsed(self, plain: Path, block: int, *, whole_rows: bool) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a file in Arrow's blocks, or in blocks of `whole_rows`, which take twice as long."""
        lines = self.options.skip_lines
        if not whole_rows:
            with self._reader(open_stream(plain), block, lines) as reader:
                yield from reader
            return
        for rows in row_blocks(plain, self.separator, lines, block_size=block):
            if len(self._names) == 1 or rows.strip(b"\r\n"):  # Arrow does not open blank lines alone
                with self._reader(pa.BufferReader(rows), len(rows) + 1, 0) as reader:
                    yield from reader

    def _reader(self, stream: Any, block: int, skip: int) -> Any:
        return pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                block_size=block,
                use_threads=False,
                column_names=self._names,
                skip_rows=skip,
            ),
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

    def _read_header(self, file: Path) -> int:
        """Check a file's header against the first file's; return the number of rows before the values."""
        above = self.options.skip_lines
        check_is_text(file, self.options.encoding)
        try:
            with open_text(file, self.options.encoding) as text, field_size_limit(read_limits.ROW):
                lines = RowLines(text)
                lines.skip(above)
                rows, blank = csv.reader(lines, delimiter=self.separator, strict=True), 0
                while not (names := next(rows, None)):
                    if names is None:
                        raise TableError(f"{file}: the file is empty; a table has at least a header")
                    blank += 1
        except RowTooLong as error:
            raise TableError(f"{file}:{above + 1}: the header: {row_too_long(QUOTE_HINT)}") from error
        except (csv.Error, UnicodeError, OSError) as error:
            raise self._fault(file, str(error)) from error
        check_columns(file, len(names))
        names[0] = names[0].removeprefix("\ufeff")
        place = f"{file}:{above + blank + 1}"
        check_header(place, names, self.separator, above + blank)
        if not self._names:
            check_names(file, names)
            self._names = unique_names(place, names)
            line_end = "\r\n" if lines.last.endswith("\r\n") else "\n"
            self.text_form = TextForm(_has_byte_order_mark(file, self.options.encoding), line_end)
        elif names != self._names:
            raise TableError(f"{place}: {_difference(names, self._names)} {self.files[0].name}")
        return 1 + (blank if len(names) == 1 else 0)

    def _fault(self, file: Path, reason: str) -> TableError:
        return find_fault(file, self._form(), reason)

    def _form(self) -> CsvForm:
        options = self.options
        return CsvForm(str(self.format), self.separator, options.encoding, self._names, options.skip_lines)


def unique_names(place: str, names: list[str]) -> list[str]:
    """Return the names of columns.

    Raises:
        TableError: two columns have one name, so that values of one would be lost.
    """
    duplicates = [] if len(set(names)) == len(names) else sorted({n for n in names if names.count(n) > 1})
    if duplicates:
        shown = ", ".join(map(repr, duplicates))
        hint = "Rename the columns so that each is unique"
        if duplicates == [""]:
            hint = "If this line is a title, set input.csv.skip_lines; else name the columns"
        raise TableError(f"{place}: the header has {shown} more than once. {hint}")
    return names


def _difference(names: list[str], first: list[str]) -> str:
    more = [name for name in names if name not in first]
    less = [name for name in first if name not in names]
    parts = [f"has {', '.join(map(repr, more))}"] if more else []
    parts += [f"lacks {', '.join(map(repr, less))}"] if less else []
    return f"the header {' and '.join(parts) or 'has its columns in another order'}, unlike"


@contextmanager
def _utf8(file: Path, encoding: str) -> Iterator[Path]:
    """Yield a file with the same text in UTF-8.

    Arrow reads ahead in a thread. It gets a file, never a Python object: if Python ends while the thread calls it (a
    faulty row, or `--limit` reached), the process crashes.
    """
    if encoding == "utf-8":
        yield file
        return
    with NamedTemporaryFile(prefix="rowcite-", suffix=".csv") as plain:
        with open_text(file, encoding) as text:
            while part := text.read(1 << 20):
                plain.write(part.encode())
        plain.flush()
        yield Path(plain.name)


def _has_byte_order_mark(file: Path, encoding: str) -> bool:
    """Return True if UTF-8 text begins with a byte-order mark."""
    if not encoding.startswith("utf-8"):
        return False
    with open_stream(file) as stream:
        return bool(stream.read(len(BOM_UTF8)) == BOM_UTF8)


CSV = InputFormat("csv", (".csv",), lambda files, options, _: CsvSource(files, "csv", options))
TSV = InputFormat("tsv", (".tsv", ".tab"), lambda files, options, _: CsvSource(files, "tsv", options))
