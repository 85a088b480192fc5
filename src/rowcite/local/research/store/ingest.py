"""Load a corpus: bring the document store up to date with its folder, in the cache or in memory.

Many files are parsed in a few processes of plain Python: multiprocessing would run the caller's script again in each.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import msgspec

from rowcite.local.research.documents.document import FileMetadata
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.store.corpus_folder import (
    MANIFEST,
    Manifest,
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
_BYTES = 32_000_000  # in a transaction: a killed process has to read them again
_PER_FILE = 30_000  # bytes that are added to each file's, so that many small ones are not all in one
_MANY = 1_000  # documents, from which on their number is shown on a terminal


Contents = tuple[Library, str, tuple[str, ...]]
"""The documents of a folder in the order of their paths, the digest of its files, and a line for each part left out."""


def load_contents(folder: Path, cache: Path | None) -> Contents:
    """Return the contents of a folder; a cache that cannot be used adds a line."""
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
        library, digest, lines = read_folder(folder, DocumentStore(None))
        return library, digest, (*lines, f"the cache {cache} cannot be used: {error}")


def read_folder(folder: Path, store: DocumentStore) -> Contents:
    """Read new files, delete the documents of removed ones, and return the contents as a snapshot."""
    walk = _Walk(folder, store)
    store.remove_others(walk.keys)
    if not store.begin_snapshot(walk.keys):  # another process sees another state of the folder
        return read_folder(folder, store)
    problems = store.problems()
    found = [(page, summary) for page, key, summary in store.summaries() if key in walk.keys]
    found.sort(key=lambda pair: pair[1].path)
    lines = (*walk.lines, *(line for key in walk.keys for line in problems[key]))
    return Library(store, found), digest_of(walk.hashes), lines


class _Walk:
    """One walk over a folder, which adds its new files to a store.

    `keys` are those of its documents in order, `hashes` those of all files, `lines` are about files that are not read.
    """

    def __init__(self, folder: Path, store: DocumentStore) -> None:
        files, left_out = corpus_files(folder)
        manifest, complaints = read_manifest(files)
        self.keys = dict[bytes, None]()
        self.hashes = list[tuple[str, str]]()
        self.lines = [*complaints, *left_out]
        self._size = 0
        stored, count, shown = store.problems().keys(), 0, False
        new = (job for job in self._documents(folder, files, manifest) if job.key not in stored)
        for _, batch in groupby(new, self._transaction):
            jobs = list(batch)
            store.add_files(zip([job.key for job in jobs], read_all(jobs), strict=True))
            count += len(jobs)
            shown = count >= _MANY and sys.stderr.isatty()
            sys.stderr.write(f"\r{count:,} documents read\x1b[K" if shown else "")  # the line may have a bar
        sys.stderr.write("\n" if shown else "")

    def _documents(self, folder: Path, files: Iterable[Path], manifest: Manifest) -> Iterator[ReadJob]:
        for path in files:
            name = relative_name(folder, path)
            try:
                content = path.read_bytes()
            except OSError as error:
                self.lines.append(unreadable_message(name, error))
                continue
            found = hashlib.sha256(content).hexdigest()
            self.hashes.append((name, found))
            if path.name != MANIFEST:
                metadata = manifest.get(name, {})
                key = hashlib.sha256(repr((found, name, sorted(metadata.items()))).encode()).digest()
                self.keys[key] = None
                yield ReadJob(key, name, content, metadata)

    def _transaction(self, job: ReadJob) -> int:
        """Return the number of the transaction in which a file is stored."""
        self._size += len(job.content) + _PER_FILE
        return self._size // _BYTES


@dataclass(frozen=True)
class ReadJob:
    """A file to read; `metadata` is that of the file and of the pages in it, by name."""

    key: bytes
    name: str
    content: bytes
    metadata: dict[str, FileMetadata]


def read_all(jobs: Sequence[ReadJob], processes: int = 0, seconds: float = SECONDS) -> list[StoredFile]:
    """Return the parsed contents of each file.

    Files are read in some processes if they are large or heavy. A file that takes longer than `seconds` is left out.
    """
    much = sum(len(job.content) for job in jobs) >= WORTH_STARTING
    heavy = any(job.content.count(b"<") > HEAVY for job in jobs)
    if not (processes or much or heavy) or not sys.executable:  # a program with Python in it names none
        return [read(job) for job in jobs]
    count = processes or min(os.cpu_count() or 1, _MOST, len(jobs))
    found = [StoredFile([], [])] * len(jobs)
    with ThreadPoolExecutor(count) as pool:
        parts = pool.map(lambda at: _read_in_process(jobs[at::count], seconds), range(count))
        for at, part in enumerate(parts):
            found[at::count] = part
    return found


def _read_in_process(jobs: Sequence[ReadJob], seconds: float) -> list[StoredFile]:
    """Return the parsed contents of each file; if the process fails, each file has a process to itself."""
    limit = seconds + sum(len(job.content) for job in jobs) / BYTES_PER_SECOND
    command = [sys.executable, "-P", "-c", _WORK]
    try:
        done = subprocess.run(  # noqa: S603  # this Python
            command, input=msgspec.msgpack.encode(jobs), capture_output=True, timeout=limit, check=True
        )
        return _results.decode(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        if len(jobs) > 1:
            return [one for job in jobs for one in _read_in_process([job], seconds)]
        if isinstance(error, subprocess.TimeoutExpired):
            late = f"{jobs[0].name}: not read within {limit:.0f} s, nor again until it changes or with --no-cache"
            return [StoredFile([], [late])]
        return [read(jobs[0])]


def read(job: ReadJob) -> StoredFile:
    """Return the parsed contents of a file; of one that cannot be read, a line with the reason."""
    try:
        return to_stored(*read_file(job.content, job.name, job.metadata))
    except UNREADABLE as error:
        return StoredFile([], [unreadable_message(job.name, error)])


def unreadable_message(name: str, error: Exception) -> str:
    """Return the line about a file that cannot be read."""
    return f"{name}: {type(error).__name__}: {collapse_spaces(str(error))[:200]}"


def work() -> None:
    """Read the jobs on standard input and write their results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    jobs = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[ReadJob])
    sys.stdout.buffer.write(msgspec.msgpack.encode([read(job) for job in jobs]))


_results = msgspec.msgpack.Decoder(list[StoredFile])
