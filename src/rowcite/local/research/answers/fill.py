"""Fill fields from evidence: those of a JSON schema, of one description, or the kinds of fact that the documents state.

A field without evidence is empty, with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from rowcite.local.research.answers.decide import RANKS, Verdict, decide, decide_items, merge_citations
from rowcite.local.research.answers.evidence import candidates
from rowcite.local.research.answers.schema_fields import OutputField, empty_value, field_of_schema
from rowcite.local.research.documents.labels import BY_NAME, concept_of_field
from rowcite.local.research.question import Finding
from rowcite.local.research.store.library import Library
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.text.normalise import fold
from rowcite.model import FieldBasis
from rowcite.wording import plural

NOT_FOUND = "Not found in the documents."
_KNOWN_FIELDS = (  # of an auto answer: a list ends with [], a part follows its object and a dot
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


@dataclass(frozen=True)
class Reading:
    """The documents read for a question, the corpus's newest date, and all documents that may be read."""

    dossier: Dossier
    matches: tuple[DocumentMatch, ...]
    newest: str
    library: Library


def fill_object(target: OutputField, reading: Reading) -> Finding:
    """Return the object that a schema describes, with a basis for each of its top-level fields."""
    verdicts = {one.name: find_value(one, reading) for one in target.fields}
    content = {name: verdict.value for name, verdict in verdicts.items()}
    return Finding("json", content, tuple(verdict.basis(name) for name, verdict in verdicts.items()))


def fill_text(description: str, reading: Reading) -> Finding:
    """Return the short text that a description asks for: "The founding year" is a year, "Its main products" a list."""
    words = fold(description)
    concept = concept_of_field("", words)
    kind, item = "string", None
    if concept == "employees" or (concept == "founded" and "date" not in words):
        kind = "integer"
    elif concept == "public":
        kind = "boolean"
    elif concept and BY_NAME[concept].many:
        kind, item = "array", OutputField("output", words, "", "string", nullable=False)
    target = OutputField("output", words, description, kind, nullable=True, concept=concept, item=item)
    verdict = find_value(target, reading)
    text = {True: "Yes", False: "No"}.get(verdict.value) if kind == "boolean" else None
    listed = ", ".join(verdict.value) if isinstance(verdict.value, list) else str(verdict.value)
    return Finding("text", (text or listed) if verdict.found else NOT_FOUND, (verdict.basis("output"),))


def fill_freely(reading: Reading) -> Finding:
    """Return the facts of known kinds, their schema, and a basis with nested names: of parts and of list items."""
    content: dict[str, Any] = {}
    schema = _object_schema()
    basis: list[FieldBasis] = []
    for path, kind, description in _KNOWN_FIELDS:
        *parents, name = path.removesuffix("[]").split(".")
        shape: dict[str, Any] = {"type": kind, "description": description}
        if path.endswith("[]"):
            shape = {"type": "array", "items": {"type": kind}, "description": description}
        nullable = {**shape, "type": [shape["type"], "null"]}
        verdict = find_value(field_of_schema(nullable, name, " ".join(parents)), reading)
        if not verdict.found:
            continue
        values, inner = content, schema
        for parent in parents:
            schema["required"] = list(dict.fromkeys([*schema["required"], parent]))
            values, inner = (
                values.setdefault(parent, {}),
                inner["properties"].setdefault(parent, _object_schema()),
            )
        values[name], inner["properties"][name] = verdict.value, shape
        inner["required"].append(name)
        basis += _with_items(verdict.basis(path.removesuffix("[]")), verdict.value)
    names = reading.dossier.names()
    reason = reading.dossier.problem or f"The documents about {names} state no facts of a known kind."
    return Finding("json", content, tuple(basis) or (FieldBasis("output", reason, (), "low"),), schema)


def _object_schema() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _with_items(entry: FieldBasis, value: Any) -> list[FieldBasis]:
    """Return the entry, or one for each item of a list (key_products.0), cited from the excerpts that contain it."""
    if not isinstance(value, list):
        return [entry]
    named = []
    for number, item in enumerate(value):
        holding = tuple(one for one in entry.citations if any(str(item) in text for text in one.excerpts))
        citations = holding or entry.citations
        named.append(structs.replace(entry, field=f"{entry.field}.{number}", citations=citations))
    return named


def find_value(target: OutputField, reading: Reading) -> Verdict:
    """Return the verdict on a field; without evidence it is null or the type's empty value, with the reason."""
    if target.kind == "object":
        return _object(target, reading) or _not_found(target, reading)
    found = candidates(target, reading.dossier, reading.matches)
    if target.kind != "array":
        return decide(target, found, reading.newest) or _not_found(target, reading)
    simple = target.item is None or target.item.kind in {"string", "enum"}
    return (decide_items(target, found) if simple else None) or _not_found(target, reading)


def with_placeholder_note(reason: str, empty: Any) -> str:
    """Return the reason for an empty value, with a note if the schema forbids null."""
    note = "" if empty is None else " The schema forbids null, so the value is only a placeholder."
    return f"{reason}{note}"


def _not_found(target: OutputField, reading: Reading) -> Verdict:
    """Return the empty value with the reason: no document names the entity, or none states the field."""
    dossier, count = reading.dossier, len(reading.matches)
    reason = dossier.problem or f"No document that may be used mentions {dossier.names()}."
    if count:
        what = re.sub(r"^(?:the|its|their|an?) ", "", target.words or target.name)
        was = "was" if count == 1 else "were"
        reason = f"Not found: {plural(count, 'document')} about {dossier.names()} {was} read and none states this: {what}."
    empty = empty_value(target)
    return Verdict(empty, "low", with_placeholder_note(reason, empty), (), found=False)


def _object(target: OutputField, reading: Reading) -> Verdict | None:
    """Return the verdict on an object; None unless a part is found."""
    parts = {one.name: find_value(one, reading) for one in target.fields}
    found = {name: verdict for name, verdict in parts.items() if verdict.found}
    if not found:
        return None
    lowest = min((verdict.confidence for verdict in found.values()), key=lambda level: RANKS[level])
    reasons = [f"{name}: {verdict.reasoning}" for name, verdict in found.items()]
    if missing := [name for name in parts if name not in found]:
        reasons.append(f"Not found: {', '.join(missing)}.")
    content = {name: verdict.value for name, verdict in parts.items()}
    citations = merge_citations(one for verdict in found.values() for one in verdict.citations)
    return Verdict(content, lowest, " ".join(reasons), citations)
