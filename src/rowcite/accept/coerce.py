"""A value as its column's type, without loss. Pure.

What does not fit is refused with a reason; texts that mean null are null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from rowcite.model import Json
from rowcite.spec.fields import FieldType
from rowcite.spec.models import NOT_FOUND

_NUMBER = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?([eE][+-]?[0-9]{1,5})?\Z")
_INT64 = range(-(2**63), 2**63)
_NULLS = frozenset(NOT_FOUND)


class CoercionError(ValueError):
    """A value is not of its field's type."""


def coerce(value: Json, kind: FieldType, nulls: frozenset[str] = _NULLS) -> Any:
    """Return a value as its type, without losing anything; null stays null, and so do texts that mean null.

    `nulls` are those texts, in lower case; a choice that the spec offers is a value, whatever it says.

    Raises:
        CoercionError: the value is not of the type and cannot be made so without loss.
    """
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip().lower()
        if text in nulls and all(text != choice.lower() for choice in kind.choices):
            return None
    if kind.kind == "array":
        return _array(value, kind, nulls)
    if kind.kind == "object":
        return _object(value, kind, nulls)
    return _PLAIN[kind.kind](value, kind)


def _text(value: Json, kind: FieldType) -> str:
    if isinstance(value, (bool, dict, list)):
        raise CoercionError(f"{shown(value)} is not a text")
    text = value if isinstance(value, str) else json_text(value)
    if kind.choices and text not in kind.choices:
        same = [choice for choice in kind.choices if choice.lower() == text.strip().lower()]
        if len(same) != 1:
            raise CoercionError(f"{shown(value)} is none of the choices")
        return same[0]
    return text


def _integer(value: Json, _: FieldType) -> int:
    if type(value) is int and value in _INT64:
        return value
    number = _decimal(value)
    if number is None or number.adjusted() > 20 or number != int(number):
        raise CoercionError(f"{shown(value)} is not a whole number")
    if int(number) not in _INT64:
        raise CoercionError(f"{shown(value)} is too large for a column of whole numbers")
    return int(number)


def _number(value: Json, _: FieldType) -> float:
    number = _decimal(value)
    if number is None or not math.isfinite(float(number)):
        raise CoercionError(f"{shown(value)} is not a number")
    if isinstance(value, int) and float(number) != value:
        raise CoercionError(f"{shown(value)} has more digits than a number column keeps")
    return float(number)


def _decimal(value: Json) -> Decimal | None:
    """Return a number, or a text that is one, exactly; None for anything else."""
    if isinstance(value, str):
        return Decimal(value.strip().replace(",", "")) if _NUMBER.match(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return Decimal(value) if isinstance(value, int) or math.isfinite(value) else None


def _boolean(value: Json, _: FieldType) -> bool:
    known = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in known:
        return known[value.strip().lower()]
    raise CoercionError(f"{shown(value)} is neither true nor false")


def _date(value: Json, _: FieldType) -> date:
    try:
        return date.fromisoformat(value.strip())
    except (AttributeError, TypeError, ValueError):
        raise CoercionError(f"{shown(value)} is not a date (YYYY-MM-DD)") from None


def _json(value: Json, _: FieldType) -> str:
    return value if isinstance(value, str) else json_text(value)


_PLAIN: dict[str, Callable[[Json, FieldType], Any]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "json": _json,
}


def _array(value: Json, kind: FieldType, nulls: frozenset[str]) -> list[Any]:
    if not isinstance(value, list):
        raise CoercionError(f"{shown(value)} is not a list")
    assert kind.items is not None
    return [coerce(item, kind.items, nulls) for item in value]


def _object(value: Json, kind: FieldType, nulls: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CoercionError(f"{shown(value)} is not an object")
    return {name: coerce(value.get(name), part, nulls) for name, part in kind.properties}


def json_text(value: Json) -> str:
    """Return a value as JSON text.

    Raises:
        CoercionError: it holds a number that JSON cannot say.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise CoercionError(f"{shown(value)} holds a number that JSON cannot say") from None


def shown(value: Json) -> str:
    """Return a value as a reason shows it: JSON text, cut when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
