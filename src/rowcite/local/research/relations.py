"""The kinds of fact that running text is searched for, and which of them a field asks for."""

from __future__ import annotations

from rowcite.local.research.kinds.bodies import BODIES
from rowcite.local.research.kinds.people import PEOPLE
from rowcite.local.research.kinds.places import PLACES
from rowcite.local.research.kinds.relation import Relation
from rowcite.local.research.kinds.works import WORKS

RELATIONS: tuple[Relation, ...] = (*PEOPLE, *WORKS, *PLACES, *BODIES)

BY_KIND = {relation.name: relation for relation in RELATIONS}
_WITH = {"founded": "established"}
JOINED = frozenset(
    {"established", "country", "location", "headquarters", "owner", "founders", "industry", "products"}
)
"""Relations that add to what the vocabulary knows of the field, instead of replacing it."""


def relation_of(name: str, description: str, concept: str, kind: str) -> Relation | None:
    """Return the relation that a folded name, else a folded description, asks for; a known concept goes before the latter."""
    for relation in RELATIONS:
        if relation.asks.fullmatch(name):
            return relation
    if concept:
        return BY_KIND.get(_WITH.get(concept, ""))
    return next(
        (
            r
            for text in (name, description)
            for r in RELATIONS
            if text and r.asks.search(text) and _fits(r, kind)
        ),
        None,
    )


def _fits(relation: Relation, kind: str) -> bool:
    """Tell whether a relation's values are of the field's type: no figure answers a field that takes words."""
    numeric = relation.shape in {"number", "area", "length", "year", "date"}
    if kind in {"integer", "number"}:
        return numeric
    return kind in {"boolean", "enum"} or relation.shape in {"date", "year"} or not numeric


DATED = frozenset(relation.name for relation in RELATIONS if relation.shape in {"date", "year"})
"""Relations whose value is a date or a year."""

MEASURED = frozenset(relation.name for relation in RELATIONS if relation.shape in {"area", "length"})
"""Relations whose value has a unit."""
