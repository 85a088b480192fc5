"""Load a corpus through the cache, or into memory if the cache cannot be used."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import overload

from rowcite.local.research.documents.document import Document, DocumentSummary
from rowcite.local.research.store.cache import corpus_cache, engine_fingerprint, version_of
from rowcite.local.research.store.document_store import DAMAGE_ERRORS, DocumentStore, delete_store
from rowcite.local.research.store.ingest import FolderContents, read_folder
from rowcite.local.research.store.search_index import WordIndex, index_in_memory, open_index

_CACHED_DOCUMENTS = 2_048  # documents in memory, about 200 KB each for pages of 10 KB


@dataclass(frozen=True)
class CorpusContents:
    """A corpus: its summaries and documents in the same order, its index, and a line for each part left out."""

    digest: str
    summaries: tuple[DocumentSummary, ...]
    documents: Sequence[Document]
    words: WordIndex
    skipped: tuple[str, ...]


class Documents(Sequence[Document]):
    """Documents that are loaded from the store on first use."""

    def __init__(self, store: DocumentStore, pages: Sequence[int]) -> None:
        self._pages = pages
        self._fetch = lru_cache(_CACHED_DOCUMENTS)(store.document)

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._pages)

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> list[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | list[Document]:
        """Return a document by its number."""
        if isinstance(index, slice):
            return [self._fetch(page) for page in self._pages[index]]
        return self._fetch(self._pages[index])


def load_contents(corpus: Path, cache: Path | None) -> CorpusContents:
    """Return the contents of a folder; a cache that cannot be used adds a line to `skipped`."""
    if cache is None:
        return _in_memory(corpus)
    try:
        folder = corpus_cache(cache, corpus)
        try:
            return _from_cache(corpus, folder)
        except DAMAGE_ERRORS:
            delete_store(folder)
            return _from_cache(corpus, folder)
    except (OSError, sqlite3.Error) as error:
        found = _in_memory(corpus)
        return replace(found, skipped=(*found.skipped, f"the cache {cache} cannot be used: {error}"))


def _in_memory(corpus: Path) -> CorpusContents:
    store = DocumentStore(None)
    contents = read_folder(corpus, store)
    return _contents(contents, store, index_in_memory(store.words(page for page, _ in contents.pages)))


def _from_cache(corpus: Path, folder: Path) -> CorpusContents:
    store = DocumentStore(folder)
    contents = read_folder(corpus, store)
    stamp = hashlib.sha256(
        engine_fingerprint() + f"{contents.digest} {version_of('tantivy')}".encode()
    ).hexdigest()[:24]
    texts = store.words(page for page, _ in contents.pages)
    return _contents(contents, store, open_index(folder, stamp, texts, len(contents.pages)))


def _contents(contents: FolderContents, store: DocumentStore, words: WordIndex) -> CorpusContents:
    documents = Documents(store, [page for page, _ in contents.pages])
    return CorpusContents(
        contents.digest, tuple(summary for _, summary in contents.pages), documents, words, contents.skipped
    )
