"""Bring the document store up to date with its folder."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from rowcite.local.research.documents.document import DocumentSummary
from rowcite.local.research.store.cache import cache_key
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
from rowcite.local.research.store.document_store import DocumentStore
from rowcite.local.research.store.reader_processes import ReaderProcesses, ReadJob, unreadable_message

_AT_ONCE = 256  # files in a transaction: a killed process has to read them again
_MOST_LINKS = 3  # that are named
_ATTEMPTS = 5  # while another process writes another state of the same folder


@dataclass(frozen=True)
class FolderContents:
    """The documents of a folder as ids and summaries, by path; `skipped` has a line for each part left out."""

    digest: str
    pages: tuple[tuple[int, DocumentSummary], ...]
    skipped: tuple[str, ...]


def read_folder(folder: Path, store: DocumentStore) -> FolderContents:
    """Read new files, delete the documents of removed ones, and return the contents as a snapshot."""
    manifest, complaints = read_manifest(folder / MANIFEST)
    complaints += [*_left_out(links_out(folder)), *unread_kinds(folder)]
    for _ in range(_ATTEMPTS):
        walk = _Walk(folder, manifest)
        walk.read(store)
        store.remove_others(walk.keys)
        store.checkpoint()
        store.begin_snapshot()
        problems = store.problems()
        if walk.keys.keys() <= problems.keys():
            break
        store.end_snapshot()  # another process deleted some of these files: it sees another state of the folder
    pages = [(page, summary) for page, key, summary in store.summaries() if key in walk.keys]
    lines = (line for key in walk.keys for line in problems.get(key, ()))
    return FolderContents(
        digest_of(walk.hashes),
        tuple(sorted(pages, key=lambda page: page[1].path)),
        (*complaints, *walk.skipped, *lines),
    )


def _left_out(links: list[str]) -> list[str]:
    if not links:
        return []
    more = f" and {len(links) - _MOST_LINKS:,} more" if len(links) > _MOST_LINKS else ""
    counted = f"{len(links):,} link{'s'[: len(links) != 1]} out of the folder left out"
    return [f"{counted}: {', '.join(links[:_MOST_LINKS])}{more}"]


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
            sys.stderr.write(f"\r{self.read_files:,} documents read")
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
            key = cache_key(
                found.digest(), name, *(f"{page}={entry}" for page, entry in sorted(metadata.items()))
            )
            self.keys[key] = None
            if key not in stored_keys:
                yield ReadJob(key, name, content, metadata)
