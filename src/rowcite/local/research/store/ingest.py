"""Load a corpus: bring the document store up to date with its folder, in the cache or in memory."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import overload

from rowcite.local.research.documents.document import Document, DocumentSummary
from rowcite.local.research.store.cache import cache_key, corpus_cache, store_file
from rowcite.local.research.store.corpus_folder import (
    MANIFEST,
    Manifest,
    corpus_files,
    digest_of,
    links_out,
    read_manifest,
    relative_name,
    unread_kinds,
)
from rowcite.local.research.store.document_store import (
    DAMAGE_ERRORS,
    UNUSABLE_ERRORS,
    DocumentStore,
    delete_store,
)
from rowcite.local.research.store.reader_processes import ReaderProcesses, ReadJob, unreadable_message
from rowcite.local.research.store.search_index import DocumentFinder

_AT_ONCE = 256  # files in a transaction: a killed process has to read them again
_ATTEMPTS = 5  # while another process writes another state of the same folder
_IN_MEMORY = 2_048  # documents, about 200 KB each for pages of 10 KB


class Documents(Sequence[Document]):
    """Documents that are loaded from the store on first use."""

    def __init__(self, store: DocumentStore, pages: Sequence[int]) -> None:
        self._pages = pages
        self._fetch = lru_cache(_IN_MEMORY)(store.document)

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


@dataclass(frozen=True)
class CorpusContents:
    """A corpus: its summaries and documents in the same order, its finder, and a line for each part left out."""

    digest: str
    summaries: tuple[DocumentSummary, ...]
    documents: Documents
    finder: DocumentFinder
    skipped: tuple[str, ...]


def load_contents(folder: Path, cache: Path | None) -> CorpusContents:
    """Return the contents of a folder; a cache that cannot be used adds a line to `skipped`."""
    if cache is None:
        return read_folder(folder, DocumentStore(None))
    try:
        file = store_file(corpus_cache(cache, folder))
        try:
            return read_folder(folder, DocumentStore(file))
        except DAMAGE_ERRORS:
            delete_store(file)
            return read_folder(folder, DocumentStore(file))
    except UNUSABLE_ERRORS as error:
        found = read_folder(folder, DocumentStore(None))
        return replace(found, skipped=(*found.skipped, f"the cache {cache} cannot be used: {error}"))


def read_folder(folder: Path, store: DocumentStore) -> CorpusContents:
    """Read new files, delete the documents of removed ones, and return the contents as a snapshot."""
    manifest, complaints = read_manifest(folder / MANIFEST)
    complaints += [*links_out(folder), *unread_kinds(folder)]
    for _ in range(_ATTEMPTS):
        walk = _Walk(folder, manifest)
        walk.read(store)
        store.remove_others(walk.keys)
        store.begin_snapshot()
        problems = store.problems()
        if walk.keys.keys() <= problems.keys():
            break
        store.end_snapshot()  # another process deleted some of these files: it sees another state of the folder
    found = [(page, summary) for page, key, summary in store.summaries() if key in walk.keys]
    found.sort(key=lambda pair: pair[1].path)
    ids, summaries = [page for page, _ in found], tuple(summary for _, summary in found)
    lines = (line for key in walk.keys for line in problems.get(key, ()))
    return CorpusContents(
        digest_of(walk.hashes),
        summaries,
        Documents(store, ids),
        DocumentFinder(summaries, ids, store.matches),
        (*complaints, *walk.skipped, *lines),
    )


@dataclass
class _Walk:
    """One walk over a folder: the keys of its documents in order, and the hashes of all its files."""

    folder: Path
    manifest: Manifest
    keys: dict[bytes, None] = field(default_factory=dict)
    hashes: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    read_files: int = 0

    def read(self, store: DocumentStore) -> None:
        """Read the files that are not in the store and add them."""
        unknown = self._unknown(store.keys())
        with ReaderProcesses() as readers:
            while jobs := list(islice(unknown, _AT_ONCE)):
                results = list(zip(jobs, readers.read(jobs), strict=True))
                self._show_progress(len(jobs))
                store.add_files([(job.key, parsed) for job, parsed in results if not isinstance(parsed, str)])
                for job, parsed in results:
                    if isinstance(parsed, str):
                        del self.keys[job.key]
                        self.skipped.append(parsed)
        if self.read_files > _AT_ONCE and sys.stderr.isatty():
            sys.stderr.write("\n")

    def _show_progress(self, count: int) -> None:
        """Show on a terminal how many files are read, if there are many."""
        self.read_files += count
        if self.read_files > _AT_ONCE and sys.stderr.isatty():
            sys.stderr.write(f"\r{self.read_files:,} documents read\x1b[K")  # the line may have a bar
            sys.stderr.flush()

    def _unknown(self, stored_keys: set[bytes]) -> Iterator[ReadJob]:
        for path in corpus_files(self.folder):
            name = relative_name(self.folder, path)
            try:
                content = path.read_bytes()
            except OSError as error:
                self.skipped.append(unreadable_message(name, error))
                continue
            found = hashlib.sha256(content)
            self.hashes.append((name, found.hexdigest()))
            if path.name == MANIFEST:
                continue
            metadata = self.manifest.get(name, {})
            stated = (f"{page}={entry}" for page, entry in sorted(metadata.items()))
            key = cache_key(found.digest(), name, *stated)
            self.keys[key] = None
            if key not in stored_keys:
                yield ReadJob(key, name, content, metadata)
