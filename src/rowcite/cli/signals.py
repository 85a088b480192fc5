"""SIGINT, SIGTERM and SIGHUP: the command is interrupted, and ends within two seconds whatever it is doing.

The signal raises KeyboardInterrupt in the main thread, so that what is open is closed and a half-written table is
deleted. A library call that cannot be interrupted (polars, pyarrow, SQLite) would hold that up without end: a thread
that hears of the signal at once ends the process when the time is up.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, Self

INTERRUPTED = 130
GRACE = 1.2
"""Seconds from the signal until the process is ended by force: the promise is two, and a busy machine takes some."""
_LAST_LINE = 0.3  # seconds that writing to stderr may take
_LAST_TRANSACTION = 0.3  # seconds that a transaction of the ledger may take to end
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


class Signals:
    """Turns the signals into KeyboardInterrupt while its context is active; `explain` writes the last line.

    `received` is true from the first signal on. With `process_ends`, later signals are ignored: the exit code is
    decided, and the interpreter takes a tenth of a second to end. Outside the main thread it does nothing.
    """

    def __init__(self, explain: Callable[[], None], *, process_ends: bool) -> None:
        self.received = False
        self._explain, self._process_ends = explain, process_ends
        self._explaining, self._explained = threading.Lock(), threading.Event()
        self._handlers: dict[int, Any] = {}
        self._pipe: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            before = signal.getsignal(number)
            if number == signal.SIGINT:  # also where the parent process had it ignored
                signal.signal(number, signal.default_int_handler)
            elif number == signal.SIGTERM or before != signal.SIG_IGN:  # nohup ignores SIGHUP
                signal.signal(number, self._interrupt)
            self._handlers[number] = before
        if os.name == "posix":
            self._pipe = reading, writing = os.pipe()
            os.set_blocking(writing, False)
            signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
            threading.Thread(target=self._watch, args=(reading,), name="rowcite-signals", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._pipe is not None:
            signal.set_wakeup_fd(-1)
            os.close(self._pipe[1])  # the thread ends, unless a signal came
        for number, before in self._handlers.items():
            if not self.received:
                signal.signal(number, signal.SIG_IGN if self._process_ends else before)

    def explain(self) -> None:
        """Write the last line, once. Where another thread writes it, wait for that: the caller ends the process."""
        if not self._explaining.acquire(blocking=False):
            self._explained.wait(_LAST_LINE)
            return
        try:
            self._explain()
        finally:
            self._explained.set()

    def leave(self) -> NoReturn:
        """Write the last line and end the process, without waiting for threads."""
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)
        self.explain()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # closed, by the reader or from the start, or full
                stream.flush()
        os._exit(INTERRUPTED)

    def _interrupt(self, *_: object) -> None:
        self.received = True
        signal.raise_signal(signal.SIGINT)  # asyncio cancels its main task on this one

    def _watch(self, reading: int) -> None:
        """Wait for a signal, then for the process to end, then end it."""
        if not os.read(reading, 1):
            os.close(reading)  # the command has ended; after a signal it stays open, for further ones
            return
        self.received = True
        time.sleep(GRACE)
        last_line = threading.Thread(target=self.explain, daemon=True)  # stderr may be blocked
        last_line.start()
        last_line.join(_LAST_LINE)
        store = sys.modules.get("rowcite.ledger.store")
        if store is not None:
            store.TRANSACTION.acquire(timeout=_LAST_TRANSACTION)
        os._exit(INTERRUPTED)
