"""The entity of a question, read from the run's input, and the documents about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.documents.document import Document
from rowcite.local.research.subject.attribution import DocumentRole, EntityNames
from rowcite.local.research.text.normalise import core_name, fold, split_words
from rowcite.local.research.text.urls import SHARED_SITES, site_in, sites_within
from rowcite.model import Citation

_BLANK = frozenset({"", "n a", "na", "none", "null", "unknown", "tbd", "nan"})
_NAME_KEYS = re.compile(
    r"\b(?:name|company|organi[sz]ation|firm|business|account|brand|entity|supplier|vendor|customer|employer|title|product|person|school|startup|legal name)\b"
)
_TOPIC_KEYS = re.compile(r"\b(?:market|topic|subject|query|question|theme|segment|search|keyword|prompt)\b")
_PERSON_KEYS = re.compile(
    r"\b(?:contact|first|last|owner|user|manager|rep|note|notes|comment|created|updated|status|id|arr|amount|number|registration|vat|tax|phone|telephone)\b"
)
_PLACE_KEYS = re.compile(
    r"\b(?:city|town|country|state|region|province|county|location|address|place|hq|headquarters|postcode|zip)\b"
)


@dataclass(frozen=True)
class Entity:
    """The row's subject: folded core names, sites, places and countries.

    `topic` marks a theme instead of a proper name, `text` a text that may contain a name.
    """

    given: str = ""
    names: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    topic: bool = False
    text: str = ""


def entity_of(value: str | dict[str, Any]) -> Entity:
    """Return the entity of a run's input; values are recognised by their form and key."""
    if isinstance(value, str):
        return Entity(text=value, sites=tuple(sites_within(value)))
    found: dict[str, list[str]] = {
        kind: [] for kind in ("name", "site", "place", "country", "topic", "spare", "")
    }
    leaves = list(_leaves(value))
    for key, text in leaves:
        words, alone = split_words(key), len(leaves) == 1
        kind = _kind_of(words, text, alone=alone)
        found[kind].append(text)
        if kind == "site" and (alone or _NAME_KEYS.search(words)) and not re.search("[/@]", text):
            found["name"].append(text)  # "Cloud.gov" is a name too
    sites = tuple(dict.fromkeys(map(site_in, found["site"])))
    names = found["name"] or found["topic"] or ([] if sites else found["spare"][:1])
    parts = (part.strip() for text in found["place"] for part in text.split(","))
    return Entity(
        given=" ".join((names or [*sites, ""])[0].split()),
        names=tuple(dict.fromkeys(one for name in names for one in (core_name(name), fold(name)) if one)),
        sites=sites,
        places=tuple(part for part in parts if fold(part) and not fold(part).isdigit()),
        countries=tuple(found["country"]),
        topic=bool(found["topic"] and not found["name"]),
        text=" ".join(found["topic"]),
    )


def _kind_of(words: str, text: str, *, alone: bool) -> str:
    """Return what a value of the input is, by its form and the words of its key; a lone value names the entity."""
    personal = _PERSON_KEYS.search(words)
    if site := site_in(text):
        return "" if site in SHARED_SITES or personal else "site"
    if _PLACE_KEYS.search(words) and not alone:
        return "country" if re.search(r"\bcountry\b", words) else "place"
    if _TOPIC_KEYS.search(words):
        return "topic"
    if alone or (_NAME_KEYS.search(words) and not personal):
        return "name"
    return "" if personal or len(text) >= 80 else "spare"


def _leaves(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the input's (key, text) pairs; nested keys are joined, blanks are dropped."""
    for key, inner in value.items():
        name = f"{prefix} {key}".strip()
        if isinstance(inner, dict):
            yield from _leaves(inner, name)
        for one in inner if isinstance(inner, list) else [inner]:
            if type(one) in {str, int, float} and fold(str(one)) not in _BLANK:
                yield name, str(one).strip()


@dataclass(frozen=True)
class DocumentMatch:
    """A document and its relation to the entity; `score` orders matches, `matched_by` is the kind of tie."""

    number: int
    document: Document
    role: DocumentRole
    score: float
    matched_by: str  # own site, address, place or name

    @property
    def site(self) -> str:
        """The site of the document; pages of one site count once."""
        return self.document.site or self.document.url

    def citation(self, excerpt: str) -> Citation:
        """Return a citation of the document with an excerpt."""
        return Citation(self.document.url, self.document.title or None, (excerpt,))


@dataclass(frozen=True)
class Dossier:
    """The documents about one entity, best first; `problem` is the reason if there are none."""

    entity: Entity
    entity_names: EntityNames
    matches: tuple[DocumentMatch, ...] = ()
    problem: str = ""
    places: tuple[str, ...] = ()

    def names(self) -> str:
        """Return the entity's name for a sentence."""
        return self.entity.given or ", ".join(self.entity.sites) or "the subject"
