"""The fields that are worth asking for each kind of row, and how they are written in a spec."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rowcite.draft.entity import Entity
from rowcite.draft.kinds import Known, plain_words
from rowcite.draft.words import Kind


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A field to find: its name, its YAML, the kind of column that would hold it, and whether it is active."""

    name: str
    yaml: str
    kind: Kind | None = None
    active: bool = False
    note: str = ""


def _of(kind: str, words: str) -> str:
    return f"{{type: {kind}, description: {words}}}"


IN_THE_TABLE = "the table has this column: for its blanks, set columns.existing below"

_SUGGESTIONS: dict[Entity, tuple[Suggestion, ...]] = {
    "company": (
        Suggestion("industry", "Main industry or line of business", "industry", active=True),
        Suggestion("employee_count", _of("integer", "Latest number of employees"), "employees", active=True),
        Suggestion("official_website", "Address of the company's own site", "website", active=True),
        Suggestion("headquarters", "City and country of the headquarters"),
        Suggestion("founded_year", _of("integer", "Year the company was founded")),
        Suggestion("company_description", "What the company does, in one sentence"),
        Suggestion("ownership", "{enum: [Private, Public, Subsidiary, Non-profit, State-owned], description: Who owns the company}"),
        Suggestion("funding_stage", "{enum: [Seed, Series A, Series B+, Public, Unknown], description: Latest funding stage}"),
        Suggestion("key_products", "{type: array, items: string, description: Up to five main products}"),
        Suggestion("latest_news", "The most important news of the last twelve months, with its date"),
    ),
    "person": (
        Suggestion("current_title", "Current job title, as the employer or the person states it", active=True),
        Suggestion("current_company", "Current employer", active=True),
        Suggestion("seniority", "{enum: [Owner, C-level, VP, Director, Manager, Individual contributor, Unknown], description: Level of the current job}"),
        Suggestion("employer_website", "Address of the employer's own site"),
        Suggestion("employer_industry", "Main industry of the employer"),
        Suggestion("employer_employee_count", _of("integer", "Latest number of employees of the employer")),
        Suggestion("profile_page", "Address of a public professional profile", "linkedin"),
    ),
    "product": (
        Suggestion("manufacturer", "Company that makes the product", "brand", active=True),
        Suggestion("product_category", "Category of the product, such as trail running shoes", "category", active=True),
        Suggestion("official_page", "Address of the product's page on the maker's site", "website"),
        Suggestion("short_description", "What the product is, in one sentence"),
        Suggestion("country_of_origin", "Country where the product is made"),
        Suggestion("materials", "{type: array, items: string, description: Main materials}"),
        Suggestion("release_year", _of("integer", "Year the product was launched")),
        Suggestion("gtin", "GTIN, EAN or UPC of the product", "sku"),
    ),
    "place": (
        Suggestion("place_type", "Kind of place, such as hotel, museum or branch office", "category", active=True),
        Suggestion("official_website", "Address of the place's own site", "website", active=True),
        Suggestion("full_address", "Street, postal code, city and country", "street"),
        Suggestion("opening_hours", "Usual opening hours"),
        Suggestion("operator", "Organisation that runs the place"),
        Suggestion("opened_year", _of("integer", "Year the place was opened")),
        Suggestion("short_description", "What the place is known for, in one sentence"),
    ),
    "other": (
        Suggestion("summary", "What this is, in one sentence", active=True),
        Suggestion("official_website", "Address of the official site", "website"),
        Suggestion("category", "Kind of thing", "category"),
    ),
}  # fmt: skip


def suggest(columns: Sequence[Known], entity: Entity) -> list[Suggestion]:
    """Return the fields for a kind of row. At least one is active; what the table has already is not."""
    names = {plain_words(known.name): known.name for known in columns}
    kinds = {known.kind for known in columns if known.filled >= 0.5}
    found = [_unless_known(item, names, kinds, columns) for item in _SUGGESTIONS[entity]]
    if any(item.active for item in found):
        return found
    free = next((index for index, item in enumerate(found) if not item.note), None)
    if free is None:
        return [
            Suggestion(_free_name("summary", names), "What this is, in one sentence", active=True),
            *found,
        ]
    return [*found[:free], replace(found[free], active=True), *found[free + 1 :]]


def _unless_known(
    item: Suggestion, names: Mapping[str, str], kinds: Collection[Kind], columns: Sequence[Known]
) -> Suggestion:
    """Return a suggestion, without its `active` and with the reason if the table has such a column."""
    if column := names.get(plain_words(item.name)):
        return replace(item, name=column, active=False, note=IN_THE_TABLE)
    alike = {item.kind, "domain" if item.kind == "website" else item.kind}
    added = (names.get(plain_words(f"{item.name}_{suffix}")) for suffix in ("confidence", "citations"))
    column = next(filter(None, added), None)
    if alike & set(kinds):
        column = next(known.name for known in columns if known.kind in alike)
    return replace(item, active=False, note=f'the table has "{column}"') if column else item


def _free_name(name: str, names: Collection[str]) -> str:
    number = 2
    while plain_words(f"{name}_{number}") in names:
        number += 1
    return f"{name}_{number}"
