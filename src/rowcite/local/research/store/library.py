"""The documents of a corpus, found by words in the store's index, and by name, site and address with tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from functools import lru_cache
from heapq import nsmallest

from rapidfuzz import fuzz, process

from rowcite.local.research.documents.document import Document
from rowcite.local.research.store.document_store import DocumentStore

_IN_MEMORY = 2_048  # documents, about 200 KB each for pages of 10 KB
_CLOSE = 92  # rapidfuzz ratio of a name and its misspelling
_MOST_WORDS = 100  # of a query: each costs a pass over the documents that have it


class Library:
    """The documents by number, loaded from the store on first use, and the ways to find them.

    `found` has the id of each document in the store and its summary, in the order of the numbers. `permitted` has the
    numbers that the source policy admits; None admits all.
    """

    def __init__(self, store: DocumentStore, found: Sequence[tuple[int, Document]]) -> None:
        self.summaries = [summary for _, summary in found]
        self.permitted: frozenset[int] | None = None
        self.by_site = _numbers_by([summary.site] for summary in self.summaries)
        self.by_subject = _numbers_by(summary.subjects for summary in self.summaries)
        self.by_link = _numbers_by(summary.links for summary in self.summaries)
        self.known = frozenset(name for summary in self.summaries for name in summary.named)
        self._ids = [page for page, _ in found]
        self._numbers = {page: number for number, page in enumerate(self._ids)}
        self._load = lru_cache(_IN_MEMORY)(store.document)
        self._matches = store.matches

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._ids)

    def __getitem__(self, number: int) -> Document:
        """Return a document by its number."""
        return self._load(self._ids[number])

    def __iter__(self) -> Iterator[Document]:
        """Yield the documents in order."""
        return map(self._load, self._ids)

    def limited_to(self, admitted: Callable[[Document], bool]) -> Library:
        """Return the library with a source policy, given as a test of summaries."""
        limited = copy(self)
        limited.permitted = frozenset(at for at, one in enumerate(self.summaries) if admitted(one))
        return limited

    def admits(self, number: int) -> bool:
        """Return True if the source policy admits a document."""
        return self.permitted is None or number in self.permitted

    def containing_phrase(self, name: str) -> list[int]:
        """Return the documents that contain a folded name, in order."""
        found = self._matches(f'"{name}"') if name.split() else ()
        return sorted(self._numbers[page] for page, _ in found if page in self._numbers)

    def scored(self, words: Iterable[str], limit: int) -> list[tuple[int, float]]:
        """Return the documents that contain any of the folded words, with BM25 scores, best first, ties in order."""
        asked = list(dict.fromkeys(words))[:_MOST_WORDS]
        found = self._matches(" OR ".join(f'"{word}"' for word in asked)) if asked else ()
        ranked = ((-score, self._numbers[page]) for page, score in found if page in self._numbers)
        return [(number, -score) for score, number in nsmallest(limit, ranked)]

    def close_name(self, name: str) -> str:
        """Return the subject that differs from a name by a misspelling, if there is one; short names must be exact."""
        subjects = [*self.by_subject] if len(name) > 6 else []
        found = process.extractOne(name, subjects, scorer=fuzz.ratio, score_cutoff=_CLOSE)
        return str(found[0]) if found else ""


def _numbers_by(keys_of: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    """Return the positions at which each key occurs."""
    found: dict[str, list[int]] = {}
    for number, keys in enumerate(keys_of):
        for key in keys:
            found.setdefault(key, []).append(number)
    return found
