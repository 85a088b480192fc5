"""Answers in which there is nothing to decide: every value of its type and accepted, read straight into a row's values.

Most answers are such. `quick` gives what `rowcite.resolve` and the merge make of them, at a third of the cost, or None for
everything else: it never decides anything itself (`tests/unit/test_quick.py` holds the two against each other).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import msgspec

from rowcite.model import FieldBasis
from rowcite.schema import Field
from rowcite.standard import FieldStandard, Standard
from rowcite.wire import mended

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TYPES: dict[str, Any] = {
    "string": str | None,
    "integer": Whole | None,
    "number": float | None,
    "boolean": bool | None,
}
_EXACT = float(2**53)
"""Above it a whole number may be no float."""

Said = list[tuple[Any, FieldBasis]]


class Quick:
    """Reads answers for one spec. `day` is the day that the age of evidence counts from."""

    def __init__(self, standard: Standard, day: date) -> None:
        self._parts, self._day = standard.fields, day
        shapes = [_shape(part.field) for part in standard.fields]
        self._decode: Callable[[bytes], Any] | None = None
        if not standard.rules and None not in shapes:
            self._decode = _decoder([part.field.name for part in standard.fields], shapes)
        self._longest = max((len(text) for part in standard.fields for text in part.nulls), default=0)

    def read(self, output: bytes) -> Said | None:
        """Return each field's value and evidence, in the fields' order; None when something has to be decided."""
        if self._decode is None or b'""' in output or b'"_basis"' in output:
            return None
        try:
            read = self._decode(mended(output))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if read.type == "text":
            return None
        bases = {basis.field: basis for basis in read.basis}
        if len(bases) != len(read.basis):
            return None
        said: Said = []
        for part, value in zip(self._parts, msgspec.structs.astuple(read.content), strict=True):
            basis = bases.get(part.field.name)
            if basis is None:
                if any(name.startswith(part.field.name + ".") for name in bases):
                    return None
                basis = FieldBasis(part.field.name)
            if not self._is_plain(value, part, basis):
                return None
            said.append((value, basis))
        return said

    def _is_plain(self, value: Any, part: FieldStandard, basis: FieldBasis) -> bool:
        if value is None:
            return not part.required
        if isinstance(value, str):
            if not self._is_text(value, part):
                return False
        elif isinstance(value, float):
            if not -_EXACT < value < _EXACT:
                return False
        elif isinstance(value, list) and not all(self._is_text(item, part) for item in value):
            return False
        if not part.checks:
            return True
        if part.distrusted is not None:
            return False
        return all(check.refuse(value, basis, basis.citations, self._day) is None for check in part.checks)

    def _is_text(self, text: str, part: FieldStandard) -> bool:
        """Tell whether a text stands for itself: it does not mean null, and is one of the choices if there are any."""
        short = len(text) <= self._longest or text[0].isspace() or text[-1].isspace()
        if short and text.strip().lower() in part.nulls:
            return False
        return not part.field.type.choices or text in part.field.type.choices


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
        [(attribute, shape, None) for attribute, shape in zip(attributes, shapes, strict=True)],
        rename=dict(zip(attributes, names, strict=True)),
        gc=False,
    )
    output = msgspec.defstruct(
        "Output", [("content", content), ("basis", list[FieldBasis]), ("type", str, "")], gc=False
    )
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(output).decode
    return decode
