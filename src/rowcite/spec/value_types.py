"""The kinds of values that a spec holds beyond plain ones: domains, bars of confidence, money, durations, shares."""

from __future__ import annotations

import re
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from rowcite.api.facts import DOMAIN

Word = Literal["low", "medium", "high"]


def _host(value: str) -> str:
    host = value.strip().lower().removesuffix(".")
    if not DOMAIN.fullmatch(host):
        raise ValueError("a domain without scheme, port or path, such as example.com or .gov")
    return host


DomainList = tuple[Annotated[str, AfterValidator(_host)], ...]


def _bar(value: Any) -> Any:
    words = get_args(Word)
    if value is None or value in words:
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    near = get_close_matches(value, words, 1, 0.6) if isinstance(value, str) else []
    hint = f" (did you mean `{near[0]}`?)" if near else ""
    raise ValueError(f"low, medium, high, or a number from 0 to 1{hint}")


Bar = Annotated[Word | float | None, BeforeValidator(_bar)]


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"a number, not {str(value).lower()}")
    return value


Whole = Annotated[int, BeforeValidator(_no_bool)]
Usd = Annotated[float, BeforeValidator(_no_bool), Field(ge=0, le=1e9)]
"""Money; the limit keeps sums in micro-US$ within 64 bits."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(value: Any) -> Any:
    """Read a duration such as 90s, 30m, 2h or 90d; ValueError for anything else but None."""
    if value is None or isinstance(value, timedelta):
        return value
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("a duration such as 90s, 30m, 2h or 90d")
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError:
        raise ValueError("a duration that ends, such as 90d") from None


Duration = Annotated[timedelta | None, BeforeValidator(duration)]


def _failed(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?%", value.strip()):
        share = float(value.strip()[:-1]) / 100
        if share <= 1:
            return share
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, float) and 0 <= value <= 1:
        return value
    raise ValueError('a number of rows, or a share of them such as "5%"')


Share = Annotated[int | float, BeforeValidator(_failed)]

Scalar = StrictStr | StrictBool | StrictInt | StrictFloat
"""A value as a spec can write it: as it was written, nothing made of it."""
