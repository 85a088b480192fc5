"""The normal form of a base URL: two spellings of one API have the same, so that none of them pays again."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from rowcite.errors import UsageError

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?\.?")
_VERSION = re.compile(r"(/+(v1|v1beta)?)+$")
"""The part of the path that the client adds to every request, and trailing slashes."""


def normal_base_url(url: str, name: str) -> str:
    """Return a base URL with scheme and host in lower case, without its default port, trailing slashes, `/v1` and `/v1beta`.

    `name` is the flag or variable that has the URL, for errors.

    Raises:
        UsageError: it is not a base URL, or has a user name or a password, which are not shown.
    """
    url = url.strip()
    shown = "" if re.search("[@?]", url) else f" {url!r}"
    try:
        parts = urlsplit(url)
        port, host = parts.port, host_of(parts)
    except ValueError:
        raise _invalid(name, shown) from None
    scheme = parts.scheme
    if "@" in parts.netloc:
        raise UsageError(
            f"{name}: a base URL has no user name or password. Remove the part before @; the key belongs in its environment variable"
        )
    if scheme not in _PORTS or not host or not url.isprintable() or " " in url:
        raise _invalid(name, shown)
    if "?" in url or "#" in url:
        raise UsageError(f"{name}: a base URL has no query. Remove the part from ? or # on")
    netloc = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    return f"{scheme}://{netloc}{_VERSION.sub('', parts.path)}"


def is_loopback(url: str) -> bool:
    """Return True if a URL refers to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def host_of(parts: SplitResult) -> str:
    """Return the host in lower case; an IPv6 address in its short form and in brackets.

    Raises:
        ValueError: it is not a host name or an address.
    """
    host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    if ":" in host:
        return f"[{IPv6Address(host)}]"
    if host and not _HOST.fullmatch(host):
        raise ValueError(host)
    return host


def _invalid(name: str, shown: str) -> UsageError:
    return UsageError(
        f"{name}:{shown} is not a base URL: it must begin with https:// (http:// on this machine) and a host"
    )
