"""Find the entity in the corpus: its names, sites and places, and the documents about it instead of a namesake."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from rowcite.local.research.documents.document import Document
from rowcite.local.research.store.library import Library
from rowcite.local.research.subject.attribution import match_fact
from rowcite.local.research.subject.entity import TIES, DocumentMatch, DocumentRole, Dossier, Entity
from rowcite.local.research.text.normalise import core_name, fold
from rowcite.local.research.text.places import city_of, same_place
from rowcite.local.research.text.urls import site_in

_COVER = 12  # blocks at the start: a line of theirs with the name alone names what the document is about
_OFTEN = 4  # mentions by which a page is about the entity, as far as its label lines are concerned


def identify(entity: Entity, library: Library) -> Dossier:
    """Return the documents about the entity, of those that the source policy admits."""
    entity = replace(_with_known_names(entity, library), known=library.known)
    sites = list(entity.sites) or _claimed_sites(entity, library)
    if len(sites) > 1 and not entity.sites:
        listed = ", ".join(sites[:4])
        problem = f"Several organisations are called {entity.given} ({listed}); the input does not identify one of them."
        return Dossier(entity, problem=problem)
    own = [number for site in sites for number in library.by_site.get(site, [])]
    entity = _described_by([library[number] for number in own], replace(entity, sites=tuple(sites)))
    named = {number for name in entity.names for number in library.containing_phrase(name)}
    linked = {number for site in sites for number in library.by_link.get(site, [])}
    numbers = dict.fromkeys([*own, *sorted({*named, *linked, *_presenting(entity, library)})])
    admitted = {number: library[number] for number in numbers if library.admits(number)}
    if numbers and not admitted:
        problem = f"No document that the source policy admits mentions {entity.given}."
        return Dossier(entity, problem=problem)
    return exclude_namesakes(entity, admitted)


def _with_known_names(entity: Entity, library: Library) -> Entity:
    """Return the entity with names from free text, or with that of the corpus for a misspelt name."""
    if entity.text and not entity.names:
        words = fold(entity.text).split()
        sizes = range(min(6, len(words)), 0, -1)  # the longest words that are a name
        runs = (" ".join(words[at : at + size]) for size in sizes for at in range(len(words) - size + 1))
        name = next((run for run in runs if _is_known(run, library)), "")
        return replace(entity, names=(core_name(name),), given=name.title()) if name else entity
    if entity.topic or entity.sites or any(map(library.containing_phrase, entity.names)):
        return entity
    close = [name for given in entity.names if (name := library.close_name(given))]
    return replace(entity, names=(*entity.names, *close[:1]))


def _is_known(run: str, library: Library) -> bool:
    """Return True if words are a name: one in structured data, a subject of several words, or a site's own name."""
    numbers = library.by_subject.get(run, [])
    sites = (library.summaries[number].site for number in numbers)
    return run in library.known or any(" " in run or _is_named(site, run) for site in sites)


def _presenting(entity: Entity, library: Library) -> list[int]:
    """Return the documents whose subject has one of the entity's names."""
    return sorted({number for name in entity.names for number in library.by_subject.get(name, [])})


def _claimed_sites(entity: Entity, library: Library) -> list[str]:
    """Return the sites that present the entity and are named after it, and the first one that each document gives as its own."""
    found = list[str]()
    for document in (library[number] for number in _presenting(entity, library)):
        if any(_is_named(document.site, name) for name in entity.names):
            found.append(document.site)
        else:
            stated = map(site_in, _stated(document, DocumentRole.OWN, entity, "website"))
            found += list(filter(None, stated))[:1]
    sites = list(dict.fromkeys(found))
    return [site for site in sites if _is_in_given_place(site, entity, library)] or sites


def _is_in_given_place(site: str, entity: Entity, library: Library) -> bool:
    """Return True if the pages of a site, or pages that link to it, give the input's place."""
    numbers = sorted({*library.by_site.get(site, []), *library.by_link.get(site, [])})
    pages = [_stated(library[one], DocumentRole.OWN, entity, "city", "hq", "country") for one in numbers]
    given = (*entity.places, *entity.countries)
    return any(same_place(one, place) for stated in pages for one in stated for place in given)


def _described_by(pages: list[Document], entity: Entity) -> Entity:
    """Return the entity with what its own site states: two names, the most frequent subjects after which it is named, and its places."""
    counts = Counter(subject for page in pages for subject in page.subjects)
    named = [name for name in counts if any(_is_named(site, name) for site in entity.sites)]
    frequent = sorted(named, key=lambda name: (-counts[name], name))[:2]
    entity = replace(entity, names=tuple(dict.fromkeys([*entity.names, *frequent])))
    stated = [place for page in pages for place in _stated(page, DocumentRole.OWN, entity, "city", "hq")]
    return replace(entity, places=tuple(dict.fromkeys([*entity.places, *stated])))


def exclude_namesakes(entity: Entity, documents: dict[int, Document]) -> Dossier:
    """Drop documents about namesakes; if there are any, drop also documents tied to the entity by name alone."""
    ties = {number: _tie(document, entity) for number, document in documents.items()}
    namesakes = "namesake" in ties.values()
    matches = [
        DocumentMatch(number, documents[number], _role(documents[number], entity), tie)
        for number, tie in ties.items()
        if tie in TIES and not (namesakes and tie == "name")
    ]
    if matches:
        return Dossier(entity, tuple(sorted(matches, key=lambda one: (-one.score, one.document.path))))
    problem = f"No document mentions {entity.given}."
    if namesakes:
        problem = f"The documents that name {entity.given} are about a namesake, or do not identify one."
    elif documents:
        problem = f"Documents contain the words {entity.given}, but none of them names it."
    return Dossier(entity, problem=problem)


def _tie(document: Document, entity: Entity) -> str:
    """Return the tie of a document to the entity: own site, address, place or name; else "namesake" or "unrelated"."""
    if document.site in entity.sites:
        return "own site"
    if not document.links.isdisjoint(entity.sites):
        return "address"
    text = _lines(document)
    if not presents(document, entity.names) and not (
        entity.mentions(text) and any(name in fold(text) for name in entity.names)
    ):
        return "unrelated"
    if entity.sites and any(_is_named(document.site, name) for name in entity.names):
        return "namesake"
    return _compare_places(document, entity)


def _lines(document: Document) -> str:
    """Return the title and the blocks as lines: a name at the end of one is not continued by the next."""
    return "\n".join([document.title, *(block.text for block in document.blocks)])


def presents(document: Document, names: tuple[str, ...]) -> bool:
    """Return True if a page's subject has one of the names, or a name that begins with a long one of them."""
    # "nll" as it is written, but not the "acme" of acme.example
    lower = any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", document.title) for name in names)
    long = tuple(f"{name} " for name in names if name.count(" ") > 1)
    return lower or any(subject in names or subject.startswith(long) for subject in document.subjects)


def _stated(document: Document, role: DocumentRole, entity: Entity, *concepts: str) -> list[str]:
    """Return what a document states of the entity."""
    facts = (fact for concept in concepts for fact in document.facts if fact.concept == concept)
    return [fact.value for fact in facts if match_fact(fact, role, entity)]


def _compare_places(document: Document, entity: Entity) -> str:
    """Return the tie by the address and the places that the document gives for the name."""
    role = _role(document, entity)
    sites = set(map(site_in, _stated(document, role, entity, "website"))) - {""}
    if entity.sites and sites:
        return "address" if sites & set(entity.sites) else "namesake"
    seats = _stated(document, role, entity, "hq")
    cities = [*_stated(document, role, entity, "city"), *filter(None, map(city_of, seats))]
    if entity.places and cities:
        same = any(same_place(city, known) for city in cities for known in entity.places)
        return "place" if same else "namesake"
    countries = [*_stated(document, role, entity, "country"), *seats]
    same = any(same_place(country, known) for country in countries for known in entity.countries)
    return "namesake" if countries and entity.countries and not same else "name"


def _role(document: Document, entity: Entity) -> DocumentRole:
    """Return how closely a document is about the entity, by its site, subjects, cover, title and mentions."""
    if document.site in entity.sites:
        return DocumentRole.OWN
    mentions = [] if document.title.endswith(".") else entity.mentions(document.title)
    cover = (line for block in document.blocks[:_COVER] if block.kind == "text" for line in block.lines)
    alone = any(map(entity.is_name, cover))
    if alone or presents(document, entity.spoken) or any(start < 2 for start, _ in mentions):
        return DocumentRole.PROFILE
    often = mentions or len(entity.mentions(_lines(document))) >= _OFTEN
    return DocumentRole.HEADLINE if often else DocumentRole.OTHER


def _is_named(site: str, name: str) -> bool:
    """Return True if a site is named after a name: `acme-tools.com` after "acme tools"."""
    label = fold(site.split(".", 1)[0]).replace(" ", "")
    compact = name.replace(" ", "")
    return len(label) > 3 and (compact.startswith(label) or label.startswith(compact))
