"""Access to the server: who may send requests, and the API key, the rate limit and the size of a body."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rowcite.local.server.addresses import is_loopback
from rowcite.local.server.http_errors import HttpError, error_body, too_many_requests

WINDOW = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The bytes of a request's body (1,000 runs with the longest inputs have 60 MB), and the seconds between two of its parts."""

    size: int = 128 << 20
    seconds: float = 60.0

    def error(self) -> str:
        """Return the message for a body that is too large."""
        return f"The body is larger than {self.size >> 20} MiB"


class RateLimit:
    """At most `limit` requests in any 60 seconds; a refused one does not count."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._times: deque[float] = deque()

    def wait(self, requests: int = 1) -> float:
        """Count requests and return 0, or return the seconds to wait before trying again."""
        now = self._clock()
        while self._times and self._times[0] <= now - WINDOW:
            self._times.popleft()
        surplus = len(self._times) + requests - self._limit
        if surplus > 0:
            return self._times[surplus - 1] + WINDOW - now if surplus <= len(self._times) else WINDOW
        self._times.extend([now] * requests)
        return 0.0


class AccessMiddleware:
    """Middleware: 401 without the key, 429 over the limit; 421, 403, 415 and 413 for what no client sends.

    Without a key, a page in a browser on this machine could use the server. So with `loopback_only` the Host header must
    be this machine (a page may point its own domain here), and so must an Origin header; and a body must be JSON
    by its type, which a page of another origin can send only if the server agrees.
    """

    def __init__(
        self,
        app: ASGIApp,
        key: str | None,
        limit: RateLimit | None,
        *,
        loopback_only: bool,
        body: BodyLimits,
    ) -> None:
        self._app = app
        self._key = key
        self._limit = limit
        self._loopback_only = loopback_only
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        error = self._error(scope)
        await (error or self._app)(scope, receive if error else _Body(receive, self._body), send)

    def _error(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        foreign = _foreign(headers) if self._loopback_only else None
        if foreign is not None:
            return foreign
        if self._key is not None and not _is_key(headers, self._key):
            return _response(401, "Unauthorized: invalid or missing credentials")
        if (refused := _refused_body(headers, self._body)) is not None:
            return refused
        wait = self._limit.wait() if self._limit else 0.0
        if wait > 0:
            error = too_many_requests(wait)
            return Response(error_body(error.message), 429, error.headers, "application/json")
        return None


class _Body:
    """Receives a body up to the limits of its size and of the time between its parts."""

    def __init__(self, receive: Receive, limits: BodyLimits) -> None:
        self._receive, self._limits, self._bytes, self._complete = receive, limits, 0, False

    async def __call__(self) -> Message:
        """Return the next message of a request."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout(self._limits.seconds):
                message = await self._receive()
        except TimeoutError:
            raise HttpError(408, f"No byte of the body for {self._limits.seconds:g} seconds") from None
        self._complete = not message.get("more_body", False)
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._limits.size:
            raise HttpError(413, self._limits.error())
        return message


def _foreign(headers: Headers) -> Response | None:
    """Return an error response to a request that is not from this machine's own programs."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_loopback(hosts[0]):
        return _response(421, "Wrong host: without a key this server answers as 127.0.0.1 and localhost only")
    origin = headers.get("origin")
    if origin is not None and not is_loopback(origin.partition("://")[2]):
        return _response(403, "Wrong origin: without a key this server answers no page of another site")
    return None


def _refused_body(headers: Headers, limits: BodyLimits) -> Response | None:
    if "content-length" in headers and "transfer-encoding" in headers:
        return _response(400, "Two lengths: a body has a Content-Length or a Transfer-Encoding")
    length = headers.get("content-length", "0")
    if length == "0" and "transfer-encoding" not in headers:
        return None
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _response(415, "Unsupported media type: send the body as application/json")
    return _response(413, limits.error()) if length.isdecimal() and int(length) > limits.size else None


def _response(status: int, message: str) -> Response:
    return Response(error_body(message), status, media_type="application/json")


def _is_key(headers: Headers, key: str) -> bool:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    given = headers.get("x-api-key") or bearer
    return hmac.compare_digest(given.encode(), key.encode())
