"""Read more documents for missing fields: linked pages of the corpus, and documents with the fields' words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rowcite.local.research.answers.json_answer import Reading, find_value
from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.documents.document import Document
from rowcite.local.research.store.search_index import DocumentFinder
from rowcite.local.research.subject.attribution import DocumentRole
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.text.normalise import content_words, fold

_ROUNDS = 2
_PER_FIELD = 3  # documents added for each missing field
_DEPTH = 100  # documents ranked by a search


def read_further(
    target: OutputField,
    reading: Reading,
    documents: Sequence[Document],
    finder: DocumentFinder,
    permitted: frozenset[int] | None,
) -> Reading:
    """Return the reading with documents added that may state the missing fields; at most two rounds.

    The reading has the verdicts: deciding is most of a question's work.
    """
    reading = _with_verdicts(target, reading)
    for _ in range(_ROUNDS):
        missing = [field for field in target.fields if not reading.known[field.name].found]
        if not missing:
            return reading
        known = {match.number for match in reading.matches}
        linked = [
            match
            for match in _linked(reading, documents, finder)
            if permitted is None or match.number in permitted
        ]
        fresh = {
            match.number: match
            for match in [*linked, *_unread_with_words(missing, reading.dossier, finder)]
            if match.number not in known
        }
        if not fresh:
            return reading
        reading = _with_verdicts(
            target, Reading(reading.dossier, (*reading.matches, *fresh.values()), reading.newest)
        )
    return reading


def _with_verdicts(target: OutputField, reading: Reading) -> Reading:
    return replace(reading, known={field.name: find_value(field, reading) for field in target.fields})


def _linked(
    reading: Reading, documents: Sequence[Document], finder: DocumentFinder
) -> Iterator[DocumentMatch]:
    """Yield the pages that name the entity and that its own pages, or pages about it, link to."""
    for match in reading.matches:
        if not (match.role.own or match.role.profile):
            continue
        for url in match.document.hrefs:
            number = finder.by_url.get(url)
            if number is not None and _names(documents[number], reading.dossier):
                yield DocumentMatch(
                    number,
                    documents[number],
                    DocumentRole(own=False, profile=False, headline=False),
                    0.9,
                    "address",
                )


def _names(document: Document, dossier: Dossier) -> bool:
    return bool(dossier.entity_names.mentions(document.text))


def _unread_with_words(
    missing: list[OutputField], dossier: Dossier, finder: DocumentFinder
) -> Iterator[DocumentMatch]:
    """Yield the unread documents about the entity that contain the words of a missing field, best first."""
    by_number = {match.number: match for match in dossier.matches}
    for field in missing:
        words = [word for word in fold(f"{field.words} {field.description}").split() if content_words(word)]
        hits = [number for number in finder.containing_any(words, _DEPTH) if number in by_number]
        with_facts = [
            number
            for number, match in by_number.items()
            if field.concept and field.concept in match.document.by_concept
        ]
        for number in dict.fromkeys([*with_facts[:_PER_FIELD], *hits[:_PER_FIELD]]):
            yield by_number[number]
