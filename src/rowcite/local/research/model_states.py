"""What a quote states: is a value there, in the quote's own way of writing it, and where."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from rowcite.local.research.document import Fact, How
from rowcite.local.research.numbers import NUMBER, money_in, number_in
from rowcite.local.research.places import country_code, country_in
from rowcite.local.research.text import fold, has_phrase, plain
from rowcite.local.research.values import read_value
from rowcite.local.research.wants import Want, is_neutral
from rowcite.local.research.when import date_in

_TOKEN = re.compile(rf"(?<![\w.,]){NUMBER}", re.IGNORECASE)
_RANGE_AFTER, _RANGE_BEFORE = (
    re.compile(r"\s*(?:[-\u2013\u2014]|to\b)\s*\d"),
    re.compile(r"\d\s*(?:[-\u2013\u2014]|to)\s*$"),
)
_SCALED = re.compile(r"\b(?:thousands?|millions?|billions?|mio|bn)\b")
_NEGATIVE = re.compile(r"\b(?:loss|minus|negative|below)\b|[-\u2212]\s?\d", re.IGNORECASE)


def states(quote: str, value: Any, want: Want) -> bool:
    """Tell whether a quote says a value outright, in its own way of writing it."""
    if isinstance(value, bool) or want.kind == "enum":
        read = read_value(Fact(want.words, quote, quote, How.SENTENCE), want)
        literal = isinstance(value, str) and not is_neutral(value) and _has(quote, value)
        return literal or (read is not None and read.value == value)
    if isinstance(value, int | float):
        return _has_number(quote, value, want)
    return _has(quote, value) or _has_date(quote, value) or _country_at(quote, value) is not None


def located(quote: str, value: Any, want: Want) -> int | None:
    """Return where a quote that states a value does so; None when its words do not show it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        wanted = _wanted(quote, value, want)
        hits = (at for at, amounts in _figures_at(quote) if _meets(amounts, wanted))
        return next(hits, None)
    words = r"[\W_]+".join(re.escape(word) for word in re.findall(r"[^\W_]+", plain(str(value))))
    if words and (match := re.search(rf"(?<!\w){words}(?!\w)", plain(quote), re.IGNORECASE)):
        return match.start()
    dates = (
        match.start()
        for match in re.finditer(r"\b\w", quote)
        if _is_date_at(quote, match.start(), str(value))
    )
    return next(dates, _country_at(quote, str(value)))


def _has(quote: str, value: str) -> bool:
    bare = re.sub(r"^https?://(?:www\.)?", "", value)
    folded = fold(bare)
    return has_phrase(fold(quote), folded) if folded else value in quote


def _has_number(quote: str, value: float, want: Want) -> bool:
    if value < 0 and not _NEGATIVE.search(quote):
        return False
    wanted = _wanted(quote, value, want)
    return any(_meets(amounts, wanted) for _, amounts in _figures_at(quote))


def _wanted(quote: str, value: float, want: Want) -> set[float]:
    """Return the figures that may stand for a value: it may be asked for in millions, or stand there in per cent."""
    wanted = {abs(value)}
    if _SCALED.search(f"{want.words} {fold(want.description)}"):
        wanted |= {abs(value) * scale for scale in (1e3, 1e6, 1e9)}
    if "%" in quote:
        wanted.add(abs(value) * 100)
    return wanted


def _meets(amounts: set[float], wanted: set[float]) -> bool:
    return any(math.isclose(one, other, rel_tol=1e-9) for one in amounts for other in wanted)


def _figures_at(quote: str) -> Iterator[tuple[int, set[float]]]:
    """Yield the numbers of a quote, with their thousands and millions; the ends of a range are none, years are."""
    for match in _TOKEN.finditer(quote):
        amounts = {
            read.value
            for read in (number_in(match[0]), money_in(quote[match.start() : match.end() + 12]))
            if read
        }
        in_range = _RANGE_AFTER.match(quote, match.end()) or _RANGE_BEFORE.search(quote[: match.start()])
        yield match.start(), {amount for amount in amounts if not in_range or 1500 <= amount < 2100}


def _has_date(quote: str, value: str) -> bool:
    """Tell whether a date as YYYY, YYYY-MM or YYYY-MM-DD stands in a quote, however it is written there."""
    return any(_is_date_at(quote, match.start(), value) for match in re.finditer(r"\b\w", quote))


def _is_date_at(quote: str, at: int, value: str) -> bool:
    return re.fullmatch(r"\d{4}(?:-\d\d){0,2}", value) is not None and date_in(
        quote[at : at + 40]
    ).startswith(value)


def _country_at(quote: str, value: str) -> int | None:
    """Return where a quote names a country, in any of its names."""
    code = country_code(value)
    if not code:
        return None
    for match in re.finditer(r"(?:(?!\b(?:in|of|from)\b)[^,.;()])+", quote):
        piece = match[0]
        if country_code(piece) == code or country_code(country_in(piece)) == code:
            return match.start() + len(piece) - len(piece.lstrip())
    return None
