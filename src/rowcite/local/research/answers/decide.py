"""Decide the value of a field from its candidates: the value, its confidence and the reasoning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rapidfuzz import fuzz

from rowcite.local.research.answers.evidence import Candidate
from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.text.normalise import fold
from rowcite.model import Citation

Confidence = Literal["high", "medium", "low"]
RANKS: dict[str, int] = {"low": 0, "medium": 1, "high": 2}
_NEAR = 0.06  # "about 1,200" and 1,187 agree
_ALIKE = 88  # rapidfuzz ratio from which two texts are equal
_STALE_YEARS = 2
_UNDATED_AGE = 1.5
# Facts that change within a few years.
_FAST = frozenset({"employees", "revenue", "stage", "ceo", "public", "funding_total", "round_amount"})


@dataclass(frozen=True)
class Verdict:
    """The decision about a field; `found` is False for a field without a value."""

    value: Any
    confidence: Confidence
    reasoning: str
    citations: tuple[Citation, ...] = ()
    found: bool = True


@dataclass
class Cluster:
    """Candidates that agree; `strength` combines one statement from each site."""

    value: Any
    members: list[Candidate]
    strength: float = 0.0

    @property
    def sites(self) -> set[str]:
        """The sites that state the value; pages of one site count once."""
        return {member.document.site or member.document.url for member in self.members}

    @property
    def newest(self) -> str:
        """The newest date of a statement, empty if none has a date."""
        return max((member.date for member in self.members), default="")

    @property
    def direct(self) -> bool:
        """Whether at least one statement is direct."""
        return any(member.direct for member in self.members)


def decide(target: OutputField, found: list[Candidate], newest: str) -> Verdict | None:
    """Return the verdict on a field with one value; None if there are no candidates. `newest` is the corpus's newest date."""
    if not found:
        return None
    changes = target.changes
    found, replaced = _split_by_change(target, found)
    newest = newest if target.concept in _FAST else ""
    clusters = _clusters(target, found)
    latest = max(candidate.date for candidate in found)[:4]
    for cluster in clusters:
        cluster.strength = _strength(cluster, (newest or latest)[:4] if changes else "")
    clusters.sort(key=lambda cluster: (-cluster.strength, fold(str(cluster.value))))
    winner, rest = clusters[0], clusters[1:]
    outdated = [cluster for cluster in rest if changes and _is_older(cluster, winner)] + _clusters(
        target, replaced
    )
    against = [cluster for cluster in rest if not any(cluster is old for old in outdated)]
    confidence = _confidence(winner, against, changes=changes, newest=newest)
    reason = _label_note(target, winner) + _reason(winner, outdated, against)
    return Verdict(winner.value, confidence, reason, cite(winner.members))


def _split_by_change(target: OutputField, found: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Return the candidates still valid, and those outdated by a stated change ("is now in Hull")."""
    changes_stated = [candidate for candidate in found if candidate.fact.change and candidate.direct]
    if not changes_stated:
        return found, []
    last = max(changes_stated, key=lambda candidate: candidate.date)
    overtaken = [c for c in found if not _agree(target, last.value, c) and _is_overtaken(c, last)]
    return [candidate for candidate in found if candidate not in overtaken], overtaken


def _is_overtaken(candidate: Candidate, change: Candidate) -> bool:
    """Return True if a statement is older than a stated change, or on the same undated page."""
    if candidate.document.path == change.document.path and not change.fact.as_of:
        return True
    return candidate.date[:7] <= change.date[: len(candidate.date[:7])]


def _clusters(target: OutputField, found: list[Candidate]) -> list[Cluster]:
    clusters: list[Cluster] = []
    for candidate in found:
        home = next((cluster for cluster in clusters if _agree(target, cluster.value, candidate)), None)
        if home is None:
            clusters.append(Cluster(candidate.value, [candidate]))
        else:
            home.members.append(candidate)
    for cluster in clusters:
        cluster.value = max(
            cluster.members,
            key=lambda member: (
                not member.about,
                _detail(target, member.value),
                member.weight,
                member.date,
            ),
        ).value
    return clusters


def _detail(target: OutputField, value: Any) -> int:
    """Return the number of parts of a headquarters: "Lleida, Spain" is preferred to "Lleida"."""
    return str(value).count(",") if target.concept == "hq" else 0


def _agree(target: OutputField, value: Any, candidate: Candidate) -> bool:
    other = candidate.value
    if isinstance(value, bool) or isinstance(other, bool) or target.kind == "enum":
        return bool(value == other)
    if isinstance(value, int | float) and isinstance(other, int | float):
        close = candidate.about and abs(value - other) <= _NEAR * max(abs(value), abs(other))
        return value == other or close
    return _same_text(str(value), str(other), target)


def _same_text(one: str, other: str, target: OutputField) -> bool:
    first, second = fold(one), fold(other)
    if first == second or fuzz.token_sort_ratio(first, second) >= _ALIKE:
        return True
    if target.concept in {"hq", "city", "ceo", "parent"}:
        return f" {first} " in f" {second} " or f" {second} " in f" {first} "
    return (
        len(first) == 4 and second.startswith(first)
        if target.concept in {"founded", "incorporated"}
        else False
    )


def _strength(cluster: Cluster, latest: str) -> float:
    """Return the combined strength of each site's best statement; old statements of changing facts count less."""
    best: dict[str, float] = {}
    for member in cluster.members:
        site = member.document.site or member.document.url
        age = (
            max(0, int(latest) - int(member.date[:4]))
            if latest and member.date[:4].isdigit()
            else (_UNDATED_AGE if latest else 0)
        )
        best[site] = max(best.get(site, 0.0), member.weight * max(0.3, 1 - 0.2 * age))
    doubt = 1.0
    for weight in best.values():
        doubt *= 1 - min(weight, 0.97)
    return 1 - doubt


def _is_older(cluster: Cluster, winner: Cluster) -> bool:
    """Return True if a cluster's newest statement is older than the winner's."""
    return (
        bool(cluster.newest and winner.newest)
        and cluster.newest[:7] < winner.newest[: len(cluster.newest[:7])]
    )


def _confidence(winner: Cluster, against: list[Cluster], *, changes: bool, newest: str) -> Confidence:
    opposition = max((cluster.strength for cluster in against), default=0.0)
    agreeing = len(winner.sites)
    authority = any(member.authority and member.direct for member in winner.members)
    stale = changes and _is_stale(winner, newest)
    if (not winner.direct or stale) and agreeing < 2:
        return "low"
    if opposition >= 0.8 * winner.strength or (
        changes and any(_is_older(winner, cluster) for cluster in against)
    ):
        return "low"
    if newest and agreeing == 1 and not authority and not winner.newest:
        return "low"  # an undated page of another site about a changing fact
    documents = {member.document.path for member in winner.members if member.direct}
    settled = opposition < 0.35 and winner.direct and not stale
    if settled and ((agreeing > 1 and authority) or agreeing > 2 or (authority and len(documents) > 1)):
        return "high"
    return "medium"


def _is_stale(winner: Cluster, newest: str) -> bool:
    year, latest = winner.newest[:4], newest[:4]
    return year.isdigit() and latest.isdigit() and int(latest) - int(year) >= _STALE_YEARS


def _reason(winner: Cluster, outdated: list[Cluster], against: list[Cluster]) -> str:
    sentences = [f"{_sources(winner)} {_verb(winner)} {shown(winner.value)}."]
    if outdated:
        sentences.append(
            f"Older statements differ: {_listed_clusters(outdated)}; the newer one was preferred."
        )
    if against:
        why = "more sources agree on it" if len(winner.sites) > max(len(cluster.sites) for cluster in against) else (
            "the organisation itself or a register states it" if any(m.authority for m in winner.members) else "its statement is more direct")  # fmt: skip
        sentences.append(
            f"Not in agreement: {_listed_clusters(against)}; {shown(winner.value)} was preferred because {why}."
        )
    if all(member.about for member in winner.members):
        sentences.append("The figure is given as an approximation.")
    return " ".join(sentences)


def _label_note(target: OutputField, winner: Cluster) -> str:
    """Return a sentence that names the label, if a value was found by a label other than the field's name."""
    fact = winner.members[0].fact
    if (
        fact.lead is not None
        or fact.label == target.words
        or (target.concept and fact.concept == target.concept)
    ):
        return ""
    return f'Found under the label "{fact.label}". '


def _verb(cluster: Cluster) -> str:
    return "states" if len({member.document.url for member in cluster.members}) == 1 else "state"


def _listed_clusters(clusters: list[Cluster]) -> str:
    return "; ".join(
        f"{_sources(cluster)} {_verb(cluster)} {shown(cluster.value)}" for cluster in clusters[:3]
    )


def _sources(cluster: Cluster) -> str:
    names = []
    for member in cluster.members:
        date = member.fact.as_of or member.document.date or ""
        names.append(f"{member.document.host or member.document.path}{f' ({date})' if date else ''}")
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - 4} more" if len(distinct) > 4 else ""
    return (
        f"{', '.join(distinct[:4])}{more}"
        if more or len(distinct) < 2
        else f"{', '.join(distinct[:-1])} and {distinct[-1]}"
    )


def shown(value: Any) -> str:
    """Return a value as shown in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f'"{value}"' if isinstance(value, str) else str(value)


def cite(members: list[Candidate]) -> tuple[Citation, ...]:
    """Return one citation for each document, at most five, with excerpts in order of strength."""
    excerpts: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for member in members:
        found = excerpts.setdefault(member.document.url, [])
        titles.setdefault(member.document.url, member.document.title)
        if member.fact.excerpt not in found and len(found) < 2:
            found.append(member.fact.excerpt)
    return tuple(
        Citation(url, titles[url] or None, tuple(words)) for url, words in list(excerpts.items())[:5]
    )
