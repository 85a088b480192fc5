"""Does an answer count: its type, its evidence, its value, and the rules over its row. Pure.

A value that does not count is null in the table, or kept with `on_reject: keep`; either way the row is `rejected` and
the cell says by which rule and why. What was said is in the cell too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from rowcite.accept.coerce import CoercionError, coerce, json_text, shown
from rowcite.accept.evidence import basis_of, by_field
from rowcite.accept.policy import AcceptancePolicy, FieldPolicy
from rowcite.accept.rules import Rule
from rowcite.model import Answer, Citation, FieldBasis, Json
from rowcite.spec.fields import Field


class Cell(msgspec.Struct, frozen=True, gc=False):
    """One field's value with its evidence.

    `said` is the value as the answer had it. `rule` names what refused it (a key of `accept`, `type`, or `rules.0`)
    and `refused` says why; both are None when it counts. `run_id` and `processor` say where it came from; they are
    None for a value that no run gave.
    """

    value: Any
    confidence: str | None = None
    citations: tuple[Citation, ...] = ()
    reasoning: str | None = None
    refused: str | None = None
    rule: str | None = None
    said: Json = None
    run_id: str | None = None
    processor: str | None = None


def judge(answer: Answer, policy: AcceptancePolicy, day: date) -> list[Cell]:
    """Return a cell for each field of an answer, in the fields' order. `day` is the day it was given."""
    cells = judge_fields(answer, policy.fields, day)
    return apply_row_rules(cells, policy) if policy.rules else cells


def judge_fields(answer: Answer, parts: Sequence[FieldPolicy], day: date) -> list[Cell]:
    """Return a cell for each of some fields of an answer, not yet held to the rules over the row."""
    bases = by_field(answer)
    return [_judged(answer, part, bases, day) for part in parts]


def _judged(answer: Answer, part: FieldPolicy, bases: Mapping[str, FieldBasis], day: date) -> Cell:
    field = part.field
    basis = basis_of(field.basis, bases)
    said: Json = None
    rule: str | None
    refused: str | None
    try:
        said = _said(answer, field)
        value = coerce(said, field.type, part.nulls)
    except CoercionError as error:
        value, rule, refused = None, "type", str(error)
    else:
        rule, refused = _refusal(value, basis, part, day)
    return Cell(
        value if refused is None or part.keep else None,
        None if basis.confidence is None else str(basis.confidence),
        basis.citations,
        basis.reasoning or None,
        refused,
        rule,
        said,
        answer.run_id,
        answer.processor,
    )


def _said(answer: Answer, field: Field) -> Json:
    content = answer.content
    if field.basis == "output":
        return json_text(content) if isinstance(content, (dict, list)) else content
    if not isinstance(content, dict):
        raise CoercionError(f"the answer is no object with fields but {shown(content)}")
    return content.get(field.name)


def _refusal(
    value: Any, basis: FieldBasis, part: FieldPolicy, day: date
) -> tuple[str, str] | tuple[None, None]:
    """Return which rule refuses a value, and why. A null is an answer unless the field is required."""
    if value is None:
        return ("required", "required, and not found") if part.required else (None, None)
    if part.checks:
        counted = _counted(basis, part)
        for check in part.checks:
            refused = check.refuse(value, basis, counted, day)
            if refused is not None:
                return check.rule, refused
    return None, None


def _counted(basis: FieldBasis, part: FieldPolicy) -> tuple[Citation, ...]:
    if part.distrusted is None:
        return basis.citations
    return tuple(citation for citation in basis.citations if citation.url not in part.distrusted)


# --- rules over the row ----------------------------------------------------------------------------------


def apply_row_rules(
    cells: list[Cell], policy: AcceptancePolicy, others: Mapping[str, Any] | None = None
) -> list[Cell]:
    """Refuse the values of the fields that a broken rule names.

    A rule sees the values that count, and of `others` (by field) what stands in the row beside them; what does not
    count is unknown to it. Values of `others` are never refused: nobody but the rule's reader can say which is wrong.
    """
    known = {
        part.field.name: cell.value
        for part, cell in zip(policy.fields, cells, strict=True)
        if cell.refused is None
    }
    fixed = others or {}
    values = {**known, **fixed}
    for index, rule in enumerate(policy.rules):
        if not rule.broken(values):
            continue
        why = _why(rule, values)
        cells = [
            _broken(cell, part, index, why)
            if part.field.name in rule.fields and cell.refused is None and part.field.name not in fixed
            else cell
            for part, cell in zip(policy.fields, cells, strict=True)
        ]
    return cells


def _broken(cell: Cell, part: FieldPolicy, index: int, why: str) -> Cell:
    value = cell.value if part.keep else None
    return msgspec.structs.replace(cell, value=value, rule=f"rules.{index}", refused=why)


def _why(rule: Rule, values: Mapping[str, Any]) -> str:
    named = ", ".join(f"{name} is {shown(values.get(name))}" for name in rule.fields)
    return f"breaks the rule {rule.text} ({named})"


# --- for people ------------------------------------------------------------------------------------------


def verdicts(answer: Answer, part: FieldPolicy, day: date) -> Iterator[tuple[str, str, str | None]]:
    """Yield each rule that one field of an answer is held to: its name, what it asks, and why it refuses (or None)."""
    basis = basis_of(part.field.basis, by_field(answer))
    try:
        value = coerce(_said(answer, part.field), part.field.type, part.nulls)
    except CoercionError as error:
        yield "type", part.field.type.kind, str(error)
        return
    if part.required:
        yield "required", "a value", "required, and not found" if value is None else None
    if value is not None:
        counted = _counted(basis, part)
        for check in part.checks:
            yield check.rule, check.asks, check.refuse(value, basis, counted, day)


def refusals(cells: Sequence[Cell], fields: Sequence[Field]) -> list[str]:
    """Return why each refused value of a row does not count, field by field."""
    return [
        f"{field.name}: {cell.refused}"
        for field, cell in zip(fields, cells, strict=True)
        if cell.refused is not None
    ]
