"""The mismatches between a JSON value and a JSON schema, in the subset that input schemas may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
    "number": (int, float),
    "integer": (int, float),
}


def mismatches(value: Any, schema: Any, at: str = "input") -> Iterator[str]:
    """Yield one sentence for each way in which `value` does not match `schema`. Unknown keywords are ignored."""
    if not isinstance(schema, dict):
        return
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is(value, name) for name in types):
        yield f"{at} is not of type {' or '.join(map(str, types))}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is not one of the enum's values"
    if isinstance(value, dict):
        yield from _object_mismatches(value, schema, at)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from mismatches(item, schema.get("items"), f"{at}[{number}]")


def _is(value: Any, name: object) -> bool:
    """Return True if `value` has the JSON type `name`, or the name is unknown."""
    kind = _PYTHON.get(name) if isinstance(name, str) else None
    if kind is None:
        return True
    if isinstance(value, bool):
        return name == "boolean"
    fractional = isinstance(value, float) and not value.is_integer()
    return isinstance(value, kind) and not (name == "integer" and fractional)


def _object_mismatches(value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if isinstance(name, str) and name not in value:
            yield f"{at}.{name} is required and missing"
    for name, item in value.items():
        if name in properties:
            yield from mismatches(item, properties[name], f"{at}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{at}.{name} is not in the input schema"


def as_json(value: str | dict[str, Any]) -> Any:
    """Return an input as JSON; a text that holds an object counts as that object."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return value
