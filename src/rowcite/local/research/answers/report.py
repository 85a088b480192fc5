"""Write a markdown report of sentences quoted from the documents, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from rowcite.local.research.answers.decide import merge_citations
from rowcite.local.research.answers.json_answer import Reading
from rowcite.local.research.answers.open_answers import NOT_FOUND
from rowcite.local.research.documents.document import Document
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.store.library import Library
from rowcite.local.research.subject.entity import entity_of
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.model import Citation, FieldBasis

_PAGES, _PER_PAGE, _SEARCHED, _SHORTEST, _LONGEST = 6, 4, 60, 40, 400


@dataclass(frozen=True)
class Passage:
    """A sentence of the report and its document."""

    text: str
    document: Document


def report(given: str | dict[str, Any], reading: Reading) -> tuple[str, FieldBasis]:
    """Return a report on the entity, or on the topic if the input names one, and its basis."""
    entity = None if isinstance(given, str) else entity_of(given)
    topic = (entity.given or reading.dossier.names()) if entity else str(given)
    passages = _about_entity(reading)
    if not passages:
        places = " ".join(text for _, text in entity.places) if entity else ""
        passages = _about_topic(topic, places, reading.library)
    if not passages:
        reason = reading.dossier.problem or f"No document mentions {topic}."
        return f"# {topic}\n\n{NOT_FOUND}\n", FieldBasis("output", reason, (), "low")
    citations = merge_citations(
        Citation(one.document.url, one.document.title or None, (one.text,)) for one in passages
    )
    pages, sites = len(citations), len({one.document.site or one.document.url for one in passages})
    reasoning = f"Made of {len(passages)} sentences from {pages} document{'s' if pages > 1 else ''} on {sites} site{'s' if sites > 1 else ''}, quoted literally."
    confidence = "high" if sites > 2 else "medium"
    return _markdown(topic, passages, citations), FieldBasis("output", reasoning, citations, confidence)


def _about_entity(reading: Reading) -> list[Passage]:
    """Return sentences of the entity's own pages, and sentences of other pages that name it."""
    names, found = reading.dossier.entity_names, list[Passage]()
    for match in reading.matches:
        texts = _full_sentences(match.document)
        usable = [text for text in texts if match.role.own or names.mentions(text)]
        found += _fresh(usable, found, match.document, _PER_PAGE)
    return found


def _about_topic(topic: str, places: str, library: Library) -> list[Passage]:
    """Return sentences of pages whose title names the topic, and matching sentences of pages that contain its words."""
    stems, near = set(content_words(topic)), set(content_words(places))
    words = [word for word in fold(topic).split() if content_words(word)]
    ranked = []
    for number in filter(library.admits, [hit for hit, _ in library.scored(words, _SEARCHED)]):
        document = library[number]
        in_title, in_text = _share(stems, document.title), _share(stems, document.text)
        if in_title >= 0.5 or in_text == 1:
            nearby = _share(near, f"{document.title} {document.text}")
            ranked.append((-(2 * in_title + in_text + nearby), number))
    found: list[Passage] = []
    for document in (library[number] for _, number in sorted(ranked)[:_PAGES]):
        usable = _full_sentences(document)
        if _share(stems, document.title) < 0.5:
            usable = [text for text in usable if _share(stems, text) >= 0.5]
        found += _fresh(usable, found, document, 2 * _PER_PAGE)
    return found


def _share(stems: set[str], text: str) -> float:
    """Return the share of the stems that a text contains, 0..1."""
    return len(stems & set(content_words(text))) / len(stems) if stems else 0.0


def _fresh(texts: list[str], found: list[Passage], document: Document, limit: int) -> list[Passage]:
    """Return the first texts that no passage found before repeats."""
    known = [passage.text for passage in found]
    fresh = [
        text
        for text in texts
        if not any(fold(text) == fold(one) or fuzz.ratio(text, one, score_cutoff=90) for one in known)
    ]
    return [Passage(text, document) for text in fresh[:limit]]


def _full_sentences(document: Document) -> list[str]:
    """Return a page's full sentences, without headings and teasers."""
    return [
        sentence.text
        for sentence in document.sentences
        if _SHORTEST <= len(sentence.text) <= _LONGEST
        and sentence.text[-1] in '.!?”"'
        and not OTHERS_HEADING.search(sentence.heading)
    ]


def _markdown(topic: str, passages: list[Passage], citations: tuple[Citation, ...]) -> str:
    """Return the report as markdown, with the passages grouped by document."""
    lines = [f"# {topic}", ""]
    links = []
    for citation in citations:
        label = (citation.title or citation.url).replace("[", "(").replace("]", ")")
        links.append(f"[{label}]({citation.url})")
        mine = [passage for passage in passages if passage.document.url == citation.url]
        date = mine[0].document.date
        lines += [f"## {label}{f' ({date})' if date else ''}", ""]
        lines += [*(f"- {passage.text} {links[-1]}" for passage in mine), ""]
    return "\n".join([*lines, "## Sources", "", *(f"{at}. {link}" for at, link in enumerate(links, 1)), ""])
