"""Collect the candidates for a field: values with the fact, the document and their weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.answers.values import Value, read_items, read_value
from rowcite.local.research.documents.document import Directness, Document, Fact
from rowcite.local.research.documents.labels import similarity
from rowcite.local.research.subject.attribution import match_fact, row_contradicts
from rowcite.local.research.subject.entity import DocumentMatch, Dossier

_REGISTRY = re.compile(
    r"\.gov(?:\.|$)|regist(?:er|ry|re)|companieshouse|handelsregister|chamber|bolagsverket|brreg|\bsec\b|gazette\.gov",
    re.IGNORECASE,
)
_TRUST = {"own site": 1.0, "address": 0.85, "place": 0.8, "name": 0.7}
_REGISTRY_TRUST = 0.95
# Concepts whose facts also count for another, with their weight there.
_NEIGHBOURS: dict[str, dict[str, float]] = {
    "founded": {"incorporated": 0.6},
    "city": {"hq": 1.0},
    "country": {"hq": 1.0},
    "hq": {"city": 0.9},
    "public": {"stage": 0.9, "ticker": 1.0},
    "stage": {"public": 0.9, "ticker": 0.9},
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
    about: bool = False

    @property
    def document(self) -> Document:
        """The document that states it."""
        return self.match.document

    @property
    def site(self) -> str:
        """The site that states it; pages of one site count once."""
        return self.document.site or self.document.url

    @property
    def date(self) -> str:
        """The date of the statement, else of its document, else an empty string."""
        return self.fact.as_of or self.document.date or ""

    @property
    def authority(self) -> bool:
        """Whether the entity itself or a registry states it."""
        return self.match.role.own or bool(_REGISTRY.search(self.document.host))


def candidates(target: OutputField, dossier: Dossier, matches: tuple[DocumentMatch, ...]) -> list[Candidate]:
    """Return the candidates for a field in the documents read, strongest first."""
    found = []
    for match in matches:
        registry = bool(_REGISTRY.search(match.document.host)) and not match.role.own
        trust = _REGISTRY_TRUST if registry else 1.0 if match.role.own else _TRUST[match.matched_by]
        for fact, fit in _relevant(target, match.document):
            directness = match_fact(fact, match.document, match.role, dossier.entity_names)
            if directness is None or row_contradicts(fact, dossier.entity.sites, dossier.places):
                continue
            items = read_items(fact) if target.kind == "array" else ()
            value = (Value(items) if items else None) if target.kind == "array" else read_value(fact, target)
            if value is not None:
                weight = directness.value / 100 * trust * fit * (0.9 if value.about else 1)
                direct = directness is not Directness.PASSING and fit > 0.8
                found.append(Candidate(value.value, fact, match, weight, direct, value.about))
    return sorted(found, key=lambda one: (-one.weight, one.document.path, one.fact.block))


def _relevant(target: OutputField, document: Document) -> Iterator[tuple[Fact, float]]:
    """Yield the facts that a field may mean, with how well they match it: by kind of fact, or by label."""
    kinds = _NEIGHBOURS.get(target.concept, {}) | ({target.concept: 1.0} if target.concept else {})
    phrases = target.phrases
    for fact in document.facts:
        fit = kinds.get(fact.concept, 0.0)
        if fact.lead is None and fit < 1:
            same = fact.label == target.words
            by_label = (
                1.0
                if same
                else max((similarity(one, fact.label, fact.heading) for one in phrases), default=0.0)
            )
            fit = max(fit, by_label if by_label >= _LEAST else 0.0)
        if fit:
            yield fact, fit
