"""Task keys: the canonical text of an input, and the hash that identifies a task.

A stored answer is reused only for the same question, in every process, version and machine. So the hash is SHA-256
over text that only this file defines; `tests/unit/test_keys.py` pins it with vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

from rowcite.model import TaskKey

KEY_BYTES = 16


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a value: UTF-8, keys sorted, no spaces, numbers as `number_text` writes them.

    Raises:
        ValueError: the value holds NaN, an infinity or a lone surrogate, which JSON in UTF-8 does not have.
    """
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return number_text(value)
    if isinstance(value, dict):
        members = {str(name): item for name, item in value.items()}
        return (
            "{"
            + ",".join(f"{encode_basestring(name)}:{_text(members[name])}" for name in sorted(members))
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no JSON text")


def number_text(value: float | Decimal) -> str:
    """Return the one text of a number: an exact decimal without a trailing `.0`; a float's shortest decimal.

    The text depends on the number alone: 300, 300.0 and 3e2 have one text. More than 21 zeros before or 5 after the
    point are an exponent.
    """
    if isinstance(value, int) and -_PLAIN < value < _PLAIN:
        return str(value)
    shortest = repr(value) if isinstance(value, float) else ""
    if shortest and shortest.strip("-0123456789.") == "":
        plain = shortest.removesuffix(".0")
        return "0" if plain == "-0" else plain
    return _exact(Decimal(shortest or value))


_ZEROS, _PLAIN = 21, 10**21


def _exact(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is not a JSON value")
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits))
    kept = text.strip("0") if value else "0"
    zeros = int(exponent) + len(text) - len(text.rstrip("0")) if value else 0
    point = len(kept) + zeros
    minus = "-" if sign and value else ""
    if 0 <= zeros <= _ZEROS:
        return f"{minus}{kept}{'0' * zeros}"
    if zeros < 0 < point:
        return f"{minus}{kept[:point]}.{kept[point:]}"
    if zeros < 0 and point > -6:
        return f"{minus}0.{'0' * -point}{kept}"
    return f"{minus}{kept[0]}{'.' if kept[1:] else ''}{kept[1:]}e{point - 1:+d}"


def exact(text: bytes) -> Any:
    """Return the value of a JSON text, its numbers as exact decimals."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


# --- questions -------------------------------------------------------------------------------------------


def fingerprint(question: dict[str, Any]) -> bytes:
    """Return 32 bytes that identify everything about a question except its input.

    `question` is `rowcite.api.bodies.Question.named`: API, task spec, processor, policies; no secrets and no metadata.
    The order of fields, and `required` and `type` of inputs, do not change it.
    """
    return sha256(b"rowcite question 1\n" + canonical(_identity(question))).digest()


_NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
"""Keywords with a schema for each name."""
_SCHEMAS = (
    *("items", "prefixItems", "anyOf", "oneOf", "allOf", "not", "if", "then", "else", "contains"),
    *(
        "additionalProperties",
        "additionalItems",
        "propertyNames",
        "unevaluatedProperties",
        "unevaluatedItems",
    ),
)
"""Keywords with a schema, or a list of schemas. What is in any other keyword, such as `enum`, is a value."""


def _identity(question: dict[str, Any]) -> dict[str, Any]:
    """Return a question without what does not change its answers."""
    spec = dict(question.get("task_spec") or {})
    for name, ignored in (("input_schema", ("required", "type")), ("output_schema", ())):
        if isinstance(spec.get(name), dict) and "json_schema" in spec[name]:
            spec[name] = {**spec[name], "json_schema": _schema(spec[name]["json_schema"], ignored)}
    return {**question, **({"task_spec": spec} if spec else {})}


def _schema(schema: Any, ignored: tuple[str, ...]) -> Any:
    """Return a schema with `required` sorted, and without the `ignored` keywords, at every level."""
    if isinstance(schema, list):
        return [_schema(item, ignored) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {word: _keyword(word, value, ignored) for word, value in schema.items() if word not in ignored}


def _keyword(word: str, value: Any, ignored: tuple[str, ...]) -> Any:
    if word == "required" and isinstance(value, list):
        return sorted(value, key=canonical)
    if word in _NAMED and isinstance(value, dict):
        return {name: _schema(item, ignored) for name, item in value.items()}
    return _schema(value, ignored) if word in _SCHEMAS else value


# --- keys ------------------------------------------------------------------------------------------------


def task_key(question: bytes, task_input: bytes) -> TaskKey:
    """Return the 16 bytes that identify one task: a question's fingerprint and a canonical input."""
    return TaskKey(sha256(question + task_input).digest()[:KEY_BYTES])


def task_keys(question: bytes, task_inputs: Iterable[bytes]) -> list[TaskKey]:
    """Return the keys of many tasks of one question."""
    begun = sha256(question)
    keys = []
    for task_input in task_inputs:
        named = begun.copy()
        named.update(task_input)
        keys.append(TaskKey(named.digest()[:KEY_BYTES]))
    return keys
