"""Plain answers, decoded straight into cells: every value has its field's JSON type and is accepted.

Most answers are plain. They resolve here at a fraction of the cost of `rowcite.rows.resolve`, which gives the same result:
`tests/unit/test_plain_answers.py` compares the two on generated specs and answers. Any other answer is left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec.structs import astuple

from rowcite.accept.evidence import Element, list_basis
from rowcite.accept.judge import Cell
from rowcite.accept.policy import AcceptancePolicy, FieldPolicy
from rowcite.api.bodies import decoded_leniently
from rowcite.model import FieldBasis, RowStatus, RunState, StoredRun
from rowcite.rows.resolve import ResolvedRow
from rowcite.spec.fields import Field

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TYPES: dict[str, Any] = {
    "string": str | None,
    "integer": _Int64 | None,
    "number": int | float | None,
    "boolean": bool | None,
}
_EXACT = 2**53
"""A float holds every whole number below it."""

_OLDER = "_basis"  # an older shape of the API keeps its evidence in a field of this name


class PlainAnswers:
    """Resolves plain answers under one policy. `day` is the day that the age of evidence counts from."""

    def __init__(self, policy: AcceptancePolicy, day: date) -> None:
        self._decode = _decoder(policy)
        self._fields = [_PlainField(part, day) for part in policy.fields]

    def resolve(self, run: StoredRun) -> ResolvedRow | None:
        """Return the row of a run with a plain answer, None for any other run."""
        if self._decode is None or not run.first or run.state is not RunState.COMPLETED or run.output is None:
            return None
        cells = self._cells(run.output, run.run_id or "", run.processor)
        if cells is None:
            return None
        run_ids = (run.run_id,) if run.run_id else ()
        return ResolvedRow(cells, RowStatus.COMPLETED, None, run_ids, (run.processor,))

    def _cells(self, output: bytes, run_id: str, processor: str) -> list[Cell] | None:
        decoded = self._decoded(output)
        if decoded is None:
            return None
        content, bases = decoded
        cells: list[Cell] = []
        for field, value in zip(self._fields, content, strict=False):
            basis: FieldBasis | None
            elements: tuple[Element, ...] = ()
            if field.is_list and value is not None:
                basis, elements = list_basis(field.name, bases, value)
            else:
                basis = bases.get(field.name) or _without_basis(field.name, bases)
            if basis is None or (
                field.required if value is None else not field.accepts(value, basis, elements)
            ):
                return None
            sure, reasoning = basis.confidence, basis.reasoning or None
            confidence = sure if sure is None or type(sure) is str else str(sure)
            typed = float(value) if field.is_number and value is not None else value
            cells.append(
                Cell(
                    typed,
                    confidence,
                    basis.citations,
                    reasoning,
                    None,
                    None,
                    value,
                    run_id,
                    processor,
                    elements,
                )
            )
        return cells

    def _decoded(self, output: bytes) -> tuple[tuple[Any, ...], dict[str, FieldBasis]] | None:
        """Return the fields' values, and the evidence by field; None for an answer of another shape."""
        assert self._decode is not None
        try:
            read = decoded_leniently(output, self._decode)
        except msgspec.DecodeError:
            return None
        bases = {basis.field: basis for basis in read.basis}
        content = astuple(read.content)
        if read.type == "text" or len(bases) != len(read.basis) or content[-1] is not None:
            return None
        return content, bases


class _PlainField:
    """One field's policy, laid out for speed."""

    __slots__ = (
        *("_checks", "_choices", "_day", "_element_checks", "_longest", "_nulls"),
        *("is_list", "is_number", "name", "required"),
    )

    def __init__(self, part: FieldPolicy, day: date) -> None:
        self.name, self.required = part.field.name, part.required
        self.is_number, self.is_list = part.field.type.kind == "number", part.field.type.kind == "array"
        self._choices, self._nulls, self._day = part.field.type.choices, part.nulls, day
        self._longest = max(map(len, part.nulls), default=0)
        self._checks = [check.reject for check in part.checks]
        self._element_checks = [check.reject for check in part.checks if check.for_each]

    def accepts(self, value: Any, basis: FieldBasis, elements: tuple[Element, ...]) -> bool:
        """Return True if a value of the field's JSON type needs no coercion and no check rejects it."""
        kind = type(value)
        if kind is str:
            if not value or (self._choices and value not in self._choices):
                return False
            # Only a short text, or one with spaces around it, can mean null.
            short = len(value) <= self._longest or value[0].isspace() or value[-1].isspace()
            if short and value.strip().lower() in self._nulls:
                return False
        elif kind is list:
            if not all(item and item.strip().lower() not in self._nulls for item in value):
                return False
        elif self.is_number and not -_EXACT < value < _EXACT:
            return False
        for check in self._checks:  # a generator takes half as long again
            if check(value, basis, basis.citations, self._day) is not None:
                return False
        return not elements or self._accepts_elements(value, elements)

    def _accepts_elements(self, value: list[str], elements: tuple[Element, ...]) -> bool:
        return all(
            check(value[at], basis, basis.citations, self._day) is None
            for at, basis, *_ in elements
            for check in self._element_checks
        )


def _without_basis(name: str, bases: dict[str, FieldBasis]) -> FieldBasis | None:
    """Return the empty basis of a field without one, None if the basis is spread over the field's parts."""
    return None if any(other.startswith(name + ".") for other in bases) else FieldBasis(name)


def _decoder(policy: AcceptancePolicy) -> Callable[[bytes], Any] | None:
    """Return the decoder of plain answers, None if no answer to these fields is plain."""
    names = [part.field.name for part in policy.fields]
    shapes = [_shape(part.field) for part in policy.fields]
    leaves_out_citations = any(part.distrusted is not None for part in policy.fields)
    if policy.rules or leaves_out_citations or None in shapes or _OLDER in names:
        return None
    attributes = [f"f{number}" for number in range(len(names))]
    members = [(attribute, shape, None) for attribute, shape in zip(attributes, shapes, strict=True)]
    rename = {**dict(zip(attributes, names, strict=True)), "older": _OLDER}
    content = msgspec.defstruct("Content", [*members, ("older", Any, None)], rename=rename, gc=False)
    output = msgspec.defstruct(
        "Output", [("content", content), ("basis", list[FieldBasis]), ("type", str, "")], gc=False
    )
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(output).decode
    return decode


def _shape(field: Field) -> Any:
    """Return the JSON type of a field's plain values, None for a field that has none."""
    if field.basis == "output":
        return None
    kind = field.type
    if kind.kind == "array":
        plain = kind.items is not None and kind.items.kind == "string" and not kind.items.choices
        return list[str] | None if plain else None
    return _TYPES.get(kind.kind)
