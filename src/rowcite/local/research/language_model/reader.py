"""A researcher that lets a language model read the documents the engine finds, and believes only what it can quote.

The engine identifies the entity and chooses the documents. Of the model's reply nothing is trusted: a quote counts
when it stands in the document and was shown, a value when its quotes hold it.
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
from rowcite.local.research.answers.schema_fields import Want, want_of
from rowcite.local.research.answers.text_answer import NOT_FOUND
from rowcite.local.research.answers.tool_answers import believed_less
from rowcite.local.research.corpus import Corpus
from rowcite.local.research.documents.document import Document
from rowcite.local.research.language_model.endpoint import Endpoint, Unavailable
from rowcite.local.research.language_model.prompt import clip, messages_for
from rowcite.local.research.language_model.quotes import Bearer
from rowcite.local.research.language_model.values import (
    Shown,
    Support,
    emptied,
    speaking,
    support,
    supported_text,
    typed,
)
from rowcite.local.research.question import Finding, Question
from rowcite.local.research.text.normalise import squash
from rowcite.model import Citation, FieldBasis

_LONGEST_QUOTE = 1_000  # characters: a quote of a whole page would hold any value
_QUOTES, _REASONING = 20, 600
_LEVELS: tuple[Confidence, ...] = ("low", "medium", "high")
_TEXT = Want("output", "output", "", "string", nullable=True)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Page:
    """A document and what the model saw of it."""

    document: Document
    shown: str
    bearer: Bearer | None

    def holds(self, quote: str) -> bool:
        """Tell whether a quote was shown and stands in the document, with no number or word cut short."""
        if not self.document.contains(quote):
            return False
        whole = rf"(?<!\w)(?<!\d[.,]){re.escape(quote)}(?!\w)(?![.,]\d)"
        return re.search(whole, squash(self.shown)) is not None


@dataclass(frozen=True)
class Lost:
    """How many quotes were thrown away: `invented` do not stand in a document, `foreign` are not about the entity."""

    invented: int
    foreign: int


class ModelResearcher:
    """Answers as `Corpus` does, from the same documents, read by a model. A run never fails because of the model."""

    def __init__(self, corpus: Corpus, endpoint: Endpoint) -> None:
        self._corpus = corpus
        self._endpoint = endpoint
        self.search = corpus.search

    def research(self, question: Question, /) -> Finding:
        """Answer a question; without documents, without a usable reply and for auto answers as the engine does."""
        reading = self._corpus.read(question)
        plain = self._corpus.answered(question, reading)
        kind = question.output.get("type", "auto")
        bearers = [Bearer(reading.dossier, standing) for standing in reading.standings]
        documents = [standing.document for standing in reading.standings] or self._cited(plain)
        if not documents or kind not in {"json", "text"}:
            return plain
        fields = _fields(question.output)
        messages, shown = messages_for(question.input, fields, documents)
        try:
            reply = self._endpoint.ask(messages)
        except Unavailable as error:
            _log.warning("the language model was not used: %s", error)
            return _noted(plain, f"The language model was not used: {error}.")
        replies = _replies(reply)
        pages = [
            _Page(document, text, bearer) for document, text, bearer in zip_longest(documents, shown, bearers)
        ]
        if kind == "text":
            text, basis = _text_answer(replies.get("output"), pages)
            return replace(plain, content=text, basis=believed_less([basis], question.told))
        found = [
            (want.name, *_answer(want, replies.get(want.name), pages))
            for want in want_of(question.output.get("json_schema") or {}).fields
        ]
        return replace(
            plain,
            content={name: value for name, value, _ in found},
            basis=believed_less((entry for *_, entry in found), question.told),
        )

    def _cited(self, finding: Finding) -> list[Document]:
        """Return the documents that an answer about a theme cites: there is no entity to be about."""
        urls = dict.fromkeys(citation.url for entry in finding.basis for citation in entry.citations)
        return [document for url in urls if (document := self._corpus.at(url)) is not None]


def _fields(output: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked for as the model is told it: the schema, or one field for a text."""
    if output.get("type") == "json":
        return dict(output.get("json_schema") or {})
    description = output.get("description") or (
        "A markdown report on the entity, each sentence close to the words of a quote and followed by its document's number, such as [1]."
    )
    return {"properties": {"output": {"type": ["string", "null"], "description": description}}}


def _noted(finding: Finding, note: str) -> Finding:
    noted = (structs.replace(entry, reasoning=f"{entry.reasoning} {note}".strip()) for entry in finding.basis)
    return replace(finding, basis=tuple(noted))


def _replies(reply: dict[str, Any]) -> dict[str, Any]:
    """Return the reply's fields; some models leave the outer object away."""
    fields = reply.get("fields")
    return fields if isinstance(fields, dict) else reply


def _answer(want: Want, reply: Any, pages: Sequence[_Page]) -> tuple[Any, FieldBasis]:
    """Return a field's value and basis: the value as far as quotes hold it, else the emptiest one."""
    told = reply if isinstance(reply, dict) else {}
    quotes, dropped = _quotes(told, pages)
    value = typed(told.get("value"), want)
    if value is None:
        wrong = told.get("value") is not None
        reason = "The language model's value is not of the field's type." if wrong else _silent(pages)
        return _nothing(want, reason)
    found = support(value, want, quotes)
    own = speaking(value, want, quotes)
    if found is None or not own:
        return _nothing(want, f"{_unsupported(quotes, dropped, own)} {_words(told)}")
    lost = Lost(dropped, len(quotes) - len(own))
    reasoning = _reasoning(told, own, found, lost)
    return found.value, FieldBasis(want.name, reasoning, _citations(own), _confidence(found, lost))


def _text_answer(reply: Any, pages: Sequence[_Page]) -> tuple[str, FieldBasis]:
    """Return a text or a report without the sentences that no quote holds, and its basis."""
    told = reply if isinstance(reply, dict) else {"value": reply}
    quotes, dropped = _quotes(told, pages)
    value = typed(told.get("value"), _TEXT)
    found = support(value, _TEXT, quotes) if value is not None else None
    own = speaking(value, _TEXT, quotes) if value is not None else []
    if found is None and value is not None:
        quoted = {quote.document.url for quote in own}
        urls = [page.document.url if page.document.url in quoted else "" for page in pages]
        found = supported_text(value, own, urls)
    if found is None or not own:
        reason = _silent(pages) if value is None else _unsupported(quotes, dropped, own)
        return NOT_FOUND, FieldBasis("output", reason, (), "low")
    lost = Lost(dropped, len(quotes) - len(own))
    reasoning = _reasoning(told, own, found, lost)
    return found.value, FieldBasis("output", reasoning, _citations(own), _confidence(found, lost))


def _quotes(told: dict[str, Any], pages: Sequence[_Page]) -> tuple[list[Shown], int]:
    """Return the quotes that stand where the model says, and how many do not."""
    claimed = told.get("quotes")
    claimed = claimed[:_QUOTES] if isinstance(claimed, list) else []
    found: dict[tuple[str, str], Shown] = {}
    good = 0
    for claim in claimed:
        number, text = (
            (claim.get("document"), claim.get("quote")) if isinstance(claim, dict) else (None, None)
        )
        quote = squash(text) if isinstance(text, str) else ""
        page = _page(number, pages)
        # One word is no statement: "240" stands on many pages and says nothing of anybody.
        if page and len(quote.split()) > 1 and len(quote) <= _LONGEST_QUOTE and page.holds(quote):
            good += 1
            found[page.document.url, quote] = Shown(quote, page.document, page.bearer)
    return list(found.values()), len(claimed) - good


def _page(number: Any, pages: Sequence[_Page]) -> _Page | None:
    """Return the page a model means by a number, which some write as a text."""
    return next((page for at, page in enumerate(pages, 1) if str(number) == str(at)), None)


def _nothing(want: Want, reason: str) -> tuple[Any, FieldBasis]:
    empty = emptied(want)
    if empty is not None:
        reason += " The schema forbids null, so the value is only a placeholder."
    return empty, FieldBasis(want.name, squash(reason), (), "low")


def _silent(pages: Sequence[_Page]) -> str:
    count = len(pages)
    return (
        f"Not found: the language model read {count} document{'s' if count > 1 else ''} and named no value."
    )


def _unsupported(quotes: list[Shown], dropped: int, own: list[Shown]) -> str:
    if quotes and not own:
        return "Left out: the language model's quotes speak of somebody else, or do not say of whom."
    if quotes:
        return "Left out: the language model's quotes do not hold its value."
    if dropped:
        return "Left out: no quote of the language model stands in the document it names."
    return "Left out: the language model quoted no document."


def _confidence(found: Support, lost: Lost) -> Confidence:
    """Two sites that state all of it make it high, one medium; anything thrown away costs a level."""
    level = min(found.sites, 2) - (1 if lost.invented or lost.foreign or found.cut else 0)
    return _LEVELS[max(level, 0)]


def _reasoning(told: dict[str, Any], quotes: list[Shown], found: Support, lost: Lost) -> str:
    hosts = list(dict.fromkeys(quote.document.host or quote.document.path for quote in quotes))
    sentences = [f"Read by a language model; its quotes from {', '.join(hosts[:4])} were checked."]
    if not found.sites:
        sentences.append("They do not state the value outright.")
    if lost.invented:
        does = "do" if lost.invented > 1 else "does"
        sentences.append(f"{lost.invented} of its quotes {does} not stand in the documents.")
    if lost.foreign:
        speaks = "speak" if lost.foreign > 1 else "speaks"
        sentences.append(f"{lost.foreign} of its quotes {speaks} of somebody else, or not clearly of whom.")
    if found.cut:
        sentences.append("Parts of its answer that no quote holds were left out.")
    return " ".join([*sentences, _words(told)]).strip()


def _words(told: dict[str, Any]) -> str:
    """Return the model's own reasoning, short and marked as such: a document may have had a hand in it."""
    said = told.get("reasoning")
    said = clip(squash(said), _REASONING) if isinstance(said, str) else ""
    return f"The model's reasoning: {said}" if said else ""


def _citations(quotes: list[Shown]) -> tuple[Citation, ...]:
    return merge_citations(
        [(Citation(quote.document.url, quote.document.title or None, (quote.text,)),) for quote in quotes]
    )
