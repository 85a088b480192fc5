"""Texts that a spreadsheet would run as a formula: one rule, for columns and for single values.

A text is a formula if it begins with = + - @ tab or CR, unless it is a number or written like a phone number: +49 30 1234,
-12.5, +1,200.
"""

from __future__ import annotations

import re

import polars as pl

BEGINS = r"[=+\-@\t\r]"
_HARMLESS = r"[+\-]\d[\d,]*(?:\.\d+)?(?:[eE][+\-]?\d+)?|\+\d[\d\s()./\-]*"
_begins, _harmless = re.compile(BEGINS), re.compile(_HARMLESS)


def is_formula(text: str) -> bool:
    """Return True if a spreadsheet would run a text as a formula."""
    return bool(_begins.match(text)) and not _harmless.fullmatch(text)


def guarded(name: str) -> pl.Expr:
    """Return a text column with an apostrophe before each formula."""
    column = pl.col(name)
    runs = column.str.contains(f"^{BEGINS}") & ~column.str.contains(f"^(?:{_HARMLESS})$")
    return pl.when(runs).then(pl.concat_str(pl.lit("'"), column)).otherwise(column).alias(name)
