"""Infobox entries as questions: what is asked, of which type, and what is held to be true."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from compare import Truth
from wikipedia import Article, plain

_SKIPPED = re.compile(r"^(?:n/?a|none|unknown|various|see below|present|negligible|\W*)$", re.IGNORECASE)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]


@dataclass(frozen=True)
class Probe:
    """A field to ask for and its truth."""

    name: str
    schema: dict[str, Any]
    truth: Truth


@dataclass(frozen=True)
class Ask:
    """How infobox keys become a field: `family` is the field type of the report."""

    keys: tuple[str, ...]
    name: str
    family: str
    description: str


def _ask(keys: str, name: str, family: str, description: str) -> Ask:
    return Ask(tuple(keys.split()), name, family, description)


ASKS: tuple[Ask, ...] = (
    _ask("population_total population_estimate population_census population 2010pop", "population", "integer", "Number of inhabitants, latest figure"),
    _ask("area_km2 totalarea area_total_km2 area", "area_km2", "number", "Total area in square kilometres"),
    _ask("population_density_km2", "population_density", "number", "Inhabitants per square kilometre"),
    _ask("elevation_m", "elevation_m", "number", "Elevation above sea level in metres"),
    _ask("capital", "capital", "place", "Capital city"),
    _ask("largest_city largestcity", "largest_city", "place", "Largest city"),
    _ask("official_languages officiallang languages", "official_languages", "list", "Official languages"),
    _ask("currency", "currency", "text", "Currency in use"),
    _ask("country", "country", "place", "Country it belongs to or comes from"),
    _ask("demonym", "demonym", "text", "What its inhabitants are called"),
    _ask("government_type", "government_type", "text", "Form of government"),
    _ask("governor", "governor", "name", "Current governor"),
    _ask("drives_on", "drives_on", "enum", "Side of the road on which people drive"),
    _ask("calling_code", "calling_code", "text", "International telephone calling code"),
    _ask("national_anthem", "national_anthem", "text", "National anthem"),
    _ask("national_motto motto", "motto", "text", "Motto"),
    _ask("founded foundation established formation first_awarded start_date established_date", "founded_year", "year", "Year in which it was founded or established"),
    _ask("admittancedate", "admission_date", "date", "Date of admission to the Union"),
    _ask("birth_date", "birth_date", "date", "Date of birth, YYYY-MM-DD"),
    _ask("birth_date", "birth_year", "year", "Year of birth"),
    _ask("death_date", "death_date", "date", "Date of death, YYYY-MM-DD"),
    _ask("death_date", "death_year", "year", "Year of death"),
    _ask("birth_place", "birth_place", "place", "Place of birth"),
    _ask("death_place", "death_place", "place", "Place of death"),
    _ask("birth_name", "birth_name", "name", "Name at birth"),
    _ask("nationality", "nationality", "text", "Nationality"),
    _ask("occupation", "occupation", "list", "Occupations"),
    _ask("spouse", "spouse", "list", "Wives or husbands"),
    _ask("alma_mater education college", "alma_mater", "list", "Universities or schools attended"),
    _ask("residence", "residence", "place", "Where the person lives"),
    _ask("notableworks notable_works notable_work", "notable_works", "list", "Best known works"),
    _ask("known_for", "known_for", "list", "What the person is known for"),
    _ask("genre", "genre", "list", "Genres"),
    _ask("awards prizes", "awards", "list", "Awards won"),
    _ask("religion", "religion", "text", "Religion"),
    _ask("party", "political_party", "text", "Political party"),
    _ask("fields field", "field", "list", "Fields of work"),
    _ask("draftyear", "draft_year", "year", "Year in which the player was drafted"),
    _ask("turnedpro", "turned_pro", "year", "Year in which the player turned professional"),
    _ask("author", "author", "name", "Author"),
    _ask("illustrator", "illustrator", "name", "Illustrator"),
    _ask("director", "director", "name", "Director"),
    _ask("writer screenplay composer", "writer", "list", "Who wrote it"),
    _ask("starring", "starring", "list", "Leading actors"),
    _ask("release_date pub_date published released", "publication_year", "year", "Year of publication or release"),
    _ask("publisher", "publisher", "text", "Publisher"),
    _ask("pages", "pages", "integer", "Number of pages"),
    _ask("language", "language", "text", "Language in which it is written or spoken"),
    _ask("runtime", "running_time", "integer", "Running time in minutes"),
    _ask("editor", "editor", "name", "Editor"),
    _ask("label", "record_label", "list", "Record labels"),
    _ask("headquarters", "headquarters", "place", "Where the head office is"),
    _ask("location", "location", "place", "Where it is"),
    _ask("founder founders", "founders", "list", "Founders"),
    _ask("industry", "industry", "text", "Industry"),
    _ask("num_employees", "employees", "integer", "Number of employees"),
    _ask("membership members", "members", "integer", "Number of members"),
    _ask("owner", "owner", "name", "Owner"),
    _ask("products", "products", "list", "Products"),
    _ask("abbreviation", "abbreviation", "text", "Abbreviation of the name"),
    _ask("capacity", "capacity", "integer", "Number of seats or spectators"),
    _ask("league", "league", "text", "League it plays in"),
    _ask("launch_date", "launch_date", "date", "Date of the launch, YYYY-MM-DD"),
    _ask("landing_date", "landing_date", "date", "Date of the landing, YYYY-MM-DD"),
    _ask("crew_members", "crew", "list", "Members of the crew"),
    _ask("operator", "operator", "name", "Operator"),
    _ask("speakers", "speakers", "integer", "Number of native speakers"),
    _ask("states", "countries_spoken", "list", "Countries in which it is spoken"),
    _ask("presenter", "presenter", "name", "Who presents the award"),
    _ask("discipline", "discipline", "text", "Discipline of the journal"),
    _ask("active", "active_troops", "integer", "Number of active troops"),
    _ask("result", "result", "text", "Outcome"),
    _ask("place", "place", "place", "Where it took place"),
)  # fmt: skip

_TYPES = {
    "integer": {"type": ["integer", "null"]},
    "number": {"type": ["number", "null"]},
    "year": {"type": ["integer", "null"]},
    "list": {"type": ["array", "null"], "items": {"type": "string"}},
    "boolean": {"type": ["boolean", "null"]},
    "enum": {"enum": ["left", "right", None]},
}


def probes(article: Article) -> list[Probe]:
    """Return the questions that an article's infobox answers."""
    box = {key: plain(value) for key, value in article.box}
    found = [probe for ask in ASKS if (probe := _probe(ask, box)) is not None]
    for number in ("1", "2"):
        title, leader = box.get(f"leader_title{number}", ""), box.get(f"leader_name{number}", "")
        if title and leader and len(title) < 40:
            name = re.sub(r"\W+", "_", title.lower()).strip("_")
            found.append(
                Probe(
                    name,
                    {"type": ["string", "null"], "description": f"Current {title}"},
                    Truth("name", _texts(leader)),
                )
            )
    if any(key == "birth_date" for key in box):
        dead = any(key in box for key in ("death_date", "death_place"))
        schema = {**_TYPES["boolean"], "description": "Whether the person has died"}
        found.append(Probe("deceased", schema, Truth("boolean", (str(dead).lower(),))))
    return list({probe.name: probe for probe in reversed(found)}.values())[::-1]


def _probe(ask: Ask, box: dict[str, str]) -> Probe | None:
    values = [box[key] for key in ask.keys if key in box and not _SKIPPED.match(box[key])]
    if ask.name == "largest_city" and values and values[0].lower() == "capital":
        values = [box.get("capital", "")]
    accepted = tuple(dict.fromkeys(text for value in values for text in _accepted(ask.family, value)))
    if not accepted:
        return None
    schema = {**_TYPES.get(ask.family, {"type": ["string", "null"]}), "description": ask.description}
    return Probe(ask.name, schema, Truth(ask.family, accepted))


def _accepted(family: str, value: str) -> tuple[str, ...]:
    """Return what counts as right; of a list, its items."""
    if family == "year":
        match = re.search(r"\b(1[0-9]\d\d|20\d\d)\b", value)
        return (match[1],) if match else ()
    if family == "date":
        return _date(value)
    if family in {"integer", "number"}:
        match = re.search(r"\d[\d,]*(?:\.\d+)?(?:\s*(?:million|billion))?", value)
        return (match[0],) if match and re.search(r"\d", match[0]) else ()
    if family == "enum":
        return (
            (value.split(maxsplit=1)[0].lower(),)
            if value.split(maxsplit=1)[0].lower() in {"left", "right"}
            else ()
        )
    return _texts(value)


def _texts(value: str) -> tuple[str, ...]:
    """Return the parts of a value that stand on lines of their own, notes in brackets left out."""
    bare = re.sub(r"\([^)]*\)|\[[^]]*\]", "", value)
    parts = [part.strip(" *•·,;:'\"") for part in re.split(r"\n|;|•|·", bare)]
    return tuple(part for part in parts if 1 < len(part) < 80 and not _SKIPPED.match(part))


def _date(value: str) -> tuple[str, ...]:
    if match := re.search(r"\b(\d{4})-(\d\d)-(\d\d)\b", value):
        return (match[0],)
    for pattern, order in (
        (r"(\d{1,2})(?:st|nd|rd|th)? ([A-Z][a-z]+),? (\d{4})", (3, 2, 1)),
        (r"([A-Z][a-z]+) (\d{1,2}),? (\d{4})", (3, 1, 2)),
    ):
        match = re.search(pattern, value)
        if match and match[order[1]].lower() in _MONTHS:
            return (
                f"{match[order[0]]}-{_MONTHS.index(match[order[1]].lower()) + 1:02}-{int(match[order[2]]):02}",
            )
    return ()
