"""Check a language model's value: does it have the field's type, and do its quotes support it?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.answers.schema_fields import OutputField, empty_value, means_unknown
from rowcite.local.research.language_model.quotes import Quote, states
from rowcite.local.research.text.normalise import content_words, split_sentences

_FEW, _SHARE = 4, 0.6  # up to 4 words must all be in the quotes; of more, this share
_LONGEST = 50_000  # characters of the longest text
_BIGGEST = 2**53  # the largest integer that every JSON reader keeps exact
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)|<[^<>]*>|https?://\S+")
_MARK = re.compile(r"\[(\d{1,4})\]")
_MARK_AFTER = re.compile(r"([.!?])[ \t]*(\[\d+\](?:[ \t]*\[\d+\])*)")  # belongs to the sentence before it
_HEADINGS = frozenset(
    content_words(
        "overview summary report history background products services people leadership funding finances customers sources conclusion"
    )
)


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
    match target.kind, value:
        case "enum", _:
            return next((one for one in target.choices if type(one) is type(value) and one == value), None)
        case "array", list():
            items = [one for one in (coerce(each, item_of(target)) for each in value) if one is not None]
            return items[: target.limit] or None
        case "object", dict():
            parts = {one.name: coerce(value.get(one.name), one) for one in target.fields}
            return parts if any(part is not None for part in parts.values()) else None
        case "boolean", bool():
            return value
        case "string", str() if len(value) <= _LONGEST:
            return value.strip() or None
        case "integer" | "number", (int() | float()) if (
            not isinstance(value, bool) and abs(value) <= _BIGGEST
        ):
            if target.kind == "number":
                return value
            return int(value) if value == int(value) else None
    return None


def with_empty_values(target: OutputField, value: Any = None) -> Any:
    """Return a value with the empty value of its type for every part not found."""
    if target.kind == "object" and isinstance(value, dict):
        return {one.name: with_empty_values(one, value.get(one.name)) for one in target.fields}
    return empty_value(target) if value is None else value


def support(value: Any, target: OutputField, quotes: Sequence[Quote]) -> Support | None:
    """Return the part of a typed value that the quotes support, or None; mark the quotes that are used or refused."""
    if target.kind == "array":
        items = [support(each, item_of(target), quotes) for each in value]
        return _together(items, [one.value for one in items if one])
    if target.kind == "object":
        parts = {
            one.name: support(value[one.name], one, quotes)
            for one in target.fields
            if value[one.name] is not None
        }
        content = {name: part.value for name, part in parts.items() if part}
        return _together(list(parts.values()), with_empty_values(target, content))
    relations = {quote: quote.relation(value, target) for quote in quotes}
    stating = {quote: how for quote, how in relations.items() if states(quote.text, value, target)}
    others = [quote for quote, how in relations.items() if how and quote not in stating]
    supporting = [quote for quote, how in stating.items() if how]
    if not supporting and _is_implied(value, target, others):
        supporting = others
    for quote, how in relations.items():
        quote.used |= quote in supporting
        quote.refused |= how is None
    sites = {quote.site for quote, how in stating.items() if how == "direct"}
    return Support(value, len(sites)) if supporting else None


def _together(parts: Sequence[Support | None], value: Any) -> Support | None:
    found = [part for part in parts if part]
    cut = len(found) < len(parts) or any(part.cut for part in found)
    return Support(value, min(part.sites for part in found), cut) if found else None


def supported_text(text: str, quotes: Sequence[Quote], urls: Sequence[str]) -> Support | None:
    """Return a text without unsupported sentences; [1] becomes a link to the first of `urls`, or is removed."""
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
    linked = dict(enumerate(urls, 1))
    shown = _MARK.sub(
        lambda mark: f"[{mark[1]}]({url})" if (url := linked.get(int(mark[1]))) else "", "\n".join(kept)
    )
    sites = len({quote.site for quote in quotes})
    return Support(shown.strip(), 1 if sites > 1 else 0, cut) if sentences else None


def item_of(target: OutputField) -> OutputField:
    """Return the field of a list's items; texts if the schema does not restrict them."""
    return target.item or OutputField(target.name, target.words, "", "string", nullable=False)


def _is_implied(value: Any, target: OutputField, quotes: Sequence[Quote]) -> bool:
    """Return True if quotes may support a value they do not state: a choice, or a text in their words."""
    if isinstance(value, bool) or target.kind == "enum":
        return bool(quotes) and not means_unknown(value)
    return bool(quotes) and isinstance(value, str) and _uses_words_of(value, quotes)


def _uses_words_of(text: str, quotes: Sequence[Quote]) -> bool:
    """Return True if a text consists of the quotes' words and contains no other figure."""
    text = re.sub(r"\[\d+\]", "", text)
    joined = " ".join(quote.text for quote in quotes)
    words, there = set(content_words(text)), set(content_words(joined))
    figures = set(re.findall(r"\d+", text)) <= set(re.findall(r"\d+", joined))
    share = len(words & there) / len(words) if words else 0.0
    return figures and share >= (1 if len(words) < _FEW else _SHARE)


def _is_heading(line: str, quotes: Sequence[Quote]) -> bool:
    words = set(content_words(line))
    return bool(words) and words <= _HEADINGS.union(*(content_words(quote.text) for quote in quotes))
