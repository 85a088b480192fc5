"""Is an answer right, and does a truth stand in a text: one rule for each field type."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from rowcite.local.research.places import country_code

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:\s*(?:million|billion))?")
# Years and percentages are no figures: "in 1976" does not state an elevation of 1976 m.
_FIGURE = re.compile(
    r"(?<![\d,.])(?!(?:1\d|20)\d\d(?!\d|[,.]\d))\d[\d,]*(?:\.\d+)?(?:\s*(?:million|billion))?(?![\d,]*\s?(?:%|per ?cent))"
)
_NEAR = 0.03  # a figure that another year or another rounding gives still counts as right
_BY_CHANCE = 2  # letters or digits
_EMPTY_WORDS = frozenset({"the", "of", "a", "an", "and", "in"})


@dataclass(frozen=True)
class Truth:
    """What counts as right: any of `accepted`; for a list, its items."""

    family: str
    accepted: tuple[str, ...]


def is_right(answer: Any, truth: Truth, *, former: bool = False) -> bool:
    """Tell whether an answer says what the truth does; `former` by the rules before one country's names counted as one."""
    if (
        truth.family == "place"
        and not former
        and any(_one_country(str(answer), text) for text in truth.accepted)
    ):
        return True
    if truth.family in {"integer", "number"}:
        return any(_near(float(answer), number_of(text)) for text in truth.accepted)
    if truth.family in {"year", "date", "enum", "boolean"}:
        return str(answer).lower() in {text.lower() for text in truth.accepted}
    if truth.family == "list":
        return _list_right(answer, truth.accepted)
    return any(_same(str(answer), text, place=truth.family == "place") for text in truth.accepted)


def stands(truth: Truth, text: str, *, former: bool = False) -> bool:
    """Tell whether a text holds the truth in some written form; of a list, at least half of its items.

    What has one or two letters or digits is found in any long text and cannot be shown to stand. `former` tells it by the
    rules before: such values counted, and a list on one line was one item.
    """
    if not former and truth.family not in {"boolean", "enum"}:
        truth = Truth(
            truth.family,
            tuple(text for text in truth.accepted if len(fold(text).replace(" ", "")) > _BY_CHANCE),
        )
    if not truth.accepted:
        return False
    if truth.family == "boolean":
        return bool(re.search(r"\bdied\b|\bdeath\b", text)) if truth.accepted == ("true",) else False
    if truth.family == "enum":
        return any(re.search(rf"\bdriv\w+\b[^.]*\b{word}\b", text, re.IGNORECASE) for word in truth.accepted)
    if truth.family in {"integer", "number"}:
        wanted = [number_of(word) for word in truth.accepted]
        return any(_near(number_of(found), value) for found in _FIGURE.findall(text) for value in wanted)
    if truth.family == "date":
        return any(form in text for date in truth.accepted for form in _written(date))
    words = f" {fold(text)} "
    items = truth.accepted if former or truth.family != "list" else _items(truth.accepted)
    held = [f" {fold(_first(item) if truth.family == 'place' else item)} " in words for item in items]
    return sum(held) * 2 >= len(held) if truth.family == "list" else any(held)


def number_of(text: str) -> float:
    """Read 2,821,977 and 2.8 million."""
    bare = text.replace(",", "")
    scale = 1e6 if "million" in bare else (1e9 if "billion" in bare else 1.0)
    match = re.search(r"\d+(?:\.\d+)?", bare)
    return float(match[0]) * scale if match else float("nan")


def fold(text: str) -> str:
    """Return lower-case words without accents."""
    spread = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in spread if not unicodedata.combining(letter)).casefold()
    return " ".join(re.findall(r"[^\W_]+", bare.replace("'", "").replace("\u2019", "")))


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _NEAR * abs(other)


def _written(date: str) -> tuple[str, ...]:
    year, month, day = date.split("-")
    name = _MONTHS[int(month) - 1]
    return (
        date,
        f"{int(day)} {name} {year}",
        f"{name} {int(day)}, {year}",
        f"{int(day)} {name}, {year}",
        f"{name} {int(day)} {year}",
    )


def _same(answer: str, truth: str, *, place: bool) -> bool:
    """Tell whether two texts mean the same: equal words, one inside the other with little more, or a slip apart."""
    one, other = fold(answer), fold(truth)
    if place:
        one, other = fold(_first(answer)), fold(_first(truth))
    if not one or not other:
        return False
    fewer, more = sorted((one.split(), other.split()), key=len)
    if not place and len(fewer) > 1 and set(fewer) <= set(more):
        return True
    if one == other or fuzz.token_sort_ratio(one, other) >= 88:
        return True
    shorter, longer = sorted((one, other), key=len)
    extra = [word for word in longer.split() if word not in shorter.split() and word not in _EMPTY_WORDS]
    return f" {shorter} " in f" {longer} " and len(extra) <= 3


def _first(place: str) -> str:
    """Return the innermost part of a place: "Ulm, Germany" is Ulm."""
    return place.split(",", maxsplit=1)[0].split("(", maxsplit=1)[0].strip()


def _items(truths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the items of a list; one on a single line is taken apart at its commas."""
    if len(truths) > 1:
        return truths
    return tuple(part for text in truths for part in re.split(r",\s*|\s+and\s+", text) if part)


def _one_country(one: str, other: str) -> bool:
    """Tell whether two texts are names of one country: "U.S." and "United States"."""
    codes = {country_code(_first(one)), country_code(_first(other))}
    return len(codes) == 1 and "" not in codes


def _list_right(answer: list[Any], truths: tuple[str, ...]) -> bool:
    """Take a list of which at least half is true, and that has at least half of the true items or three of them."""
    items = _items(truths)
    matched = [any(_same(str(given), item, place=False) for item in items) for given in answer]
    return sum(matched) * 2 >= len(matched) and (sum(matched) * 2 >= len(items) or sum(matched) >= 3)
