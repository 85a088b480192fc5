"""Given values, which are in the table already: which cells are blank, and which values replace which. Pure.

Only an accepted value that is not null replaces a given one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import polars as pl

from rowcite.accept.coerce import CoercionError, coerce
from rowcite.accept.judge import Cell
from rowcite.spec.fields import Field, FieldType, fields, value_column
from rowcite.spec.models import Spec

GIVEN = "given"
"""The confidence of a given value."""


class Conflict(NamedTuple):
    """A given value and an accepted one that differ. `cell` has the accepted one; `replaced` is True if it took the place of the given one."""

    field: str
    given: Any
    cell: Cell
    replaced: bool


def given_columns(spec: Spec, table: pl.Schema) -> dict[str, Field]:
    """Return the columns of the table that a spec fills or overwrites, with the field of each."""
    if spec.columns.existing == "error":
        return {}
    named = {value_column(spec, field.name): field for field in fields(spec)}
    return {name: field for name, field in named.items() if name in table}


def is_blank(column: str, dtype: pl.DataType, blanks: Sequence[str]) -> pl.Expr:
    """Return the expression that is true where a column has no value. `blanks` are the texts that count as blank."""
    value = pl.col(column)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        value = value.cast(pl.String)
        return value.is_null() | value.is_in(list(blanks)) | value.str.strip_chars().is_in(["", *blanks])
    if dtype.is_float():
        return value.is_null() | value.is_nan()
    if isinstance(dtype, pl.List):
        return value.is_null() | (value.list.len() == 0)
    return value.is_null()


def without_blanks(columns: Iterable[str], schema: pl.Schema, blanks: Sequence[str]) -> list[pl.Expr]:
    """Return the expressions for these columns with blanks as nulls."""
    return [
        pl.when(~is_blank(column, schema[column], blanks)).then(pl.col(column)).alias(column)
        for column in columns
    ]


def has_blank(columns: Iterable[str], schema: pl.Schema, blanks: Sequence[str]) -> pl.Expr:
    """Return the expression that is true for rows with a blank among these columns; a missing column is blank."""
    columns = list(columns)
    if any(column not in schema for column in columns):
        return pl.lit(value=True)
    return pl.any_horizontal(is_blank(column, schema[column], blanks) for column in columns)


def merge_with_given(
    name: str, kind: FieldType, given: Any, found: Cell, *, overwrite: bool
) -> tuple[Cell, Conflict | None]:
    """Return the cell of a field with a given value, and the conflict if an accepted value differs from it."""
    counts = found.rejection is None and found.value is not None
    replaced = overwrite and counts
    cell = found if replaced else Cell(given, GIVEN)
    if not counts or same(given, found.value, kind):
        return cell, None
    return cell, Conflict(name, given, found, replaced)


def same(given: Any, found: Any, kind: FieldType) -> bool:
    """Return True if a given and a found value are equal: as the field's type, or as texts without case and spaces."""
    if coerce_or_none(given, kind) == found:
        return True
    return isinstance(found, str) and _plain(str(given)) == _plain(found)


def coerce_or_none(given: Any, kind: FieldType) -> Any:
    """Return a given value as its field's type, None if it is of another type."""
    try:
        return coerce(given, kind, frozenset())
    except CoercionError:
        return None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def fits(value: Any, column: pl.DataType) -> bool:
    """Return True if a column of the table can hold a value without losing anything."""
    if value is not None and isinstance(column, pl.Enum):
        return value in column.categories
    if value is None or not column.is_numeric():
        return True
    if column.is_integer():
        least, most = _range(column)
        return least <= int(value) <= most
    return bool(pl.Series([float(value)], dtype=pl.Float64).cast(column)[0] == value)


@cache
def _range(column: pl.DataType) -> tuple[int, int]:
    values = pl.Series(dtype=column)
    return values.lower_bound().item(), values.upper_bound().item()
