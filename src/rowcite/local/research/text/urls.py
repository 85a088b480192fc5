"""Hosts of URLs, the registrable domain of a host, and the source policy."""

from __future__ import annotations

import re
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

from rowcite.api.source_policy import covers, location, normal_entry

_suffixes = PublicSuffixList(only_icann=True)
_HOST = r"((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})"
_ADDRESS = re.compile(rf"(?:https?://)?(?:[\w.+-]+@)?{_HOST}(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
_IN_TEXT = re.compile(rf"(?<![\w@.-])(?:https?://)?{_HOST}(?![\w-])", re.IGNORECASE)
_FILE_ENDINGS = frozenset({"html", "htm", "pdf", "csv", "txt", "md", "js", "py", "png", "jpg", "doc", "docx"})
SHARED_SITES = frozenset(["linkedin.com", "facebook.com", "twitter.com", "x.com", "instagram.com", "youtube.com", "github.com", "crunchbase.com", "wikipedia.org", "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "gmx.de", "gmx.net", "web.de", "proton.me"])  # fmt: skip


def host_of(url: str) -> str:
    """Return the host of a URL, lower-case and without www, or an empty string."""
    return location(url)[0]


@lru_cache(maxsize=65536)
def site_of(host: str) -> str:
    """Return the registrable domain of a host: `shop.acme.co.uk` is on `acme.co.uk`."""
    return _suffixes.privatesuffix(host.lower()) or ".".join(host.lower().split(".")[-2:])


def site_in(value: str) -> str:
    """Return the site if the whole value is a URL, host or e-mail address, else an empty string."""
    match = _ADDRESS.fullmatch(value.strip())
    if not match or match[1].rsplit(".", 1)[-1].lower() in _FILE_ENDINGS:
        return ""
    return site_of(match[1].lower().removeprefix("www."))


def sites_within(text: str) -> list[str]:
    """Return the sites that a text names, in order, without social networks and mail providers."""
    hosts = (match[1].lower().removeprefix("www.") for match in _IN_TEXT.finditer(text))
    sites = [site_of(host) for host in hosts if host.rsplit(".", 1)[-1] not in _FILE_ENDINGS]
    return [site for site in dict.fromkeys(sites) if site not in SHARED_SITES]


def allowed(url: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> bool:
    """Return True if the source policy admits a document; `exclude` is ignored beside `include`."""
    covered = any(covers(entry, url) for entry in map(_normal, include or exclude))
    return covered == bool(include)


_normal = lru_cache(maxsize=1_024)(normal_entry)
