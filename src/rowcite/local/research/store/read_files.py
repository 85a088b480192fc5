"""Parse files in this process or, when there are many, in a few processes beside it.

The others are plain Python processes: multiprocessing would run the caller's script again in each.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import msgspec

from rowcite.local.research.documents.document import FileMetadata
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.store.document_store import StoredFile, to_stored
from rowcite.local.research.text.normalise import collapse_spaces

WORTH_STARTING = 1_000_000  # bytes, about a second's work: less is done before a process has started
HEAVY = 20_000  # tags: the time of parsing grows with their square, if they are nested to delay it
SECONDS, BYTES_PER_SECOND = 60.0, 100_000
"""The longest time for some files, and what is added to it by size: they take a tenth of that."""
_MOST = 4  # processes, each with the engine in memory
_WORK = "from rowcite.local.research.store.read_files import work; work()"


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
    if not (processes or much or heavy) or not sys.executable:
        return [read(job) for job in jobs]
    count = processes or min(os.cpu_count() or 1, _MOST, len(jobs))
    with ThreadPoolExecutor(count) as pool:
        parts = pool.map(lambda at: _read_in_process(jobs[at::count], seconds), range(count))
        found = dict(chain.from_iterable(parts))
    return [found[job.key] for job in jobs]


def _read_in_process(jobs: Sequence[ReadJob], seconds: float) -> list[tuple[bytes, StoredFile | str]]:
    """Return the parsed contents by key; if the process fails, each file has a process to itself."""
    limit = seconds + sum(len(job.content) for job in jobs) / BYTES_PER_SECOND
    command, message = [sys.executable, "-P", "-c", _WORK], msgspec.msgpack.encode(jobs)
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    try:
        done = subprocess.run(  # noqa: S603  # this Python
            command, input=message, stdout=pipe, stderr=null, timeout=limit, check=True
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
