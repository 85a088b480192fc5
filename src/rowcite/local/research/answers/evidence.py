"""Collect the candidates for a field: values with the fact, the document and their weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.answers.values import read_items, read_value
from rowcite.local.research.documents.document import Directness, Document, Fact
from rowcite.local.research.documents.labels import similarity
from rowcite.local.research.subject.attribution import match_fact, row_contradicts
from rowcite.local.research.subject.entity import DocumentMatch, Dossier

_REGISTRY = re.compile(
    r"\.gov(?:\.|$)|regist(?:er|ry|re)|companieshouse|handelsregister|chamber|bolagsverket|brreg|\bsec\b|gazette\.gov",
    re.IGNORECASE,
)
# Concepts whose facts also count for another, with their weight there.
_NEIGHBOURS: dict[str, tuple[tuple[str, float], ...]] = {
    "founded": (("incorporated", 0.6),),
    "city": (("hq", 1.0),),
    "country": (("hq", 1.0),),
    "hq": (("city", 0.9),),
    "public": (("stage", 0.9), ("ticker", 1.0)),
    "stage": (("public", 0.9), ("ticker", 0.9)),
}
_LEAST = 0.7  # of a label's similarity to a field


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
    """Yield the facts that a field may mean, with how well they match it: by kind of fact, or by label."""
    neighbours = dict(_NEIGHBOURS.get(target.concept, ()))
    phrases = target.phrases
    for fact in document.facts:
        by_kind = (
            1.0 if target.concept and fact.concept == target.concept else neighbours.get(fact.concept, 0.0)
        )
        by_label = 1.0 if fact.lead is None and fact.label == target.words else 0.0
        by_label = (
            by_label or max((similarity(one, fact.label, fact.heading) for one in phrases), default=0.0)
            if fact.lead is None
            else 0.0
        )
        if by_kind or by_label >= _LEAST:
            yield fact, max(by_kind, by_label)


def label_matches(label: str, target: OutputField) -> bool:
    """Return True if a document's label names the field."""
    return any(similarity(phrase, label) >= _LEAST for phrase in target.phrases)
