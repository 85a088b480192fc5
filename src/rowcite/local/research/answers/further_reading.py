"""Read more documents for missing fields: linked pages of the corpus, and documents with the fields' words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rowcite.local.research.answers.json_answer import Reading, find_value
from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.subject.attribution import DocumentRole
from rowcite.local.research.subject.entity import DocumentMatch
from rowcite.local.research.text.normalise import content_words, fold

_ROUNDS = 2
_PER_FIELD = 3  # documents added for each missing field
_DEPTH = 100  # documents ranked by a search
_LINKED = DocumentRole(own=False, profile=False, headline=False)


def read_further(target: OutputField, reading: Reading) -> Reading:
    """Return the reading with documents added that may state the missing fields; at most two rounds.

    The reading has the verdicts: deciding is most of a question's work.
    """
    for _ in range(_ROUNDS):
        reading = replace(reading, known={field.name: find_value(field, reading) for field in target.fields})
        missing = [field for field in target.fields if not reading.known[field.name].found]
        read = {match.number for match in reading.matches}
        more = [*_linked(reading), *_unread(missing, reading)] if missing else []
        fresh = {
            match.number: match
            for match in more
            if match.number not in read and reading.library.admits(match.number)
        }
        if not fresh:
            return reading
        reading = replace(reading, matches=(*reading.matches, *fresh.values()), known={})
    return reading


def _linked(reading: Reading) -> Iterator[DocumentMatch]:
    """Yield the pages that name the entity and that its own pages, or pages about it, link to."""
    about = [match.document for match in reading.matches if match.role.own or match.role.profile]
    for url in (url for document in about for url in document.hrefs):
        number = reading.library.by_url.get(url)
        document = None if number is None else reading.library[number]
        if number is not None and document and reading.dossier.entity_names.mentions(document.text):
            yield DocumentMatch(number, document, _LINKED, 0.9, "address")


def _unread(missing: list[OutputField], reading: Reading) -> Iterator[DocumentMatch]:
    """Yield the documents about the entity that state a kind of fact or contain the words of a missing field, best first."""
    by_number = {match.number: match for match in reading.dossier.matches}
    for field in missing:
        words = [word for word in fold(f"{field.words} {field.description}").split() if content_words(word)]
        hits = [number for number, _ in reading.library.scored(words, _DEPTH) if number in by_number]
        stating = [
            number
            for number, match in by_number.items()
            if field.concept and field.concept in match.document.by_concept
        ]
        for number in (*stating[:_PER_FIELD], *hits[:_PER_FIELD]):
            yield by_number[number]
