"""The journal: one JSON line for each request, created run and ended run. Never a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rowcite.files import open_append
from rowcite.local.server.faults import digest
from rowcite.local.server.shapes import rfc3339
from rowcite.local.server.store import Run


class Journal:
    """Appends to a file, or does nothing without a path. Every call writes whole lines."""

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        self._file: BinaryIO | None = open_append(path) if path else None
        self._clock = clock

    def request(self, line: dict[str, Any]) -> None:
        """Record a request: method, path, query, status (null if it got no answer), beta header."""
        self._write([line])

    def created(self, runs: Iterable[Run]) -> None:
        """Record new runs; `input_sha256` is of the input as compact JSON with sorted keys."""
        if self._file:
            self._write(
                {
                    "run": run.id,
                    "group": run.group.id if run.group else None,
                    "processor": run.accepted.request.processor,
                    "metadata": run.accepted.request.metadata,
                    "input_sha256": digest(run.accepted.request.input).hex(),
                }
                for run in runs
            )

    def ended(self, runs: Iterable[Run]) -> None:
        """Record runs that ended, with their last status."""
        if self._file:
            self._write({"run": run.id, "ended": run.status} for run in runs)

    def delivered(self, run: Run, attempt: int, status: int | None) -> None:
        """Record an attempt to deliver a webhook; `answer` is null if there was none."""
        self._write([{"run": run.id, "webhook": attempt, "answer": status}])

    def close(self, counts: RunCounts) -> None:
        """Record the counts, with `makespan` in seconds, and close the file."""
        if self._file:
            self._write([{"created": counts.created, "ended": counts.ended, "makespan": counts.makespan}])
            self._file.close()
            self._file = None

    def _write(self, lines: Iterable[dict[str, Any]]) -> None:
        if self._file:
            at = {"at": rfc3339(self._clock())}
            self._file.write(b"".join(msgspec.json.encode(at | line) + b"\n" for line in lines))
            self._file.flush()


class JournalMiddleware:
    """Middleware that records every request when its answer begins, or when it ends without an answer."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def recording(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                self._journal.request(_line(scope, message["status"]))
            await send(message)

        try:
            await self._app(scope, receive, recording)
        finally:
            if not answered:
                self._journal.request(_line(scope, None))


def _line(scope: Scope, status: int | None) -> dict[str, Any]:
    betas = [value.decode("latin-1") for name, value in scope["headers"] if name == b"parallel-beta"]
    return {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "status": status,
        "beta": ",".join(betas) or None,
    }


@dataclass(slots=True)
class RunCounts:
    """Counts since the start of this process; `first` and `last` are Unix seconds. A restored run counts when it ends."""

    created: int = 0
    ended: int = 0
    first: float | None = None
    last: float | None = None

    def add(self, created: int, now: float) -> None:
        """Count new runs."""
        self.created += created
        self.first = now if self.first is None else self.first

    def end(self, ended: int, now: float) -> None:
        """Count runs that ended."""
        if ended:
            self.ended += ended
            self.last = now

    @property
    def makespan(self) -> float:
        """Seconds from the first creation to the last end; 0 until there are both."""
        return max(0.0, self.last - self.first) if self.first is not None and self.last is not None else 0.0

    def __str__(self) -> str:
        return f"{self.created:,} runs created, {self.ended:,} ended; {self.makespan:.3f} s from the first creation to the last end"
