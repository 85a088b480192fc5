"""Write a markdown report of sentences quoted from the documents, each with its source."""

from __future__ import annotations

from typing import Any

from rapidfuzz import fuzz

from rowcite.local.research.answers.decide import merge_citations
from rowcite.local.research.answers.fill import NOT_FOUND, Reading
from rowcite.local.research.documents.document import Document
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.question import Finding
from rowcite.local.research.subject.entity import entity_of
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.model import Citation, FieldBasis
from rowcite.wording import plural

_PAGES, _PER_PAGE, _SEARCHED, _SHORTEST, _LONGEST = 6, 4, 60, 40, 400

Passage = tuple[str, Document]
"""A sentence of the report and its document."""


def report(given: str | dict[str, Any], reading: Reading) -> Finding:
    """Return a report on the entity, or on the topic if the input names one."""
    entity = None if isinstance(given, str) else entity_of(given)
    topic = (entity.given or reading.dossier.names()) if entity else str(given)
    passages = _about_entity(reading)
    if not passages:
        places = " ".join(text for _, text in entity.places) if entity else ""
        passages = _about_topic(topic, places, reading)
    if not passages:
        reason = reading.dossier.problem or f"No document mentions {topic}."
        return Finding("text", f"# {topic}\n\n{NOT_FOUND}\n", (FieldBasis("output", reason, (), "low"),))
    citations = merge_citations(Citation(one.url, one.title or None, (text,)) for text, one in passages)
    pages, sites = len(citations), len({one.site or one.url for _, one in passages})
    reasoning = (
        f"Made of {plural(len(passages), 'sentence')} from {plural(pages, 'document')} on {plural(sites, 'site')},"
        " quoted literally."
    )
    basis = FieldBasis("output", reasoning, citations, "high" if sites > 2 else "medium")
    return Finding("text", _markdown(topic, passages, citations), (basis,))


def _about_entity(reading: Reading) -> list[Passage]:
    """Return sentences of the entity's own pages, and sentences of other pages that name it."""
    names, found = reading.dossier.entity_names, list[Passage]()
    for match in reading.matches:
        texts = _full_sentences(match.document)
        usable = [text for text in texts if match.role.own or names.mentions(text)]
        found += _fresh(usable, found, match.document)[:_PER_PAGE]
    return found


def _about_topic(topic: str, places: str, reading: Reading) -> list[Passage]:
    """Return sentences of pages whose title names the topic, and matching sentences of pages that contain its words."""
    library, stems, near = reading.library, set(content_words(topic)), set(content_words(places))
    words = [word for word in fold(topic).split() if content_words(word)]
    ranked = []
    for number, _ in library.scored(words, _SEARCHED):
        document = library[number]
        in_title, in_text = _share(stems, document.title), _share(stems, document.text)
        if library.admits(number) and (in_title >= 0.5 or in_text == 1):
            nearby = _share(near, f"{document.title} {document.text}")
            ranked.append((-(2 * in_title + in_text + nearby), number))
    found: list[Passage] = []
    for document in (library[number] for _, number in sorted(ranked)[:_PAGES]):
        in_title = _share(stems, document.title) >= 0.5
        usable = [text for text in _full_sentences(document) if in_title or _share(stems, text) >= 0.5]
        found += _fresh(usable, found, document)[: 2 * _PER_PAGE]
    return found


def _share(stems: set[str], text: str) -> float:
    """Return the share of the stems that a text contains, 0..1."""
    return len(stems & set(content_words(text))) / len(stems) if stems else 0.0


def _fresh(texts: list[str], found: list[Passage], document: Document) -> list[Passage]:
    """Return the texts that no passage found before repeats."""
    known = [fold(text) for text, _ in found]
    return [(text, document) for text in texts if not any(fuzz.ratio(fold(text), one) >= 90 for one in known)]


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
    lines, sources = [f"# {topic}", ""], ["## Sources", ""]
    for number, citation in enumerate(citations, 1):
        label = (citation.title or citation.url).replace("[", "(").replace("]", ")")
        link = f"[{label}]({citation.url})"
        mine = [(text, document) for text, document in passages if document.url == citation.url]
        date = mine[0][1].date
        lines += [
            f"## {label}{f' ({date})' if date else ''}",
            "",
            *(f"- {text} {link}" for text, _ in mine),
            "",
        ]
        sources.append(f"{number}. {link}")
    return "\n".join([*lines, *sources, ""])
