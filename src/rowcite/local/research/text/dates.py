"""Parse dates and years in text without completing missing parts.

dateparser takes 5 ms a call and completes "March" from today's date.
"""

from __future__ import annotations

import re

_MONTHS = {name: number for number, names in enumerate(
    ("january jan januar jänner janvier enero gennaio janeiro januari", "february feb februar février febrero febbraio fevereiro februari",
     "march mar märz mars marzo março maart", "april apr avril abril aprile", "may mai mayo maggio maio mei", "june jun juni juin junio giugno junho",
     "july jul juli juillet julio luglio julho", "august aug août agosto augustus augusti", "september sep sept septembre septiembre settembre setembro",
     "october oct oktober octobre octubre ottobre outubro", "november nov novembre noviembre novembro", "december dec dezember décembre diciembre dicembre dezembro"), 1)
    for name in names.split()}  # fmt: skip
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))
_FULL_YEAR = r"(?P<year>(?:1[5-9]|20)\d\d)"
_FORMS = [re.compile(form, re.IGNORECASE) for form in (
    rf"\b{_FULL_YEAR}-(?P<month>\d\d)(?:-(?P<day>\d\d))?(?:\b|(?=T))",
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?[\s-]+(?:(?:of|de)\s+)?(?P<month>{_NAME})\.?,?[\s-]+(?:de\s+)?{_FULL_YEAR}\b",
    rf"\b(?P<month>{_NAME})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_FULL_YEAR}\b",
    rf"\b(?P<month>{_NAME})\.?,?\s+(?:of\s+)?{_FULL_YEAR}\b",
)]  # fmt: skip
_SLASHED = re.compile(rf"\b(\d{{1,2}})[./](\d{{1,2}})[./]{_FULL_YEAR}\b")
_YEAR = re.compile(r"(?<![\d,.#€$£])((?:1[5-9]|20)\d\d)(?![\d,]\d|\d|\s*(?:%|employees|people|staff))")
_SAID_OF = re.compile(
    r"(?:['\u2019]s|\b(?:in|by|since|during|as of|at the end of|end of|of|FY|fiscal year|the|to the))\s*(?:\w+\s+){0,3}?((?:19|20)\d\d)\b",
    re.IGNORECASE,
)


def date_in(text: str) -> str:
    """Return the first date as YYYY-MM-DD, YYYY-MM or YYYY, or an empty string."""
    for form in _FORMS:
        if match := form.search(text):
            return _checked(**match.groupdict())
    if match := _SLASHED.search(text):
        low, high = sorted((int(match[1]), int(match[2])))
        return match["year"] if low < high <= 12 else _checked(match["year"], str(low), str(high))
    return match[1] if (match := _YEAR.search(text)) else ""


def full_date(text: str) -> str | None:
    """Return a date as YYYY-MM-DD if day, month and year are given, else None."""
    return date if len(date := date_in(text)) == 10 else None


def year_mentioned(sentence: str) -> str:
    """Return the year that a sentence refers to ("in 2015", "as of March 2023"), or an empty string."""
    match = _SAID_OF.search(sentence)
    return match[1] if match else ""


def _checked(year: str, month: str, day: str | None = None) -> str:
    """Return a date without the parts that cannot be: 25/03/2019 and 03/25/2019 are one day, 03/04/2019 could be two."""
    number = _MONTHS.get(month.lower()) or int(month)
    if not 1 <= number <= 12:
        return year
    return f"{year}-{number:02}" + (f"-{int(day):02}" if day and 1 <= int(day) <= 31 else "")
