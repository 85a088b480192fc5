"""Does an answer count: its type, its confidence, its citations, their domains. Pure.

A value that does not count is null in the table with the reason in `rowcite_error`; the ledger keeps what was said.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from rowcite.model import Answer, Citation, FieldBasis, Json
from rowcite.schema import Field, FieldType
from rowcite.spec import NOT_FOUND, Accept

_WORDS = {"low": 0.25, "medium": 0.65, "high": 0.9}
_BARS = {"low": 0.0, "medium": 0.5, "high": 0.8}
"""low < 0.5 <= medium < 0.8 <= high, for processors that send numbers."""

_NUMBER = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?([eE][+-]?[0-9]{1,5})?\Z")
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Cell:
    """One field's value with its evidence; `refused` says why the value does not count."""

    value: Json
    confidence: str | None
    citations: tuple[Citation, ...]
    reasoning: str | None
    refused: str | None = None


class Unfit(ValueError):
    """A value is not of its field's type."""


def judge(answer: Answer, fields: tuple[Field, ...], accept: Accept) -> list[Cell]:
    """Return a cell for each field of an answer, in the fields' order."""
    return [_judge_field(answer, field, accept) for field in fields]


def _judge_field(answer: Answer, field: Field, accept: Accept) -> Cell:
    basis = _basis(answer, field)
    confidence = basis.confidence
    shown = None if confidence is None else str(confidence)
    try:
        value, refused = _value(answer, field), None
    except Unfit as error:
        value, refused = None, str(error)
    if refused is None:
        refused = _refusal(value, basis, field, accept)
    return Cell(None if refused else value, shown, basis.citations, basis.reasoning or None, refused)


def _value(answer: Answer, field: Field) -> Json:
    if field.basis == "output":
        content = answer.content
        return fit(_json_text(content) if isinstance(content, (dict, list)) else content, field.type)
    if not isinstance(answer.content, dict):
        raise Unfit(f"the answer is no object with fields but {_shown(answer.content)}")
    return fit(answer.content.get(field.name), field.type)


def _basis(answer: Answer, field: Field) -> FieldBasis:
    """Return the evidence of a field: its own, else what its parts have together."""
    for basis in answer.basis:
        if basis.field == field.basis:
            return basis
    whole = field.basis == "output"
    parts = [basis for basis in answer.basis if whole or basis.field.startswith(f"{field.basis}.")]
    if not parts:
        return FieldBasis(field.basis)
    citations = dict.fromkeys(citation for part in parts for citation in part.citations)
    told = [part.confidence for part in parts if part.confidence is not None]
    reasoning = "\n".join(f"{part.field}: {part.reasoning}" for part in parts if part.reasoning)
    return FieldBasis(field.basis, reasoning, tuple(citations), min(told, key=_score, default=None))


def _score(confidence: str | float) -> float:
    """Return a confidence as a number; what cannot be understood is below every bar."""
    word = confidence.strip().lower() if isinstance(confidence, str) else confidence
    try:
        score = _WORDS[word] if isinstance(word, str) and word in _WORDS else float(word)
    except (ValueError, OverflowError):
        return -1.0
    return -1.0 if math.isnan(score) else score


def _refusal(value: Json, basis: FieldBasis, field: Field, accept: Accept) -> str | None:
    """Say why a value does not count; None when it does. A null is an answer unless the field is required."""
    if value is None:
        return "required, and not found" if field.name in accept.required else None
    bar = accept.min_confidence
    least = _BARS[bar] if isinstance(bar, str) else bar
    if least is not None and basis.confidence is not None and _score(basis.confidence) < least:
        return f"confidence {basis.confidence} is below {bar}"
    if len(basis.citations) < accept.min_citations:
        return f"{len(basis.citations)} citations, and {accept.min_citations} are asked for"
    if accept.trusted_domains and not any(
        _trusted(item.url, accept.trusted_domains) for item in basis.citations
    ):
        return f"no citation from {', '.join(accept.trusted_domains)}"
    return None


def _trusted(url: str, domains: Iterable[str]) -> bool:
    """Tell whether a URL is of one of the domains, as a browser that opens it would see it."""
    try:
        parts = urlsplit(url.replace("\\", "/"))  # browsers do: https://evil.example\@sec.gov is evil's
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    web = parts.scheme in ("http", "https")
    return web and any(host == domain or host.endswith("." + domain.lstrip(".")) for domain in domains)


# --- types -----------------------------------------------------------------------------------------------


def fit(value: Json, kind: FieldType) -> Any:
    """Return a value as its type, without losing anything; null stays null, and so do texts that mean null.

    Raises:
        Unfit: the value is not of the type and cannot be made so without loss.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in _nulls(kind)):
        return None
    match kind.kind:
        case "string":
            return _text(value, kind)
        case "integer":
            return _integer(value)
        case "number":
            return _number(value)
        case "boolean":
            return _boolean(value)
        case "date":
            return _date(value)
        case "array":
            return _array(value, kind)
        case "object":
            return _object(value, kind)
        case "json":
            return value if isinstance(value, str) else _json_text(value)


def _nulls(kind: FieldType) -> tuple[str, ...]:
    """Return the texts that mean null; a choice that the spec offers is a value, whatever it says."""
    offered = {choice.lower() for choice in kind.choices}
    return tuple(text for text in NOT_FOUND if text not in offered)


def _text(value: Json, kind: FieldType) -> str:
    if isinstance(value, (bool, dict, list)):
        raise Unfit(f"{_shown(value)} is not a text")
    text = value if isinstance(value, str) else _json_text(value)
    if kind.choices and text not in kind.choices:
        same = [choice for choice in kind.choices if choice.lower() == text.strip().lower()]
        if len(same) != 1:
            raise Unfit(f"{_shown(value)} is none of the choices")
        return same[0]
    return text


def _integer(value: Json) -> int:
    number = _decimal(value)
    if number is None or number.adjusted() > 20 or number != int(number):
        raise Unfit(f"{_shown(value)} is not a whole number")
    if int(number) not in _INT64:
        raise Unfit(f"{_shown(value)} is too large for a column of whole numbers")
    return int(number)


def _number(value: Json) -> float:
    number = _decimal(value)
    if number is None or not math.isfinite(float(number)):
        raise Unfit(f"{_shown(value)} is not a number")
    if isinstance(value, int) and float(number) != value:
        raise Unfit(f"{_shown(value)} has more digits than a number column keeps")
    return float(number)


def _decimal(value: Json) -> Decimal | None:
    """Return a number, or a text that is one, exactly; None for anything else."""
    if isinstance(value, str):
        return Decimal(value.strip().replace(",", "")) if _NUMBER.match(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return Decimal(value) if isinstance(value, int) or math.isfinite(value) else None


def _boolean(value: Json) -> bool:
    known = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in known:
        return known[value.strip().lower()]
    raise Unfit(f"{_shown(value)} is neither true nor false")


def _date(value: Json) -> date:
    try:
        return date.fromisoformat(value.strip())
    except (AttributeError, TypeError, ValueError):
        raise Unfit(f"{_shown(value)} is not a date (YYYY-MM-DD)") from None


def _array(value: Json, kind: FieldType) -> list[Any]:
    if not isinstance(value, list):
        raise Unfit(f"{_shown(value)} is not a list")
    assert kind.items is not None
    return [fit(item, kind.items) for item in value]


def _object(value: Json, kind: FieldType) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(f"{_shown(value)} is not an object")
    return {name: fit(value.get(name), part) for name, part in kind.properties}


def _json_text(value: Json) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise Unfit(f"{_shown(value)} holds a number that JSON cannot say") from None


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
