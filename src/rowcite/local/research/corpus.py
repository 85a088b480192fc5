"""A folder's documents, read and indexed once, and the answers to questions about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rowcite.errors import InputError
from rowcite.local.research.answers.further_reading import read_further
from rowcite.local.research.answers.json_answer import Reading, fill_object
from rowcite.local.research.answers.open_answers import answer, answer_freely
from rowcite.local.research.answers.report import report
from rowcite.local.research.answers.schema_fields import OutputField, field_of_schema
from rowcite.local.research.answers.tool_answers import (
    about_entity,
    cap_confidence,
    documents_of_tools,
    permitted_answers,
)
from rowcite.local.research.documents.document import Document
from rowcite.local.research.question import Finding, Question, documents_to_read, reads_further
from rowcite.local.research.search import ResultLimits, SearchResult, search
from rowcite.local.research.store.ingest import CorpusContents, load_contents
from rowcite.local.research.subject.entity import DocumentMatch, Dossier, entity_of
from rowcite.local.research.subject.identify import identify
from rowcite.local.research.text.normalise import content_words, fold
from rowcite.local.research.text.urls import allowed

# The API has one text type; only the description can ask for a long one.
_REPORT = re.compile(r"\breport\b|\bmarkdown\b", re.IGNORECASE)
_SHORTLIST = 4  # documents ranked for each document read


class Corpus:
    """Answers questions from its documents; `skipped` has a line for each file that could not be read."""

    def __init__(self, contents: CorpusContents) -> None:
        self.documents = contents.library
        self.digest = contents.digest
        self.skipped = contents.skipped
        self.size = len(contents.library)
        self._newest = max((summary.date for summary in contents.library.summaries), default="")

    def research(self, question: Question) -> Finding:
        """Return the answer to a question; equal questions have equal answers."""
        return self.answer_from(question, self.read(question))

    def read(self, question: Question) -> Reading:
        """Return the documents about a question's entity, as many as its processor reads."""
        target = _target_of(question)
        policy = (question.include_domains, question.exclude_domains, question.after_date)
        library = self.documents.limited_to(self._permitted(*policy, undated=True))
        dossier = identify(entity_of(question.input), library)
        tool_answers = permitted_answers(question.tool_answers, question.exclude_domains)
        from_tools = about_entity(documents_of_tools(tool_answers), dossier, self.size)
        read = _read(dossier, documents_to_read(question.processor), target)
        reading = Reading(dossier, (*read, *from_tools), self._newest, library)
        if target is not None and reads_further(question.processor):
            reading = read_further(target, reading)
        return reading

    def answer_from(self, question: Question, reading: Reading) -> Finding:
        """Return the answer to a question from the documents read for it."""
        finding = self._answer(question, reading, _target_of(question))
        urls = tuple(dict.fromkeys(match.document.url for match in reading.matches))
        basis = cap_confidence(finding.basis, question.tool_answers)
        known = {match.number for match in (*reading.dossier.matches, *reading.matches)}
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
        """Return the best documents for the queries and the objective, with passages quoted from them.

        `after_date` is YYYY-MM-DD and excludes older and undated documents; domains have the form of a Question's.
        """
        permitted = self._permitted(include_domains, exclude_domains, after_date, undated=False)
        limits = ResultLimits(max_results, max_chars_per_result, max_chars_total)
        return search(queries, objective, self.documents.limited_to(permitted), limits)

    def document_at(self, url: str) -> Document | None:
        """Return the document with an address, or None."""
        number = self.documents.by_url.get(url)
        return None if number is None else self.documents[number]

    def _answer(self, question: Question, reading: Reading, target: OutputField | None) -> Finding:
        if target is not None:
            content, basis = fill_object(target, reading)
            return Finding("json", content, basis)
        if question.output.get("type") == "auto":
            return answer_freely(reading)
        description = question.output.get("description")
        text, verdict_basis = (
            answer(description, reading)
            if description and not _REPORT.search(description)
            else report(question.input, reading)
        )
        return Finding("text", text, (verdict_basis,))

    def _permitted(
        self, include: Sequence[str], exclude: Sequence[str], after: str | None, *, undated: bool
    ) -> frozenset[int] | None:
        """Return the numbers of the documents that a source policy admits, of dated ones and perhaps others; None for all."""
        if not (include or exclude or after):
            return None
        earliest = after or ""
        return frozenset(
            number
            for number, summary in enumerate(self.documents.summaries)
            if allowed(summary.url, tuple(include), tuple(exclude))
            and (summary.date >= earliest or (undated and not summary.date))
        )


def open_corpus(folder: Path | str, cache: Path | None = None) -> Corpus:
    """Read and index a folder of documents; raise InputError if it is missing or has none.

    `cache` is a folder, created if needed, that keeps parsed documents and the index: unchanged files are not read again,
    and the documents of removed files are deleted.
    """
    root = Path(folder)
    contents = load_contents(root, cache)
    if not contents.library:
        detail = f" Left out: {'; '.join(contents.skipped[:3])}." if contents.skipped else ""
        raise InputError(
            f"{root}: no documents. Put HTML, Markdown, text, PDF, JSONL or .eml files there, or name another folder.{detail}"
        )
    return Corpus(contents)


def _target_of(question: Question) -> OutputField | None:
    """Return the fields of a question's schema; None for a text or an auto answer."""
    if question.output.get("type", "auto") != "json":
        return None
    return field_of_schema(question.output.get("json_schema") or {})


def _read(dossier: Dossier, limit: int, target: OutputField | None) -> tuple[DocumentMatch, ...]:
    """Return the documents to read, best first; those that state a field of the schema are preferred."""
    concepts = {field.concept for field in target.fields if field.concept} if target else set()
    other_words = (
        [content_words(field.words) for field in target.fields if not field.concept] if target else []
    )

    def rank(match: DocumentMatch) -> tuple[float, str]:
        text = fold(match.document.text) if other_words else ""
        useful = sum(concept in match.document.by_concept for concept in concepts)
        useful += sum(bool(words) and all(word in text for word in words) for words in other_words)
        return -(match.score + 0.6 * useful), match.document.path

    return tuple(sorted(dossier.matches[: _SHORTLIST * limit], key=rank)[:limit])
