"""Weigh the candidates of a field: the value, its confidence, the reasoning and the citations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
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
# Facts that change within a few years.
_FAST = frozenset({"employees", "revenue", "stage", "ceo", "public", "funding_total"})
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


@dataclass(eq=False)
class Cluster:
    """Candidates that agree; `strength` combines the best statement of each site."""

    value: Any
    members: list[Candidate]
    strength: float = 0.0

    @property
    def sites(self) -> set[str]:
        """The sites that state the value; pages of one site count once."""
        return {member.match.site for member in self.members}

    def is_older(self, other: Cluster) -> bool:
        """Return True if the newest statement is older than the other cluster's."""
        first, second = _newest(self.members), _newest(other.members)
        return bool(first and second) and first[:7] < second[: len(first[:7])]


def decide(target: OutputField, found: list[Candidate], newest: str) -> Verdict | None:
    """Return the verdict on a field with one value; None if there are no candidates. `newest` is the corpus's newest date."""
    if not found:
        return None
    newest = newest if target.concept in _FAST else ""
    winner, *rest = _clusters(target, found, (newest or _newest(found))[:4] if target.changes else "")
    outdated = [cluster for cluster in rest if target.changes and cluster.is_older(winner)]
    against = [cluster for cluster in rest if cluster not in outdated]
    confidence = _confidence(winner, against, changes=target.changes, newest=newest)
    return Verdict(winner.value, confidence, _reason(target, winner, outdated, against), cite(winner.members))


def _newest(found: list[Candidate]) -> str:
    return max((candidate.date for candidate in found), default="")


def _clusters(target: OutputField, found: list[Candidate], latest: str) -> list[Cluster]:
    """Return the candidates in groups that agree, strongest first; each group has its most exact value."""
    clusters: list[Cluster] = []
    for candidate in found:
        home = next((cluster for cluster in clusters if _agree(target, cluster.value, candidate)), None)
        if home is None:
            clusters.append(Cluster(candidate.value, [candidate]))
        else:
            home.members.append(candidate)

    def exactness(member: Candidate) -> tuple[int, float, str]:
        parts = str(member.value).count(",") if target.concept == "hq" else 0
        return parts, member.weight, member.date

    for cluster in clusters:
        cluster.value = max(cluster.members, key=exactness).value
        cluster.strength = _strength(cluster, latest)
    return sorted(clusters, key=lambda cluster: (-cluster.strength, fold(str(cluster.value))))


def _agree(target: OutputField, value: Any, candidate: Candidate) -> bool:
    other = candidate.value
    if isinstance(value, int | float) or target.kind == "enum":
        return bool(value == other)
    first, second = fold(str(value)), fold(str(other))
    if first == second or fuzz.token_sort_ratio(first, second) >= _ALIKE:
        return True
    return target.concept in _NESTED and (has_phrase(first, second) or has_phrase(second, first))


def _strength(cluster: Cluster, latest: str) -> float:
    """Return the combined strength of each site's best statement; old statements of changing facts count less."""
    best: dict[str, float] = {}
    for member in cluster.members:
        year = member.date[:4]
        age = max(0, int(latest) - int(year)) if latest and year.isdigit() else _UNDATED_AGE if latest else 0
        best[member.match.site] = max(
            best.get(member.match.site, 0.0), member.weight * max(0.3, 1 - 0.2 * age)
        )
    return 1 - math.prod(1 - min(weight, 0.97) for weight in best.values())


def _confidence(winner: Cluster, against: list[Cluster], *, changes: bool, newest: str) -> Confidence:
    """Return low for what one indirect, old or contradicted source states, high for what several confirm."""
    opposition = max((cluster.strength for cluster in against), default=0.0)
    agreeing = len(winner.sites)
    direct = [member for member in winner.members if member.direct]
    authority = any(member.authority for member in direct)
    year = _newest(winner.members)[:4]
    undated = newest and not year and not authority  # a page of another site about a changing fact
    stale = changes and newest and year.isdigit() and int(newest[:4]) - int(year) >= _STALE_YEARS
    if agreeing < 2 and (not direct or stale or undated):
        return "low"
    if opposition >= 0.8 * winner.strength or (changes and any(winner.is_older(one) for one in against)):
        return "low"
    settled = opposition < 0.35 and direct and not stale
    confirmed = authority and (agreeing > 1 or len({member.match.document.path for member in direct}) > 1)
    return "high" if settled and (confirmed or agreeing > 2) else "medium"


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
    dates = (
        (one.match.document.origin, one.fact.as_of or one.match.document.date) for one in cluster.members
    )
    names = list(dict.fromkeys(f"{origin} ({date})" if date else origin for origin, date in dates))
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{', '.join(names[:4])}{more} {'states' if len(names) == 1 else 'state'} {shown(cluster.value)}"


def shown(value: Any) -> str:
    """Return a value as shown in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else f'"{value}"'


def cite(members: list[Candidate]) -> tuple[Citation, ...]:
    """Return one citation for each of the strongest five documents, with the excerpts in order of strength."""
    found = (
        Citation(one.match.document.url, one.match.document.title or None, (one.fact.excerpt,))
        for one in members
    )
    return merge_citations(found)[:5]


def merge_citations(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """Return one citation for each document, with excerpts joined in order."""
    merged: dict[str, Citation] = {}
    for citation in citations:
        known = merged.get(citation.url)
        excerpts = (*(known.excerpts if known else ()), *citation.excerpts)
        title = known.title if known else citation.title
        merged[citation.url] = Citation(citation.url, title, tuple(dict.fromkeys(excerpts)))
    return tuple(merged.values())


def decide_items(target: OutputField, found: list[Candidate]) -> Verdict | None:
    """Return the verdict on a list: the items of the strongest document, or of its strongest list if it is not direct."""
    listed = [(candidate, items) for candidate in found if (items := _items(candidate, target))]
    if not listed:
        return None
    best, chosen = listed[0][0], list(listed[0][1])
    for candidate, items in listed[1:]:
        if candidate.direct and candidate.match.document.path == best.match.document.path:
            chosen += [item for item in items if not _among(item, chosen)]
    chosen = chosen[: target.limit]
    backers = [(one, items) for one, items in listed if any(_among(item, chosen) for item in items)]
    others = len({candidate.match.site for candidate, _ in backers}) - 1
    reasoning = f"{best.match.document.origin} lists {shown(chosen)}."
    if others:
        reasoning += f" {plural(others, 'other site')} named some of them."
    confidence: Confidence = "medium" if best.direct else "low"
    return Verdict(chosen, confidence, reasoning, cite([one for one, _ in backers]))


def _items(candidate: Candidate, target: OutputField) -> list[Any]:
    """Return a candidate's items as the field takes them: short texts, or members of its enum."""
    if target.item is not None and target.item.kind == "enum":
        members = dict.fromkeys(choose(text, target.item.choices) for text in candidate.value)
        return [member for member in members if member is not None]
    distinct: list[str] = []
    for item in candidate.value:
        if 1 < len(item) <= _LONGEST_ITEM and len(item.split()) <= 7 and not _among(item, distinct):
            distinct.append(item)
    return distinct


def _among(item: str, items: Iterable[str]) -> bool:
    folded = fold(str(item))
    return any(fuzz.ratio(folded, fold(str(other))) >= _ALIKE_ITEMS for other in items)
