"""Values that stand in the table already: which rows have a blank, and what replaces what. Pure.

Only an accepted value that is not null ever replaces anything; what was given is never lost to a null or a refusal.
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
"""The confidence of a value that stood in the table."""


class Conflict(NamedTuple):
    """A given value and an accepted one that say different things; `replaced` says which of them stands now."""

    field: str
    given: Any
    found: Cell
    replaced: bool


def given_columns(spec: Spec, table: pl.Schema) -> dict[str, Field]:
    """Return the columns of the table that a spec fills or overwrites, with the field of each."""
    if spec.columns.existing == "error":
        return {}
    named = {value_column(spec, field.name): field for field in fields(spec)}
    return {name: field for name, field in named.items() if name in table}


def is_blank(column: str, dtype: pl.DataType, blanks: Sequence[str]) -> pl.Expr:
    """Return the expression that is true where a column has no value. `blanks` are the texts that count as none."""
    value = pl.col(column)
    if dtype == pl.String:
        return value.is_null() | value.is_in(list(blanks)) | value.str.strip_chars().is_in(["", *blanks])
    if dtype.is_float():
        return value.is_null() | value.is_nan()
    if isinstance(dtype, pl.List):
        return value.is_null() | (value.list.len() == 0)
    return value.is_null()


def without_blanks(columns: Iterable[str], schema: pl.Schema, blanks: Sequence[str]) -> list[pl.Expr]:
    """Return the expressions for these columns with every blank a null."""
    return [
        pl.when(~is_blank(column, schema[column], blanks)).then(pl.col(column)).alias(column)
        for column in columns
    ]


def has_blank(columns: Iterable[str], schema: pl.Schema, blanks: Sequence[str]) -> pl.Expr:
    """Return the expression that is true for rows with a blank among these columns; one that is not there is blank."""
    columns = list(columns)
    if any(column not in schema for column in columns):
        return pl.lit(value=True)
    return pl.any_horizontal(is_blank(column, schema[column], blanks) for column in columns)


def merge_with_given(
    name: str, kind: FieldType, given: Any, found: Cell, *, overwrite: bool
) -> tuple[Cell, Conflict | None]:
    """Return the cell of a field that has a given value, and the conflict if a found one says something else."""
    counts = found.refused is None and found.value is not None
    replaced = overwrite and counts
    cell = found if replaced else Cell(given, GIVEN)
    if not counts or same(given, found.value, kind):
        return cell, None
    return cell, Conflict(name, given, found, replaced)


def same(given: Any, found: Any, kind: FieldType) -> bool:
    """Tell whether a given value says what a found one says: as the field's type, or as texts but for case and spaces."""
    if coerce_or_none(given, kind) == found:
        return True
    return isinstance(found, str) and _plain(str(given)) == _plain(found)


def coerce_or_none(given: Any, kind: FieldType) -> Any:
    """Return a given value as its field's type; None when it is none of it."""
    try:
        return coerce(given, kind, frozenset())
    except CoercionError:
        return None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def fits(value: Any, column: pl.DataType) -> bool:
    """Return True if a column of the table can hold a value without losing anything."""
    if value is None or not column.is_numeric():
        return True
    if column.is_integer():
        least, most = _range(column)
        return least <= int(value) <= most
    return bool(pl.Series([float(value)], dtype=pl.Float64).cast(column)[0] == value)


@cache
def _range(column: pl.DataType) -> tuple[int, int]:
    least, most = pl.select(least=column.min(), most=column.max()).row(0)  # type: ignore[attr-defined]
    return least, most
