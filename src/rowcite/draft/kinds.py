"""What a column holds, by its name in English, German, French, Spanish and a few more languages, and by its values."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from rowcite.draft.content import content_of, names_companies
from rowcite.draft.sample import Column, Sample
from rowcite.draft.words import NAMES, Kind


@dataclass(frozen=True, slots=True)
class Known:
    """A column, what it holds, and the share of rows that have a value. `main` is False for a second address and the like."""

    column: Column
    kind: Kind
    filled: float
    main: bool = True

    @property
    def name(self) -> str:
        """Return the column's name."""
        return self.column.name


def known_columns(sample: Sample) -> list[Known]:
    """Return the columns of a table with what each holds."""
    found = []
    for column in sample.columns:
        words = plain_words(column.name)
        found.append(Known(column, _kind(column), sample.filled(column), not _SECOND.search(words)))
    return _with_names_of_people(found)


def _with_names_of_people(columns: list[Known]) -> list[Known]:
    """Return the columns with `Nombre` beside `Apellidos` as the first name, and `Nom` beside `Prénom` as the last."""
    kinds = {known.kind for known in columns}
    other: dict[Kind, Kind] = {"last_name": "first_name", "first_name": "last_name"}
    missing = next((other[kind] for kind in other if kind in kinds and other[kind] not in kinds), None)
    at = next((index for index, known in enumerate(columns) if known.kind == "name"), None)
    if missing is None or at is None:
        return columns
    return [*columns[:at], replace(columns[at], kind=missing), *columns[at + 1 :]]


def plain_words(name: str) -> str:
    """Return a column's name as lower-case words without accents: `billingCity` and `Billing_City` are `billing city`."""
    text = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    text = "".join(char for char in text if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _named_kind(name: str) -> Kind | None:
    """Return the kind that a name stands for. In `Person - Organization`, the last part comes first."""
    last = _kind_of_words(plain_words(name.rpartition(" - ")[2]))
    return (
        last
        if last not in (None, "name", "title", "other", "category")
        else _kind_of_words(plain_words(name))
    )


def _kind_of_words(words: str) -> Kind | None:
    return next((kind for kind, pattern in NAMES if pattern.search(words)), None)


def _kind(column: Column) -> Kind:
    named = _named_kind(column.name)
    content = content_of(column.values)
    if content == "email":
        return "email"
    if content == "linkedin":
        return "linkedin"
    if content in ("url", "domain"):
        fits = named in (None, "website", "domain", "name", "company") and not _PICTURE.search(
            plain_words(column.name)
        )
        return ("domain" if content == "domain" else "website") if fits else "other"
    if content == "phone":
        return named if named in _NUMERIC else "phone"
    if content in ("number", "date"):
        return named if named in _NUMERIC else "date" if content == "date" else "other"
    if named == "name" and names_companies(column.values):
        return "company"
    if named is None and column.values and names_companies(column.values):
        return "company"
    return named or "other"


_NUMERIC = frozenset(
    ["employees", "id", "postal_code", "price", "date", "coordinate", "sku", "phone", "registration"]
)
"""Kinds whose values may be numbers or dates."""
_SECOND = re.compile(
    r"\b(type|typ|tipo|shipping|mailing|other|secondary|home|private|parent|second|2|3|4|5|liefer\w*|privat\w*|envio|livraison|otra)\b"
)
"""Words for what is not the first address, phone or name of a row."""
_PICTURE = re.compile(
    r"\b(image|images|img|photo|foto|logo|avatar|picture|bild|icon|src|thumbnail|file|datei|archivo|fichier)\b"
)
