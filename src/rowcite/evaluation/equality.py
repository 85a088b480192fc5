"""Comparisons of a label with a found value, chosen by the field's type or by `eval` in the spec. Pure.

Identical values are equal whatever their normal form, and an empty normal form matches no value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from rowcite.evaluation import normal_forms
from rowcite.spec.accept_models import Comparison, EvalField
from rowcite.spec.fields import Field, FieldType

Same = Callable[[Any, Any], bool]
"""Return True if a label and a found value, neither of them None, are the same value."""


class ListMatch(NamedTuple):
    """A list compared with its label, as sets: the elements in both, those found only, and those in the label only."""

    right: int
    wrong: int
    missed: int


def comparison(field: Field, terms: EvalField) -> Same:
    """Return the comparison of a field. Of a list it compares the elements as sets."""
    kind = field.type
    if kind.kind == "array":
        element = _element(field)
        one = _comparison(element, terms)
        return lambda label, found: (
            match_lists(elements(label), elements(found), one) == ListMatch(len(elements(label)), 0, 0)
        )
    return _comparison(kind, terms)


def element_comparison(field: Field, terms: EvalField) -> Same:
    """Return the comparison of one element of a list field."""
    return _comparison(_element(field), terms)


def is_unreadable(field: Field, terms: EvalField, label: Any, nulls: Collection[str] = ()) -> bool:
    """Return True if a label cannot be read as its field, so that no value matches it.

    It is not the number, date or boolean of its field, none of its choices, or one of `nulls`, the texts that mean null in answers.
    """
    kind = field.type
    if label is None:
        return False
    if kind.kind == "array":
        return not elements(label)
    if kind.choices:
        same = comparison(field, terms)
        return not any(same(label, choice) for choice in kind.choices)
    if str(label).strip().lower() in nulls:
        return True
    if kind.kind == "integer":
        number = normal_forms.number(_without_points(label))
        return number is None or (terms.tolerance is None and number != number.to_integral_value())
    form = _TYPED.get(kind.kind)
    return form is not None and form(label) is None


def _without_points(label: Any) -> Any:
    """Return a label of whole numbers without points between thousands: 1.200 is not a whole number otherwise."""
    is_pointed = isinstance(label, str) and _POINTED.fullmatch(label.strip())
    return label.replace(".", "") if is_pointed else label


_POINTED = re.compile(r"[-+]?[1-9][0-9]{0,2}(\.[0-9]{3})+")


def _element(field: Field) -> FieldType:
    return field.type.items or FieldType("string")


def _comparison(kind: FieldType, terms: EvalField) -> Same:
    name = terms.compare or _BY_TYPE.get("enum" if kind.choices else kind.kind, "exact")
    same = _SAME[name]
    if name in ("number", "money") and terms.tolerance is not None:
        same = partial(_within, tolerance=terms.tolerance, money=name == "money")
    if name == "phone":
        same = _equal_forms(partial(normal_forms.phone, region=terms.region))
    if kind.kind == "integer":
        return lambda label, found: _either(same, _without_points(label), found)
    return partial(_either, same)


def _either(same: Same, label: Any, found: Any) -> bool:
    return _identical(label, found) or same(label, found)


def _identical(label: Any, found: Any) -> bool:
    if isinstance(label, str) and isinstance(found, str):
        return label.strip() == found.strip() != ""
    return type(label) is type(found) and bool(label == found)


def _equal_forms(form: normal_forms.Form) -> Same:
    def same(label: Any, found: Any) -> bool:
        first = form(label)
        return first not in (None, "") and first == form(found)

    return same


def _shared_form(forms: Callable[[Any], tuple[str, ...]]) -> Same:
    return lambda label, found: any(form and form in forms(found) for form in forms(label))


def _same_money(label: Any, found: Any) -> bool:
    return _within(label, found, tolerance=0.0, money=True)


def _within(label: Any, found: Any, *, tolerance: float, money: bool) -> bool:
    """Return True if two numbers differ by at most a share of the label. Currencies count only if both values name one."""
    first, second = normal_forms.money(label), normal_forms.money(found)
    if first is None or second is None:
        return False
    if money and first[1] and second[1] and first[1] != second[1]:
        return False
    return abs(first[0] - second[0]) <= abs(first[0]) * Decimal(str(tolerance))


def _same_date(label: Any, found: Any) -> bool:
    """Return True if the found date has the label's year, and its month and day as far as the label has them."""
    first, second = normal_forms.partial_date(label), normal_forms.partial_date(found)
    return first is not None and second is not None and second[: len(first)] == first


def _same_json(label: Any, found: Any) -> bool:
    return bool(_decoded(label) == _decoded(found))


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


_SAME: dict[Comparison, Same] = {
    "exact": _same_json,
    "text": _shared_form(normal_forms.texts),
    "company": _shared_form(normal_forms.companies),
    "url": _equal_forms(normal_forms.url),
    "domain": _equal_forms(normal_forms.domain),
    "phone": _equal_forms(normal_forms.phone),
    "country": _equal_forms(normal_forms.country),
    "state": _equal_forms(normal_forms.state),
    "number": _equal_forms(normal_forms.number),
    "money": _same_money,
    "date": _same_date,
    "boolean": _equal_forms(normal_forms.boolean),
}
_TYPED: dict[str, normal_forms.Form] = {
    "number": normal_forms.number,
    "date": normal_forms.partial_date,
    "boolean": normal_forms.boolean,
}
_BY_TYPE: dict[str, Comparison] = {
    "string": "text",
    "enum": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "object": "exact",
    "json": "exact",
}


# --- lists ------------------------------------------------------------------------------------------------


def elements(value: Any) -> list[Any]:
    """Return the elements of a list: native, JSON text, or texts separated by `;` or line ends."""
    decoded = _decoded(value)
    if isinstance(decoded, (list, tuple)):
        return [item for item in decoded if item is not None]
    parts = str(value).replace("\n", ";").split(";")
    return [part.strip() for part in parts if part.strip()]


def match_lists(label: Sequence[Any], found: Sequence[Any], same: Same) -> ListMatch:
    """Return how a list compares with its label. Each element counts once, however often it is written."""
    labels, finds = _distinct(label, same), _distinct(found, same)
    left = list(labels)
    right = 0
    for item in finds:
        place = next((at for at, other in enumerate(left) if same(other, item)), None)
        if place is not None:
            del left[place]
            right += 1
    return ListMatch(right, len(finds) - right, len(left))


def _distinct(values: Sequence[Any], same: Same) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if not any(same(other, value) for other in kept):
            kept.append(value)
    return kept
