"""A value as its column's type, without loss. Pure.

A value that does not fit raises a `CoercionError` with the reason; texts that mean null become null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from rowcite.model import Json
from rowcite.spec.accept_models import NOT_FOUND
from rowcite.spec.fields import FieldType

_NUMBER = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?([eE][+-]?[0-9]{1,5})?\Z")
_EXACT = 2**53  # a float holds every whole number up to it
_INT64 = range(-(2**63), 2**63)
_NULLS = frozenset(NOT_FOUND)


class CoercionError(ValueError):
    """A value cannot be coerced to its field's type."""


def coerce(value: Json, kind: FieldType, nulls: frozenset[str] = _NULLS) -> Any:
    """Return a value as its type, without losing anything; null, a blank text, and a text that means null, become None.

    `nulls` are those texts, in lower case; one of the spec's choices is always a value.

    Raises:
        CoercionError: the value cannot be coerced without loss.
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


def _text(value: Json, kind: FieldType) -> str | None:
    if isinstance(value, (bool, dict, list)):
        raise CoercionError(f"{shown(value)} is not a text")
    text = value if isinstance(value, str) else json_text(value)
    if kind.choices and text not in kind.choices:
        same = [choice for choice in kind.choices if choice.lower() == text.strip().lower()]
        if len(same) != 1:
            raise CoercionError(f"{shown(value)} is not one of the choices")
        return same[0]
    return text if text.strip() else None


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
    if type(value) is int and -_EXACT <= value <= _EXACT:
        return float(value)
    number = _decimal(value)
    if number is None or not math.isfinite(float(number)):
        raise CoercionError(f"{shown(value)} is not a number")
    if isinstance(value, int) and float(number) != value:
        raise CoercionError(f"{shown(value)} has more digits than a number column can store")
    return float(number)


def _decimal(value: Json) -> Decimal | None:
    """Return the exact value of a number, or of a text that is a number; None for anything else."""
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


# --- many values -----------------------------------------------------------------------------------------


def coerce_all(values: list[Json], kind: FieldType, nulls: frozenset[str] = _NULLS) -> list[Any]:
    """Return `coerce` of each value. Values that are of the type already are not looked at one by one.

    Raises:
        CoercionError: one of them cannot be coerced without loss.
    """
    known, as_one = _MANY.get(kind.kind, (frozenset(), None))
    found = (
        as_one(values, kind, nulls) if as_one is not None and known.issuperset(map(type, values)) else None
    )
    return [coerce(value, kind, nulls) for value in values] if found is None else found


def _texts(values: list[Any], kind: FieldType, nulls: frozenset[str]) -> list[Any] | None:
    if kind.choices:
        return values if {*kind.choices, None}.issuperset(values) else None
    return [text if text and text.strip() else None for text in _without(nulls, values)]


def _without(nulls: frozenset[str], texts: list[Any]) -> list[str | None]:
    return [text if text is None or text.strip().lower() not in nulls else None for text in texts]


def _integers(values: list[Any], _: FieldType, __: frozenset[str]) -> list[Any] | None:
    return values if all(value is None or value in _INT64 for value in values) else None


def _numbers(values: list[Any], _: FieldType, __: frozenset[str]) -> list[Any] | None:
    if not all(value is None or -_EXACT <= value <= _EXACT for value in values):
        return None
    return [None if value is None else float(value) for value in values]


def _booleans(values: list[Any], _: FieldType, __: frozenset[str]) -> list[Any]:
    return values


def _dates(values: list[Any], _: FieldType, nulls: frozenset[str]) -> list[Any] | None:
    try:
        return [
            None if text is None else date.fromisoformat(text.strip()) for text in _without(nulls, values)
        ]
    except ValueError:
        return None


def _arrays(values: list[Any], kind: FieldType, nulls: frozenset[str]) -> list[Any]:
    assert kind.items is not None
    items = iter(coerce_all(list(chain.from_iterable(filter(None, values))), kind.items, nulls))
    return [None if value is None else list(islice(items, len(value))) for value in values]


_NULL = type(None)
_MANY: dict[
    str, tuple[frozenset[type], Callable[[list[Any], FieldType, frozenset[str]], list[Any] | None]]
] = {
    "string": (frozenset({str, _NULL}), _texts),
    "integer": (frozenset({int, _NULL}), _integers),
    "number": (frozenset({int, float, _NULL}), _numbers),
    "boolean": (frozenset({bool, _NULL}), _booleans),
    "date": (frozenset({str, _NULL}), _dates),
    "array": (frozenset({list, _NULL}), _arrays),
}
"""By type: the types of values that need no conversion, and the function that converts many of them, or returns None."""


def json_text(value: Json) -> str:
    """Return a value as JSON text.

    Raises:
        CoercionError: it contains a number that JSON cannot represent.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise CoercionError(f"{shown(value)} contains a number that JSON cannot represent") from None


def shown(value: Json) -> str:
    """Return a value for a message: JSON text, cut to 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
