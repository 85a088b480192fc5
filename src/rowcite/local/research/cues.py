"""A field as patterns to look for in running text: the idioms of its relation, or constructions around its own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rowcite.local.research.kinds.relation import Relation
from rowcite.local.research.relations import BY_KIND
from rowcite.local.research.shapes import value_of
from rowcite.local.research.text import fold, stem
from rowcite.local.research.wants import Want

_SINGLE = {"people": "person", "names": "name", "phrases": "phrase"}
_PLURAL = {"person": "people", "name": "names", "place": "names", "phrase": "phrases"}
_NOISE = re.compile(
    r"name|names|year|date|count|number|total|current|currently|latest|official|of|the|a|an|is|in|its|and|or|for|to|id|value|list|type|"
    r"yyyy|mm|dd|main|key|which|what|who|when|where|it|they|was|were|has|have"
)
_OFFICES = re.compile(
    r"\b(?:president|minister|mayor|governor|king|queen|monarch|chair\w*|director|manager|coach|captain|editor|leader|head|secretary|speaker|chancellor|"
    r"ambassador|commander|principal|dean|rector|owner|conductor|champion|winner|designer|architect|author|artist|singer|creator|inventor|discoverer|"
    r"composer|producer|officer|person|who|bishop|founder|premier|emperor|sultan|marshal|chief)\b"
)
_HELD = re.compile(
    r"(?:(?:deputy|vice|lieutenant) )?(?:prime minister|president|chancellor|mayor|governor|monarch|king|queen|premier|chief minister|chief justice|speaker|emperor|sultan)\b"
    r"(?= (?:and )?(?:head|leader|of)\b)"
)
_PLACES = re.compile(
    r"\b(?:city|town|country|place|location|capital|venue|stadium|region|province|state|county|seat|where|site|village|harbou?r|port)\b"
)
_YEARS = re.compile(r"\byears?\b|\byyyy\b")
_DATES = re.compile(r"\bdates?\b|\bday\b|\bwhen\b|yyyy mm dd")
_OF = r"(?: of (?P<of>(?:the )?[\w'\u2019. -]{2,40}?))?"
_CO = r"[a-z]+ and"
_BE = r"(?:is|was|are|were|remains|became|being|has been|have been)(?: (?:now|currently|the|an?|called|officially|named|at|about|still|also|known as))*"


@dataclass(frozen=True)
class Cue:
    """A pattern with the group `v`; `opening` ones fit only the sentence that says what the subject is."""

    pattern: re.Pattern[str]
    opening: bool = False
    sure: bool = False
    loose: bool = False


@dataclass(frozen=True)
class Search:
    """What to look for in sentences that hold the trigger."""

    trigger: re.Pattern[str]
    cues: tuple[Cue, ...]
    relation: Relation | None


@lru_cache(maxsize=512)
def search_for(
    relation: str, kind: str, name: str, description: str, choices: tuple[str, ...]
) -> Search | None:
    """Return the patterns of a field; None when its words say nothing to look for."""
    known = BY_KIND.get(relation)
    if known is not None:
        shape = _fit(known.shape, kind)
        cues = [
            _cue(i.pattern.replace("{V}", value_of(_fit(i.shape or shape, kind))), i.opening, i.sure, i.loose)
            for i in known.idioms
        ]
        if known.nouns:
            cues += _around(known.nouns, shape)
        return Search(known.trigger, tuple(cues), known)
    words = _office(name) or cue_words(name) or cue_words(description)
    if not words:
        return None
    noun = " ".join(rf"{re.escape(_base(word))}\w{{0,3}}" for word in words)
    trigger = re.compile(rf"\b{re.escape(stem(words[-1]))}", re.IGNORECASE)
    if _shape(kind, f"{name} {description}") == "date":
        noun = rf"{re.escape(stem(words[-1]))}\w{{0,4}}"
    if kind == "enum":
        return Search(trigger, tuple(_among(noun, choices)), None)
    if kind == "boolean":
        return None
    return Search(trigger, tuple(_around(noun, _shape(kind, f"{name} {description}"), words)), None)


def search_of(want: Want) -> Search | None:
    """Return what to look for to fill a field."""
    return search_for(
        want.relation, want.kind, want.words, fold(want.description), tuple(map(str, want.choices))
    )


def cue_words(text: str) -> tuple[str, ...]:
    """Return the words of a field's name, or of the beginning of its description, that a text would use for it."""
    words = [word for word in text.split() if not _NOISE.fullmatch(word) and not word.isdigit()]
    return tuple(words[:3]) if len(words) <= 3 else ()


def _office(name: str) -> tuple[str, ...]:
    """Return the office that a field's name begins with: "president head of state" asks for the president."""
    office = _HELD.match(name)
    return tuple(office[0].split()) if office else ()


def _base(word: str) -> str:
    return word[:-1] if word.endswith(("s", "y", "e")) and len(word) > 4 else word


def _fit(shape: str, kind: str) -> str:
    if kind == "array":
        return _PLURAL.get(shape, shape)
    return _SINGLE.get(shape, shape)


def _shape(kind: str, asked: str) -> str:
    """Choose the shape of an unknown field's value by its type and by words such as "who" or "city"."""
    if kind in {"integer", "number"}:
        return "year" if _YEARS.search(asked) else "number"
    if _DATES.search(asked):
        return "date"
    if _YEARS.search(asked):
        return "year"
    single = "person" if _OFFICES.search(asked) else ("place" if _PLACES.search(asked) else "name")
    return _fit(single, kind)


def _cue(pattern: str, opening: bool = False, sure: bool = False, loose: bool = False) -> Cue:  # noqa: FBT001, FBT002
    return Cue(re.compile(pattern), opening, sure, loose)


def _around(noun: str, shape: str, words: tuple[str, ...] = ()) -> Iterator[Cue]:
    """Yield the common constructions around a noun: "its N is V", "V is the N", "with an N of V", "the N, V,", "V, its N"."""
    value, tag = value_of(shape), rf"(?i:{noun})"
    yield _cue(rf"\b{tag}{_OF}(?: by [a-z]+)?(?: in \d{{4}})?,? {_BE} [\"\u201c']?{value}")
    yield _cue(
        rf"\b(?:with|has|had|have|having)(?: an?| its| the| as)? (?:[a-z-]+ )?{tag}(?: of| is|,)? {value}"
    )
    if shape in {"number", "year", "date", "area", "length", "money"}:
        yield _cue(rf"\b{tag}(?:,|:| at| in| on| of)? {value}", loose=True)
        yield (
            _cue(
                rf"\b{tag}\b(?: of (?P<of>(?:the )?[\w'\u2019-]+(?: [A-Z][\w'\u2019-]+)*))?[^.;()\d]{{0,50}}?\b(?:in|on) {value}",
                loose=shape != "date",
            )
            if shape in {"year", "date"}
            else _cue(rf"{value} (?:[a-z-]+ )?{tag}\b")
        )
        return
    yield _cue(
        rf"(?:^|[ (\u201c\"]){value}(?: \([^)]*\))?,? (?:is|was|are|remains|became|serves as|served as|has been|have been)(?: (?:now|currently|also|both|its|the|their|an?|one of|{_CO}|\d+(?:st|nd|rd|th)(?:,? and)?|current,?|incumbent|U\.?S\.?))* (?:[a-z'\u2019-]+ )?{tag}\b(?: of (?P<of>[^,.;()]{{2,40}}?)(?=[,.;()]|$| (?:and|with|in|which|who|since)\b))?"
    )
    yield _cue(
        rf"\b{tag}(?: of the [A-Z]\w+)?(?:,| ?[\u2013\u2014-]| \()? ?(?:is )?(?:currently|presently|now),? (?:the )?{value}"
    )
    between = "(?:,|:| at| in| \\()" if shape == "place" else "(?:,|:| \\()"
    yield _cue(rf"\b{tag}{between} (?:the )?{value}", loose=shape not in {"person", "place", "people"})
    yield _cue(rf"\b{tag} (?:the )?{value}", loose=shape != "place")
    yield _cue(rf"\b(?:is|are) (?:the )?(?:current |incumbent )?{tag} {value}")
    yield _cue(
        rf"(?:^|[ (\u201c\"]){value}, (?:the|its|their|our)(?: [a-z'\u2019-]+){{0,2}} {tag}\b{_OF}(?=[,.;)]|$)"
    )
    if words and (made := _maker(words[-1])):
        yield _cue(rf"\b{made} by (?:the )?{value}")


def _maker(word: str) -> str:
    """Return the participle of an agent noun: "developed" of "developer"."""
    root = re.sub(r"(?:ers?|ors?)$", "", word)
    return "" if root == word or len(root) < 4 else rf"{re.escape(root)}e?d"


def _among(noun: str, choices: tuple[str, ...]) -> Iterator[Cue]:
    """Yield patterns for a choice near the noun."""
    value = "(?P<v>" + "|".join(re.escape(choice) for choice in sorted(choices, key=len, reverse=True)) + ")"
    yield _cue(rf"(?i:\b{noun}\b[^.;]{{0,40}}?\b{value}\b)", loose=True)
    yield _cue(rf"(?i:\b{value}\b(?: [\w-]+){{0,2}} {noun}\b)", loose=True)
