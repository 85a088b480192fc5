"""Parse a JSON schema to a tree of fields to fill, and the empty value of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.documents.labels import BY_NAME, concept_of_field, field_phrases
from rowcite.local.research.text.normalise import fold, split_words
from rowcite.local.research.text.numbers import number_in

_DEEPEST = 8
_UP_TO = re.compile(r"\b(?:up to|at most|maximum(?: of)?|max\.?|no more than|top)\s+(\w+)", re.IGNORECASE)
_UNKNOWN = frozenset({"", "unknown", "not found", "n a", "not available", "unclear"})
_NEUTRAL = _UNKNOWN | {"none", "other", "undisclosed", "not disclosed"}


@dataclass(frozen=True)
class OutputField:
    """One field of the output: its name, type and allowed values.

    `kind` is string, integer, number, boolean, enum, array or object; `words` is the folded name after its
    parents' names; `fields` are an object's, `item` is an array's.
    """

    name: str
    words: str
    description: str
    kind: str
    nullable: bool
    concept: str = ""
    choices: tuple[Any, ...] = ()
    item: OutputField | None = None
    fields: tuple[OutputField, ...] = ()
    limit: int | None = None

    @property
    def phrases(self) -> tuple[tuple[str, ...], ...]:
        """The normal forms by which documents may label the field."""
        return field_phrases(self.words, self.description)

    @property
    def changes(self) -> bool:
        """Whether the newest statement wins."""
        return self.concept in BY_NAME and BY_NAME[self.concept].changes


def field_of_schema(
    schema: dict[str, Any],
    name: str = "",
    parents: str = "",
    root: dict[str, Any] | None = None,
    depth: int = 0,
) -> OutputField:
    """Return the field of a property's schema, with $ref and unions with null resolved."""
    root = schema if root is None else root
    resolved, nullable = _resolve(schema, root, 0)
    words = f"{parents} {split_words(name)}".strip()
    description = str(resolved.get("description") or schema.get("description") or "")
    members = tuple(resolved.get("enum") or ((resolved["const"],) if "const" in resolved else ()))
    choices = tuple(member for member in members if member is not None)
    kind = "enum" if choices else _kind(resolved)
    item: OutputField | None = None
    if kind == "array" and depth < _DEEPEST:
        item = field_of_schema(resolved.get("items") or {"type": "string"}, name, parents, root, depth + 1)
    inner = (resolved.get("properties") or {}) if kind == "object" and depth < _DEEPEST else {}
    fields = tuple(field_of_schema(one, key, words, root, depth + 1) for key, one in inner.items())
    own, stated = split_words(name), fold(description)
    concept = concept_of_field(own, "") or concept_of_field(words, "") or concept_of_field("", stated)
    return OutputField(
        name, words, description, kind, nullable or None in members, concept, choices, item, fields,
        _limit(resolved, description),
    )  # fmt: skip


def empty_value(target: OutputField) -> Any:
    """Return null if the schema allows it, else the type's empty value; of an enum the member that means unknown, else the last."""
    if target.nullable:
        return None
    if target.kind == "enum":
        neutral = (one for one in target.choices if isinstance(one, str) and fold(one) in _NEUTRAL)
        return next(neutral, target.choices[-1])
    if target.kind == "object":
        return {inner.name: empty_value(inner) for inner in target.fields}
    return {"string": "", "integer": 0, "number": 0, "boolean": False, "array": []}[target.kind]


def means_unknown(choice: Any) -> bool:
    """Return True if an enum member only means that the value is unknown."""
    return isinstance(choice, str) and fold(choice) in _UNKNOWN


def _resolve(schema: dict[str, Any], root: dict[str, Any], depth: int) -> tuple[dict[str, Any], bool]:
    """Return the schema behind references and unions, and whether null is allowed."""
    if depth > _DEEPEST or not isinstance(schema, dict):
        return {"type": "string"}, True
    rest = {key: value for key, value in schema.items() if key not in {"$ref", "allOf", "anyOf", "oneOf"}}
    if "$ref" in schema:
        return _resolve({**_at(root, str(schema["$ref"])), **rest}, root, depth + 1)
    if branches := schema.get("anyOf") or schema.get("oneOf"):
        real = [branch for branch in branches if branch.get("type") != "null"] or [{"type": "null"}]
        inner, nullable = _resolve(real[0], root, depth + 1)
        return inner | rest, nullable or {"type": "null"} in branches
    if all_of := schema.get("allOf"):
        parts = (part for part in (*all_of, rest) if isinstance(part, dict))
        return _resolve({key: value for part in parts for key, value in part.items()}, root, depth + 1)
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    return schema | {"type": next((one for one in kinds if one != "null"), "null")}, "null" in kinds


def _at(root: dict[str, Any], pointer: str) -> dict[str, Any]:
    """Return the schema at a local JSON pointer such as #/$defs/place."""
    node: Any = root
    for part in pointer.lstrip("#/").split("/") if pointer.strip("#/") else []:
        node = node.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, dict) else {}
    return node if isinstance(node, dict) else {}


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if kind in {"string", "integer", "number", "boolean", "array", "object"}:
        return str(kind)
    return "object" if "properties" in schema else ("array" if "items" in schema else "string")


def _limit(schema: dict[str, Any], description: str) -> int | None:
    """Return the most items a list may have, by maxItems or words such as "up to five"."""
    if isinstance(schema.get("maxItems"), int):
        return int(schema["maxItems"])
    match = _UP_TO.search(description)
    amount = number_in(match[1]) if match else None
    return int(amount.value) if amount and 0 < amount.value < 1000 else None
