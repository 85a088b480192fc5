"""Convert a fact's text to a value of the field's type; None if that is not possible."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.answers.enum_values import choose
from rowcite.local.research.answers.schema_fields import OutputField
from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.labels import normal_form
from rowcite.local.research.text.dates import date_in
from rowcite.local.research.text.normalise import collapse_spaces, fold
from rowcite.local.research.text.numbers import Amount, money_in, number_in
from rowcite.local.research.text.places import city_of, country_code, country_in, country_name

_YES = frozenset({"yes", "true", "y", "listed", "publicly traded", "public", "active", "1", "ja"})
_NO = frozenset({
    "no", "false", "n", "none", "not listed", "private", "privately held", "privately owned", "family owned", "0", "nein",
    "unlisted",
})  # fmt: skip
_NOT_STATED = frozenset({
    "", "n a", "na", "unknown", "not disclosed", "undisclosed", "tbd", "not available", "not stated", "not reported",
    "none stated", "confidential", "pending",
})  # fmt: skip
_MONEY = frozenset({"revenue", "funding_total", "round_amount"})
_PUBLIC = re.compile(
    r"\b(?:public|listed|quoted|floated|ipo|trade[sd]?|trading|stock|shares)\b", re.IGNORECASE
)
_PRIVATE = re.compile(
    r"\b(?:delisted|(?:taken|went) private|no longer (?:publicly )?(?:listed|traded|quoted)|left the stock|listing withdrawn|withdr[ae]wn? (?:its|from)|private(?:ly)? (?:held|owned|company)|private$|not listed|not (?:publicly )?(?:traded|quoted)|unlisted|family[- ](?:owned|run|held|business)|"
    r"employee[- ]owned|owned by|co-?operative|(?:remains|is|are|stayed?) private|(?:remain|in) private)\b",
    re.IGNORECASE,
)
_ITEM_BREAK = re.compile(r"\s*;\s*|\s*,\s+(?:and\s+|or\s+)?|\s*\|\s*|\s+·\s+|\s*\v\s*")
_LAST_AND = re.compile(r"\s+(?:and|&|as well as|plus)\s+")
_SIBLINGS = re.compile(
    r"^(?:the )?(?:brothers|sisters|siblings|twins) ([A-Z][\w-]+),? and ([A-Z][\w-]+) ([A-Z][\w-]+)$"
)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_INNER_LABEL = re.compile(r"^(?:name|total|value|conventional long form): ")
_FORMS = {
    "website": re.compile(r"\w\.[a-z]{2}"),
    "email": re.compile(r"@"),
    "phone": re.compile(r"(?:\d\D{0,3}){5}"),
}
_CODES = re.compile(r"\b(?:iso|code|alpha 2|two letter)\b")


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the field's type; `about` marks an approximation."""

    value: Any
    about: bool = False


def read_value(fact: Fact, target: OutputField) -> Value | None:
    """Return a fact's value in the field's type; None if it has none."""
    if fold(fact.value) in _NOT_STATED:
        return None
    if target.concept == "public" and target.kind in {"boolean", "string"}:
        return _publicness(fact)
    if target.kind == "enum":
        choice = choose(_stage(fact.value) if target.concept == "stage" else fact.value, target.choices)
        return None if choice is None else Value(choice)
    if target.kind in {"integer", "number"}:
        if (duration := _duration(fact.value, target)) is not None:
            return duration
        if fact.directness is Directness.DATA and (plain := _plain_number(fact.value, target)) is not None:
            return plain
        return _number(fact.value, target)
    if target.kind == "boolean":
        return _yes_or_no(fact.value, target)
    return _text(fact.value, target) if target.kind == "string" else None


def read_items(fact: Fact) -> tuple[str, ...]:
    """Return the parts of a fact that lists things."""
    if fact.items:
        return tuple(item for item in map(_item, fact.items) if item)
    text = _SIBLINGS.sub(r"\1 \3, \2 \3", collapse_spaces(fact.value))
    parts = [part for part in _ITEM_BREAK.split(text) if part]
    parts = [*parts[:-1], *_LAST_AND.split(parts[-1])] if parts else []
    return tuple(item for item in map(_item, parts) if item)


def _yes_or_no(text: str, target: OutputField) -> Value | None:
    """Return whether a text says yes or no, or repeats the field's words: "in stock", "out of stock", "not listed"."""
    folded = fold(text)
    if folded in _YES or folded in _NO:
        return Value(value=folded in _YES)
    asked, said = set(normal_form(target.words)), set(normal_form(folded))
    if asked & said and len(said) < 4:
        return Value(value=not re.match(r"(?:not|no|out|un|sold|never)\b", folded))
    return None


def _item(text: str) -> str:
    bare = re.sub(
        r"^(?:(?:and|or|for|at|both|the|a|an|our|its)\s+)+", "", text.strip(" .;,\"“”'"), flags=re.IGNORECASE
    )
    return re.sub(r"\s*\([^)]*\)$", "", bare)


def _number(text: str, target: OutputField) -> Value | None:
    """Return a year, a sum of money or a count; None for a sum in another currency than requested."""
    if target.concept in {"founded", "incorporated"} or (
        target.kind == "integer" and "year" in target.words.split()
    ):
        date = date_in(text)
        return Value(int(date[:4])) if date else None
    amount = money_in(text) if target.concept in _MONEY else number_in(text)
    if amount is None or not _in_currency(amount, target):
        return None
    value = amount.value / _unit(target)
    if target.kind == "integer":
        return Value(int(value), amount.about) if value == int(value) else None
    return Value(int(value) if value == int(value) else value, amount.about)


def _duration(text: str, target: OutputField) -> Value | None:
    """Return an ISO 8601 duration such as PT1H30M in the unit that the field names, else in minutes."""
    match = _DURATION.fullmatch(text.strip())
    if not match or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    asked = f"{target.words} {fold(target.description)}"
    unit = next(
        (size for word, size in (("second", 60), ("hour", 1 / 60), ("day", 1 / 1440)) if word in asked), 1
    )
    value = round((days * 1440 + hours * 60 + minutes + seconds / 60) * unit, 4)
    return (
        None
        if target.kind == "integer" and value != int(value)
        else Value(int(value) if value == int(value) else value)
    )


def _plain_number(text: str, target: OutputField) -> Value | None:
    """Return a number of structured data, whose point is always a decimal point."""
    match = re.fullmatch(r"[^\d-]{0,3}(-?\d+(?:\.\d+)?)(?: [A-Z]{1,4})?", text)
    if match is None or target.concept in _MONEY | {"founded", "incorporated"}:
        return None
    value = float(match[1])
    whole = value == int(value)
    return None if target.kind == "integer" and not whole else Value(int(value) if whole else value)


def _in_currency(amount: Amount, target: OutputField) -> bool:
    requested = re.findall(
        r"\b(usd|eur|gbp|chf|sek|nok|dkk|pln|jpy)\b", f"{target.words} {fold(target.description)}"
    )
    requested += [
        code for sign, code in (("$", "usd"), ("€", "eur"), ("£", "gbp")) if sign in target.description
    ]
    return not requested or not amount.currency or amount.currency.lower() in requested


def _unit(target: OutputField) -> float:
    match = re.search(
        r"\b(?:in )?(thousands|millions?|billions?|mio|bn)\b", f"{target.words} {fold(target.description)}"
    )
    return {"t": 1e3, "m": 1e6, "b": 1e9}[match[1][0]] if match else 1


def _text(text: str, target: OutputField) -> Value | None:
    requested = f"{target.words} {fold(target.description)}"
    if target.concept in {"founded", "incorporated"} or re.search(r"\bdate\b|yyyy", requested):
        return _dated(text, requested)
    if target.concept in _FORMS and not _FORMS[target.concept].search(text):
        return None
    if target.concept == "city":
        return _some(city_of(text))
    if target.concept == "country":
        return _country(text, requested)
    if target.concept == "hq" and "address" not in requested:
        return _some(_seat(text))
    if target.concept == "stage":
        return _some(_stage(text))
    inner = _INNER_LABEL.match(text)
    return _some(
        collapse_spaces(text[inner.end() :].split(";", maxsplit=1)[0] if inner else text).strip(" .;,")[
            :1_000
        ]
    )


def _dated(text: str, requested: str) -> Value | None:
    date = date_in(text)
    if date and "year" in requested and "yyyy mm" not in requested:
        return Value(date[:4])
    if re.search(r"yyyy mm dd|iso 8601|full date", requested) and len(date) != 10:
        return None
    return _some(date)


def _country(text: str, requested: str) -> Value | None:
    code = country_code(text) or country_code(country_in(text))
    if not code:
        return None
    return Value(code if _CODES.search(requested) else country_name(code))


def _seat(text: str) -> str:
    """Return "City, Country" of an address, with the country's code spelled out."""
    city, code = city_of(text), country_code(country_in(text))
    if not city:
        return ""
    return f"{city}, {country_name(code)}" if code else city


def _stage(text: str) -> str:
    """Return the usual name of a funding stage: "Series B", "Seed", "Public", "Bootstrapped"."""
    match = re.search(r"(?<![\w-])(pre-?seed|seed|series [a-k])(?![\w-])", text, re.IGNORECASE)
    if match:
        return match[1].title() if match[1].lower().startswith("series") else match[1].capitalize()
    if re.search(
        r"bootstrap|self-(?:fund|financ)|(?:never|not) (?:taken|raised|accepted)|no (?:outside|external|venture)",
        text,
        re.IGNORECASE,
    ):
        return "Bootstrapped"
    if re.search(
        r"\b(?:publicly|listed|quoted|public|ipo|floated|stock|trad(?:es|ed|ing) on)\b", text, re.IGNORECASE
    ) and not re.search(r"\bnot\b|\bun", text, re.IGNORECASE):
        return "Public"
    return (
        collapse_spaces(text)
        if re.search(r"privat|family|state|employee|co-?operative", text, re.IGNORECASE)
        else ""
    )


def _publicness(fact: Fact) -> Value | None:
    if fact.concept == "ticker":
        return Value(value=True)
    folded = fold(fact.value)
    if folded in _YES or folded in _NO:
        return Value(value=folded in _YES)
    if _PRIVATE.search(fact.value):
        return Value(value=False)
    return Value(value=True) if _PUBLIC.search(fact.value) else None


def _some(text: str) -> Value | None:
    return Value(text) if text else None
