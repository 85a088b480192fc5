"""Parse numbers in text: digits with separators, words, magnitudes, money, ranges.

price-parser knows currencies, but neither "4.5m" nor "two hundred and fifty".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONES = {word: n for n, word in enumerate(
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"])} | {"dozen": 12}  # fmt: skip
_TENS = {word: n * 10 for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)}  # fmt: skip
_UNITS = _ONES | _TENS
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_WORD = "|".join([*_UNITS, *_SCALES])
MAGNITUDES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mill": 1e6, "million": 1e6, "millions": 1e6, "bn": 1e9, "b": 1e9,
              "billion": 1e9, "billions": 1e9, "mrd": 1e9}  # fmt: skip
_DIGITS = r"\d{1,3}(?:[,.\u00a0\u202f \u2019']\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
WORDS = rf"(?:a\s+)?(?:{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}))*"
NUMBER = rf"(?:(?:{_DIGITS})(?:\s?(?:k|thousand|million|m|bn|billion)\b)?|{WORDS})"
APPROXIMATELY = (
    r"(?:about|around|roughly|approximately|approx\.?|circa|ca?\.|some|nearly|almost|close to|an estimated|estimated|over|more than|"
    r"just over|just under|under|at least|well over|upwards of|fewer than|less than|up to|~|≈|>)"
)
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "us$": "USD", "a$": "AUD", "c$": "CAD", "kr": "", "euro": "EUR", "euros": "EUR",
               "dollars": "USD", "pounds": "GBP", "zł": "PLN", "₹": "INR"}  # fmt: skip
_CODE = r"EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|JPY|AUD|CAD|CZK|INR|CNY"
_MAGNITUDE = r"(?:million|millions|billion|billions|thousand|mio\.?|mrd\.?|mn|bn|[kmb])\b"
MONEY = (
    rf"(?:(?:US\$|A\$|C\$|[€$£¥₹]|\b(?:{_CODE})\b)\s?(?:{_DIGITS})(?:[\s-]?{_MAGNITUDE})?"
    rf"|(?:{_DIGITS})(?:[\s-]?{_MAGNITUDE})?\s?(?:€|\b(?:{_CODE}|euros?|dollars|pounds)\b|zł))"
)
_MONEY = re.compile(MONEY, re.IGNORECASE)
_MONEY_PARTS = re.compile(rf"(?P<digits>{_DIGITS})[\s-]?(?P<scale>{_MAGNITUDE})?", re.IGNORECASE)
_NUMBER_PARTS = re.compile(
    rf"(?P<digits>{_DIGITS})(?:\s?(?P<scale>k|thousand|million|m|bn|billion)\b)?", re.IGNORECASE
)
_WORDS_ONLY = re.compile(rf"\b{WORDS}\b", re.IGNORECASE)
_RANGE = re.compile(rf"({_DIGITS})\s*(?:-|\u2013|—|to|bis)\s*({_DIGITS})")
_APPROX_START = re.compile(rf"\b{APPROXIMATELY}\s*$|[~≈>]\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number from a text; `currency` is an ISO code or empty, `about` marks an approximation."""

    value: float
    currency: str = ""
    about: bool = False


def number_in(text: str) -> Amount | None:
    """Return the first number of a text, in digits or words; None if there is none or a range."""
    if range_in(text):
        return None
    match = _NUMBER_PARTS.search(text)
    if match:
        value = _digits(match["digits"]) * MAGNITUDES.get((match["scale"] or "").lower(), 1)
        rest = text[match.end() :].lstrip()
        return Amount(value, "", _is_about(text[: match.start()]) or rest.startswith("+"))
    spelled = _WORDS_ONLY.search(text)
    return Amount(_spelled(spelled[0]), "", _is_about(text[: spelled.start()])) if spelled else None


def money_in(text: str) -> Amount | None:
    """Return the first amount of money; a bare number has no currency."""
    stated = _MONEY.search(text)
    parts = _MONEY_PARTS.search(stated[0] if stated else text)
    if parts is None:
        return None
    sign, start = "", parts.start()
    if stated:
        rest = re.sub(r"[\d.,\s\u2019'-]", "", stated[0].replace(parts[0], ""))
        sign, start = rest or stated[0].replace(parts["digits"], "").strip(), stated.start()
    scale = MAGNITUDES.get((parts["scale"] or "").lower().rstrip("."), 1)
    return Amount(
        round(_digits(parts["digits"]) * scale, 2), _currency(sign.lower()), _is_about(text[:start])
    )


def range_in(text: str) -> tuple[float, float] | None:
    """Return both ends of "51-200" or "1 to 10", or None."""
    match = _RANGE.search(text)
    if not match:
        return None
    low, high = _digits(match[1]), _digits(match[2])
    return (low, high) if low < high else None


def _currency(sign: str) -> str:
    return _CURRENCIES.get(sign, sign.upper() if re.fullmatch(_CODE, sign, re.IGNORECASE) else "")


def _digits(text: str) -> float:
    """Parse 1,200, 1.200 and 1 200 as one number, and 4.5 and 4,5 as one."""
    bare = re.sub(r"[\u00a0\u202f \u2019']", "", text)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", bare):
        return float(bare.replace(",", ""))
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", bare):
        return float(bare.replace(".", "").replace(",", "."))
    return float(bare.replace(",", "."))


def _spelled(text: str) -> float:
    """Parse "two hundred and fifty"."""
    total, current = 0, 0
    for word in re.split(r"[\s-]+", text.lower()):
        if word in {"dozen", "hundred"}:
            current = (current or 1) * (12 if word == "dozen" else 100)
        elif word in _SCALES:
            total, current = total + (current or 1) * _SCALES[word], 0
        else:
            current += _UNITS.get(word, 0)
    return float(total + current)


def _is_about(before: str) -> bool:
    return bool(_APPROX_START.search(before))
