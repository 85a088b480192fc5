"""Access to the server: the API key and the rate limit."""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rowcite.local.server.http_errors import error_body, too_many_requests

WINDOW = 60.0  # seconds


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
    """Middleware: 401 without the key, 429 over the limit."""

    def __init__(self, app: ASGIApp, key: str | None, limit: RateLimit | None) -> None:
        self._app = app
        self._key = key
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI call."""
        error = self._error(scope) if scope["type"] == "http" else None
        await (error or self._app)(scope, receive, send)

    def _error(self, scope: Scope) -> Response | None:
        if self._key is not None and not _is_key(Headers(scope=scope), self._key):
            body = error_body("Unauthorized: invalid or missing credentials")
            return Response(body, 401, media_type="application/json")
        wait = self._limit.wait() if self._limit else 0.0
        if wait > 0:
            error = too_many_requests(wait)
            return Response(error_body(error.message), 429, error.headers, "application/json")
        return None


def _is_key(headers: Headers, key: str) -> bool:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    given = headers.get("x-api-key") or bearer
    return hmac.compare_digest(given.encode(), key.encode())
