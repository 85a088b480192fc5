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

from rowcite.api.base_url import is_loopback, normal_base_url
from rowcite.errors import UsageError

PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds before the second attempt; Retry-After may ask for more
FAILURES = 3  # requests in a row without a response, after which the endpoint is suspended
SUSPENSION = 30.0  # seconds
LARGEST = 1_000_000  # bytes of a reply


class EndpointUnavailable(Exception):
    """The endpoint gave no usable answer: `passing` if another attempt, after at least `pause` seconds, may help."""

    def __init__(self, reason: str, *, passing: bool = True, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.passing, self.pause = passing, pause


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
        self.base_url = self.base_url.strip()
        normal = normal_base_url(self.base_url, "--llm-base-url")
        if normal.startswith("http:") and not is_loopback(normal):
            raise UsageError(
                f"--llm-base-url: plain http to {urlsplit(normal).hostname} would show the documents and the key. "
                "Use https, or a model on this machine"
            )
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

        `schema` is the reply's JSON schema, for endpoints with structured outputs. A rejected reply format is not an attempt.
        """
        try:
            return self._attempt(messages, schema)
        except EndpointUnavailable as trouble:
            if not trouble.passing:
                raise
            time.sleep(max(self.pause, trouble.pause))
        return self._attempt(messages, schema)

    def _attempt(self, messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """Return the object of one reply, in the strictest format that the endpoint accepts."""
        body = {"model": self.model, "messages": list(messages), "temperature": 0}
        for name in (*self.formats, ""):
            shape = {"json_schema": {"name": "answer", "schema": schema}} if name == "json_schema" else {}
            response = self._post(body | ({"response_format": {"type": name} | shape} if name else {}))
            if not name or response.status_code not in {400, 422, 501}:
                break
            self.formats = tuple(one for one in self.formats if one != name)
        if (status := response.status_code) != 200:
            requested = re.fullmatch(r"[0-9]+", response.headers.get("retry-after", ""))
            pause = min(float(requested[0]), LONGEST_PAUSE) if requested else 0.0
            passing = status in {408, 429} or status >= 500
            raise EndpointUnavailable(f"it answered with status {status}", passing=passing, pause=pause)
        return self._object_in(response.content)

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        """Post once; return the response, with little more than LARGEST bytes of its body.

        After several requests in a row without a response, the endpoint is suspended for a while.
        """
        if time.monotonic() < self._suspended_until:
            raise EndpointUnavailable("it did not answer several times in a row", passing=False)
        end, content = time.monotonic() + self.timeout, b""
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        try:
            with self._client.stream("POST", url, json=body) as response:
                for chunk in response.iter_raw():
                    content += chunk
                    if time.monotonic() > end:
                        raise httpx.ReadTimeout("")
                    if len(content) > LARGEST:
                        break
        except httpx.HTTPError as error:
            self._failures += 1
            if self._failures >= FAILURES:
                self._failures, self._suspended_until = 0, time.monotonic() + SUSPENSION
            if isinstance(error, httpx.TimeoutException):  # no retry: the run has waited long enough
                reason = f"it did not answer within {self.timeout:g} s"
                raise EndpointUnavailable(reason, passing=False) from error
            raise EndpointUnavailable(f"it could not be reached ({type(error).__name__})") from error
        self._failures = 0
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    def _object_in(self, reply: bytes) -> dict[str, Any]:
        """Return the JSON object in the text of a chat completion, also in a code fence or between words."""
        try:
            text = json.loads(reply)["choices"][0]["message"]["content"]
            if not isinstance(text, str):  # some endpoints send it in parts
                text = "".join(part.get("text") or "" for part in text)
            text = text.rsplit("</think>", 1)[-1]  # some models reason aloud
            plain = json.dumps(json.loads(text[text.find("{") : text.rfind("}") + 1]), ensure_ascii=False)
            plain = plain.replace(self.key, "[key]") if self.key else plain  # in case the endpoint repeats it
            # JSON may contain a lone surrogate, which cannot be encoded.
            found: dict[str, Any] = json.loads(plain.encode("utf-8", "replace"))
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
            raise EndpointUnavailable("it replied with no JSON object") from error
        return found
