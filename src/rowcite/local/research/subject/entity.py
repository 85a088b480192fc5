"""The entity of a question, read from the run's input, and the documents about it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from rowcite.local.research.documents.document import Document
from rowcite.local.research.text.normalise import core_name, fold, split_words, strip_accents
from rowcite.local.research.text.urls import SHARED_SITES, site_in, sites_within
from rowcite.model import Citation

_BLANK = frozenset({"", "n a", "na", "none", "null", "unknown", "tbd", "nan"})
_KEYS = {kind: re.compile(rf"\b(?:{words})\b") for kind, words in {
    "person": "contact|first|last|owner|user|manager|rep|note|notes|comment|created|updated|status|id|arr|amount|number|registration|vat|tax|phone|telephone",
    "place": "city|town|country|state|region|province|county|location|address|place|hq|headquarters|postcode|zip",
    "country": "country",
    "topic": "market|topic|subject|query|question|theme|segment|search|keyword|prompt",
    "name": "name|company|organi[sz]ation|firm|business|account|brand|entity|supplier|vendor|customer|employer|title|product|person|school|startup",
}.items()}  # fmt: skip
_NAMELESS = "the subject"
_CAPITALISED = re.compile(r"(?<!\w)[A-Z\d][\w'\u2019]*")
_APOSTROPHE = "['\u2019]?"  # "roes" also matches "Roe's", "dalva" also "D'Alva"
OTHER_CAPITALS = frozenset(["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "ceo", "i", "founder", "chief", "managing", "director", "chair", "series", "raise", "raises", "win", "wins", "open", "opens", "appoint", "appoints", "name", "names", "launches", "closes", "secures", "hires", "report", "reports", "announces", "buys", "acquires", "moves", "plans", "is", "has", "was", "to", "in", "on", "about", "at", "with", "for", "recipe", "recipes", "review", "reviews", "profile", "facts", "guide", "overview", "wiki", "wikipedia", "annual", "form", "official", "home", "news", "careers", "jobs"])  # fmt: skip
"""Words that are capitalised, as in a headline, without being part of a name."""


@dataclass(frozen=True)
class Entity:
    """The row's subject: its name for a sentence, folded core names, sites, places and countries.

    `topic` marks a theme instead of a proper name, `text` a text that may contain a name. `known` has the names in the corpus.
    """

    given: str = _NAMELESS
    names: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    topic: bool = False
    text: str = ""
    known: frozenset[str] = frozenset()

    @cached_property
    def spoken(self) -> tuple[str, ...]:
        """The names, and the first word of one if a site is named so."""
        labels = {site.split(".", 1)[0] for site in self.sites}
        first = (name.split()[0] for name in self.names if " " in name)
        return (*self.names, *(word for word in first if word in labels and len(word) > 4))

    @cached_property
    def _mention(self) -> re.Pattern[str]:
        """A pattern for any of the names in text without accents, capitalised as names are."""
        spellings = (
            ("(?:and|&)" if word == "and" else _APOSTROPHE.join(word) for word in name.split())
            for name in self.spoken
        )
        longest_first = sorted((r"[\W_]+".join(one) for one in spellings), key=len, reverse=True)
        names = "|".join(longest_first) or "(?!)"
        return re.compile(rf"(?<![\w])(?=[A-Z\d]|[a-z]+[A-Z])(?i:{names})(?![\w])")

    def is_name(self, text: str) -> bool:
        """Return True if a text is exactly one of the names."""
        return core_name(text) in self.spoken or fold(text) in self.spoken

    def mentions(self, text: str) -> list[tuple[int, int]]:
        """Return the positions where a text names the entity; longer names that begin alike do not count."""
        even = strip_accents(text)
        found = self._mention.finditer(even)
        return [one.span() for one in found if not _is_longer(one[0], even[one.end() :])]

    def names_another(self, text: str) -> bool:
        """Return True if a text names another entity of the corpus; one word must be capitalised, as "General" is."""
        words = fold(text).split()
        runs = (words[start : start + size] for size in (2, 3, 4) for start in range(len(words) - size + 1))
        capitals = fold(" ".join(_CAPITALISED.findall(strip_accents(text)))).split()
        return not self.known.isdisjoint({*capitals, *map(" ".join, runs)}.difference(self.spoken))


def _is_longer(name: str, rest: str) -> bool:
    """Return True if a name continues with a capitalised word other than a legal form: "Northwind Traders"."""
    match = re.match(r" (?:(?:&|and|of) )?([A-Z][\w'\u2019-]+)", rest)
    added = match and core_name(f"{name} {match[1]}") != core_name(name)
    return bool(match and added and match[1].lower() not in OTHER_CAPITALS)


def entity_of(value: str | dict[str, Any]) -> Entity:
    """Return the entity of a run's input; values are recognised by their form and key."""
    if isinstance(value, str):
        found_sites = sites_within(value)
        return Entity(", ".join(found_sites) or _NAMELESS, sites=tuple(found_sites), text=value)
    found = defaultdict[str, list[str]](list)
    leaves = list(_leaves(value))
    for key, text in leaves:
        words, alone = split_words(key), len(leaves) == 1
        kind = _kind_of(words, text, alone=alone)
        found[kind].append(text)
        if kind == "site" and (alone or _KEYS["name"].search(words)) and not re.search("[/@]", text):
            found["name"].append(text)  # "Cloud.gov" is a name too
    sites = tuple(dict.fromkeys(map(site_in, found["site"])))
    names = found["name"] or found["topic"] or ([] if sites else found["spare"][:1])
    parts = (part.strip() for text in found["place"] for part in text.split(","))
    return Entity(
        given=" ".join((names or [*sites, _NAMELESS])[0].split()),
        names=tuple(dict.fromkeys(one for name in names for one in (core_name(name), fold(name)) if one)),
        sites=sites,
        places=tuple(part for part in parts if fold(part) and not fold(part).isdigit()),
        countries=tuple(map(str.upper, found["country"])),
        topic=bool(found["topic"] and not found["name"]),
        text=" ".join(found["topic"]),
    )


def _kind_of(words: str, text: str, *, alone: bool) -> str:
    """Return what a value of the input is, by its form and the words of its key; a lone value names the entity."""
    kinds = {kind for kind, pattern in _KEYS.items() if pattern.search(words)}
    if site := site_in(text):
        return "" if site in SHARED_SITES or "person" in kinds else "site"
    if "place" in kinds and not alone:
        return "country" if "country" in kinds else "place"
    if "topic" in kinds or alone:
        return "topic" if "topic" in kinds else "name"
    if "person" in kinds:
        return ""
    return "name" if "name" in kinds else "spare" if len(text) < 80 else ""


def _leaves(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the input's (key, text) pairs; nested keys are joined, blanks are dropped."""
    for key, inner in value.items():
        name = f"{prefix} {key}".strip()
        if isinstance(inner, dict):
            yield from _leaves(inner, name)
        for one in inner if isinstance(inner, list) else [inner]:
            if type(one) in {str, int, float} and fold(str(one)) not in _BLANK:
                yield name, str(one).strip()


class DocumentRole(IntEnum):
    """How closely a document is about the entity, as far as its statements are concerned."""

    OTHER = 0
    HEADLINE = 1  # names it in the title, or often
    PROFILE = 2  # presents it as its subject
    OWN = 3  # is on its own site


# The ties of a document to the entity with their scores; a namesake's document and an unrelated one have none.
TIES = {"own site": 4.0, "address": 2.0, "place": 1.8, "name": 1.0}


@dataclass(frozen=True)
class DocumentMatch:
    """A document and its relation to the entity; `matched_by` is the kind of tie."""

    number: int
    document: Document
    role: DocumentRole
    matched_by: str  # one of TIES

    @property
    def score(self) -> float:
        """The order of matches: the highest is first."""
        return TIES[self.matched_by] + 0.75 * self.role + min(len(self.document.facts), 10) / 20

    def citation(self, excerpt: str) -> Citation:
        """Return a citation of the document with an excerpt."""
        return Citation(self.document.url, self.document.title or None, (excerpt,))


@dataclass(frozen=True)
class Dossier:
    """The documents about one entity, best first; `problem` is the reason if there are none."""

    entity: Entity
    matches: tuple[DocumentMatch, ...] = ()
    problem: str = ""
