"""What a language model says held against what it quotes: is a value of its field's type, and do the quotes state it?"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rowcite.research.document import Document, Fact, How
from rowcite.research.numbers import NUMBER, money_in, number_in
from rowcite.research.places import country_code, country_in
from rowcite.research.splitting import split_sentences
from rowcite.research.text import content_words, fold, has_phrase
from rowcite.research.values import read_value
from rowcite.research.wants import Want, emptiest, is_neutral
from rowcite.research.when import date_in

_FEW, _SHARE = 4, 0.6  # so many words must all stand in the quotes; of more, this share
_LONGEST = 50_000  # characters: no report is longer
_BIGGEST = 2**53  # what JSON readers hold exactly
_TOKEN = re.compile(rf"(?<![\w.,]){NUMBER}", re.IGNORECASE)
_RANGE_AFTER, _RANGE_BEFORE = (
    re.compile(r"\s*(?:[-\u2013\u2014]|to\b)\s*\d"),
    re.compile(r"\d\s*(?:[-\u2013\u2014]|to)\s*$"),
)
_SCALED = re.compile(r"\b(?:thousands?|millions?|billions?|mio|bn)\b")
_NEGATIVE = re.compile(r"\b(?:loss|minus|negative|below)\b|[-\u2212]\s?\d", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)|<[^<>]*>|https?://\S+")
_MARK_AFTER = re.compile(r"([.!?])[ \t]*(\[\d+\](?:[ \t]*\[\d+\])*)")  # belongs to the sentence before it
_HEADINGS = frozenset(
    content_words(
        "overview summary report history background products services people leadership funding finances customers sources conclusion"
    )
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A quote that stands in its document."""

    text: str
    document: Document

    @property
    def site(self) -> str:
        """Whose word it is: pages of one site count once."""
        return self.document.site or self.document.url


@dataclass(frozen=True, slots=True)
class Support:
    """A value as far as quotes hold it: how many sites state all of it, and whether parts were left out.

    No site: the quotes only bear it out, as they do a yes or no, a choice, or a text in other words.
    """

    value: Any
    sites: int
    cut: bool = False


def typed(value: Any, want: Want) -> Any:
    """Return a value in the type of its field, parts of another type left out; None when it is of another type."""
    if want.kind == "enum":
        return next((one for one in want.choices if type(one) is type(value) and one == value), None)
    if want.kind == "array":
        return _typed_items(value, want) if isinstance(value, list) else None
    if want.kind == "object":
        parts = (
            {one.name: typed(value.get(one.name), one) for one in want.fields}
            if isinstance(value, dict)
            else {}
        )
        return parts if any(part is not None for part in parts.values()) else None
    if want.kind == "boolean":
        return value if isinstance(value, bool) else None
    if want.kind == "string":
        return (value.strip() or None) if isinstance(value, str) and len(value) <= _LONGEST else None
    return _typed_number(value, whole=want.kind == "integer")


def emptied(want: Want, value: Any = None) -> Any:
    """Return a value with the emptiest one of its type where nothing was found."""
    if want.kind == "object" and isinstance(value, dict):
        return {one.name: emptied(one, value.get(one.name)) for one in want.fields}
    return emptiest(want) if value is None else value


def support(value: Any, want: Want, quotes: Sequence[Shown]) -> Support | None:
    """Return what the quotes hold of a value of the field's type; None for nothing."""
    if value is None or not quotes:
        return None
    if want.kind == "array":
        return _supported_items(value, want, quotes)
    if want.kind == "object":
        return _supported_parts(value, want, quotes)
    sites = {quote.site for quote in quotes if states(quote.text, value, want)}
    if sites:
        return Support(value, len(sites))
    return Support(value, 0) if _borne_out(value, want, quotes) else None


def states(quote: str, value: Any, want: Want) -> bool:
    """Tell whether a quote says a value outright, in its own way of writing it."""
    if isinstance(value, bool) or want.kind == "enum":
        read = read_value(Fact(want.words, quote, quote, How.SENTENCE), want)
        literal = isinstance(value, str) and not is_neutral(value) and _has(quote, value)
        return literal or (read is not None and read.value == value)
    if isinstance(value, int | float):
        return _has_number(quote, value, want)
    return _has(quote, value) or _has_date(quote, value) or _has_country(quote, value)


def supported_text(text: str, quotes: Sequence[Shown], urls: Sequence[str]) -> Support | None:
    """Return a text without the sentences that the quotes do not hold; [1] becomes a link to the first of `urls`, or nothing."""
    kept, cut, sentences = [], False, 0
    bare = _LINK.sub(lambda match: match[1] or "", text)
    for line in _MARK_AFTER.sub(r" \2\1", bare).splitlines():
        if re.match(r"\s*#", line):
            whole = [line] if _is_heading(line, quotes) else []
        else:
            whole = [one for one in split_sentences(line) if _held(one, quotes)]
            sentences += len(whole)
        cut = cut or len(" ".join(whole)) < len(line.strip())
        if whole or not line.strip():
            kept.append(" ".join(whole))
    if not sentences:
        return None
    sites = len({quote.site for quote in quotes})
    return Support(_linked("\n".join(kept).strip(), urls), 1 if sites > 1 else 0, cut)


def _typed_items(value: list[Any], want: Want) -> list[Any] | None:
    item = want.item or Want(want.name, want.words, "", "string", nullable=False)
    items = [one for one in (typed(each, item) for each in value) if one is not None]
    return (items[: want.limit] if want.limit else items) or None


def _typed_number(value: Any, *, whole: bool) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or abs(value) > _BIGGEST or (whole and value != int(value)):
        return None
    return int(value) if whole else value


def _supported_items(value: list[Any], want: Want, quotes: Sequence[Shown]) -> Support | None:
    item = want.item or Want(want.name, want.words, "", "string", nullable=False)
    found = [one for one in (support(each, item, quotes) for each in value) if one is not None]
    if not found:
        return None
    cut = len(found) < len(value) or any(one.cut for one in found)
    return Support([one.value for one in found], min(one.sites for one in found), cut)


def _supported_parts(value: dict[str, Any], want: Want, quotes: Sequence[Shown]) -> Support | None:
    found = {one.name: support(value.get(one.name), one, quotes) for one in want.fields}
    there = {name: part for name, part in found.items() if part is not None}
    if not there:
        return None
    cut = any(part.cut for part in there.values()) or any(
        value.get(name) is not None for name in found if name not in there
    )
    content = emptied(want, {name: part.value for name, part in there.items()})
    return Support(content, min(part.sites for part in there.values()), cut)


def _borne_out(value: Any, want: Want, quotes: Sequence[Shown]) -> bool:
    """Tell whether quotes may well mean a value they do not state: a choice, or a text made of their words."""
    if isinstance(value, bool) or want.kind == "enum":
        return not is_neutral(value)
    return isinstance(value, str) and _held(value, quotes)


def _held(text: str, quotes: Sequence[Shown]) -> bool:
    """Tell whether a text is made of the quotes' words; each of its figures has to stand there."""
    text = re.sub(r"\[\d+\]", "", text)
    joined = " ".join(quote.text for quote in quotes)
    words, there = set(content_words(text)), set(content_words(joined))
    figures = set(re.findall(r"\d+", text)) <= set(re.findall(r"\d+", joined))
    share = len(words & there) / len(words) if words else 0.0
    return figures and share >= (1 if len(words) < _FEW else _SHARE)


def _is_heading(line: str, quotes: Sequence[Shown]) -> bool:
    words = set(content_words(line))
    return bool(words) and words <= _HEADINGS.union(*(content_words(quote.text) for quote in quotes))


def _linked(text: str, urls: Sequence[str]) -> str:
    def link(match: re.Match[str]) -> str:
        number = int(match[1]) if len(match[1]) < 5 else 0
        url = urls[number - 1] if 0 < number <= len(urls) else ""
        return f"[{number}]({url})" if url else ""

    return re.sub(r"\[(\d+)\]", link, text)


def _has(quote: str, value: str) -> bool:
    bare = re.sub(r"^https?://(?:www\.)?", "", value)
    folded = fold(bare)
    return has_phrase(fold(quote), folded) if folded else value in quote


def _has_number(quote: str, value: float, want: Want) -> bool:
    wanted = {abs(value)}
    if _SCALED.search(f"{want.words} {fold(want.description)}"):
        wanted |= {abs(value) * scale for scale in (1e3, 1e6, 1e9)}
    if "%" in quote:
        wanted.add(abs(value) * 100)
    if value < 0 and not _NEGATIVE.search(quote):
        return False
    return any(math.isclose(one, other, rel_tol=1e-9) for one in _figures(quote) for other in wanted)


def _figures(quote: str) -> set[float]:
    """Return the numbers of a quote, with their thousands and millions; the ends of a range are none, years are."""
    found: set[float] = set()
    for match in _TOKEN.finditer(quote):
        amounts = {
            read.value
            for read in (number_in(match[0]), money_in(quote[match.start() : match.end() + 12]))
            if read
        }
        in_range = _RANGE_AFTER.match(quote, match.end()) or _RANGE_BEFORE.search(quote[: match.start()])
        found |= {amount for amount in amounts if not in_range or 1500 <= amount < 2100}
    return found


def _has_date(quote: str, value: str) -> bool:
    """Tell whether a date as YYYY, YYYY-MM or YYYY-MM-DD stands in a quote, however it is written there."""
    if not re.fullmatch(r"\d{4}(?:-\d\d){0,2}", value):
        return False
    starts = (match.start() for match in re.finditer(r"\b\w", quote))
    return any(date_in(quote[at : at + 40]).startswith(value) for at in starts)


def _has_country(quote: str, value: str) -> bool:
    code = country_code(value)
    return bool(code) and any(
        country_code(piece) == code or country_code(country_in(piece)) == code
        for piece in re.split(r"[,.;()]|\b(?:in|of|from)\b", quote)
    )
