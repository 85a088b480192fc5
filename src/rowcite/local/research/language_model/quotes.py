"""Check that a quote states a value, and that it states it of the entity.

Pages are shared: a trade paper names ten companies, a company's own page its rivals. A quote that occurs in the page is
evidence only if it is about the entity.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from rowcite.local.research.answers.schema_fields import OutputField, means_unknown
from rowcite.local.research.answers.values import read_value
from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.subject.subject_match import (
    DocumentRole,
    match_fact,
    names_no_other,
    row_contradicts,
)
from rowcite.local.research.text.dates import date_in
from rowcite.local.research.text.normalise import (
    collapse_spaces,
    fold,
    has_phrase,
    split_sentences,
    strip_accents,
)
from rowcite.local.research.text.numbers import NUMBER, money_in, number_in
from rowcite.local.research.text.places import country_code, country_in

Attribution = Literal["direct", "indirect"]

_ITS_OWN = DocumentRole(own=True, profile=True, headline=True)
_LISTED_BEFORE = re.compile(
    r"(?:[A-Z][\w'\u2019-]*(?: [A-Z][\w'\u2019-]*)*, )+$"
)  # "The seat is Lleida, [Spain]"
_TWO_NAMES = re.compile(r"(?:The )?[A-Z][\w'\u2019&-]+ (?:& |and |of )?[A-Z][\w'\u2019-]+")
_TOKEN = re.compile(rf"(?<![\w.,]){NUMBER}", re.IGNORECASE)
_RANGE_AFTER, _RANGE_BEFORE = (
    re.compile(r"\s*(?:[-\u2013\u2014]|to\b)\s*\d"),
    re.compile(r"\d\s*(?:[-\u2013\u2014]|to)\s*$"),
)
_SCALED = re.compile(r"\b(?:thousands?|millions?|billions?|mio|bn)\b")
_NEGATIVE = re.compile(r"\b(?:loss|minus|negative|below)\b|[-\u2212]\s?\d", re.IGNORECASE)


@dataclass(frozen=True)
class QuoteChecker:
    """Attributes quotes from one document to the entity or to others."""

    dossier: Dossier
    match: DocumentMatch

    def attribution_of(self, quote: str, value: Any, target: OutputField) -> Attribution | None:
        """Return how a quote states a value of the entity; None if it states it of another one."""
        facts = [fact for fact in self._facts(quote) if states(f"{fact.value} {fact.excerpt}", value, target)]
        labelled = [fact for fact in facts if fact.subject or fact.lead is None]
        if labelled:
            found = {self._attribute_labelled(fact) for fact in labelled}
            return "direct" if "direct" in found else "indirect" if "indirect" in found else None
        sentences = [one for one in self._sentences(quote) if states(one[1], value, target)]
        found = {
            self._attribute_sentence(before, text, value, target)
            for before, text in sentences or [("", quote)]
        }
        return "direct" if "direct" in found else "indirect" if "indirect" in found else None

    def about(self, quote: str) -> bool:
        """Return True if a quote may be about the entity: it names it, or no other on a page about the entity."""
        entity_names, role = self.dossier.entity_names, self.match.role
        if entity_names.mentions(quote):
            return True
        facts = [fact for fact in self._facts(quote) if fact.subject or fact.lead is None]
        if facts:
            return any(self._attribute_labelled(fact) for fact in facts)
        if not (role.own or role.profile) or self._under_other_heading(quote):
            return False
        return not (
            entity_names.names_another(quote) or _TWO_NAMES.match(quote) or self._opens_with_name(quote)
        )

    def _facts(self, quote: str) -> Iterator[Fact]:
        for fact in self.match.document.facts:
            excerpt = collapse_spaces(fact.excerpt)
            if fact.directness is not Directness.LIST and (excerpt in quote or quote in excerpt):
                yield fact

    def _attribute_labelled(self, fact: Fact) -> Attribution | None:
        directness = match_fact(fact, self.match.document, self.match.role, self.dossier.entity_names)
        if directness is None or row_contradicts(fact, self.dossier.entity.sites, self.dossier.places):
            return None
        return "indirect" if directness is Directness.PASSING else "direct"

    def _sentences(self, quote: str) -> Iterator[tuple[str, str]]:
        """Yield each sentence of a quote with the one before it."""
        before = ""
        for text in split_sentences(quote):
            yield before, text
            before = text

    def _attribute_sentence(
        self, before: str, text: str, value: Any, target: OutputField
    ) -> Attribution | None:
        """Judge a sentence by the name before the value, else by the name after it, else by the page's subject."""
        at = position_of(text, value, target)
        start = len(text) if at is None else at
        if isinstance(value, str):
            start -= len(text[:start]) - len(_LISTED_BEFORE.sub("", text[:start]))
        if self.dossier.entity_names.mentions(text[:start]):
            return "direct" if self._last_named(text[:start]) else "indirect" if at is None else None
        fact = Fact(
            "", text[start:].split(" ", 1)[0], text, Directness.SENTENCE, lead=text[:start], tail=text[start:]
        )
        if self.dossier.entity_names.mentions(text[start:]):
            directness = match_fact(fact, self.match.document, self.match.role, self.dossier.entity_names)
            return "direct" if directness is Directness.SENTENCE else None
        return self._attribute_unnamed(fact, before)

    def _last_named(self, lead: str) -> bool:
        """Return True if the entity is the last one that some words name."""
        entity_names = self.dossier.entity_names
        mentions = entity_names.mentions(lead)
        fact = Fact("", "", lead, Directness.SENTENCE, lead=lead)
        directness = match_fact(fact, self.match.document, self.match.role, entity_names)
        return bool(mentions) and directness is not None and names_no_other(lead[mentions[-1][1] :])

    def _attribute_unnamed(self, fact: Fact, before: str) -> Attribution | None:
        """Judge a sentence that does not name the entity: it must name no other, and the page must be about it."""
        role, document = self.match.role, self.match.document
        if (
            not (role.own or role.profile or self._last_named(before))
            or self._under_other_heading(fact.excerpt)
            or self._opens_with_name(fact.excerpt)
        ):
            return None
        directness = match_fact(fact, document, _ITS_OWN, self.dossier.entity_names)
        if directness is None:
            return None
        return "direct" if role.own or directness is Directness.SENTENCE else "indirect"

    def _opens_with_name(self, text: str) -> bool:
        """Return True if a text begins with a word that the document capitalises inside sentences too."""
        first = re.match(r"[A-Z][\w-]+", text)
        if first is None:
            return False
        name, word = re.compile(rf"[a-z,] {first[0]}\b"), re.compile(rf"\b{first[0].lower()}\b")
        texts = [sentence.text for sentence in self.match.document.sentences]
        return any(map(name.search, texts)) and not any(map(word.search, texts))

    def _under_other_heading(self, text: str) -> bool:
        """Return True if a text is below a heading about another entity."""
        entity_names = self.dossier.entity_names
        return any(
            not entity_names.mentions(sentence.heading)
            and (
                entity_names.names_another(sentence.heading)
                or OTHERS_HEADING.search(sentence.heading) is not None
            )
            for sentence in self.match.document.sentences
            if sentence.heading and (sentence.text in text or text in sentence.text)
        )


def states(quote: str, value: Any, target: OutputField) -> bool:
    """Return True if a quote states a value directly, in any written form."""
    if isinstance(value, bool) or target.kind == "enum":
        read = read_value(Fact(target.words, quote, quote, Directness.SENTENCE), target)
        literal = isinstance(value, str) and not means_unknown(value) and _has(quote, value)
        return literal or (read is not None and read.value == value)
    if isinstance(value, int | float):
        return _has_number(quote, value, target)
    return _has(quote, value) or _has_date(quote, value) or _country_at(quote, value) is not None


def position_of(quote: str, value: Any, target: OutputField) -> int | None:
    """Return the position in a quote where a value is stated, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        wanted = _equivalents(quote, value, target)
        hits = (at for at, amounts in _figures_at(quote) if _any_equal(amounts, wanted))
        return next(hits, None)
    words = r"[\W_]+".join(re.escape(word) for word in re.findall(r"[^\W_]+", strip_accents(str(value))))
    if words and (match := re.search(rf"(?<!\w){words}(?!\w)", strip_accents(quote), re.IGNORECASE)):
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


def _has_number(quote: str, value: float, target: OutputField) -> bool:
    if value < 0 and not _NEGATIVE.search(quote):
        return False
    wanted = _equivalents(quote, value, target)
    return any(_any_equal(amounts, wanted) for _, amounts in _figures_at(quote))


def _equivalents(quote: str, value: float, target: OutputField) -> set[float]:
    """Return the numbers that may represent a value: in thousands or millions, or in per cent."""
    wanted = {abs(value)}
    if _SCALED.search(f"{target.words} {fold(target.description)}"):
        wanted |= {abs(value) * scale for scale in (1e3, 1e6, 1e9)}
    if "%" in quote:
        wanted.add(abs(value) * 100)
    return wanted


def _any_equal(amounts: set[float], wanted: set[float]) -> bool:
    return any(math.isclose(one, other, rel_tol=1e-9) for one in amounts for other in wanted)


def _figures_at(quote: str) -> Iterator[tuple[int, set[float]]]:
    """Yield each number of a quote with its scaled readings; the ends of a range count only as years."""
    for match in _TOKEN.finditer(quote):
        amounts = {
            read.value
            for read in (number_in(match[0]), money_in(quote[match.start() : match.end() + 12]))
            if read
        }
        in_range = _RANGE_AFTER.match(quote, match.end()) or _RANGE_BEFORE.search(quote[: match.start()])
        yield match.start(), {amount for amount in amounts if not in_range or 1500 <= amount < 2100}


def _has_date(quote: str, value: str) -> bool:
    """Return True if a quote contains a date given as YYYY, YYYY-MM or YYYY-MM-DD, in any written form."""
    return any(_is_date_at(quote, match.start(), value) for match in re.finditer(r"\b\w", quote))


def _is_date_at(quote: str, at: int, value: str) -> bool:
    return re.fullmatch(r"\d{4}(?:-\d\d){0,2}", value) is not None and date_in(
        quote[at : at + 40]
    ).startswith(value)


def _country_at(quote: str, value: str) -> int | None:
    """Return the position where a quote names a country by any of its names, or None."""
    code = country_code(value)
    if not code:
        return None
    for match in re.finditer(r"(?:(?!\b(?:in|of|from)\b)[^,.;()])+", quote):
        piece = match[0]
        if country_code(piece) == code or country_code(country_in(piece)) == code:
            return match.start() + len(piece) - len(piece.lstrip())
    return None
