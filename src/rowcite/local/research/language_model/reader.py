"""Let a language model read the documents the engine finds, and accept only values that it can quote.

The engine identifies the entity and chooses the documents. A quote counts if it occurs in the document and was shown to
the model, a value if its quotes support it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from msgspec import structs

from rowcite.local.research.answers.decide import Confidence
from rowcite.local.research.answers.json_answer import merge_citations
from rowcite.local.research.answers.schema_fields import OutputField, field_of_schema
from rowcite.local.research.answers.text_answer import NOT_FOUND
from rowcite.local.research.answers.tool_answers import cap_confidence
from rowcite.local.research.corpus import Corpus
from rowcite.local.research.documents.document import Document
from rowcite.local.research.language_model.endpoint import Endpoint, EndpointUnavailable
from rowcite.local.research.language_model.prompt import clip, messages_for, reply_schema
from rowcite.local.research.language_model.quotes import QuoteChecker
from rowcite.local.research.language_model.values import (
    CheckedQuote,
    Support,
    coerce,
    quotes_about_entity,
    support,
    supported_text,
    with_empty_values,
)
from rowcite.local.research.question import Finding, Question
from rowcite.local.research.text.normalise import collapse_spaces
from rowcite.model import Citation, FieldBasis

_LONGEST_QUOTE = 1_000  # characters: a quote of a whole page would support any value
_QUOTES, _REASONING = 20, 600
_LEVELS: tuple[Confidence, ...] = ("low", "medium", "high")
_TEXT = OutputField("output", "output", "", "string", nullable=True)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Page:
    """A document and the passages of it that the model was shown."""

    document: Document
    shown: str
    checker: QuoteChecker | None

    def contains(self, quote: str) -> bool:
        """Return True if a quote was shown and occurs in the document, with no number or word cut short."""
        if not self.document.contains(quote):
            return False
        whole = rf"(?<!\w)(?<!\d[.,]){re.escape(quote)}(?!\w)(?![.,]\d)"
        return re.search(whole, collapse_spaces(self.shown)) is not None


@dataclass(frozen=True)
class DroppedQuotes:
    """The number of quotes dropped: `not_found` in any document, `about_others` than the entity."""

    not_found: int
    about_others: int


class ModelResearcher:
    """Answers as `Corpus` does, with a model reading the same documents; failures of the model never fail a run."""

    def __init__(self, corpus: Corpus, endpoint: Endpoint) -> None:
        self._corpus = corpus
        self._endpoint = endpoint
        self.search = corpus.search

    def research(self, question: Question, /) -> Finding:
        """Return the model's checked answer; the engine's for auto answers, without documents or without a usable reply."""
        reading = self._corpus.read(question)
        engine_answer = self._corpus.answer_from(question, reading)
        kind = question.output.get("type", "auto")
        checkers = [QuoteChecker(reading.dossier, match) for match in reading.matches]
        documents = [match.document for match in reading.matches] or self._cited(engine_answer)
        if not documents or kind not in {"json", "text"}:
            return engine_answer
        fields = _fields_schema(question.output)
        messages, shown_texts = messages_for(question.input, fields, documents)
        try:
            reply = self._endpoint.ask(messages, reply_schema(fields))
        except EndpointUnavailable as error:
            _log.warning("the language model was not used: %s", error)
            return _with_note(engine_answer, f"The language model was not used: {error}.")
        replies = _replies(reply)
        pages = [
            _Page(document, text, checker)
            for document, text, checker in zip_longest(documents, shown_texts, checkers)
        ]
        if kind == "text":
            text, basis = _text_answer(replies.get("output"), pages)
            return replace(engine_answer, content=text, basis=cap_confidence([basis], question.tool_answers))
        found = [
            (target.name, *_answer(target, replies.get(target.name), pages))
            for target in field_of_schema(question.output.get("json_schema") or {}).fields
        ]
        return replace(
            engine_answer,
            content={name: value for name, value, _ in found},
            basis=cap_confidence((entry for *_, entry in found), question.tool_answers),
        )

    def _cited(self, finding: Finding) -> list[Document]:
        """Return the documents that an answer about a topic cites; a topic has no entity."""
        urls = dict.fromkeys(citation.url for entry in finding.basis for citation in entry.citations)
        return [document for url in urls if (document := self._corpus.document_at(url)) is not None]


def _fields_schema(output: dict[str, Any]) -> dict[str, Any]:
    """Return the fields sent to the model: the schema, or one field for a text."""
    if output.get("type") == "json":
        return dict(output.get("json_schema") or {})
    description = output.get("description") or (
        "A markdown report on the entity, each sentence close to the words of a quote and followed by its document's number, such as [1]."
    )
    return {"properties": {"output": {"type": ["string", "null"], "description": description}}}


def _with_note(finding: Finding, note: str) -> Finding:
    noted = (structs.replace(entry, reasoning=f"{entry.reasoning} {note}".strip()) for entry in finding.basis)
    return replace(finding, basis=tuple(noted))


def _replies(reply: dict[str, Any]) -> dict[str, Any]:
    """Return the reply's fields; some models omit the outer object."""
    fields = reply.get("fields")
    return fields if isinstance(fields, dict) else reply


def _answer(target: OutputField, reply: Any, pages: Sequence[_Page]) -> tuple[Any, FieldBasis]:
    """Return a field's value and basis: the part of the value that quotes support, else the empty value."""
    reply_field = reply if isinstance(reply, dict) else {}
    quotes, dropped = _quotes(reply_field, pages)
    value = coerce(reply_field.get("value"), target)
    if value is None:
        wrong = reply_field.get("value") is not None
        reason = (
            "The language model's value is not of the field's type." if wrong else _no_value_reason(pages)
        )
        return _not_found(target, reason)
    found = support(value, target, quotes)
    own = quotes_about_entity(value, target, quotes)
    if found is None or not own:
        return _not_found(
            target, f"{_rejection_reason(quotes, dropped, own)} {_model_reasoning(reply_field)}"
        )
    dropped_quotes = DroppedQuotes(dropped, len(quotes) - len(own))
    reasoning = _reasoning(reply_field, own, found, dropped_quotes)
    return found.value, FieldBasis(
        target.name, reasoning, _citations(own), _confidence(found, dropped_quotes)
    )


def _text_answer(reply: Any, pages: Sequence[_Page]) -> tuple[str, FieldBasis]:
    """Return a text or a report without the sentences that no quote supports, and its basis."""
    reply_field = reply if isinstance(reply, dict) else {"value": reply}
    quotes, dropped = _quotes(reply_field, pages)
    value = coerce(reply_field.get("value"), _TEXT)
    found = support(value, _TEXT, quotes) if value is not None else None
    own = quotes_about_entity(value, _TEXT, quotes) if value is not None else []
    if found is None and value is not None:
        quoted = {quote.document.url for quote in own}
        urls = [page.document.url if page.document.url in quoted else "" for page in pages]
        found = supported_text(value, own, urls)
    if found is None or not own:
        reason = _no_value_reason(pages) if value is None else _rejection_reason(quotes, dropped, own)
        return NOT_FOUND, FieldBasis("output", reason, (), "low")
    dropped_quotes = DroppedQuotes(dropped, len(quotes) - len(own))
    reasoning = _reasoning(reply_field, own, found, dropped_quotes)
    return found.value, FieldBasis("output", reasoning, _citations(own), _confidence(found, dropped_quotes))


def _quotes(reply_field: dict[str, Any], pages: Sequence[_Page]) -> tuple[list[CheckedQuote], int]:
    """Return the quotes that occur in the document they name, and the number of those that do not."""
    claimed = reply_field.get("quotes")
    claimed = claimed[:_QUOTES] if isinstance(claimed, list) else []
    found: dict[tuple[str, str], CheckedQuote] = {}
    good = 0
    for claim in claimed:
        number, text = (
            (claim.get("document"), claim.get("quote")) if isinstance(claim, dict) else (None, None)
        )
        quote = collapse_spaces(text) if isinstance(text, str) else ""
        page = _page(number, pages)
        # One word such as "240" does not name what it counts.
        if page and len(quote.split()) > 1 and len(quote) <= _LONGEST_QUOTE and page.contains(quote):
            good += 1
            found[page.document.url, quote] = CheckedQuote(quote, page.document, page.checker)
    return list(found.values()), len(claimed) - good


def _page(number: Any, pages: Sequence[_Page]) -> _Page | None:
    """Return the page with a number, which some models write as a string."""
    return next((page for at, page in enumerate(pages, 1) if str(number) == str(at)), None)


def _not_found(target: OutputField, reason: str) -> tuple[Any, FieldBasis]:
    empty = with_empty_values(target)
    if empty is not None:
        reason += " The schema forbids null, so the value is only a placeholder."
    return empty, FieldBasis(target.name, collapse_spaces(reason), (), "low")


def _no_value_reason(pages: Sequence[_Page]) -> str:
    count = len(pages)
    return (
        f"Not found: the language model read {count} document{'s' if count > 1 else ''} and named no value."
    )


def _rejection_reason(quotes: list[CheckedQuote], dropped: int, own: list[CheckedQuote]) -> str:
    if quotes and not own:
        return "Left out: the language model's quotes are about another entity, or do not name one."
    if quotes:
        return "Left out: the language model's quotes do not support its value."
    if dropped:
        return "Left out: no quote of the language model occurs in the document it names."
    return "Left out: the language model quoted no document."


def _confidence(found: Support, dropped: DroppedQuotes) -> Confidence:
    """Return high for two sites that state the whole value, medium for one; one level less if anything was dropped."""
    level = min(found.sites, 2) - (1 if dropped.not_found or dropped.about_others or found.cut else 0)
    return _LEVELS[max(level, 0)]


def _reasoning(
    reply_field: dict[str, Any], quotes: list[CheckedQuote], found: Support, dropped: DroppedQuotes
) -> str:
    hosts = list(dict.fromkeys(quote.document.host or quote.document.path for quote in quotes))
    sentences = [f"Read by a language model; its quotes from {', '.join(hosts[:4])} were checked."]
    if not found.sites:
        sentences.append("They do not state the value directly.")
    if dropped.not_found:
        sentences.append(
            f"{dropped.not_found} of its quotes {_was(dropped.not_found)} not found in the documents."
        )
    if dropped.about_others:
        sentences.append(
            f"{dropped.about_others} of its quotes {_was(dropped.about_others)} about another entity, or unclear."
        )
    if found.cut:
        sentences.append("Parts of its answer that no quote supports were left out.")
    return " ".join([*sentences, _model_reasoning(reply_field)]).strip()


def _was(count: int) -> str:
    return "were" if count > 1 else "was"


def _model_reasoning(reply_field: dict[str, Any]) -> str:
    """Return the model's own reasoning, cut and marked as the model's: documents can influence it."""
    stated = reply_field.get("reasoning")
    stated = clip(collapse_spaces(stated), _REASONING) if isinstance(stated, str) else ""
    return f"The model's reasoning: {stated}" if stated else ""


def _citations(quotes: list[CheckedQuote]) -> tuple[Citation, ...]:
    return merge_citations(
        [(Citation(quote.document.url, quote.document.title or None, (quote.text,)),) for quote in quotes]
    )
