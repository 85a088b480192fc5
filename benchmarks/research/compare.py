"""Compare an answer with the truth: one rule for each type of field."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from rowcite.local.research.text.figures import date_in
from rowcite.local.research.text.places import country_code

_CLOSE = 0.03  # a rounded figure, or last year's, counts as right
_SIMILAR = 88  # token_sort_ratio at which two texts count as the same
_EMPTY_WORDS = frozenset({"the", "of", "a", "an", "and", "in"})


@dataclass(frozen=True)
class Truth:
    """The accepted answers of a field: any one of them; of a list, its items."""

    family: str  # integer, year, enum, boolean, place, list or text
    accepted: tuple[str, ...]


def is_right(answer: Any, truth: Truth) -> bool:
    """Return True if an answer agrees with the truth."""
    if truth.family == "integer":
        return any(_is_close(float(answer), float(text)) for text in truth.accepted)
    if truth.family in {"year", "enum", "boolean"}:
        return str(answer).lower() in {text.lower() for text in truth.accepted}
    if truth.family == "date":
        return any(date_in(str(answer)).startswith(text) for text in truth.accepted)
    if truth.family == "list":
        return _is_right_list(answer, truth.accepted)
    if truth.family == "place":
        return any(_same_place(str(answer), text) for text in truth.accepted)
    return any(_same_text(str(answer), text) for text in truth.accepted)


def fold(text: str) -> str:
    """Return lower-case words without accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    return " ".join(re.findall(r"[^\W_]+", letters.replace("'", "").replace("\u2019", "")))


def _is_close(one: float, other: float) -> bool:
    return abs(one - other) <= _CLOSE * abs(other)


def _same_place(answer: str, truth: str) -> bool:
    """Return True if the innermost parts of two places agree: "Ulm, Germany" and "Ulm"."""
    first, second = _innermost(answer), _innermost(truth)
    codes = {country_code(first), country_code(second)}
    return (len(codes) == 1 and "" not in codes) or _similar(fold(first), fold(second))


def _same_text(answer: str, truth: str) -> bool:
    """Return True if two texts have the same words, allowing a misspelling or a few more words in one of them."""
    one, other = fold(answer), fold(truth)
    fewer, more = sorted((one.split(), other.split()), key=len)
    if len(fewer) > 1 and set(fewer) <= set(more):
        return True
    return _similar(one, other)


def _similar(one: str, other: str) -> bool:
    if not one or not other:
        return False
    if one == other or fuzz.token_sort_ratio(one, other) >= _SIMILAR:
        return True
    shorter, longer = sorted((one, other), key=len)
    extra = [word for word in longer.split() if word not in shorter.split() and word not in _EMPTY_WORDS]
    return f" {shorter} " in f" {longer} " and len(extra) <= 3


def _innermost(role: str) -> str:
    return role.split(",", maxsplit=1)[0].split("(", maxsplit=1)[0].strip()


def _is_right_list(answer: list[Any], items: tuple[str, ...]) -> bool:
    """Return True if half of the answer is true, and it has half of the true items or three of them."""
    matched = sum(any(_same_text(str(given), item) for item in items) for given in answer)
    return matched * 2 >= len(answer) and (matched * 2 >= len(items) or matched >= 3)
