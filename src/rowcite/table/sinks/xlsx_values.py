"""The values of a table's own cells as a workbook has them: text stays text, and dates, times and numbers what they are.

A number that a workbook would round, and a date that it does not have, are text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import msgspec
import polars as pl

from rowcite.table.sinks.text_columns import without_nesting
from rowcite.table.sources import Rows
from rowcite.table.sources.xlsx_cells import DATE, DATETIME, FIRST_ERROR, TIME
from rowcite.table.sources.xlsx_scan import ERRORS

Value: TypeAlias = str | float | bool | date | time | timedelta | None
"""A cell: a text, a number, a boolean, or a date, a time or a duration. A datetime is a date."""

_DIGITS = 15
"""Digits of a number that Excel keeps."""
_MOST_EXACT = 10**_DIGITS
_FIRST_DAY = date(1900, 3, 1)
"""Excel takes 1900 for a leap year: earlier days differ between programs."""
_MOMENTS: dict[int, Callable[[str], Value]] = {
    DATE: date.fromisoformat,
    DATETIME: datetime.fromisoformat,
    TIME: time.fromisoformat,
}


def own_values(rows: Rows) -> list[Sequence[Value]]:
    """Return the table's own cells, column by column."""
    if rows.lines is None:
        return [column_values(rows.frame[name]) for name in rows.frame.columns]
    decoded = [msgspec.json.decode(line, type=dict[str, msgspec.Raw]) for line in rows.lines]
    return [_of_lines(rows, name, decoded) for name in rows.frame.columns]


def column_values(column: pl.Series) -> Sequence[Value]:
    """Return the cells of a column of a frame."""
    dtype = column.dtype
    if dtype.is_nested() or dtype == pl.Binary:
        (column,) = without_nesting(column.to_frame())
        return column.to_list()
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ").to_list()
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return column.cast(pl.String).to_list()
    if dtype in (pl.String, pl.Boolean, pl.Null):
        return column.to_list()
    if dtype == pl.Date:
        return [_day(value) for value in column.to_list()]
    if isinstance(dtype, pl.Datetime):
        return list(_moments(column))
    if dtype == pl.Time:
        whole = (column.cast(pl.Int64) % 1_000_000 == 0).to_list()
        texts = column.cast(pl.String).to_list()
        return [
            value if exact else text
            for value, exact, text in zip(column.to_list(), whole, texts, strict=True)
        ]
    if isinstance(dtype, pl.Duration):
        return column.to_list()
    return [_number(value) for value in column.to_list()]


def _of_lines(rows: Rows, name: str, lines: list[dict[str, msgspec.Raw]]) -> Sequence[Value]:
    """Return the cells of a column as their lines have them; dates and times as the frame or the marks show them."""
    column = rows.frame[name]
    kinds = rows.kinds[name] if rows.kinds is not None and name in rows.kinds.columns else None
    if column.dtype.is_temporal():
        values = column_values(column)
    else:
        missing = msgspec.Raw(b"null")
        values = [_member(bytes(line.get(name, missing))) for line in lines]
    if kinds is None:
        return values
    return [_marked(value, kind) for value, kind in zip(values, kinds.to_list(), strict=True)]


def _marked(value: Value, kind: int) -> Value:
    if kind >= FIRST_ERROR:
        return ERRORS[kind - FIRST_ERROR]
    if isinstance(value, str) and kind in _MOMENTS:
        return _MOMENTS[kind](value)
    return value.date() if kind == DATE and isinstance(value, datetime) else value


def _member(raw: bytes) -> Value:
    """Return the member of a JSON line as a cell; lists and objects as their own text."""
    first = raw[:1]
    if first == b'"':
        return msgspec.json.decode(raw, type=str)
    if first in b"{[":
        return raw.decode()
    if first in b"tfn":
        return {b"t": True, b"f": False}.get(first)
    text = raw.decode()
    try:
        return _number(Decimal(text)) if len(text) > _DIGITS or "e" in text.lower() else float(text)
    except (InvalidOperation, ValueError):
        return text


def _number(value: float | Decimal | None) -> Value:
    """Return a number, or its text if a workbook would round it; None for NaN and infinity."""
    if value is None:
        return None
    if isinstance(value, int):
        return value if -_MOST_EXACT < value < _MOST_EXACT else str(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        plain = float(value)
        return (
            plain
            if len(value.normalize().as_tuple().digits) <= _DIGITS and abs(value) < Decimal("1e300")
            else str(value)
        )
    return value if value - value == 0 else None


def _day(value: date | None) -> Value:
    return value if value is None or value >= _FIRST_DAY else value.isoformat()


def _moments(column: pl.Series) -> Iterator[Value]:
    """Yield dates with times; those with less than a millisecond, or before Excel's first day, as text."""
    texts = column.dt.strftime("%Y-%m-%dT%H:%M:%S%.f").to_list()
    for value, text in zip(column.dt.cast_time_unit("us").to_list(), texts, strict=True):
        exact = value is None or (value.microsecond % 1000 == 0 and value.date() >= _FIRST_DAY)
        yield value if exact and (value is None or len(text) <= len("2024-01-31T10:30:00.000")) else text
