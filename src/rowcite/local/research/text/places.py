"""Compare places: countries by all their names and codes, cities by their words."""

from __future__ import annotations

import re
from functools import cache
from gettext import translation

import pycountry
from pycountry import LOCALES_DIR

from rowcite.local.research.text.normalise import fold

_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "nb", "da", "fi")
_USUAL = {"RU": "Russia", "TR": "Turkey"}
_OTHER_NAMES = {"uk": "GB", "u k": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "us": "US", "u s a": "US", "u s": "US", "america": "US", "the netherlands": "NL", "czech republic": "CZ", "turkey": "TR", "korea": "KR", "uae": "AE", "eire": "IE", "republic of ireland": "IE", "palestine": "PS", "brunei": "BN", "macedonia": "MK", "ivory coast": "CI", "cape verde": "CV", "swaziland": "SZ", "burma": "MM", "micronesia": "FM"}  # fmt: skip
_REGION = re.compile(r"[A-Z]{2,3}(?: \d.*)?|[\d ]+")  # "TX", "TX 78701"
_STREET = re.compile(r"\d|\b(?:road|street|avenue|lane|square|house|building|park|quay|tower|way|drive|place|court|centre|center|wharf|hall|mill|works|yard|estate|campus|plaza)$|stra(?:\u00dfe|sse)|^(?:rua|rue|via|calle|plaza|piazza|place)\b", re.IGNORECASE)  # fmt: skip


@cache
def _codes() -> dict[str, str]:
    """Return the alpha-2 codes by folded name, in several languages, and by alpha-3 code."""
    found: dict[str, str] = {}
    for language in _LANGUAGES:
        translate = translation("iso3166-1", LOCALES_DIR, [language], fallback=True).gettext
        for country in pycountry.countries:
            stated = (getattr(country, kind, "") for kind in ("name", "official_name", "common_name"))
            for name in (country.alpha_3, *(translate(text) for text in stated if text)):
                found.setdefault(fold(name), country.alpha_2)
    return found | _OTHER_NAMES


def country_code(text: str) -> str:
    """Return the alpha-2 code of a country's name or code, or an empty string."""
    bare = text.strip(" .,;")
    if len(bare) == 2 and bare.isupper() and pycountry.countries.get(alpha_2=bare):
        return bare
    return _codes().get(fold(bare), "")


def country_name(code: str) -> str:
    """Return a country's usual English name."""
    country = pycountry.countries.get(alpha_2=code)
    name = _USUAL.get(code) or getattr(country, "common_name", getattr(country, "name", ""))
    return str(name).split(",")[0]


def same_place(one: str, other: str) -> bool:
    """Return True if two places share a city or a country: "Leeds" and "Leeds, UK"."""
    return bool(_parts(one) & _parts(other))


def _parts(text: str) -> set[str]:
    return {country_code(part) or folded for part in text.split(",") if (folded := fold(part))}


@cache
def _states() -> frozenset[str]:
    """Return the folded names of the states that addresses name after the city."""
    return frozenset(fold(one.name) for one in pycountry.subdivisions if one.country_code in {"US", "CA", "AU"})  # fmt: skip


def _is_region(before: str, part: str) -> bool:
    """Return True if a part of an address is a country or a state, with its postcode: "Maine 04101" is not a city unless it is after a street."""
    state = not _STREET.search(before) and fold(re.sub(r"\S*\d\S*", "", part)) in _states()
    return bool(country_code(part) or _REGION.fullmatch(part) or state)


def city_of(text: str) -> str:
    """Return the city of "12 Dock Road, Hull HU1 2AB, United Kingdom" or "Hull, UK"; empty if uncertain."""
    parts = [part.strip() for part in re.split(r"[,()]", text) if part.strip()]
    alone = len(parts) == 1
    while len(parts) > 1 and _is_region(*parts[-2:]):
        parts.pop()
    place = parts[-1 if any(map(_STREET.search, parts)) else 0] if parts else ""
    city = " ".join(word for word in place.split() if not any(map(str.isdigit, word)))
    return "" if len(city.split()) > 4 or (alone and country_code(city)) else city


def country_in(text: str) -> str:
    """Return the country at the end of a place, as written, or an empty string."""
    last = re.split(r"[,(]", text)[-1].strip(" .)")
    return last if country_code(last) else ""
