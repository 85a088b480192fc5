"""Middleware that makes the shipped server behave in ways the real API may.

Every open question about the API (are active runs listed, are run ids in order, does metadata come back) is a field, so
that a test can have it either way.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rowcite.local.server.faults import DropConnection

ADD = re.compile(r"/v1/tasks/groups/[^/]+/runs$")
GROUP = re.compile(r"/v1/tasks/groups/[^/]+$")
EVENTS = re.compile(r"/events$")
RESULT = re.compile(r"/result$")
INPUT = re.compile(r"/runs/[^/]+/input$")
ENDED = ("completed", "failed", "cancelled", "action_required")


@dataclass
class Deviations:
    """The deviations of an API; by default there are none. Times are in seconds."""

    seed: int = 0
    list_ended_only: bool = False  # unless the request names a status
    list_lag: float = 0.0  # from the creation of a run until it is listed
    count_lag: float = 0.0  # from the creation of a run until the group counts it
    shuffle: bool = False  # run ids and listings come in any order
    drop_metadata: bool = False  # everywhere
    drop_inputs: bool = False  # from listings that should have them
    no_inputs: bool = False  # 404 for a run's input
    drop_outputs: bool = False  # from listings that should have them
    keep: int | None = None  # the first POST creates this number of its runs ...
    answer: int | None = None  # ... and returns this status; None cuts the connection
    again: int = 0  # the first POST creates this number of its runs once more, and is cut
    late: float | None = None  # the first POST is cut and creates its runs after this time
    refuse: Callable[[Any], bool] | None = None  # 422 for a POST with such an input
    refuse_status: int = 422
    refuse_over: int = 0  # only a POST with more runs is refused
    names: Callable[[list[int]], list[int]] | None = None  # maps the bad rows to the rows that the 422 names
    refuse_betas: bool = False  # 400 for every request with the header parallel-beta
    together: int = 1  # POSTs wait until this number of them has arrived
    credit: int | None = None  # 402 for a POST beyond this total of runs
    reserve: int | None = None  # 402 for a POST that exceeds this number of active runs
    throttle_over: int | None = None  # 429 for a POST with more runs
    run_events: bool = True  # event streams contain events of runs
    stall: bool = False  # event streams send one status and then no byte
    end_at_once: bool = False  # event streams end after their first event
    repeat: bool = False  # event streams send every event twice
    odd_frames: bool = False  # CRLF, comments and data in several lines
    completed_without: str | None = None  # /result of completed runs: "null", "missing" or "404"
    active_results: int = 0  # the first requests of /result return 408
    squeeze: bool = False  # gzip
    window: tuple[int, float] | None = None  # 429 above (requests, seconds)
    count_runs: bool = False  # each run of a POST counts as a request in `window`
    mangle: Callable[[str, str, bytes], bytes | None] | None = None  # (method, path, body) to another body


@dataclass
class Deviant:
    """The middleware. `calls` holds (method, path) of each request, `posts` the number of runs of each POST."""

    app: ASGIApp
    how: Deviations
    calls: list[tuple[str, str]] = field(default_factory=list)
    posts: list[int] = field(default_factory=list)
    throttled: int = 0
    _times: list[float] = field(default_factory=list)
    _born: dict[str, float] = field(default_factory=dict)  # when each run was created
    _groups: dict[str, list[float]] = field(default_factory=dict)
    _first: bool = True
    _all_arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _jobs: set[asyncio.Task[None]] = field(default_factory=set)
    _status: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.how.seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        self.calls.append((method, path))
        adds = method == "POST" and ADD.search(path) is not None
        if not (adds and self.how.count_runs) and await self._throttles(send, 1):
            return
        if self.how.refuse_betas and any(name == b"parallel-beta" for name, _ in scope["headers"]):
            body = b'{"type":"error","error":{"ref_id":"r","message":"unknown header parallel-beta"}}'
            await _answer(send, 400, {"content-type": "application/json"}, body)
            return
        if adds:
            await self._add(scope, await _body(receive), receive, send)
        elif self.how == Deviations() or (EVENTS.search(path) and not self._deviates()):
            await self.app(scope, receive, send)
        elif EVENTS.search(path):
            await self._events(scope, receive, send)
        else:
            status, headers, body = await self._forward(scope, await _body(receive), receive)
            await _answer(send, *self._changed(scope, status, headers, body))

    async def _throttles(self, send: Send, count: int) -> bool:
        """Count requests; return True after refusing them with 429."""
        if self.how.window is None or (wait := self._wait(*self.how.window, count)) <= 0:
            return False
        self.throttled += 1
        await _answer(send, 429, {"retry-after": f"{wait:.3f}"}, _error(429))
        return True

    def _wait(self, most: int, seconds: float, count: int) -> float:
        now = time.monotonic()
        self._times = [then for then in self._times if then > now - seconds]
        surplus = len(self._times) + count - most
        if surplus > 0:
            return self._times[surplus - 1] + seconds - now if surplus <= len(self._times) else seconds
        self._times += [now] * count
        return 0.0

    # --- creating ------------------------------------------------------------------------------------

    async def _add(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        how, request = self.how, json.loads(body)
        inputs = request["inputs"]
        await self._arrived(len(inputs))
        if how.count_runs and await self._throttles(send, len(inputs)):
            return
        first, self._first = self._first, False
        if how.throttle_over is not None and len(inputs) > how.throttle_over:
            await _problem(send, 429)
            return
        bad = [row for row, run in enumerate(inputs) if how.refuse is not None and how.refuse(run["input"])]
        if bad and len(inputs) > how.refuse_over:
            if how.names is None:
                await _problem(send, how.refuse_status)
            else:
                await _answer(send, 422, {"content-type": "application/json"}, _naming(how.names(bad)))
            return
        short = how.credit is not None and len(self._born) + len(inputs) > how.credit
        if short or (how.reserve is not None and self._active(scope) + len(inputs) > how.reserve):
            await _problem(send, 402)
            return
        if first and how.late is not None:
            job = asyncio.get_running_loop().create_task(self._create_late(scope, body, how.late))
            self._jobs.add(job)
            raise DropConnection
        if first and (how.again or how.keep is not None):
            await self._create_some(scope, request, receive)
            if how.answer is None:
                raise DropConnection
            await _problem(send, how.answer)
            return
        await _answer(send, *await self._create(scope, body, receive))

    async def _create_some(self, scope: Scope, request: Any, receive: Receive) -> None:
        """Create the first runs of a POST: some, or all of them and some once more."""
        inputs = request["inputs"]
        for part in (inputs[: self.how.keep], inputs[: self.how.again]):
            if part:
                await self._create(scope, json.dumps({**request, "inputs": part}).encode(), receive)

    async def _arrived(self, runs: int) -> None:
        self.posts.append(runs)
        if len(self.posts) >= self.how.together:
            self._all_arrived.set()
        await self._all_arrived.wait()

    async def _create_late(self, scope: Scope, body: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._create(scope, body)

    async def _create(
        self, scope: Scope, body: bytes, receive: Receive | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        status, headers, answer = await self._forward(scope, body, receive)
        if status < 300:
            read, now = json.loads(answer), time.monotonic()
            self._born.update(dict.fromkeys(read["run_ids"], now))
            group = self._groups.setdefault(scope["path"].removesuffix("/runs"), [])
            group += [now] * len(read["run_ids"])
            if self.how.shuffle:
                self._dice.shuffle(read["run_ids"])
            answer = json.dumps(read).encode()
        if self.how.mangle is not None:
            answer = self.how.mangle("POST", scope["path"], answer) or answer
        return status, headers, answer

    def _active(self, scope: Scope) -> int:
        groups = scope["app"].state.engine.store.groups.values()
        return sum(group.counts[name] for group in groups for name in ("queued", "running", "cancelling"))

    # --- reading -------------------------------------------------------------------------------------

    def _changed(
        self, scope: Scope, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        how, path = self.how, scope["path"]
        if status == 200 and ADD.search(path):
            body = self._listing(scope, body)
        elif status == 200 and GROUP.search(path) and how.count_lag:
            read = json.loads(body)
            read["status"]["num_task_runs"] = sum(
                self._old(born, how.count_lag) for born in self._groups.get(path, ())
            )
            body = json.dumps(read).encode()
        elif RESULT.search(path):
            status, body = self._result(status, body)
        elif INPUT.search(path):
            status, body = self._input(status, body)
        if how.mangle is not None:
            body = how.mangle(scope["method"], path, body) or body
        if how.squeeze:
            headers, body = {**headers, "content-encoding": "gzip"}, gzip.compress(body)
        return status, headers, body

    def _listing(self, scope: Scope, body: bytes) -> bytes:
        how, query = self.how, parse_qs(scope["query_string"].decode())
        frames = []
        for event in _frames(body):
            run = event["run"]
            if how.list_ended_only and "status" not in query and run["status"] not in ENDED:
                continue
            if not self._old(self._born.get(run["run_id"], 0.0), how.list_lag):
                continue
            if how.drop_outputs:
                event.pop("output", None)
            if how.drop_inputs:
                event.pop("input", None)
            frames.append(self._frame(event))
        if how.shuffle:
            self._dice.shuffle(frames)
        return b"".join(frames)

    def _result(self, status: int, body: bytes) -> tuple[int, bytes]:
        how = self.how
        if how.active_results > 0:
            how.active_results -= 1
            return 408, _error(408)
        if status == 200 and how.completed_without == "404":
            return 404, _error(404)
        if status == 200:
            read = json.loads(body)
            if how.drop_metadata:
                read["run"]["metadata"] = None
            if how.completed_without == "null":
                read["output"] = None
            elif how.completed_without == "missing":
                del read["output"]
            body = json.dumps(read).encode()
        return status, body

    def _input(self, status: int, body: bytes) -> tuple[int, bytes]:
        if self.how.no_inputs:
            return 404, _error(404)
        if self.how.drop_metadata:
            body = json.dumps({**json.loads(body), "metadata": None}).encode()
        return status, body

    def _frame(self, event: dict[str, Any]) -> bytes:
        if self.how.drop_metadata and event.get("run"):
            event["run"]["metadata"] = None
        text = json.dumps(event)
        if not self.how.odd_frames:
            return b"data: %b\n\n" % text.encode()
        lines = json.dumps(event, indent=1).split("\n")
        return (
            b": a comment\r\n\r\nevent: odd\r\n"
            + "".join(f"data:{line}\r\n" for line in lines).encode()
            + b"\r\n"
        )

    def _deviates(self) -> bool:
        how = self.how
        return (
            not how.run_events
            or how.stall
            or how.end_at_once
            or how.repeat
            or how.odd_frames
            or how.drop_metadata
        )

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        how, rest, ended, fine = self.how, b"", False, True

        async def changing(message: Message) -> None:
            nonlocal rest, ended, fine
            if message["type"] != "http.response.body" or not fine:
                fine = message.get("status", 0) < 300
                await send(message)
                return
            *whole, rest = (rest + message.get("body", b"")).split(b"\n\n")
            for event in _frames(b"\n\n".join([*whole, b""])):
                if ended or (event.get("run") and not how.run_events):
                    continue
                for _ in range(2 if how.repeat else 1):
                    await send({"type": "http.response.body", "body": self._frame(event), "more_body": True})
                if how.stall:
                    await asyncio.sleep(3600)
                ended = how.end_at_once
            if ended or not message.get("more_body"):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                if ended:
                    raise _Enough

        try:
            await self.app(scope, receive, changing)
        except* _Enough:
            pass

    async def _forward(
        self, scope: Scope, body: bytes, receive: Receive | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request to the shipped server and return its whole response."""
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await self.app({**scope, "headers": _with_length(scope, body)}, _giving(body, receive), hold)
        if not messages:  # the shipped server cut the connection
            raise DropConnection
        headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        headers.pop("content-length", None)
        return messages[0]["status"], headers, b"".join(message.get("body", b"") for message in messages[1:])

    def _old(self, born: float, lag: float) -> bool:
        return time.monotonic() - born >= lag


class _Enough(Exception):
    pass


def _frames(body: bytes) -> list[dict[str, Any]]:
    lines = [line for frame in body.split(b"\n\n") for line in frame.split(b"\n")]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: ")]


def _error(status: int) -> bytes:
    return json.dumps(
        {"type": "error", "error": {"ref_id": f"ref-{status}", "message": f"deviant {status}"}}
    ).encode()


def _naming(rows: list[int]) -> bytes:
    flaws = [{"loc": ["body", "inputs", row, "input"], "msg": "no", "type": "value_error"} for row in rows]
    return json.dumps({"detail": flaws}).encode()


async def _problem(send: Send, status: int) -> None:
    await _answer(send, status, {"content-type": "application/json"}, _error(status))


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    pairs = [
        (name.encode(), value.encode())
        for name, value in {**headers, "content-length": str(len(body))}.items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _with_length(scope: Scope, body: bytes) -> list[tuple[bytes, bytes]]:
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"content-length", b"accept-encoding")
    ]
    return [*kept, (b"content-length", str(len(body)).encode())]


def _giving(body: bytes, after: Receive | None) -> Receive:
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return await after() if after is not None else {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
