"""JSON lines; the lines themselves go along, so that a JSONL output repeats them to the byte."""

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
from rowcite.table.sources.base import Rows, cells_fit, columns_fit, names_fit, rows_at_once
from rowcite.table.sources.lines import byte_lines
from rowcite.table.sources.registry import InputFormat

_LOOKED_AT = 4_096
"""Lines whose fields are gathered at once: polars takes a time that grows with the square of the names among them."""
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(rb"[\[\]{}]")


class JsonlSource:
    """JSON lines; the lines themselves go along, so that a JSONL output repeats them to the byte."""

    format: Format | None = "jsonl"
    separator = ","
    arrow_schema: pa.Schema | None = None

    def __init__(self, files: Sequence[Path]) -> None:
        self.files: Sequence[Path] = list(files)
        found: pl.DataFrame | None = None
        for file in self.files:
            for _, data in _lines(file, rows_at_once(read_limits.BATCH_CELLS // _LOOKED_AT)):
                fields = pl.DataFrame(schema=_fields(file, data))
                found = fields if found is None else self._together(file, found, fields)
                columns_fit(file, sum(map(_width, found.schema.values())))
        if found is None:
            raise TableError(
                f"{self.files[0]}: the file is empty; JSON lines name the columns, so there must be one"
            )
        names_fit(self.files[0], found.columns)
        self.schema = found.schema

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        rows = rows_at_once(sum(map(_width, self.schema.values())))
        for file in self.files:
            done = 0
            for lines, data in _lines(file, rows):
                frame = self._frame(file, data)
                cells_fit(file, frame, done)
                done += frame.height
                yield Rows(frame, lines=lines)

    @staticmethod
    def _together(file: Path, some: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
        if some.schema == more.schema:
            return some
        try:
            return pl.concat([some, more], how="diagonal_relaxed")
        except pl.exceptions.PolarsError as error:
            raise _mixed(file, error) from error

    def _frame(self, file: Path, data: bytes) -> pl.DataFrame:
        try:
            return pl.read_ndjson(data, schema=self.schema)
        except pl.exceptions.PolarsError as error:
            raise _json_fault(file, error) from error


def _fields(file: Path, data: bytes) -> pl.Schema:
    try:
        return pl.scan_ndjson(io.BytesIO(data), infer_schema_length=None).collect_schema()
    except pl.exceptions.PolarsError as error:
        raise _json_fault(file, error) from error


def _width(dtype: Any) -> int:
    """Count a column, and the members of its objects."""
    if isinstance(dtype, pl.Struct):
        return 1 + sum(_width(field.dtype) for field in dtype.fields)
    return _width(dtype.inner) if isinstance(dtype, pl.List) else 1


def _lines(file: Path, rows: int) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield the lines that are not blank, a batch at a time, and the same in one piece."""
    for number, lines in byte_lines(file, rows):
        if number == 1:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        kept = [line for line in map(bytes.strip, lines) if line]
        data = b"\n".join(kept)
        if data.count(b"[") + data.count(b"{") > len(kept) - 1 + read_limits.DEPTH:
            _check_depth(file, number, lines)
        if kept and data[:1] != b"{":  # polars would unpack what begins as a compressed file does
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


def _json_fault(file: Path, error: Exception) -> TableError:
    """Say where a file is faulty: read it again, line by line."""
    for first, lines in byte_lines(file, _LOOKED_AT):
        for number, line in enumerate(lines, first):
            if said := _line_fault(line):
                return TableError(f"{file}:{number}: {said}")
    return _mixed(file, error)


def _line_fault(line: bytes) -> str | None:
    try:
        text = line.decode("utf-8-sig")
        value: Any = json.loads(text, parse_constant=_no_constant) if text.strip() else {}
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


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _mixed(file: Path, error: Exception) -> TableError:
    return TableError(
        f"{file}: the values of one field do not go together ({error}). Make them all texts, or all objects"
    )


JSONL = InputFormat("jsonl", (".jsonl", ".ndjson"), lambda files, _: JsonlSource(files))
