"""Collect the candidates for a field: facts converted to the field's type, with the document and their weight."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rowcite.local.research.answers.schema_fields import OutputField, means_unknown
from rowcite.local.research.documents.document import Directness, Document, Fact
from rowcite.local.research.documents.labels import field_phrases, normal_form, similarity
from rowcite.local.research.subject.attribution import match_fact, row_contradicts
from rowcite.local.research.subject.entity import DocumentMatch, DocumentRole, Dossier
from rowcite.local.research.text.figures import date_in, money_in, number_in, quantity_in, range_in, unit_in
from rowcite.local.research.text.normalise import collapse_spaces, fold, has_phrase
from rowcite.local.research.text.places import city_of, country_code, country_in, country_name

_YES = frozenset({"yes", "true", "y", "active", "1", "ja"})
_NO = frozenset({"no", "false", "n", "none", "0", "nein"})
_NOT_STATED = frozenset({"", "n a", "na", "unknown", "not disclosed", "undisclosed", "tbd", "not available", "not stated", "not reported", "none stated", "confidential", "pending"})  # fmt: skip
_MONEY = frozenset({"revenue", "funding_total"})
_PUBLIC = re.compile(r"\b(?:public|publicly|listed|quoted|floated|ipo|trade[sd]?|trading|stock|shares)\b")
_PRIVATE = re.compile(r"\b(?:private(?:ly)?|delisted|unlisted|not|no longer|left|withdr[ae]wn?|family|employee|owned by|co ?operative)\b")  # fmt: skip
_ITEM_BREAK = re.compile(r"\s*;\s*|\s*,\s+(?:and\s+|or\s+)?|\s*\|\s*|\s+·\s+|\s*\v\s*")
_LAST_AND = re.compile(r"\s+(?:and|&|as well as|plus)\s+")
_ROUND = re.compile(r"(?<![\w-])(pre-?seed|seed|series [a-k])(?![\w-])", re.IGNORECASE)
_OWN_MONEY = re.compile(r"\b(?:bootstrap|self (?:fund|financ)|(?:never|not) (?:taken|raised|accepted)|no (?:outside|external|venture))")  # fmt: skip
_LONG = re.compile(r"\b(?:height|length|width|depth|elevation|altitude|diameter|distance)\b")
_FORMS = {"website": r".*\w\.[a-z]{2}.*", "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "phone": r"[+(\d](?:[\s()./-]*\d){4,}(?: ?(?:ext\.?|x) ?\d+)?"}  # fmt: skip
_YEAR_OF = re.compile(r"^(?:[a-z0-9]+ )*(?<!per )(?<!last )year(?: [a-z]+)?  |\byear (?:of|in which|when)\b")
_DATES = frozenset({"founded", "incorporated"})
_PLAIN = re.compile(r"[^\d-]{0,3}(-?\d+(?:\.\d+)?)(?: [A-Za-z]{1,4})?")
_AROUND_ITEM = re.compile(r"^(?:(?:and|or|for|at|both|the|a|an|our|its)\s+)+|\s*\([^)]*\)$", re.IGNORECASE)
_CURRENCY = re.compile(r"\b(usd|eur|gbp|chf|sek|nok|dkk|pln|jpy)\b")
_SCALE = re.compile(r"\b(?:in )?(thousands|millions?|billions?|mio|bn)\b")
_SCALES = {"t": 1e3, "m": 1e6, "b": 1e9}  # by the first letter
_FULL_DATE = re.compile(r"yyyy mm dd|iso 8601|full date")
_CODES = re.compile(r"\b(?:iso|code|alpha 2|two letter)\b")
_PLUS = re.compile(r"\+$|\b(?:and|or) (?:above|later|more|beyond|higher|up)$", re.IGNORECASE)
_RANK = re.compile(r"\bseries ([a-k])\b")


def read_value(fact: Fact, target: OutputField) -> Any:
    """Return a fact's value in the field's type; None if it has none."""
    folded = fold(fact.value)
    if folded in _NOT_STATED:
        return None
    if target.concept == "public" and target.kind in {"boolean", "string"}:
        return fact.concept == "ticker" or _is_public(folded)
    if target.kind == "enum":
        return choose(_stage(fact.value) if target.concept == "stage" else fact.value, target.choices)
    if target.kind in {"integer", "number"}:
        return _number(fact, target)
    if target.kind == "boolean":
        return _yes_or_no(folded, target)
    return (_text(fact.value, target) or None) if target.kind == "string" else None


def read_items(fact: Fact) -> tuple[str, ...]:
    """Return the parts of a fact that lists things."""
    parts = list(fact.items)
    if not parts:
        *parts, last = [part for part in _ITEM_BREAK.split(collapse_spaces(fact.value)) if part] or [""]
        parts += _LAST_AND.split(last)
    return tuple(item for part in parts if (item := _AROUND_ITEM.sub("", part.strip(" .;,\"“”'"))))


def _yes_or_no(folded: str, target: OutputField) -> bool | None:
    """Return whether a text says yes or no, or repeats the field's words: "in stock", "out of stock", "not listed"."""
    if folded in _YES or folded in _NO:
        return folded in _YES
    stated = set(normal_form(folded))
    if not stated & set(normal_form(target.words)) or len(stated) > 3:
        return None
    return not re.match(r"(?:not|no|out|un|sold|never)\b", folded)


def _is_public(folded: str) -> bool | None:
    """Return whether words describe a company as listed or as private; None if they describe neither."""
    if folded in _NO or _PRIVATE.search(folded):
        return False
    return True if folded in _YES or _PUBLIC.search(folded) else None


def _number(fact: Fact, target: OutputField) -> float | None:
    """Return a year, a sum of money or a count; None for a sum in another currency than requested."""
    text, requested = "" if "@" in fact.value else fact.value, _requested(target)
    if target.concept in _DATES or (target.kind == "integer" and _YEAR_OF.search(requested)):
        return int(date_in(text)[:4] or 0) or None
    plain = _PLAIN.fullmatch(text) if fact.directness is Directness.DATA else None
    metres = "m" if _LONG.search(requested) and re.search(r"\dm\b", text) else ""
    unit = unit_in(target.words, target.description) or metres
    exact = re.sub(r"\.\d+", r"\g<0>0", text) if plain else text  # not a thousand: "1.2340"
    if (quantity := quantity_in(exact, unit)) is not None:
        return _typed(quantity, target)
    if plain and target.concept not in _MONEY:
        return _typed(float(plain[1]), target)  # the point of structured data is a decimal point
    amount = money_in(text) if target.concept in _MONEY else number_in(text)
    currencies = _CURRENCY.findall(requested)
    if amount is None or (currencies and amount.currency and amount.currency.lower() not in currencies):
        return None
    scale = _SCALE.search(requested)
    return _typed(amount.value / (_SCALES[scale[1][0]] if scale else 1), target)


def _typed(value: float, target: OutputField) -> float | None:
    """Return a number as whole if it is; None for another one in an integer field."""
    value = round(value, 4)
    return int(value) if value == int(value) else None if target.kind == "integer" else value


def _requested(target: OutputField) -> str:
    return f"{target.words}  {fold(target.description)}"


def _text(text: str, target: OutputField) -> str:
    """Return a text in the form that the field's words name: a date, a city, a country, a stage."""
    requested, city = _requested(target), city_of(text)
    if target.concept in _DATES or re.search(r"\bdate\b|yyyy", requested):
        date = date_in(text)
        if "year" in requested and "yyyy mm" not in requested:
            return date[:4]
        return "" if _FULL_DATE.search(requested) and len(date) != 10 else date
    form = re.search(_FORMS.get(target.concept, ".*"), text)
    if form is None or target.concept in {"email", "phone"}:
        return form[0] if form else ""
    if target.concept == "city":
        return city
    country = country_code(text) or country_code(country_in(text))
    if target.concept == "country":
        return country if _CODES.search(requested) else country_name(country)
    if target.concept == "hq" and "address" not in requested:
        return f"{city}, {country_name(country)}" if city and country_in(text) else city
    return _stage(text) if target.concept == "stage" else collapse_spaces(text).strip(" .;,")[:1_000]


def _stage(text: str) -> str:
    """Return the usual name of a funding stage: "Series B", "Seed", "Public", "Bootstrapped"; an owner as written."""
    if match := _ROUND.search(text):
        return match[1].title()
    folded = fold(text)
    if _OWN_MONEY.search(folded):
        return "Bootstrapped"
    owned = re.search(r"\b(?:private|family|state|employee|co ?operative)", folded)
    return "Public" if _is_public(folded) else collapse_spaces(text) if owned else ""


def choose(text: str, choices: tuple[Any, ...]) -> Any:
    """Return the one member that matches a text; None if none or several match.

    The text is the member, or lies within its bounds, or has it as whole words, or is a part of it.
    """
    named = [(one, fold(str(one))) for one in choices if not means_unknown(one)]
    folded, own = fold(text), _bounds(text)
    even = re.sub(r"[^\w-]+", " ", text.casefold().replace("&", " and "))  # "seed" is not in "pre-seed"
    found = [words for _, words in named if re.search(rf"(?<![\w-]){re.escape(words)}(?![\w-])", even)]
    longest = [words for words in found if not any(words in other for other in found if other != words)]
    members = (
        [choice for choice, words in named if words == folded]
        or [choice for choice, _ in named if own and _contains(_bounds(str(choice)), own)]
        or [choice for choice, words in named if words in longest]
        or [choice for choice, words in named if len(folded) > 3 and has_phrase(words, folded)]
    )
    return members[0] if len(members) == 1 else None


def _contains(outer: tuple[float, float] | None, inner: tuple[float, float]) -> bool:
    return outer is not None and outer[0] <= inner[0] and inner[1] <= outer[1]


def _bounds(text: str) -> tuple[float, float] | None:
    """Return the bounds of "201-500", "240", "200+" or "Series B+", whose letter counts as a number."""
    rank, amount = _RANK.search(fold(text)), number_in(text)
    least = ord(rank[1]) if rank else amount.value if amount else None
    return range_in(text) if least is None else (least, math.inf if _PLUS.search(text) else least)


_REGISTRY = re.compile(r"\.gov(?:\.|$)|regist(?:er|ry|re)|companieshouse|handelsregister|chamber|bolagsverket|brreg|\bsec\b|gazette\.gov", re.IGNORECASE)  # fmt: skip
_TRUST = {"own site": 1.0, "registry": 0.95, "address": 0.85, "place": 0.8, "name": 0.7}
# Concepts whose facts also count for another, with their weight there.
_NEIGHBOURS: dict[str, dict[str, float]] = {"founded": {"incorporated": 0.6}, "city": {"hq": 0.95}, "country": {"hq": 1.0}, "hq": {"city": 0.9}, "public": {"stage": 0.9, "ticker": 1.0}, "stage": {"public": 0.9, "ticker": 0.9}}  # fmt: skip
_LEAST = 0.7  # of a label's similarity to a field


@dataclass(frozen=True)
class Candidate:
    """A value with its evidence: `weight` 0..1 combines directness and trust, `date` is the statement's."""

    value: Any
    fact: Fact
    match: DocumentMatch
    weight: float
    direct: bool

    @property
    def date(self) -> str:
        """The date of the statement, else of its document, else an empty string."""
        return self.fact.as_of or self.match.document.date or ""

    @property
    def authority(self) -> bool:
        """Whether the entity itself or a registry states it."""
        return self.match.role is DocumentRole.OWN or bool(_REGISTRY.search(self.match.document.host))


def candidates(target: OutputField, dossier: Dossier, matches: tuple[DocumentMatch, ...]) -> list[Candidate]:
    """Return the candidates for a field in the documents read, strongest first."""
    found = []
    for match in matches:
        registry = _TRUST["registry"] if _REGISTRY.search(match.document.host) else 0
        trust = max(_TRUST[match.matched_by], registry)
        for fact, fit in _relevant(target, match.document):
            directness = match_fact(fact, match.role, dossier.entity)
            if directness is None or row_contradicts(fact, dossier.entity):
                continue
            value = (read_items(fact) or None) if target.kind == "array" else read_value(fact, target)
            if value is None:
                continue
            weight = directness.value / 100 * trust * fit
            direct = directness is not Directness.PASSING and fit > 0.8
            found.append(Candidate(value, fact, match, weight, direct))
    return sorted(found, key=lambda one: (-one.weight, one.match.document.path, one.fact.block))


def _relevant(target: OutputField, document: Document) -> Iterator[tuple[Fact, float]]:
    """Yield the facts that a field may mean, with how well they match it: by kind of fact, or by label."""
    kinds = _NEIGHBOURS.get(target.concept, {}) | ({target.concept: 1.0} if target.concept else {})
    phrases = field_phrases(target.words, target.description)
    for fact in document.facts:
        fit = kinds.get(fact.concept, 0.0)
        if fact.lead is None and fit < 1:
            by_label = max((similarity(one, fact.label, fact.heading) for one in phrases), default=0.0)
            by_label = 1.0 if fact.label == target.words else by_label
            fit = max(fit, by_label if by_label >= _LEAST else 0.0)
        if fit:
            yield fact, fit
