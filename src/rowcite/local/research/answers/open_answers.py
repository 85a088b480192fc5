"""Answer without a schema: in one short text, or in an object whose properties are the kinds of fact that the documents state."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from rowcite.local.research.answers.decide import Confidence, Verdict
from rowcite.local.research.answers.json_answer import Reading, find_value
from rowcite.local.research.answers.schema_fields import OutputField, field_of_schema
from rowcite.local.research.documents.document import Directness, Fact, Sentence
from rowcite.local.research.documents.labels import BY_NAME, concept_of_field
from rowcite.local.research.question import Finding
from rowcite.local.research.subject.attribution import match_fact
from rowcite.local.research.subject.entity import DocumentMatch
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.model import Citation, FieldBasis

NOT_FOUND = "Not found in the documents."
_ENOUGH = 0.7  # share of the description's words that a sentence must contain
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


def answer(description: str, reading: Reading) -> tuple[str, FieldBasis]:
    """Return the answer and its basis, field "output"."""
    target = _target_of_description(description)
    verdict = find_value(target, reading)
    if not verdict.found and not target.concept:
        verdict = _passage(description, reading) or verdict
    return _plain(verdict.value) if verdict.found else NOT_FOUND, verdict.basis("output")


def _target_of_description(description: str) -> OutputField:
    """Return the field that a description means: "The founding year" is a year, "Its main products" a list."""
    words = fold(description)
    concept = concept_of_field("", words)
    kind, item = "string", None
    if concept == "employees" or (concept == "founded" and "date" not in words):
        kind = "integer"
    elif concept == "public":
        kind = "boolean"
    elif concept and BY_NAME[concept].many:
        kind, item = "array", OutputField("output", words, "", "string", nullable=False)
    return OutputField("output", words, description, kind, nullable=True, concept=concept, item=item)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _passage(description: str, reading: Reading) -> Verdict | None:
    """Return the sentence about the entity with the most of the description's words, if it has enough of them."""
    names = reading.dossier.entity_names
    requested = set(content_words(description)) - set(content_words(" ".join(names.names)))
    best: tuple[float, Sentence, DocumentMatch] | None = None
    for match in reading.matches if requested else ():
        for sentence in match.document.sentences:
            share = len(requested & set(content_words(sentence.text))) / len(requested)
            if share < _ENOUGH or (best and share <= best[0]):
                continue
            text, heading = sentence.text, sentence.heading
            fact = Fact(
                "", "", text, Directness.SENTENCE, lead="", tail=text, heading=heading, block=sentence.block
            )
            if match_fact(fact, match.role, names):
                best = share, sentence, match
    return None if best is None else _verdict_of(*best)


def _verdict_of(share: float, sentence: Sentence, match: DocumentMatch) -> Verdict:
    confidence: Confidence = "medium" if share == 1 and match.role.own else "low"
    reasoning = f"{match.document.origin} has a sentence that answers in its own words; no other source was found to confirm it."
    citation = Citation(match.document.url, match.document.title or None, (sentence.text,))
    return Verdict(sentence.text, confidence, reasoning, (citation,))


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
