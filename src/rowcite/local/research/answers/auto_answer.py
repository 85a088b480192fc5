"""Answer with a schema chosen by the engine: one property for each kind of fact that the documents state."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from rowcite.local.research.answers.json_answer import Reading, find_value
from rowcite.local.research.answers.schema_fields import field_of_schema
from rowcite.local.research.question import Finding
from rowcite.model import FieldBasis

_FIELDS = (  # a list ends with [], a part follows its object and a dot
    ("industry", "string", "Main industry"), ("employee_count", "integer", "Latest head count"),
    ("founded_year", "integer", "Year of foundation"), ("headquarters.city", "string", "City"),
    ("headquarters.country", "string", "Country"), ("chief_executive", "string", "Who leads the company"),
    ("founders[]", "string", "Who founded it"), ("funding_stage", "string", "Latest funding stage"),
    ("total_funding", "string", "Total funding raised"), ("investors[]", "string", "Investors"),
    ("annual_revenue", "string", "Annual revenue"), ("key_products[]", "string", "Products and services"),
    ("certifications[]", "string", "Certifications held"), ("parent_company", "string", "Parent company"),
    ("registration_number", "string", "Registration number"), ("website", "string", "Website"),
    ("phone", "string", "Telephone number"), ("email", "string", "E-mail address"),
)  # fmt: skip


def answer_freely(reading: Reading) -> Finding:
    """Return the facts found about the entity, their schema, and a basis with nested names."""
    content: dict[str, Any] = {}
    schema = _object()
    basis: list[FieldBasis] = []
    for path, kind, description in _FIELDS:
        parent, _, name = path.removesuffix("[]").rpartition(".")
        shape: dict[str, Any] = {"type": kind, "description": description}
        if path.endswith("[]"):
            shape = {"type": "array", "items": {"type": kind}, "description": description}
        verdict = find_value(
            field_of_schema({**shape, "type": [shape["type"], "null"]}, name, parent), reading
        )
        if not verdict.found:
            continue
        values, inner = content, schema
        if parent:
            values = content.setdefault(parent, {})
            inner = schema["properties"].setdefault(parent, _object())
            schema["required"] = list(schema["properties"])
        values[name] = verdict.value
        inner["properties"][name] = shape
        inner["required"].append(name)
        entry = verdict.basis(f"{parent}.{name}" if parent else name)
        basis += _of_items(entry, verdict.value) if isinstance(verdict.value, list) else [entry]
    names = reading.dossier.names()
    reason = reading.dossier.problem or f"The documents about {names} state no facts of a known kind."
    return Finding("json", content, tuple(basis) or (FieldBasis("output", reason, (), "low"),), schema)


def _object() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _of_items(entry: FieldBasis, items: list[Any]) -> list[FieldBasis]:
    """Return an entry for each list item (key_products.0), cited from the excerpts that contain it."""
    named = []
    for number, item in enumerate(items):
        holding = tuple(one for one in entry.citations if any(str(item) in text for text in one.excerpts))
        citations = holding or entry.citations
        named.append(structs.replace(entry, field=f"{entry.field}.{number}", citations=citations))
    return named
