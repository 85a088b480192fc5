"""Places compared by what they are: countries in all their names and codes, cities by their words."""

from __future__ import annotations

import re
from functools import cache

import pycountry

from rowcite.local.research.text import fold

_EXTRA = {"uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "usa": "US", "us": "US",
          "u s a": "US", "u s": "US", "united states of america": "US", "america": "US", "the netherlands": "NL", "holland": "NL", "nederland": "NL",
          "deutschland": "DE", "osterreich": "AT", "schweiz": "CH", "suisse": "CH", "espana": "ES", "italia": "IT", "norge": "NO", "sverige": "SE",
          "danmark": "DK", "suomi": "FI", "polska": "PL", "czech republic": "CZ", "turkey": "TR", "russia": "RU", "south korea": "KR", "korea": "KR",
          "vietnam": "VN", "taiwan": "TW", "uae": "AE", "belgie": "BE", "belgique": "BE", "eire": "IE", "republic of ireland": "IE",
          "u k": "GB", "britain": "GB", "palestine": "PS", "brunei": "BN", "macedonia": "MK", "ivory coast": "CI", "cape verde": "CV", "swaziland": "SZ", "burma": "MM",
          "micronesia": "FM"}  # fmt: skip


_STREET = re.compile(
    r"\b(?:road|rd|street|st|avenue|ave|lane|square|house|building|park|quay|tower|floor|way|drive|place|court|centre|center|wharf|dock|hall|mill|works|yard|gate|"
    r"terrace|row|estate|campus|plaza|suite|unit|box)$|stra(?:\u00dfe|sse)|^(?:rua|rue|via|calle|ul|plaza|piazza|place)\b",
    re.IGNORECASE,
)


_BUILDING = re.compile(
    r"\b(?:Hospital|Clinic|Infirmary|Castle|House|Palace|Hall|Manor|Farm|Prison|Hotel|Cent(?:er|re)|Sanatorium|Abbey|Cottage|Lodge|Villa|Street|Road|Avenue|Lane|Square|Terrace|"
    r"Tower|Barracks|Rectory|Vicarage|Mansion|Plantation|Estate|Ranch|Home|University|College|School)$"
)
_DEMONYMS = {"american": "US", "british": "GB", "english": "GB", "scottish": "GB", "welsh": "GB", "french": "FR", "german": "DE", "italian": "IT", "spanish": "ES",
             "portuguese": "PT", "dutch": "NL", "belgian": "BE", "swiss": "CH", "austrian": "AT", "swedish": "SE", "norwegian": "NO", "danish": "DK", "finnish": "FI",
             "icelandic": "IS", "irish": "IE", "polish": "PL", "czech": "CZ", "slovak": "SK", "hungarian": "HU", "romanian": "RO", "bulgarian": "BG", "greek": "GR",
             "turkish": "TR", "russian": "RU", "ukrainian": "UA", "serbian": "RS", "croatian": "HR", "slovenian": "SI", "albanian": "AL", "estonian": "EE",
             "latvian": "LV", "lithuanian": "LT", "canadian": "CA", "mexican": "MX", "brazilian": "BR", "argentine": "AR", "argentinian": "AR", "chilean": "CL",
             "colombian": "CO", "peruvian": "PE", "venezuelan": "VE", "cuban": "CU", "jamaican": "JM", "australian": "AU", "chinese": "CN", "japanese": "JP",
             "korean": "KR", "south korean": "KR", "indian": "IN", "pakistani": "PK", "bangladeshi": "BD", "iranian": "IR", "iraqi": "IQ", "israeli": "IL",
             "egyptian": "EG", "saudi": "SA", "lebanese": "LB", "syrian": "SY", "nigerian": "NG", "ghanaian": "GH", "kenyan": "KE", "ethiopian": "ET",
             "south african": "ZA", "moroccan": "MA", "algerian": "DZ", "tunisian": "TN", "angolan": "AO", "thai": "TH", "vietnamese": "VN", "indonesian": "ID",
             "malaysian": "MY", "filipino": "PH", "philippine": "PH", "singaporean": "SG", "kazakh": "KZ", "georgian": "GE", "armenian": "AM",
             "new zealand": "NZ", "afghan": "AF", "yemeni": "YE", "malagasy": "MG", "ugandan": "UG", "rwandan": "RW", "uzbek": "UZ", "qatari": "QA", "kuwaiti": "KW",
             "emirati": "AE", "omani": "OM", "bahraini": "BH", "cypriot": "CY", "maltese": "MT", "costa rican": "CR", "haitian": "HT", "panamanian": "PA", "honduran": "HN",
             "guatemalan": "GT", "salvadoran": "SV", "nicaraguan": "NI", "uruguayan": "UY", "paraguayan": "PY", "bolivian": "BO", "ecuadorian": "EC", "bosnian": "BA",
             "macedonian": "MK", "montenegrin": "ME", "moldovan": "MD", "belarusian": "BY", "azerbaijani": "AZ", "sri lankan": "LK", "taiwanese": "TW", "cambodian": "KH",
             "nepalese": "NP", "nepali": "NP", "burmese": "MM", "mongolian": "MN", "jordanian": "JO", "libyan": "LY", "sudanese": "SD", "somali": "SO", "senegalese": "SN",
             "ivorian": "CI", "cameroonian": "CM", "zambian": "ZM", "zimbabwean": "ZW", "tanzanian": "TZ", "mozambican": "MZ", "namibian": "NA", "equatorial guinean": "GQ",
             "palestinian": "PS", "luxembourgish": "LU", "fijian": "FJ", "samoan": "WS", "trinidadian": "TT"}  # fmt: skip


_USUAL = {"RU": "Russia", "TR": "Turkey"}
_AMBIGUOUS = frozenset({"Georgia", "Jersey", "Guinea"})
_SPOKEN = frozenset({"United States of America", "US", "USA", "U.S.", "U.S.A.", "UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland",
                     "Turkey", "Russia", "Iran", "Syria", "Vietnam", "Laos", "Bolivia", "Venezuela", "Tanzania", "Moldova", "South Korea", "North Korea", "Taiwan", "Palestine",
                     "Czech Republic", "Brunei", "Macedonia", "North Macedonia", "Ivory Coast", "Cape Verde", "Swaziland", "Burma", "Micronesia", "Congo"})  # fmt: skip


@cache
def _codes() -> dict[str, str]:
    """Return folded country names, official names and alpha-3 codes, each with its alpha-2 code."""
    found: dict[str, str] = {}
    for country in pycountry.countries:
        for name in (
            country.name,
            getattr(country, "official_name", ""),
            getattr(country, "common_name", ""),
            country.alpha_3,
        ):
            if name:
                found.setdefault(fold(name), country.alpha_2)
    return found | _EXTRA


def country_code(text: str) -> str:
    """Return the alpha-2 code of a country's name or code; empty when the text is none."""
    bare = text.strip(" .,;")
    if len(bare) == 2 and bare.isupper():
        return "GB" if bare == "UK" else (bare if pycountry.countries.get(alpha_2=bare) else "")
    return _codes().get(fold(bare), "")


def country_name(code: str) -> str:
    """Return a country's usual English name."""
    if code in _USUAL:
        return _USUAL[code]
    country = pycountry.countries.get(alpha_2=code)
    return "" if country is None else str(getattr(country, "common_name", country.name)).split(",")[0]


@cache
def country_pattern() -> str:
    """Return a pattern for the countries' names as texts write them, the longest first; no codes but US, USA and UK."""
    names = {
        name
        for country in pycountry.countries
        for name in (country.name, getattr(country, "common_name", ""))
        if name
    }
    spoken = {
        name for name in names if "," not in name and "(" not in name and name not in _AMBIGUOUS
    } | _SPOKEN
    return "|".join(re.escape(name) for name in sorted(spoken, key=lambda name: (-len(name), name)))


@cache
def demonym_pattern() -> str:
    """Return a pattern for what people and things of a country are called."""
    return "|".join(sorted((word.title() for word in _DEMONYMS), key=lambda word: (-len(word), word)))


def demonym_code(text: str) -> str:
    """Return the alpha-2 code of the country whose people or things are called so: "Welsh" is GB."""
    return _DEMONYMS.get(fold(text), "")


def nationality_of(text: str) -> str:
    """Return the words at the beginning of a text that say of what country somebody is; empty when none do."""
    words = text.split()
    for size in range(min(len(words), 3), 0, -1):
        said = " ".join(words[:size])
        if demonym_code(said) or all(map(is_demonym, re.split(r"[ -]", said))):
            return said
    return ""


def is_demonym(word: str) -> bool:
    """Tell whether a capitalised word says of what country or people something is: "American", "Zubrovian"."""
    folded = fold(word)
    return folded in _DEMONYMS or (len(folded) > 5 and folded.endswith(("ian", "ean", "ese", "ish", "can")))


def same_place(one: str, other: str) -> bool:
    """Tell whether two place names share a city or a country word: "Leeds" and "Leeds, UK" do."""
    return bool(_parts(one) & _parts(other))


def _parts(text: str) -> set[str]:
    return {country_code(part) or folded for part in text.split(",") if (folded := fold(part))}


def city_of(text: str) -> str:
    """Return the city of "12 Dock Road, Hull HU1 2AB, United Kingdom" or "Hull, UK"; empty when unsure."""
    parts = [part.strip() for part in re.sub(r"\s*\(([^)]*)\)", r", \1", text).split(",") if part.strip()]
    while len(parts) > 1 and country_code(parts[-1]):
        parts.pop()
    if 1 < len(parts) < 4 and not any(map(_is_street, parts)) and not _is_region(parts[-1]):
        return parts[0] if len(parts[0].split()) < 5 else ""
    while len(parts) > 1 and (_is_region(parts[-1]) or parts[-1].replace(" ", "").isdigit()):
        parts.pop()
    words = (
        [word for word in parts[-1].split() if not any(letter.isdigit() for letter in word)] if parts else []
    )
    city = " ".join(words)
    alone = len([part for part in text.split(",") if part.strip()]) == 1
    return "" if not city or (alone and country_code(city)) or len(words) > 4 else city


def settled(place: str, within: str) -> str:
    """Return a place from the settlement outwards: "Mill House" within "Ulm, Bavaria" is "Ulm, Bavaria".

    Houses and streets in front are dropped where something larger follows; `within` may be empty.
    """
    parts = [part for part in place.split(", ") if part]
    around = [part for part in within.split(", ") if part and part not in parts]
    while parts and is_building(parts[0]) and (len(parts) > 1 or around):
        parts.pop(0)
    return ", ".join((*parts, *around))


def is_building(text: str) -> bool:
    """Tell whether a name is a house's, a street's or a hospital's."""
    return bool(_BUILDING.search(text)) or any(letter.isdigit() for letter in text)


def country_in(text: str) -> str:
    """Return the country that a place ends with, as written; empty when none stands there."""
    last = re.split(r"[,(]", text)[-1].strip(" .)")
    return last if country_code(last) else ""


def _is_street(part: str) -> bool:
    """Tell whether a part of an address is a street, a building or has a number."""
    return any(letter.isdigit() for letter in part) or bool(_STREET.search(part))


def _is_region(text: str) -> bool:
    """Tell whether a part is a state code with or without its postcode: "TX", "TX 78701"."""
    words = text.split()
    return (
        bool(words)
        and len(words[0]) in {2, 3}
        and words[0].isupper()
        and (len(words) == 1 or words[1][:1].isdigit())
    )
