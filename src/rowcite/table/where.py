"""`input.where`: a SQL predicate over one row of the table, with errors in the user's terms."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from rowcite.errors import SpecError
from rowcite.spec.models import Spec
from rowcite.wording import did_you_mean

_TEXT_AS_NUMBER = ("compare string with numeric", "arithmetic on dtypes", "'is_in' cannot check")
_NOW = re.compile(r"\b(?:current_\w+|now)\b", re.IGNORECASE)
_AGGREGATE = re.compile(
    r"\b(avg|count|first|last|max|median|min|quantile\w*|stddev\w*|sum|var\w*|rank|row_number|lag|lead)\s*\(",
    re.IGNORECASE,
)


def predicate(spec: Spec, schema: pl.Schema) -> pl.Expr | None:
    """Return the expression of `input.where`, None if the spec has none.

    Raises:
        SpecError: it is not SQL, names a column that the table lacks, or uses more than one row.
    """
    if spec.input.where is None:
        return None
    if found := _AGGREGATE.search(re.sub(r"'[^']*'", "''", spec.input.where)):
        raise spec.problem(
            ("input", "where"), f"`where` is computed for each row: `{found[1]}` of many rows cannot be used"
        )
    try:
        where = pl.sql_expr(spec.input.where)
        outcome = pl.DataFrame(schema=schema).select(where.alias("where")).to_series()
    except pl.exceptions.PolarsError as error:
        raise where_problem(spec, schema, error) from error
    if outcome.dtype != pl.Boolean:
        raise spec.problem(("input", "where"), f"`where` gives {outcome.dtype}, not true or false")
    return where


def names_time(spec: Spec) -> bool:
    """Return True if the rows that `input.where` selects depend on the time."""
    return spec.input.where is not None and _NOW.search(spec.input.where) is not None


def where_problem(spec: Spec, schema: pl.Schema, error: Exception) -> SpecError:
    """Return the error for a predicate that polars cannot use, with what to write."""
    text = str(error).split("\n", 1)[0]
    if any(sign in text for sign in _TEXT_AS_NUMBER):
        text = f"it compares a text with a number ({text}). {_cast_to_write(spec.input.where or '', schema)}"
    elif "conversion from `str`" in text:
        text = f"{text}. Write TRY_CAST in place of CAST: it gives null for such values, and their rows are skipped"
    elif isinstance(error, pl.exceptions.ColumnNotFoundError):
        text = f"{text.split(';', 1)[0]}. {_quotes_to_write(text, spec.input.where or '')}Columns: {listed(schema)}"
    return spec.problem(("input", "where"), f"`where` cannot be used: {text}")


def _quotes_to_write(text: str, where: str) -> str:
    """Return how a text is quoted, if the column that is not found may be one."""
    name = re.search(r'column "(.*?)"', text)
    if name is None or f'"{name[1]}"' not in where:
        return ""
    return f"A text is in single quotes: '{name[1]}'. "


def _cast_to_write(where: str, schema: pl.Schema) -> str:
    texts = [name for name, dtype in schema.items() if dtype == pl.String and name in where]
    texts = [name for name in texts if _is_compared(name, where)] or texts
    if not texts:
        return "Remove the quotes around the number"
    name = max(texts, key=len)
    name = name if re.fullmatch(r"[A-Za-z_]\w*", name) else f'"{name}"'
    return f"CSV columns are text: write CAST({name} AS DOUBLE), or TRY_CAST if some values are not numbers"


def _is_compared(name: str, where: str) -> bool:
    """Return True if a column is beside an operator and a number."""
    number, column = r"[-+(]*\s*\d", rf'"?{re.escape(name)}"?'
    after = rf"(?<!\w){column}\s*(?:[-+*/%<>=!]+|(?:not\s+)?(?:in|between)\b)\s*{number}"
    return bool(re.search(rf"(?i){after}|\d\s*[-+*/%<>=!]+\s*{column}(?!\w)", where))


def no_column(name: str, names: Iterable[str]) -> str:
    """Return the message for a column that a table lacks, with the nearest name."""
    names = list(names)
    hint = did_you_mean(name, names, '"')
    return f'column "{name}" is not in the table{hint}. Columns: {listed(names)}'


def listed(names: Iterable[str]) -> str:
    """Return names separated by commas, at most thirty of them."""
    names = list(names)
    return ", ".join(names[:30]) + (f", and {len(names) - 30} more" if len(names) > 30 else "")
