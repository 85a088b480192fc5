"""What a row describes, and which columns identify it on the web."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from rowcite.draft.content import on_one_site
from rowcite.draft.kinds import Known, plain_words
from rowcite.draft.words import Kind
from rowcite.spec.models import Transform

Entity = Literal["company", "person", "product", "place", "other"]
ENTITIES: tuple[Entity, ...] = get_args(Entity)


@dataclass(frozen=True, slots=True)
class Pick:
    """An input: its name in the spec, its column, and what becomes of the text. A row without a `required` one is skipped."""

    name: str
    known: Known
    required: bool = False
    transform: Transform = "strip"

    @property
    def column(self) -> str:
        """Return the column's name."""
        return self.known.name


_SIGNS: dict[Entity, dict[Kind, float]] = {
    "person": {
        "first_name": 2,
        "last_name": 2,
        "person": 2,
        "job_title": 2,
        "title": 0.5,
        "name": 0.5,
        "email": 1,
        "linkedin": 1,
    },
    "product": {"product": 3, "sku": 2, "brand": 2, "price": 1.5, "title": 1, "category": 0.5, "name": 0.5},
    "company": {
        "company": 2.5,
        "domain": 2,
        "website": 1.5,
        "employees": 1.5,
        "registration": 1.5,
        "industry": 1,
        "name": 1,
    },
    "place": {"place": 3, "coordinate": 1.5, "street": 0.5, "postal_code": 0.5, "name": 0.5},
}
"""How much a kind of column says for each kind of row."""

_INPUTS: dict[Entity, tuple[tuple[str, tuple[Kind, ...]], ...]] = {
    "company": (
        ("company_name", ("company", "name", "place", "title", "person")),
        ("website", ("domain", "website")),
        ("company_linkedin", ("linkedin",)),
        ("city", ("city",)),
        ("state", ("state",)),
        ("country", ("country",)),
        ("registration_number", ("registration",)),
    ),
    "person": (
        ("first_name", ("first_name",)),
        ("last_name", ("last_name",)),
        ("full_name", ("person", "name")),
        ("job_title", ("job_title", "title")),
        ("company_name", ("company",)),
        ("company_website", ("domain", "website")),
        ("linkedin_url", ("linkedin",)),
        ("city", ("city",)),
        ("country", ("country",)),
    ),
    "product": (
        ("product_name", ("product", "title", "name")),
        ("brand", ("brand", "company")),
        ("category", ("category",)),
        ("sku", ("sku",)),
        ("product_page", ("website",)),
    ),
    "place": (
        ("place_name", ("place", "name", "company", "title")),
        ("street", ("street",)),
        ("postal_code", ("postal_code",)),
        ("city", ("city",)),
        ("state", ("state",)),
        ("country", ("country",)),
        ("website", ("domain", "website")),
    ),
    "other": (("subject", ("name", "title", "description", "other")), ("website", ("website", "domain"))),
}
"""The inputs for each kind of row, and the kinds of column for each, the best first."""

_IDENTIFYING = {
    "company_name",
    "website",
    "full_name",
    "last_name",
    "linkedin_url",
    "product_name",
    "place_name",
    "subject",
}
_TRANSFORMS: dict[str, Transform] = {"website": "domain", "company_website": "domain", "product_page": "url"}


_OF_PEOPLE: frozenset[Kind] = frozenset(
    ["first_name", "last_name", "person", "job_title", "name", "linkedin"]
)


def entity_of(columns: Sequence[Known]) -> Entity:
    """Return what a row most likely describes."""
    kinds = {known.kind for known in columns}
    points = {entity: sum(signs.get(kind, 0) for kind in kinds) for entity, signs in _SIGNS.items()}
    best = max(points, key=lambda entity: points[entity])
    if best == "person" and not kinds & _OF_PEOPLE:
        return "company"  # of a mail address, only the domain is sent
    if (
        best == "company"
        and "company" not in kinds
        and {"name", "email"} <= kinds
        and not kinds & {"domain", "website"}
    ):
        return "person"
    return best if points[best] >= 1 else "other"


def pick_inputs(columns: Sequence[Known], entity: Entity) -> list[Pick]:
    """Return the inputs for a kind of row; at least one, if any column can be sent."""
    usable = [
        known for known in columns if known.column.can_be_sent and known.name.strip() and known.filled > 0
    ]
    picks: list[Pick] = []
    for name, kinds in _INPUTS[entity]:
        taken = {pick.column for pick in picks}
        if _TRANSFORMS.get(name) == "domain":
            taken |= {known.name for known in usable if on_one_site(known.column.values)}
        if name == "full_name" and {"first_name", "last_name"} <= {pick.name for pick in picks}:
            continue
        if found := best_of((known for known in usable if known.name not in taken), kinds):
            picks.append(Pick(name, found, transform=_TRANSFORMS.get(name, "strip")))
    if not any(pick.name in _IDENTIFYING for pick in picks):
        picks = [*_last_resort(usable, picks), *picks]
    return _with_required(picks)


def best_of(columns: Iterable[Known], kinds: Sequence[Kind]) -> Known | None:
    """Return the column of the first of these kinds that there is: the one that has the most values, the main one first."""
    columns = list(columns)
    for kind in kinds:
        found = [known for known in columns if known.kind == kind]
        if kind == "other":
            found = [known for known in found if _is_subject(known)]
        if found:
            return max(found, key=lambda known: round(known.filled, 1) + (0.25 if known.main else 0))
    return None


def _is_subject(known: Known) -> bool:
    """Return True if a column of an unknown kind has texts that differ from row to row."""
    values = known.column.values
    lettered = sum(any(char.isalpha() for char in value) for value in values)
    return not values or (lettered > 0.8 * len(values) and len(set(values)) > len(values) / 2)


def _last_resort(usable: Sequence[Known], picks: Sequence[Pick]) -> list[Pick]:
    """Return an input for a table without a name: the domain of a mail address, or some column of texts."""
    taken = {pick.column for pick in picks}
    if mail := best_of(usable, ("email",)):
        return [Pick("company_domain", mail, transform="domain")]
    rest = [known for known in usable if known.name not in taken]
    some = next((known for known in rest if _is_subject(known)), rest[0] if rest else None)
    return [Pick("subject", some)] if some else []


def _with_required(picks: list[Pick]) -> list[Pick]:
    """Mark the input without which a row cannot be found: the first identifying one, if most rows have it."""
    identifying = [pick for pick in picks if pick.name in _IDENTIFYING] or picks[:1]
    required = max(identifying, key=lambda pick: pick.known.filled > 0.5, default=None)
    return [Pick(p.name, p.known, required=p is required, transform=p.transform) for p in picks]


def input_name(column: str, taken: Collection[str]) -> str:
    """Return the name of an input for a column: its words, with a number if the name is taken."""
    name = plain_words(column).replace(" ", "_") or "column"
    return next(
        f"{name}{suffix}"
        for suffix in ("", *(f"_{n}" for n in range(2, 10_000)))
        if f"{name}{suffix}" not in taken
    )


def transform_of(known: Known) -> Transform:
    """Return what becomes of a column's text before it is sent: of mail addresses and pages, the domain alone."""
    return "domain" if known.kind in ("email", "domain", "website") else "strip"


def key_column(columns: Sequence[Known]) -> str | None:
    """Return the column that likely identifies a row: an id or a number, different in each row."""
    for kind in ("id", "sku", "email"):
        for known in columns:
            values = known.column.values
            if known.kind == kind and known.filled == 1 and len(set(values)) == len(values):
                return known.name
    return None
