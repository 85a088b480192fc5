"""What a kind of fact is, and the words to write one down.

An idiom is a pattern in which {V} stands for the value. The groups it may name besides: `of`, whose fact it is ("the
capital of X"), and `within`, what a place lies in ("at Mill House in Ulm").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rowcite.local.research.places import demonym_pattern

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_PART = rf"(?!(?:{_MONTHS})\b)[A-Z\u00c0-\u00de][\w\u2019'.-]*(?: [A-Z\u00c0-\u00de][\w\u2019'.-]*)*"
PLACE_WITHIN = rf"(?:,? (?:in|near|outside) (?:the (?:city|town|village|suburb|district|province|state|county) of )?(?P<within>{_PART}(?:, {_PART})*))?"
"""What a place lies in, when the text goes on to say so."""


NO_DEMONYM = rf"(?!(?:{demonym_pattern()}|[A-Z][a-z]+(?:ian|ean|ese|ish))\b[ /-](?!and |& )[a-zA-Z]?[a-z])"
"""Stands before a name that no "American" is, of "by American singer Ann Lee"."""


@dataclass(frozen=True)
class Idiom:
    """One way to say it; `shape` overrides the relation's.

    `opening` ones are read from the sentence that says what the subject is, `sure` ones leave little room for another
    reading, `loose` ones say it in passing.
    """

    pattern: str
    opening: bool = False
    sure: bool = False
    loose: bool = False
    shape: str = ""


@dataclass(frozen=True)
class Relation:
    """A kind of fact: `asks` finds it in a field's name or description, `trigger` in a sentence.

    `nouns` are words such as "capital" around which the common constructions are tried as well; `changes`: the newest
    statement wins. A sentence in which `refuses` is found says nothing; a statement right before which `others` is found
    is about something else ("the first railway of Ulm was opened in ...").
    """

    name: str
    asks: re.Pattern[str]
    shape: str
    trigger: re.Pattern[str]
    nouns: str = ""
    idioms: tuple[Idiom, ...] = ()
    changes: bool = False
    refuses: re.Pattern[str] | None = None
    others: re.Pattern[str] | None = None


def relation(  # noqa: PLR0913  # the columns of the tables
    name: str,
    asks: str,
    shape: str,
    trigger: str,
    *idioms: Idiom,
    nouns: str = "",
    changes: bool = False,
    refuses: str = "",
    others: str = "",
) -> Relation:
    """Return a kind of fact; triggers and refusals are found whatever their case."""
    return Relation(
        name,
        re.compile(rf"\b(?:{asks})\b"),
        shape,
        re.compile(rf"(?:\b|(?=[(\u2013-]))(?:{trigger})", re.IGNORECASE),
        nouns,
        idioms,
        changes,
        re.compile(rf"\b(?:{refuses})\b", re.IGNORECASE) if refuses else None,
        re.compile(rf"(?:{others})\s*$", re.IGNORECASE) if others else None,
    )


def plain(pattern: str, shape: str = "") -> Idiom:
    """Return an idiom that says it outright."""
    return Idiom(pattern, shape=shape)


def sure(pattern: str, shape: str = "") -> Idiom:
    """Return an idiom that leaves little room for another reading."""
    return Idiom(pattern, sure=True, shape=shape)


def opening(pattern: str, shape: str = "", *, sure: bool = False, loose: bool = False) -> Idiom:
    """Return an idiom of the sentence that says what the subject is."""
    return Idiom(pattern, opening=True, sure=sure, loose=loose, shape=shape)


def loose(pattern: str, shape: str = "") -> Idiom:
    """Return an idiom that says it in passing."""
    return Idiom(pattern, loose=True, shape=shape)


def quoted(noun: str) -> str:
    """Return the pattern of a name in quotation marks behind a noun: 'its motto is "V"'."""
    return rf"\b(?i:{noun})\b(?: of (?P<of>(?:the )?[^\"\u201c,.;]{{2,30}}?))?(?:,| is| was|:)*(?: the)? [\"\u201c](?P<v>[^\"\u201d]{{2,80}}?)[,.]?[\"\u201d]"


def quoted_first(noun: str) -> str:
    """Return the pattern of a name in quotation marks before a noun: '"V" is its motto'."""
    return rf"[\"\u201c](?P<v>[^\"\u201d]{{2,80}}?)[,.]?[\"\u201d],? (?:is|was|serves as|became) (?:its|the|their)(?: [\w'\u2019-]+){{0,3}} (?:{noun})\b"
