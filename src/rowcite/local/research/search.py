"""Ranked search over the corpus: the best documents for some queries, each with the best passages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rowcite.local.research.documents.document import Document
from rowcite.local.research.store.search_index import DocumentFinder
from rowcite.local.research.text.normalise import content_words, fold, split_sentences
from rowcite.local.research.text.urls import allowed

_DEPTH = 200  # documents ranked for each query before filters
_OBJECTIVE = 0.5  # weight of the objective beside a query
_TITLE = 0.6  # added to the score of a title with every word
_SHORTEST = 20  # characters of the shortest passage


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A document that matches the queries; `excerpts` are quoted from it, in reading order."""

    url: str
    title: str | None
    publish_date: str | None
    excerpts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """The folded words of each query and of the objective, with their weights."""

    queries: tuple[tuple[tuple[str, ...], float], ...]

    @property
    def stems(self) -> frozenset[str]:
        """The stems of all words that carry meaning."""
        return frozenset(stem for words, _ in self.queries for stem in content_words(" ".join(words)))


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """The domains and the earliest date of permitted documents."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    after: str | None = None

    def admits(self, document: Document) -> bool:
        """Return True if a document may be returned; an undated one fails any date limit."""
        fresh = self.after is None or (document.date or "") >= self.after
        return fresh and allowed(document.url, self.include, self.exclude)


@dataclass(frozen=True, slots=True)
class ResultLimits:
    """The most results, characters in a result, and characters in all."""

    results: int
    per_result: int
    total: int | None = None


def search_terms(queries: Sequence[str], objective: str | None) -> SearchTerms:
    """Return the words of queries and objective; stop words are dropped unless a query has no others."""
    texts = [(query, 1.0) for query in queries]
    if objective:
        texts.append((objective, _OBJECTIVE if queries else 1.0))
    read = [(_words(text), weight) for text, weight in texts]
    return SearchTerms(tuple((words, weight) for words, weight in read if words))


def search(
    terms: SearchTerms,
    documents: Sequence[Document],
    finder: DocumentFinder,
    policy: SourcePolicy,
    limits: ResultLimits,
) -> tuple[SearchResult, ...]:
    """Return the best documents, best first, ties in the order of the corpus."""
    found: list[SearchResult] = []
    left = limits.total
    for number in _ranked(terms, documents, finder):
        document = documents[number]
        if len(found) >= limits.results or (left is not None and left <= 0):
            break
        if not policy.admits(document):
            continue
        budget = limits.per_result if left is None else min(limits.per_result, left)
        excerpts = passages(document, terms.stems, budget)
        if excerpts:
            found.append(SearchResult(document.url, document.title or None, document.date, excerpts))
            left = None if left is None else left - sum(map(len, excerpts))
    return tuple(found)


def passages(document: Document, stems: frozenset[str], budget: int) -> tuple[str, ...]:
    """Return the blocks with the most of the stems, within `budget` characters."""
    rated = [
        (-len(stems & set(content_words(text))), number, text)
        for number, text in enumerate(_pieces(document, budget))
    ]
    chosen: list[tuple[int, str]] = []
    for _, number, text in sorted(rated):
        cost = len(text) + 1
        if cost <= budget + 1 and (not chosen or cost <= budget) and document.contains(text):
            chosen.append((number, text))
            budget -= cost
    return _joined(sorted(chosen), document)


def _words(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(fold(text).split()))
    return tuple(word for word in words if content_words(word)) or words


def _ranked(terms: SearchTerms, documents: Sequence[Document], finder: DocumentFinder) -> list[int]:
    """Return document numbers by the sum of their scores; each query's best score counts 1, and titles add to it."""
    scores: dict[int, float] = {}
    for words, weight in terms.queries:
        hits = finder.scored([form for word in words for form in _forms(word)], _DEPTH)
        top = max((score for _, score in hits), default=1.0) or 1.0
        for number, score in hits:
            lift = 1 + _TITLE * _share(words, documents[number].title)
            scores[number] = scores.get(number, 0.0) + weight * lift * score / top
    return sorted(scores, key=lambda number: (-round(scores[number], 6), number))


def _forms(word: str) -> tuple[str, ...]:
    """Return a word in singular and plural: the index has words as written."""
    other = word.removesuffix("s") if word.endswith("s") and len(word) > 3 else f"{word}s"
    return (word, other) if word.isalpha() else (word,)


def _share(words: tuple[str, ...], title: str) -> float:
    stems, held = set(content_words(" ".join(words))), set(content_words(title))
    return len(stems & held) / len(stems) if stems else 0.0


def _pieces(document: Document, budget: int) -> Iterator[str]:
    """Yield blocks; a block over the budget is split into sentences, a sentence over the budget is cut."""
    for block in document.blocks:
        if len(block.text) < _SHORTEST or block.kind == "heading":
            continue
        for piece in [block.text] if len(block.text) <= budget else split_sentences(block.text):
            yield piece if len(piece) <= budget else _cut(piece, budget)
    if not document.blocks:
        yield _cut(document.text, budget)


def _cut(text: str, budget: int) -> str:
    return text[: budget + 1].rsplit(" ", 1)[0][:budget].strip()


def _joined(chosen: list[tuple[int, str]], document: Document) -> tuple[str, ...]:
    """Return excerpts, with pieces that are adjacent in the document joined."""
    excerpts: list[str] = []
    last = -2
    for number, text in chosen:
        joined = f"{excerpts[-1]} {text}" if excerpts and number == last + 1 else ""
        if joined and document.contains(joined):
            excerpts[-1] = joined
        else:
            excerpts.append(text)
        last = number
    return tuple(excerpts)
