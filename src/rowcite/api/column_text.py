"""Columns of inputs to the canonical text of each row, a whole column at a time.

The text equals `rowcite.api.keys.canonical` of the same values, byte for byte (`tests/unit/test_texts.py`). No library's
JSON writer is used: their output changes between releases, and a changed text would submit every row again.
"""

from __future__ import annotations

import polars as pl

from rowcite.api.keys import canonical

_ESCAPED = r'[\x00-\x1f"\\]'
"""The characters that JSON has to escape."""


def objects(inputs: pl.DataFrame) -> pl.Series:
    """Return each row as the text of a JSON object, without the inputs that are null."""
    names = sorted(inputs.columns)
    members = [
        pl.concat_str(pl.lit(canonical(name).decode() + ":"), values(inputs[name]).alias(name))
        for name in names
    ]
    inner = pl.concat_str(members, separator=",", ignore_nulls=True)
    return pl.select(pl.concat_str(pl.lit("{"), inner, pl.lit("}")).alias("text")).to_series()


def values(column: pl.Series) -> pl.Series:
    """Return each value's JSON text; null stays null."""
    if column.dtype == pl.String:
        return _strings(column)
    if column.dtype.is_float():  # as Python's repr: polars formats floats differently
        texts = [None if value is None else repr(value) for value in column.cast(pl.Float64).to_list()]
        return pl.Series(texts, dtype=pl.String)
    return column.cast(pl.String)


def _strings(column: pl.Series) -> pl.Series:
    quoted = pl.select(pl.concat_str(pl.lit('"'), column, pl.lit('"'))).to_series()
    special = column.str.contains(_ESCAPED).fill_null(value=False).arg_true()
    if not special.len():
        return quoted
    return quoted.scatter(special, [canonical(value).decode() for value in column.gather(special).to_list()])
