"""Match a text with the members of an enum: by words, by range, by rank ("Series B+")."""

from __future__ import annotations

import re
from typing import Any

from rowcite.local.research.answers.schema_fields import means_unknown
from rowcite.local.research.text.normalise import fold
from rowcite.local.research.text.numbers import NUMBER, number_in, range_in

_PLUS = re.compile(
    r"^(?P<base>.*?)\s*(?:\+|(?:and|or) (?:above|later|more|beyond|higher|up))$", re.IGNORECASE
)
_UNDER = re.compile(rf"^(?:<|under|less than|fewer than|below|up to)\s*(?P<n>{NUMBER})", re.IGNORECASE)
_SAME = (
    frozenset({"public", "publicly traded", "listed", "ipo", "publicly listed", "quoted", "stock exchange"}),
    frozenset(
        {
            "bootstrapped",
            "self funded",
            "self financed",
            "no outside funding",
            "unfunded",
            "no external funding",
            "none",
            "no funding",
        }
    ),
    frozenset({"active", "live", "registered", "in good standing", "trading", "operating"}),
    frozenset({"dissolved", "closed", "struck off", "liquidated", "inactive", "deregistered"}),
    frozenset(
        {"private", "privately held", "privately owned", "family owned", "employee owned", "private company"}
    ),
    frozenset({"pre seed", "preseed"}),
)


def choose(text: str, choices: tuple[Any, ...]) -> Any:
    """Return the one member that matches a text; None if none or several match."""
    named = [choice for choice in choices if choice is not None and not means_unknown(choice)]
    folded = fold(text)
    exact = [choice for choice in named if fold(str(choice)) == folded]
    if exact:
        return exact[0]
    for members in (
        _by_rank(folded, named),
        _by_number(text, named),
        _by_meaning(folded, named),
        _by_words(text, named),
    ):
        if members:
            return members[0] if len(members) == 1 else None
    return None


def _by_rank(folded: str, named: list[Any]) -> list[Any]:
    """Match "Series C" with "Series B+": a member with a plus includes all higher ranks."""
    ranked = re.search(r"\bseries ([a-k])\b", folded)
    found = []
    for choice in named:
        plus = _PLUS.match(str(choice))
        base = re.search(r"\bseries ([a-k])\b", fold(plus["base"])) if plus else None
        if ranked and base and ranked[1] >= base[1]:
            found.append(choice)
    return found


def _by_number(text: str, named: list[Any]) -> list[Any]:
    """Match 240 with "201-500", "200+" or "<500"; a range must lie within the member's."""
    stated = range_in(text)
    amount = number_in(text)
    return [choice for choice in named if _holds(str(choice), stated, amount.value if amount else None)]


def _holds(choice: str, stated: tuple[float, float] | None, value: float | None) -> bool:
    bounds = range_in(choice)
    if bounds and stated:
        return bounds[0] <= stated[0] and stated[1] <= bounds[1]
    if value is None:
        return False
    if bounds:
        return bounds[0] <= value <= bounds[1]
    plus = _PLUS.match(choice)
    found = plus or _UNDER.match(choice)
    limit = number_in(found[0].rstrip("+")) if found else None
    if limit is None or not re.search(r"\d", choice):
        return False
    return value >= limit.value if plus else value < limit.value


def _by_meaning(folded: str, named: list[Any]) -> list[Any]:
    groups = [group for group in _SAME if any(f" {word} " in f" {folded} " for word in group)]
    return [choice for choice in named if any(fold(str(choice)) in group for group in groups)]


def _by_words(text: str, named: list[Any]) -> list[Any]:
    """Match members that occur in the text as whole words; "seed" does not occur in "pre-seed"."""
    even = re.sub(r"[^\w-]+", " ", text.casefold().replace("&", " and "))
    found = [
        choice for choice in named if re.search(rf"(?<![\w-]){re.escape(fold(str(choice)))}(?![\w-])", even)
    ]
    longest = [
        choice
        for choice in found
        if not any(fold(str(choice)) != fold(str(o)) and fold(str(choice)) in fold(str(o)) for o in found)
    ]
    folded = fold(text)
    return longest or [
        choice for choice in named if len(folded) > 3 and f" {folded} " in f" {fold(str(choice))} "
    ]
