"""The JSON Schema of a spec file, for editors and other tools: from the models, with every form that the loader reads.

The loader replaces `${VAR}` before it checks a value, so a text with a variable is allowed in place of every number,
truth value, choice and patterned text; and a number in quotes in place of a number. Draft 7 is what editors support.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from rowcite.api.facts import PROCESSORS
from rowcite.spec import accept_models, models
from rowcite.spec.descriptions import description
from rowcite.spec.problems import OWN_KEYS, models_in
from rowcite.spec.value_types import OTHER_KIND_NAMES

_Schema = dict[str, Any]

_VARIABLE, _NUMBER_TEXT = "Variable", "NumberText"
_SCALARS: dict[str, _Schema] = {
    _VARIABLE: {
        "description": "A text with variables of the environment: ${VAR} or ${VAR:-default}.",
        "type": "string",
        "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}",
    },
    _NUMBER_TEXT: {
        "description": "A number in quotes.",
        "type": "string",
        "pattern": r"^\s*[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?\s*$",
    },
}
_STRICT_TEXT = ("enum", "const", "pattern", "minLength", "maxLength", "not")
"""Keywords that a text with a variable need not satisfy."""


def spec_schema() -> _Schema:
    """Return the JSON Schema (draft 7) of a spec file."""
    schema = models.Spec.model_json_schema(ref_template="#/definitions/{model}")
    parts: dict[str, _Schema] = schema.pop("$defs")
    del schema["description"]
    for model in _models(models.Spec):
        part = schema if model is models.Spec else parts[model.__name__]
        _describe(part, model)
        part.update(_SHAPES.get(model, {}))
        for key, size in _SIZES.get(model, {}).items():
            part["properties"][key].update(size)
    _add_short_forms(parts)
    _add_old_names(parts)
    parts["TaskSpec"]["properties"]["processor"] = _processor(parts["TaskSpec"]["properties"]["processor"])
    schema["properties"]["escalate"]["items"] = _processor({"type": "string"})
    plain = {name: _with_variables(_untitled(part)) for name, part in parts.items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rowcite spec",
        "description": "A table, the question for every row, and the limits. Relative paths are relative to this file.",
        **_with_variables(_untitled(schema)),
        "definitions": {**plain, **_SCALARS},
    }


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a model and the models of its keys, each once."""
    seen: list[type[BaseModel]] = [model]
    for known in seen:
        for field in known.model_fields.values():
            seen += [inner for inner in models_in(field.annotation) if inner not in seen]
    yield from seen


def _describe(part: _Schema, model: type[BaseModel]) -> None:
    """Give each key its description; remove the attributes of a spec that are not keys."""
    for key in list(part["properties"]):
        if model is models.Spec and key in OWN_KEYS:
            del part["properties"][key]
        elif text := description(model, key):
            part["properties"][key]["description"] = text
        if isinstance(part["properties"].get(key, {}).get("default"), dict):
            del part["properties"][key]["default"]  # editors show it at every key


def _or_text(node: _Schema) -> _Schema:
    about: _Schema = {key: node[key] for key in ("description", "default", "deprecated") if key in node}
    value = {key: item for key, item in node.items() if key not in about}
    number = [{"$ref": f"#/definitions/{_NUMBER_TEXT}"}] if node.get("type") in ("integer", "number") else []
    return {"anyOf": [value, {"$ref": f"#/definitions/{_VARIABLE}"}, *number], **about}


def _given(key: str, *values: str | None) -> _Schema:
    """Return the schema of an object that has a key with one of some values; with any value but null if none is named."""
    value: _Schema = {"enum": list(values)} if values else {"not": {"type": "null"}}
    return {"required": [key], "properties": {key: value}}


def _one_of(*keys: str) -> _Schema:
    """Return the schema of an object that has exactly one of some keys."""
    return {"oneOf": [_given(key) for key in keys]}


def _if(condition: _Schema, then: _Schema) -> _Schema:
    return {"if": condition, "then": then}


def _needs_type(key: str, kind: str) -> _Schema:
    """Return the schema of a field where a key is only for fields of one type."""
    return _if(_given(key), {"required": ["type"], "properties": {"type": _or_text({"const": kind})}})


_SHAPES: dict[type[BaseModel], _Schema] = {
    models.Spec: _if(_given("backend", "local"), _given("local")),
    models.TaskSpec: {"allOf": [_one_of("inputs", "prompt"), _one_of("outputs", "output")]},
    models.WholeOutput: _one_of("type", "description", "json_schema"),
    models.OutputField: {
        "anyOf": [_given("type"), _given("enum")],
        "allOf": [
            _if(_given("enum"), {"properties": {"type": _or_text({"enum": ["string", None]})}}),
            _needs_type("items", "array"),
            _needs_type("properties", "object"),
            _if(_given("type", "object"), _given("properties")),
        ],
    },
}
"""What the models check across their keys."""

_SIZES: dict[type[BaseModel], dict[str, _Schema]] = {
    models.TaskSpec: {"inputs": {"minProperties": 1}, "outputs": {"minProperties": 1}},
    models.OutputField: {"enum": {"minItems": 1, "uniqueItems": True}, "properties": {"minProperties": 1}},
}


def _add_short_forms(parts: dict[str, _Schema]) -> None:
    """Allow the texts that the models read in place of a mapping."""
    kinds = [
        kind for kind in parts["OutputField"]["properties"]["type"]["anyOf"][0]["enum"] if kind != "object"
    ]
    misspelt = [*OTHER_KIND_NAMES, "object"]
    text = {"type": "string", "pattern": r"\S", "not": {"enum": misspelt}}
    parts["OutputField"] = {
        "anyOf": [
            {"enum": kinds, "description": "The type of a field."},
            {**text, "description": "A text field: what to find."},
            parts["OutputField"],
        ]
    }
    parts["EvalField"] = {
        "anyOf": [parts["EvalField"]["properties"]["compare"]["anyOf"][0], parts["EvalField"]]
    }
    parts["Engine"] = {"anyOf": [parts["Engine"]["properties"]["name"], parts["Engine"]]}
    parts["WholeOutput"] = {
        "anyOf": [{"type": "string", "description": "A short text: what to find."}, parts["WholeOutput"]]
    }


def _add_old_names(parts: dict[str, _Schema]) -> None:
    """Add the keys that are still read under an old name."""
    for name in ("Accept", "AcceptField"):
        keys = parts[name]["properties"]
        for old, new in accept_models.RENAMED_ACCEPT_KEYS.items():
            text = f"Old name of `{new}`, read with a warning."
            keys[old] = {**keys[new], "description": text, "deprecated": True}
            parts[name]["not"] = {"required": [old, new]}


def _processor(text: _Schema) -> _Schema:
    """Return the schema of a processor: any name, with the known ones for completion."""
    about: _Schema = {key: text.pop(key) for key in ("description", "title") if key in text}
    return {"anyOf": [{"enum": list(PROCESSORS)}, text], **about}


def _untitled(node: Any) -> Any:
    """Return a schema without the titles that pydantic makes of names."""
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _untitled(value) for key, value in node.items() if key != "title" or not isinstance(value, str)
    }


def _with_variables(node: _Schema) -> _Schema:
    """Return a schema that also allows the texts that the loader turns into a value."""
    if _is_scalar(node):
        return _or_text(node)
    out = dict(node)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            out[key] = _with_variables(node[key])
    if "anyOf" in node and not {"properties", "allOf"} & node.keys():
        out["anyOf"] = _alternatives(node["anyOf"])
    if "properties" in node:
        out["properties"] = {key: _with_variables(value) for key, value in node["properties"].items()}
    return out


def _is_scalar(node: _Schema) -> bool:
    kind = node.get("type")
    return kind in ("integer", "number", "boolean") or (
        kind in ("string", None) and any(key in node for key in _STRICT_TEXT) and "properties" not in node
    )


def _alternatives(branches: list[_Schema]) -> list[_Schema]:
    """Return the branches of a choice with texts allowed, each kind of text once."""
    out: list[_Schema] = []
    for branch in map(_with_variables, branches):
        inner = branch["anyOf"] if set(branch) == {"anyOf"} else [branch]
        out += [item for item in inner if item not in out]
    return out
