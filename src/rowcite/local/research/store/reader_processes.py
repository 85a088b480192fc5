"""Parse files in this process or, when there are many, in a few processes beside it.

The others are plain Python processes on pipes: multiprocessing would run the caller's script again in each.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Self

import msgspec

from rowcite.local.research.documents.document import FileMetadata
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.store.document_store import StoredFile, to_stored
from rowcite.local.research.text.normalise import collapse_spaces

WORTH_STARTING = 1_000_000  # bytes, about a second's work: less is done before a process has started
HEAVY = 20_000  # tags: the time of parsing grows with their square, if they are nested to delay it
SECONDS, BYTES_PER_SECOND = 60.0, 100_000
"""The longest time for a file, and what is added to it by size: it takes a tenth of that."""
_MOST = 4  # processes, each with the engine in memory
_WORK = "from rowcite.local.research.store.reader_processes import work; work()"


@dataclass(frozen=True)
class ReadJob:
    """A file to read; `metadata` is that of the file and of the pages in it, by name."""

    key: bytes
    name: str
    content: bytes
    metadata: dict[str, FileMetadata]


class ReaderProcesses:
    """One reader for each processor, started when there is much to read and killed at the end of the block.

    A file that takes longer than `seconds`, with more for a large one, is left out.
    """

    def __init__(
        self, processes: int | None = None, worth_starting: int = WORTH_STARTING, seconds: float = SECONDS
    ) -> None:
        self._count = min(os.cpu_count() or 1, _MOST) if processes is None else processes
        self._worth_starting, self._seconds = worth_starting, seconds
        self._running: list[subprocess.Popen[bytes]] = []
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
            process.communicate()

    def read(self, jobs: Sequence[ReadJob]) -> list[StoredFile | str]:
        """Return the parsed contents of each file, or a line with the reason if it cannot be read."""
        much = self._count > 1 and sum(len(job.content) for job in jobs) >= self._worth_starting
        heavy = any(job.content.count(b"<") > HEAVY for job in jobs)
        if (much or heavy) and not self._running and sys.executable:
            for _ in range(self._count):
                self._start()
        if not self._running:
            return [read(job) for job in jobs]
        with ThreadPoolExecutor(len(self._running)) as pool:
            return list(pool.map(self._read_in_process, jobs))

    def _start(self) -> None:
        command = [sys.executable, "-P", "-c", _WORK]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)  # noqa: S603  # this Python
        self._running.append(process)
        self._idle.put(process)

    def _read_in_process(self, job: ReadJob) -> StoredFile | str:
        """Have an idle process read a file; if that fails, read it here, unless it took too long."""
        process, late = self._idle.get(), threading.Event()
        seconds = self._seconds + len(job.content) / BYTES_PER_SECOND

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            _send(process.stdin, job)
            return _results.decode(_receive(process.stdout))
        except (OSError, EOFError, msgspec.DecodeError):
            return f"{job.name}: not read within {seconds:.0f} s" if late.is_set() else read(job)
        finally:
            timer.cancel()
            if late.is_set():
                self._start()
            else:
                self._idle.put(process)


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
    """Read jobs from standard input and write their results until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and closes the pipe
    while True:
        try:
            job = _jobs.decode(_receive(sys.stdin.buffer))
        except EOFError:
            return
        _send(sys.stdout.buffer, read(job))


def _send(pipe: IO[bytes] | None, value: ReadJob | StoredFile | str) -> None:
    assert pipe is not None
    message = msgspec.msgpack.encode(value)
    pipe.write(len(message).to_bytes(8) + message)
    pipe.flush()


def _receive(pipe: IO[bytes] | None) -> bytes:
    assert pipe is not None
    size = pipe.read(8)
    message = pipe.read(int.from_bytes(size)) if len(size) == 8 else b""
    if not message:
        raise EOFError
    return message


_jobs = msgspec.msgpack.Decoder(ReadJob)
_results: msgspec.msgpack.Decoder[StoredFile | str] = msgspec.msgpack.Decoder(StoredFile | str)
