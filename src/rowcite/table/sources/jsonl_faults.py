"""The line and the field of a fault in JSON lines. polars names neither, so that only a faulty file is read again, slowly."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.streams import byte_lines

_LINES = 4_096
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_PAIRED = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F])*+", re.DOTALL
)
"""A line whose surrogates are all in pairs."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_BRACKETS = re.compile(rb"[\[\]{}]")


def check_depth(file: Path, number: int, lines: list[bytes]) -> None:
    """Raise TableError for a line that is nested too deep. `number` is that of the first line."""
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


def check_surrogates(file: Path, number: int, lines: list[bytes]) -> None:
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


def may_repeat_names(frame: pl.DataFrame, data: bytes) -> bool:
    """Return True if lines may have more values than their frame, which has the last of those with one name.

    Names without a null are counted as bytes: this takes a quarter of the time of parsing the lines.
    """
    if b'" :' in data or b"\t" in data or b'\\\\"' in data:  # names that are not counted
        return True
    expected, found = sum(map(_count_values, frame)), data.count(b'":')
    if found == expected:
        return False
    found -= data.count(b'":null') + data.count(b'": null')
    if b'\\"' in data:  # in a text
        found -= data.count(b'\\":') - data.count(b'\\":null') - data.count(b'\\": null')
    return found != expected


def _count_values(column: pl.Series) -> int:
    """Return the number of values in a column that are no nulls, and of those that are members of its objects."""
    count = len(column) - column.null_count()
    if isinstance(column.dtype, pl.Struct):
        return count + sum(map(_count_values, column.struct.unnest()))
    if isinstance(column.dtype, pl.List) and column.dtype.inner.is_nested():
        items = column.explode()
        return count + _count_values(items) - (len(items) - items.null_count())
    return count


def repeats_a_name(line: bytes) -> bool:
    """Return True if an object of a line has two members with one name."""
    try:
        json.loads(line, object_pairs_hook=_unique)
    except _NameRepeated:
        return True
    return False


class _NameRepeated(ValueError):
    """An object has two members with one name."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _NameRepeated(
            f"field {repeated!r} is in one object more than once. Keep one of its values, or rename one"
        )
    return members


def find_fault(file: Path, files: Sequence[Path], error: Exception) -> TableError:
    """Return the error for a file that polars did not read: with the line, and with the field if kinds are mixed in `files`."""
    for number, line in _numbered(file):
        if fault := _line_fault(line):
            return TableError(f"{file}:{number}: {fault}")
    return mixed_kinds(files, error)


def _numbered(file: Path) -> Iterator[tuple[int, bytes]]:
    for first, lines in byte_lines(file, _LINES):
        yield from enumerate(lines, first)


def _line_fault(line: bytes) -> str | None:
    try:
        text = line.decode("utf-8-sig")
        loads = partial(json.loads, parse_constant=_reject_constant, object_pairs_hook=_unique)
        value: Any = loads(text) if text.strip() else {}
    except UnicodeDecodeError as fault:
        return f"byte 0x{line[fault.start]:02x} is not UTF-8, which JSON lines are"
    except json.JSONDecodeError as fault:
        return f"not a line of JSON: {fault.msg} at character {fault.pos + 1}"
    except _NameRepeated as fault:
        return str(fault)
    except (ValueError, RecursionError) as fault:
        return f"not a line of JSON: {fault}"
    if not isinstance(value, dict):
        return f"a line is a JSON object, and this is {_KINDS.get(type(value), 'a number')}"
    too_large = next((path for path, number in _numbers(value, "") if not -_MOST <= number < _MOST), None)
    return f"field {too_large!r} has a number that is too large. Make it a text" if too_large else None


_MOST = 2**127


def _numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _numbers(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item, f"{path}[]")
    elif isinstance(value, int) or (isinstance(value, float) and not math.isfinite(value)):
        yield path, value


_KINDS: dict[type, str] = {
    list: "a list",
    dict: "an object",
    str: "a text",
    bool: "true or false",
    type(None): "null",
}


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


class _Place(NamedTuple):
    kind: str
    file: Path
    line: int


def mixed_kinds(files: Sequence[Path], error: Exception) -> TableError:
    """Return the error for values of one field that do not fit one column, with the lines of two of them."""
    first, mixed = dict[str, _Place](), list[TableError]()
    for file in files:
        for number, line in _numbered(file):
            for path, kind in _kinds(_value(line), ""):
                place = _Place(kind, file, number)
                before = first.setdefault(path, place)
                if kind == before.kind:
                    continue
                mixed.append(_mixed(path, place, before))
                if {kind, before.kind} != {"a text", "a number"}:  # these two fit a column of texts
                    return mixed[-1]
    if mixed:
        return mixed[0]
    return TableError(f"{files[0]}: the values of one field do not fit one column ({error})")


def _mixed(path: str, place: _Place, before: _Place) -> TableError:
    where = f"line {before.line}" if before.file == place.file else f"{before.file.name}:{before.line}"
    return TableError(
        f"{place.file}:{place.line}: field {path!r} is {place.kind}, and {before.kind} in {where}: they do not fit one column."
        " Make them all texts, or all objects"
    )


def _value(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _kinds(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the kind of each value inside of a line, by its path such as `a.b[]`. A null is of every kind."""
    if path and value is not None:
        yield path, _KINDS.get(type(value), "a number")
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _kinds(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from _kinds(item, f"{path}[]")
