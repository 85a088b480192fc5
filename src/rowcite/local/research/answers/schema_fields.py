"""Parse a JSON schema to a tree of fields to fill, and the empty value of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from rowcite.local.research.documents.labels import BY_NAME, concept_of_field
from rowcite.local.research.text.figures import number_in
from rowcite.local.research.text.normalise import fold, split_words

_DEEPEST = 8
_UP_TO = re.compile(r"\b(?:up to|at most|maximum(?: of)?|max\.?|no more than|top)\s+(\w+)", re.IGNORECASE)
_EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}  # fmt: skip
_NUMERIC = frozenset({"employees", "founded", "incorporated", "revenue", "funding_total", "registration"})
_COUNTED = {"integer": _NUMERIC, "number": _NUMERIC, "boolean": frozenset({"public", "certifications"})}
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
    def changes(self) -> bool:
        """Whether the newest statement wins."""
        return self.concept in BY_NAME and BY_NAME[self.concept].changes


def field_of_schema(
    schema: Any, name: str = "", parents: str = "", root: dict[str, Any] | None = None, depth: int = 0
) -> OutputField:
    """Return the field of a property's schema; of its references and unions, the first that has a keyword decides."""
    root = schema if root is None else root
    parts = list(_parts(schema, root, set()))
    resolved = {key: value for part in reversed(parts) for key, value in part.items()}
    kinds = [kind for part in parts for kind in _listed(part.get("type", []))]
    members = [one for part in parts for one in part.get("enum") or _listed(part.get("const", []))]
    choices = tuple(member for member in members if member is not None)
    implied = "object" if "properties" in resolved else "array" if "items" in resolved else "string"
    kind = "enum" if choices else next((one for one in kinds if one in _EMPTY), implied)
    nullable = "null" in kinds or None in members
    words, description = f"{parents} {split_words(name)}".strip(), str(resolved.get("description") or "")
    concept = concept_of_field(split_words(name), "") or concept_of_field(words, fold(description))
    if kind in _COUNTED and concept not in _COUNTED[kind]:
        concept = ""
    target = OutputField(name, words, description, kind, nullable, concept, choices)
    if kind == "array" and depth < _DEEPEST:
        item = field_of_schema(resolved.get("items"), name, parents, root, depth + 1)
        return replace(target, item=item, limit=_limit(resolved, description))
    inner = (resolved.get("properties") or {}) if kind == "object" and depth < _DEEPEST else {}
    fields = (field_of_schema(one, key, words, root, depth + 1) for key, one in inner.items())
    return replace(target, fields=tuple(fields))


def empty_value(target: OutputField) -> Any:
    """Return null if the schema allows it, else the type's empty value; of an enum the member that means unknown, else the last."""
    if target.nullable:
        return None
    if target.kind == "enum":
        neutral = (one for one in target.choices if isinstance(one, str) and fold(one) in _NEUTRAL)
        return next(neutral, target.choices[-1])
    if target.kind == "object":
        return {inner.name: empty_value(inner) for inner in target.fields}
    return copy(_EMPTY[target.kind])


def means_unknown(choice: Any) -> bool:
    """Return True if an enum member only means that the value is unknown."""
    return isinstance(choice, str) and fold(choice) in _UNKNOWN


def _parts(schema: Any, root: Any, followed: set[str]) -> Iterator[dict[str, Any]]:
    """Yield a schema and those behind its references and unions, outer ones first, each reference once."""
    if isinstance(schema, dict):
        yield schema
        pointer = str(schema.get("$ref", ""))
        behind = [_at(root, pointer)] if pointer and pointer not in followed else []
        followed.add(pointer)
        unions = (schema.get(key) or () for key in ("allOf", "anyOf", "oneOf"))
        for one in chain(behind, *unions):
            yield from _parts(one, root, followed)


def _at(node: Any, pointer: str) -> Any:
    """Return the schema at a local JSON pointer such as #/$defs/place, or None."""
    for part in pointer.lstrip("#/").split("/") if pointer.strip("#/") else []:
        node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return node


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _limit(schema: dict[str, Any], description: str) -> int | None:
    """Return the most items a list may have, by maxItems or words such as "up to five"."""
    if isinstance(schema.get("maxItems"), int):
        return int(schema["maxItems"])
    match = _UP_TO.search(description)
    amount = number_in(match[1]) if match else None
    return int(amount.value) if amount and 0 < amount.value < 1000 else None
