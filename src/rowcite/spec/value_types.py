"""The types of values in a spec beyond the plain ones: field types, domains, confidence, money, durations, shares."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    WithJsonSchema,
)

from rowcite.api.facts import DOMAIN
from rowcite.api.source_policy import is_day, normal_entry
from rowcite.wording import did_you_mean, nearest

FieldKind = Literal["string", "integer", "number", "boolean", "date", "array", "object"]
OTHER_KIND_NAMES: dict[str, FieldKind] = {
    "bool": "boolean",
    "datetime": "date",
    "dict": "object",
    "double": "number",
    "float": "number",
    "int": "integer",
    "list": "array",
    "str": "string",
    "text": "string",
}
"""Names of types elsewhere. As a field's short form they would be read as a description."""


def misspelt_kind(word: str) -> str | None:
    """Return the type that a word is a misspelling of; None for any other text."""
    return OTHER_KIND_NAMES.get(word.lower(), nearest(word, get_args(FieldKind), 0.8))


ConfidenceWord = Literal["low", "medium", "high"]


def _host(value: str) -> str:
    host = value.strip().lower().removesuffix(".")
    if not DOMAIN.fullmatch(host):
        raise ValueError("must be a domain without scheme, port or path, such as example.com or .gov")
    return host


_HOST_PATTERN = r"[^\s/:@?#*.-][^\s/:@?#*]*"

DomainList = tuple[
    Annotated[
        str,
        AfterValidator(_host),
        WithJsonSchema({"type": "string", "pattern": rf"^\s*\.?{_HOST_PATTERN}\s*$"}),
    ],
    ...,
]
SourceList = tuple[
    Annotated[
        str,
        AfterValidator(lambda value: normal_entry(value.strip())),
        WithJsonSchema(
            {"type": "string", "pattern": rf"^\s*(\.?{_HOST_PATTERN}|{_HOST_PATTERN}/[^\s?#]*)\s*$"}
        ),
    ],
    ...,
]
"""Domains, each with or without a path prefix."""
SourceName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _day(value: Any) -> Any:
    text = value.isoformat() if type(value) is date else value
    if text is not None and not (isinstance(text, str) and is_day(text)):
        raise ValueError("must be a day, written YYYY-MM-DD")
    return text


Day = Annotated[
    str | None,
    BeforeValidator(_day),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}, {"type": "null"}]}),
]


def _confidence(value: Any) -> Any:
    words = get_args(ConfidenceWord)
    if value is None or value in words:
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    hint = did_you_mean(value, words) if isinstance(value, str) else ""
    raise ValueError(f"must be low, medium, high, or a number from 0 to 1{hint}")


Confidence = Annotated[
    ConfidenceWord | Annotated[float, Field(ge=0, le=1)] | None, BeforeValidator(_confidence)
]


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


Whole = Annotated[int, BeforeValidator(_no_bool)]
Usd = Annotated[float, Field(ge=0, le=1e9), BeforeValidator(_no_bool)]
"""Money; the limit keeps sums in micro-US$ within 64 bits."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(value: Any) -> Any:
    """Return a duration such as 90s, 30m, 2h or 90d; raise ValueError for anything else but None."""
    if value is None or isinstance(value, timedelta):
        return value
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("must be a duration such as 90s, 30m, 2h or 90d")
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError:
        raise ValueError("must be a shorter duration, such as 90d") from None


_DURATION_TEXT = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[smhd]\s*$"}
Duration = Annotated[
    timedelta | None,
    BeforeValidator(duration),
    WithJsonSchema({"anyOf": [_DURATION_TEXT, {"type": "null"}]}),
]


def _rows_or_share(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?%", value.strip()):
        share = float(value.strip()[:-1]) / 100
        if share <= 1:
            return share
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, float) and 0 <= value <= 1:
        return value
    raise ValueError('must be a number of rows, or a share of them such as "5%"')


_SHARE_TEXT = {"type": "string", "pattern": r"^\s*(100(\.0+)?|\d{1,2}(\.\d+)?)%\s*$"}
RowsOrShare = Annotated[
    int | float,
    BeforeValidator(_rows_or_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "number", "minimum": 0, "maximum": 1},
                _SHARE_TEXT,
            ]
        }
    ),
]


def _tolerance(value: Any) -> Any:
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)%", value.strip())):
        value = float(match[1]) / 100
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1):
        return value
    raise ValueError('must be a share such as "10%" or 0.1')


Tolerance = Annotated[
    float | None,
    BeforeValidator(_tolerance),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, _SHARE_TEXT, {"type": "null"}]}
    ),
]
"""The share by which a number may differ from its label."""


Scalar = StrictStr | StrictBool | StrictInt | StrictFloat
"""A value as it is written in the spec, not converted."""
