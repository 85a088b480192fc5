"""Check a language model's value: do quotes about the entity state it?

Pages are shared: a trade paper names ten companies, a company's own page its rivals. A quote on a page about the entity counts unless
its sentence, line or row names another one before the value; a quote on another page counts only if it names the entity.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.answers.evidence import read_value
from rowcite.local.research.answers.schema_fields import OutputField, empty_value, means_unknown
from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.subject.attribution import (
    match_fact,
    may_be_about_page,
    names_no_other,
    row_contradicts,
)
from rowcite.local.research.subject.entity import DocumentMatch, DocumentRole, Dossier
from rowcite.local.research.text.figures import NUMBER, date_in, money_in, number_in, range_in
from rowcite.local.research.text.normalise import (
    collapse_spaces,
    content_words,
    split_sentences,
    strip_accents,
)
from rowcite.local.research.text.places import country_code

_NAME = r"[A-Z][\w'\u2019.-]*(?: [A-Z][\w'\u2019.-]*)*"
_LISTED_BEFORE = re.compile(rf"(?:{_NAME}(?:, (?:and )?| and | & ))+$")  # "The seat is Lleida, [Spain]"
_TOKEN = re.compile(rf"(?<![\w.,]){NUMBER}", re.IGNORECASE)
_NEGATIVE = re.compile(r"\b(?:loss|minus|negative|below)\b|[-\u2212]\s?\d", re.IGNORECASE)
_FEW, _SHARE = 4, 0.6  # up to 4 words must all be in the quotes; of more, this share
_LONGEST = 50_000  # characters of the longest text
_BIGGEST = 2**53  # the largest integer that every JSON reader keeps exact


@dataclass(eq=False)
class Quote:
    """A quote that occurs in a document read for the entity. `used`: it supports a part of the answer. `refused`: it is about another one."""

    text: str
    match: DocumentMatch
    dossier: Dossier
    used: bool = False
    refused: bool = False

    def relation(self, value: Any, target: OutputField) -> Directness | None:
        """Return how directly the quote is about the entity where it states a value, or as a whole if it states none; None if it is not."""
        facts = (one for one in self.match.document.facts if one.subject or one.lead is None)
        single = (one for one in facts if one.directness is not Directness.LIST)
        labelled = [one for one in single if self._overlaps(one.excerpt)]
        sentences = [self._sentence(text, value) for text in split_sentences(self.text)]
        stating = [one for one in labelled if states(f"{one.value} {one.excerpt}", value, target)]
        stating = stating or [one for one in sentences if states(one.excerpt, value, target)]
        found = [self._match(fact, value) for fact in stating or labelled or sentences]
        return max((one for one in found if one), key=lambda one: one.value, default=None)

    def _overlaps(self, excerpt: str) -> bool:
        """Return True if the excerpt of a fact is a part of the quote, or the quote a part of it."""
        excerpt = collapse_spaces(excerpt)
        return excerpt in self.text or self.text in excerpt

    def _sentence(self, text: str, value: Any) -> Fact:
        """Return a sentence of the quote as a fact, divided where it states the value."""
        holding = (block.heading for block in self.match.document.blocks if text in block.text)
        lead = text[: position(text, value) or 0]
        lead = _LISTED_BEFORE.sub("", lead) if isinstance(value, str) else lead
        heading, tail = next(holding, ""), text[len(lead) :]
        return Fact("", str(value), text, Directness.SENTENCE, heading=heading, lead=lead, tail=tail)

    def _match(self, fact: Fact, value: Any) -> Directness | None:
        """Return how directly a part of the quote is about the entity."""
        role, entity = self.match.role, self.dossier.entity
        if fact.subject or fact.lead is None:
            return None if row_contradicts(fact, entity) else match_fact(fact, role, entity)
        on_page, mentions = role >= DocumentRole.PROFILE, entity.mentions(fact.excerpt)
        stated = position(fact.excerpt, value) is not None
        in_part = may_be_about_page(fact.lead if stated else fact.excerpt, entity)
        found = match_fact(fact, DocumentRole.OWN if on_page else role, entity)
        if found is None or not (stated or mentions or in_part):
            # On a page about the entity, a name in the sentence may be a part of it: the bridge in an article, the maker of a product.
            return Directness.PASSING if on_page and not mentions and in_part else None
        rest = fact.excerpt[mentions[-1][1] :] if mentions else fact.excerpt
        sure = (on_page or mentions) and (stated or names_no_other(rest))
        return Directness.SENTENCE if sure else Directness.PASSING


def states(quote: str, value: Any, target: OutputField) -> bool:
    """Return True if a quote states a value directly, in any written form."""
    if position(quote, value) is not None:
        return True
    if not (isinstance(value, bool) or target.kind == "enum"):
        return False
    return bool(read_value(Fact(target.words, quote, quote, Directness.SENTENCE), target) == value)


def position(quote: str, value: Any) -> int | None:
    """Return the position at which a quote has a value in any written form, or None."""
    if isinstance(value, bool) or means_unknown(value):
        return None
    if isinstance(value, int | float):
        return _number_at(quote, value)
    finders = (_words_at, _date_at, _country_at)
    return next((at for find in finders if (at := find(quote, value)) is not None), None)


def _words_at(quote: str, value: str) -> int | None:
    bare = re.sub(r"^https?://(?:www\.)?", "", value)
    words = r"[\W_]*".join(re.findall(r"[^\W_]+", strip_accents(bare)))
    whole = rf"(?<![^\W_]){words}(?![^\W_])" if words else re.escape(value)
    match = re.search(whole, strip_accents(quote), re.IGNORECASE)
    return match.start() if match else None


def _number_at(quote: str, value: float) -> int | None:
    """Return the position of a number in any form, the ends of a range count only as years."""
    if value < 0 and not _NEGATIVE.search(quote):
        return None
    for match in _TOKEN.finditer(quote):
        start, end = match.span()
        readings = (number_in(match[0]), money_in(quote[start : end + 12]))
        amounts = {one.value for one in readings if one}
        ends = range_in(quote[max(start - 12, 0) : end + 12]) or ()
        amounts -= {one for one in ends if not 1500 <= one < 2100}
        if any(math.isclose(one, abs(value), rel_tol=1e-9) for one in amounts):
            return start
    return None


def _date_at(quote: str, value: str) -> int | None:
    """Return the position of a date given as YYYY, YYYY-MM or YYYY-MM-DD, in any written form."""
    if not re.fullmatch(r"\d{4}(?:-\d\d){0,2}", value):
        return None
    starts = (match.start() for match in re.finditer(r"\b\w", quote))
    return next((at for at in starts if date_in(quote[at : at + 40]).startswith(value)), None)


def _country_at(quote: str, value: str) -> int | None:
    """Return the position of a country by any of its names."""
    code = country_code(value)
    names = re.finditer(_NAME, quote) if code else ()
    return next((name.start() for name in names if country_code(name[0]) == code), None)


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
            items = (coerce(each, target.item or target) for each in value)
            return [one for one in items if one is not None][: target.limit] or None
        case "object", dict():
            parts = {one.name: coerce(value.get(one.name), one) for one in target.fields}
            return parts if any(part is not None for part in parts.values()) else None
        case "boolean", bool():
            return value
        case "string", str() if len(value) <= _LONGEST:
            return value.strip() or None
        case "integer" | "number", int() | float() if type(value) is not bool and abs(value) <= _BIGGEST:
            return value if target.kind == "number" else int(value) if value == int(value) else None
    return None


def support(value: Any, target: OutputField, quotes: Sequence[Quote]) -> Support | None:
    """Return the part of a typed value that the quotes support, or None; mark the quotes that are used or refused."""
    if target.kind == "array":
        items = [support(each, target.item or target, quotes) for each in value]
        return _together(items, [one.value for one in items if one])
    if target.kind == "object":
        given = [one for one in target.fields if value[one.name] is not None]
        parts = {one.name: support(value[one.name], one, quotes) for one in given}
        content = {one.name: empty_value(one) for one in target.fields}
        content |= {name: part.value for name, part in parts.items() if part}
        return _together(list(parts.values()), content)
    relations = {quote: quote.relation(value, target) for quote in quotes}
    about = [quote for quote, how in relations.items() if how]
    stating = [quote for quote in about if states(quote.text, value, target)]
    used = stating or (about if about and _is_implied(value, target, about) else [])
    for quote, how in relations.items():
        quote.used |= quote in used
        quote.refused |= how is None
    sites = {quote.match.document.site for quote in stating if relations[quote] is not Directness.PASSING}
    return Support(value, len(sites)) if used else None


def _together(parts: Sequence[Support | None], value: Any) -> Support | None:
    found = [part for part in parts if part]
    cut = len(found) < len(parts) or any(part.cut for part in found)
    return Support(value, min(part.sites for part in found), cut) if found else None


def _is_implied(value: Any, target: OutputField, quotes: Sequence[Quote]) -> bool:
    """Return True if quotes may support a value they do not state: a choice, or a text in their words."""
    if isinstance(value, bool) or target.kind == "enum":
        return not means_unknown(value)
    joined = " ".join(quote.text for quote in quotes)
    return isinstance(value, str) and all(_uses_words_of(one, joined) for one in split_sentences(value))


def _uses_words_of(text: str, quoted: str) -> bool:
    """Return True if a text consists of the words quoted and contains no other figure."""
    words = set(content_words(text))
    figures = set(re.findall(r"\d+", text)) <= set(re.findall(r"\d+", quoted))
    share = len(words & set(content_words(quoted))) / max(len(words), 1)
    return figures and share >= (1 if len(words) < _FEW else _SHARE)
