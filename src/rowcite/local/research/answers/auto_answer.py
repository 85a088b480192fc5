"""Answer with a schema chosen by the engine: one property for each kind of fact that the documents state."""

from __future__ import annotations

from typing import Any

from rowcite.local.research.answers.decide import Verdict
from rowcite.local.research.answers.json_answer import Reading, find_value
from rowcite.local.research.answers.schema_fields import field_of_schema
from rowcite.local.research.question import Finding
from rowcite.model import FieldBasis

_FIELDS: dict[str, dict[str, Any]] = {
    "industry": {"type": "string", "description": "Main industry"},
    "employee_count": {"type": "integer", "description": "Latest head count"},
    "founded_year": {"type": "integer", "description": "Year of foundation"},
    "headquarters": {"type": "object", "description": "Seat of the head office", "properties": {
        "city": {"type": "string", "description": "City"}, "country": {"type": "string", "description": "Country"}}},
    "chief_executive": {"type": "string", "description": "Who leads the company"},
    "founders": {"type": "array", "items": {"type": "string"}, "description": "Who founded it"},
    "funding_stage": {"type": "string", "description": "Latest funding stage"},
    "total_funding": {"type": "string", "description": "Total funding raised"},
    "investors": {"type": "array", "items": {"type": "string"}, "description": "Investors"},
    "annual_revenue": {"type": "string", "description": "Annual revenue"},
    "key_products": {"type": "array", "items": {"type": "string"}, "description": "Products and services"},
    "certifications": {"type": "array", "items": {"type": "string"}, "description": "Certifications held"},
    "parent_company": {"type": "string", "description": "Parent company"},
    "registration_number": {"type": "string", "description": "Registration number"},
    "website": {"type": "string", "description": "Website"},
    "phone": {"type": "string", "description": "Telephone number"},
    "email": {"type": "string", "description": "E-mail address"},
}  # fmt: skip


def answer_freely(reading: Reading) -> Finding:
    """Return the facts found about the entity, their schema, and a basis with nested names."""
    content: dict[str, Any] = {}
    basis: list[FieldBasis] = []
    properties: dict[str, Any] = {}
    for name, schema in _FIELDS.items():
        parts = schema.get("properties", {})
        found = _found(parts, reading, name) if parts else _found({name: schema}, reading)
        if not found:
            continue
        values = {part: verdict.value for part, verdict in found.items()}
        content[name] = values if parts else values[name]
        properties[name] = (
            {**schema, **_object_schema({part: parts[part] for part in found})} if parts else schema
        )
        basis += [_basis(f"{name}.{part}" if parts else name, verdict) for part, verdict in found.items()]
    schema = {"type": "object", **_object_schema(properties)}
    return Finding(
        "json", content, tuple(_with_list_items(content, basis)) or (_nothing_found(reading),), schema
    )


def _found(properties: dict[str, Any], reading: Reading, parent: str = "") -> dict[str, Verdict]:
    """Return the verdicts on the properties for which a value was found."""
    verdicts = {
        name: find_value(field_of_schema(_nullable(schema), name, parent), reading)
        for name, schema in properties.items()
    }
    return {name: verdict for name, verdict in verdicts.items() if verdict.found}


def _object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {"properties": properties, "required": list(properties), "additionalProperties": False}


def _with_list_items(content: dict[str, Any], basis: list[FieldBasis]) -> list[FieldBasis]:
    """Return the basis with an entry for each list item (key_products.0), cited from the excerpts that contain it."""
    named: list[FieldBasis] = []
    for entry in basis:
        value = content.get(entry.field)
        if not isinstance(value, list):
            named.append(entry)
            continue
        for number, item in enumerate(value):
            holding = tuple(c for c in entry.citations if any(str(item) in excerpt for excerpt in c.excerpts))
            named.append(
                FieldBasis(
                    f"{entry.field}.{number}", entry.reasoning, holding or entry.citations, entry.confidence
                )
            )
    return named


def _basis(name: str, verdict: Verdict) -> FieldBasis:
    return FieldBasis(name, verdict.reasoning, verdict.citations, verdict.confidence)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _nothing_found(reading: Reading) -> FieldBasis:
    reason = (
        reading.dossier.problem
        or f"The documents about {reading.dossier.names()} state no facts of a known kind."
    )
    return FieldBasis("output", reason, (), "low")
