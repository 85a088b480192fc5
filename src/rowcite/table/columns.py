"""Which columns a spec adds to a table, their types, and which of the table's own it fills. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rowcite.spec.fields import STATUS_COLUMNS, Field, FieldType, column_names, fields
from rowcite.spec.models import Spec

_CITATION = pl.Struct({"url": pl.String, "title": pl.String, "excerpts": pl.List(pl.String)})
_DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "json": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}


def added_schema(spec: Spec, table: pl.Schema, *, native: bool) -> pl.Schema:
    """Return the columns that a spec adds to a table, with their types, in their order."""
    filled, schema = filled_columns(spec, table), dict[str, pl.DataType]()
    for field in fields(spec):
        names = column_names(spec, field.name)
        schema |= {
            name: kind
            for name, kind in zip(names, _dtypes(spec, field, native=native), strict=True)
            if name not in filled
        }
    return pl.Schema({**schema, **dict.fromkeys(STATUS_COLUMNS, pl.String())})


def filled_columns(spec: Spec, table: pl.Schema) -> dict[str, Field]:
    """Return the table's own columns that a spec fills or overwrites, with the field of each."""
    if spec.columns.existing == "error":
        return {}
    named = {column_names(spec, field.name)[0]: field for field in fields(spec)}
    return {name: field for name, field in named.items() if name in table}


def column_type_problems(spec: Spec, table: pl.Schema) -> Iterator[str]:
    """Say of each column that is to be filled and cannot hold what is found why not."""
    for name, field in filled_columns(spec, table).items():
        if not _holds(table[name], field.type):
            yield (
                f'column "{name}" is {table[name]}, and the field `{field.name}` is {field.type.kind}: a found value'
                " would not fit. Give the field the column's type, or rename it"
            )


def dtype(kind: FieldType) -> pl.DataType:
    """Return the polars type of a field's column in a native table."""
    if kind.kind == "array":
        assert kind.items is not None
        return pl.List(dtype(kind.items))
    if kind.kind == "object":
        return pl.Struct({name: dtype(part) for name, part in kind.properties})
    return _DTYPES[kind.kind]


def _holds(column: pl.DataType, kind: FieldType) -> bool:
    wanted = dtype(kind)
    if column in (pl.String, wanted):
        return True
    if column.is_integer():
        return kind.kind == "integer"
    return column.is_float() and kind.kind in ("integer", "number")


def _dtypes(spec: Spec, field: Field, *, native: bool) -> list[pl.DataType]:
    citation: pl.DataType = _CITATION if spec.columns.citations == "full" else pl.String()
    return [
        dtype(field.type) if native or field.type.kind not in ("array", "object") else pl.String(),
        *([pl.String()] if spec.columns.confidence else []),
        *([pl.List(citation) if native else pl.String()] if spec.columns.citations != "none" else []),
        *([pl.String()] if spec.columns.reasoning else []),
    ]
