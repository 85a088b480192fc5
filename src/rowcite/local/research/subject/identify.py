"""Find the entity in the corpus: its names, sites and places, and the documents that may be about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rapidfuzz import fuzz

from rowcite.local.research.documents.document import Document
from rowcite.local.research.subject.attribution import OWN_PAGE, EntityNames, mention_pattern
from rowcite.local.research.subject.entity import Dossier, Entity, Library
from rowcite.local.research.subject.namesakes import PLACES, exclude_namesakes, site_is_named, stated
from rowcite.local.research.text.normalise import core_name, fold, strip_accents
from rowcite.local.research.text.places import same_place
from rowcite.local.research.text.urls import site_in


def identify(entity: Entity, library: Library) -> Dossier:
    """Return the documents about the entity, of those that the source policy admits."""
    finder, documents = library.finder, library.documents
    entity = _with_known_names(entity, library)
    sites = list(entity.sites) or _claimed_sites(entity, library)
    if len(sites) > 1 and not entity.sites:
        sites = [site for site in sites if _is_in_given_place(site, entity, library)] or sites
        if len(sites) > 1:
            listed = ", ".join(sites[:4])
            problem = f"Several organisations are called {entity.given} ({listed}); the input does not identify one of them."
            return Dossier(entity, _names_of(entity, [], library), problem=problem)
    own = [number for site in sites for number in finder.by_site.get(site, [])]
    pages = [documents[number] for number in own]
    entity = replace(entity, sites=tuple(sites), names=_names_on(pages, entity))
    names = _names_of(entity, pages, library)
    places = [text for kind, text in entity.places if kind != "country"]
    places += [place for page in pages for place in stated(page, OWN_PAGE, names, "city", "hq")]
    named = [number for name in entity.names for number in finder.containing_phrase(name)]
    linked = [number for site in sites for number in finder.by_link.get(site, [])]
    numbers = dict.fromkeys([*own, *sorted({*named, *linked, *_presented(entity, library)})])
    start = Dossier(entity, names, places=tuple(dict.fromkeys(places)))
    return exclude_namesakes(start, [one for one in numbers if library.admits(one)], set(own), documents)


def _with_known_names(entity: Entity, library: Library) -> Entity:
    """Return the entity with names from free text, the longest words that are a document's subject, or spelled as the corpus does."""
    if entity.names or not entity.text:
        known = entity.topic or entity.sites or any(map(library.finder.containing_phrase, entity.names))
        close = (
            [] if known else [name for given in entity.names for name in library.finder.close_names(given)]
        )
        return replace(entity, names=tuple(dict.fromkeys([*entity.names, *close[:1]])))
    words = fold(entity.text).split()
    for size in range(min(6, len(words)), 0, -1):
        runs = [" ".join(words[at : at + size]) for at in range(len(words) - size + 1)]
        if found := next((run for run in runs if _is_known(run, library)), ""):
            return replace(entity, names=(core_name(found),), given=entity.given or found.title())
    return entity


def _is_known(run: str, library: Library) -> bool:
    """Return True if words are a name: one in structured data, a subject of several words, or a site's own name."""
    numbers = library.finder.by_subject.get(run, [])
    sites = [library.documents[number].site for number in numbers]
    return run in library.finder.known or any(" " in run or site_is_named(site, run) for site in sites)


def _presented(entity: Entity, library: Library) -> list[int]:
    return sorted({number for name in entity.names for number in library.finder.by_subject.get(name, [])})


def _claimed_sites(entity: Entity, library: Library) -> list[str]:
    """Return the sites that documents about the entity give as its site, or that are named after it."""
    names, found = _names_of(entity, [], library), list[str]()
    for document in (library.documents[number] for number in _presented(entity, library)):
        found += filter(None, map(site_in, stated(document, OWN_PAGE, names, "website")))
        if document.site and any(site_is_named(document.site, name) for name in entity.names):
            found.append(document.site)
    return list(dict.fromkeys(found))


def _is_in_given_place(site: str, entity: Entity, library: Library) -> bool:
    """Return True if the pages of a site, or pages that link to it, give the input's place."""
    numbers = sorted({*library.finder.by_site.get(site, []), *library.finder.by_link.get(site, [])})
    names = _names_of(entity, [], library)
    found = [
        place for number in numbers for place in stated(library.documents[number], OWN_PAGE, names, *PLACES)
    ]
    return any(same_place(place, given) for place in found for _, given in entity.places)


def _names_on(pages: list[Document], entity: Entity) -> tuple[str, ...]:
    """Return the names with those of the own site: close to the given name, or the most frequent if none was given."""
    counts = Counter(subject for page in pages for subject in page.subjects)
    if entity.names or not pages:
        close = [name for name in counts if any(_is_form_of(name, given) for given in entity.names)]
        return tuple(dict.fromkeys([*entity.names, *close]))
    named = [name for name in counts if any(site_is_named(site, name) for site in entity.sites)]
    return tuple(sorted(named, key=lambda name: (-counts[name], name))[:2])


def _is_form_of(name: str, given: str) -> bool:
    """Return True if two names on one site belong to one company: a longer and a shorter form, or a misspelling."""
    shorter, longer = sorted((name, given), key=len)
    few = len(longer.split()) <= len(shorter.split()) + 2
    return (longer.startswith(f"{shorter} ") and few) or fuzz.ratio(name, given) > 88


def _names_of(entity: Entity, own: list[Document], library: Library) -> EntityNames:
    """Return the names of the entity for matching; its first word alone counts if its own site uses it so."""
    firsts = {name.split()[0] for name in entity.names if " " in name and len(name.split()[0]) > 4}
    used = sorted(word for word in firsts if any(_uses_alone(word, page, entity.names) for page in own))
    names = tuple(dict.fromkeys([*entity.names, *used]))
    return EntityNames(names, mention_pattern(names), library.finder.known - frozenset(names))


def _uses_alone(word: str, document: Document, names: tuple[str, ...]) -> bool:
    text, alone = strip_accents(document.text), EntityNames((word,), mention_pattern((word,)), frozenset())
    seconds = tuple(name.split()[1] for name in names if " " in name)
    return any(not fold(text[end : end + 30]).startswith(seconds) for _, end in alone.mentions(text))
