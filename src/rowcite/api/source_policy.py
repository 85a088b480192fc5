"""The sources that a run may use: the entries of a source policy, its date, and data sources. Pure.

An entry is a domain, a suffix such as `.gov`, or a domain with a path prefix.
A domain covers its subdomains. A path prefix covers whole segments and is case-sensitive: `docs.python.org/3` covers
`/3/library` and not `/30`. Slashes at the end do not count, dot segments are resolved, percent-encoding stays as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from urllib.parse import urlsplit

from rowcite.api.facts import DOMAIN

ENTRY = "a domain without scheme, port or query, such as example.com, .gov or docs.python.org/3"
"""What an entry is, for messages."""

_PATH = re.compile(r"[^\s?#\\\x00-\x1f\x7f]*")
_DOT_SEGMENT = re.compile(r"(\.|%2e){1,2}", re.IGNORECASE)


def normal_entry(entry: str) -> str:
    """Return an entry in normal form: the host in lower case, the path without dot segments and without a slash at its end.

    Raises:
        ValueError: it is not a domain, a suffix, or a domain with a path.
    """
    host, _, path = entry.partition("/")
    host = host.lower().removesuffix(".")
    if not DOMAIN.fullmatch(host) or not _PATH.fullmatch(path):
        raise ValueError(f"must be {ENTRY}")
    segments = _segments(path)
    if segments and host.startswith("."):
        raise ValueError(f"must be {ENTRY}: a suffix has no path")
    return "/".join((host, *segments))


def covers(entry: str, url: str) -> bool:
    """Return True if an entry in normal form covers a URL. `www.` in front of either host does not count."""
    host, _, prefix = entry.partition("/")
    wanted = host.removeprefix("www.").lstrip(".")
    found, path = location(url)
    if found != wanted and not found.endswith(f".{wanted}"):
        return False
    segments = prefix.split("/") if prefix else []
    return path[: len(segments)] == segments


@lru_cache(maxsize=65_536)
def location(url: str) -> tuple[str, list[str]]:
    """Return the host of a URL and the segments of its path; nothing for what is not a URL."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").removeprefix("www."), _segments(parts.path.removeprefix("/"))
    except ValueError:
        return "", []


def is_day(text: str) -> bool:
    """Return True if a text is a day, written YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def data_source_problems(
    names: Sequence[str], processors: Iterable[str], mcp_servers: Iterable[str]
) -> Iterator[str]:
    """Yield the reasons why the API refuses data sources, free and paid ones together, with processors and MCP servers."""
    for processor in processors if names else ():
        if processor.endswith("-fast"):
            yield f"data sources are for standard processors only, not `{processor}`"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"`{name}` is listed twice"
    for name in sorted(set(names) & set(mcp_servers)):
        yield f"`{name}` is the name of an MCP server too: rename the server"


def _segments(path: str) -> list[str]:
    """Return the segments of a path, with dot segments resolved and without empty ones at its end."""
    found: list[str] = []
    for segment in path.split("/"):
        if not _DOT_SEGMENT.fullmatch(segment):
            found.append(segment)
        elif len(segment.lower().replace("%2e", ".")) > 1 and found:
            found.pop()
    while found and not found[-1]:
        found.pop()
    return found
