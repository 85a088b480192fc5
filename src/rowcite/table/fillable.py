"""A table whose columns can hold what is found for them: a column without a value or type, and categories.

Only columns that the spec fills or overwrites change; all others keep their type.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from rowcite.rows.given import given_columns
from rowcite.spec.models import Spec
from rowcite.table.columns import dtype
from rowcite.table.sources import WITH_LINES, Rows, Source

_INDEX = pa.int32()


def fillable(source: Source, spec: Spec) -> Source:
    """Return a source whose columns to fill hold the values of their fields, or the source itself if they do already."""
    types = dict[str, pl.DataType]()
    fields = dict[str, pa.Field]()
    for name, field in given_columns(spec, source.schema).items():
        if source.schema[name] == pl.Null:
            types[name] = dtype(field.type)
        elif source.format in WITH_LINES and field.type.kind == "number" and source.schema[name].is_integer():
            types[name] = pl.Float64()  # JSON has one type of numbers
        if source.arrow_schema is not None and (item := _arrow_field(source.arrow_schema, name, types)):
            fields[name] = item
    return _FillableSource(source, types, fields) if types or fields else source


def _arrow_field(schema: pa.Schema, name: str, types: dict[str, pl.DataType]) -> pa.Field | None:
    item = schema.field(name)
    if name in types:
        empty = pl.Series([], dtype=types[name]).to_arrow(compat_level=pl.CompatLevel.oldest())
        return item.with_type(empty.type)
    kind = item.type
    if pa.types.is_dictionary(kind) and kind.index_type.bit_width < _INDEX.bit_width:
        return item.with_type(pa.dictionary(_INDEX, kind.value_type, ordered=kind.ordered))
    return None


class _FillableSource:
    def __init__(self, source: Source, types: dict[str, pl.DataType], fields: dict[str, pa.Field]) -> None:
        self._source, self._types, self._fields = source, types, fields
        self.format, self.files, self.separator = source.format, source.files, source.separator
        self.text_form, self.arrow_schema, self.faults = source.text_form, source.arrow_schema, source.faults
        self.schema = pl.Schema({**source.schema, **types})
        if self.arrow_schema is not None:
            for name, item in fields.items():
                self.arrow_schema = self.arrow_schema.set(self.arrow_schema.get_field_index(name), item)

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""
        for rows in self._source.batches():
            frame = rows.frame.cast(self._types)  # type: ignore[arg-type]
            arrow = self._arrow(rows.arrow) if rows.arrow is not None else None
            yield Rows(frame, arrow, rows.lines, rows.kinds)

    def _arrow(self, arrow: pa.Table) -> pa.Table:
        for name, item in self._fields.items():
            place = arrow.schema.get_field_index(name)
            parts = [_cast(part, item.type) for part in arrow.column(place).chunks]
            arrow = arrow.set_column(place, item, pa.chunked_array(parts, item.type))
        return arrow


def _cast(part: pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(part, pa.DictionaryArray):
        return pa.DictionaryArray.from_arrays(
            part.indices.cast(_INDEX), part.dictionary, ordered=kind.ordered
        )
    return pa.nulls(len(part), kind)
