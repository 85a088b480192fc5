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
_RANK = re.compile(r"\bseries ([a-k])\b")
_SAME = [frozenset(group.split("|")) for group in (
    "public|publicly traded|listed|ipo|publicly listed|quoted|stock exchange",
    "bootstrapped|self funded|self financed|no outside funding|unfunded|no external funding|none|no funding",
    "active|live|registered|in good standing|trading|operating", "dissolved|closed|struck off|liquidated|inactive|deregistered",
    "private|privately held|privately owned|family owned|employee owned|private company", "pre seed|preseed",
)]  # fmt: skip


def choose(text: str, choices: tuple[Any, ...]) -> Any:
    """Return the one member that matches a text; None if none or several match."""
    named = [choice for choice in choices if choice is not None and not means_unknown(choice)]
    folded = fold(text)
    exact = [choice for choice in named if fold(str(choice)) == folded]
    if exact:
        return exact[0]
    by_rank = [choice for choice in named if _ranks_in(folded, str(choice))]
    members = by_rank or _by_number(text, named) or _by_meaning(folded, named) or _by_words(text, named)
    return members[0] if len(members) == 1 else None


def _ranks_in(folded: str, choice: str) -> bool:
    """Return True for "Series C" and "Series B+": a member with a plus includes all higher ranks."""
    plus, ranked = _PLUS.match(choice), _RANK.search(folded)
    base = _RANK.search(fold(plus["base"])) if plus else None
    return bool(ranked and base and ranked[1] >= base[1])


def _by_number(text: str, named: list[Any]) -> list[Any]:
    """Match 240 with "201-500", "200+" or "<500"; a range must lie within the member's."""
    stated, amount = range_in(text), number_in(text)
    low, high = stated or ((amount.value, amount.value) if amount else (None, None))
    if low is None or high is None:
        return []
    return [choice for choice in named if _holds(str(choice), low, high, ranged=stated is not None)]


def _holds(choice: str, low: float, high: float, *, ranged: bool) -> bool:
    if bounds := range_in(choice):
        return bounds[0] <= low and high <= bounds[1]
    plus = _PLUS.match(choice)
    found = plus or _UNDER.match(choice)
    limit = number_in(found[0].rstrip("+")) if found and re.search(r"\d", choice) else None
    if limit is None or ranged:
        return False
    return low >= limit.value if plus else high < limit.value


def _by_meaning(folded: str, named: list[Any]) -> list[Any]:
    groups = [group for group in _SAME if any(f" {word} " in f" {folded} " for word in group)]
    return [choice for choice in named if any(fold(str(choice)) in group for group in groups)]


def _by_words(text: str, named: list[Any]) -> list[Any]:
    """Match members that occur in the text as whole words, else members with the text; "seed" does not occur in "pre-seed"."""
    even = re.sub(r"[^\w-]+", " ", text.casefold().replace("&", " and "))
    words = [(choice, fold(str(choice))) for choice in named]
    found = [pair for pair in words if re.search(rf"(?<![\w-]){re.escape(pair[1])}(?![\w-])", even)]
    longest = [
        choice for choice, one in found if not any(one != other and one in other for _, other in found)
    ]
    folded = fold(text)
    return longest or [choice for choice, one in words if len(folded) > 3 and f" {folded} " in f" {one} "]
