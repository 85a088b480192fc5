"""Find the entity in the corpus: its names, sites and places, and the documents about it instead of a namesake."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from rowcite.local.research.documents.document import Document
from rowcite.local.research.store.library import Library
from rowcite.local.research.subject.attribution import (
    OWN_PAGE,
    DocumentRole,
    EntityNames,
    match_fact,
    mention_pattern,
)
from rowcite.local.research.subject.entity import DocumentMatch, Dossier, Entity
from rowcite.local.research.text.normalise import core_name, fold
from rowcite.local.research.text.places import city_of, same_place
from rowcite.local.research.text.urls import site_in, site_of

PLACES = ("city", "hq", "country")
_COVER = 12  # blocks at the start: a line of theirs with the name alone names what the document is about
_OFTEN = 4  # mentions by which a page is about the entity, as far as its label lines are concerned
# The ties of a document to the entity with their scores; a namesake's document and an unrelated one have none.
_SCORES = {"own site": 4.0, "address": 2.0, "place": 1.8, "name": 1.0}


def identify(entity: Entity, library: Library) -> Dossier:
    """Return the documents about the entity, of those that the source policy admits."""
    entity = _with_known_names(entity, library)
    sites = list(entity.sites) or _claimed_sites(entity, library)
    if len(sites) > 1 and not entity.sites:
        listed = ", ".join(sites[:4])
        problem = f"Several organisations are called {entity.given} ({listed}); the input does not identify one of them."
        return Dossier(entity, _names_of(entity, library), problem=problem)
    own = [number for site in sites for number in library.by_site.get(site, [])]
    pages = [library[number] for number in own]
    entity = replace(entity, sites=tuple(sites))
    entity = replace(entity, names=_names_on(pages, entity))
    names = _names_of(entity, library)
    stated = (place for page in pages for place in _stated(page, OWN_PAGE, names, "city", "hq"))
    forms = [form for name in entity.names for form in (name, f"{name}s")]  # "Acme's"
    named = {number for form in forms for number in library.containing_phrase(form)}
    linked = {number for site in sites for number in library.by_link.get(site, [])}
    numbers = dict.fromkeys([*own, *sorted({*named, *linked, *_presenting(entity, library)})])
    start = Dossier(entity, names, places=tuple(dict.fromkeys([*entity.places, *stated])))
    admitted = {number: library[number] for number in numbers if library.admits(number)}
    if numbers and not admitted:
        return replace(start, problem=f"No document that the source policy admits mentions {start.names()}.")
    return exclude_namesakes(start, admitted, set(own))


def _with_known_names(entity: Entity, library: Library) -> Entity:
    """Return the entity with names from free text, or with that of the corpus for a misspelt name."""
    if entity.text and not entity.names:
        words = fold(entity.text).split()
        sizes = range(min(6, len(words)), 0, -1)  # the longest words that are a name
        runs = (" ".join(words[at : at + size]) for size in sizes for at in range(len(words) - size + 1))
        names = [run for run in runs if _is_known(run, library)][:1]
        return replace(
            entity, names=tuple(map(core_name, names)), given=entity.given or "".join(names).title()
        )
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
    names, found = _names_of(entity, library), list[str]()
    for document in (library[number] for number in _presenting(entity, library)):
        if any(_is_named(document.site, name) for name in entity.names):
            found.append(document.site)
        else:
            found += list(filter(None, map(site_in, _stated(document, OWN_PAGE, names, "website"))))[:1]
    sites = list(dict.fromkeys(found))
    return [site for site in sites if _is_in_given_place(site, entity, library)] or sites


def _is_in_given_place(site: str, entity: Entity, library: Library) -> bool:
    """Return True if the pages of a site, or pages that link to it, give the input's place."""
    numbers = sorted({*library.by_site.get(site, []), *library.by_link.get(site, [])})
    names = _names_of(entity, library)
    found = [place for number in numbers for place in _stated(library[number], OWN_PAGE, names, *PLACES)]
    return any(same_place(place, given) for place in found for given in (*entity.places, *entity.countries))


def _names_on(pages: list[Document], entity: Entity) -> tuple[str, ...]:
    """Return the given names, and the two most frequent subjects of the own site after which it is named."""
    counts = Counter(subject for page in pages for subject in page.subjects)
    named = [name for name in counts if any(_is_named(site, name) for site in entity.sites)]
    frequent = sorted(named, key=lambda name: (-counts[name], name))[:2]
    return tuple(dict.fromkeys([*entity.names, *frequent]))


def _names_of(entity: Entity, library: Library) -> EntityNames:
    """Return the names of the entity for matching; the first word of one counts alone if its site is named so."""
    first = [name.split()[0] for name in entity.names if " " in name]
    labels = {site.split(".", 1)[0] for site in entity.sites}
    names = tuple(
        dict.fromkeys([*entity.names, *(word for word in first if word in labels and len(word) > 4)])
    )
    return EntityNames(names, mention_pattern(names), library.known - frozenset(names))


def exclude_namesakes(start: Dossier, documents: dict[int, Document], own: set[int]) -> Dossier:
    """Drop documents about namesakes; if there are any, drop also documents tied to the entity by name alone."""
    ties = {number: _tie(one, start, own=number in own) for number, one in documents.items()}
    namesakes = "namesake" in ties.values()
    kept = {
        number: tie for number, tie in ties.items() if tie in _SCORES and not (namesakes and tie == "name")
    }
    matches = []
    for number, tie in kept.items():
        document = documents[number]
        role = _role(document, start.entity_names, own=tie == "own site")
        score = _SCORES[tie] + role.profile + role.headline / 2 + min(len(document.facts), 10) / 20
        matches.append(DocumentMatch(number, document, role, score, tie))
    ordered = tuple(sorted(matches, key=lambda match: (-match.score, match.document.path)))
    problem = f"No document mentions {start.names()}."
    if namesakes:
        problem = (
            f"The documents that name {start.names()} are about another of that name, or do not identify one."
        )
    elif documents:
        problem = f"Documents contain the words {start.names()}, but none of them names it."
    return replace(start, matches=ordered, problem="" if ordered else problem)


def _tie(document: Document, start: Dossier, *, own: bool) -> str:
    """Return the tie of a document to the entity: own site, address, place or name; else "namesake" or "unrelated"."""
    entity, names = start.entity, start.entity_names
    if own:
        return "own site"
    if set(entity.sites) & document.links:
        return "address"
    text = _lines(document)
    if not presents(document, entity.names) and not (
        names.mentions(text) and any(name in fold(text) for name in entity.names)
    ):
        return "unrelated"
    if entity.sites and any(_is_named(document.site, name) for name in entity.names):
        return "namesake"
    return _compare_places(document, start)


def _lines(document: Document) -> str:
    """Return the title and the blocks as lines: a name at the end of one is not continued by the next."""
    return "\n".join([document.title, *(block.text for block in document.blocks)])


def presents(document: Document, names: tuple[str, ...]) -> bool:
    """Return True if a page's subject has one of the names, or a name that begins with a long one of them."""
    # "nll" as it is written, but not the "acme" of acme.example
    lower = any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", document.title) for name in names)
    long = tuple(f"{name} " for name in names if name.count(" ") > 1)
    return lower or any(subject in names or subject.startswith(long) for subject in document.subjects)


def _stated(document: Document, role: DocumentRole, names: EntityNames, *concepts: str) -> list[str]:
    """Return what a document states of the entity."""
    facts = (fact for concept in concepts for fact in document.by_concept.get(concept, ()))
    return [fact.value for fact in facts if match_fact(fact, role, names)]


def _compare_places(document: Document, start: Dossier) -> str:
    """Return the tie by the address and the places that the document gives for the name."""
    entity, names = start.entity, start.entity_names
    role = _role(document, names, own=False)
    sites = {site_of(site) for value in _stated(document, role, names, "website") if (site := site_in(value))}
    if entity.sites and sites:
        return "address" if sites & set(entity.sites) else "namesake"
    seats = _stated(document, role, names, "hq")
    cities = [*_stated(document, role, names, "city"), *filter(None, map(city_of, seats))]
    if start.places and cities:
        same = any(same_place(city, known) for city in cities for known in start.places)
        return "place" if same else "namesake"
    countries = [*_stated(document, role, names, "country"), *seats]
    given = [country.upper() for country in entity.countries]
    same = any(same_place(country, known) for country in countries for known in given)
    return "namesake" if countries and given and not same else "name"


def _role(document: Document, names: EntityNames, *, own: bool) -> DocumentRole:
    mentions = [] if document.title.endswith(".") else names.mentions(document.title)
    cover = (line for block in document.blocks[:_COVER] if block.kind == "text" for line in block.lines)
    alone = any(map(names.is_name, cover))
    profile = alone or presents(document, names.names) or any(start < 2 for start, _ in mentions)
    headline = profile or bool(mentions) or len(names.mentions(_lines(document))) >= _OFTEN
    return DocumentRole(own=own, profile=profile, headline=headline)


def _is_named(site: str, name: str) -> bool:
    """Return True if a site is named after a name: `acme-tools.com` after "acme tools"."""
    label = fold(site.split(".", 1)[0]).replace(" ", "")
    compact = name.replace(" ", "")
    return len(label) > 3 and (compact.startswith(label) or label.startswith(compact))
