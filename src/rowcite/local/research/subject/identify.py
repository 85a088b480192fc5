"""Find the entity in the corpus: its names, sites and places, and the documents that may be about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz import fuzz

from rowcite.local.research.documents.document import Document
from rowcite.local.research.store.search_index import DocumentFinder
from rowcite.local.research.subject.attribution import (
    DocumentRole,
    EntityNames,
    match_fact,
    mention_pattern,
)
from rowcite.local.research.subject.entity import Dossier, Entity
from rowcite.local.research.subject.namesakes import exclude_namesakes, site_is_named
from rowcite.local.research.text.normalise import core_name, fold, strip_accents
from rowcite.local.research.text.places import same_place
from rowcite.local.research.text.urls import site_in

_PLACE_CONCEPTS = ("city", "hq", "country")


def identify(
    entity: Entity, documents: Sequence[Document], finder: DocumentFinder, permitted: frozenset[int] | None
) -> Dossier:
    """Return the documents about the entity; `permitted` limits them to those the source policy admits."""
    entity = _with_known_names(entity, finder, documents)
    sites = list(entity.sites) or _claimed_sites(entity, documents, finder)
    if not entity.sites and len(sites) > 1:
        sites = _sites_in_given_place(sites, entity, documents, finder)
        if len(sites) > 1:
            listed = ", ".join(sites[:4])
            return Dossier(
                entity,
                _entity_names(entity, finder),
                (),
                f"Several organisations are called {entity.given} ({listed}); the input does not identify one of them.",
            )
    own = [number for site in sites for number in finder.by_site.get(site, [])]
    entity = replace(entity, sites=tuple(sites), names=_all_names(entity, own, documents))
    entity_names = _entity_names(entity, finder, own, documents)
    places = _known_places(entity, own, documents, entity_names)
    numbers = dict.fromkeys([*own, *_candidates(entity, finder)])
    start = Dossier(entity, entity_names, (), "", places)
    return exclude_namesakes(
        start, [n for n in numbers if permitted is None or n in permitted], set(own), documents
    )


def _with_known_names(entity: Entity, finder: DocumentFinder, documents: Sequence[Document]) -> Entity:
    """Return the entity with names from free text: the longest word runs that are a document's subject."""
    if entity.names or not entity.text:
        return _with_corrected_spelling(entity, finder)
    words = fold(entity.text).split()
    for size in range(min(6, len(words)), 0, -1):
        runs = [" ".join(words[at : at + size]) for at in range(len(words) - size + 1)]
        known = [run for run in runs if _is_known(run, finder, documents)]
        if known:
            return replace(
                entity,
                names=tuple(dict.fromkeys(core_name(run) for run in known[:1])),
                given=entity.given or known[0].title(),
            )
    return entity


def _is_known(run: str, finder: DocumentFinder, documents: Sequence[Document]) -> bool:
    """Return True if words are a name: one in structured data, a subject of several words, or a site's own name."""
    if run in finder.known:
        return True
    numbers = finder.by_subject.get(run, [])
    return bool(numbers) and (
        " " in run or any(site_is_named(documents[number].site, run) for number in numbers)
    )


def _with_corrected_spelling(entity: Entity, finder: DocumentFinder) -> Entity:
    """Return the entity with the corpus's spelling of a name that occurs nowhere as given."""
    if entity.topic or entity.sites or any(finder.containing_phrase(name) for name in entity.names):
        return entity
    close = [name for given in entity.names for name in finder.close_names(given)]
    return replace(entity, names=tuple(dict.fromkeys([*entity.names, *close[:1]])))


def _claimed_sites(entity: Entity, documents: Sequence[Document], finder: DocumentFinder) -> list[str]:
    """Return the sites that documents about the entity give as its site, or that are named after it."""
    found: list[str] = []
    for number in _subject_numbers(entity, finder):
        document = documents[number]
        found += [
            site
            for fact in document.by_concept.get("website", ())
            if core_name(fact.subject or entity.names[0]) in entity.names and (site := site_in(fact.value))
        ]
        if document.site and any(site_is_named(document.site, name) for name in entity.names):
            found.append(document.site)
    return list(dict.fromkeys(found))


def _sites_in_given_place(
    sites: list[str], entity: Entity, documents: Sequence[Document], finder: DocumentFinder
) -> list[str]:
    """Return the sites whose pages give the input's place; all of them if none does."""
    given = [text for _, text in entity.places]
    matching = []
    for site in sites:
        numbers = set(finder.by_site.get(site, [])) | set(finder.by_link.get(site, []))
        stated = [
            fact.value
            for n in sorted(numbers)
            for concept in _PLACE_CONCEPTS
            for fact in documents[n].by_concept.get(concept, ())
            if documents[n].site == site or core_name(fact.subject or entity.names[0]) in entity.names
        ]
        if given and any(same_place(value, place) for value in stated for place in given):
            matching.append(site)
    return matching or sites


def _all_names(entity: Entity, own: list[int], documents: Sequence[Document]) -> tuple[str, ...]:
    """Return the names with those of the own site: close to the given name, or the most frequent if none was given."""
    if not own:
        return entity.names
    counts: dict[str, int] = {}
    for number in own:
        for subject in documents[number].subjects:
            counts[subject] = counts.get(subject, 0) + 1
    if not entity.names:
        labels = [name for name in counts if any(site_is_named(site, name) for site in entity.sites)]
        return tuple(sorted(labels, key=lambda name: (-counts[name], name))[:2])
    close = [name for name in counts if any(_same_company(name, given) for given in entity.names)]
    return tuple(dict.fromkeys([*entity.names, *close]))


def _same_company(name: str, given: str) -> bool:
    """Return True if two names on one site belong to one company: a longer and a shorter form, or a misspelling."""
    shorter, longer = sorted((name, given), key=len)
    return (
        longer.startswith(f"{shorter} ") and len(longer.split()) <= len(shorter.split()) + 2
    ) or fuzz.ratio(name, given) > 88


def _entity_names(
    entity: Entity,
    finder: DocumentFinder,
    own: list[int] | None = None,
    documents: Sequence[Document] | None = None,
) -> EntityNames:
    """Return the names of the entity for matching; its first word alone counts if its own site uses it so."""
    short = {name.split()[0] for name in entity.names if len(name.split()) > 1 and len(name.split()[0]) > 4}
    used = tuple(
        sorted(
            word
            for word in short
            if own and documents and any(_uses_alone(word, documents[n], entity.names) for n in own)
        )
    )
    names = tuple(dict.fromkeys([*entity.names, *used]))
    return EntityNames(names, mention_pattern(names), finder.known - frozenset(names))


def _uses_alone(word: str, document: Document, names: tuple[str, ...]) -> bool:
    pattern = mention_pattern((word,))
    entity_names = EntityNames((word,), pattern, frozenset())
    text = strip_accents(document.text)
    seconds = tuple(name.split()[1] for name in names if len(name.split()) > 1)
    return any(not fold(text[end : end + 30]).startswith(seconds) for _, end in entity_names.mentions(text))


def _known_places(
    entity: Entity, own: list[int], documents: Sequence[Document], entity_names: EntityNames
) -> tuple[str, ...]:
    """Return the given places, and those that the own site states."""
    found = [text for kind, text in entity.places if kind != "country"]
    for number in own:
        document = documents[number]
        for concept in ("city", "hq"):
            found += [
                fact.value
                for fact in document.by_concept.get(concept, ())
                if match_fact(
                    fact, document, DocumentRole(own=True, profile=True, headline=True), entity_names
                )
            ]
    return tuple(dict.fromkeys(found))


def _candidates(entity: Entity, finder: DocumentFinder) -> list[int]:
    """Return the documents that name the entity or link to its site."""
    named = [number for name in entity.names for number in finder.containing_phrase(name)]
    linked = [number for site in entity.sites for number in finder.by_link.get(site, [])]
    return sorted({*named, *linked, *_subject_numbers(entity, finder)})


def _subject_numbers(entity: Entity, finder: DocumentFinder) -> list[int]:
    return sorted({number for name in entity.names for number in finder.by_subject.get(name, [])})
