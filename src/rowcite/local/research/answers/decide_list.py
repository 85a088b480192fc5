"""Decide the items of a list field from its candidates."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz

from rowcite.local.research.answers.decide import Confidence, Verdict, cite, shown
from rowcite.local.research.answers.enum_values import choose
from rowcite.local.research.answers.evidence import Candidate
from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.text.normalise import fold

_LONGEST_ITEM = 60
_ALIKE = 90


def decide_items(target: OutputField, found: list[Candidate]) -> Verdict | None:
    """Return the items of the strongest source, and those that two documents name."""
    usable = [candidate for candidate in found if _items(candidate, target)]
    if not usable:
        return None
    best = usable[0]
    chosen = list(_items(best, target))
    for candidate in usable[1:]:
        for item in _items(candidate, target):
            if not _among(item, chosen) and (
                _confirmed(item, candidate, usable, target)
                or (
                    candidate.direct
                    and candidate.document.path == best.document.path
                    and candidate.fact.directness is best.fact.directness
                )
            ):
                chosen.append(item)
    chosen = chosen[: target.limit] if target.limit else chosen
    backers = [
        candidate for candidate in usable if any(_among(item, chosen) for item in _items(candidate, target))
    ]
    sites = {candidate.document.site or candidate.document.url for candidate in backers}
    reasoning = f"{best.document.host or best.document.path} lists {shown(chosen)}."
    if len(sites) > 1:
        reasoning += f" {len(sites) - 1} other site{'s' if len(sites) > 2 else ''} name some of them."
    return Verdict(chosen, _confidence(best, backers, chosen, target), reasoning, cite(backers))


def _items(candidate: Candidate, target: OutputField) -> tuple[str, ...]:
    """Return a candidate's items as the field takes them: short texts, or members of its enum."""
    raw: Iterable[str] = candidate.value
    if target.item is not None and target.item.kind == "enum":
        return tuple(
            dict.fromkeys(choice for text in raw if (choice := choose(text, target.item.choices)) is not None)
        )
    distinct: list[str] = []
    for item in raw:
        if 1 < len(item) <= _LONGEST_ITEM and len(item.split()) <= 7 and not _among(item, distinct):
            distinct.append(item)
    return tuple(distinct)


def _among(item: str, items: Iterable[str]) -> bool:
    folded = fold(str(item))
    return any(
        folded == fold(str(other)) or fuzz.ratio(folded, fold(str(other))) >= _ALIKE for other in items
    )


def _confirmed(item: str, source: Candidate, everyone: list[Candidate], target: OutputField) -> bool:
    return any(
        other.document.path != source.document.path and other.direct and _among(item, _items(other, target))
        for other in everyone
    )


def _confidence(
    best: Candidate, backers: list[Candidate], chosen: list[str], target: OutputField
) -> Confidence:
    """Return high if every item is in two direct documents, one of them by the entity or a registry."""
    direct = [candidate for candidate in backers if candidate.direct]
    if not direct:
        return "low"
    twice = all(
        len({c.document.path for c in direct if _among(item, _items(c, target))}) > 1 for item in chosen
    )
    if twice and any(candidate.authority for candidate in direct):
        return "high"
    return "medium" if best.direct else "low"
