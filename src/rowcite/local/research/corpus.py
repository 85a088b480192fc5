"""The corpus: a folder's documents, read and indexed once, asked many times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rowcite.errors import InputError
from rowcite.local.research.answers.auto_answer import explore
from rowcite.local.research.answers.further_reading import further
from rowcite.local.research.answers.json_answer import Reading, fill
from rowcite.local.research.answers.report import report
from rowcite.local.research.answers.schema_fields import Want, want_of
from rowcite.local.research.answers.text_answer import answer
from rowcite.local.research.answers.tool_answers import about_entity, believed_less, let_in, told_documents
from rowcite.local.research.documents.document import Document
from rowcite.local.research.question import Finding, Question, documents_to_read, looks_further
from rowcite.local.research.search import Policy, Room, SearchResult, search, terms_of
from rowcite.local.research.store.cached_corpus import Holdings, holdings
from rowcite.local.research.store.search_index import Finder
from rowcite.local.research.subject.entity import Dossier, Standing, entity_of
from rowcite.local.research.subject.identify import identify
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.local.research.text.urls import allowed
from rowcite.model import FieldBasis

# The API has one kind of text: that a long one is wanted, the description says.
_REPORT = re.compile(r"\breport\b|\bmarkdown\b", re.IGNORECASE)


_SHORTLIST = 4  # times as many documents are looked over as are read


class Corpus:
    """Answers questions from its documents; `skipped` names the files that could not be read, and why."""

    def __init__(self, held: Holdings) -> None:
        self.documents = held.documents
        self.digest = held.digest
        self.skipped = held.skipped
        self.size = len(held.cards)
        self._cards = held.cards
        self._finder = Finder(held.cards, held.words)
        self._newest = max((card.date for card in held.cards), default="")

    def research(self, question: Question) -> Finding:
        """Answer a question: the same question has the same answer, whoever asks first."""
        return self.answered(question, self.read(question))

    def read(self, question: Question) -> Reading:
        """Return what a question may draw on: the documents about its entity, as many as its processor reads."""
        want = _want_of(question)
        dossier = identify(entity_of(question.input), self.documents, self._finder, self._visible(question))
        told = let_in(question.told, question.exclude_domains)
        heard = about_entity(told_documents(told), dossier, self.size)
        read = _read(dossier, documents_to_read(question.processor), want)
        reading = Reading(dossier, (*read, *heard), self._newest)
        if want is not None and looks_further(question.processor):
            reading = further(want, reading, self.documents, self._finder, self._visible(question))
        return reading

    def answered(self, question: Question, reading: Reading) -> Finding:
        """Answer a question from what was read for it."""
        finding = self._answer(question, reading, _want_of(question))
        urls = tuple(dict.fromkeys(standing.document.url for standing in reading.standings))
        basis = believed_less(finding.basis, question.told)
        known = {standing.number for standing in (*reading.dossier.standings, *reading.standings)}
        return Finding(finding.kind, finding.content, basis, finding.output_schema, len(known), urls)

    def search(  # noqa: PLR0913  # one keyword for each setting of the API
        self,
        queries: Sequence[str],
        *,
        objective: str | None = None,
        include_domains: Sequence[str] = (),
        exclude_domains: Sequence[str] = (),
        after_date: str | None = None,
        max_results: int = 10,
        max_chars_per_result: int = 3000,
        max_chars_total: int | None = None,
    ) -> tuple[SearchResult, ...]:
        """Return the best documents for the queries and the objective, with passages that stand in them.

        `after_date` is YYYY-MM-DD and leaves out what is older or undated; domains are those of a Question.
        """
        policy = Policy(tuple(include_domains), tuple(exclude_domains), after_date)
        room = Room(max_results, max_chars_per_result, max_chars_total)
        return search(terms_of(queries, objective), self.documents, self._finder, policy, room)

    def at(self, url: str) -> Document | None:
        """Return the document with an address."""
        number = self._finder.by_url.get(url)
        return None if number is None else self.documents[number]

    def _answer(self, question: Question, reading: Reading, want: Want | None) -> Finding:
        if want is not None:
            content, basis = fill(want, reading)
            return Finding("json", content, basis)
        if question.output.get("type") == "auto":
            return explore(reading)
        description = question.output.get("description")
        text, verdict_basis = (
            answer(description, reading)
            if description and not _REPORT.search(description)
            else report(question.input, reading, self.documents, self._finder, self._visible(question))
        )
        return Finding("text", text, (verdict_basis,))

    def _visible(self, question: Question) -> frozenset[int] | None:
        """Return the documents that the source policy lets in; None for all."""
        if not question.include_domains and not question.exclude_domains:
            return None
        return frozenset(
            number
            for number, card in enumerate(self._cards)
            if allowed(card.url, question.include_domains, question.exclude_domains)
        )


def open_corpus(folder: Path | str, cache: Path | None = None) -> Corpus:
    """Read and index a folder of documents; InputError when it is missing or holds none.

    With `cache`, a folder that is made when needed, what was read is kept there, and the index too: a file that has
    not changed is not read again, and what is kept of one that is gone is removed.
    """
    root = Path(folder)
    held = holdings(root, cache)
    if not held.cards:
        detail = f" Left out: {'; '.join(held.skipped[:3])}." if held.skipped else ""
        raise InputError(
            f"{root}: no documents. Put HTML, Markdown, text, PDF, JSONL or .eml files there, or name another folder.{detail}"
        )
    return Corpus(held)


def _want_of(question: Question) -> Want | None:
    """Return the fields that a question asks for; None for a text or an auto answer."""
    if question.output.get("type", "auto") != "json":
        return None
    return want_of(question.output.get("json_schema") or {})


def _read(dossier: Dossier, limit: int, want: Want | None) -> tuple[Standing, ...]:
    """Choose the documents to read: the best first, those that speak of the fields asked for before others."""
    concepts = {field.concept for field in want.fields if field.concept} if want else set()
    other_words = [content_words(field.words) for field in want.fields if not field.concept] if want else []

    def rank(standing: Standing) -> tuple[float, str]:
        useful = sum(1 for concept in concepts if concept in standing.document.by_concept)
        text = fold(standing.document.text) if other_words else ""
        useful += sum(1 for words in other_words if words and all(word in text for word in words))
        return -(standing.score + 0.6 * useful), standing.document.path

    return tuple(sorted(dossier.standings[: _SHORTLIST * limit], key=rank)[:limit])


__all__ = ["Corpus", "FieldBasis", "open_corpus"]
