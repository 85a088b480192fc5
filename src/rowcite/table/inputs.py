"""Cells to inputs: their form in JSON, and the transforms of a spec. Pure expressions.

A transform's result is part of a task's key: the same cell must give the same text in every release.
"""

from __future__ import annotations

import polars as pl

from rowcite.spec.models import Transform


def can_be_sent(dtype: pl.DataType) -> bool:
    """Return True if values of this type have a form in JSON."""
    plain = (
        pl.String,
        pl.Boolean,
        pl.Categorical,
        pl.Enum,
        pl.Date,
        pl.Datetime,
        pl.Time,
        pl.Duration,
        pl.Null,
    )
    return dtype.is_numeric() or isinstance(dtype, plain)


def json_type(dtype: pl.DataType) -> str:
    """Return the JSON schema type of an input."""
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "integer"
    return "number" if dtype.is_float() else "string"


def value_of(column: str, dtype: pl.DataType, transform: Transform, blanks: tuple[str, ...]) -> pl.Expr:
    """Return the expression for one input: the column's value in its JSON form, null if blank.

    `blanks` are the texts that the spec counts as blank.
    """
    value = pl.col(column)
    if isinstance(dtype, (pl.Categorical, pl.Enum, pl.Decimal, pl.Null)):
        value = value.cast(pl.String)
    elif isinstance(dtype, pl.Duration):
        value = value.dt.to_string("iso")
    elif dtype == pl.Date:
        value = value.dt.strftime("%Y-%m-%d")
    elif isinstance(dtype, pl.Datetime):
        form = "%Y-%m-%dT%H:%M:%S%.6f"
        value = (
            value.dt.convert_time_zone("UTC").dt.strftime(f"{form}Z")
            if dtype.time_zone
            else value.dt.strftime(form)
        )
    elif dtype == pl.Time:
        value = value.dt.strftime("%H:%M:%S%.6f")
    elif dtype.is_float():
        return pl.when(value.is_finite()).then(value)
    elif dtype != pl.String:
        return value
    return _transformed(value, transform, blanks)


_HOST = r"^([\pL\pM\pN_-]+\.)+([\pL\pM]{2,}|xn--[a-z0-9-]+)$|^\d{1,3}(\.\d{1,3}){3}$"
"""Labels separated by dots, the last one of letters; or four numbers. Not `e.g.`, `1.5` or `Acme Inc.`"""


def _transformed(value: pl.Expr, transform: str, blanks: tuple[str, ...]) -> pl.Expr:
    """Apply a transform to a text. A text that the spec counts as blank, or that the transform leaves empty, is null.

    polars evaluates an expression as often as it occurs, so a condition on a text does not contain it again.
    """
    kept = value if transform == "none" else value.str.strip_chars()
    kept = pl.when(value.is_in(list(blanks)) | kept.is_in(list(blanks))).then(None).otherwise(kept)
    if transform == "lower":
        kept = kept.str.to_lowercase()
    elif transform == "domain":
        kept = _domain(kept)
    elif transform == "url":
        kept = _url(kept)
    return kept if transform == "none" else kept.replace("", None)


def _domain(text: pl.Expr) -> pl.Expr:
    """Return the host of a URL, an e-mail address or a bare domain, without `www.`; null for any other text."""
    host = (
        text.str.replace(r"(?i)^(https?|ftp):/*|^//", "")
        .str.replace(r"[/?#\s].*$", "")
        .str.replace(r"^.*@", "")
        .str.replace(r":\d*$", "")
        .str.to_lowercase()
        .str.replace(r"^www\d?\.", "")
        .str.strip_chars(".")
    )
    return host.str.extract(_HOST, 0)


def _url(text: pl.Expr) -> pl.Expr:
    """Return a URL with a scheme and a lower-case host, without a trailing slash or a fragment.

    Null if it has no host, or has a user name: a password is not sent anywhere.
    """
    rest = text.str.replace(r"(?i)^(https?):/*|^//", "").str.replace(r"#.*$", "")
    scheme = pl.when(text.str.contains(r"(?i)^http:")).then(pl.lit("http://")).otherwise(pl.lit("https://"))
    host = rest.str.extract(r"^([^/?]+)").str.to_lowercase()
    path = rest.str.replace(r"^[^/?]+", "").str.strip_chars_end("/")
    return pl.when(host.str.replace(r":\d+$", "").str.contains(_HOST)).then(
        pl.concat_str([scheme, host, path])
    )
