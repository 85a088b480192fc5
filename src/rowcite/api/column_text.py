"""Columns of inputs to the canonical text of each row, a whole column at a time.

The text equals `rowcite.api.keys.canonical` of the same values, byte for byte (`tests/unit/test_texts.py`). No library's
JSON writer is used: their output changes between releases, and a changed text would submit every row again.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

import polars as pl

from rowcite.api.keys import canonical, number_text

_ESCAPED = r'[\x00-\x1f"\\]'
"""The characters that JSON has to escape."""


def objects(inputs: pl.DataFrame) -> pl.Series:
    """Return each row as the text of a JSON object, without the inputs that are null."""
    return joined(inputs.select(values(inputs[name]).alias(name) for name in inputs.columns))


def joined(texts: pl.DataFrame) -> pl.Series:
    """Return each row as the text of a JSON object, from the texts of its members; a null is left out."""
    members = [
        pl.concat_str(pl.lit(canonical(name).decode() + ":"), texts[name]) for name in sorted(texts.columns)
    ]
    inner = pl.concat_str(members, separator=",", ignore_nulls=True)
    return pl.select(pl.concat_str(pl.lit("{"), inner, pl.lit("}")).alias("text")).to_series()


def values(column: pl.Series) -> pl.Series:
    """Return each value's JSON text; null stays null."""
    if column.dtype == pl.String:
        return _strings(column)
    if column.dtype.is_float():
        texts = [None if value is None else number_text(value) for value in column.cast(pl.Float64).to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    return column.cast(pl.String)


_NUMBER = re.compile(r"[+-]?\d{1,1000}(\.\d{0,1000})?([eE][+-]?\d{1,3})?", re.ASCII)


def as_type(texts: pl.Series, kind: str) -> pl.Series:
    """Return JSON texts as texts of a JSON schema type, null where a value does not fit it without loss."""
    found = [None if text is None else _as_type(text, kind) for text in texts.to_list()]
    return pl.Series(texts.name, found, dtype=pl.String)


def _as_type(text: str, kind: str) -> str | None:
    if kind == "string":
        return text if text[0] == '"' else canonical(text).decode()
    plain = str(json.loads(text)).strip() if text[0] == '"' else text
    if kind == "boolean":
        return plain.lower() if plain.lower() in ("true", "false") else None
    if not _NUMBER.fullmatch(plain):
        return None
    value = Decimal(plain)
    return number_text(value) if kind == "number" or value == value.to_integral_value() else None


def _strings(column: pl.Series) -> pl.Series:
    quoted = pl.select(pl.concat_str(pl.lit('"'), column, pl.lit('"')).alias(column.name)).to_series()
    special = column.str.contains(_ESCAPED).fill_null(value=False).arg_true()
    if not special.len():
        return quoted
    return quoted.scatter(special, [canonical(value).decode() for value in column.gather(special).to_list()])
