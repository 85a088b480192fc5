"""One HTTP exchange: a body or a stream of events, limited in size and time, with httpx's errors translated to rowcite's.

The only file of the API rooms with httpx. Nothing is sent twice here, and no redirect is followed: the key goes to one
host.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Self
from urllib.parse import urlsplit

import httpx

from rowcite.api.base_url import is_loopback
from rowcite.api.environment import certificate_errors, proxy_for
from rowcite.api.facts import BETA_EVENTS, BETA_FIELD_BASIS, BETA_MCP
from rowcite.api.failures import failure, retry_after
from rowcite.api.rate_limit import RateLimiter
from rowcite.api.retry import RetryPolicy
from rowcite.api.sse import MAX_BYTES, Parser, TooLarge
from rowcite.errors import ApiError, KeyRefused, Retriable, RowciteError, UsageError
from rowcite.version import __version__

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_THROTTLED = 429
_INVALID = (400, 422)
_ENCODINGS = ("", "identity", "gzip", "deflate")
"""Accepted content encodings: with brotli, or two encodings, one chunk could fill the memory."""
_NOT_STREAMS = ("text/html", "application/json", "application/xhtml+xml")
Sockets = httpx.AsyncBaseTransport
"""What carries the bytes; tests pass others than the network."""
_log = logging.getLogger(__name__)


class Transport:
    """Sends requests to one Task API, each once."""

    def __init__(  # noqa: PLR0913 - what a connection is made of
        self,
        base_url: str,
        key: str | None,
        rate_limiter: RateLimiter,
        retry_policy: RetryPolicy,
        *,
        mcp: bool = False,
        sockets: Sockets | None = None,
    ) -> None:
        _check(base_url, key)
        self.rate_limiter, self.retry_policy = rate_limiter, retry_policy
        self.has_responded = False  # the API has answered anything
        wanted = [BETA_EVENTS, BETA_FIELD_BASIS, *([BETA_MCP] if mcp else [])]
        self._betas: str | None = ",".join(wanted)
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            headers={
                **({"x-api-key": key} if key else {}),
                "user-agent": f"rowcite/{__version__}",
                "accept-encoding": "gzip",
            },
            timeout=httpx.Timeout(retry_policy.answer, connect=retry_policy.connect),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            transport=sockets,
            verify=_tls(base_url),
            proxy=proxy_for(base_url),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def body(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        sending: Callable[[], Awaitable[None]] | None = None,
    ) -> bytes:
        """Send a request and return the body of a successful answer. `sending` is called immediately before."""
        betas = self._betas
        headers = _headers(betas) | ({"content-type": "application/json"} if content is not None else {})
        async with self.rate_limiter.turn():
            if sending is not None:
                await sending()
            with _Exchange(method, path) as exchange:
                async with (
                    asyncio.timeout(self.retry_policy.total),
                    self._http.stream(method, path, content=content, headers=headers) as response,
                ):
                    exchange.answered(response.status_code)
                    self.has_responded = True
                    found = await _whole(response)
        if response.is_success:
            return found
        raise self._failure(response, found, betas)

    async def events(
        self, path: str, params: dict[str, str], *, silence: float, idle: float | None = None
    ) -> AsyncGenerator[list[bytes]]:
        """Yield the data of a stream's events, those that arrive together at a time, until it ends.

        Raises:
            Retriable: it broke, or no byte arrived for `silence` seconds, or none that completed an event for `idle` seconds.
        """
        betas, parser = self._betas, Parser()
        timeout = httpx.Timeout(self.retry_policy.answer, connect=self.retry_policy.connect, read=silence)
        with _Exchange("GET", path) as exchange:
            async with self._http.stream(
                "GET", path, params=params, timeout=timeout, headers=_headers(betas)
            ) as response:
                exchange.answered(response.status_code)
                if not response.is_success:
                    raise self._failure(response, await _whole(response), betas)
                _check_stream(response)
                clock = asyncio.get_running_loop().time
                last = clock()
                async for chunk in response.aiter_bytes():
                    if found := parser.feed(chunk):
                        yield found
                        last = clock()
                    elif idle is not None and clock() > last + idle:
                        raise TimeoutError  # a timer for each chunk would take a tenth of the time of reading it

    def _failure(self, response: httpx.Response, body: bytes, betas: str | None) -> RowciteError:
        status, where = response.status_code, f"{response.request.method} {response.request.url.path}"
        after = retry_after(response.headers.get("retry-after"), response.headers.get("date"))
        if status == _THROTTLED:
            self.rate_limiter.throttled(max(after or 0.0, self.retry_policy.first_pause))
        error = failure(where, status, body, after, response.headers.get("location"))
        if betas and status in _INVALID and b"parallel-beta" in body.lower():
            self._betas = None  # the header may be refused: try once without it
            return Retriable(str(error), status=status)
        return error


def _check(base_url: str, key: str | None) -> None:
    if urlsplit(base_url).scheme not in ("http", "https"):
        raise UsageError(
            f"{base_url!r} is not a base URL: it must begin with https:// (http:// on this machine)"
        )
    if not base_url.startswith("https://") and not is_loopback(base_url):
        raise UsageError(
            f"{base_url}: a key is not sent over plain http, except on this machine. Use https://"
        )
    if key is not None and not (key.isascii() and key.isprintable()):
        raise KeyRefused(
            "the API key contains a line break or another invalid character. Check PARALLEL_API_KEY"
        )


def _tls(base_url: str) -> ssl.SSLContext:
    """Return the trusted certificates, also by SSL_CERT_FILE and SSL_CERT_DIR; none for plain http, which reads no variable."""
    if not base_url.startswith("https://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with certificate_errors():
        return httpx.create_ssl_context()


def _headers(betas: str | None) -> dict[str, str]:
    return {"parallel-beta": betas} if betas else {}


async def _whole(response: httpx.Response) -> bytes:
    """Return a whole body, decompressed, up to the size limit."""
    _check_encoding(response)
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_BYTES:
            raise TooLarge(f"{response.request.url.path}: an answer is larger than {MAX_BYTES >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _check_encoding(response: httpx.Response) -> None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise ApiError(
            f"{response.request.url.path}: the answer has the content encoding {encoding[:40]!r}, which was not requested"
        )


def _check_stream(response: httpx.Response) -> None:
    _check_encoding(response)
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _NOT_STREAMS:
        raise Retriable(
            f"GET {response.request.url.path}: the answer is {kind}, not a stream of events",
            status=response.status_code,
        )


class _Exchange:
    """One request: logged, and with httpx's errors translated to rowcite's.

    Errors of requests that certainly never reached the API have `sent` false.
    """

    def __init__(self, method: str, path: str) -> None:
        self.method, self.path = method, path.partition("?")[0]
        self._began = time.perf_counter()

    def answered(self, status: int | str) -> None:
        """Log method, path, status and time; nothing else, so that no secret can be in the log."""
        _log.debug(
            "%s %s %s %.0f ms", self.method, self.path, status, (time.perf_counter() - self._began) * 1e3
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, TooLarge):
            raise ApiError(str(error)) from error
        if isinstance(error, TimeoutError):
            self.answered("TimeoutError")
            raise Retriable(f"{self.method} {self.path}: the answer was not complete in time") from error
        if not isinstance(error, httpx.HTTPError):
            return
        self.answered(type(error).__name__)
        request = error._request  # noqa: SLF001 - the public property raises when there is none
        where = f"{request.method} {_shown(request.url)}" if request else "request"
        if (why := _untrusted_reason(error)) is not None:
            raise ApiError(
                f"{where}: the certificate of the API is not trusted: {why}. Nothing was sent. Check --base-url; for"
                " a private certificate authority, name its file in SSL_CERT_FILE"
            ) from error
        if isinstance(error, httpx.UnsupportedProtocol):
            raise UsageError(_text(where, error)) from error
        if isinstance(error, _NEVER_SENT):
            site = f"{request.url.scheme}://{request.url.netloc.decode()}" if request else "the API"
            hint = f"Cannot connect to {site}. Check --base-url and the network"
            raise Retriable(f"{hint} ({_text(where, error)})", sent=False) from error
        raise Retriable(_text(where, error), sent=True) from error


def _text(where: str, error: Exception) -> str:
    return f"{where}: {type(error).__name__}: {error}".rstrip(": ")


def _shown(url: httpx.URL) -> httpx.URL:
    return url.copy_with(query=None, userinfo=b"")


def _untrusted_reason(error: BaseException | None) -> str | None:
    """Return why a certificate was not trusted; None if that is not the cause."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
