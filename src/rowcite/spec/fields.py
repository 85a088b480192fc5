"""The fields of a task as JSON schema and as column types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rowcite.spec.models import OutputField, Spec

Kind = Literal["string", "integer", "number", "boolean", "date", "array", "object", "json"]


@dataclass(frozen=True, slots=True)
class FieldType:
    """The type of a value. `items` is for arrays, `properties` for objects; `json` is kept as JSON text."""

    kind: Kind
    items: FieldType | None = None
    properties: tuple[tuple[str, FieldType], ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One column to fill: its name, its type, and the field of an answer's basis that belongs to it."""

    name: str
    type: FieldType
    basis: str


# --- what is requested -----------------------------------------------------------------------------------


def fields(spec: Spec) -> tuple[Field, ...]:
    """Return the columns that a spec requests, in its order."""
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


def value_column(spec: Spec, field: str) -> str:
    """Return the name of the column that has a field's values."""
    return spec.columns.prefix + field


def output_schema(spec: Spec) -> dict[str, Any]:
    """Return the output schema of the API: JSON, text or auto. Every field may be null."""
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
    description = task.output.description or (f"A markdown report. {words}" if words else None)
    if task.output.description and words:
        description = f"{task.output.description}\n\n{words}"
    return {"type": "text", **({"description": description} if description else {})}


def input_schema(spec: Spec, types: dict[str, str]) -> dict[str, Any] | None:
    """Return the input schema of the API, None for a text prompt.

    `types` has the JSON types of the columns that declare one; an input's own `type` comes first.
    """
    if spec.task.inputs is None:
        return None
    properties = {
        name: {
            **({"type": kind} if (kind := field.type or types.get(name)) else {}),
            **({"description": field.description} if field.description else {}),
        }
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
    """Return the type of a property of the user's JSON schema; a property without a column type becomes JSON text."""
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
