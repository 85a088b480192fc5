"""JSON lines in. The lines are kept, so that a JSONL output repeats them to the byte."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.spec.models import Format
from rowcite.table.sources.base import BATCH_ROWS, Rows, TextForm, batch_rows
from rowcite.table.sources.csv_hints import check_is_text
from rowcite.table.sources.limits import check_cells, check_columns, check_names
from rowcite.table.sources.registry import InputFormat
from rowcite.table.sources.streams import byte_lines

_SCHEMA_LINES = 4_096
"""Lines whose fields are inferred at once. polars' time grows with the square of the number of names among them."""
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_PAIRED = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F])*+", re.DOTALL
)
"""A line whose surrogates are all in pairs."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_BRACKETS = re.compile(rb"[\[\]{}]")


class JsonlSource:
    """Files of JSON lines, whose fields together are the columns."""

    format: Format | None = "jsonl"
    separator = ","
    text_form = TextForm()
    arrow_schema: pa.Schema | None = None

    def __init__(self, files: Sequence[Path]) -> None:
        self.files: Sequence[Path] = list(files)
        empty: pl.DataFrame | None = None
        for file in self.files:
            check_is_text(file, "")
            for _, data in _lines(file, batch_rows(read_limits.BATCH_CELLS // _SCHEMA_LINES)):
                fields = pl.DataFrame(schema=_fields(file, data))
                empty = fields if empty is None else _union(file, empty, fields)
                check_columns(file, sum(map(_width, empty.schema.values())))
        if empty is None:
            raise TableError(
                f"{self.files[0]}: the file is empty; JSON lines name the columns, so there must be one"
            )
        check_names(self.files[0], empty.columns)
        self.schema = empty.schema

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            yield from self.read(file)

    def read(self, file: Path) -> Iterator[Rows]:
        """Yield the rows of one file."""
        rows, done = batch_rows(sum(map(_width, self.schema.values()))), 0
        for lines, data in _lines(file, rows):
            frame = self._frame(file, data)
            check_cells(file, frame, done)
            done += frame.height
            yield Rows(frame, lines=lines)

    def _frame(self, file: Path, data: bytes) -> pl.DataFrame:
        try:
            return pl.read_ndjson(data, schema=self.schema)
        except pl.exceptions.PolarsError as error:
            raise _json_fault(file, error) from error


def text_values(file: Path, name: str) -> Iterator[pl.Series]:
    """Yield the texts of one member, some lines at a time; stop where no line has it. The other members have no types."""
    for _, data in _lines(file, BATCH_ROWS):
        try:
            values = pl.read_ndjson(data, schema={name: pl.String})[name]
        except pl.exceptions.PolarsError as error:
            raise _json_fault(file, error) from error
        if values.null_count() == values.len():
            return
        yield values


def _fields(file: Path, data: bytes) -> pl.Schema:
    try:
        return pl.scan_ndjson(io.BytesIO(data), infer_schema_length=None).collect_schema()
    except pl.exceptions.PolarsError as error:
        raise _json_fault(file, error) from error


def _union(file: Path, some: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Return an empty frame with the columns of two, whose types hold the values of both."""
    if some.schema == more.schema:
        return some
    try:
        return pl.concat([some, more], how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise _mixed_kinds(file, error) from error


def _width(dtype: Any) -> int:
    """Return the number of columns that a type counts as: itself, and the members of its objects."""
    if isinstance(dtype, pl.Struct):
        return 1 + sum(_width(field.dtype) for field in dtype.fields)
    return _width(dtype.inner) if isinstance(dtype, pl.List) else 1


def _lines(file: Path, rows: int) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield the lines that are not blank, at most `rows` at once, as a list and joined."""
    for number, lines in byte_lines(file, rows):
        if number == 1:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        kept = [line for line in map(bytes.strip, lines) if line]
        data = b"\n".join(kept)
        if data.count(b"[") + data.count(b"{") > len(kept) - 1 + read_limits.DEPTH:
            _check_depth(file, number, lines)
        if b"\\ud" in data or b"\\uD" in data:
            _check_surrogates(file, number, lines)
        if kept and data[:1] != b"{":  # polars would unpack data that begins like a compressed file
            raise _json_fault(file, ValueError("not a line of JSON"))
        if kept:
            yield kept, data


def _check_depth(file: Path, number: int, lines: list[bytes]) -> None:
    for place, line in enumerate(lines, number):
        if line.count(b"[") + line.count(b"{") <= read_limits.DEPTH:
            continue
        depth = 0
        for bracket in _BRACKETS.findall(_TEXTS.sub(b"", line)):
            depth += 1 if bracket in b"[{" else -1
            if depth > read_limits.DEPTH:
                raise TableError(
                    f"{file}:{place}: nested more than {read_limits.DEPTH} levels deep. Flatten it"
                )


def _check_surrogates(file: Path, number: int, lines: list[bytes]) -> None:
    """Raise TableError for half of a pair of surrogates, which polars reads as a NUL."""
    for place, line in enumerate(lines, number):
        if _PAIRED.fullmatch(line) is None:
            raise TableError(
                f"{file}:{place}: {_member_with_surrogate(line)} has half a character, such as \\ud83d without \\ude00."
                " Was the text cut by bytes? Correct it"
            )


def _member_with_surrogate(line: bytes) -> str:
    try:
        members = json.loads(line)
    except ValueError:
        return "a text"
    for name, value in members.items() if isinstance(members, dict) else ():
        if _SURROGATE.search(name):
            return "the name of a field"
        if _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            return f"field {name!r}"
    return "a text"


def _json_fault(file: Path, error: Exception) -> TableError:
    """Return the error for a file that polars did not read, with the line: each is read again."""
    for first, lines in byte_lines(file, _SCHEMA_LINES):
        for number, line in enumerate(lines, first):
            if fault := _line_fault(line):
                return TableError(f"{file}:{number}: {fault}")
    return _mixed_kinds(file, error)


def _line_fault(line: bytes) -> str | None:
    try:
        text = line.decode("utf-8-sig")
        value: Any = json.loads(text, parse_constant=_reject_constant) if text.strip() else {}
    except UnicodeDecodeError as fault:
        return f"byte 0x{line[fault.start]:02x} is not UTF-8, which JSON lines are"
    except json.JSONDecodeError as fault:
        return f"not a line of JSON: {fault.msg} at character {fault.pos + 1}"
    except (ValueError, RecursionError) as fault:
        return f"not a line of JSON: {fault}"
    if not isinstance(value, dict):
        return f"a line is a JSON object, and this is {_KINDS.get(type(value), 'a number')}"
    return None


_KINDS: dict[type, str] = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _mixed_kinds(file: Path, error: Exception) -> TableError:
    return TableError(
        f"{file}: the values of one field are of kinds that do not fit one column ({error})."
        " Make them all texts, or all objects"
    )


JSONL = InputFormat("jsonl", (".jsonl", ".ndjson"), lambda files, _: JsonlSource(files))
