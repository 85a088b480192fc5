"""Ranked search over the corpus: the best documents for some queries, each with the best passages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rowcite.local.research.store.library import Library
from rowcite.local.research.text.normalise import content_words, fold

_DEPTH = 200  # documents ranked for each query before filters
_OBJECTIVE = 0.5  # weight of the objective beside a query
_SHORTEST = 20  # characters of the shortest passage


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A document that matches the queries; `excerpts` are quoted from it, in reading order."""

    url: str
    title: str | None
    publish_date: str | None
    excerpts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """Queries with an objective, the domains and the oldest date (YYYY-MM-DD) of results, and the limits.

    Domains have the form of a Question's. An undated document is older than any date.
    """

    queries: Sequence[str] = ()
    objective: str | None = None
    include_domains: Sequence[str] = ()
    exclude_domains: Sequence[str] = ()
    after_date: str | None = None
    max_results: int = 10
    max_chars_per_result: int = 3_000
    max_chars_total: int | None = None


def search(library: Library, query: SearchQuery) -> tuple[SearchResult, ...]:
    """Return the best permitted documents, best first, ties in the order of the corpus."""
    left = query.max_chars_per_result * query.max_results
    left = left if query.max_chars_total is None else query.max_chars_total
    texts = dict.fromkeys(query.queries, 1.0)
    if query.objective:
        texts[query.objective] = _OBJECTIVE if query.queries else 1.0
    stems = frozenset(stem for text in texts for stem in content_words(text))
    found: list[SearchResult] = []
    for number in rank(texts, library):
        if len(found) >= query.max_results or left <= 0:
            break
        document = library[number]
        budget = min(query.max_chars_per_result, left)
        blocks = [one.text for one in document.blocks if one.kind != "heading"] or [document.text]
        pieces = (clip(text, budget) for text in blocks if len(text) >= _SHORTEST)
        if excerpts := best_texts(filter(document.contains, pieces), stems, budget):
            found.append(SearchResult(document.url, document.title or None, document.date, excerpts))
            left -= sum(map(len, excerpts))
    return tuple(found)


def rank(texts: dict[str, float], library: Library) -> list[int]:
    """Return the numbers of permitted documents by the sum of their scores; each query's best score counts its weight."""
    scores: dict[int, float] = {}
    for text, weight in texts.items():
        hits = library.scored(filter(content_words, fold(text).split()), _DEPTH)
        for number, score in hits:
            scores[number] = scores.get(number, 0.0) + weight * score / (hits[0][1] or 1.0)
    return sorted(filter(library.admits, scores), key=lambda number: (-round(scores[number], 6), number))


def best_texts(texts: Iterable[str], stems: frozenset[str], room: int) -> tuple[str, ...]:
    """Return the texts with the most of the stems, at most `room` characters of them, in their order."""
    numbered = list(enumerate(texts))
    chosen: list[tuple[int, str]] = []
    for number, text in sorted(numbered, key=lambda pair: -len(stems & set(content_words(pair[1])))):
        if text and len(text) <= room:
            chosen.append((number, text))
            room -= len(text) + 1
    return tuple(text for _, text in sorted(chosen))


def clip(text: str, length: int) -> str:
    """Return a text, cut before the word that exceeds the length."""
    return text if len(text) <= length else text[: length + 1].rsplit(" ", 1)[0][:length].strip()
