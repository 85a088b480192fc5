"""Load a corpus: bring the document store up to date with its folder, in the cache or in memory.

Many files are parsed in a few processes of plain Python: multiprocessing would run the caller's script again in each.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import msgspec

from rowcite.local.research.documents.document import FileMetadata
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.store.corpus_folder import (
    MANIFEST,
    corpus_files,
    digest_of,
    read_manifest,
    relative_name,
)
from rowcite.local.research.store.document_store import (
    DAMAGE_ERRORS,
    UNUSABLE_ERRORS,
    DocumentStore,
    StoredFile,
    cache_file,
    delete_store,
    to_stored,
)
from rowcite.local.research.store.library import Library
from rowcite.local.research.text.normalise import collapse_spaces

WORTH_STARTING = 1_000_000  # bytes, about a second's work: less is done before a process has started
HEAVY = 20_000  # tags: the time of parsing grows with their square, if they are nested to delay it
SECONDS, BYTES_PER_SECOND = 60.0, 100_000  # the longest time for some files, and what is added to it by size
_MOST = 4  # processes, each with the engine in memory
_WORK = "from rowcite.local.research.store.ingest import work; work()"
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
    for _ in range(_ATTEMPTS):
        walk = _Walk(folder)
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
    return CorpusContents(digest_of(walk.hashes), Library(store, found), (*walk.skipped, *lines))


class _Walk:
    """One walk over a folder: the keys of its documents in order, the hashes of all its files, and lines on what is left out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths, counted = corpus_files(folder)
        self.manifest, complaints = (
            read_manifest(folder / MANIFEST) if folder / MANIFEST in self.paths else ({}, [])
        )
        self.skipped = [*complaints, *counted]
        self.keys: dict[bytes, None] = {}
        self.hashes: list[tuple[str, str]] = []

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
        for path in self.paths:
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


@dataclass(frozen=True)
class ReadJob:
    """A file to read; `metadata` is that of the file and of the pages in it, by name."""

    key: bytes
    name: str
    content: bytes
    metadata: dict[str, FileMetadata]


def read_all(jobs: Sequence[ReadJob], processes: int = 0, seconds: float = SECONDS) -> list[StoredFile | str]:
    """Return the parsed contents of each file, or a line with the reason if it cannot be read.

    Files are read in some processes if they are large or heavy. A file that takes longer than `seconds` is left out.
    """
    much = sum(len(job.content) for job in jobs) >= WORTH_STARTING
    heavy = any(job.content.count(b"<") > HEAVY for job in jobs)
    if not (processes or much or heavy) or not sys.executable:  # a program with Python in it names none
        return [read(job) for job in jobs]
    count = processes or min(os.cpu_count() or 1, _MOST, len(jobs))
    with ThreadPoolExecutor(count) as pool:
        parts = pool.map(lambda at: _read_in_process(jobs[at::count], seconds), range(count))
        found = dict(chain.from_iterable(parts))
    return [found[job.key] for job in jobs]


def _read_in_process(jobs: Sequence[ReadJob], seconds: float) -> list[tuple[bytes, StoredFile | str]]:
    """Return the parsed contents by key; if the process fails, each file has a process to itself."""
    limit = seconds + sum(len(job.content) for job in jobs) / BYTES_PER_SECOND
    command = [sys.executable, "-P", "-c", _WORK]
    try:
        done = subprocess.run(  # noqa: S603  # this Python
            command, input=msgspec.msgpack.encode(jobs), capture_output=True, timeout=limit, check=True
        )
        return list(zip([job.key for job in jobs], _results.decode(done.stdout), strict=True))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        if len(jobs) > 1:
            return [pair for job in jobs for pair in _read_in_process([job], seconds)]
        (job,) = jobs
        late = isinstance(error, subprocess.TimeoutExpired)
        return [(job.key, f"{job.name}: not read within {limit:.0f} s" if late else read(job))]


def read(job: ReadJob) -> StoredFile | str:
    """Return the parsed contents of a file, or a line with the reason if it cannot be read."""
    try:
        return to_stored(*read_file(job.content, job.name, job.metadata))
    except UNREADABLE as error:
        return unreadable_message(job.name, error)


def unreadable_message(name: str, error: Exception) -> str:
    """Return the line about a file that cannot be read."""
    return f"{name}: {type(error).__name__}: {collapse_spaces(str(error))[:200]}"


def work() -> None:
    """Read the jobs on standard input and write their results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    jobs = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[ReadJob])
    sys.stdout.buffer.write(msgspec.msgpack.encode([read(job) for job in jobs]))


_results: msgspec.msgpack.Decoder[list[StoredFile | str]] = msgspec.msgpack.Decoder(list[StoredFile | str])
