"""Numbers of JSON lines that a typed column would change: 9007199254740993 beside 0.5 becomes 9007199254740992."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from rowcite.api.keys import exact
from rowcite.errors import TableError
from rowcite.table.sources.base import Rows, Source

_LONG = re.compile(rb"\d[\d.]{15,}|[eE]-?\d{3}")
"""What every number has that a float may round: more than 15 digits, or a large exponent."""
_MOST = Decimal(10) ** 38


def check_exact_numbers(path: str, source: Source) -> None:
    """Check that the columns of JSON lines hold every number exactly.

    Raises:
        TableError: one does not, named by row and column.
    """
    if not any(_may_round(dtype) for dtype in source.schema.values()):
        return
    before = 0
    for rows in source.batches():
        for at, name, number in _changed(rows):
            raise TableError(
                f"{path}: row {before + at + 1:,}, column {name!r}: the number {number} has more digits than the column's type"
                f" {rows.frame.schema[name]} in Parquet. Write to .jsonl or .csv, or make it a text"
            )
        before += rows.frame.height


def _changed(rows: Rows) -> Iterator[tuple[int, str, Decimal]]:
    """Yield row, column and value of numbers that their columns change."""
    lines = rows.lines or []
    if not _LONG.search(b"\n".join(lines)):
        return
    for at, line in enumerate(lines):
        if _LONG.search(line):
            for name, value in exact(line).items():
                yield from ((at, name, number) for number in _rounded(value, rows.frame.schema[name]))


def _rounded(value: Any, dtype: Any) -> Iterator[Decimal]:
    if isinstance(value, list) and isinstance(dtype, pl.List):
        for item in value:
            yield from _rounded(item, dtype.inner)
    elif isinstance(value, dict) and isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _rounded(value.get(field.name), field.dtype)
    elif isinstance(value, Decimal) and (
        (dtype.is_float() and Decimal(repr(float(value))) != value)
        or (dtype in (pl.Int128, pl.UInt128) and abs(value) >= _MOST)
    ):
        yield value


def _may_round(dtype: Any) -> bool:
    if isinstance(dtype, pl.List):
        return _may_round(dtype.inner)
    if isinstance(dtype, pl.Struct):
        return any(_may_round(field.dtype) for field in dtype.fields)
    return bool(dtype.is_float() or dtype in (pl.Int128, pl.UInt128))
