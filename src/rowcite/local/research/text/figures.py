"""Parse figures in text: numbers with separators, in words and with magnitudes, sums of money, ranges, dates and years.

price-parser knows currencies, but neither "4.5m" nor "two hundred and fifty"; dateparser takes 5 ms a call and completes
"March" from today's date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TO_NINETEEN = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SPELLED = dict(zip(f"{_TO_NINETEEN} {_TENS}".split(), [*range(20), *range(20, 100, 10)], strict=True))
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_WORD = "|".join([*_SPELLED, *_SCALES])
_MAGNITUDES = {"k": 1e3, "t": 1e3, "m": 1e6, "b": 1e9, "mrd": 1e9}  # by the first letter, except for "mrd"
_MAGNITUDE = r"(?:millions?|billions?|thousand|mio\.?|mill|mrd\.?|mn|bn|[kmb])\b"
_DIGITS = r"(?:\d{1,3}(?:[,.\u00a0\u202f \u2019']\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?)"
WORDS = rf"(?:a\s+)?(?:{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}))*"
NUMBER = rf"(?:{_DIGITS}(?:\s?(?:k|thousand|million|m|bn|billion)\b)?|{WORDS})"
APPROXIMATELY = (r"(?:about|around|roughly|approximately|approx\.?|circa|ca?\.|some|nearly|almost|close to|an estimated|estimated|over|more than|just over|just under|under|at least|well over|upwards of|fewer than|less than|up to|~|≈|>)")  # fmt: skip
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "us$": "USD", "a$": "AUD", "c$": "CAD", "euro": "EUR", "euros": "EUR", "dollars": "USD", "pounds": "GBP", "zł": "PLN", "₹": "INR"}  # fmt: skip
_SIGN = r"(?:US\$|A\$|C\$|[€$£¥₹]|zł|\b(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|JPY|AUD|CAD|CZK|INR|CNY|euros?|dollars|pounds)\b)"
_SUM = rf"{_DIGITS}(?:[\s-]?{_MAGNITUDE})?"
MONEY = rf"(?:{_SIGN}\s?{_SUM}|{_SUM}\s?{_SIGN})"
_AMOUNT = re.compile(rf"(?:(?P<before>{_SIGN})\s?)?(?P<digits>{_DIGITS})(?:[\s-]?(?P<scale>{_MAGNITUDE}))?(?:\s?(?P<after>{_SIGN}))?", re.IGNORECASE)  # fmt: skip
_WORDS_ONLY = re.compile(rf"\b{WORDS}\b", re.IGNORECASE)
_DECIMAL = re.compile(r"(?<![\d.,])\d{1,3}\.\d{3}[\s-]?(?:[mb]illion|bn)", re.IGNORECASE)  # not "1.200 Mio."
_METRES = re.compile(r"\s(?:m|K)$")  # "1.8 m" and "2,700 K" are metres and kelvins
_RANGE = re.compile(rf"({_DIGITS})\s*(?:-|\u2013|—|to|bis)\s*({_DIGITS})")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number from a text; `currency` is an ISO code or empty."""

    value: float
    currency: str = ""


def number_in(text: str) -> Amount | None:
    """Return the first number of a text, in digits or words; None if there is none or a range."""
    if range_in(text):
        return None
    if match := _AMOUNT.search(text):
        return _amount(match)
    spelled = _WORDS_ONLY.search(text)
    return Amount(_spelled(spelled[0])) if spelled else None


def money_in(text: str) -> Amount | None:
    """Return the first amount of money, else the first number, without a currency."""
    amounts = [_amount(match) for match in _AMOUNT.finditer(text)]
    return max(amounts, key=lambda one: bool(one.currency), default=None)


def range_in(text: str) -> tuple[float, float] | None:
    """Return both ends of "51-200" or "1 to 10", or None."""
    match = _RANGE.search(text)
    ends = (_digits(match[1]), _digits(match[2])) if match else (0.0, 0.0)
    return ends if ends[0] < ends[1] else None


def _amount(match: re.Match[str]) -> Amount:
    sign = (match["before"] or match["after"] or "").lower()
    scale = "" if not sign and _METRES.search(match[0]) else (match["scale"] or "").lower()
    factor = _MAGNITUDES.get(scale.rstrip("."), _MAGNITUDES.get(scale[:1], 1))
    below = re.search(r"(?:^|\s)[-\u2212]$", match.string[: match.start()])
    read = float if _DECIMAL.search(match[0]) else _digits
    value = round(read(match["digits"]) * factor, 6)
    return Amount(-value if below else value, _CURRENCIES.get(sign, sign.upper()))


def _digits(text: str) -> float:
    """Parse 1,200, 1.200 and 1 200 as one number, and 4.5 and 4,5 as one."""
    bare = re.sub(r"[\u00a0\u202f \u2019']", "", text)
    if grouped := re.fullmatch(r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d+)?", bare):
        bare = bare.replace(grouped[1], "")
    return float(bare.replace(",", "."))


def _spelled(text: str) -> float:
    """Parse "two hundred and fifty"."""
    total = current = 0
    for word in re.split(r"[\s-]+", text.lower()):
        scale = _SCALES.get(word, 1)
        current = (current or 1) * scale if scale > 1 else current + _SPELLED.get(word, 0)
        if scale > 100:
            total, current = total + current, 0
    return float(total + current)


# Units by kind, with their sizes; "metres" is brought to "meter".
_TIME: dict[str, float] = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600, "d": 86400, "day": 86400, "week": 604800, "month": 2629746, "year": 31556952}  # fmt: skip
_KINDS: tuple[dict[str, float], ...] = (
    _TIME,
    {"mm": 0.001, "mmt": 0.001, "cmt": 0.01, "mtr": 1, "kmt": 1000, "millimeter": 0.001, "cm": 0.01, "centimeter": 0.01, "m": 1, "meter": 1, "km": 1000, "kilometer": 1000, "in": 0.0254, "inch": 0.0254, "inche": 0.0254, "ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "mi": 1609.344, "mile": 1609.344, "nautical mile": 1852, "au": 149597870700},
    {"m2": 1, "mtk": 1, "ftk": 0.092903, "sqm": 1, "sq m": 1, "square meter": 1, "km2": 1e6, "sq km": 1e6, "square kilometer": 1e6, "ha": 1e4, "hectare": 1e4, "acre": 4046.856, "sq ft": 0.092903, "square foot": 0.092903, "square feet": 0.092903, "sq mi": 2589988, "square mile": 2589988},
    {"mg": 0.001, "milligram": 0.001, "g": 1, "gram": 1, "kg": 1000, "kgm": 1000, "grm": 1, "kilogram": 1000, "lb": 453.59237, "pound": 453.59237, "oz": 28.349523, "ounce": 28.349523, "tonne": 1e6},
    {"kb": 1, "kilobyte": 1, "mb": 1e3, "megabyte": 1e3, "gb": 1e6, "gigabyte": 1e6, "tb": 1e9, "terabyte": 1e9},
    {"ml": 1, "ltr": 1000, "milliliter": 1, "cl": 10, "l": 1000, "liter": 1000},
    {"w": 1, "watt": 1, "kw": 1000, "kilowatt": 1000},
)  # fmt: skip
_SIZES = {name: (kind, size) for kind in _KINDS for name, size in kind.items()}
_UNIT = r"(?:(?:square|sq\.?|nautical)\s)?[a-z]+[²2]?"
_QUANTITY = re.compile(rf"({_DIGITS}(?: (?:million|billion|thousand)\b)?)[\s-]?({_UNIT})(?![\w²])\.?", re.IGNORECASE)  # fmt: skip
_NAMED = re.compile(rf"\s*(?:\bin ({_UNIT})(?!\w)|\(({_UNIT})\))", re.IGNORECASE)
_DURATION = re.compile(r"P(?=.*\d)(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?")


def unit_in(words: str, description: str) -> str:
    """Return the unit that a field's folded name ends with ("length km") or its description names ("in minutes"), or an empty string."""
    named = (_unit(first or second) for first, second in _NAMED.findall(description))
    return _last_unit(words)[1] or next(filter(_SIZES.get, named), "")


def without_unit(text: str) -> str:
    """Return a field's folded name or its description without the unit that it names."""
    return _NAMED.sub(lambda one: "" if _unit(one[1] or one[2]) in _SIZES else one[0], _last_unit(text)[0])


def quantity_in(text: str, unit: str) -> float | None:
    """Return the quantity of a text in a unit, converted from others: "1 h 20 min" is 80 minutes; None if there is none or a range."""
    if _DURATION.fullmatch(text.strip()):
        text, unit = re.sub("([A-Z])", r"\1 ", text).replace("M ", "min "), unit or "minute"
    kind, size = _SIZES.get(unit, ({}, 1))
    chains, end = list[list[re.Match[str]]](), 0
    for one in (one for one in _QUANTITY.finditer(text) if _unit(one[2]) in kind and not range_in(text)):
        follows = chains and re.fullmatch(r"[\s,]*(?:and)?\s*", text[end : one.start()])
        chains = [*chains[:-1], [*chains[-1], one]] if follows else [*chains, [one]]
        end = one.end()
    exact = (chain for chain in chains if any(_unit(one[2]) == unit for one in chain))
    chosen = next(exact, chains[0] if chains else [])
    sign = -1 if re.search(r"(?:^|\s)[-\u2212]\d", text) else 1
    stated = ((number_in(one[1]), kind[_unit(one[2])]) for one in chosen)
    return sign * sum(amount.value * unit for amount, unit in stated if amount) / size if chosen else None


def _last_unit(words: str) -> tuple[str, str]:
    """Return words without the unit at their end, and the unit: not that of a rate ("per week") or of a point in time ("start day")."""
    parts = words.split()
    for size in (2, 1):
        first, name = parts[:-size], _unit(" ".join(parts[-size:]))
        timed = name in _TIME and (len(name) < 4 or parts[-1][-1] != "s")
        if first and first[-1] != "per" and name in _SIZES and name != "in" and not timed:
            return " ".join(first), name
    return words, ""


def _unit(name: str) -> str:
    """Return a unit's name in lower case, in singular and in American spelling."""
    even = re.sub(r"tre(?=s?$)", "ter", name.lower().replace("²", "2").replace(".", ""))
    return even if even in _SIZES else even.removesuffix("s")


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
    rf"{_FULL_YEAR}\s*年\s*(?P<month>\d{{1,2}})\s*月(?:\s*(?P<day>\d{{1,2}})\s*日)?",
)]  # fmt: skip
_SLASHED = re.compile(rf"\b(\d{{1,2}})[./](\d{{1,2}})[./]{_FULL_YEAR}\b")
_YEAR = re.compile(r"(?<![\d,.#€$£])((?:1[5-9]|20)\d\d)(?![\d,]\d|\d|\s*(?:%|employees|people|staff))")
_SAID_OF = re.compile(r"(?:['\u2019]s|\b(?:in|by|since|during|as of|at the end of|end of|of|FY|fiscal year|the|to the))\s*(?:\w+\s+){0,3}?((?:19|20)\d\d)\b", re.IGNORECASE)  # fmt: skip


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
