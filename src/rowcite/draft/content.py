"""What the values of a column are: addresses of mail and pages, domains, numbers, dates, names of companies."""

from __future__ import annotations

import re
from typing import Literal

from rowcite.draft.words import NAMES

Content = Literal["email", "linkedin", "url", "domain", "number", "date", "phone", "text"]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}\Z")
_URL = re.compile(r"(?i)(?:https?:)?//[^\s/]+|www\.[^\s/]+\.[a-z]{2,}")
_DOMAIN = re.compile(r"(?i)(?!\d+\.\d+\Z)(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?!pdf\b|png\b|jpg\b)[a-z]{2,}/?\Z")
_NUMBER = re.compile(r"[-+]?[$€£¥]?\s?\d[\d\s.,']*\s?[%$€£¥]?[kKmM]?\Z")
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\d{1,2}\.? [^\W\d_]{3,9}\.?,? \d{4}\Z"
)
_PHONE = re.compile(r"'?(?:\+|00)[\d\s()./-]{7,}\Z")
_COMPANY = re.compile(
    r"\b(?:inc|llc|llp|ltd|limited|plc|corp|corporation|gmbh|mbh|ag|kg|ohg|ug|e\.?k|se|s\.?a\.?s?|s\.?l\.?u?|sarl|s\.?à\.?r\.?l"
    r"|b\.?v|n\.?v|s\.?r\.?l|s\.?p\.?a|oy|ab|a/s|aps|pty|co|company|group|holdings?|ltda)\.?\Z",
    re.IGNORECASE,
)
"""The end of a company's name that states its legal form."""
_TESTS: tuple[tuple[Content, re.Pattern[str]], ...] = (
    ("email", _EMAIL),
    ("phone", _PHONE),
    ("date", _DATE),
    ("number", _NUMBER),
    ("url", _URL),
    ("domain", _DOMAIN),
)
_MOST = 0.8


def content_of(values: list[str]) -> Content:
    """Return what most of the values are; `text` if they are different things, or there are none."""
    for kind, pattern in _TESTS:
        if _share(pattern, values) >= _MOST:
            if kind == "url" and sum("linkedin.com/" in value.lower() for value in values) >= len(values) / 2:
                return "linkedin"
            return kind
    return "text"


def on_one_site(values: list[str]) -> bool:
    """Return True if pages are all on one site: profiles in a directory, and not the sites of the rows."""
    sites = {re.sub(r"^(?:https?:)?/*(?:www\.)?", "", value.lower()).split("/")[0] for value in values}
    return len(values) > 1 and len(sites) == 1


def names_companies(values: list[str]) -> bool:
    """Return True if some values end with the legal form of a company."""
    return sum(bool(_COMPANY.search(value)) for value in values) >= max(1, len(values) / 6)


def looks_like_data(name: str, values: list[str]) -> bool:
    """Return True if a column's name is a mail address, a page or a date, and its values are too."""
    own, last = content_of([name]), name.rpartition(".")[2].lower()
    if any(kind in ("website", "domain") and pattern.fullmatch(last) for kind, pattern in NAMES):
        return False  # `company.website` is a member of an object, although .website is a domain too
    return (
        own in ("email", "linkedin", "url", "domain", "phone", "date") and content_of(values or [name]) == own
    )


def _share(pattern: re.Pattern[str], values: list[str]) -> float:
    return sum(bool(pattern.match(value)) for value in values) / len(values) if values else 0.0
