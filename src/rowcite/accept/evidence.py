"""The evidence of a value: its basis, its confidence, and the domains and dates of its citations. Pure.

Registered domains come from the Public Suffix List inside the `publicsuffixlist` package: no download, the same result
on every machine. Its private part counts too, so `a.github.io` and `b.github.io` are two sites: different people wrote them.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from rowcite.model import Answer, Citation, FieldBasis

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

LEVELS = {"low": 0.0, "medium": 0.5, "high": 0.8}
"""low < 0.5 <= medium < 0.8 <= high, for processors that send numbers."""

_WORDS = {"low": 0.25, "medium": 0.65, "high": 0.9}
UNKNOWN = -1.0
"""The score of a confidence that is neither a known word nor a number: below every level."""


def score(confidence: str | float) -> float:
    """Return a confidence as a number."""
    word = confidence.strip().lower() if isinstance(confidence, str) else confidence
    try:
        number = _WORDS[word] if isinstance(word, str) and word in _WORDS else float(word)
    except (ValueError, OverflowError):
        return UNKNOWN
    return UNKNOWN if math.isnan(number) else number


def by_field(answer: Answer) -> dict[str, FieldBasis]:
    """Return an answer's bases by field; the first if a field has two."""
    found = {basis.field: basis for basis in answer.basis}
    if len(found) < len(answer.basis):
        for basis in reversed(answer.basis):
            found[basis.field] = basis
    return found


def basis_of(name: str, bases: Mapping[str, FieldBasis]) -> FieldBasis:
    """Return the basis of a field: its own, else the bases of its parts joined."""
    own = bases.get(name)
    if own is not None:
        return own
    whole, within = name == "output", f"{name}."
    return _joined(name, [basis for field, basis in bases.items() if whole or field.startswith(within)])


class Element(NamedTuple):
    """The basis of one element of a list, at `position` from 0, and the rule and reason that reject the element."""

    position: int
    basis: FieldBasis
    rule: str | None = None
    rejection: str | None = None


_POSITION = re.compile(r"(?:\.([0-9]{1,9})|\[([0-9]{1,9})\])(?=[.\[]|\Z)")


def list_basis(
    name: str, bases: Mapping[str, FieldBasis], items: Sequence[Any]
) -> tuple[FieldBasis, tuple[Element, ...]]:
    """Return all evidence of a list as one basis, and the basis of each element that has one (`name.0`, `name.0.part`).

    Null elements need no evidence, and theirs does not count.
    """
    parts: dict[int, list[FieldBasis]] = {}
    for at, field in _positions(name, tuple(bases)):
        if at < len(items) and items[at] is not None:
            parts.setdefault(at, []).append(bases[field])
    if not parts:
        return basis_of(name, bases), ()
    found = [
        Element(at, own[0] if len(own) == 1 else _joined(f"{name}.{at}", own)) for at, own in parts.items()
    ]
    whole = bases.get(name)
    elements = [element.basis for element in found]
    return _joined(name, [whole, *elements] if whole else elements, whole.reasoning if whole else ""), tuple(
        found
    )


@lru_cache(maxsize=256)  # the answers to a question have the same fields in their bases
def _positions(name: str, fields: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Return the positions that fields name after `name`, in ascending order, each with its field."""
    matches = ((_POSITION.match(field, len(name)), field) for field in fields if field.startswith(name))
    found = ((int(match[1] or match[2]), field) for match, field in matches if match is not None)
    return tuple(sorted(found, key=lambda item: item[0]))


def _joined(name: str, parts: Sequence[FieldBasis], reasoning: str = "") -> FieldBasis:
    """Return one basis for several: the lowest confidence, the citations of all, each URL once, and `reasoning` or that of all."""
    citations: dict[str, Citation] = {}
    stated: dict[str | float, None] = {}
    for part in parts:
        if part.confidence is not None:
            stated[part.confidence] = None
        for citation in part.citations:
            known = citations.setdefault(citation.url, citation)
            if known is not citation and known != citation:
                excerpts = tuple(dict.fromkeys((*known.excerpts, *citation.excerpts)))
                citations[citation.url] = Citation(citation.url, known.title or citation.title, excerpts)
    lowest = next(iter(stated)) if len(stated) == 1 else min(stated, key=score, default=None)
    reasoning = reasoning or "\n".join(f"{part.field}: {part.reasoning}" for part in parts if part.reasoning)
    return FieldBasis(name, reasoning, tuple(citations.values()), lowest)


# --- domains ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def host_of(url: str) -> str:
    """Return the host of a web address, parsed as a browser parses it; empty for any other text.

    Lower case, without a trailing dot, in ASCII form (`xn--...`).
    """
    try:
        parts = urlsplit(url.replace("\\", "/"))  # browsers do: https://evil.example\@sec.gov is evil's
        host = parts.hostname or ""
    except ValueError:
        return ""
    return ascii_host(host) if parts.scheme in ("http", "https") else ""


def ascii_host(host: str) -> str:
    """Return a host or suffix in ASCII form."""
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
    """Return the registered domain of a host: `acme.co.uk` for `news.acme.co.uk`; an IP address is returned as it is."""
    if ":" in host or host.replace(".", "").isdigit():
        return host
    return _suffixes().privatesuffix(host) or host


def sites(urls: Iterable[str]) -> frozenset[str]:
    """Return the distinct registered domains of URLs; other texts have none."""
    return frozenset(site_of(host) for host in map(host_of, urls) if host)


class Domains:
    """Domains as a spec lists them: `sec.gov` covers itself and its subdomains, `.gov` only the domains under it."""

    def __init__(self, listed: Iterable[str]) -> None:
        self.listed = tuple(listed)
        named = [ascii_host(domain) for domain in self.listed]
        self._exact = frozenset(domain for domain in named if not domain.startswith("."))
        self._under = tuple("." + domain.lstrip(".") for domain in named)
        self._known: dict[str, bool] = {}

    def __contains__(self, url: object) -> bool:
        """Return True if a URL is in one of the domains."""
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
    from publicsuffixlist import PublicSuffixList  # takes 40 ms, so only where domains are compared

    return PublicSuffixList()


# --- age -------------------------------------------------------------------------------------------------

_SLACK = timedelta(days=31)  # a month without a day counts as its last day, which may still be ahead
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_IN_URL = re.compile(r"/(19\d\d|20\d\d)[/-](0?[1-9]|1[0-2])(?:[/-](0?[1-9]|[12]\d|3[01]))?(?=[/?#_.-]|$)")
_LABEL = r"\b(?:published|updated|posted|released|as of|last (?:modified|reviewed|updated)|dated?)(?: on)?:?\s{0,3}"
_IN_TEXT = re.compile(
    _LABEL + r"(?:(?P<iso>(?:19|20)\d\d-[01]\d-[0-3]\d)"
    rf"|(?P<m1>{_MONTH})\s(?P<d1>[0-3]?\d),?\s(?P<y1>(?:19|20)\d\d)"
    rf"|(?P<d2>[0-3]?\d)\s(?P<m2>{_MONTH}),?\s(?P<y2>(?:19|20)\d\d))",
    re.IGNORECASE,
)


def newest(citations: Iterable[Citation], day: date) -> date | None:
    """Return the newest date up to `day` that the citations carry, None when none carries one.

    The API's citations have no date field. Dates are read from addresses (`/2024/03/15/`), and from excerpts behind a
    word that labels the date (`Published 15 March 2024`, `as of 2024-03-15`). A month without a day counts as its last
    day.
    """
    found = [dated for citation in citations for dated in _dates(citation)]
    return max((min(dated, day) for dated in found if dated <= day + _SLACK), default=None)


def _dates(citation: Citation) -> Iterable[date]:
    for match in _IN_URL.finditer(citation.url):
        last = monthrange(int(match[1]), int(match[2]))[1]
        yield from _day(match[1], match[2], match[3] or str(last))
    for excerpt in citation.excerpts:
        for match in _IN_TEXT.finditer(excerpt):
            if match["iso"]:
                yield from _day(*match["iso"].split("-"))
                continue
            month = (match["m1"] or match["m2"])[:3].lower()
            yield from _day(
                match["y1"] or match["y2"], str(_MONTHS.index(month) + 1), match["d1"] or match["d2"]
            )


def _day(year: str, month: str, day: str) -> Iterable[date]:
    try:
        yield date(int(year), int(month), int(day))
    except ValueError:
        return
