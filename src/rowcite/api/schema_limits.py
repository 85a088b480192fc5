"""The check of a JSON schema against the limits of the Task API. Pure; the spec check and the local server use it.

Figures and keywords: `rowcite.api.facts`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from rowcite.api import facts

_MAX_PATH = 40  # steps from the root: far beyond the permitted nesting, with unions between the levels

_NAMED = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = (
    *("items", "additionalItems", "unevaluatedItems", "contains"),
    *("additionalProperties", "unevaluatedProperties", "propertyNames"),
    *("not", "if", "then", "else"),
)
_SHAPES: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(_NAMED, ((dict,), "a mapping")),
    **dict.fromkeys((*_LISTED, "enum", "required"), ((list,), "a list")),
    **dict.fromkeys(_SINGLE, ((dict, bool), "a mapping: a JSON schema")),
    "type": ((str, list), "a text, or a list of texts"),
    "description": ((str,), "a text"),
}
_CONDITIONS = [(word,) for word in ("not", "if", "then", "else")]
_OF_NAMED = [(word,) for word in _NAMED]
_NOT_EMPTY = frozenset({"type", "enum", *_LISTED})

Path = tuple[str | int, ...]


class SchemaProblem(NamedTuple):
    """Where a schema breaks a limit (from its root), why, and a machine-readable kind as in a 422 answer."""

    path: Path
    message: str
    kind: str = "value_error"


class _Node(NamedTuple):
    """A schema inside a schema; `levels` counts the objects and lists around it, itself included."""

    path: Path
    schema: Any
    levels: int


def output_problems(schema: dict[str, Any]) -> list[SchemaProblem]:
    """Return the reasons why the API refuses an output schema; empty if it is accepted."""
    if malformed := shape_problems(schema):
        return malformed
    if schema.get("type") != "object" or not schema.get("properties"):
        return [SchemaProblem((), "the root of the JSON schema must be an object with `properties`")]
    found = _limit_problems(schema, facts.UNSUPPORTED_IN_OUTPUT, "an output schema")
    if "anyOf" in schema:
        found.append(SchemaProblem(("anyOf",), "the root of the JSON schema cannot have `anyOf`"))
    return found


def input_problems(schema: dict[str, Any]) -> list[SchemaProblem]:
    """Return the reasons why the API refuses an input schema; empty if it is accepted."""
    return shape_problems(schema) or _limit_problems(schema, facts.UNSUPPORTED_IN_INPUT, "an input schema")


def shape_problems(schema: Any) -> list[SchemaProblem]:
    """Return where a value does not have the shape of a JSON schema, so that other checks can rely on it."""
    return [problem for node in _walk(schema) for problem in _node_shape(node)]


def nesting_levels(schema: dict[str, Any]) -> int:
    """Return how many objects and lists are inside each other; 1 for a flat schema."""
    return max(node.levels for node in _walk(schema))


def property_count(schema: dict[str, Any]) -> int:
    """Return the number of properties at all levels."""
    return sum(len(node.schema.get("properties", ())) for node in _walk(schema))


def is_strict(schema: dict[str, Any]) -> bool:
    """Return True if every object requires all its properties and permits no others, as the API recommends."""
    return all(_is_strict(node.schema) for node in _walk(schema) if "properties" in node.schema)


def characters(value: Any) -> int:
    """Return the number of characters of a value as compact JSON."""
    return len(msgspec.json.encode(value).decode())


def _limit_problems(schema: dict[str, Any], unsupported: frozenset[str], kind: str) -> list[SchemaProblem]:
    nodes = list(_walk(schema))
    found = [problem for node in nodes for problem in _keyword_problems(node, unsupported, kind)]
    levels, properties = max(node.levels for node in nodes), property_count(schema)
    if levels > facts.NESTING_LEVELS:
        message = f"nested {levels} levels deep; the API accepts at most {facts.NESTING_LEVELS}"
        found.append(SchemaProblem((), message))
    elif any(len(node.path) >= _MAX_PATH for node in nodes):
        found.append(SchemaProblem((), "nested too deeply: unions inside unions"))
    if properties > facts.PROPERTIES:
        found.append(
            SchemaProblem((), f"{properties} properties; the API accepts at most {facts.PROPERTIES}")
        )
    return found + _enum_problems(nodes)


def _walk(schema: Any) -> Iterator[_Node]:
    """Yield every schema inside a schema, outer ones first. Names of properties are names, not keywords.

    Without recursion: the depth of a client's schema must not decide how deep this program's stack grows.
    """
    waiting: deque[tuple[Path, Any, int]] = deque([((), schema, 0)])
    while waiting:
        path, node, around = waiting.popleft()
        levels = around + _is_level(node)
        yield _Node(path, node, levels)
        if isinstance(node, dict) and len(path) < _MAX_PATH:
            waiting.extend((path + step, child, base) for step, child, base in _inside(node, levels))


def _inside(node: dict[str, Any], levels: int) -> Iterator[tuple[Path, Any, int]]:
    """Yield what is directly inside a schema, well-formed or not, with the levels around it."""
    for key in _NAMED:
        named = node.get(key)
        for name, child in named.items() if isinstance(named, dict) else ():
            yield (key, name), child, levels if key == "properties" else 0
    for key in _LISTED:
        listed = node.get(key)
        for number, child in enumerate(listed if isinstance(listed, list) else ()):
            yield (key, number), child, levels
    for key in _SINGLE:
        if isinstance(node.get(key), dict):
            yield (key,), node[key], levels


def _is_level(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    kinds = node.get("type")
    named = kinds if isinstance(kinds, list) else [kinds]
    return "object" in named or "array" in named or "properties" in node or "items" in node


def _node_shape(node: _Node) -> Iterator[SchemaProblem]:
    path, schema, _ = node
    name = _name(path)
    if not isinstance(schema, dict):
        yield SchemaProblem(path, f"{name} must be a mapping: a JSON schema", "type_error")
        return
    for keyword in sorted((_SHAPES.keys() & schema.keys()) - facts.UNSUPPORTED_IN_OUTPUT):
        kinds, words = _SHAPES[keyword]
        if not isinstance(schema[keyword], kinds):
            yield SchemaProblem((*path, keyword), f"`{keyword}` of {name} must be {words}", "type_error")
    for keyword in sorted(_NOT_EMPTY & schema.keys()):
        if schema[keyword] == []:
            yield SchemaProblem((*path, keyword), f"`{keyword}` of {name} is empty: no value can match it")
    required = schema.get("required")
    if isinstance(required, list) and not all(isinstance(entry, str) for entry in required):
        yield SchemaProblem((*path, "required"), f"`required` of {name} must list names", "type_error")
    given = schema.get("type")
    yield from _type_problems(
        path, given if isinstance(given, list) else [given] if isinstance(given, str) else []
    )


def _type_problems(path: Path, kinds: list[Any]) -> Iterator[SchemaProblem]:
    for number, kind in enumerate(kinds):
        if not (isinstance(kind, str) and kind in facts.JSON_TYPES):
            message = f"`{kind}` is not a type of JSON schema: {', '.join(sorted(facts.JSON_TYPES))}"
            yield SchemaProblem((*path, "type"), message, "type_error")
        elif kind in kinds[:number]:
            yield SchemaProblem((*path, "type"), f"`type` has `{kind}` twice")


def _name(path: Path) -> str:
    if not path:
        return "it"
    return f"each of `{path[-2]}`" if isinstance(path[-1], int) else f"`{path[-1]}`"


def _keyword_problems(node: _Node, unsupported: frozenset[str], kind: str) -> Iterator[SchemaProblem]:
    path, schema, _ = node
    for keyword in sorted(unsupported & schema.keys()):
        message = f"the API does not support `{keyword}` in {kind}: put it into the `description`"
        yield SchemaProblem((*path, keyword), message)
    only_null = schema.get("type") in ("null", ["null"]) and not _is_alternative(path)
    if only_null and unsupported is facts.UNSUPPORTED_IN_OUTPUT:
        message = "a field that is only `null` can hold nothing: use a union such as [string, null]"
        yield SchemaProblem((*path, "type"), message)


def _is_alternative(path: Path) -> bool:
    """Return True if a schema is one of a union, or a condition."""
    return path[-2:-1] == ("anyOf",) or (path[-1:] in _CONDITIONS and path[-2:-1] not in _OF_NAMED)


def _enum_problems(nodes: list[_Node]) -> list[SchemaProblem]:
    enums = [(node.path, node.schema["enum"]) for node in nodes if "enum" in node.schema]
    total = sum(len(values) for _, values in enums)
    found = []
    if total > facts.ENUM_VALUES:
        null = ", null among them" * any(None in values for _, values in enums)
        message = f"{total} enum values in all{null}; the API accepts at most {facts.ENUM_VALUES}"
        found.append(SchemaProblem((), message))
    for path, values in enums:
        size = sum(len(value) for value in values if isinstance(value, str))
        if len(values) > facts.LONG_ENUM_VALUES and size > facts.LONG_ENUM_CHARS:
            message = f"an enum of more than {facts.LONG_ENUM_VALUES} values has {size:,} characters; the API accepts at most {facts.LONG_ENUM_CHARS:,}"
            found.append(SchemaProblem((*path, "enum"), message))
    return found


def _is_strict(schema: dict[str, Any]) -> bool:
    required = set(map(str, schema.get("required", ())))
    return schema.get("additionalProperties") is False and schema["properties"].keys() <= required
