"""A table behind an https address (http on this machine), copied to a file."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from rowcite.errors import TableError
from rowcite.table.sources.base import COMPRESSED

_TRIES, _PAUSE = 4, 1.0
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_ROOM = "no room for a copy of it. Set TMPDIR to a folder that has room"


def download(url: str, folder: Path) -> Mapping[Path, str]:
    """Copy what an address answers with into a folder; return what it is called (without its query, which may be secret).

    A connection that breaks is taken up where it broke, a few times.

    Raises:
        TableError: the address answers with no table, cannot be reached, or breaks off again and again.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise TableError(f"{url.split('?', 1)[0]}: is no address: {error}") from error
    name = str(address.copy_with(query=None, userinfo=b"", fragment=None))
    _check_safe(address)
    local = folder / (Path(address.path).name or "table")
    hooks = {"request": [lambda request: _check_safe(request.url)]}  # redirects too
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=True, event_hooks=hooks) as client:
        got = _Copy(client, address, name, local)
        for left in reversed(range(_TRIES)):
            try:
                got.go_on()
                break
            except httpx.TransportError as error:
                if not left:
                    raise TableError(
                        f"{name}: {got.size:,} bytes came, then {type(error).__name__}: {error}. Is the network there? Nothing was spent"
                    ) from error
                time.sleep(_PAUSE)
            except httpx.HTTPError as error:
                raise TableError(f"{name}: cannot be read: {error}") from error
    return {local: name}


class _Copy:
    """One address on its way into a file."""

    def __init__(self, client: httpx.Client, address: httpx.URL, name: str, local: Path) -> None:
        self._client, self._address, self._name, self._local = client, address, name, local
        self._tag: str | None = None
        self.size = 0

    def go_on(self) -> None:
        """Take up where the last attempt broke off, or begin again where the server cannot."""
        headers = {"accept-encoding": "identity"}
        if self.size and self._tag:
            headers |= {"range": f"bytes={self.size}-", "if-range": self._tag}
        with self._client.stream("GET", self._address, headers=headers) as answer:
            if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                raise httpx.ReadError(f"it answers {answer.status_code} {answer.reason_phrase}")
            if not answer.is_success:
                raise TableError(
                    f"{self._name}: answers {answer.status_code} {answer.reason_phrase}. Is the address right?"
                )
            more = answer.status_code == httpx.codes.PARTIAL_CONTENT
            tag = answer.headers.get("etag")
            self._tag = tag if tag and not tag.startswith("W/") else None
            packed = self._local.suffix.lower() in COMPRESSED
            parts = (
                answer.iter_raw()
                if packed or "content-encoding" not in answer.headers
                else answer.iter_bytes()
            )
            try:
                with self._local.open("ab" if more else "wb") as file:
                    self.size = self.size if more else 0
                    for part in parts:
                        file.write(part)
                        self.size += len(part)
            except OSError as error:
                raise TableError(f"{self._name}: {_ROOM if error.errno == 28 else error}") from error


def _check_safe(address: httpx.URL) -> None:
    if address.scheme == "https" or (address.scheme == "http" and _is_loopback(address.host)):
        return
    raise TableError(
        f"{address.copy_with(query=None, userinfo=b'')}: what comes over plain http can be changed on its way. Use https://"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
