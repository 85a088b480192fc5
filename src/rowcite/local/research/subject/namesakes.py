"""Separate the documents about the entity from those about a namesake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rowcite.local.research.documents.document import Document
from rowcite.local.research.subject.attribution import DocumentRole, EntityNames, match_fact
from rowcite.local.research.subject.entity import DocumentMatch, Dossier, Entity
from rowcite.local.research.text.normalise import fold
from rowcite.local.research.text.places import city_of, country_code, same_place
from rowcite.local.research.text.urls import site_in, site_of

_PLACE_CONCEPTS = ("city", "hq", "country")
_OFTEN = 4  # mentions by which a page is about the entity, as far as its label lines are concerned


def exclude_namesakes(
    start: Dossier, numbers: list[int], own: set[int], documents: Sequence[Document]
) -> Dossier:
    """Drop documents about namesakes; if there are any, drop also documents tied to the entity by name alone."""
    judged = [(number, _tie_to_entity(documents[number], start, own=number in own)) for number in numbers]
    namesakes = any(verdict == "namesake" for _, verdict in judged)
    kept = [
        _document_match(number, documents[number], verdict, start.entity_names)
        for number, verdict in judged
        if verdict not in {"namesake", "unrelated"} and not (verdict == "name" and namesakes)
    ]
    ordered = tuple(sorted(kept, key=lambda match: (-match.score, match.document.path)))
    return replace(
        start,
        matches=ordered,
        problem="" if ordered else _reason_for_none(start.entity, numbers, namesakes=namesakes),
    )


def _reason_for_none(entity: Entity, numbers: list[int], *, namesakes: bool) -> str:
    who = entity.given or "the subject"
    if namesakes:
        return f"The documents that name {who} are about another organisation of that name, or do not identify one."
    if numbers:
        return f"Documents contain the words {who}, but none of them names it."
    return f"No document mentions {who}."


def _tie_to_entity(document: Document, start: Dossier, *, own: bool) -> str:
    """Return the tie of a document to the entity: own site, address, place or name; else "namesake" or "unrelated"."""
    entity, entity_names = start.entity, start.entity_names
    if own:
        return "own site"
    if entity.numbers and any(number in fold(document.text).replace(" ", "") for number in entity.numbers):
        return "address"
    if set(entity.sites) & document.links:
        return "address"
    presented = _presents(document, entity.names)
    text = f"{document.title} {document.text}"
    if not presented and not (
        _mentions(text, entity_names) and any(name in fold(text) for name in entity.names)
    ):
        return "unrelated"
    if entity.sites and any(site_is_named(document.site, name) for name in entity.names):
        return "namesake"
    return _compare_places(document, entity, entity_names, start.places)


def _presents(document: Document, names: tuple[str, ...]) -> bool:
    """Return True if a page's subject has one of the names, or a name that begins with a long one of them."""
    # "nll" as it is written, but not the "acme" of acme.example
    lower = any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", document.title) for name in names)
    return lower or any(
        subject == name or (subject.startswith(f"{name} ") and name.count(" ") > 1)
        for subject in document.subjects
        for name in names
    )


def _mentions(text: str, entity_names: EntityNames) -> bool:
    """Return True if a text names the entity; one capitalised word at the start of a sentence does not count."""
    return any(
        " " in text[start:end] or re.search(r"[^.!?:\u201c\"] $", text[max(0, start - 9) : start])
        for start, end in entity_names.mentions(text)
    )


def _compare_places(
    document: Document, entity: Entity, entity_names: EntityNames, places: tuple[str, ...]
) -> str:
    """Return the tie by the address and the places that the document gives for the name."""
    role = _role_of(document, entity_names, own=False)
    stated = {
        concept: [
            fact.value
            for fact in document.by_concept.get(concept, ())
            if match_fact(fact, document, role, entity_names)
        ]
        for concept in ("website", *_PLACE_CONCEPTS)
    }
    stated_sites = {site_of(site) for value in stated["website"] if (site := site_in(value))}
    if entity.sites and stated_sites:
        return "address" if stated_sites & set(entity.sites) else "namesake"
    cities = [*stated["city"], *filter(None, map(city_of, stated["hq"]))]
    if places and cities:
        return "place" if any(same_place(city, known) for city in cities for known in places) else "namesake"
    countries = {
        code
        for value in (*stated["country"], *(hq.split(",")[-1] for hq in stated["hq"]))
        if (code := country_code(value))
    }
    given = {
        code
        for kind, text in entity.places
        if kind == "country" and (code := country_code(text) or country_code(text.upper()))
    }
    if given and countries and not given & countries:
        return "namesake"
    return "name"


def _role_of(document: Document, entity_names: EntityNames, *, own: bool) -> DocumentRole:
    mentions = [] if document.title.endswith(".") else entity_names.mentions(document.title)
    profile = _presents(document, entity_names.names) or any(start < 2 for start, _ in mentions)
    headline = profile or bool(mentions) or len(entity_names.mentions(document.text)) >= _OFTEN
    return DocumentRole(own=own, profile=profile, headline=headline)


def _document_match(
    number: int, document: Document, matched_by: str, entity_names: EntityNames
) -> DocumentMatch:
    role = _role_of(document, entity_names, own=matched_by == "own site")
    score = {"own site": 4.0, "address": 2.0, "place": 1.8, "name": 1.0}[matched_by]
    score += 1.0 * role.profile + 0.5 * role.headline + min(len(document.facts), 10) / 20
    return DocumentMatch(number, document, role, score, matched_by)


def site_is_named(site: str, name: str) -> bool:
    """Return True if a site is named after a name: `acme-tools.com` after "acme tools"."""
    label = fold(site.split(".", 1)[0]).replace(" ", "")
    compact = name.replace(" ", "")
    return len(label) > 3 and (compact.startswith(label) or label.startswith(compact))
