"""Check a language model's value: does it have the field's type, and do its quotes support it?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.answers.schema_fields import OutputField, empty_value, means_unknown
from rowcite.local.research.documents.document import Document
from rowcite.local.research.language_model.quotes import Attribution, QuoteChecker, states
from rowcite.local.research.text.normalise import content_words, split_sentences

_FEW, _SHARE = 4, 0.6  # up to 4 words must all be in the quotes; of more, this share
_LONGEST = 50_000  # characters of the longest text
_BIGGEST = 2**53  # the largest integer that every JSON reader keeps exact
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)|<[^<>]*>|https?://\S+")
_MARK_AFTER = re.compile(r"([.!?])[ \t]*(\[\d+\](?:[ \t]*\[\d+\])*)")  # belongs to the sentence before it
_HEADINGS = frozenset(
    content_words(
        "overview summary report history background products services people leadership funding finances customers sources conclusion"
    )
)


@dataclass(frozen=True, slots=True)
class CheckedQuote:
    """A quote that occurs in its document."""

    text: str
    document: Document
    checker: QuoteChecker | None = None  # None if the question has no entity

    def attribution(self, value: Any, target: OutputField) -> Attribution | None:
        """Return how the quote, which states a value, attributes it to the entity."""
        return self.checker.attribution_of(self.text, value, target) if self.checker else "direct"

    @property
    def about(self) -> bool:
        """Whether the quote may be about the entity."""
        return self.checker is None or self.checker.about(self.text)

    @property
    def site(self) -> str:
        """The site of the quote; pages of one site count once."""
        return self.document.site or self.document.url


@dataclass(frozen=True, slots=True)
class Support:
    """The part of a value that quotes support, the number of sites that state all of it, and whether parts were dropped.

    No sites: the quotes support the value without stating it, as for a boolean, an enum or a paraphrase.
    """

    value: Any
    sites: int
    cut: bool = False


def coerce(value: Any, target: OutputField) -> Any:
    """Return a value in the type of its field, without parts of another type; None if it has another type."""
    if target.kind == "enum":
        return next((one for one in target.choices if type(one) is type(value) and one == value), None)
    if target.kind == "array":
        return _typed_items(value, target) if isinstance(value, list) else None
    if target.kind == "object":
        parts = (
            {one.name: coerce(value.get(one.name), one) for one in target.fields}
            if isinstance(value, dict)
            else {}
        )
        return parts if any(part is not None for part in parts.values()) else None
    if target.kind == "boolean":
        return value if isinstance(value, bool) else None
    if target.kind == "string":
        return (value.strip() or None) if isinstance(value, str) and len(value) <= _LONGEST else None
    return _typed_number(value, whole=target.kind == "integer")


def with_empty_values(target: OutputField, value: Any = None) -> Any:
    """Return a value with the empty value of its type for every part not found."""
    if target.kind == "object" and isinstance(value, dict):
        return {one.name: with_empty_values(one, value.get(one.name)) for one in target.fields}
    return empty_value(target) if value is None else value


def support(value: Any, target: OutputField, quotes: Sequence[CheckedQuote]) -> Support | None:
    """Return the part of a typed value that the quotes support, or None."""
    if value is None or not quotes:
        return None
    if target.kind == "array":
        return _supported_items(value, target, quotes)
    if target.kind == "object":
        return _supported_parts(value, target, quotes)
    stating = [quote for quote in quotes if states(quote.text, value, target)]
    attributed = {quote: quote.attribution(value, target) for quote in stating}
    sites = {quote.site for quote, how in attributed.items() if how == "direct"}
    if sites:
        return Support(value, len(sites))
    loose = any(attributed.values()) or _is_implied(
        value, target, [quote for quote in quotes if quote not in attributed and quote.about]
    )
    return Support(value, 0) if loose else None


def quotes_about_entity(
    value: Any, target: OutputField, quotes: Sequence[CheckedQuote]
) -> list[CheckedQuote]:
    """Return the quotes about the entity; a quote that states a part of the value must attribute it to the entity."""
    parts = list(_parts(value, target))
    return [
        quote
        for quote in quotes
        if (
            any(quote.attribution(*part) for part in stated)
            if (stated := [part for part in parts if states(quote.text, *part)])
            else quote.about
        )
    ]


def _parts(value: Any, target: OutputField) -> Iterator[tuple[Any, OutputField]]:
    """Yield the single values of a list or an object, each with its field."""
    if target.kind == "array":
        for item in value:
            yield from _parts(item, _item(target))
    elif target.kind == "object":
        for one in target.fields:
            if value.get(one.name) is not None:
                yield from _parts(value[one.name], one)
    else:
        yield value, target


def supported_text(text: str, quotes: Sequence[CheckedQuote], urls: Sequence[str]) -> Support | None:
    """Return a text without unsupported sentences; [1] becomes a link to the first of `urls`, or is removed."""
    quotes = [quote for quote in quotes if quote.about]
    kept, cut, sentences = [], False, 0
    bare = _LINK.sub(lambda match: match[1] or "", text)
    for line in _MARK_AFTER.sub(r" \2\1", bare).splitlines():
        if re.match(r"\s*#", line):
            whole = [line] if _is_heading(line, quotes) else []
        else:
            whole = [one for one in split_sentences(line) if _uses_words_of(one, quotes)]
            sentences += len(whole)
        cut = cut or len(" ".join(whole)) < len(line.strip())
        if whole or not line.strip():
            kept.append(" ".join(whole))
    if not sentences:
        return None
    sites = len({quote.site for quote in quotes})
    return Support(_linked("\n".join(kept).strip(), urls), 1 if sites > 1 else 0, cut)


def _item(target: OutputField) -> OutputField:
    return target.item or OutputField(target.name, target.words, "", "string", nullable=False)


def _typed_items(value: list[Any], target: OutputField) -> list[Any] | None:
    item = _item(target)
    items = [one for one in (coerce(each, item) for each in value) if one is not None]
    return (items[: target.limit] if target.limit else items) or None


def _typed_number(value: Any, *, whole: bool) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or abs(value) > _BIGGEST or (whole and value != int(value)):
        return None
    return int(value) if whole else value


def _supported_items(value: list[Any], target: OutputField, quotes: Sequence[CheckedQuote]) -> Support | None:
    item = _item(target)
    found = [one for one in (support(each, item, quotes) for each in value) if one is not None]
    if not found:
        return None
    cut = len(found) < len(value) or any(one.cut for one in found)
    return Support([one.value for one in found], min(one.sites for one in found), cut)


def _supported_parts(
    value: dict[str, Any], target: OutputField, quotes: Sequence[CheckedQuote]
) -> Support | None:
    found = {one.name: support(value.get(one.name), one, quotes) for one in target.fields}
    there = {name: part for name, part in found.items() if part is not None}
    if not there:
        return None
    cut = any(part.cut for part in there.values()) or any(
        value.get(name) is not None for name in found if name not in there
    )
    content = with_empty_values(target, {name: part.value for name, part in there.items()})
    return Support(content, min(part.sites for part in there.values()), cut)


def _is_implied(value: Any, target: OutputField, quotes: Sequence[CheckedQuote]) -> bool:
    """Return True if quotes may support a value they do not state: a choice, or a text in their words."""
    if not quotes:
        return False
    if isinstance(value, bool) or target.kind == "enum":
        return not means_unknown(value)
    return isinstance(value, str) and _uses_words_of(value, quotes)


def _uses_words_of(text: str, quotes: Sequence[CheckedQuote]) -> bool:
    """Return True if a text consists of the quotes' words and contains no other figure."""
    text = re.sub(r"\[\d+\]", "", text)
    joined = " ".join(quote.text for quote in quotes)
    words, there = set(content_words(text)), set(content_words(joined))
    figures = set(re.findall(r"\d+", text)) <= set(re.findall(r"\d+", joined))
    share = len(words & there) / len(words) if words else 0.0
    return figures and share >= (1 if len(words) < _FEW else _SHARE)


def _is_heading(line: str, quotes: Sequence[CheckedQuote]) -> bool:
    words = set(content_words(line))
    return bool(words) and words <= _HEADINGS.union(*(content_words(quote.text) for quote in quotes))


def _linked(text: str, urls: Sequence[str]) -> str:
    def link(match: re.Match[str]) -> str:
        number = int(match[1]) if len(match[1]) < 5 else 0
        url = urls[number - 1] if 0 < number <= len(urls) else ""
        return f"[{number}]({url})" if url else ""

    return re.sub(r"\[(\d+)\]", link, text)
