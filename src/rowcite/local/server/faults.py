"""The fault plan: which runs fail and which requests go wrong, by a seed, so that clients can be tested."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from typing import Any, Literal

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rowcite.errors import UsageError
from rowcite.local.server.http_errors import error_body
from rowcite.local.server.shapes import RunInput


class HttpFault(Struct, forbid_unknown_fields=True):
    """A fault of requests.

    A request matches by its method and path (a regular expression, searched). Of the matching ones, the fault applies
    to the `nth` (from 1), to `every` Nth, to each with a `probability`, or to all. `when` is before or after the server
    has handled it. After `delay` seconds the client gets `status` (with `headers` and `body`), or a dropped
    connection (`cut`), or the real answer.
    """

    method: str | None = None
    path: str = ""
    nth: list[int] | None = None
    every: int | None = None
    probability: float | None = None
    when: Literal["before", "after"] = "before"
    delay: float = 0.0
    status: int | None = None
    cut: bool = False
    headers: dict[str, str] = {}
    body: str | None = None


class SseFault(Struct, forbid_unknown_fields=True):
    """An event stream is dropped after `cut_after` events, without its end: each, or with a `probability`."""

    cut_after: int | None = None
    probability: float = 1.0

    def cut(self, rng: random.Random) -> int | None:
        """Return the number of events after which the next stream is dropped; None for never."""
        if self.cut_after is None or self.probability >= 1:
            return self.cut_after
        return self.cut_after if rng.random() < self.probability else None


class FaultPlan(Struct, forbid_unknown_fields=True):
    """Which faults occur.

    `fail`, `cancel`, `action_required`, `stuck` (never ends) and `slow` (takes `slow_by` seconds longer) are fractions
    of all runs.
    """

    seed: int = 0
    fail: float = 0.0
    cancel: float = 0.0
    action_required: float = 0.0
    stuck: float = 0.0
    slow: float = 0.0
    slow_by: float = 30.0
    http: list[HttpFault] = []
    sse: SseFault = msgspec.field(default_factory=SseFault)

    def planned_status(self, request: RunInput) -> str | None:
        """Return the planned status of a run, "stuck" if it never ends, "slow", or None; the same for equal inputs."""
        odds = {
            "failed": self.fail,
            "cancelled": self.cancel,
            "action_required": self.action_required,
            "stuck": self.stuck,
            "slow": self.slow,
        }
        if not any(odds.values()):
            return None
        seeded = hashlib.sha256(b"%d:" % self.seed + digest(request.input)).digest()
        draw = int.from_bytes(seeded[:8]) / 2**64
        for planned, share in odds.items():
            draw -= share
            if draw < 0:
                return planned
        return None


def read_plan(plan: dict[str, Any] | None) -> FaultPlan:
    """Return a fault plan given as JSON; raise `UsageError` if it does not match `FaultPlan`."""
    try:
        return msgspec.convert(plan or {}, FaultPlan)
    except msgspec.ValidationError as error:
        raise UsageError(f"the fault plan cannot be used: {error}. Correct it or leave it out.") from error


def digest(value: str | dict[str, Any]) -> bytes:
    """Return the SHA-256 of an input as compact JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).digest()


class FaultMiddleware:
    """Middleware that applies the plan's HTTP and stream faults."""

    def __init__(self, app: ASGIApp, plan: FaultPlan, *, partial: bool = False) -> None:
        self._app = app
        self._plan = plan
        self._partial = partial  # half of a batch is created before it is refused
        self._seen = [0] * len(plan.http)
        self._rng = random.Random(plan.seed)  # noqa: S311  # faults must repeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = self._fault(scope["method"], scope["path"])
        await self._apply(fault, scope, receive, _cutting(send, self._plan.sse.cut(self._rng)))

    def _fault(self, method: str, path: str) -> HttpFault | None:
        """Count the request for every matching fault and return the first that applies."""
        hit = None
        for number, fault in enumerate(self._plan.http):
            if (fault.method or method).upper() == method and re.search(fault.path, path):
                self._seen[number] += 1
                hit = hit or (fault if self._hits(fault, self._seen[number]) else None)
        return hit

    def _hits(self, fault: HttpFault, count: int) -> bool:
        if fault.nth is not None:
            return count in fault.nth
        if fault.every is not None:
            return count % fault.every == 0
        return fault.probability is None or self._rng.random() < fault.probability

    async def _apply(self, fault: HttpFault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if fault is None:
            await self._app(scope, receive, send)
            return
        messages: list[Message] = []
        posted = scope["method"] == "POST" and fault.when == "before"
        scope["half"] = self._partial and posted and _refuses(fault.status)
        if fault.when == "after" or scope["half"]:
            await self._app(scope, receive, _holding(messages))
        await asyncio.sleep(fault.delay)
        if fault.cut:
            raise DropConnection
        if fault.status is not None:
            messages = _answer(fault, fault.status)
        for message in messages:
            await send(message)
        if not messages:
            await self._app(scope, receive, send)


def _refuses(status: int | None) -> bool:
    return status in (402, 403, 422) or (status or 0) >= 500


class DropConnection(Exception):  # a signal, not an error
    """Raised to drop the connection now."""


class DropMiddleware:
    """Middleware that drops the connection on `DropConnection`; outside the journal, which is written first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI call."""
        try:
            await self._app(scope, receive, send)
        except DropConnection:
            await _drop(scope, receive)


def _holding(messages: list[Message]) -> Send:
    async def hold(message: Message) -> None:
        messages.append(message)

    return hold


def _answer(fault: HttpFault, status: int) -> list[Message]:
    body = (
        fault.body.encode() if fault.body is not None else error_body(f"Status {status} by the fault plan.")
    )
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    headers |= {name.lower(): value for name, value in fault.headers.items()}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return [
        {"type": "http.response.start", "status": status, "headers": pairs},
        {"type": "http.response.body", "body": body},
    ]


def _cutting(send: Send, after: int | None) -> Send:
    """Return a `send` that drops an event stream after a number of events."""
    if after is None:
        return send
    left = after
    is_stream = False

    async def cutting(message: Message) -> None:
        nonlocal left, is_stream
        if message["type"] == "http.response.start":
            is_stream = any(value.startswith(b"text/event-stream") for _, value in message["headers"])
        if not is_stream or message["type"] != "http.response.body":
            await send(message)
            return
        frames = [frame + b"\n\n" for frame in message.get("body", b"").split(b"\n\n") if frame]
        events = [number for number, frame in enumerate(frames) if not frame.startswith(b":")]
        if len(events) < left:
            left -= len(events)
            await send(message)
            return
        await send({**message, "body": b"".join(frames[: events[left - 1] + 1]), "more_body": True})
        raise DropConnection

    return cutting


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the connection as it is; fail the request if the server cannot do that."""
    cut = getattr(scope["app"].state, "cut", None)
    if cut is None:
        raise ConnectionAbortedError("the fault plan cuts this connection")
    cut(scope["client"])
    while (await receive())["type"] != "http.disconnect":
        pass
