"""The Task API over HTTP: one method an endpoint, errors translated once, streams as events.

The core's only file with httpx and tenacity. A GET may be sent again after anything that may pass. A POST that
creates runs is sent again only after 429 or when no connection was made: runs cost money, and there is no
idempotency key.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
import tenacity

from rowcite.errors import ApiError, KeyRefused, Retriable, RowciteError, UsageError
from rowcite.failures import failure, retry_after
from rowcite.pace import Pace
from rowcite.sse import Parser, TooLarge
from rowcite.version import __version__
from rowcite.wire import Added, Event, Group, Run, mended, read_event

T = TypeVar("T")
_BETAS = "events-sse-2025-07-24"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_THROTTLED = 429
_STILL_ACTIVE = 408
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try: attempts, seconds in total, and the pause before the second attempt.

    A 429 is no failure: it uses up no attempts, only time.
    """

    attempts: int = 8
    throttled: int = 4
    """So many 429 for a POST of many runs: it may be the runs that the API counts, so send fewer."""
    total: float = 300.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    connect: float = 10.0
    answer: float = 60.0
    silence: float = 90.0
    """Seconds without a byte after which an event stream is taken for dead."""


def is_loopback(url: str) -> bool:
    """Tell whether a URL stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Client:
    """Talks to one Task API. Use it as an async context manager.

    Every method raises `KeyRefused` (401), `OutOfCredit` (402), `ApiRefused` (403, 422), `NotThere` (404), and
    `Retriable` when trying again did not help.
    """

    def __init__(  # noqa: PLR0913 - what a connection is made of
        self,
        base_url: str,
        key: str | None,
        pace: Pace,
        *,
        patience: Patience = Patience(),
        mcp: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if urlsplit(base_url).scheme not in ("http", "https"):
            raise UsageError(
                f"{base_url!r} is no base URL: it begins with https:// (http:// on this machine)"
            )
        if not base_url.startswith("https://") and not is_loopback(base_url):
            raise UsageError(
                f"{base_url}: a key is not sent over plain http, except on this machine. Use https://"
            )
        if key is not None and not (key.isascii() and key.isprintable()):
            raise KeyRefused(
                "the API key holds a line break or another character that no key has. Check PARALLEL_API_KEY"
            )
        self.pace, self.patience = pace, patience
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            headers={
                **({"x-api-key": key} if key else {}),
                "user-agent": f"rowcite/{__version__}",
                "parallel-beta": f"{_BETAS},mcp-server-2025-07-17" if mcp else _BETAS,
            },
            timeout=httpx.Timeout(patience.answer, connect=patience.connect),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            transport=transport,
            trust_env=not is_loopback(base_url),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def create_group(self) -> str:
        """Create a task group and return its id. A lost answer leaves an empty group, which costs nothing."""
        group = await self._retrying(lambda: self._json("POST", "/v1/tasks/groups", Group, content=b"{}"))
        return group.taskgroup_id

    async def group(self, group_id: str) -> Group:
        """Return how a group stands."""
        return await self._retrying(lambda: self._json("GET", f"/v1/tasks/groups/{group_id}", Group))

    async def add_runs(
        self, group_id: str, body: bytes, *, sending: Callable[[], None] = lambda: None, many: bool = False
    ) -> list[str]:
        """Create runs; return their ids, in no promised order.

        `sending` is called right before each attempt. With `many`, a few 429 are enough to give up.

        Raises:
            Retriable: with `sent` true and a status other than 429, the runs may or may not have been created: find
                out before sending again.
        """
        path = f"/v1/tasks/groups/{group_id}/runs?refresh_status=false"

        async def attempt() -> Added:
            return await self._json("POST", path, Added, content=body, sending=sending)

        return (await self._retrying(attempt, creates=True, many=many)).run_ids

    async def run(self, run_id: str) -> Run:
        """Return how a run stands."""
        return await self._retrying(lambda: self._json("GET", f"/v1/tasks/runs/{run_id}", Run))

    async def result(self, run_id: str) -> Event:
        """Return the answer of a run that has ended: an event with its run and output.

        Raises:
            Retriable: status 408, at once, when the run is active after all.
        """
        path = f"/v1/tasks/runs/{run_id}/result?timeout=1"
        return await self._retrying(lambda: self._json("GET", path, Event), final=_STILL_ACTIVE)

    async def group_runs(
        self,
        group_id: str,
        into: Callable[[Event], None],
        *,
        status: str | None = None,
        inputs: bool = False,
        outputs: bool = False,
    ) -> None:
        """Read a snapshot of a group's runs: what is there now, then the end.

        Each event goes to `into` as it comes, so that a stream which is cut has not been for nothing; the next
        attempt resumes after the last event, and uses up no patience if that one brought news. `into` may see an
        event twice.
        """
        asked = {"status": status, "include_input": inputs or None, "include_output": outputs or None}
        params = {name: str(value).lower() for name, value in asked.items() if value is not None}
        path, seen = f"/v1/tasks/groups/{group_id}/runs", set[str]()

        async def whole() -> bool:
            had = len(seen)
            try:
                async with (
                    self.pace.turn(),
                    aclosing(self._events(path, params, self.patience.answer)) as events,
                ):
                    async for event in events:
                        if event.event_id:
                            params["last_event_id"] = event.event_id
                            seen.add(event.event_id)
                        into(event)
            except Retriable:
                if len(seen) == had:
                    raise
                return False
            return True

        while not await self._retrying(whole):
            pass

    async def group_events(self, group_id: str, last_event_id: str | None = None) -> AsyncGenerator[Event]:
        """Stream a group's completions as they happen; ends when no run is active, or at any time.

        Raises:
            Retriable: the stream broke; what was yielded stands. Nothing is tried again here.
        """
        params = {"timeout": "3600", **({"last_event_id": last_event_id} if last_event_id else {})}
        async with self.pace.turn(stream=True):
            pass
        path = f"/v1/tasks/groups/{group_id}/events"
        async with aclosing(self._events(path, params, self.patience.silence)) as events:
            async for event in events:
                yield event

    # --- one request ---------------------------------------------------------------------------------

    async def _json(
        self,
        method: str,
        path: str,
        shape: type[T],
        content: bytes | None = None,
        sending: Callable[[], None] = lambda: None,
    ) -> T:
        headers = {"content-type": "application/json"} if content is not None else {}
        async with self.pace.turn():
            sending()
            with _Exchange(method, path) as exchange:
                response = await self._http.request(method, path, content=content, headers=headers)
                exchange.answered(response.status_code)
        if response.is_success:
            try:
                return msgspec.json.decode(mended(response.content), type=shape)
            except msgspec.DecodeError as error:
                what = (
                    f"{method} {exchange.path}: the answer is not the JSON that the API documents ({error})"
                )
                raise Retriable(what, status=response.status_code) from error
        raise self._failure(response)

    async def _events(self, path: str, params: dict[str, str], silence: float) -> AsyncGenerator[Event]:
        timeout = httpx.Timeout(self.patience.answer, connect=self.patience.connect, read=silence)
        parser = Parser()
        with _Exchange("GET", path) as exchange:
            async with self._http.stream("GET", path, params=params, timeout=timeout) as response:
                exchange.answered(response.status_code)
                if not response.is_success:
                    await response.aread()
                    raise self._failure(response)
                async for chunk in response.aiter_bytes():
                    for data in parser.feed(chunk):
                        yield _event(data)

    # --- errors --------------------------------------------------------------------------------------

    def _failure(self, response: httpx.Response) -> RowciteError:
        status, where = response.status_code, f"{response.request.method} {response.request.url.path}"
        after = retry_after(response.headers.get("retry-after"))
        if status == _THROTTLED:
            self.pace.hold(after if after is not None else self.patience.first_pause)
        return failure(where, status, response.content, after)

    async def _retrying(
        self,
        call: Callable[[], Awaitable[T]],
        *,
        creates: bool = False,
        many: bool = False,
        final: int | None = None,
    ) -> T:
        patience = self.patience

        def may_again(error: BaseException) -> bool:
            if not isinstance(error, Retriable) or error.status == final:
                return False
            return not creates or error.status == _THROTTLED or not error.sent

        def enough(state: tenacity.RetryCallState) -> bool:
            most = patience.attempts
            if getattr(_error(state), "status", None) == _THROTTLED:
                most = patience.throttled if many else state.attempt_number + 1
            return state.attempt_number >= most or (state.seconds_since_start or 0.0) >= patience.total

        first, longest = patience.first_pause, patience.longest_pause
        backoff = tenacity.wait_exponential(first, longest) + tenacity.wait_random(0, 2 * first)

        def pause(state: tenacity.RetryCallState) -> float:
            told = getattr(_error(state), "retry_after", None)
            return float(told) if told is not None else backoff(state)

        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(may_again), stop=enough, wait=pause, reraise=True
        )

        async def attempt() -> T:  # tenacity looks whether it was given an `async def`
            return await call()

        return await attempts(attempt)


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


class _Exchange:
    """One request: told to the log, and httpx's errors turned into rowcite's.

    What certainly never reached the API is told apart from the rest.
    """

    def __init__(self, method: str, path: str) -> None:
        self.method, self.path = method, path.partition("?")[0]
        self._began = time.perf_counter()

    def answered(self, status: int | str) -> None:
        """Tell the log: nothing but method, path, status and time, so that no secret can be in it."""
        _log.debug(
            "%s %s %s %.0f ms", self.method, self.path, status, (time.perf_counter() - self._began) * 1e3
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, TooLarge):
            raise ApiError(str(error)) from error
        if not isinstance(error, httpx.HTTPError):
            return
        self.answered(type(error).__name__)
        request = error._request  # noqa: SLF001 - the public property raises when there is none
        where = (
            f"{request.method} {request.url.copy_with(query=None, userinfo=b'')}" if request else "request"
        )
        told = f"{where}: {type(error).__name__}: {error}".rstrip(": ")
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ApiError(f"{told}. The certificate of the API is not trusted on this machine") from error
        if isinstance(error, httpx.UnsupportedProtocol):
            raise UsageError(told) from error
        sent = not isinstance(error, _NEVER_SENT)
        hint = "" if sent else ". Is the address right, and the network there?"
        raise Retriable(f"{told}{hint}", sent=sent) from error


def _event(data: bytes) -> Event:
    try:
        event = read_event(data)
    except msgspec.DecodeError as error:
        raise Retriable(f"the stream sent an event that is not what the API documents ({error})") from error
    if event.error is not None:
        raise Retriable(f"the stream ended with an error: {event.error.message}", ref_id=event.error.ref_id)
    return event
