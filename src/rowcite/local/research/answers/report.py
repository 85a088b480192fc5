"""Write a markdown report of sentences quoted from the documents, each with its source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rapidfuzz import fuzz

from rowcite.local.research.answers.fill import NOT_FOUND, Reading
from rowcite.local.research.documents.document import Document, Sentence
from rowcite.local.research.documents.phrases import OTHERS_HEADING
from rowcite.local.research.question import Finding
from rowcite.local.research.store.library import Library
from rowcite.local.research.subject.entity import entity_of
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.model import Citation, FieldBasis
from rowcite.wording import plural

_PAGES, _PER_PAGE, _SEARCHED, _SHORTEST, _LONGEST = 6, 6, 60, 40, 400

Page = tuple[Document, bool]
"""A document, and whether all of its sentences are about the subject."""


def report(given: str | dict[str, Any], reading: Reading) -> Finding:
    """Return a report on the entity, or on the topic if no document names an entity of the input."""
    entity = None if isinstance(given, str) else entity_of(given)
    topic = (entity.given or reading.dossier.names()) if entity else str(given)
    names, stems = reading.dossier.entity_names, set(content_words(topic))
    found = _quoted(((one.document, one.role.own) for one in reading.matches), names.mentions)
    if not found:
        words = fold(" ".join([topic, *entity.places, *entity.countries] if entity else topic)).split()
        found = _quoted(_about(stems, words, reading.library), lambda text: _share(stems, text) >= 0.5)
    if not found:
        reason = reading.dossier.problem or f"No document mentions {topic}."
        return Finding("text", f"# {topic}\n\n{NOT_FOUND}\n", (FieldBasis("output", reason, (), "low"),))
    count, sites = sum(len(texts) for _, texts in found), len({one.site or one.url for one, _ in found})
    quoted = f"{plural(count, 'sentence')} from {plural(len(found), 'document')} on {plural(sites, 'site')}"
    citations = tuple(Citation(one.url, one.title or None, tuple(texts)) for one, texts in found)
    level = "high" if sites > 2 else "medium"
    basis = FieldBasis("output", f"Made of {quoted}, quoted literally.", citations, level)
    return Finding("text", _markdown(topic, found), (basis,))


def _about(stems: set[str], words: list[str], library: Library) -> list[Page]:
    """Return the pages that name a topic in their title, then those that contain all of its words, best first."""
    ranked = (number for number, _ in library.scored(filter(content_words, words), _SEARCHED))
    documents = [library[number] for number in ranked if library.admits(number)]
    titled = [(one, True) for one in documents if _share(stems, one.title) >= 0.5]
    others = [(one, False) for one in documents if _share(stems, one.title) < 0.5]
    return [*titled, *(page for page in others if _share(stems, page[0].text) == 1)][:_PAGES]


def _share(stems: set[str], text: str) -> float:
    """Return the share of the stems that a text contains, 0..1."""
    return len(stems & set(content_words(text))) / len(stems) if stems else 0.0


def _quoted(pages: Iterable[Page], usable: Callable[[str], object]) -> list[tuple[Document, list[str]]]:
    """Return for each address its first full sentences that are about the subject, without those of the pages before."""
    found: dict[str, tuple[Document, list[str]]] = {}
    known: list[str] = []
    for document, whole in pages:
        texts = [one.text for one in document.sentences if _is_full(one) and (whole or usable(one.text))]
        fresh = [text for text in texts if not any(fuzz.ratio(fold(text), one) >= 90 for one in known)]
        if fresh:
            known += map(fold, fresh[:_PER_PAGE])
            found.setdefault(document.url, (document, []))[1].extend(fresh[:_PER_PAGE])
    return list(found.values())


def _is_full(sentence: Sentence) -> bool:
    """Return True for a full sentence that is neither a heading nor a teaser."""
    ends = sentence.text[-1] in '.!?”"' and _SHORTEST <= len(sentence.text) <= _LONGEST
    return ends and not OTHERS_HEADING.search(sentence.heading)


def _markdown(topic: str, found: list[tuple[Document, list[str]]]) -> str:
    """Return the report as markdown, with a section for each document."""
    lines, sources = [f"# {topic}", ""], ["## Sources", ""]
    for number, (document, texts) in enumerate(found, 1):
        label = (document.title or document.url).replace("[", "(").replace("]", ")")
        link = f"[{label}]({document.url})"
        date = f" ({document.date})" if document.date else ""
        lines += [f"## {label}{date}", "", *(f"- {text} {link}" for text in texts), ""]
        sources.append(f"{number}. {link}")
    return "\n".join([*lines, *sources, ""])
