"""An answer to cells: the type of each value, its evidence, its checks, and the rules over the row. Pure.

A rejected value is null in the table, or kept with `on_reject: keep`; either way the row is `rejected` and the cell has
the rule and the reason. The value as it was answered is in the cell too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from rowcite.accept.checks import Check
from rowcite.accept.coerce import CoercionError, coerce, coerce_all, json_text, shown
from rowcite.accept.evidence import Element, basis_of, by_field, list_basis
from rowcite.accept.policy import AcceptancePolicy, FieldPolicy
from rowcite.accept.rules import Rule
from rowcite.model import Answer, Citation, FieldBasis, Json
from rowcite.spec.fields import Field

_NOT_FOUND = "required, and not found"


class Cell(msgspec.Struct, frozen=True, gc=False):
    """One field's value with its evidence.

    `found` is the value as it was answered. `rule` is the rule that rejected it (a key of `accept`, `type`, or `rules.0`)
    and `rejection` the reason; both are None for an accepted value. `run_id` and `processor` are its source, None for a
    value that does not come from a run. `elements` are those of a list that have a basis; `citations` and `confidence` are
    of all the evidence.
    """

    value: Any
    confidence: str | None = None
    citations: tuple[Citation, ...] = ()
    reasoning: str | None = None
    rejection: str | None = None
    rule: str | None = None
    found: Json = None
    run_id: str | None = None
    processor: str | None = None
    elements: tuple[Element, ...] = ()


class CellColumn(NamedTuple):
    """The cells of one field, of several rows: for each member that a table shows, a list with one item a row."""

    values: list[Any]
    confidences: list[str | None]
    citations: list[tuple[Citation, ...]]
    reasonings: list[str | None]
    elements: list[tuple[Element, ...]]
    rejections: list[str | None]

    def replace(self, at: int, cell: Cell) -> None:
        """Put a cell in a row's place."""
        self.values[at], self.confidences[at], self.citations[at] = (
            cell.value,
            cell.confidence,
            cell.citations,
        )
        self.reasonings[at], self.elements[at], self.rejections[at] = (
            cell.reasoning,
            cell.elements,
            cell.rejection,
        )


def judge(answer: Answer, policy: AcceptancePolicy, day: date) -> list[Cell]:
    """Return a cell for each field of an answer, in the fields' order. `day` is the day that ages count from."""
    cells = judge_fields(answer, policy.fields, day)
    return apply_row_rules(cells, policy) if policy.rules else cells


def judge_fields(answer: Answer, parts: Sequence[FieldPolicy], day: date) -> list[Cell]:
    """Return a cell for each of some fields of an answer, without the rules over the row."""
    bases = by_field(answer)
    return [_judged(answer, part, bases, day) for part in parts]


def _judged(answer: Answer, part: FieldPolicy, bases: Mapping[str, FieldBasis], day: date) -> Cell:
    field = part.field
    found: Json = None
    rule: str | None
    rejection: str | None
    try:
        found = _found(answer, field)
        value = coerce(found, field.type, part.nulls)
    except CoercionError as error:
        value, rule, rejection = None, "type", str(error)
        basis, elements = _evidence(field, found, bases)
    else:
        basis, elements = _evidence(field, value, bases)
        if elements and part.checks:
            elements = tuple(_judged_element(element, value, part, day) for element in elements)
        rule, rejection = _rejection(value, basis, elements, part, day)
    return Cell(
        value if rejection is None or part.keep else None,
        None if basis.confidence is None else str(basis.confidence),
        basis.citations,
        basis.reasoning or None,
        rejection,
        rule,
        found,
        answer.run_id,
        answer.processor,
        elements,
    )


def _evidence(
    field: Field, value: Any, bases: Mapping[str, FieldBasis]
) -> tuple[FieldBasis, tuple[Element, ...]]:
    """Return the basis of a value, and the basis of each element if it is a list."""
    if field.type.kind == "array" and isinstance(value, list):
        return list_basis(field.basis, bases, value)
    return basis_of(field.basis, bases), ()


def _judged_element(element: Element, value: list[Any], part: FieldPolicy, day: date) -> Element:
    for check in part.checks:
        rejection = _element_rejection(check, element, value, part, day)
        if rejection is not None:
            return element._replace(rule=check.rule, rejection=rejection)
    return element


def _element_rejection(
    check: Check, element: Element, value: list[Any], part: FieldPolicy, day: date
) -> str | None:
    if not check.for_each:
        return None
    return check.reject(value[element.position], element.basis, _counted(element.basis, part), day)


def _found(answer: Answer, field: Field) -> Json:
    content = answer.content
    if field.basis == "output":
        return json_text(content) if isinstance(content, (dict, list)) else content
    if not isinstance(content, dict):
        raise CoercionError(f"the answer is not an object with fields: {shown(content)}")
    return content.get(field.name)


def _rejection(
    value: Any, basis: FieldBasis, elements: Sequence[Element], part: FieldPolicy, day: date
) -> tuple[str, str] | tuple[None, None]:
    """Return the rule that rejects a value, and the reason. A null or a list of none is an answer unless the field is required.

    A list is accepted if all its evidence is, and that of each element.
    """
    if part.required and _is_nothing(value):
        return "required", _NOT_FOUND
    if value is None:
        return None, None
    for element in elements:
        if element.rule is not None:
            return element.rule, _of_element(value[element.position], element.rejection)
    if part.checks:
        counted = _counted(basis, part)
        for check in part.checks:
            rejection = check.reject(value, basis, counted, day)
            if rejection is not None:
                return check.rule, rejection
    return None, None


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(item is None for item in value))


def _of_element(item: Any, rejection: str | None) -> str:
    return f"element {shown(item)}: {rejection}"


def _counted(basis: FieldBasis, part: FieldPolicy) -> tuple[Citation, ...]:
    if part.distrusted is None:
        return basis.citations
    return tuple(citation for citation in basis.citations if citation.url not in part.distrusted)


# --- many answers ----------------------------------------------------------------------------------------


def judge_columns(
    answers: Sequence[Answer], policy: AcceptancePolicy, day: date
) -> tuple[list[CellColumn], set[int]]:
    """Return the accepted cells of many answers by field, and the places of the answers with a rejected value.

    The cells of such an answer are not complete: `judge` returns them. For the others this is `judge`, in less time.
    """
    bases = [by_field(answer) for answer in answers]
    rejected: set[int] = set()
    columns = [_judged_column(answers, part, bases, day, rejected) for part in policy.fields]
    if policy.rules:
        names = [part.field.name for part in policy.fields]
        for at, values in enumerate(zip(*(column.values for column in columns), strict=True)):
            row = dict(zip(names, values, strict=True))
            if any(rule.broken(row) for rule in policy.rules):
                rejected.add(at)
    return columns, rejected


def _judged_column(
    answers: Sequence[Answer],
    part: FieldPolicy,
    bases: Sequence[Mapping[str, FieldBasis]],
    day: date,
    rejected: set[int],
) -> CellColumn:
    """Return the cells of one field; add the places of rejected values to `rejected`."""
    field = part.field
    values = _values(answers, part, rejected)
    elements: list[tuple[Element, ...]] = [()] * len(values)
    if field.type.kind == "array":
        found = [_evidence(field, value, own) for value, own in zip(values, bases, strict=True)]
        evidence, elements = [basis for basis, _ in found], [items for _, items in found]
    else:
        evidence = [basis_of(field.basis, own) for own in bases]
    if part.checks or part.required:
        for at, (value, basis, items) in enumerate(zip(values, evidence, elements, strict=True)):
            judged = [_judged_element(item, value, part, day) for item in items] if part.checks else items
            if _rejection(value, basis, judged, part, day)[0] is not None:
                rejected.add(at)
    return CellColumn(
        values,
        [None if basis.confidence is None else str(basis.confidence) for basis in evidence],
        [basis.citations for basis in evidence],
        [basis.reasoning or None for basis in evidence],
        elements,
        [None] * len(values),
    )


def _values(answers: Sequence[Answer], part: FieldPolicy, rejected: set[int]) -> list[Any]:
    """Return the values of one field as its type; None for one that is not of it, whose place is added to `rejected`."""
    try:
        return coerce_all([_found(answer, part.field) for answer in answers], part.field.type, part.nulls)
    except CoercionError:
        values: list[Any] = [None] * len(answers)
        for at, answer in enumerate(answers):
            try:
                values[at] = coerce(_found(answer, part.field), part.field.type, part.nulls)
            except CoercionError:
                rejected.add(at)
        return values


# --- rules over the row ----------------------------------------------------------------------------------


def apply_row_rules(
    cells: list[Cell], policy: AcceptancePolicy, others: Mapping[str, Any] | None = None
) -> list[Cell]:
    """Reject the values of the fields that a broken rule names.

    A rule reads the accepted values, and from `others` (by field) the row's other values; a rejected value is unknown to
    it. Values of `others` are never rejected.
    """
    accepted = {
        part.field.name: cell.value
        for part, cell in zip(policy.fields, cells, strict=True)
        if cell.rejection is None
    }
    fixed = others or {}
    values = {**accepted, **fixed}
    for index, rule in enumerate(policy.rules):
        if not rule.broken(values):
            continue
        reason = _reason(rule, values)
        cells = [
            _rejected(cell, part, index, reason)
            if part.field.name in rule.fields and cell.rejection is None and part.field.name not in fixed
            else cell
            for part, cell in zip(policy.fields, cells, strict=True)
        ]
    return cells


def _rejected(cell: Cell, part: FieldPolicy, index: int, reason: str) -> Cell:
    value = cell.value if part.keep else None
    return msgspec.structs.replace(cell, value=value, rule=f"rules.{index}", rejection=reason)


def _reason(rule: Rule, values: Mapping[str, Any]) -> str:
    named = ", ".join(f"{name} is {shown(values.get(name))}" for name in rule.fields)
    return f"breaks the rule {rule.text} ({named})"


# --- for people ------------------------------------------------------------------------------------------


def check_results(answer: Answer, part: FieldPolicy, day: date) -> Iterator[tuple[str, str, str | None]]:
    """Yield each rule that applies to one field of an answer: its name, its requirement, and the rejection or None."""
    try:
        value = coerce(_found(answer, part.field), part.field.type, part.nulls)
    except CoercionError as error:
        yield "type", part.field.type.kind, str(error)
        return
    if part.required:
        yield "required", "a value", _NOT_FOUND if _is_nothing(value) else None
    if value is None:
        return
    basis, elements = _evidence(part.field, value, by_field(answer))
    for check in part.checks:
        named = (
            _of_element(value[element.position], reason)
            for element in elements
            if (reason := _element_rejection(check, element, value, part, day))
        )
        whole = check.reject(value, basis, _counted(basis, part), day)
        yield check.rule, check.requires, next(named, whole)


def rejections(cells: Sequence[Cell], fields: Sequence[Field]) -> list[str]:
    """Return the reason for each rejected value of a row, field by field."""
    return [
        f"{field.name}: {cell.rejection}"
        for field, cell in zip(fields, cells, strict=True)
        if cell.rejection is not None
    ]
