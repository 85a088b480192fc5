"""Find documents by words in the store's index, and by name, site and address with tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest

from rapidfuzz import fuzz, process

from rowcite.local.research.documents.document import DocumentSummary

_CLOSE = 92  # rapidfuzz ratio of a name and its misspelling
_MOST_WORDS = 100  # of a query: each costs a pass over the documents that have it


class DocumentFinder:
    """Finds documents by words, name, site and address; a document is known by its position among the summaries.

    `matches` returns the ids and BM25 scores of the documents that match a query of FTS5; `ids` has them by position.
    """

    def __init__(
        self,
        summaries: Sequence[DocumentSummary],
        ids: Sequence[int],
        matches: Callable[[str], Iterable[tuple[int, float]]],
    ) -> None:
        self.by_url = {summary.url: number for number, summary in enumerate(summaries)}
        self.by_site = _numbers_by([summary.site] if summary.site else [] for summary in summaries)
        self.by_subject = _numbers_by(summary.subjects for summary in summaries)
        self.by_link = _numbers_by(summary.links for summary in summaries)
        self.known = frozenset(name for summary in summaries for name in summary.named)
        self._names = list(self.by_subject)
        self._numbers = {page: number for number, page in enumerate(ids)}
        self._matches = matches

    def containing_phrase(self, name: str) -> list[int]:
        """Return the documents that contain a folded name, in order."""
        found = self._matches(f'"{name}"') if name.split() else ()
        return sorted(self._numbers[page] for page, _ in found if page in self._numbers)

    def containing_any(self, words: list[str], limit: int) -> list[int]:
        """Return the documents that contain any of the folded words, best first, ties in order."""
        return [number for number, _ in self.scored(words, limit)]

    def scored(self, words: list[str], limit: int) -> list[tuple[int, float]]:
        """Return the documents that contain any of the folded words, with BM25 scores, best first, ties in order."""
        query = " OR ".join(f'"{word}"' for word in list(dict.fromkeys(words))[:_MOST_WORDS])
        found = self._matches(query) if query else ()
        ranked = ((-score, self._numbers[page]) for page, score in found if page in self._numbers)
        return [(number, -score) for score, number in nsmallest(limit, ranked)]

    def close_names(self, name: str) -> list[str]:
        """Return subjects that differ from a name by a misspelling; short names must be exact."""
        if len(name) < 7:
            return []
        found = process.extract(name, self._names, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=3)
        return [subject for subject, _, _ in found]


def _numbers_by(keys_of: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    """Return the positions at which each key occurs."""
    found: dict[str, list[int]] = {}
    for number, keys in enumerate(keys_of):
        for key in keys:
            found.setdefault(key, []).append(number)
    return found
