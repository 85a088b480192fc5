"""Write a markdown report of sentences quoted from the documents, each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from rowcite.local.research.answers.json_answer import Reading
from rowcite.local.research.answers.text_answer import NOT_FOUND
from rowcite.local.research.documents.document import Document, Sentence
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.store.search_index import DocumentFinder
from rowcite.local.research.subject.entity import entity_of
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.model import Citation, FieldBasis

_PAGES, _PER_PAGE, _SEARCHED, _SHORTEST, _LONGEST = 6, 4, 60, 40, 400


@dataclass(frozen=True)
class Passage:
    """A sentence of the report and its document."""

    text: str
    document: Document
    heading: str


def report(
    given: str | dict[str, Any],
    reading: Reading,
    documents: Sequence[Document],
    finder: DocumentFinder,
    permitted: frozenset[int] | None,
) -> tuple[str, FieldBasis]:
    """Return a report on the entity, or on the topic if the input names one, and its basis."""
    topic = _topic(given, reading)
    passages = _about_entity(reading) or _about_topic(
        topic, _narrowing_places(given), documents, finder, permitted
    )
    if not passages:
        reason = reading.dossier.problem or f"No document mentions {topic}."
        return f"# {topic}\n\n{NOT_FOUND}\n", FieldBasis("output", reason, (), "low")
    pages = list(dict.fromkeys(passage.document.url for passage in passages))
    citations = tuple(_citation(url, passages) for url in pages)
    sites = {passage.document.site or passage.document.url for passage in passages}
    reasoning = f"Made of {len(passages)} sentences from {len(pages)} document{'s' if len(pages) > 1 else ''} on {len(sites)} site{'s' if len(sites) > 1 else ''}, quoted literally."
    confidence = "high" if len(sites) > 2 else "medium"
    return _markdown(topic, passages, citations), FieldBasis("output", reasoning, citations, confidence)


def _topic(given: str | dict[str, Any], reading: Reading) -> str:
    return given if isinstance(given, str) else (entity_of(given).given or reading.dossier.names())


def _narrowing_places(given: str | dict[str, Any]) -> str:
    """Return the places that narrow a topic: a region, a country."""
    return "" if isinstance(given, str) else " ".join(text for _, text in entity_of(given).places)


def _about_entity(reading: Reading) -> list[Passage]:
    """Return sentences of the entity's own pages, and sentences of other pages that name it."""
    found: list[Passage] = []
    for match in reading.matches:
        own = match.role.own
        usable = [
            s for s in _full_sentences(match.document) if own or reading.dossier.entity_names.mentions(s.text)
        ]
        fresh = [s for s in usable if not any(_alike(s.text, passage.text) for passage in found)]
        found += [Passage(s.text, match.document, s.heading) for s in fresh[:_PER_PAGE]]
    return found


def _about_topic(
    topic: str,
    places: str,
    documents: Sequence[Document],
    finder: DocumentFinder,
    permitted: frozenset[int] | None,
) -> list[Passage]:
    """Return sentences of pages whose title names the topic, and matching sentences of pages that contain its words."""
    stems, near = set(content_words(topic)), set(content_words(places))
    words = [word for word in fold(topic).split() if content_words(word)]
    ranked = []
    for number in finder.containing_any(words, _SEARCHED):
        document = documents[number]
        in_title, in_text = _share(stems, document.title), _share(stems, document.text)
        if (in_title >= 0.5 or in_text == 1) and (permitted is None or number in permitted):
            ranked.append(
                (-(2 * in_title + in_text + _share(near, f"{document.title} {document.text}")), number)
            )
    found: list[Passage] = []
    for _, number in sorted(ranked)[:_PAGES]:
        usable = _full_sentences(documents[number])
        if _share(stems, documents[number].title) < 0.5:
            usable = [s for s in usable if _share(stems, s.text) >= 0.5]
        fresh = [s for s in usable if not any(_alike(s.text, passage.text) for passage in found)]
        found += [Passage(s.text, documents[number], s.heading) for s in fresh[: 2 * _PER_PAGE]]
    return found


def _share(stems: set[str], text: str) -> float:
    """Return the share of the stems that a text contains, 0..1."""
    return len(stems & set(content_words(text))) / len(stems) if stems else 0.0


def _alike(one: str, other: str) -> bool:
    return fold(one) == fold(other) or fuzz.ratio(one, other, score_cutoff=90) > 0


def _full_sentences(document: Document) -> list[Sentence]:
    """Return a page's full sentences, without headings and teasers."""
    return [
        sentence
        for sentence in document.sentences
        if _SHORTEST <= len(sentence.text) <= _LONGEST
        and sentence.text[-1] in '.!?”"'
        and not sentence.aside
        and not OTHERS_HEADING.search(sentence.heading)
    ]


def _citation(url: str, passages: list[Passage]) -> Citation:
    mine = [passage for passage in passages if passage.document.url == url]
    return Citation(url, mine[0].document.title or None, tuple(passage.text for passage in mine))


def _markdown(topic: str, passages: list[Passage], citations: tuple[Citation, ...]) -> str:
    """Return the report as markdown, with the passages grouped by document."""
    lines = [f"# {topic}", ""]
    for citation in citations:
        mine = [passage for passage in passages if passage.document.url == citation.url]
        date = mine[0].document.date
        lines += [f"## {_label(citation)}{f' ({date})' if date else ''}", ""]
        lines += [f"- {passage.text} [{_label(citation)}]({citation.url})" for passage in mine]
        lines.append("")
    lines += [
        "## Sources",
        "",
        *(f"{number}. [{_label(citation)}]({citation.url})" for number, citation in enumerate(citations, 1)),
        "",
    ]
    return "\n".join(lines)


def _label(citation: Citation) -> str:
    return (citation.title or citation.url).replace("[", "(").replace("]", ")")
