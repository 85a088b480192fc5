"""What an answer shows for a field: its basis, how sure it is, and how old the evidence is. Pure."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from rowcite.model import Answer, Citation, FieldBasis

BARS = {"low": 0.0, "medium": 0.5, "high": 0.8}
"""low < 0.5 <= medium < 0.8 <= high, for processors that send numbers."""

_WORDS = {"low": 0.25, "medium": 0.65, "high": 0.9}
UNKNOWN = -1.0
"""The score of a confidence that cannot be understood: below every bar."""


def score(confidence: str | float) -> float:
    """Return a confidence as a number."""
    word = confidence.strip().lower() if isinstance(confidence, str) else confidence
    try:
        number = _WORDS[word] if isinstance(word, str) and word in _WORDS else float(word)
    except (ValueError, OverflowError):
        return UNKNOWN
    return UNKNOWN if math.isnan(number) else number


def by_field(answer: Answer) -> dict[str, FieldBasis]:
    """Return an answer's bases by the field they are of; of two for one field the first."""
    found: dict[str, FieldBasis] = {}
    for basis in answer.basis:
        found.setdefault(basis.field, basis)
    return found


def basis_of(name: str, bases: Mapping[str, FieldBasis]) -> FieldBasis:
    """Return the evidence of a field: its own, else what its parts have together."""
    own = bases.get(name)
    if own is not None:
        return own
    whole, within = name == "output", f"{name}."
    parts = [basis for field, basis in bases.items() if whole or field.startswith(within)]
    if not parts:
        return FieldBasis(name)
    citations = dict.fromkeys(citation for part in parts for citation in part.citations)
    told = [part.confidence for part in parts if part.confidence is not None]
    reasoning = "\n".join(f"{part.field}: {part.reasoning}" for part in parts if part.reasoning)
    return FieldBasis(name, reasoning, tuple(citations), min(told, key=score, default=None))


# --- age -------------------------------------------------------------------------------------------------

_SLACK = timedelta(days=31)  # a later date is no date of evidence, but a month may not be over yet
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

    The API's citations have no field for a date. What there is stands in an address (`/2024/03/15/`), or in an
    excerpt behind a word that says what the date is of (`Published 15 March 2024`, `as of 2024-03-15`). A month
    without a day counts as its last day.
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
