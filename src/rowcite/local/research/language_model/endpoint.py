"""Send chat completions to an OpenAI-compatible endpoint and parse the JSON object in the reply."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from rowcite.api.base_url import is_loopback
from rowcite.errors import UsageError

PAUSE, LONGEST_PAUSE = (
    0.5,
    10.0,
)  # seconds before the second attempt, and the most that Retry-After can ask for
FAILURES = 3  # requests in a row without a response, after which the endpoint is suspended
SUSPENSION = 30.0  # seconds
LARGEST = 1_000_000  # bytes of a reply


class EndpointUnavailable(Exception):
    """The endpoint gave no usable answer: `passing` if a retry may help, after `pause` seconds if it requested some.

    `no_response`: nothing was received.
    """

    def __init__(
        self, reason: str, *, passing: bool = True, no_response: bool = False, pause: float | None = None
    ) -> None:
        super().__init__(reason)
        self.passing, self.no_response, self.pause = passing, no_response, pause


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
    formats: tuple[str, ...] = ("json_schema", "json_object")  # until the endpoint rejects one
    _failures: int = field(default=0, repr=False)
    _suspended_until: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        """Reject an invalid address or key before anything is sent."""
        _check_address(self.base_url)
        self.key = (self.key or "").strip() or None
        if self.key and not (self.key.isascii() and self.key.isprintable()):
            raise UsageError("ROWCITE_LLM_KEY has characters that no API key has. Set it again")
        headers = {"accept-encoding": "identity"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(headers=headers, timeout=self.timeout, limits=limits, trust_env=False)

    def ask(self, messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON object of the model's reply; raise `EndpointUnavailable` after two failed attempts.

        `schema` is the reply's JSON schema, for endpoints with structured outputs. A rejected reply format is not an attempt. After several
        requests in a row without any response, the endpoint is suspended for a while.
        """
        if time.monotonic() < self._suspended_until:
            raise EndpointUnavailable("it did not answer several times in a row")
        try:
            found = self._reply(messages, schema)
        except EndpointUnavailable as trouble:
            self._failures = self._failures + 1 if trouble.no_response else 0
            if self._failures >= FAILURES:
                self._failures, self._suspended_until = 0, time.monotonic() + SUSPENSION
            raise
        self._failures = 0
        return found

    def _reply(self, messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """Return the object of the first attempt, or of the second after a pause."""
        try:
            return object_in(self._complete(messages, schema))
        except EndpointUnavailable as trouble:
            if not trouble.passing:
                raise
            time.sleep(self.pause if trouble.pause is None else trouble.pause)
        return object_in(self._complete(messages, schema))

    def _complete(self, messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> str:
        """Return the text of one reply, in the strictest format that the endpoint accepts."""
        body = {"model": self.model, "messages": list(messages), "temperature": 0}
        for name in (*self.formats, ""):
            shape = {"json_schema": {"name": "answer", "schema": schema}} if name == "json_schema" else {}
            response = self._post(body | ({"response_format": {"type": name} | shape} if name else {}))
            if not name or response.status_code not in {400, 422, 501}:
                break
            self.formats = tuple(one for one in self.formats if one != name)
        if (status := response.status_code) != 200:
            requested = response.headers.get("retry-after", "")
            pause = min(float(requested), LONGEST_PAUSE) if re.fullmatch(r"[0-9]+", requested) else None
            again = status in {408, 429} or status >= 500
            raise EndpointUnavailable(f"it answered with status {status}", passing=again, pause=pause)
        text = _content(response.content)
        return text.replace(self.key, "[key]") if self.key else text  # in case the endpoint repeats it

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        """Post once; return the response. At most LARGEST bytes of it are read."""
        end, url = time.monotonic() + self.timeout, f"{self.base_url.rstrip('/')}/chat/completions"
        try:
            with self._client.stream("POST", url, json=body) as response:
                content = b""
                for chunk in response.iter_raw():
                    content += chunk
                    if time.monotonic() > end:
                        raise httpx.ReadTimeout("")
                    if len(content) > LARGEST:
                        break
                return httpx.Response(response.status_code, headers=response.headers, content=content)
        except httpx.HTTPError as error:
            late = isinstance(error, httpx.TimeoutException)  # no retry: the run has waited long enough
            reason = f"it could not be reached ({type(error).__name__})"
            reason = f"it did not answer within {self.timeout:g} s" if late else reason
            raise EndpointUnavailable(reason, passing=not late, no_response=True) from error


def object_in(text: str) -> dict[str, Any]:
    """Return the JSON object in a reply, also in a code fence or between words; raise `EndpointUnavailable` if none."""
    text = text.rsplit("</think>", 1)[-1]  # some models reason aloud
    try:
        found: dict[str, Any] = json.loads(text[text.find("{") : text.rfind("}") + 1])
        # JSON may contain a lone surrogate, which cannot be encoded.
        found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise EndpointUnavailable("it replied with something that is not JSON") from error
    return found


def _content(reply: bytes) -> str:
    """Return the text of a chat completion; some endpoints send it in parts."""
    try:
        content = json.loads(reply)["choices"][0]["message"]["content"]
        return content if isinstance(content, str) else "".join(part.get("text") or "" for part in content)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise EndpointUnavailable("it replied with no text of a chat completion") from error


def _check_address(url: str) -> None:
    """Raise UsageError unless a base URL may receive a key: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not re.fullmatch(r"[!-~]+", url) or re.search("[@?#]", url):
        raise UsageError("--llm-base-url is not an http address of host and path, such as https://host/v1")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(
            f"--llm-base-url: plain http to {parts.hostname} would show the documents and the key. Use https, or a model on this machine"
        )
