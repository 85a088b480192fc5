"""Columns as text, for formats without a form of their own for bytes, durations, lists or objects."""

from __future__ import annotations

from typing import Any

import polars as pl


def without_bytes_and_durations(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with bytes as base64 and durations in ISO 8601, also inside of lists and objects."""
    dtypes = {name: dtype for name, dtype in frame.schema.items() if _needs_text(dtype)}
    return frame.with_columns(_as_text(pl.col(name), dtype).alias(name) for name, dtype in dtypes.items())


def without_nesting(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with lists and objects as JSON text, and no bytes or durations."""
    frame = without_bytes_and_durations(frame)
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    return frame.with_columns(_json_text(frame[name]) for name in nested) if nested else frame


def _needs_text(dtype: pl.DataType) -> bool:
    if isinstance(dtype, (pl.List, pl.Array)):
        return _needs_text(_instance(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return any(_needs_text(_instance(field.dtype)) for field in dtype.fields)
    return isinstance(dtype, (pl.Binary, pl.Duration))


def _as_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Binary):
        return value.bin.encode("base64")
    if isinstance(dtype, pl.Duration):
        return value.dt.to_string("iso")
    if isinstance(dtype, pl.Array):
        return _as_text(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        return value.list.eval(_as_text(pl.element(), _instance(dtype.inner)))
    if isinstance(dtype, pl.Struct):
        parts = [
            _as_text(value.struct.field(field.name), _instance(field.dtype)).alias(field.name)
            for field in dtype.fields
        ]
        return pl.when(value.is_not_null()).then(pl.struct(parts))
    return value


def _instance(dtype: Any) -> pl.DataType:
    """Return a type's instance: polars may give the class in its place."""
    whole: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return whole


def _json_text(column: pl.Series) -> pl.Series:
    lines = column.alias("v").to_frame().write_ndjson().split("\n")[:-1]  # splitlines() would split at U+2028
    texts = [line[len('{"v":') : -1] for line in lines]
    return pl.Series(column.name, [None if text == "null" else text for text in texts], dtype=pl.String)
