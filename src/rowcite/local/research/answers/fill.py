"""Answer from evidence: the fields of a JSON schema, of one description or of the kinds that are known, or a report of quoted sentences.

A field without evidence is empty, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from rowcite.local.research.answers.decide import LEVELS, Verdict, decide, decide_items, merge_citations
from rowcite.local.research.answers.evidence import candidates
from rowcite.local.research.answers.schema_fields import OutputField, empty_value, field_of_schema
from rowcite.local.research.documents.document import Document
from rowcite.local.research.documents.labels import BY_NAME, concept_of_field
from rowcite.local.research.documents.phrases import OTHERS_HEADING, sentences_of
from rowcite.local.research.question import Finding
from rowcite.local.research.search import rank
from rowcite.local.research.store.library import Library
from rowcite.local.research.subject.entity import DocumentMatch, DocumentRole, Dossier, Entity, entity_of
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.model import Citation, FieldBasis
from rowcite.wording import plural

NOT_FOUND = "Not found in the documents."
_KNOWN_FIELDS = (  # of an auto answer: a list ends with [], a part follows its object and a dot
    ("industry", "Main industry"), ("employee_count", "Latest head count"), ("founded_year", "Year of foundation"),
    ("headquarters.city", "City"), ("headquarters.country", "Country"), ("chief_executive", "Who leads the company"),
    ("founders[]", "Who founded it"), ("funding_stage", "Latest funding stage"), ("total_funding", "Total funding raised"),
    ("investors[]", "Investors"), ("annual_revenue", "Annual revenue"), ("key_products[]", "Products and services"),
    ("certifications[]", "Certifications held"), ("parent_company", "Parent company"), ("website", "Website"),
    ("registration_number", "Registration number"), ("phone", "Telephone number"), ("email", "E-mail address"),
)  # fmt: skip
_WHOLE_NUMBERS = frozenset({"employee_count", "founded_year"})


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
    year = concept == "founded" and "date" not in words
    kind = "integer" if concept == "employees" or year else "boolean" if concept == "public" else "string"
    if concept and BY_NAME[concept].many:
        kind = "array"
    target = OutputField("output", words, description, kind, nullable=True, concept=concept)
    verdict = find_value(target, reading)
    value = verdict.value if verdict.found else NOT_FOUND
    if isinstance(value, bool):
        value = "Yes" if value else "No"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return Finding("text", text, (verdict.basis("output"),))


def fill_freely(reading: Reading) -> Finding:
    """Return the facts of known kinds, their schema, and a basis with nested names (headquarters.city)."""
    content: dict[str, Any] = {}
    shapes: dict[str, Any] = {}
    basis: list[FieldBasis] = []
    for stated, description in _KNOWN_FIELDS:
        path = stated.removesuffix("[]")
        parent, _, name = path.rpartition(".")
        kind = {"type": "integer" if name in _WHOLE_NUMBERS else "string"}
        shape = {**(kind if path == stated else {"type": "array", "items": kind}), "description": description}
        verdict = find_value(field_of_schema(shape, name, parent), reading)
        if verdict.found:
            values, inner = ((one.setdefault(parent, {}) if parent else one) for one in (content, shapes))
            values[name], inner[name] = verdict.value, shape
            basis.append(verdict.basis(path))
    nothing = FieldBasis("output", _reason_for_nothing(reading, "a fact of a known kind"), (), "low")
    return Finding("json", content, tuple(basis) or (nothing,), _object_schema(shapes))


def _object_schema(shapes: dict[str, Any]) -> dict[str, Any]:
    properties = {name: one if "type" in one else _object_schema(one) for name, one in shapes.items()}
    return {"type": "object", "properties": properties, "required": [*shapes], "additionalProperties": False}


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
    """Return the empty value with the reason."""
    empty, reason = empty_value(target), _reason_for_nothing(reading, target.words or target.name)
    return Verdict(empty, "low", with_placeholder_note(reason, empty), (), found=False)


def _reason_for_nothing(reading: Reading, words: str) -> str:
    """Return why a value is missing: none of the documents read states it, or there are none."""
    read = f"{plural(len(reading.matches), 'document')} about {reading.dossier.entity.given}"
    missing = f"Not found: none of {read} states this: {words}."
    return missing if reading.matches else reading.dossier.problem


def _object(target: OutputField, reading: Reading) -> Verdict | None:
    """Return the verdict on an object; None unless a part is found."""
    parts = {one.name: find_value(one, reading) for one in target.fields}
    found = {name: verdict for name, verdict in parts.items() if verdict.found}
    if not found:
        return None
    lowest = min((verdict.confidence for verdict in found.values()), key=LEVELS.index)
    reasons = [f"{name}: {verdict.reasoning}" for name, verdict in found.items()]
    if missing := [name for name in parts if name not in found]:
        reasons.append(f"Not found: {', '.join(missing)}.")
    content = {name: verdict.value for name, verdict in parts.items()}
    citations = merge_citations(one for verdict in found.values() for one in verdict.citations)
    return Verdict(content, lowest, " ".join(reasons), citations)


_PAGES, _PER_PAGE, _SHORTEST, _LONGEST = 6, 6, 40, 400
_PLACES = 0.5  # weight of the input's places beside its topic

Quoted = tuple[Document, list[str]]
"""A document and sentences of it."""


def report(given: str | dict[str, Any], reading: Reading) -> Finding:
    """Return a report on the entity, or on the topic if no document read names an entity of the input."""
    entity = Entity(given=given) if isinstance(given, str) else entity_of(given)
    topic = entity.given
    about = ((one.document, one.role is DocumentRole.OWN) for one in reading.matches)
    found = _quoted(about, reading.dossier.entity.mentions)
    if not found:
        stems = set(content_words(topic))
        texts = {topic: 1.0, " ".join([*entity.places, *entity.countries]): _PLACES}
        pages = [reading.library[number] for number in rank(texts, reading.library)[:_PAGES]]
        titled = [(page, _share(stems, page.title) >= 0.5) for page in pages]
        found = _quoted(titled, lambda text: _share(stems, text) == 1)
    if not found:
        reason = reading.dossier.problem or f"No document mentions {topic}."
        return Finding("text", f"# {topic}\n\n{NOT_FOUND}\n", (FieldBasis("output", reason, (), "low"),))
    count, sites = sum(len(texts) for _, texts in found), len({one.site for one, _ in found})
    quoted = f"{plural(count, 'sentence')} from {plural(len(found), 'document')} on {plural(sites, 'site')}"
    citations = merge_citations(Citation(one.url, one.title or None, tuple(texts)) for one, texts in found)
    level = "high" if sites > 2 else "medium"
    basis = FieldBasis("output", f"Made of {quoted}, quoted literally.", citations, level)
    return Finding("text", _markdown(topic, found), (basis,))


def _share(stems: set[str], text: str) -> float:
    """Return the share of the stems that a text contains, 0..1."""
    return len(stems.intersection(content_words(text))) / len(stems) if stems else 0.0


def _quoted(pages: Iterable[tuple[Document, bool]], usable: Callable[[str], object]) -> list[Quoted]:
    """Return the first sentences of each page, or its first usable ones, without those of the pages before."""
    found, known = list[Quoted](), list[str]()
    for page, whole in pages:
        texts = [text for text in _sentences(page) if whole or usable(text)]
        fresh = [text for text in texts if not any(fuzz.ratio(fold(text), one) >= 90 for one in known)]
        if fresh:
            found.append((page, fresh[:_PER_PAGE]))
            known += map(fold, fresh[:_PER_PAGE])
    return found


def _sentences(page: Document) -> Iterator[str]:
    """Yield the full sentences that are neither headings nor teasers."""
    blocks = (block for block in page.blocks if not OTHERS_HEADING.search(block.heading))
    for text in (text for block in blocks for text in sentences_of(block)):
        if text[-1] in '.!?”"' and _SHORTEST <= len(text) <= _LONGEST:
            yield text


def _markdown(topic: str, found: list[Quoted]) -> str:
    """Return the report as markdown, with a section for each document."""
    lines, sources = [f"# {topic}", ""], ["## Sources", ""]
    for number, (document, texts) in enumerate(found, 1):
        label = (document.title or document.url).replace("[", "(").replace("]", ")")
        link = f"[{label}]({document.url})"
        date = f" ({document.date})" if document.date else ""
        lines += [f"## {label}{date}", "", *(f"- {text} {link}" for text in texts), ""]
        sources.append(f"{number}. {link}")
    return "\n".join([*lines, *sources, ""])
