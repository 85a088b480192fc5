"""Reads files into documents ready to be kept: in this process, and where there are many, in others beside it.

The others are plain Python processes on pipes: multiprocessing would run the caller's script again in each.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Self

import msgspec

from rowcite.local.research.documents.document import FileMetadata
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.store.document_store import StoredFile, to_stored
from rowcite.local.research.text.normalise import collapse_spaces

WORTH_STARTING = (
    1_000_000  # bytes to read at once, some second's work: less is done before another process has started
)
_MOST = 4  # processes: each has the engine in memory
_WORK = "from rowcite.local.research.store.reader_processes import work; work()"


@dataclass(frozen=True)
class ReadJob:
    """A file to read; `stated` is what the manifest says of it and of the pages in it, by name."""

    key: bytes
    name: str
    content: bytes
    stated: dict[str, FileMetadata]


class ReaderProcesses:
    """As many readers as there are processors, started when there is much to read, ended with the block."""

    def __init__(self, processes: int | None = None, worth_starting: int = WORTH_STARTING) -> None:
        self._count = min(os.cpu_count() or 1, _MOST) if processes is None else processes
        self._worth_starting = worth_starting
        self._running: list[subprocess.Popen[bytes]] = []
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
            process.communicate()

    def read(self, jobs: Sequence[ReadJob]) -> list[StoredFile | str]:
        """Return what each file comes to; a line that says why for one that cannot be read."""
        size = sum(len(job.content) for job in jobs)
        if size >= self._worth_starting and not self._running and self._count > 1 and _can_start():
            self._start()
        if not self._running:
            return [read(job) for job in jobs]
        with ThreadPoolExecutor(len(self._running)) as pool:
            return list(pool.map(self._read_in_process, jobs))

    def _start(self) -> None:
        for _ in range(self._count):
            process = subprocess.Popen(  # noqa: S603  # this Python, with words of this file's own
                [sys.executable, "-P", "-c", _WORK],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._running.append(process)
            self._idle.put(process)

    def _read_in_process(self, job: ReadJob) -> StoredFile | str:
        """Have an idle process read a file; when it cannot, this one does."""
        process = self._idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _send(process.stdin, _encode(job))
            return _results.decode(_receive(process.stdout))
        except (OSError, EOFError, msgspec.DecodeError):
            return read(job)
        finally:
            self._idle.put(process)


def read(job: ReadJob) -> StoredFile | str:
    """Return what a file comes to; a line that says why when it cannot be read."""
    try:
        return to_stored(*read_file(job.content, job.name, job.stated))
    except UNREADABLE as error:
        return unreadable_message(job.name, error)


def unreadable_message(name: str, error: Exception) -> str:
    """Return the line about a file that cannot be read."""
    return f"{name}: {type(error).__name__}: {collapse_spaces(str(error))[:200]}"


def work() -> None:
    """Read what comes on the standard input, one job after the other, until it ends."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the process that has the pipe, which then closes it
    while True:
        try:
            job = _jobs.decode(_receive(sys.stdin.buffer))
        except EOFError:
            return
        _send(sys.stdout.buffer, _encode(read(job)))


def _can_start() -> bool:
    """Tell whether this Python can be started again as one."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(8) + message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    size = pipe.read(8)
    message = pipe.read(int.from_bytes(size)) if len(size) == 8 else b""
    if not message:
        raise EOFError
    return message


_encode = msgspec.msgpack.Encoder().encode
_jobs = msgspec.msgpack.Decoder(ReadJob)
_results: msgspec.msgpack.Decoder[StoredFile | str] = msgspec.msgpack.Decoder(StoredFile | str)
