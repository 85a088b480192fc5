"""Separate the documents about the entity from those about a namesake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rowcite.local.research.documents.document import Document
from rowcite.local.research.subject.attribution import DocumentRole, EntityNames, match_fact
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.text.normalise import fold
from rowcite.local.research.text.places import city_of, country_code, same_place
from rowcite.local.research.text.urls import site_in, site_of

PLACES = ("city", "hq", "country")
_OFTEN = 4  # mentions by which a page is about the entity, as far as its label lines are concerned
# The ties of a document to the entity with their scores; a namesake's document and an unrelated one have none.
_SCORES = {"own site": 4.0, "address": 2.0, "place": 1.8, "name": 1.0}


def exclude_namesakes(
    start: Dossier, numbers: list[int], own: set[int], documents: Sequence[Document]
) -> Dossier:
    """Drop documents about namesakes; if there are any, drop also documents tied to the entity by name alone."""
    ties = {number: _tie(documents[number], start, own=number in own) for number in numbers}
    namesakes = "namesake" in ties.values()
    matches = [
        _match(number, documents[number], tie, start.entity_names)
        for number, tie in ties.items()
        if tie in _SCORES and not (tie == "name" and namesakes)
    ]
    ordered = tuple(sorted(matches, key=lambda match: (-match.score, match.document.path)))
    who = start.entity.given or "the subject"
    problem = f"No document mentions {who}."
    if namesakes:
        problem = f"The documents that name {who} are about another organisation of that name, or do not identify one."
    elif numbers:
        problem = f"Documents contain the words {who}, but none of them names it."
    return replace(start, matches=ordered, problem="" if ordered else problem)


def _tie(document: Document, start: Dossier, *, own: bool) -> str:
    """Return the tie of a document to the entity: own site, address, place or name; else "namesake" or "unrelated"."""
    entity, names = start.entity, start.entity_names
    digits = fold(document.text).replace(" ", "") if entity.numbers else ""
    if own:
        return "own site"
    if any(number in digits for number in entity.numbers) or set(entity.sites) & document.links:
        return "address"
    text = f"{document.title} {document.text}"
    if not presents(document, entity.names) and not (
        _mentions(text, names) and any(name in fold(text) for name in entity.names)
    ):
        return "unrelated"
    if entity.sites and any(site_is_named(document.site, name) for name in entity.names):
        return "namesake"
    return _compare_places(document, start)


def presents(document: Document, names: tuple[str, ...]) -> bool:
    """Return True if a page's subject has one of the names, or a name that begins with a long one of them."""
    # "nll" as it is written, but not the "acme" of acme.example
    lower = any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", document.title) for name in names)
    return lower or any(
        subject == name or (subject.startswith(f"{name} ") and name.count(" ") > 1)
        for subject in document.subjects
        for name in names
    )


def _mentions(text: str, names: EntityNames) -> bool:
    """Return True if a text names the entity; one capitalised word at the start of a sentence does not count."""
    return any(
        " " in text[start:end] or re.search(r"[^.!?:\u201c\"] $", text[max(0, start - 9) : start])
        for start, end in names.mentions(text)
    )


def stated(document: Document, role: DocumentRole, names: EntityNames, *concepts: str) -> list[str]:
    """Return what a document states of the entity."""
    facts = (fact for concept in concepts for fact in document.by_concept.get(concept, ()))
    return [fact.value for fact in facts if match_fact(fact, document, role, names)]


def _compare_places(document: Document, start: Dossier) -> str:
    """Return the tie by the address and the places that the document gives for the name."""
    entity, names = start.entity, start.entity_names
    role = _role(document, names, own=False)
    sites = {site_of(site) for value in stated(document, role, names, "website") if (site := site_in(value))}
    if entity.sites and sites:
        return "address" if sites & set(entity.sites) else "namesake"
    seats = stated(document, role, names, "hq")
    cities = [*stated(document, role, names, "city"), *filter(None, map(city_of, seats))]
    if start.places and cities:
        same = any(same_place(city, known) for city in cities for known in start.places)
        return "place" if same else "namesake"
    countries = [*stated(document, role, names, "country"), *(seat.split(",")[-1] for seat in seats)]
    codes = set(filter(None, map(country_code, countries)))
    given = {
        country_code(text) or country_code(text.upper()) for kind, text in entity.places if kind == "country"
    }
    return "namesake" if codes and given - {""} and not codes & given else "name"


def _role(document: Document, names: EntityNames, *, own: bool) -> DocumentRole:
    mentions = [] if document.title.endswith(".") else names.mentions(document.title)
    profile = presents(document, names.names) or any(start < 2 for start, _ in mentions)
    headline = profile or bool(mentions) or len(names.mentions(document.text)) >= _OFTEN
    return DocumentRole(own=own, profile=profile, headline=headline)


def _match(number: int, document: Document, tie: str, names: EntityNames) -> DocumentMatch:
    role = _role(document, names, own=tie == "own site")
    score = _SCORES[tie] + 1.0 * role.profile + 0.5 * role.headline + min(len(document.facts), 10) / 20
    return DocumentMatch(number, document, role, score, tie)


def site_is_named(site: str, name: str) -> bool:
    """Return True if a site is named after a name: `acme-tools.com` after "acme tools"."""
    label = fold(site.split(".", 1)[0]).replace(" ", "")
    compact = name.replace(" ", "")
    return len(label) > 3 and (compact.startswith(label) or label.startswith(compact))
