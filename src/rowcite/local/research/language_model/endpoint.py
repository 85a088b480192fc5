"""Send chat completions to an OpenAI-compatible endpoint and parse the JSON object in the reply."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from socket import socket as Socket  # noqa: N812  # `socket` is what the variables are called
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from rowcite.errors import UsageError

ATTEMPTS = 2
PAUSE = 0.5  # seconds before the second attempt
LONGEST_PAUSE = 10.0  # seconds; limits Retry-After
FAILURES = 3  # requests in a row without a response, after which the endpoint is suspended
SUSPENSION = 30.0  # seconds
LARGEST = 1_000_000  # bytes of a reply
_CHUNK = 65_536


class EndpointUnavailable(Exception):
    """The endpoint gave no usable answer; the text is the reason.

    `permanent`: a retry cannot help. `no_response`: nothing was received. `pause`: requested seconds before a retry.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, no_response: bool = False, pause: float | None = None
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.no_response = no_response
        self.pause = pause


@dataclass
class Endpoint:
    """An OpenAI-compatible endpoint; `base_url` is the part before /chat/completions.

    Raises `UsageError` for an address that must not receive the key and the documents. No proxy is used and no redirect
    followed. `timeout` is the seconds for a whole reply, `pause` those before a retry.
    """

    base_url: str
    model: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    pause: float = PAUSE
    formats: list[str] = field(
        default_factory=lambda: ["json_schema", "json_object"]
    )  # until the endpoint rejects one
    _failures: int = field(default=0, repr=False)
    _suspended_until: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        """Reject an invalid address or key before anything is sent."""
        self._parts = _address(self.base_url)
        self.key = (self.key or "").strip() or None
        if self.key and not (self.key.isascii() and self.key.isprintable()):
            raise UsageError("ROWCITE_LLM_KEY has characters that no API key has. Set it again")

    def ask(self, messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON object of the model's reply; raise `EndpointUnavailable` after two failed attempts.

        `schema` is the reply's JSON schema, for endpoints with structured outputs. A rejected reply format is not an attempt. After several
        requests in a row without any response, the endpoint is suspended for a while.
        """
        if time.monotonic() < self._suspended_until:
            raise EndpointUnavailable("it did not answer several times in a row")
        attempts = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=self._wait,
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        try:
            found = attempts(lambda: object_in(self._complete(messages, schema)))
        except EndpointUnavailable as trouble:
            self._count(no_response=trouble.no_response)
            raise
        self._count(no_response=False)
        return found

    def _wait(self, state: RetryCallState) -> float:
        """Return the seconds before a retry: those that the endpoint requests, else `pause`."""
        trouble = state.outcome.exception() if state.outcome else None
        requested = trouble.pause if isinstance(trouble, EndpointUnavailable) else None
        return self.pause if requested is None else requested

    def _count(self, *, no_response: bool) -> None:
        self._failures = self._failures + 1 if no_response else 0
        if self._failures >= FAILURES:
            self._failures = 0
            self._suspended_until = time.monotonic() + SUSPENSION

    def _complete(self, messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> str:
        """Return the text of one reply, in the strictest format that the endpoint accepts."""
        body = {"model": self.model, "messages": list(messages), "temperature": 0}
        status, pause, reply = 400, None, b""
        for name in (*self.formats, ""):
            shape = {"json_schema": {"name": "answer", "schema": schema}} if name == "json_schema" else {}
            wanted = {"response_format": {"type": name} | shape} if name else {}
            status, pause, reply = self._post(json.dumps(body | wanted).encode())
            if not name or status not in {400, 422, 501}:
                break
            self.formats = [one for one in self.formats if one != name]
        if status != 200:
            again = status in {408, 429} or status >= 500
            raise EndpointUnavailable(f"it answered with status {status}", permanent=not again, pause=pause)
        text = _content(reply)
        return text.replace(self.key, "[key]") if self.key else text  # in case the endpoint repeats it

    def _post(self, body: bytes) -> tuple[int, float | None, bytes]:
        """Post once; return status, requested pause and reply."""
        end = time.monotonic() + self.timeout
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self.timeout)
        headers = {"content-type": "application/json", "connection": "close"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        try:
            connection.connect()
            socket = connection.sock  # the connection drops it once the headers are read
            connection.request("POST", f"{self._parts.path.rstrip('/')}/chat/completions", body, headers)
            response = connection.getresponse()
            return response.status, _pause(response), _read(response, socket, end)
        except TimeoutError as error:  # no retry: the run has waited long enough
            reason = f"it did not answer within {self.timeout:g} s"
            raise EndpointUnavailable(reason, permanent=True, no_response=True) from error
        except (OSError, HTTPException) as error:
            reason = f"it could not be reached ({type(error).__name__})"
            raise EndpointUnavailable(reason, no_response=True) from error
        finally:
            connection.close()


def _may_pass(trouble: BaseException) -> bool:
    return isinstance(trouble, EndpointUnavailable) and not trouble.permanent


def object_in(text: str) -> dict[str, Any]:
    """Return the JSON object in a reply, also in a code fence or between words; raise `EndpointUnavailable` if none."""
    text = text.rsplit("</think>", 1)[-1]  # some models reason aloud
    fenced = text.split("```", 2)[1].removeprefix("json") if text.count("```") > 1 else ""
    for candidate in (text, fenced, text[text.find("{") : text.rfind("}") + 1]):
        try:
            found = json.loads(candidate)
            # JSON may contain a lone surrogate, which cannot be encoded.
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    raise EndpointUnavailable("it replied with something that is not JSON")


def _read(response: HTTPResponse, socket: Socket, end: float) -> bytes:
    """Return the whole reply; raise TimeoutError if it is not complete by `end`."""
    read = bytearray()
    while len(read) <= LARGEST:
        if (left := end - time.monotonic()) <= 0:
            raise TimeoutError
        socket.settimeout(left)
        if not (chunk := response.read1(_CHUNK)):
            break
        read += chunk
    return bytes(read)


def _pause(response: HTTPResponse) -> float | None:
    """Return the seconds that Retry-After requests, at most 10, or None."""
    requested = response.headers.get("retry-after", "")
    return min(float(requested), LONGEST_PAUSE) if requested.isascii() and requested.isdigit() else None


def _content(reply: bytes) -> str:
    try:
        content = json.loads(reply)["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise EndpointUnavailable("it replied with no chat completion") from error
    if isinstance(content, list):  # some endpoints send parts
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise EndpointUnavailable("it replied with no text")
    return content


def _address(url: str) -> SplitResult:
    """Return the parts of a base URL that may receive a key: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(
            f"--llm-base-url is not a URL ({error}). Give one such as https://host/v1"
        ) from error
    plain = url.isascii() and url.isprintable() and " " not in url
    if not host or parts.scheme not in {"http", "https"} or not plain:
        raise UsageError("--llm-base-url is not an http address. Give one such as https://host/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            "--llm-base-url has more than host and path. Leave the rest out; the key comes from ROWCITE_LLM_KEY"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"--llm-base-url: plain http to {host} would show the documents and the key. Use https, or a model on this machine"
        )
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
