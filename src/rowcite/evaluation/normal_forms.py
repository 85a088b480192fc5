"""Values in a normal form, in which two spellings of one value are equal. Pure.

An empty normal form, or None, equals nothing. phonenumbers, pycountry and cleanco come with the extra `eval`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from rowcite.errors import UsageError
from rowcite.wording import needs_extra

Form = Callable[[Any], Any]


def _extra() -> AbstractContextManager[None]:
    return needs_extra("eval", "this comparison needs", UsageError)


def text(value: Any) -> str:
    """Return a text without case, accents, punctuation and repeated spaces."""
    plain = unicodedata.normalize("NFKD", str(value).translate(_LETTERS)).casefold()
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^\w]+|_", " ", re.sub("['\u2019]", "", kept)).split())


def texts(value: Any) -> tuple[str, ...]:
    """Return the normal forms of a text: umlauts are written without dots, or with an e."""
    written = str(value).translate(_UMLAUTS)
    return (text(value),) if written == str(value) else (text(value), text(written))


_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "&": " and ",
    }
)
_UMLAUTS = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "ø": "oe",
        "Ø": "Oe",
        "å": "aa",
        "Å": "Aa",
    }
)


def companies(value: Any) -> tuple[str, ...]:
    """Return the normal forms of a company's name: as `texts`, without its legal form (Ltd, GmbH, S.A.) and a leading "The"."""
    forms = texts(_without_form(str(value)))
    return tuple(plain.removeprefix("the ") for plain in (forms if forms[0] else texts(value)))


def _without_form(name: str) -> str:
    with _extra():
        from cleanco import basename
    before = None
    name = _MORE_FORMS.sub("", name)
    while before != name:  # "Acme Holding GmbH & Co. KG" has several
        before, name = name, re.sub(r"[\s,&.]+$|\s+(and|und|et|y)$", "", basename(name))
        name = _MORE_FORMS.sub("", name)
    return name


_MORE_FORMS = re.compile(
    r"[\s,]+(\(publ\.?\)|private limited|pvt\.? ltd\.?|abp|s\.?a\.?b\.? de c\.?v\.?)$", re.IGNORECASE
)
"""Legal forms that cleanco does not know."""


def domain(value: Any) -> str:
    """Return the host of a URL, of an e-mail address or of itself, without `www.`."""
    written = str(value).strip().casefold()
    if "@" in written and "/" not in written:
        written = written.rpartition("@")[2]
    host = _split(written).hostname or ""
    host = host.rstrip(".").removeprefix("www.")
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host


def url(value: Any) -> str:
    """Return a URL without scheme, `www.`, fragment, trailing slash and tracking parameters."""
    written = str(value).strip()
    parts = _split(written)
    host = domain(written)
    query = "&".join(sorted(part for part in parts.query.split("&") if part and not _TRACKING.match(part)))
    path = re.sub(r"/(index\.html?)?$", "", parts.path)
    return f"{host}{path}{'?' * bool(query)}{query}" if host else ""


def _split(written: str) -> SplitResult:
    """Return the parts of a URL or of a host; no parts of what is neither."""
    try:
        return urlsplit(written if "//" in written else f"//{written}")
    except ValueError:  # such as an unclosed IPv6 bracket
        return urlsplit("")


_TRACKING = re.compile(r"(utm_\w+|gclid|fbclid|mc_cid|mc_eid|ref)=", re.IGNORECASE)


def phone(value: Any, region: str | None = None) -> str | None:
    """Return a phone number in E.164; `region` (ISO 3166) is for numbers without a country code."""
    with _extra():
        import phonenumbers
    written = re.sub(r"\(0\)", "", str(value).strip())
    try:
        parsed = phonenumbers.parse(re.sub(r"^00", "+", written), region)
    except phonenumbers.NumberParseException:
        digits = re.sub(r"\D", "", written.partition("ext")[0].partition("x")[0])
        return digits or None
    form = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{form};{parsed.extension}" if parsed.extension else form


def country(value: Any) -> str | None:
    """Return a country as its ISO 3166 code, by its name, official name or code."""
    return _countries().get(text(value))


_OTHER_COUNTRIES = {
    "uk": "GB", "u k": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "usa": "US", "u s a": "US", "u s": "US", "america": "US", "united states of america": "US", "the netherlands": "NL",
    "holland": "NL", "south korea": "KR", "korea": "KR", "republic of korea": "KR", "north korea": "KP", "russia": "RU",
    "czech republic": "CZ", "turkey": "TR", "ivory coast": "CI", "uae": "AE", "vietnam": "VN", "bolivia": "BO",
    "venezuela": "VE", "tanzania": "TZ", "syria": "SY", "iran": "IR", "laos": "LA", "moldova": "MD", "taiwan": "TW",
    "deutschland": "DE", "osterreich": "AT", "schweiz": "CH", "suisse": "CH", "espana": "ES", "italia": "IT",
    "brasil": "BR", "nederland": "NL", "belgique": "BE", "belgie": "BE", "norge": "NO", "sverige": "SE",
    "danmark": "DK", "suomi": "FI", "polska": "PL", "allemagne": "DE", "alemania": "DE", "macedonia": "MK",
    "hong kong": "HK", "macau": "MO", "palestine": "PS", "brunei": "BN", "cape verde": "CV", "swaziland": "SZ", "burma": "MM",
}  # fmt: skip


@cache
def _countries() -> dict[str, str]:
    with _extra():
        import pycountry
    found: dict[str, str] = {}
    for item in pycountry.countries:
        names = (item.name, getattr(item, "official_name", ""), getattr(item, "common_name", ""))
        for name in (*names, item.alpha_2, item.alpha_3):
            if name:
                found.setdefault(text(name), item.alpha_2)
        found.setdefault(text(item.name.partition(",")[0]), item.alpha_2)
    return {**found, **_OTHER_COUNTRIES}


def state(value: Any) -> str | None:
    """Return a state or region as its ISO 3166-2 code ("US-CA"), by its name or code; states of the USA come first."""
    plain = text(value)
    return _states().get(plain) or _states().get(plain.removeprefix("state of "))


@cache
def _states() -> dict[str, str]:
    with _extra():
        import pycountry
    found: dict[str, str] = {}
    preferred = ("US", "CA", "AU", "DE", "IN", "BR", "MX")
    parts = sorted(
        pycountry.subdivisions,
        key=lambda item: (
            preferred.index(item.country_code) if item.country_code in preferred else 99,
            item.code,
        ),
    )
    for item in parts:
        found.setdefault(text(item.name), item.code)
        found.setdefault(text(item.code), item.code)
        if item.country_code in preferred:
            found.setdefault(text(item.code.partition("-")[2]), item.code)
    return found


# --- numbers, money, dates ----------------------------------------------------------------------------

_SCALES = {
    "k": 3, "thousand": 3, "m": 6, "mm": 6, "mn": 6, "mio": 6, "million": 6, "millions": 6, "b": 9, "bn": 9, "billion": 9,
    "billions": 9, "mrd": 9, "t": 12, "tn": 12, "trillion": 12,
}  # fmt: skip
_CURRENCIES = {"$": "USD", "us$": "USD", "usd": "USD", "dollars": "USD", "dollar": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "pounds": "GBP", "¥": "JPY", "jpy": "JPY", "yen": "JPY", "₹": "INR", "inr": "INR", "chf": "CHF", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "kr": "kr", "cad": "CAD", "c$": "CAD", "aud": "AUD", "a$": "AUD", "cny": "CNY", "rmb": "CNY", "krw": "KRW", "₩": "KRW", "pln": "PLN", "zł": "PLN", "brl": "BRL", "r$": "BRL"}  # fmt: skip
_AMOUNT = re.compile(r"[-+]?\d[\d.,'\u00a0\u202f ]*\d|[-+]?\d")


def number(value: Any) -> Decimal | None:
    """Return a number, or a text with one number in it, as a decimal: `1,234.5`, `1.234,5`, `3.2 million`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float, Decimal)):
        return exact if (exact := Decimal(str(value))).is_finite() else None
    found = _AMOUNT.findall(str(value))
    if len(found) != 1:
        return None
    amount = _decimal(found[0])
    words = re.findall(r"[a-z]+", str(value).casefold())
    scale = next((_SCALES[word] for word in words if word in _SCALES), 0)
    if amount is not None and "%" in str(value):
        return amount  # 12% is 12, as it is written
    return None if amount is None else amount.scaleb(scale)


def _decimal(written: str) -> Decimal | None:
    digits = re.sub(r"['\u00a0\u202f ]", "", written)
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and point >= 0:  # the last one is the decimal sign
        digits = digits.replace("." if comma > point else ",", "").replace(",", ".")
    elif comma >= 0:
        thousands = re.fullmatch(r"[-+]?\d{1,3}(,\d{2,3})*,\d{3}", digits)  # also 5,00,000, as in India
        digits = digits.replace(",", "" if thousands else ".")
    elif digits.count(".") > 1:
        digits = digits.replace(".", "")
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None


def money(value: Any) -> tuple[Decimal, str] | None:
    """Return an amount with its currency, "" where none is written."""
    amount = number(value)
    if amount is None:
        return None
    written = str(value).casefold()
    amount = -amount if re.match(r"\s*[-\u2212]\s*\D", written) else amount  # the sign before the currency
    units = re.findall(r"[a-z]{0,2}[$€£¥₹₩]|[a-zł]+", written)
    currency = next((_CURRENCIES[unit] for unit in units if unit in _CURRENCIES), "")
    return amount, currency


class PartialDate(tuple[int, ...]):
    """A date as it is known: (year,), (year, month) or (year, month, day)."""

    __slots__ = ()


_MONTHS = {name: number for number, names in enumerate(
    ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
     "sep sept september", "oct october", "nov november", "dec december"), 1) for name in names.split()}  # fmt: skip


def partial_date(value: Any) -> PartialDate | None:
    """Return a date: `2015`, `2015-03`, `2015-03-01`, `March 2015`, `1 March 2015`, `March 1, 2015`, `13/03/2015`.

    `03/04/2015` has two readings, so it gives None.
    """
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return PartialDate((value.year, value.month, value.day))
    written = str(value).strip().casefold()
    written = re.sub(r"^(\d{4})\.0$", r"\1", written)  # a year in a column of floats
    if match := re.fullmatch(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2})(?:[t ].*)?)?)?", written):
        return _dated(*match.groups())
    words = re.findall(r"[a-z]+|\d+", written)
    month = next((_MONTHS[word] for word in words if word in _MONTHS), None)
    numbers = [int(word) for word in re.findall(r"\d+", written)]
    years = [item for item in numbers if item > 31]
    if month is not None and len(years) == 1:
        days = [item for item in numbers if item <= 31]
        return _dated(years[0], month, days[0] if len(days) == 1 else None) if len(days) < 2 else None
    if match := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", written):
        first, second, year = map(int, match.groups())
        if first > 12 or first == second:
            return _dated(year, second, first)
        if second > 12:
            return _dated(year, first, second)
        return _dated(year, second, first) if "." in written else None
    return None


def _dated(year: Any, month: Any, day: Any) -> PartialDate | None:
    parts = [int(part) for part in (year, month, day) if part is not None]
    try:
        date(*[*parts, 1, 1][:3])
    except ValueError:
        return None
    return PartialDate(parts)


_TRUE, _FALSE = {"true", "yes", "y", "1", "ja", "oui", "si"}, {"false", "no", "n", "0", "nein", "non"}


def boolean(value: Any) -> bool | None:
    """Return a truth value, also of `yes`, `no`, `1` and `0`."""
    if isinstance(value, bool):
        return value
    plain = text(value)
    return True if plain in _TRUE else False if plain in _FALSE else None
