"""Found values into a table's own rows, in every form the rows are kept in: frame, Arrow original, JSON line."""

from __future__ import annotations

import json

import polars as pl
import pyarrow as pa

from rowcite.table.sources import Rows


def filled(rows: Rows, found: pl.DataFrame) -> Rows:
    """Return the rows with what was found in place of what stood there; a null found leaves a cell as it is.

    `found` has some of the rows' columns, each of its column's type.
    """
    changed = [name for name in found.columns if found[name].null_count() < found.height]
    if not changed:
        return rows
    frame = rows.frame.with_columns(
        found[name].zip_with(found[name].is_not_null(), rows.frame[name]) for name in changed
    )
    arrow = rows.arrow
    for name in changed if arrow is not None else ():
        assert arrow is not None
        place = arrow.schema.get_field_index(name)
        column = (
            frame[name].to_arrow(compat_level=pl.CompatLevel.oldest()).cast(arrow.schema.field(place).type)
        )
        arrow = arrow.set_column(place, arrow.schema.field(place), pa.chunked_array([column]))
    lines = rows.lines
    if lines is not None:
        lines = [
            _edited(line, {name: value for name, value in values.items() if value is not None})
            for line, values in zip(lines, found.select(changed).iter_rows(named=True), strict=True)
        ]
    return Rows(frame, arrow, lines)


def _edited(line: bytes, values: dict[str, object]) -> bytes:
    if not values:
        return line  # to the byte what it was
    return json.dumps({**json.loads(line), **values}, ensure_ascii=False, default=str).encode()
