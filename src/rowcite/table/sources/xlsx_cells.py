"""The values of a sheet's cells: the type of each column, and rows as a frame and as JSON lines.

Each cell has its type, so a column may mix several. A line has each cell as it is; a column with more than one type is
text in the frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
import polars as pl

from rowcite.table.sources.base import Rows

PLAIN, DATE, DATETIME, TIME, DURATION, FIRST_ERROR = range(6)
"""How a cell is written where its line does not show it; errors follow."""
_KINDS: dict[type, int] = {date: DATE, datetime: DATETIME, time: TIME, timedelta: DURATION}
_DTYPES: dict[frozenset[type], pl.DataType] = {
    frozenset(): pl.Null(),
    frozenset([str]): pl.String(),
    frozenset([bool]): pl.Boolean(),
    frozenset([date]): pl.Date(),
    frozenset([datetime]): pl.Datetime("us"),
    frozenset([date, datetime]): pl.Datetime("us"),
    frozenset([time]): pl.Time(),
    frozenset([timedelta]): pl.Duration("us"),
}
_LONGEST = 2.0**63
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class ColumnTypes:
    """The types of a column's values so far. `whole`: all its numbers are. `marked`: a line does not show what its cells are."""

    types: set[type] = field(default_factory=set)
    whole: bool = True
    has_errors: bool = False

    def add(self, values: Sequence[Any]) -> None:
        """Look at some values; blanks are empty texts."""
        found = set(map(type, values))
        if str in found and not any(value.__class__ is str and value for value in values):
            found.discard(str)
        if float in found and self.whole:
            self.whole = all(value.__class__ is not float or _is_whole(value) for value in values)
        self.types |= found

    def join(self, other: ColumnTypes) -> None:
        """Add the types of the same column in another file."""
        self.types |= other.types
        self.whole, self.has_errors = self.whole and other.whole, self.has_errors or other.has_errors

    def holds(self, other: ColumnTypes) -> bool:
        """Return True if the values of another column are of these types."""
        whole, errors = not self.whole or other.whole, self.has_errors or not other.has_errors
        return other.types <= self.types and whole and errors

    @property
    def dtype(self) -> pl.DataType:
        """Return the type of the column in a frame."""
        if self.types == {float}:
            return pl.Int64() if self.whole else pl.Float64()
        return _DTYPES.get(frozenset(self.types), pl.String())

    @property
    def marked(self) -> bool:
        """Return True if the column needs marks: for errors, or for dates and times beside values of another type."""
        return self.has_errors or (len(self.types) > 1 and not _KINDS.keys().isdisjoint(self.types))


def rows_of(
    names: Sequence[str],
    types: Sequence[ColumnTypes],
    rows: Sequence[Sequence[Any]],
    errors: Iterable[tuple[int, int, int]],
) -> Rows:
    """Return some rows of a sheet as rows of a table. `errors` have row and column of each cell with one, and its kind."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    parts = [_column(name, kind, values) for name, kind, values in zip(names, types, columns, strict=True)]
    frame = pl.DataFrame([series for series, _ in parts])
    own = zip(*(values for _, values in parts), strict=True)
    lines = [_encode(dict(zip(names, row, strict=True))) for row in own]
    kinds = {
        name: [_KINDS.get(type(value), PLAIN) for value in values]
        for name, kind, values in zip(names, types, columns, strict=True)
        if kind.marked
    }
    for row, column, kind in errors:
        kinds[names[column]][row] = kind
    return Rows(
        frame,
        lines=lines,
        kinds=pl.DataFrame(kinds, schema=dict.fromkeys(kinds, pl.UInt8)) if kinds else None,
    )


def text_of(value: Any) -> str:
    """Return a cell as text."""
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    return str(plain).lower() if isinstance(plain, bool) else repr(plain)


def _column(name: str, kind: ColumnTypes, values: Sequence[Any]) -> tuple[pl.Series, Sequence[Any]]:
    """Return a column of the frame, and its values as lines have them."""
    dtype = kind.dtype
    if dtype == pl.String and kind.types == {str}:
        texts = [value or None for value in values]
        return pl.Series(name, texts, dtype), texts
    if dtype == pl.Boolean:
        flags = [None if value == "" else value for value in values]
        return pl.Series(name, flags, dtype), flags
    if dtype == pl.Null:
        nothing = [None] * len(values)
        return pl.Series(name, nothing, dtype), nothing
    plain = [None if value == "" else _plain(value) for value in values]
    if dtype == pl.String:
        return pl.Series(name, [None if value == "" else text_of(value) for value in values], dtype), plain
    if dtype.is_numeric():
        return pl.Series(name, plain, dtype, strict=False), plain
    return _temporal(name, dtype, values), plain


def _temporal(name: str, dtype: pl.DataType, values: Sequence[Any]) -> pl.Series:
    if dtype == pl.Datetime("us"):
        values = [datetime.combine(value, time()) if value.__class__ is date else value for value in values]
    return pl.Series(name, [None if value == "" else value for value in values], dtype)


def _plain(value: Any) -> Any:
    """Return a cell as JSON has it: whole numbers without a fraction, dates and times as text."""
    kind = value.__class__
    if kind is float:
        return int(value) if _is_whole(value) else value
    if kind is datetime:
        return value.isoformat(timespec="microseconds")
    if kind is time:
        return value.isoformat(timespec="microseconds")
    if kind is date:
        return value.isoformat()
    if kind is timedelta:
        return pl.Series([value], dtype=pl.Duration("us")).dt.to_string("iso")[0]
    return value


def _is_whole(value: float) -> bool:
    return -_LONGEST < value < _LONGEST and value.is_integer()
