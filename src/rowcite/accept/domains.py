"""Hosts of URLs, the domain that somebody registered, and whether a URL is of a list of domains. Pure.

The Public Suffix List comes inside the `publicsuffixlist` package: no download, the same answer everywhere. Its
private part counts too, so `a.github.io` and `b.github.io` are two sites: different people wrote them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=65_536)
def host_of(url: str) -> str:
    """Return the host of a web address as a browser that opens it would see it; empty when it is none.

    Lower case, without a dot at the end; letters beyond ASCII as they go over the wire (`xn--...`).
    """
    try:
        parts = urlsplit(url.replace("\\", "/"))  # browsers do: https://evil.example\@sec.gov is evil's
        host = parts.hostname or ""
    except ValueError:
        return ""
    return ascii_host(host) if parts.scheme in ("http", "https") else ""


def ascii_host(host: str) -> str:
    """Return a host or suffix in the form that goes over the wire."""
    host = host.strip().lower().removesuffix(".")
    if host.isascii():
        return host
    try:
        dot = "." if host.startswith(".") else ""
        return dot + host.lstrip(".").encode("idna").decode()
    except UnicodeError:
        return host


@lru_cache(maxsize=65_536)
def site_of(host: str) -> str:
    """Return the domain that somebody registered: `news.acme.co.uk` is of `acme.co.uk`; an address is itself."""
    if ":" in host or host.replace(".", "").isdigit():
        return host
    return _suffixes().privatesuffix(host) or host


def sites(urls: Iterable[str]) -> frozenset[str]:
    """Return the distinct registered domains of URLs; what is no web address has none."""
    return frozenset(site_of(host) for host in map(host_of, urls) if host)


class Domains:
    """Domains and suffixes as a spec lists them: `sec.gov` and `co.uk` cover themselves and what is under them, `.gov` the latter."""

    def __init__(self, listed: Iterable[str]) -> None:
        self.listed = tuple(listed)
        named = [ascii_host(domain) for domain in self.listed]
        self._exact = frozenset(domain for domain in named if not domain.startswith("."))
        self._under = tuple("." + domain.lstrip(".") for domain in named)
        self._known: dict[str, bool] = {}

    def __contains__(self, url: object) -> bool:
        """Tell whether a URL is of one of the domains."""
        host = host_of(str(url))
        found = self._known.get(host)
        if found is None:
            found = bool(host) and self._covers(host)
            if len(self._known) < 100_000:
                self._known[host] = found
        return found

    def _covers(self, host: str) -> bool:
        return host in self._exact or host.endswith(self._under)

    def __str__(self) -> str:
        return ", ".join(self.listed)


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # takes 40 ms: only where domains are counted or listed

    return PublicSuffixList()
