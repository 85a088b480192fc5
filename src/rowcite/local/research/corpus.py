"""A folder's documents, read and indexed once, and the answers to questions about them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from rowcite.errors import InputError
from rowcite.local.research.answers.fill import Reading, fill_freely, fill_object, fill_text, report
from rowcite.local.research.answers.schema_fields import field_of_schema
from rowcite.local.research.answers.tool_answers import cap_confidence, matches_of_tools
from rowcite.local.research.documents.document import Document
from rowcite.local.research.question import Finding, Question, documents_to_read
from rowcite.local.research.search import SearchQuery, SearchResult, search
from rowcite.local.research.store.ingest import load_contents
from rowcite.local.research.store.library import Library
from rowcite.local.research.subject.entity import DocumentMatch, Dossier, entity_of
from rowcite.local.research.subject.identify import identify
from rowcite.local.research.text.urls import allowed

_REPORT = re.compile(r"\breport\b|\bmarkdown\b", re.IGNORECASE)
_SHORTLIST = 4  # documents ranked for each document read


class Corpus:
    """Answers questions from its documents; `skipped` has a line for each file that could not be read."""

    def __init__(self, documents: Library, digest: str, skipped: tuple[str, ...]) -> None:
        self.documents, self.digest, self.skipped = documents, digest, skipped
        self.size = len(documents)
        self._newest = max((summary.date or "" for summary in documents.summaries), default="")

    def research(self, question: Question) -> Finding:
        """Return the answer to a question; equal questions have equal answers."""
        return self.answer_from(question, self.read(question))

    def read(self, question: Question) -> Reading:
        """Return the documents about a question's entity, as many as its processor reads."""
        library = self._limited_by(question, undated=True)
        dossier = identify(entity_of(question.input), library)
        read = _most_useful(dossier, question)
        from_tools = matches_of_tools(question, dossier, self.size)
        return Reading(dossier, (*read, *from_tools), self._newest, library)

    def answer_from(self, question: Question, reading: Reading) -> Finding:
        """Return the answer to a question from the documents read for it."""
        match question.output.get("type", "auto"):
            case "json":
                finding = fill_object(field_of_schema(question.output.get("json_schema") or {}), reading)
            case "auto":
                finding = fill_freely(reading)
            case _ if is_report(question.output):
                finding = report(question.input, reading)
            case _:
                finding = fill_text(question.output["description"], reading)
        urls = tuple(dict.fromkeys(match.document.url for match in reading.matches))
        known = {match.number for match in (*reading.dossier.matches, *reading.matches)}
        basis = cap_confidence(finding.basis, question.tool_answers)
        return replace(finding, basis=basis, considered=len(known), read=urls)

    def search(self, query: SearchQuery, /) -> tuple[SearchResult, ...]:
        """Return the best documents for a query, with passages quoted from them."""
        return search(self._limited_by(query, undated=False), query)

    def _limited_by(self, policy: Question | SearchQuery, *, undated: bool) -> Library:
        """Return the documents that a source policy admits; with `after_date`, undated ones only if `undated`."""
        include, exclude = tuple(policy.include_domains), tuple(policy.exclude_domains)
        earliest = policy.after_date or ""

        def admitted(one: Document) -> bool:
            recent = (one.date or "") >= earliest or (undated and not one.date)
            return recent and allowed(one.url, include, exclude)

        limited = include or exclude or earliest
        return self.documents.limited_to(admitted) if limited else self.documents


def is_report(output: dict[str, Any]) -> bool:
    """Return True if an output is a long text: the API has one text type, and only its description can ask for a short one."""
    description = output.get("description")
    return output.get("type") == "text" and (not description or bool(_REPORT.search(description)))


def open_corpus(folder: Path | str, cache: Path | None = None) -> Corpus:
    """Read and index a folder of documents; raise InputError if it is missing or has none.

    `cache` is a folder, created if needed, that keeps parsed documents and the index: unchanged files are not read again,
    and the documents of removed files are deleted.
    """
    root = Path(folder)
    corpus = Corpus(*load_contents(root, cache))
    if not corpus.size:
        detail = f" Left out: {'; '.join(corpus.skipped[:3])}." if corpus.skipped else ""
        raise InputError(
            f"{root}: no documents. Put HTML, Markdown, text, PDF or JSONL files there, or name another folder.{detail}"
        )
    return corpus


def _most_useful(dossier: Dossier, question: Question) -> tuple[DocumentMatch, ...]:
    """Return the documents to read, best first; those with facts of the kinds of the schema's fields are preferred."""
    schema = question.output.get("json_schema") if question.output.get("type") == "json" else None
    kinds = {field.concept for field in field_of_schema(schema or {}).fields} - {""}
    limit = documents_to_read(question.processor)

    def rank(match: DocumentMatch) -> tuple[float, str]:
        useful = len(kinds & {fact.concept for fact in match.document.facts})
        return -(match.score + 0.6 * useful), match.document.path

    return tuple(sorted(dossier.matches[: _SHORTLIST * limit], key=rank)[:limit])
