"""Apply a function to data frames here and in a few processes beside this one.

They are plain Python processes: multiprocessing would run the caller's script again in each. They hold nothing that is
needed: the frame of one that ends, by an error too, is computed here.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue

import polars as pl

Function = Callable[[pl.DataFrame], pl.DataFrame]

WORTH_STARTING = 50_000
"""Rows: a process takes half a second to start, in which about 10,000 rows are computed here."""
_MOST = 3  # processes, each with polars, pyarrow and a cache of the ledger's keys in memory
_WAITING = 2  # frames a process has, so that it never waits for the next
_WORK = "from rowcite.table.processes import work; work()"
_LOST = (OSError, EOFError, pickle.UnpicklingError)  # what a process that ended raises


class FrameProcesses:
    """Processes that compute the function that `make` returns; `make` is pickled, and called once in each.

    They are started when `worth` rows were to be computed: one less than there are cores, or `count`.
    """

    def __init__(
        self, make: Callable[[], Function], *, worth: int = WORTH_STARTING, count: int | None = None
    ) -> None:
        self._make, self._left = make, worth
        self._count = min(_cores() - 1, _MOST) if count is None else count
        self._processes: list[subprocess.Popen[bytes]] = []
        self._idle = SimpleQueue[subprocess.Popen[bytes] | None]()
        self._pool: ThreadPoolExecutor | None = None

    def map(self, function: Function, frames: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
        """Yield what `function` returns for each frame, in order; `rows` is the number of rows in all frames.

        A frame is computed here while all processes have enough to do.
        """
        self._left -= rows
        if self._left <= 0 and self._pool is None:
            self._start()
        found = deque[tuple[pl.DataFrame, Future[pl.DataFrame | None]]]()
        for frame in frames:
            busy = sum(not future.done() for _, future in found)
            if self._pool is not None and busy < _WAITING * len(self._processes):
                found.append((frame, self._pool.submit(self._elsewhere, frame)))
            else:
                found.append((frame, _computed(function(frame))))
            while found and found[0][1].done():
                yield _result(function, *found.popleft())
        yield from (_result(function, *pair) for pair in found)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            process.wait()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        for process in self._processes:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was not sent
                        pipe.close()

    def _start(self) -> None:
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        command = [sys.executable, "-P", "-c", _WORK]
        with suppress(OSError):  # none can be started: all is computed here
            for _ in range(self._count if sys.executable else 0):
                process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null)  # noqa: S603 - this Python
                self._processes.append(process)
        if self._processes:
            self._pool = ThreadPoolExecutor(len(self._processes))
            for process in self._processes:
                self._pool.submit(self._prepare, process)

    def _prepare(self, process: subprocess.Popen[bytes]) -> None:
        """Send a process its function, and make it available; None stands for one that ended."""
        ready = None
        try:
            _send(process, self._make)
            ready = process
        finally:  # after any error: a thread that waits for a process would wait for ever
            self._idle.put(ready)

    def _elsewhere(self, frame: pl.DataFrame) -> pl.DataFrame | None:
        """Return what a process computes; None if it ended."""
        process, ready = self._idle.get(), None
        try:
            if process is None:
                return None
            _send(process, frame)
            assert process.stdout is not None
            found: pl.DataFrame = pickle.load(process.stdout)  # noqa: S301 - from our own process
            ready = process
        except _LOST:
            return None
        else:
            return found
        finally:
            self._idle.put(ready)


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _send(process: subprocess.Popen[bytes], value: object) -> None:
    assert process.stdin is not None
    pickle.dump(value, process.stdin, pickle.HIGHEST_PROTOCOL)
    process.stdin.flush()


def _computed(frame: pl.DataFrame) -> Future[pl.DataFrame | None]:
    future = Future[pl.DataFrame | None]()
    future.set_result(frame)
    return future


def _result(function: Function, frame: pl.DataFrame, future: Future[pl.DataFrame | None]) -> pl.DataFrame:
    found = future.result()
    return function(frame) if found is None else found


def work() -> None:
    """Compute the frames on standard input, in a process beside the one that reads the results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints would be read as a result
    load = partial(pickle.load, sys.stdin.buffer)
    function = load()()
    with suppress(EOFError, BrokenPipeError):  # the parent has ended
        while True:
            pickle.dump(function(load()), results, pickle.HIGHEST_PROTOCOL)
            results.flush()
