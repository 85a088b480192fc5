"""Collect the candidates for a field: values with the fact, the document and their weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.answers.values import read_items, read_value
from rowcite.local.research.documents.document import Directness, Document, Fact
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.subject.subject_match import match_fact, row_contradicts
from rowcite.local.research.text.normalise import content_words

_REGISTRY = re.compile(
    r"\.gov(?:\.|$)|regist(?:er|ry|re)|companieshouse|handelsregister|chamber|bolagsverket|brreg|\bsec\b|gazette\.gov",
    re.IGNORECASE,
)
# Concepts whose facts also count for another, with their weight there.
_NEIGHBOURS = {
    "founded": (("incorporated", 0.6),),
    "city": (("hq", 1.0),),
    "country": (("hq", 1.0),),
    "hq": (("city", 0.9),),
    "public": (("stage", 0.9), ("ticker", 1.0)),
    "stage": (("public", 0.9), ("ticker", 0.9)),
    "funding_total": (),
}


@dataclass(frozen=True)
class Candidate:
    """A value with its evidence: `weight` 0..1 combines directness and trust, `date` is the statement's."""

    value: Any
    fact: Fact
    match: DocumentMatch
    weight: float
    direct: bool
    date: str
    about: bool = False

    @property
    def document(self) -> Document:
        """The document that states it."""
        return self.match.document

    @property
    def authority(self) -> bool:
        """Whether the entity itself or a registry states it."""
        return self.match.role.own or is_registry(self.document)


def candidates(target: OutputField, dossier: Dossier, matches: tuple[DocumentMatch, ...]) -> list[Candidate]:
    """Return the candidates for a field in the documents read, strongest first."""
    found = []
    for fact, match, directness, discount in facts_for(target, dossier, matches):
        value = read_items(fact) if target.kind == "array" else read_value(fact, target)
        if value is None or value == ():
            continue
        about = getattr(value, "about", False)
        content = value if isinstance(value, tuple) else value.value
        weight = directness.value / 100 * trust(match) * discount * (0.9 if about else 1)
        found.append(
            Candidate(
                content,
                fact,
                match,
                weight,
                directness is not Directness.PASSING and discount > 0.8,
                fact.as_of or match.document.date or "",
                about,
            )
        )
    return sorted(found, key=lambda c: (-c.weight, c.document.path, c.fact.block))


def facts_for(
    target: OutputField, dossier: Dossier, matches: tuple[DocumentMatch, ...]
) -> Iterator[tuple[Fact, DocumentMatch, Directness, float]]:
    """Yield the facts about the entity that match the field, with their directness and discount."""
    for match in matches:
        for fact, discount in _relevant(target, match.document):
            directness = match_fact(fact, match.document, match.role, dossier.entity_names)
            if directness is not None and not row_contradicts(fact, dossier.entity.sites, dossier.places):
                yield fact, match, directness, discount


def trust(match: DocumentMatch) -> float:
    """Return the trust in a document: most in the own site and registries, least in a page tied by name alone."""
    if match.role.own:
        return 1.0
    if is_registry(match.document):
        return 0.95
    return {"address": 0.85, "place": 0.8}.get(match.matched_by, 0.7)


def is_registry(document: Document) -> bool:
    """Return True if a document is from a register or a government."""
    return bool(_REGISTRY.search(document.host))


def _relevant(target: OutputField, document: Document) -> Iterator[tuple[Fact, float]]:
    if not target.concept:
        for fact in document.facts:
            if fact.lead is None and label_matches(fact.label, target):
                yield fact, 1.0
        return
    for fact in document.by_concept.get(target.concept, ()):
        yield fact, 1.0
    for neighbour, discount in _NEIGHBOURS.get(target.concept, ()):
        for fact in document.by_concept.get(neighbour, ()):
            yield fact, discount


def label_matches(label: str, target: OutputField) -> bool:
    """Return True if a document's label names the field: the same words in any order and ending."""
    requested, stated = set(content_words(target.words)), set(content_words(label))
    if not requested or not stated:
        return False
    if requested == stated:
        return True
    if len(requested & stated) >= 2 and (requested <= stated or stated <= requested):
        return True
    return fuzz.token_sort_ratio(label, target.words) >= 90
