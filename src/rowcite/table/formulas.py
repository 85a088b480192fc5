"""Texts that a spreadsheet would run as a formula, for columns and for single values: one rule for both.

A text is one when it begins with = + - @ tab or CR, unless it is a number or written like a phone number: +49 30 1234,
-12.5, +1,200.
"""

from __future__ import annotations

import re

import polars as pl

BEGINS = r"[=+\-@\t\r]"
_HARMLESS = r"[+\-]\d[\d,]*(?:\.\d+)?(?:[eE][+\-]?\d+)?|\+\d[\d\s()./\-]*"
_begins, _harmless = re.compile(BEGINS), re.compile(_HARMLESS)


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet would run a text."""
    return bool(_begins.match(text)) and not _harmless.fullmatch(text)


def guarded(name: str) -> pl.Expr:
    """Return a text column with an apostrophe before what a spreadsheet would run."""
    column = pl.col(name)
    runs = column.str.contains(f"^{BEGINS}") & ~column.str.contains(f"^(?:{_HARMLESS})$")
    return pl.when(runs).then(pl.concat_str(pl.lit("'"), column)).otherwise(column).alias(name)
