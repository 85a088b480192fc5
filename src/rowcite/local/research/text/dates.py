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
_ISO = re.compile(r"\b((?:1[5-9]|20)\d\d)-(\d\d)(?:-(\d\d))?(?:\b|(?=T))")
_DAY_FIRST = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.?[\s-]+(?:(?:of|de)\s+)?({_NAME})\.?,?[\s-]+(?:de\s+)?((?:1[5-9]|20)\d\d)\b",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"\b({_NAME})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+((?:1[5-9]|20)\d\d)\b", re.IGNORECASE
)
_MONTH_YEAR = re.compile(rf"\b({_NAME})\.?,?\s+(?:of\s+)?((?:1[5-9]|20)\d\d)\b", re.IGNORECASE)
_FORMS = ((_ISO, (1, 2, 3)), (_DAY_FIRST, (3, 2, 1)), (_MONTH_FIRST, (3, 1, 2)), (_MONTH_YEAR, (2, 1, 0)))
"""Patterns in their order, each with its groups of year, month and day."""
_SLASHED = re.compile(r"\b(\d{1,2})[./](\d{1,2})[./]((?:1[5-9]|20)\d\d)\b")
_YEAR = re.compile(r"(?<![\d,.#€$£])((?:1[5-9]|20)\d\d)(?![\d,]\d|\d|\s*(?:%|employees|people|staff))")
_SAID_OF = re.compile(
    r"(?:['\u2019]s|\b(?:in|by|since|during|as of|at the end of|end of|of|FY|fiscal year|the|to the))\s*(?:\w+\s+){0,3}?((?:19|20)\d\d)\b",
    re.IGNORECASE,
)

_BEGINNING = re.compile(
    r"\b(?:founded|established|incorporated|set up|started|launched)[^.;]{0,20}?\d{4}", re.IGNORECASE
)


def date_in(text: str) -> str:
    """Return the first date as YYYY-MM-DD, YYYY-MM or YYYY, or an empty string."""
    for pattern, (year, month, day) in _FORMS:
        if match := pattern.search(text):
            return _checked(match[year], match[month], match[day] if day else None)
    if match := _SLASHED.search(text):
        return _slashed(int(match[1]), int(match[2]), match[3])
    return match[1] if (match := _YEAR.search(text)) else ""


def full_date(text: str) -> str | None:
    """Return a date as YYYY-MM-DD if day, month and year are given, else None."""
    date = date_in(text) if text else ""
    return date if len(date) == 10 else None


def year_mentioned(sentence: str) -> str:
    """Return the year that a sentence refers to ("in 2015", "as of March 2023"), or an empty string."""
    match = _SAID_OF.search(_BEGINNING.sub("", sentence))
    return match[1] if match else ""


def _checked(year: str, month: str, day: str | None) -> str:
    number = _MONTHS.get(month.lower()) or int(month)
    if not 1 <= number <= 12:
        return year
    return f"{year}-{number:02}" + (f"-{int(day):02}" if day and 1 <= int(day) <= 31 else "")


def _slashed(first: int, second: int, year: str) -> str:
    """Parse 25/03/2019 or 03/25/2019; return the year alone if both orders are possible."""
    if first > 12 >= second:
        return _checked(year, str(second), str(first))
    if second > 12 >= first or first == second:
        return _checked(year, str(first), str(second))
    return year
