"""Webhooks: a signed delivery for each run that ends, repeated until it is acknowledged.

Source: standardwebhooks.com, which the Task API follows. The key is the raw bytes of the secret, not its base64.
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
from rowcite.local.server.addresses import PRIVATE, is_private
from rowcite.local.server.shapes import rfc3339
from rowcite.local.server.store import Run

ATTEMPTS = 8
PAUSE = 5.0  # seconds before the second attempt; each later pause is twice as long, the last ten minutes
TIMEOUT = 15.0  # seconds
WORKERS = 4  # a receiver that hangs blocks one of them for TIMEOUT

OnAttempt = Callable[[Run, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver the end of a run; `attempt` counts from 1."""

    run: Run
    body: bytes
    attempt: int = 1

    @property
    def id(self) -> str:
        """Return the id by which a receiver drops repeats: the same for every attempt, and after a restart."""
        return f"msg_{hashlib.sha256(self.run.id.encode()).hexdigest()[:32]}"


class Webhooks:
    """Sends deliveries from worker threads; everything else happens on the event loop's thread.

    `on_attempt` is called after each attempt with the run, the number of the attempt, and the status of the answer or
    None. A redirect is not followed, and counts as a failure. So does a private address, unless `private` is True.
    """

    def __init__(
        self,
        secret: str | None,
        clock: Callable[[], float],
        pause: float = PAUSE,
        *,
        private: bool = False,
    ) -> None:
        self.signs, self.private = bool(secret), private
        self._key = secret.encode() if secret else None
        self._clock = clock
        self._pause = pause
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop
        self._on_attempt: OnAttempt

    def open(self, on_attempt: OnAttempt) -> None:
        """Start, on the event loop that serves."""
        self._loop = asyncio.get_running_loop()
        self._on_attempt = on_attempt

    def close(self) -> None:
        """Send nothing more; an attempt in progress ends by itself."""
        for _ in self._threads:
            self._queue.put(None)

    def send(self, run: Run) -> None:
        """Deliver the end of a run, if its webhook requests it."""
        if not needs_delivery(run):
            return
        payload = {"timestamp": rfc3339(self._clock()), "type": WEBHOOK_EVENT, "data": run.shape()}
        self._enqueue(Delivery(run, msgspec.json.encode(payload)))

    def _enqueue(self, delivery: Delivery) -> None:
        if len(self._threads) < WORKERS:
            name = f"rowcite-webhooks-{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()
        self._queue.put(delivery)

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None:
            status = self._attempt(delivery)
            try:
                self._loop.call_soon_threadsafe(self._attempted, delivery, status)
            except RuntimeError:  # the loop was closed during this attempt
                return

    def _attempt(self, delivery: Delivery) -> int | None:
        """Post once; return the status of the answer, or None if there was none."""
        webhook = delivery.run.accepted.request.webhook
        assert webhook is not None  # `send` checks that
        try:
            return _post(webhook.url, delivery.body, self._headers(delivery), private=self.private)
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
        acknowledged = status is not None and 200 <= status < 300
        delivery.run.webhook_done = acknowledged or delivery.attempt >= ATTEMPTS
        self._on_attempt(delivery.run, delivery.attempt, status)
        if not delivery.run.webhook_done:
            pause = min(self._pause * 2 ** (delivery.attempt - 1), 600.0)
            later = Delivery(delivery.run, delivery.body, delivery.attempt + 1)
            self._loop.call_later(pause, self._enqueue, later)


def needs_delivery(run: Run) -> bool:
    """Return True if the end of this run is still to be delivered."""
    webhook = run.accepted.request.webhook
    return webhook is not None and WEBHOOK_EVENT in webhook.event_types and not run.webhook_done


def _post(url: str, body: bytes, headers: dict[str, str], *, private: bool) -> int:
    """Post and return the status of the answer. No proxy, no redirect: only the named host receives it.

    Raises:
        OSError: no connection, or to a private address. The address is that of the connection, whatever its name was before.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.connect()
        if not private and is_private(str(connection.sock.getpeername()[0])):
            raise OSError(PRIVATE)
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
