"""A table at an https address (http on this machine), copied to a file."""

from __future__ import annotations

import errno
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from rowcite.api.base_url import is_loopback
from rowcite.api.environment import certificate_errors, proxy_for
from rowcite.errors import TableError
from rowcite.table.sources.base import COMPRESSED
from rowcite.table.sources.limits import NO_SPACE

_ATTEMPTS = 4
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PLAIN = {"accept-encoding": "identity"}


def download(
    url: str, folder: Path, *, pause: float = 1.0
) -> tuple[Mapping[Path, str], tuple[object, ...] | None]:
    """Copy the table at an address into a folder.

    Return its address without the query, which may be secret, and the stamp of what was copied. A connection that breaks
    is resumed after `pause` seconds, a few times.

    Raises:
        TableError: the address has no table, or the connection cannot be made or breaks every time.
    """
    address, name = _address(url)
    local = folder / (Path(address.path).name or "table")
    with _client(address) as client:
        copy = _Copy(client, address, name, local)
        _copy(copy, pause)
    return {local: name}, copy.stamp


def stamp(url: str) -> tuple[object, ...] | None:
    """Return the stamp of the table at an address: its ETag and time, None where the server gives neither.

    Raises:
        TableError: the address cannot be reached, or has no table.
    """
    address, name = _address(url)
    try:
        with _client(address) as client, client.stream("GET", address, headers=_PLAIN) as response:
            if response.is_success:
                return _stamp(response)
            raise TableError(f"{name}: answers {response.status_code} {response.reason_phrase}")
    except httpx.HTTPError as error:
        raise TableError(f"{name}: cannot be read: {error}") from error


def _address(url: str) -> tuple[httpx.URL, str]:
    """Return an address that may be used, and its name for messages."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise TableError(f"{url.split('?', 1)[0]}: not an address: {error}") from error
    _check_safe(address)
    return address, str(address.copy_with(query=None, userinfo=b"", fragment=None))


def _client(address: httpx.URL) -> httpx.Client:
    hooks = {"request": [lambda request: _check_safe(request.url)]}  # redirects too
    with certificate_errors():
        verify = httpx.create_ssl_context(trust_env=address.scheme == "https")
    return httpx.Client(
        timeout=_TIMEOUT,
        follow_redirects=True,
        event_hooks=hooks,
        verify=verify,
        proxy=proxy_for(str(address)),
        trust_env=False,
    )


def _stamp(response: httpx.Response) -> tuple[object, ...] | None:
    marks = (response.headers.get("etag"), response.headers.get("last-modified"))
    return marks if any(marks) else None


def _copy(copy: _Copy, pause: float) -> None:
    for left in reversed(range(_ATTEMPTS)):
        try:
            copy.resume()
        except httpx.TransportError as error:
            if not left:
                raise TableError(
                    f"{copy.name}: the download failed after {copy.size:,} bytes ({type(error).__name__}: {error})."
                    " Check the network. Nothing was spent"
                ) from error
            time.sleep(pause)
        except httpx.HTTPError as error:
            raise TableError(f"{copy.name}: cannot be read: {error}") from error
        else:
            return


class _Copy:
    """The copy of a table, as far as it was received."""

    def __init__(self, client: httpx.Client, address: httpx.URL, name: str, local: Path) -> None:
        self._client, self._address, self._local = client, address, local
        self._tag: str | None = None
        self.stamp: tuple[object, ...] | None = None
        self.name, self.size = name, 0

    def resume(self) -> None:
        """Request what is missing, or everything if the server cannot resume."""
        headers = dict(_PLAIN)
        if self.size and self._tag:
            headers |= {"range": f"bytes={self.size}-", "if-range": self._tag}
        with self._client.stream("GET", self._address, headers=headers) as response:
            if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                raise httpx.ReadError(f"the server answers {response.status_code} {response.reason_phrase}")
            if not response.is_success:
                raise TableError(
                    f"{self.name}: answers {response.status_code} {response.reason_phrase}. Check the address"
                )
            tag = response.headers.get("etag")
            self._tag = tag if tag and not tag.startswith("W/") else None
            self.stamp = _stamp(response)
            try:
                self._save(response)
            except OSError as error:
                raise TableError(
                    f"{self.name}: {NO_SPACE if error.errno == errno.ENOSPC else error}"
                ) from error

    def _save(self, response: httpx.Response) -> None:
        packed = self._local.suffix.lower() in COMPRESSED
        raw = packed or "content-encoding" not in response.headers
        is_rest = response.status_code == httpx.codes.PARTIAL_CONTENT
        with self._local.open("ab" if is_rest else "wb") as file:
            self.size = self.size if is_rest else 0
            for part in response.iter_raw() if raw else response.iter_bytes():
                file.write(part)
                self.size += len(part)


def _check_safe(address: httpx.URL) -> None:
    if address.scheme == "https" or (address.scheme == "http" and is_loopback(str(address))):
        return
    raise TableError(
        f"{address.copy_with(query=None, userinfo=b'')}: plain http can be changed on its way. Use https://"
    )
