"""Task fields to JSON schema and to column types; a spec held against the API's limits.

The limits are those of Parallel's public docs (docs.parallel.ai, "Task Spec" and "Source policy").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from rowcite.prices import known
from rowcite.spec import OutputField, Spec

Kind = Literal["string", "integer", "number", "boolean", "date", "array", "object", "json"]
Problem = tuple[tuple[str | int, ...], str]
"""Where in the spec, and what is wrong."""

KEY_METADATA = "rowcite_key"
"""The metadata entry that carries a run's task key: how an answer finds its rows again."""

TASK_SPEC_CHARS = 15_000
TASK_AND_INPUT_CHARS = 25_000
_NESTING, _NESTING_SAFE = 5, 3
_PROPERTIES = 100
_ENUM_VALUES, _ENUM_FREE, _ENUM_CHARS = 500, 250, 7_500
_DOMAINS, _MCP_SERVERS = 200, 10
_METADATA_KEY, _METADATA_VALUE = 16, 512
_BASIS_NAMES = frozenset(
    ["citations", "confidence", "evidence", "reasoning", "source", "sources", "source_urls"]
)
_UNSUPPORTED = frozenset(
    [
        "contains",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minimum",
        "minProperties",
        "multipleOf",
        "pattern",
        "patternProperties",
        "propertyNames",
        "uniqueItems",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
STATUS_COLUMNS = ("rowcite_status", "rowcite_error", "rowcite_processor", "rowcite_run_id")


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a value is. `items` belongs to arrays, `properties` to objects; `json` is kept as JSON text."""

    kind: Kind
    items: FieldType | None = None
    properties: tuple[tuple[str, FieldType], ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One column to fill: its name, its type, and where its basis is found in an answer."""

    name: str
    type: FieldType
    basis: str


# --- what is asked ---------------------------------------------------------------------------------------


def fields(spec: Spec) -> tuple[Field, ...]:
    """Return the columns that a spec asks for, in its order."""
    task = spec.task
    if task.outputs is not None:
        return tuple(Field(name, _field_type(field), name) for name, field in task.outputs.items())
    assert task.output is not None
    if isinstance(task.output.json_schema, dict):
        schema = task.output.json_schema
        return tuple(
            Field(name, _schema_type(part), name) for name, part in schema.get("properties", {}).items()
        )
    return (Field("answer", FieldType("json" if task.output.type == "auto" else "string"), "output"),)


def column_names(spec: Spec, field: str) -> tuple[str, ...]:
    """Return the columns that one field adds: value, confidence, citations, reasoning, as far as asked for."""
    columns, name = spec.columns, spec.columns.prefix + field
    return (
        name,
        *([f"{name}_confidence"] if columns.confidence else []),
        *([f"{name}_citations"] if columns.citations != "none" else []),
        *([f"{name}_reasoning"] if columns.reasoning else []),
    )


def output_schema(spec: Spec) -> dict[str, Any]:
    """Return the wire form of what is asked: a JSON, text or auto schema. Every field may be null."""
    task, words = spec.task, spec.task.instructions
    if task.outputs is not None:
        return {"type": "json", "json_schema": _object(task.outputs, words)}
    assert task.output is not None
    if isinstance(task.output.json_schema, dict):
        schema = task.output.json_schema
        described = (
            {"description": "\n\n".join(filter(None, [schema.get("description"), words]))} if words else {}
        )
        return {"type": "json", "json_schema": {**schema, **described}}
    if task.output.type == "auto":
        return {"type": "auto"}
    asked = task.output.description or (f"A markdown report. {words}" if words else None)
    if task.output.description and words:
        asked = f"{task.output.description}\n\n{words}"
    return {"type": "text", **({"description": asked} if asked else {})}


def input_schema(spec: Spec, types: dict[str, str]) -> dict[str, Any] | None:
    """Return the wire form of what is sent. `types` gives each input's JSON type; None for a text prompt."""
    if spec.task.inputs is None:
        return None
    properties = {
        name: {"type": types[name], **({"description": field.description} if field.description else {})}
        for name, field in spec.task.inputs.items()
    }
    required = [name for name, field in spec.task.inputs.items() if field.required]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "json", "json_schema": schema}


def _object(outputs: dict[str, OutputField], description: str | None) -> dict[str, Any]:
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": {name: _nullable(field) for name, field in outputs.items()},
        "required": list(outputs),
        "additionalProperties": False,
    }


def _nullable(field: OutputField) -> dict[str, Any]:
    schema = _plain(field)
    schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _plain(field: OutputField) -> dict[str, Any]:
    if field.type == "date":
        words = f"{field.description} " if field.description else ""
        return {"type": "string", "description": f"{words}(a date, YYYY-MM-DD)"}
    if field.type == "object":
        return _object(field.properties or {}, field.description)
    schema: dict[str, Any] = {"type": field.type or "string"}
    if field.description:
        schema["description"] = field.description
    if field.enum is not None:
        schema["enum"] = list(field.enum)
    if field.type == "array":
        schema["items"] = _plain(field.items) if field.items else {"type": "string"}
    return schema


# --- what comes back -------------------------------------------------------------------------------------


def _field_type(field: OutputField) -> FieldType:
    if field.enum is not None:
        return FieldType("string", choices=field.enum)
    if field.type == "array":
        return FieldType("array", items=_field_type(field.items) if field.items else FieldType("string"))
    if field.type == "object":
        parts = tuple((name, _field_type(part)) for name, part in (field.properties or {}).items())
        return FieldType("object", properties=parts) if parts else FieldType("json")
    return FieldType(field.type or "string")


def _schema_type(schema: dict[str, Any]) -> FieldType:
    """Read the type of a property of somebody's own JSON schema; what has no column type is kept as JSON text."""
    branches = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    if len(branches) == 1:
        return _schema_type(branches[0])
    kinds = _kinds(schema)
    if len(kinds) != 1:
        return FieldType("json")
    kind = kinds[0]
    if kind == "string":
        choices = tuple(value for value in schema.get("enum", ()) if isinstance(value, str))
        return FieldType("string", choices=choices)
    if kind in ("integer", "number", "boolean"):
        return FieldType(kind)
    if kind == "array" and isinstance(schema.get("items"), dict):
        return FieldType("array", items=_schema_type(schema["items"]))
    if kind == "object" and schema.get("properties"):
        parts = tuple((name, _schema_type(part)) for name, part in schema["properties"].items())
        return FieldType("object", properties=parts)
    return FieldType("json")


def _kinds(schema: dict[str, Any]) -> list[Any]:
    kinds = schema.get("type", [])
    return [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]


# --- limits ----------------------------------------------------------------------------------------------


def spec_problems(spec: Spec) -> list[Problem]:
    """Return everything about a spec that the API would refuse, or that contradicts itself."""
    return [
        *_task_problems(spec),
        *_schema_problems(spec),
        *_name_problems(spec),
        *_price_problems(spec),
    ]


def spec_warnings(spec: Spec) -> list[str]:
    """Return what will work, but not as well as the user may think."""
    return list(_warnings(spec))


def _task_problems(spec: Spec) -> Iterator[Problem]:
    task = spec.task
    if task.output is not None and task.output.type == "auto" and task.instructions:
        yield (
            ("task", "instructions"),
            "an auto output has no schema to carry instructions: put them in a `prompt`",
        )
    policy = task.source_policy
    if policy and len(policy.include_domains) + len(policy.exclude_domains) > _DOMAINS:
        yield ("task", "source_policy"), f"more than {_DOMAINS} domains in both lists together"
    if len(task.mcp_servers) > _MCP_SERVERS:
        yield ("task", "mcp_servers"), f"more than {_MCP_SERVERS} MCP servers"
    for key, value in task.metadata.items():
        if key == KEY_METADATA:
            yield ("task", "metadata", key), f"`{KEY_METADATA}` is rowcite's own: choose another name"
        if len(key) > _METADATA_KEY:
            yield (
                ("task", "metadata", key),
                f"metadata keys have at most {_METADATA_KEY} characters, not {len(key)}",
            )
        if len(value) > _METADATA_VALUE:
            yield (
                ("task", "metadata", key),
                f"metadata values have at most {_METADATA_VALUE} characters, not {len(value)}",
            )
    if spec.columns.reports is not None and not (task.output and task.output.type == "text"):
        yield (
            ("columns", "reports"),
            "`reports` writes one file a row for `output: {type: text}`, which is not asked for",
        )
    if task.prompt is not None and not task.prompt.strip():
        yield ("task", "prompt"), "the prompt is empty"


def _schema_problems(spec: Spec) -> Iterator[Problem]:
    where = ("task", "outputs") if spec.task.outputs is not None else ("task", "output")
    asked = output_schema(spec)
    schema = asked.get("json_schema")
    if schema is not None:
        if spec.task.outputs is None:
            yield from ((where, message) for message in _own_schema_problems(schema))
        nesting, properties = _nesting(schema), sum(1 for _ in _properties(schema))
        if nesting > _NESTING:
            yield where, f"nested {nesting} levels deep, and the API takes {_NESTING}"
        if properties > _PROPERTIES:
            yield where, f"{properties} properties, and the API takes {_PROPERTIES}"
        yield from ((where, message) for message in _enum_problems(schema))
    sent = {
        "output_schema": asked,
        "input_schema": input_schema(spec, dict.fromkeys(spec.task.inputs or {}, "string")),
    }
    size = len(json.dumps(sent, ensure_ascii=False, separators=(",", ":")))
    if size > TASK_SPEC_CHARS:
        yield where, f"the task spec has {size:,} characters, and the API takes {TASK_SPEC_CHARS:,}"


def _own_schema_problems(schema: dict[str, Any]) -> Iterator[str]:
    if (
        schema.get("type") != "object"
        or not isinstance(schema.get("properties"), dict)
        or not schema["properties"]
    ):
        yield "the root of the JSON schema must be an object with `properties`"
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            yield f"the root of the JSON schema may not have `{word}`"
    for part in _parts(schema):
        for word in sorted(_UNSUPPORTED & part.keys()):
            yield f"the API does not take `{word}` in a JSON schema: say it in the description instead"
        for inner in (*part.get("properties", {}).values(), part.get("items")):
            if isinstance(inner, dict) and inner.get("type") in ("null", ["null"]):
                yield "a field that is only `null` can say nothing: use a union such as [string, null]"


def _enum_problems(schema: dict[str, Any]) -> Iterator[str]:
    for part in _parts(schema):
        values = part.get("enum", ())
        chars = sum(len(value) for value in values if isinstance(value, str))
        if len(values) > _ENUM_VALUES:
            yield f"an enum has {len(values)} values{', null among them' * (None in values)}, and the API takes {_ENUM_VALUES}"
        elif len(values) > _ENUM_FREE and chars > _ENUM_CHARS:
            yield f"an enum of more than {_ENUM_FREE} values has {chars:,} characters, and the API takes {_ENUM_CHARS:,}"


def _name_problems(spec: Spec) -> Iterator[Problem]:
    asked = [field.name for field in fields(spec)]
    for index, name in enumerate(spec.accept.required):
        if name not in asked:
            yield ("accept", "required", index), f"`{name}` is not a field. Fields: {', '.join(asked)}"
    if any(not name.strip() for name in asked):
        yield ("task", "outputs"), "a field has no name"
    added = sorted([*STATUS_COLUMNS, *(column for name in asked for column in column_names(spec, name))])
    for first, second in pairwise(added):
        if first == second:
            yield ("task", "outputs"), f"two output columns would be called `{first}`: rename a field"


def _price_problems(spec: Spec) -> Iterator[Problem]:
    name = spec.task.processor
    if spec.backend == "parallel" and name not in spec.prices and known(name) is None:
        yield (
            ("task", "processor"),
            f"no price is known for `{name}`: correct the name, or give US$ per run under `prices: {{{name}: 0.01}}`",
        )


def _warnings(spec: Spec) -> Iterator[str]:
    task, asked = spec.task, fields(spec)
    doubled = sorted(_BASIS_NAMES & {field.name for field in asked})
    if doubled:
        yield f"fields {', '.join(doubled)}: citations, reasoning and confidence come with every field by themselves"
    processor = known(task.processor)
    if processor and len(asked) > processor.fields:
        yield f"{len(asked)} fields, and `{task.processor}` usefully fills about {processor.fields}"
    schema = output_schema(spec).get("json_schema")
    if schema and _nesting(schema) > _NESTING_SAFE:
        yield f"nested {_nesting(schema)} levels deep: one page of the API's docs says {_NESTING_SAFE} is the most"
    if schema and any(_is_open(part) for part in _parts(schema)):
        yield "the JSON schema has optional or further properties: the API wants all `required`, and `additionalProperties: false`"
    if task.source_policy and task.source_policy.include_domains and task.source_policy.exclude_domains:
        yield "exclude_domains is ignored by the API when include_domains is set"
    base = task.processor.removesuffix("-fast")
    if task.output and task.output.type == "auto" and base in ("lite", "base", "core", "core2x"):
        yield f"auto output is made for pro and above, not `{task.processor}`"


def _is_open(schema: dict[str, Any]) -> bool:
    properties = schema.get("properties")
    if properties is None:
        return False
    return schema.get("additionalProperties") is not False or not properties.keys() <= set(
        map(str, schema.get("required", ()))
    )


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Walk every sub-schema. Names of properties are names, not keywords."""
    if not isinstance(schema, dict):
        return
    yield schema
    for word in ("properties", "$defs", "definitions"):
        for part in schema.get(word, {}).values() if isinstance(schema.get(word), dict) else ():
            yield from _parts(part)
    for word in ("items", "additionalProperties"):
        yield from _parts(schema.get(word))
    for word in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(word, ()):
            yield from _parts(part)


def _properties(schema: dict[str, Any]) -> Iterable[str]:
    for part in _parts(schema):
        yield from part.get("properties", ())


def _nesting(schema: Any) -> int:
    """Count levels of objects and arrays; a flat schema has one."""
    inner = [_nesting(part) for part in _children(schema)]
    own = 1 if re.search("object|array", str(schema.get("type", ""))) else 0
    return own + max(inner, default=0)


def _children(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (part for part in schema.get("properties", {}).values() if isinstance(part, dict))
    if isinstance(schema.get("items"), dict):
        yield schema["items"]
    yield from (part for part in schema.get("anyOf", ()) if isinstance(part, dict))
