"""Tables in, as they are: files, globs, folders, stdin and frames, read in batches that keep every original value.

A CSV is read as text by Arrow's reader, which refuses ragged rows; the line of a fault is looked up afterwards
with Python's csv module, so that only a faulty file pays for it.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from rowcite.errors import TableError
from rowcite.spec import CsvOptions, Format

BATCH_ROWS = 50_000
_BLOCKS = (16 << 20, 512 << 20)
"""Bytes of CSV that are parsed at once: the second where a row does not fit in the first."""
_TAIL = 4096

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Rows:
    """Some consecutive rows. `arrow` (Parquet) and `lines` (JSONL) are the originals, where a frame would lose something."""

    frame: pl.DataFrame
    arrow: pa.Table | None = None
    lines: list[bytes] | None = None


class Source(Protocol):
    """A table that can be read more than once."""

    format: Format | None
    separator: str
    schema: pl.Schema
    arrow_schema: pa.Schema | None

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""


def format_of(path: str | Path) -> Format | None:
    """Return the format that a file name's suffix says, looking through .gz and .zst."""
    name = Path(path)
    if name.suffix.lower() in _COMPRESSED:
        name = name.with_suffix("")
    return _SUFFIXES.get(name.suffix.lower())


def open_source(path: str, kind: Format | None, options: CsvOptions, *, spool: Path | None = None) -> Source:
    """Open a file, a glob, a folder of parts, or `-` for stdin (which is kept in `spool` while it is needed).

    Raises:
        TableError: nothing is there, the format is not known, or the header cannot be used.
    """
    files = _files(path, kind, spool)
    if nameless := [file for file in files if not _is_unicode(str(file))]:
        raise TableError(f"{nameless[0]}: the name is not UTF-8, and Arrow opens no such file. Rename it")
    formats = {kind or format_of(file) for file in files}
    if None in formats:
        odd = next(file for file in files if (kind or format_of(file)) is None)
        raise TableError(f"{odd}: the suffix says no format. Set input.format to csv, tsv, parquet or jsonl")
    if len(formats) > 1:
        raise TableError(
            f"{path}: parts of different formats ({', '.join(sorted(map(str, formats)))}). Name one with a glob"
        )
    found = formats.pop()
    if found == "parquet":
        return ParquetSource(files)
    if found == "jsonl":
        return JsonlSource(files)
    return CsvSource(files, "tsv" if found == "tsv" else "csv", options)


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _files(path: str, kind: Format | None, spool: Path | None) -> list[Path]:
    if path == "-":
        return [_spooled(spool, kind)]
    if "://" in path:
        raise TableError(
            f"{path}: remote tables are not in this release of rowcite yet. Copy it to this machine first"
        )
    try:
        return _found(path, kind)
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: cannot look there: {getattr(error, 'strerror', None) or error}") from error


def _found(path: str, kind: Format | None) -> list[Path]:
    at = Path(path)
    if at.exists() and not at.is_file() and not at.is_dir():
        raise TableError(
            f"{path}: a pipe or device can be read only once. Name the table `-` and send it to stdin"
        )
    if at.is_dir():
        files = sorted(
            file
            for file in at.iterdir()
            if file.is_file() and (kind or format_of(file)) and file.name[0] not in "._"
        )
        if not files:
            raise TableError(f"{path}: the folder holds no csv, tsv, parquet or jsonl file")
        return files
    if at.exists():
        return [at]
    if any(sign in path for sign in "*?["):
        files = sorted(file for file in _glob(path) if file.is_file())
        if files:
            return files
    raise TableError(f"{path}: no such file. Correct input.path (relative to the spec), or give --input")


def _glob(path: str) -> Iterator[Path]:
    from glob import iglob

    yield from map(Path, iglob(path, recursive=True))  # noqa: PTH207 - a Path has no glob of a whole pattern


def _spooled(spool: Path | None, kind: Format | None) -> Path:
    if spool is None:
        raise TableError("stdin can be read only once: give the table as a file")
    if not spool.exists():
        try:
            with spool.open("wb") as out:
                shutil.copyfileobj(sys.stdin.buffer, out)
        except OSError as error:
            raise TableError(f"stdin: cannot keep it in {spool.parent}: {error.strerror or error}") from error
        except AttributeError:
            raise TableError("stdin is closed: send the table to it, or give --input a file") from None
    if kind is None:
        raise TableError(
            "stdin has no suffix that says its format: set input.format to csv, tsv, parquet or jsonl"
        )
    return spool


# --- CSV -------------------------------------------------------------------------------------------------


class CsvSource:
    """CSV or TSV files with one header. Every value is text; a blank cell is null, a quoted blank is ""."""

    arrow_schema: pa.Schema | None = None

    def __init__(self, files: Sequence[Path], kind: Format, options: CsvOptions) -> None:
        self.format: Format | None = kind
        self.files, self.options = list(files), options
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
                    done += frame.height
                    yield Rows(frame)
            except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
                if "straddling" not in str(error) or block == _BLOCKS[-1]:
                    raise self._fault(file, str(error)) from error
            else:
                return

    def _frames(self, file: Path, block: int, skip: int) -> Iterator[pl.DataFrame]:
        """Parse a file, without its first `skip` rows; the header is one of them."""
        with _utf8(file, self.options.encoding) as plain:
            last: pl.DataFrame | None = None
            with self._reader(plain, block) as reader:
                for batch in reader:
                    past, skip = min(skip, batch.num_rows), max(skip - batch.num_rows, 0)
                    last = pl.DataFrame(pl.from_arrow(batch)) if batch.num_rows else last
                    if last is not None and batch.num_rows > past:
                        yield last.slice(past)
            if last is not None and _unclosed(last, _tail(plain), self.separator):
                raise self._fault(file, "unclosed")

    def _reader(self, file: Path, block: int) -> Any:
        return pacsv.open_csv(
            _opened(file),
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
            with _text(file, self.options.encoding) as text, _any_field_size():
                rows, blank = csv.reader(text, delimiter=self.separator), 0
                while not (names := next(rows, None)):
                    if names is None:
                        raise TableError(f"{file}: the file is empty; a table has at least a header")
                    blank += 1
        except csv.Error as error:
            raise TableError(f"{file}:1: cannot read the header: {error}") from error
        except (UnicodeDecodeError, OSError) as error:
            raise self._fault(file, str(error)) from error
        names[0] = names[0].removeprefix("\ufeff")
        if not self._names:
            self._names = _unique(file, names)
        elif names != self._names:
            raise TableError(f"{file}:{blank + 1}: {_difference(names, self._names)} {self.files[0].name}")
        return 1 + (blank if len(names) == 1 else 0)

    def _fault(self, file: Path, reason: str) -> TableError:
        """Say where a file is faulty: read it again, slowly, with Python's csv module."""
        if reason == "unclosed":
            return TableError(f"{file}:{_line_of_last_row(file, self)}: a quote is opened and never closed")
        width, line = len(self._names), 1
        try:
            with _text(file, self.options.encoding) as text, _any_field_size(_BLOCKS[-1]):
                rows = csv.reader(text, delimiter=self.separator)
                for row in rows:
                    if row and width and len(row) != width:
                        return _ragged(f"{file}:{line}", row, width)
                    line = rows.line_num + 1
        except UnicodeDecodeError as error:
            bad = error.object[error.start : error.start + 1].hex()
            return TableError(
                f"{file}:{_line_of_bad_byte(file, self.options.encoding)}: byte 0x{bad} is not {self.options.encoding}. "
                "Is it a text file? Then set input.csv.encoding, for example to cp1252, latin-1 or utf-16"
            )
        except csv.Error:
            return TableError(
                f"{file}:{line}: a row of more than {_BLOCKS[-1] >> 20} MiB. Is a quote never closed?"
            )
        except OSError as error:
            return _unreadable(file, error)
        return TableError(f"{file}: cannot be read as {self.format}: {reason}")


@contextmanager
def _any_field_size(most: int = 1 << 31) -> Iterator[None]:
    """Let Python's csv module read cells of any size; its limit is the process's."""
    before = csv.field_size_limit(most)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _unique(file: Path, names: list[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
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


class _Reader(io.RawIOBase):
    """Lets Python's text layer read an Arrow stream."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _opened(file: Path) -> Any:
    try:
        return pa.input_stream(str(file), compression="detect")
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> TableError:
    text = (getattr(error, "strerror", None) or str(error)).split(". Detail:", 1)[0]
    return TableError(f"{file}: cannot read it: {text}")


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
        with _text(file, encoding) as text:
            while part := text.read(1 << 20):
                plain.write(part.encode())
        plain.flush()
        yield Path(plain.name)


def _tail(file: Path) -> str:
    """Return the end of a file's text."""
    if file.suffix.lower() in _SUFFIXES:
        with file.open("rb") as raw:
            raw.seek(max(file.stat().st_size - _TAIL, 0))
            return raw.read().decode(errors="replace")
    tail = b""
    with _opened(file) as stream:
        while part := stream.read(1 << 20):
            tail = (tail + part)[-_TAIL:]
    return tail.decode(errors="replace")


def _text(file: Path, encoding: str) -> IO[str]:
    bom_aware = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(io.BufferedReader(_Reader(_opened(file))), encoding=bom_aware, newline="")


def _unclosed(last: pl.DataFrame, tail: str, separator: str) -> bool:
    """Tell whether the last cell ran into the end of the file: its quote is there, and no quote after it."""
    value = last.row(-1)[-1]
    if value is None:
        return False
    open_ended = '"' + value.replace('"', '""')
    if len(open_ended) < len(tail):
        return tail.endswith(open_ended) and tail[-len(open_ended) - 1] in (separator, "\r", "\n")
    return "\n" in value and not tail.rstrip("\r\n\x00").endswith('"')


def _line_of_bad_byte(file: Path, encoding: str) -> int:
    decoder, line = codecs.getincrementaldecoder(encoding)("strict"), 1
    with _opened(file) as raw:
        while chunk := raw.read(1 << 16):
            for part in chunk.splitlines(keepends=True):
                try:
                    decoder.decode(part)
                except UnicodeDecodeError:
                    return line
                line += part.endswith(b"\n")
    return line


def _line_of_last_row(file: Path, source: CsvSource) -> int:
    with _text(file, source.options.encoding) as text, _any_field_size():
        rows, line, last = csv.reader(text, delimiter=source.separator), 1, 1
        for _ in rows:
            last, line = line, rows.line_num + 1
    return last


# --- Parquet, JSONL, frames ------------------------------------------------------------------------------


class ParquetSource:
    """Parquet files of one schema; the Arrow originals go along, so that nothing is lost on the way to Parquet."""

    format: Format | None = "parquet"
    separator = ","

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = list(files)
        self.arrow_schema: pa.Schema | None = self._schema(self.files[0])
        for file in self.files[1:]:
            if not self._schema(file).equals(self.arrow_schema):
                raise TableError(f"{file}: its columns or their types are not those of {self.files[0].name}")
        twice = {name for name in self.arrow_schema.names if self.arrow_schema.names.count(name) > 1}
        if twice:
            raise TableError(
                f"{self.files[0]}: columns {sorted(twice)} stand there more than once. Rename them"
            )
        self.schema = pl.DataFrame(pl.from_arrow(self.arrow_schema.empty_table())).schema

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            try:
                with _parquet(file) as parquet:
                    for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
                        table = pa.Table.from_batches([batch])
                        yield Rows(pl.DataFrame(pl.from_arrow(table)), arrow=table)
            except (OSError, pa.ArrowException) as error:
                raise _unreadable(file, error) from error

    @staticmethod
    def _schema(file: Path) -> pa.Schema:
        try:
            with _parquet(file) as parquet:
                schema = parquet.schema_arrow
        except (OSError, pa.ArrowException) as error:
            raise TableError(f"{file}: not a Parquet file that can be read: {error}") from error
        for item in schema:
            if "decimal256" in str(item.type):
                raise TableError(
                    f"{file}: column {item.name!r} is {item.type}, and decimals of more than 38 digits cannot be read"
                )
        return schema


@contextmanager
def _parquet(file: Path) -> Iterator[Any]:
    """Open a Parquet file; a compressed one is unpacked to a temporary file, for Parquet is not read in a row."""
    if file.suffix.lower() not in _COMPRESSED:
        with pq.ParquetFile(file) as parquet:
            yield parquet
        return
    with TemporaryFile() as unpacked:
        with _opened(file) as stream:
            shutil.copyfileobj(stream, unpacked)
        unpacked.seek(0)
        with pq.ParquetFile(unpacked) as parquet:
            yield parquet


class JsonlSource:
    """JSON lines; the lines themselves go along, so that a JSONL output repeats them to the byte."""

    format: Format | None = "jsonl"
    separator = ","
    arrow_schema: pa.Schema | None = None

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = list(files)
        frames = [self._frame(file, lines, None).clear() for file in self.files for lines in _lines(file)]
        if not frames:
            raise TableError(
                f"{self.files[0]}: the file is empty; JSON lines name the columns, so there must be one"
            )
        try:
            self.schema = pl.concat(frames, how="diagonal_relaxed").schema
        except pl.exceptions.PolarsError as error:
            raise _mixed(self.files[0], error) from error

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            for lines in _lines(file):
                yield Rows(self._frame(file, lines, self.schema), lines=lines)

    @staticmethod
    def _frame(file: Path, lines: list[bytes], schema: pl.Schema | None) -> pl.DataFrame:
        try:
            return pl.read_ndjson(b"\n".join(lines), schema=schema, infer_schema_length=None)
        except pl.exceptions.PolarsError as error:
            raise _json_fault(file, error) from error


def _lines(file: Path) -> Iterator[list[bytes]]:
    """Yield the lines that are not blank, a batch at a time."""
    with io.BufferedReader(_Reader(_opened(file)), 1 << 20) as raw:
        while lines := _next_lines(file, raw):
            kept = [line.removeprefix(b"\xef\xbb\xbf").strip() for line in lines]
            if kept := [line for line in kept if line]:
                yield kept


def _next_lines(file: Path, raw: Iterable[bytes]) -> list[bytes]:
    try:
        return list(islice(raw, BATCH_ROWS))
    except OSError as error:
        raise _unreadable(file, error) from error


def _json_fault(file: Path, error: Exception) -> TableError:
    """Say where a file is faulty: read it again, line by line."""
    with io.BufferedReader(_Reader(_opened(file))) as raw:
        for number, line in enumerate(raw, 1):
            try:
                text = line.decode("utf-8-sig")
                value = json.loads(text, parse_constant=_no_constant) if text.strip() else {}
            except UnicodeDecodeError as fault:
                return TableError(
                    f"{file}:{number}: byte 0x{line[fault.start]:02x} is not UTF-8, which JSON lines are"
                )
            except json.JSONDecodeError as fault:
                return TableError(
                    f"{file}:{number}: not a line of JSON: {fault.msg} at character {fault.pos + 1}"
                )
            except ValueError as fault:
                return TableError(f"{file}:{number}: not a line of JSON: {fault}")
            if not isinstance(value, dict):
                return TableError(
                    f"{file}:{number}: a line is a JSON object, and this is {_KINDS.get(type(value), 'a number')}"
                )
    return _mixed(file, error)


_KINDS: dict[type, str] = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _mixed(file: Path, error: Exception) -> TableError:
    return TableError(
        f"{file}: the values of one field do not go together ({error}). Make them all texts, or all objects"
    )


@dataclass(slots=True)
class FrameSource:
    """A polars frame, as `rowcite.enrich` takes it."""

    frame: pl.DataFrame
    format: Format | None = None
    separator: str = ","
    arrow_schema: pa.Schema | None = None
    schema: pl.Schema = field(init=False)

    def __post_init__(self) -> None:
        self.schema = self.frame.schema

    def batches(self) -> Iterator[Rows]:
        """Yield slices of the frame."""
        for start in range(0, self.frame.height, BATCH_ROWS):
            yield Rows(self.frame.slice(start, BATCH_ROWS))


def limited(batches: Iterator[Rows], limit: int | None) -> Iterator[Rows]:
    """Yield the first `limit` rows; all for None."""
    left = limit
    for rows in batches:
        if left is None:
            yield rows
            continue
        if left <= 0:
            return
        if rows.frame.height > left:
            arrow = rows.arrow.slice(0, left) if rows.arrow is not None else None
            yield Rows(rows.frame.head(left), arrow, rows.lines[:left] if rows.lines is not None else None)
            return
        yield rows
        left -= rows.frame.height
