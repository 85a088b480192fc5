"""Weigh the candidates of a field: the value, its confidence, the reasoning and the citations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from rapidfuzz import fuzz

from rowcite.local.research.answers.evidence import Candidate, choose
from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.text.normalise import fold, has_phrase
from rowcite.model import Citation, FieldBasis
from rowcite.wording import plural

Confidence = Literal["high", "medium", "low"]
LEVELS: tuple[Confidence, ...] = ("low", "medium", "high")
_ALIKE, _ALIKE_ITEMS = 88, 90  # rapidfuzz ratios from which two texts are equal
_LONGEST_ITEM = 60
_STALE_YEARS = 2
_UNDATED_AGE = 1.5
_NESTED = frozenset({"hq", "city", "ceo"})  # "Lleida" and "Lleida, Spain" agree


@dataclass(frozen=True)
class Verdict:
    """The decision about a field; `found` is False for a field without a value."""

    value: Any
    confidence: Confidence
    reasoning: str
    citations: tuple[Citation, ...] = ()
    found: bool = True

    def basis(self, name: str) -> FieldBasis:
        """Return the verdict as the basis of a field."""
        return FieldBasis(name, self.reasoning, self.citations, self.confidence)


@dataclass(frozen=True)
class Cluster:
    """Candidates that agree, strongest first; `strength` combines the best statement of each site."""

    value: Any
    members: list[Candidate]
    strength: float

    @property
    def newest(self) -> str:
        """The date of the newest statement, or an empty string."""
        return max(member.date for member in self.members)

    def is_older(self, other: Cluster) -> bool:
        """Return True if the newest statement is older than the other cluster's."""
        return bool(self.newest and other.newest) and self.newest[:7] < other.newest[: len(self.newest[:7])]


def decide(target: OutputField, found: list[Candidate], newest: str) -> Verdict | None:
    """Return the verdict on a field with one value; None if there are no candidates. `newest` is the corpus's newest date."""
    if not found:
        return None
    year = newest[:4] if target.changes else ""
    winner, *rest = _clusters(target, found, year)
    outdated = [cluster for cluster in rest if target.changes and cluster.is_older(winner)]
    against = [cluster for cluster in rest if cluster not in outdated]
    reasoning = _reason(target, winner, outdated, against)
    return Verdict(winner.value, _confidence(winner, against, year), reasoning, cite(winner.members))


def _clusters(target: OutputField, found: list[Candidate], year: str) -> list[Cluster]:
    """Return the candidates in groups that agree, strongest first; each group has its most exact value."""
    groups: list[list[Candidate]] = []
    for candidate in found:
        home = next((group for group in groups if _agree(target, group[0].value, candidate.value)), None)
        if home is None:
            groups.append([candidate])
        else:
            home.append(candidate)
    clusters = [Cluster(_most_exact(target, group), group, _strength(group, year)) for group in groups]
    return sorted(clusters, key=lambda cluster: (-cluster.strength, fold(str(cluster.value))))


def _most_exact(target: OutputField, members: list[Candidate]) -> Any:
    """Return the value of the strongest statement, of a place of the one with the most parts."""
    values = [member.value for member in members]
    return max(values, key=lambda value: str(value).count(",")) if target.concept == "hq" else values[0]


def _agree(target: OutputField, value: Any, other: Any) -> bool:
    if isinstance(value, int | float) or target.kind == "enum":
        return bool(value == other)
    first, second = fold(str(value)), fold(str(other))
    nested = target.concept in _NESTED and (has_phrase(first, second) or has_phrase(second, first))
    return nested or fuzz.token_sort_ratio(first, second) >= _ALIKE


def _strength(members: list[Candidate], year: str) -> float:
    """Return the combined strength of each site's best statement; statements older than a year of a changing fact count less."""
    best: dict[str, float] = {}
    for member in members:
        age = float(year or 0) - float(member.date[:4]) if member.date else _UNDATED_AGE
        weight = member.weight * max(0.3, 1 - 0.2 * max(0, age if year else 0))
        best[member.match.document.site] = max(best.get(member.match.document.site, 0.0), weight)
    return 1 - math.prod(1 - min(weight, 0.97) for weight in best.values())


def _confidence(winner: Cluster, against: list[Cluster], year: str) -> Confidence:
    """Return low for what one indirect, old or contradicted source states, high for what several confirm.

    `year` is the newest one of a fact that changes, else empty.
    """
    opposition = max((cluster.strength for cluster in against), default=0.0)
    sites = {member.match.document.site for member in winner.members}  # pages of one site count once
    direct = [member for member in winner.members if member.direct]
    authority = any(member.authority for member in direct)
    undated = year and not winner.newest and not authority  # a page of another site
    stale = year and winner.newest and int(year) - int(winner.newest[:4]) >= _STALE_YEARS
    contradicted = opposition >= 0.8 * winner.strength or (year and any(map(winner.is_older, against)))
    if contradicted or (len(sites) < 2 and (not direct or stale or undated)):
        return "low"
    confirmed = authority and (len(sites) > 1 or len({member.match.document.path for member in direct}) > 1)
    settled = opposition < 0.35 and direct and not stale
    return "high" if settled and (confirmed or len(sites) > 2) else "medium"


def _reason(target: OutputField, winner: Cluster, outdated: list[Cluster], against: list[Cluster]) -> str:
    """Return the sources of a value, the label if it is not the field's name, and the statements that differ."""
    fact = winner.members[0].fact
    of_kind = fact.lead is not None or (target.concept and fact.concept == target.concept)
    older, others = ("; ".join(map(_statement, group[:3])) for group in (outdated, against))
    sentences = (
        (not of_kind and fact.label != target.words, f'Found under the label "{fact.label}".'),
        (True, f"{_statement(winner)}."),
        (older, f"Older statements differ: {older}; the newer one was preferred."),
        (others, f"Not in agreement: {others}; the stronger evidence was preferred."),
    )
    return " ".join(text for applies, text in sentences if applies)


def _statement(cluster: Cluster) -> str:
    """Return who states a value: 'a.example (2024), b.example state "Hull"'."""
    stated = ((one.match.document, one.fact.as_of or one.match.document.date) for one in cluster.members)
    names = list(dict.fromkeys(f"{one.origin} ({date})" if date else one.origin for one, date in stated))
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{', '.join(names[:4])}{more} {'states' if len(names) == 1 else 'state'} {_shown(cluster.value)}"


def _shown(value: Any) -> str:
    """Return a value as shown in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else f'"{value}"'


def cite(members: Iterable[Candidate]) -> tuple[Citation, ...]:
    """Return one citation for each of the strongest five documents, with the excerpts in order of strength."""
    return merge_citations(one.match.citation(one.fact.excerpt) for one in members)[:5]


def merge_citations(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """Return one citation for each document, with excerpts joined in order."""
    merged: dict[str, Citation] = {}
    for one in citations:
        known = merged.get(one.url, one)
        excerpts = tuple(dict.fromkeys((*known.excerpts, *one.excerpts)))
        merged[one.url] = Citation(one.url, known.title, excerpts)
    return tuple(merged.values())


def decide_items(target: OutputField, found: list[Candidate]) -> Verdict | None:
    """Return the verdict on a list: the items of the strongest document, or of its strongest list if it is not direct."""
    listed = [(candidate, items) for candidate in found if (items := _items(candidate, target))]
    if not listed:
        return None
    best, document = listed[0][0], listed[0][0].match.document
    same = [items for one, items in listed if one is best or (one.direct and one.match.document is document)]
    chosen: list[Any] = []
    for item in chain.from_iterable(same):
        if not _among(item, chosen):
            chosen.append(item)
    chosen = chosen[: target.limit]
    backers = [one for one, items in listed if any(_among(item, chosen) for item in items)]
    others = len({backer.match.document.site for backer in backers}) - 1
    named = f" {plural(others, 'other site')} named some of them." if others else ""
    reasoning = f"{document.origin} lists {_shown(chosen)}.{named}"
    return Verdict(chosen, "medium" if best.direct else "low", reasoning, cite(backers))


def _items(candidate: Candidate, target: OutputField) -> list[Any]:
    """Return a candidate's items as the field takes them: short texts, or members of its enum."""
    if target.item is not None and target.item.kind == "enum":
        members = (choose(text, target.item.choices) for text in candidate.value)
        return [member for member in members if member is not None]
    return [one for one in candidate.value if 1 < len(one) <= _LONGEST_ITEM and len(one.split()) <= 7]


def _among(item: str, items: Iterable[str]) -> bool:
    folded = fold(str(item))
    return any(fuzz.ratio(folded, fold(str(other))) >= _ALIKE_ITEMS for other in items)
