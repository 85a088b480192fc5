"""Webhooks: the end of a run is told to whoever asked for it, signed, and again until it is heard.

Source: standardwebhooks.com, which the Task API follows. The key is the secret's own bytes, not its base64.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import queue
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import msgspec

from rowcite.api.facts import WEBHOOK_EVENT
from rowcite.local.server.shapes import rfc3339
from rowcite.local.server.store import Run

ATTEMPTS = 8
PAUSE = 5.0  # seconds before the second attempt; each later pause is twice as long, the last ten minutes
ANSWER_WITHIN = 15.0  # seconds
WORKERS = 4  # a receiver that hangs holds one of them up for ANSWER_WITHIN

ToolAnswer = Callable[[Run, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to tell of a run's end; `attempt` counts from 1."""

    run: Run
    body: bytes
    attempt: int = 1

    @property
    def id(self) -> str:
        """The id by which a receiver drops repeats: the same for every attempt, and after a restart."""
        return f"msg_{hashlib.sha256(self.run.id.encode()).hexdigest()[:32]}"


class Webhooks:
    """Sends deliveries from threads of its own; every other call is made on the event loop's thread.

    `told` hears of each attempt: the run, its number, and the status of the answer or None. A redirect is no 2xx:
    it is not followed.
    """

    def __init__(self, secret: str | None, clock: Callable[[], float], pause: float = PAUSE) -> None:
        self.signs = bool(secret)
        self._key = secret.encode() if secret else None
        self._clock = clock
        self._pause = pause
        self._outbox: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop
        self._told: ToolAnswer

    def open(self, told: ToolAnswer) -> None:
        """Begin, on the event loop that serves."""
        self._loop = asyncio.get_running_loop()
        self._told = told

    def close(self) -> None:
        """Send nothing more; an attempt under way is left to end by itself."""
        for _ in self._threads:
            self._outbox.put(None)

    def tell(self, run: Run) -> None:
        """Send word of a run that ended, if its webhook asks for it."""
        if not wants_word(run):
            return
        payload = {"timestamp": rfc3339(self._clock()), "type": WEBHOOK_EVENT, "data": run.shape()}
        self._send(Delivery(run, msgspec.json.encode(payload)))

    def _send(self, delivery: Delivery) -> None:
        if len(self._threads) < WORKERS:
            name = f"rowcite-webhooks-{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()
        self._outbox.put(delivery)

    def _work(self) -> None:
        while (delivery := self._outbox.get()) is not None:
            status = self._attempt(delivery)
            try:
                self._loop.call_soon_threadsafe(self._attempted, delivery, status)
            except RuntimeError:  # the loop was closed while this attempt was under way
                return

    def _attempt(self, delivery: Delivery) -> int | None:
        """Post once; return the status of the answer, or None when there was none."""
        webhook = delivery.run.asked.request.webhook
        assert webhook is not None  # `tell` sends nothing without
        try:
            return _post(webhook.url, delivery.body, self._headers(delivery))
        except (OSError, HTTPException, ValueError):
            return None

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        stamp = str(int(self._clock()))
        headers = {"content-type": "application/json", "webhook-id": delivery.id, "webhook-timestamp": stamp}
        if self._key is not None:
            signed = b"%b.%b.%b" % (delivery.id.encode(), stamp.encode(), delivery.body)
            digest = hmac.digest(self._key, signed, "sha256")
            headers["webhook-signature"] = f"v1,{b64encode(digest).decode()}"
        return headers

    def _attempted(self, delivery: Delivery, status: int | None) -> None:
        heard = status is not None and 200 <= status < 300
        delivery.run.told = heard or delivery.attempt >= ATTEMPTS
        self._told(delivery.run, delivery.attempt, status)
        if not delivery.run.told:
            pause = min(self._pause * 2 ** (delivery.attempt - 1), 600.0)
            later = Delivery(delivery.run, delivery.body, delivery.attempt + 1)
            self._loop.call_later(pause, self._send, later)


def wants_word(run: Run) -> bool:
    """Tell whether somebody is still to hear of this run's end."""
    webhook = run.asked.request.webhook
    return webhook is not None and WEBHOOK_EVENT in webhook.event_types and not run.told


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Post and return the status of the answer. No proxy, no redirect: only the named host hears of it."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_WITHIN)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
