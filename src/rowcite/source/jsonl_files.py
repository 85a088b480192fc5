"""JSON lines; the lines themselves go along, so that a JSONL output repeats them to the byte."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.source import base
from rowcite.source.base import ReadBytes, Rows, opened, unreadable
from rowcite.spec import Format


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
    with io.BufferedReader(ReadBytes(opened(file)), 1 << 20) as raw:
        while lines := _next_lines(file, raw):
            kept = [line.removeprefix(b"\xef\xbb\xbf").strip() for line in lines]
            if kept := [line for line in kept if line]:
                yield kept


def _next_lines(file: Path, raw: Iterable[bytes]) -> list[bytes]:
    try:
        return list(islice(raw, base.BATCH_ROWS))
    except OSError as error:
        raise unreadable(file, error) from error


def _json_fault(file: Path, error: Exception) -> TableError:
    """Say where a file is faulty: read it again, line by line."""
    with io.BufferedReader(ReadBytes(opened(file))) as raw:
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
