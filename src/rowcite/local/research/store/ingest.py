"""Load a corpus: bring the document store up to date with its folder, in the cache or in memory."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from rowcite.local.research.store.corpus_folder import (
    MANIFEST,
    Manifest,
    corpus_files,
    digest_of,
    left_out,
    read_manifest,
    relative_name,
)
from rowcite.local.research.store.document_store import (
    DAMAGE_ERRORS,
    UNUSABLE_ERRORS,
    DocumentStore,
    cache_file,
    delete_store,
)
from rowcite.local.research.store.library import Library
from rowcite.local.research.store.read_files import ReadJob, read_all, unreadable_message

_FILES, _BYTES = 1_024, 32_000_000  # in a transaction: a killed process has to read them again
_ATTEMPTS = 5  # while another process writes another state of the same folder


@dataclass(frozen=True)
class CorpusContents:
    """A corpus: the digest of its files, its documents in the order of their paths, and a line for each part left out."""

    digest: str
    library: Library
    skipped: tuple[str, ...]


def load_contents(folder: Path, cache: Path | None) -> CorpusContents:
    """Return the contents of a folder; a cache that cannot be used adds a line to `skipped`."""
    if cache is None:
        return read_folder(folder, DocumentStore(None))
    try:
        file = cache_file(cache, folder)
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
    lines = (line for key in walk.keys for line in problems.get(key, ()))
    skipped = (*complaints, *left_out(folder), *walk.skipped, *lines)
    return CorpusContents(digest_of(walk.hashes), Library(store, found), skipped)


@dataclass
class _Walk:
    """One walk over a folder: the keys of its documents in order, and the hashes of all its files."""

    folder: Path
    manifest: Manifest
    keys: dict[bytes, None] = field(default_factory=dict)
    hashes: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def read(self, store: DocumentStore) -> None:
        """Read the files that are not in the store and add them; on a terminal, show how many if there are many."""
        count, shown = 0, False
        for jobs in self._batches(store.problems().keys()):
            results = list(zip(jobs, read_all(jobs), strict=True))
            store.add_files([(job.key, parsed) for job, parsed in results if not isinstance(parsed, str)])
            for job, parsed in results:
                if isinstance(parsed, str):
                    del self.keys[job.key]
                    self.skipped.append(parsed)
            count += len(jobs)
            shown = count >= _FILES and sys.stderr.isatty()
            sys.stderr.write(f"\r{count:,} documents read\x1b[K" if shown else "")  # the line may have a bar
        sys.stderr.write("\n" if shown else "")

    def _batches(self, stored_keys: Container[bytes]) -> Iterator[list[ReadJob]]:
        """Yield the files that are not stored, some at a time."""
        jobs, size = list[ReadJob](), 0
        for path in corpus_files(self.folder):
            name = relative_name(self.folder, path)
            try:
                content = path.read_bytes()
            except OSError as error:
                self.skipped.append(unreadable_message(name, error))
                continue
            found = hashlib.sha256(content).hexdigest()
            self.hashes.append((name, found))
            if path.name == MANIFEST:
                continue
            metadata = self.manifest.get(name, {})
            key = hashlib.sha256(repr((found, name, sorted(metadata.items()))).encode()).digest()
            self.keys[key] = None
            if key not in stored_keys:
                jobs.append(ReadJob(key, name, content, metadata))
                size += len(content)
            if len(jobs) == _FILES or size >= _BYTES:
                yield jobs
                jobs, size = [], 0
        if jobs:
            yield jobs
