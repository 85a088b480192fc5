"""One check for each key of `accept`: its requirement, and the reason why it rejects a value. Pure.

A check takes a value that is not null, its basis, the citations that count (those of distrusted domains do not) and the
day that ages count from; it returns None, or the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints, TypeAdapter
from pydantic_core import SchemaError

from rowcite.accept.coerce import CoercionError, coerce, shown
from rowcite.accept.evidence import LEVELS, Domains, newest, score, sites
from rowcite.model import Citation, FieldBasis, Json
from rowcite.spec.accept_models import AcceptField
from rowcite.spec.fields import Field, FieldType

Reject = Callable[[Any, FieldBasis, tuple[Citation, ...], date], str | None]


class Check(NamedTuple):
    """A key of `accept` for one field: its name, its requirement in words, and the function that rejects values.

    A check of evidence `for_each` applies to the basis of each element of a list too. One that `reads_texts` depends on
    excerpts.
    """

    rule: str
    requires: str
    reject: Reject
    for_each: bool = False
    reads_texts: bool = False


class InvalidCheck(ValueError):
    """A key of `accept` does not apply to its field. `key` is its name."""

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        super().__init__(message)


# --- evidence --------------------------------------------------------------------------------------------


def evidence_checks(terms: AcceptField, distrusted: Domains | None) -> Iterator[Check]:
    """Yield the checks of a value's evidence."""
    if terms.missing_confidence == "reject":
        yield Check("missing_confidence", "a confidence", _missing)
    if terms.min_confidence is not None:
        yield _confidence(terms.min_confidence)
    if distrusted is not None:
        yield _distrusted(distrusted)
    if terms.min_citations:
        yield _citations(terms.min_citations)
    if terms.min_domains:
        yield _domains(terms.min_domains)
    if terms.trusted_domains:
        yield _trusted(Domains(terms.trusted_domains))
    if terms.max_age is not None:
        yield _age(terms.max_age)


def _missing(_: Any, basis: FieldBasis, __: tuple[Citation, ...], ___: date) -> str | None:
    return "no confidence" if basis.confidence is None else None


def _confidence(minimum: str | float) -> Check:
    least = LEVELS[minimum] if isinstance(minimum, str) else minimum
    passes: dict[str | float, bool] = {}  # confidences repeat: scoring each once is quicker

    def reject(_: Any, basis: FieldBasis, __: tuple[Citation, ...], ___: date) -> str | None:
        confidence = basis.confidence
        if confidence is None:
            return None
        passed = passes.get(confidence)
        if passed is None:
            passed = score(confidence) >= least
            if len(passes) < 100:
                passes[confidence] = passed
        return None if passed else f"confidence {confidence}, {minimum} required"

    return Check("min_confidence", f"a confidence of {minimum} or more", reject)


def _distrusted(domains: Domains) -> Check:
    def reject(_: Any, basis: FieldBasis, counted: tuple[Citation, ...], __: date) -> str | None:
        return f"every citation is from {domains}" if basis.citations and not counted else None

    return Check("distrusted_domains", f"a citation that is not from {domains}", reject)


def _citations(least: int) -> Check:
    def reject(_: Any, __: FieldBasis, counted: tuple[Citation, ...], ___: date) -> str | None:
        number = len(counted)
        return None if number >= least else f"{_some(number, 'citation')}, {least} required"

    return Check("min_citations", f"{_some(least, 'citation')} or more", reject)


def _domains(least: int) -> Check:
    def reject(_: Any, __: FieldBasis, counted: tuple[Citation, ...], ___: date) -> str | None:
        number = len(sites(citation.url for citation in counted))
        return None if number >= least else f"citations from {_some(number, 'domain')}, {least} required"

    return Check("min_domains", f"citations from {_some(least, 'domain')} or more", reject)


def _trusted(domains: Domains) -> Check:
    def reject(_: Any, __: FieldBasis, counted: tuple[Citation, ...], ___: date) -> str | None:
        for citation in counted:
            if citation.url in domains:
                return None
        return f"no citation from {domains}"

    return Check("trusted_domains", f"a citation from {domains}", reject)


def _age(most: timedelta) -> Check:
    def reject(_: Any, __: FieldBasis, counted: tuple[Citation, ...], day: date) -> str | None:
        dated = newest(counted, day)
        if dated is None or day - dated <= most:
            return None
        return f"the newest dated source is from {dated}, more than {most.days:,} days ago"

    requires = f"evidence at most {most.days:,} days old, if dated"
    return Check("max_age", requires, reject, reads_texts=True)


def _some(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


# --- the value itself ------------------------------------------------------------------------------------


def value_checks(field: Field, terms: AcceptField) -> Iterator[Check]:
    """Yield the checks of the value itself. In a list they apply to every item.

    Raises:
        InvalidCheck: a key does not apply to the field's type.
    """
    kind = field.type.items if field.type.kind == "array" and field.type.items else field.type
    if terms.one_of is not None:
        yield _each("one_of", f"one of {', '.join(map(str, terms.one_of))}", _one_of(terms.one_of, kind))
    if terms.pattern is not None:
        yield _each("pattern", f"a text that matches {terms.pattern}", _pattern(terms.pattern, kind))
    low = None if terms.minimum is None else _limit("minimum", terms.minimum, kind)
    high = None if terms.maximum is None else _limit("maximum", terms.maximum, kind)
    if low is not None and high is not None and low > high:
        raise InvalidCheck("minimum", f"{terms.minimum} is more than the maximum, {terms.maximum}")
    if low is not None:
        yield _each(
            "minimum", f"{low} or more", lambda item: f"{item} is less than {low}" if item < low else None
        )
    if high is not None:
        yield _each(
            "maximum", f"{high} or less", lambda item: f"{item} is more than {high}" if item > high else None
        )


def _each(rule: str, requires: str, reject_one: Callable[[Any], str | None]) -> Check:
    def reject(value: Any, _: FieldBasis, __: tuple[Citation, ...], ___: date) -> str | None:
        items = value if isinstance(value, list) else (value,)
        return next((why for item in items if item is not None and (why := reject_one(item))), None)

    return Check(rule, requires, reject)


def _one_of(choices: tuple[Json, ...], kind: FieldType) -> Callable[[Any], str | None]:
    if kind.kind in ("object", "array", "json"):
        raise InvalidCheck("one_of", "applies to texts, numbers, dates and booleans")
    if not choices:
        raise InvalidCheck("one_of", "lists no values")
    try:
        wanted = [coerce(choice, kind, frozenset()) for choice in choices]
    except CoercionError as error:
        raise InvalidCheck("one_of", f"{error}, the type of the field") from None
    listed = ", ".join(map(str, choices))
    return lambda item: None if item in wanted else f"{shown(item)} is not one of {listed}"


def _pattern(pattern: str, kind: FieldType) -> Callable[[Any], str | None]:
    """Match as JSON schema does: anywhere in the text, in linear time."""
    if kind.kind != "string":
        raise InvalidCheck("pattern", "applies to texts: use `minimum` and `maximum` for numbers and dates")
    try:
        adapter = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError as error:
        raise InvalidCheck("pattern", f"not a regular expression: {str(error).splitlines()[-1]}") from None
    matches = adapter.validator.isinstance_python
    return lambda item: None if matches(item) else f"{shown(item)} does not match {pattern}"


def _limit(key: str, limit: Json, kind: FieldType) -> Any:
    if kind.kind not in ("integer", "number", "date"):
        raise InvalidCheck(key, "applies to numbers and dates")
    if kind.kind != "date":
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            raise InvalidCheck(key, f"{shown(limit)} is not a number")
        return limit
    try:
        return coerce(limit, kind, frozenset())
    except CoercionError as error:
        raise InvalidCheck(key, str(error)) from None
