"""What a JSON schema in a task spec may contain, and how it may be wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from rowcite.local.server.refusals import Flaw

MAX_DEPTH = 5
MAX_PROPERTIES = 100
MAX_ENUM_VALUES = 500
MAX_ENUM_CHARACTERS = 7_500
LONG_ENUM = 250  # only an enum of more values than this is held to MAX_ENUM_CHARACTERS

_MAX_STEPS = 40  # from the root to any schema inside: far beyond MAX_DEPTH, with lists and unions between

_NOT_IN_OUTPUT = frozenset(
    {"contains", "format", "maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains"}
    | {"minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "patternProperties"}
    | {"propertyNames", "unevaluatedItems", "unevaluatedProperties", "uniqueItems"}
)
_NOT_IN_INPUT = frozenset(
    {
        "allOf",
        "anyOf",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "not",
        "oneOf",
        "patternProperties",
    }
    | {"then"}
)
_MUST_BE = {
    "type": (str, list),
    "enum": (list,),
    "required": (list,),
    "properties": (dict,),
    "$defs": (dict,),
    "definitions": (dict,),
    "items": (dict, bool),
    "anyOf": (list,),
    "oneOf": (list,),
    "allOf": (list,),
}

Path = tuple[str | int, ...]
Node = tuple[Path, dict[str, Any], int]


def output_flaws(schema: dict[str, Any]) -> list[Flaw]:
    """Return what an output schema does that the API does not take. Locations start at the schema."""
    if schema.get("type") != "object" or "anyOf" in schema:
        return [Flaw((), "The root of an output schema must be an object, without anyOf.")]
    if not isinstance(schema.get("properties"), dict) or not schema["properties"]:
        return [Flaw(("properties",), "An output schema needs at least one property.", "missing")]
    return _flaws(schema, _NOT_IN_OUTPUT)


def input_flaws(schema: dict[str, Any]) -> list[Flaw]:
    """Return what an input schema does that the API does not take. Locations start at the schema."""
    return _flaws(schema, _NOT_IN_INPUT)


def _flaws(schema: dict[str, Any], unsupported: frozenset[str]) -> list[Flaw]:
    nodes = list(_walk(schema))
    if malformed := [flaw for node in nodes for flaw in _shape_flaws(node)]:
        return malformed
    flaws = [flaw for node in nodes for flaw in _node_flaws(node, unsupported)]
    if any(depth > MAX_DEPTH or len(path) >= _MAX_STEPS for path, _, depth in nodes):
        flaws.append(Flaw((), f"The schema nests deeper than {MAX_DEPTH} levels."))
    properties = sum(len(node.get("properties", ())) for _, node, _ in nodes)
    if properties > MAX_PROPERTIES:
        message = f"The schema has {properties} properties; at most {MAX_PROPERTIES} are allowed."
        flaws.append(Flaw((), message))
    return flaws + _enum_flaws(nodes)


def _walk(schema: dict[str, Any]) -> Iterator[Node]:
    """Yield every schema inside a schema, outer ones first, with its place and how many objects are around it.

    Without recursion: a client's schema must not decide how deep this program's stack grows.
    """
    waiting: deque[tuple[Path, Any, int]] = deque([((), schema, 0)])
    while waiting:
        path, node, depth = waiting.popleft()
        if isinstance(node, dict):
            yield path, node, depth
            if len(path) < _MAX_STEPS:
                waiting.extend(_inside(path, node, depth))


def _inside(path: Path, node: dict[str, Any], depth: int) -> Iterator[tuple[Path, Any, int]]:
    """Yield what stands directly inside a schema, well-formed or not."""
    for key in ("properties", "$defs", "definitions"):
        named = node.get(key)
        for name, child in named.items() if isinstance(named, dict) else ():
            yield (*path, key, name), child, depth + (key == "properties")
    yield (*path, "items"), node.get("items"), depth
    for key in ("anyOf", "oneOf", "allOf"):
        listed = node.get(key)
        for number, child in enumerate(listed if isinstance(listed, list) else ()):
            yield (*path, key, number), child, depth


def _shape_flaws(node: Node) -> Iterator[Flaw]:
    path, schema, _ = node
    for keyword in _MUST_BE.keys() & schema.keys():
        if not isinstance(schema[keyword], _MUST_BE[keyword]):
            yield Flaw((*path, keyword), f"The value of {keyword!r} is not a valid one.", "type_error")


def _node_flaws(node: Node, unsupported: frozenset[str]) -> Iterator[Flaw]:
    path, schema, _ = node
    for keyword in sorted(unsupported & schema.keys()):
        yield Flaw((*path, keyword), f"The keyword {keyword!r} is not supported here.")
    inside_union = len(path) > 1 and path[-2] == "anyOf"
    if schema.get("type") in ("null", ["null"]) and not inside_union:
        yield Flaw((*path, "type"), "A bare null type is not supported; use a union with another type.")


def _enum_flaws(nodes: list[Node]) -> list[Flaw]:
    enums = [(path, node["enum"]) for path, node, _ in nodes if isinstance(node.get("enum"), list)]
    total = sum(len(values) for _, values in enums)
    flaws = []
    if total > MAX_ENUM_VALUES:
        flaws.append(Flaw((), f"The schema has {total} enum values; at most {MAX_ENUM_VALUES} are allowed."))
    for path, values in enums:
        length = sum(len(value) for value in values if isinstance(value, str))
        if len(values) > LONG_ENUM and length > MAX_ENUM_CHARACTERS:
            message = f"An enum of more than {LONG_ENUM} values may have {MAX_ENUM_CHARACTERS} characters, not {length}."
            flaws.append(Flaw((*path, "enum"), message))
    return flaws
