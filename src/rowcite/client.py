"""The Task API over HTTP: one method an endpoint, errors translated once, streams as events.

The core's only file with httpx and tenacity. A GET may be sent again after anything that may pass. A POST that
creates runs is sent again only after 429 or when no connection was made: runs cost money, and there is no
idempotency key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
import tenacity

from rowcite.errors import (
    ApiError,
    ApiRefused,
    KeyRefused,
    NotThere,
    OutOfCredit,
    RowciteError,
    Retriable,
    UsageError,
)
from rowcite.pace import Pace
from rowcite.sse import Parser, TooLarge
from rowcite.version import __version__
from rowcite.wire import Added, Event, Group, Result, Run

T = TypeVar("T")
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_BETAS = "events-sse-2025-07-24"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try: attempts, seconds in total, and the pause before the second attempt."""

    attempts: int = 8
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

    def __init__(
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
            raise UsageError(f"{base_url!r} is no base URL: it begins with https:// (http:// on this machine)")
        if not base_url.startswith("https://") and not is_loopback(base_url):
            raise UsageError(f"{base_url}: a key is not sent over plain http, except on this machine. Use https://")
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

    async def __aenter__(self) -> Client:
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

    async def add_runs(self, group_id: str, body: bytes) -> list[str]:
        """Create runs; return their ids, in no promised order.

        Raises:
            Retriable: with `sent` true, the runs may or may not have been created: find out before sending again.
        """
        path = f"/v1/tasks/groups/{group_id}/runs?refresh_status=false"
        added = await self._retrying(lambda: self._json("POST", path, Added, content=body), creates=True)
        return added.run_ids

    async def run(self, run_id: str) -> Run:
        """Return how a run stands."""
        return await self._retrying(lambda: self._json("GET", f"/v1/tasks/runs/{run_id}", Run))

    async def result(self, run_id: str) -> Result:
        """Return the answer of a run that has ended."""
        return await self._retrying(lambda: self._json("GET", f"/v1/tasks/runs/{run_id}/result?timeout=5", Result))

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
        attempt resumes after the last event. `into` may see an event twice.
        """
        asked = {"status": status, "include_input": inputs or None, "include_output": outputs or None}
        params = {name: str(value).lower() for name, value in asked.items() if value is not None}

        async def attempt() -> None:
            async with self.pace.turn():
                async for event in self._events(f"/v1/tasks/groups/{group_id}/runs", params, self.patience.answer):
                    if event.event_id:
                        params["last_event_id"] = event.event_id
                    into(event)

        await self._retrying(attempt)

    async def group_events(self, group_id: str, last_event_id: str | None = None) -> AsyncIterator[Event]:
        """Stream a group's completions as they happen; ends when no run is active, or at any time.

        Raises:
            Retriable: the stream broke; what was yielded stands. Nothing is tried again here.
        """
        params = {"timeout": "3600", **({"last_event_id": last_event_id} if last_event_id else {})}
        async with self.pace.turn(stream=True):
            pass
        async for event in self._events(f"/v1/tasks/groups/{group_id}/events", params, self.patience.silence):
            yield event

    # --- one request ---------------------------------------------------------------------------------

    async def _json(self, method: str, path: str, shape: type[T], content: bytes | None = None) -> T:
        headers = {"content-type": "application/json"} if content is not None else {}
        async with self.pace.turn():
            with _translated():
                response = await self._http.request(method, path, content=content, headers=headers)
        if response.is_success:
            try:
                return msgspec.json.decode(response.content, type=shape)
            except msgspec.DecodeError as error:
                what = f"{method} {path}: the answer is not the JSON that the API documents ({error})"
                raise Retriable(what, status=response.status_code) from error
        raise self._failure(response)

    async def _events(self, path: str, params: dict[str, str], silence: float) -> AsyncIterator[Event]:
        timeout = httpx.Timeout(self.patience.answer, connect=self.patience.connect, read=silence)
        parser = Parser()
        with _translated():
            async with self._http.stream("GET", path, params=params, timeout=timeout) as response:
                if not response.is_success:
                    await response.aread()
                    raise self._failure(response)
                async for chunk in response.aiter_bytes():
                    for data in parser.feed(chunk):
                        yield _event(data)

    # --- errors --------------------------------------------------------------------------------------

    def _failure(self, response: httpx.Response) -> RowciteError:
        status, (message, ref_id) = response.status_code, _explained(response)
        where = f"{response.request.method} {response.request.url.path}: {status}"
        told = f"{where}: {message}" if message else where
        if status == 401:
            return KeyRefused(f"{told}. Check PARALLEL_API_KEY" + (f" (ref_id {ref_id})" if ref_id else ""))
        if status == 402:
            return OutOfCredit(f"{told}" + (f" (ref_id {ref_id})" if ref_id else ""))
        if status in _PASSING:
            after = _retry_after(response.headers.get("retry-after"))
            if status == 429:
                self.pace.hold(after if after is not None else self.patience.first_pause)
            return Retriable(told, status=status, ref_id=ref_id, retry_after=after)
        kind = NotThere if status == 404 else ApiRefused if 400 <= status < 500 else ApiError
        return kind(told, status=status, ref_id=ref_id)

    async def _retrying(self, call: Callable[[], Awaitable[T]], *, creates: bool = False) -> T:
        def may_again(error: BaseException) -> bool:
            return isinstance(error, Retriable) and (not creates or error.status == 429 or not error.sent)

        backoff = tenacity.wait_exponential_jitter(self.patience.first_pause, self.patience.longest_pause)

        def pause(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            told = getattr(error, "retry_after", None)
            return float(told) if told is not None else backoff(state)

        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(may_again),
            stop=tenacity.stop_after_attempt(self.patience.attempts) | tenacity.stop_after_delay(self.patience.total),
            wait=pause,
            reraise=True,
        )

        async def attempt() -> T:  # tenacity looks whether it was given an `async def`
            return await call()

        return await attempts(attempt)


class _translated:
    """Turn httpx's errors into rowcite's, telling what certainly never reached the API from the rest."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, TooLarge):
            raise ApiError(str(error)) from error
        if not isinstance(error, httpx.HTTPError):
            return
        request = error._request  # noqa: SLF001 - the public property raises when there is none
        where = f"{request.method} {request.url.copy_with(query=None, userinfo=b'')}" if request else "request"
        told = f"{where}: {type(error).__name__}: {error}".rstrip(": ")
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ApiError(f"{told}. The certificate of the API is not trusted on this machine") from error
        if isinstance(error, httpx.UnsupportedProtocol):
            raise UsageError(told) from error
        raise Retriable(told, sent=not isinstance(error, _NEVER_SENT)) from error


def _event(data: bytes) -> Event:
    try:
        event = msgspec.json.decode(data, type=Event)
    except msgspec.DecodeError as error:
        raise Retriable(f"the stream sent an event that is not what the API documents ({error})") from error
    if event.type == "error" and event.error is not None:
        raise Retriable(f"the stream ended with an error: {event.error.message}", ref_id=event.error.ref_id)
    return event


def _explained(response: httpx.Response) -> tuple[str, str | None]:
    """Return the message and the ref_id of an error answer, in any of the API's shapes."""
    try:
        body: Any = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        text = " ".join(response.text.split())
        return (f"{text[:200]}…" if len(text) > 200 else text), None
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        error = body["error"]
        detail = f" {msgspec.json.encode(error['detail']).decode()}" if error.get("detail") else ""
        return f"{error.get('message', '')}{detail}", error.get("ref_id")
    if isinstance(body, dict) and isinstance(body.get("detail"), list):
        parts = [item for item in body["detail"] if isinstance(item, dict)]
        return "; ".join(f"{'.'.join(map(str, part.get('loc', ())))}: {part.get('msg', '')}" for part in parts), None
    return str(body.get("detail", body) if isinstance(body, dict) else body)[:200], None


def _retry_after(value: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date. Returns seconds from now, at most five minutes."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE)
