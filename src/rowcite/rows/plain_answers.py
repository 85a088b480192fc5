"""Answers in which there is nothing to decide: every value of its type and accepted, read straight into a row's values.

Most answers are such. `quick` gives what `rowcite.rows.resolve` and the merge make of them, at a third of the cost, or None for
everything else: it never decides anything itself (`tests/unit/test_quick.py` holds the two against each other).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec.structs import astuple

from rowcite.accept.policy import AcceptancePolicy, FieldPolicy
from rowcite.api.bodies import replace_lone_surrogates
from rowcite.model import Citation, FieldBasis
from rowcite.spec.fields import Field

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TYPES: dict[str, Any] = {
    "string": str | None,
    "integer": Whole | None,
    "number": float | None,
    "boolean": bool | None,
}
_EXACT = float(2**53)
"""Above it a whole number may be no float."""

_OLDER = "_basis"  # where an older shape of the API keeps its evidence
Cite = Callable[[Sequence[Citation]], Any]


class FastDecoder:
    """Reads answers for one spec.

    `day` is the day that the age of evidence counts from. `text_of` makes text of a list where lists are no values of the
    table; `cite` makes the cell of some citations. `confidence`, `cite` and `reasoning` say which cells a value brings along.
    """

    def __init__(  # noqa: PLR0913 - what a row is made of
        self,
        policy: AcceptancePolicy,
        day: date,
        *,
        text_of: Callable[[Any], str] | None = None,
        confidence: bool = True,
        cite: Cite | None = None,
        reasoning: bool = False,
    ) -> None:
        self._day, self._text_of = day, text_of
        self._confidence, self._cite, self._reasoning = confidence, cite, reasoning
        shapes = [_shape(part.field) for part in policy.fields]
        self._decode: Callable[[bytes], Any] | None = None
        if (
            not policy.rules
            and None not in shapes
            and all(part.field.name != _OLDER for part in policy.fields)
        ):
            self._decode = _decoder([part.field.name for part in policy.fields], shapes)
        self._longest = max((len(text) for part in policy.fields for text in part.nulls), default=0)
        self._parts = [(part, part.field.name, part.field.type.choices) for part in policy.fields]

    def read(self, output: bytes) -> list[Any] | None:
        """Return the values of a row's columns, field by field; None when something has to be decided."""
        read = self._decoded(output)
        if read is None:
            return None
        content, bases = read
        text_of, cite, confidence = self._text_of, self._cite, self._confidence
        record: list[Any] = []
        for (part, name, choices), value in zip(self._parts, content, strict=False):
            basis = bases.get(name)
            if basis is None:
                if any(other.startswith(name + ".") for other in bases):
                    return None
                basis = FieldBasis(name)
            if part.required if value is None else not self._counts(value, part, choices, basis):
                return None
            sure = basis.confidence
            if sure == "" or any(not citation.url for citation in basis.citations):
                return None
            record.append(text_of(value) if text_of is not None and type(value) is list else value)
            if confidence:
                record.append(sure if sure is None or type(sure) is str else str(sure))
            if cite is not None:
                record.append(cite(basis.citations))
            if self._reasoning:
                record.append(basis.reasoning or None)
        return record

    def _decoded(self, output: bytes) -> tuple[tuple[Any, ...], dict[str, FieldBasis]] | None:
        """Return the fields' values, and the evidence by field; None for an answer of another shape."""
        if self._decode is None:
            return None
        try:
            read = self._decode(replace_lone_surrogates(output))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        bases = {basis.field: basis for basis in read.basis}
        content = astuple(read.content)
        if read.type == "text" or len(bases) != len(read.basis) or content[-1] is not None:
            return None
        return content, bases

    def _counts(self, value: Any, part: FieldPolicy, choices: tuple[str, ...], basis: FieldBasis) -> bool:
        """Tell whether a value stands for itself and is accepted."""
        kind = type(value)
        if kind is str:
            if not value or (choices and value not in choices):
                return False
            # Only what is short, or has spaces around it, can be a text that means null.
            short = len(value) <= self._longest or value[0].isspace() or value[-1].isspace()
            if short and value.strip().lower() in part.nulls:
                return False
        elif kind is float:
            if not -_EXACT < value < _EXACT:
                return False
        elif kind is list and any(not item or item.strip().lower() in part.nulls for item in value):
            return False
        if not part.checks:
            return True
        refused = (check.refuse(value, basis, basis.citations, self._day) for check in part.checks)
        return part.distrusted is None and all(reason is None for reason in refused)


def _shape(field: Field) -> Any:
    """Return the type that a field's plain values have in JSON, None for a field that has none."""
    if field.basis == "output":
        return None
    kind = field.type
    if kind.kind == "array":
        plain = kind.items is not None and kind.items.kind == "string" and not kind.items.choices
        return list[str] | None if plain else None
    return _TYPES.get(kind.kind)


def _decoder(names: list[str], shapes: list[Any]) -> Callable[[bytes], Any]:
    attributes = [f"f{number}" for number in range(len(names))]
    content = msgspec.defstruct(
        "Content",
        [
            *((attribute, shape, None) for attribute, shape in zip(attributes, shapes, strict=True)),
            ("older", Any, None),
        ],
        rename={**dict(zip(attributes, names, strict=True)), "older": _OLDER},
        gc=False,
    )
    output = msgspec.defstruct(
        "Output", [("content", content), ("basis", list[FieldBasis]), ("type", str, "")], gc=False
    )
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(output).decode
    return decode
