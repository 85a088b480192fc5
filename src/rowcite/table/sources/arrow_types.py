"""Arrow tables as polars frames. A Parquet table is passed through as Arrow has it: its frame only serves to read it.

A type that polars does not take, or panics on, becomes one with the same values: another time zone, the values of a
dictionary, the storage of an extension, text.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import types

_TEXT = pa.large_string()


def to_frame(arrow: Any) -> pl.DataFrame:
    """Return an Arrow batch or table as a frame."""
    plain = pa.table(
        [_plain_column(column, arrow.schema.field(at)) for at, column in enumerate(arrow.columns)],
        pa.schema([_plain_field(item) for item in arrow.schema]),
    )
    frame = pl.DataFrame(pl.from_arrow(plain))
    frame.columns = arrow.schema.names  # polars would invent a name for a column without one
    return frame


def is_same_in_polars(kind: pa.DataType) -> bool:
    """Return True if polars takes a type as it is."""
    return bool(_plain(kind) == kind)


def _plain_field(item: pa.Field) -> pa.Field:
    """Return a field of a type that polars takes. Of its metadata only polars' own is kept: others may not be UTF-8."""
    own = {key: text for key, text in (item.metadata or {}).items() if key.startswith(b"_PL_")}
    return pa.field(item.name, _plain(item.type), metadata=own or None)


def _plain_column(column: Any, item: pa.Field) -> Any:
    kind = _plain(item.type)
    if kind == item.type:
        return column
    if types.is_list_view(item.type) or types.is_large_list_view(item.type):
        return pa.chunked_array([pa.array(column.to_pylist(), kind)])  # a cast loses elements beside nulls
    if _casts(item.type, kind):
        return column.cast(kind)
    values = [None if value is None else str(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, kind)])


@cache
def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type that polars takes in place of a type."""
    plain = _plain_nested(kind) if types.is_nested(kind) else _plain_scalar(kind)
    return plain if plain == kind or _casts(kind, plain) else _TEXT


@cache
def _casts(kind: pa.DataType, plain: pa.DataType) -> bool:
    try:
        pa.nulls(1, kind).cast(plain)
    except pa.ArrowException:
        return False
    return True


def _plain_scalar(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return pa.bool_() if kind.extension_name == "arrow.bool8" else _plain(kind.storage_type)
    if types.is_dictionary(kind):
        is_text = types.is_string(kind.value_type) or types.is_large_string(kind.value_type)
        return kind if is_text else _plain(kind.value_type)
    if types.is_run_end_encoded(kind):
        return _plain(kind.value_type)
    if types.is_timestamp(kind) and kind.tz is not None:
        return kind if _is_time_zone(kind.tz) else pa.timestamp(kind.unit, "UTC" if kind.tz else None)
    if types.is_decimal(kind):
        return kind if kind.bit_width <= 128 and 0 <= kind.scale <= kind.precision else _TEXT
    return _TEXT if types.is_interval(kind) or types.is_union(kind) else kind


def _plain_nested(kind: pa.DataType) -> pa.DataType:
    if types.is_struct(kind):
        return pa.struct([_plain_item(kind.field(at)) for at in range(kind.num_fields)])
    if types.is_map(kind):
        if _has_json_text(kind.key_type) and _has_json_text(kind.item_type):
            return kind
        return pa.list_(pa.struct([_plain_item(kind.key_field), _plain_item(kind.item_field)]))
    if types.is_union(kind) or types.is_run_end_encoded(kind):
        return _plain_scalar(kind)
    item = _plain_item(kind.value_field)
    if types.is_fixed_size_list(kind):
        return pa.list_(item, kind.list_size)
    large = types.is_large_list(kind) or types.is_large_list_view(kind)
    return pa.large_list(item) if large else pa.list_(item)


def _plain_item(item: pa.Field) -> pa.Field:
    """Return a field inside of a list, struct or map. polars panics on some dictionaries and decimals there."""
    kind = item.type.value_type if types.is_dictionary(item.type) else item.type
    return pa.field(item.name, _TEXT if types.is_decimal(kind) else _plain(kind))


def _has_json_text(kind: pa.DataType) -> bool:
    """Return True if polars writes values of a type to JSON wherever they are."""
    odd = types.is_duration(kind) or types.is_decimal(kind)
    plain = types.is_primitive(kind) and not odd and _plain(kind) == kind
    return bool(plain or types.is_string(kind) or types.is_large_string(kind))


@cache
def _is_time_zone(name: str) -> bool:
    """Return True if polars knows a time zone. An offset such as +05:30 is none to it, and makes it panic."""
    if not name[:1].isalpha():
        return False
    try:
        pl.Series([0]).cast(pl.Datetime("us", name))
    except pl.exceptions.PolarsError:
        return False
    return True
