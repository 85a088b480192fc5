"""A corpus's documents and index, from the cache as far as they are there; without a usable cache, in memory."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import overload

from rowcite.local.research.documents.document import Card, Document
from rowcite.local.research.store.cache import corpus_cache, engine_stamp, version_of
from rowcite.local.research.store.document_store import DAMAGED, Shelf, start_over
from rowcite.local.research.store.ingest import Known, read_folder
from rowcite.local.research.store.search_index import Words, words_in_memory, words_kept

_AT_HAND = 2_048  # documents held as they are asked about: some 200 KB each, of pages of 10 KB


@dataclass(frozen=True)
class Holdings:
    """All that a corpus knows: its cards, its documents in the same order, its words, and lines about what is amiss."""

    digest: str
    cards: tuple[Card, ...]
    documents: Sequence[Document]
    words: Words
    skipped: tuple[str, ...]


class Documents(Sequence[Document]):
    """Documents that are fetched from the shelf when they are asked for."""

    def __init__(self, shelf: Shelf, pages: Sequence[int]) -> None:
        self._pages = pages
        self._fetch = lru_cache(_AT_HAND)(shelf.document)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._pages)

    @overload
    def __getitem__(self, at: int) -> Document: ...
    @overload
    def __getitem__(self, at: slice) -> list[Document]: ...
    def __getitem__(self, at: int | slice) -> Document | list[Document]:
        """Return a document by its number."""
        if isinstance(at, slice):
            return [self._fetch(page) for page in self._pages[at]]
        return self._fetch(self._pages[at])


def holdings(corpus: Path, cache: Path | None) -> Holdings:
    """Return what a folder holds. A cache that cannot be used costs time, and a line in `skipped`."""
    if cache is None:
        return _in_memory(corpus)
    try:
        folder = corpus_cache(cache, corpus)
        try:
            return _kept(corpus, folder)
        except DAMAGED:
            start_over(folder)
            return _kept(corpus, folder)
    except (OSError, sqlite3.Error) as error:
        found = _in_memory(corpus)
        return replace(found, skipped=(*found.skipped, f"the cache {cache} cannot be used: {error}"))


def _in_memory(corpus: Path) -> Holdings:
    shelf = Shelf(None)
    known = read_folder(corpus, shelf)
    return _of(known, shelf, words_in_memory(shelf.words(page for page, _ in known.pages)))


def _kept(corpus: Path, folder: Path) -> Holdings:
    shelf = Shelf(folder)
    known = read_folder(corpus, shelf)
    stamp = hashlib.sha256(engine_stamp() + f"{known.digest} {version_of('tantivy')}".encode()).hexdigest()[
        :24
    ]
    texts = shelf.words(page for page, _ in known.pages)
    return _of(known, shelf, words_kept(folder, stamp, texts, len(known.pages)))


def _of(known: Known, shelf: Shelf, words: Words) -> Holdings:
    documents = Documents(shelf, [page for page, _ in known.pages])
    return Holdings(known.digest, tuple(card for _, card in known.pages), documents, words, known.skipped)
