"""The expressions of rules: a syntax tree to a type and a function. Pure.

Any node that is not handled here is an error. Nulls propagate as in SQL.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from rowcite.spec.fields import FieldType
from rowcite.wording import nearest

Kind = str
"""The type of an expression: number, text, boolean, date, list, other (an object or JSON), null."""

Values = Mapping[str, Any]
Evaluate = Callable[[Values], Any]


class RuleError(ValueError):
    """A rule cannot be used."""


_DEEPEST = 50
_ANY = FieldType("string")
_KINDS = {
    "string": "text", "integer": "number", "number": "number", "boolean": "boolean", "date": "date", "array": "list",
}  # fmt: skip
SHOWN = {"text": "a text", "number": "a number", "boolean": "true or false", "date": "a date", "list": "a list",
          "other": "an object", "null": "null"}  # fmt: skip


class Reader:
    """Compiles nodes to a type and a function. `named` collects the fields that they name."""

    def __init__(self, types: dict[str, FieldType]) -> None:
        self.types = types
        self.named: dict[str, None] = {}

    def read(self, node: ast.expr, depth: int = 0) -> tuple[Kind, Evaluate]:
        """Return the type of a node, and the function that evaluates it.

        Raises:
            RuleError: the node is not supported, or its parts have types that do not match.
        """
        if depth > _DEEPEST:
            raise RuleError(f"it is nested more than {_DEEPEST} levels deep")
        match node:
            case ast.Name():
                return self._name(node.id)
            case ast.Constant():
                return _constant(node.value)
            case ast.BoolOp():
                return self._all_or_any(node, depth)
            case ast.UnaryOp():
                return self._unary(node, depth)
            case ast.BinOp():
                return self._arithmetic(node, depth)
            case ast.Compare():
                return self._comparison(node, depth)
            case ast.Call():
                return self._call(node, depth)
        raise RuleError(f"`{_source(node)}` is not supported in rules")

    def _name(self, name: str) -> tuple[Kind, Evaluate]:
        if name in ("null", "true", "false") and name not in self.types:
            return _constant({"null": None, "true": True, "false": False}[name])
        return self._field(name)

    def _field(self, name: str) -> tuple[Kind, Evaluate]:
        if name not in self.types:
            near = nearest(name, self.types)
            hint = f"did you mean `{near}`?" if near else f"fields: {', '.join(self.types)}"
            raise RuleError(f"`{name}` is not a field: {hint}")
        self.named[name] = None
        return _KINDS.get(self.types[name].kind, "other"), lambda values: values.get(name)

    def _all_or_any(self, node: ast.BoolOp, depth: int) -> tuple[Kind, Evaluate]:
        parts = [self._truth(part, depth) for part in node.values]
        stops = isinstance(node.op, ast.Or)  # a true operand decides an `or`, a false one an `and`

        def evaluate(values: Values) -> Any:
            found: bool | None = not stops
            for part in parts:
                value = part(values)
                if value is stops:
                    return stops
                if value is None:
                    found = None
            return found

        return "boolean", evaluate

    def _truth(self, node: ast.expr, depth: int) -> Evaluate:
        kind, evaluate = self.read(node, depth + 1)
        if kind not in ("boolean", "null"):
            raise RuleError(f"`{_source(node)}` is {SHOWN[kind]}, not true or false")
        return evaluate

    def _unary(self, node: ast.UnaryOp, depth: int) -> tuple[Kind, Evaluate]:
        if isinstance(node.op, ast.Not):
            inner = self._truth(node.operand, depth)
            return "boolean", lambda values: None if (value := inner(values)) is None else not value
        if not isinstance(node.op, ast.USub | ast.UAdd):
            raise RuleError(f"`{_source(node)}` is not supported in rules")
        number, sign = self._number(node.operand, depth), -1 if isinstance(node.op, ast.USub) else 1
        return "number", lambda values: None if (value := number(values)) is None else sign * value

    def _number(self, node: ast.expr, depth: int) -> Evaluate:
        kind, evaluate = self.read(node, depth + 1)
        if kind not in ("number", "null"):
            raise RuleError(f"`{_source(node)}` is {SHOWN[kind]}, not a number: arithmetic needs numbers")
        return evaluate

    def _arithmetic(self, node: ast.BinOp, depth: int) -> tuple[Kind, Evaluate]:
        compute = _ARITHMETIC.get(type(node.op))
        if compute is None:
            raise RuleError(f"`{_source(node)}`: rules support the operators + - * / // and % only")
        left, right = self._number(node.left, depth), self._number(node.right, depth)

        def evaluate(values: Values) -> Any:
            a, b = left(values), right(values)
            return None if a is None or b is None else _finite(compute(a, b))

        return "number", evaluate

    def _comparison(self, node: ast.Compare, depth: int) -> tuple[Kind, Evaluate]:
        sides = [node.left, *node.comparators]
        steps = [
            self._step(left, op, right, depth)
            for left, op, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        if len(steps) == 1:
            return "boolean", steps[0]

        def evaluate(values: Values) -> bool | None:
            found = [step(values) for step in steps]
            return False if False in found else None if None in found else True

        return "boolean", evaluate

    def _step(self, left: ast.expr, op: ast.cmpop, right: ast.expr, depth: int) -> Evaluate:
        if isinstance(op, ast.In | ast.NotIn):
            return self._membership(left, right, depth, wanted=isinstance(op, ast.In))
        (kind, one), (other_kind, other) = self.read(left, depth + 1), self.read(right, depth + 1)
        if isinstance(op, ast.Is | ast.IsNot):
            if other_kind != "null":
                raise RuleError(f"`is` is only for null: write `{_source(left)} = {_source(right)}`")
            wanted = isinstance(op, ast.Is)
            return lambda values: (one(values) is None) is wanted
        kind, one, other = _alike(left, (kind, one), right, (other_kind, other))
        if not isinstance(op, ast.Eq | ast.NotEq) and kind not in ("number", "text", "date"):
            raise RuleError(f"`{_source(left)}` is {SHOWN[kind]}: it can only be compared with = and <>")
        if isinstance(op, ast.Eq | ast.NotEq):
            self._check_choice(right, self._type_of(left))
            self._check_choice(left, self._type_of(right))
        compare = _COMPARISONS[type(op)]

        def evaluate(values: Values) -> bool | None:
            a, b = one(values), other(values)
            return None if a is None or b is None else bool(compare(a, b))

        return evaluate

    def _membership(self, left: ast.expr, right: ast.expr, depth: int, *, wanted: bool) -> Evaluate:
        kind, one = self.read(left, depth + 1)
        if isinstance(right, ast.Tuple | ast.List | ast.Set | ast.Constant):  # `in ('a')` is a list in SQL
            parts = [right] if isinstance(right, ast.Constant) else right.elts
            choices = [self._choice(left, (kind, one), part, depth) for part in parts]
            among: Evaluate = lambda _: choices  # noqa: E731 - the other branch assigns it too
        else:
            listed, among = self.read(right, depth + 1)
            if listed != "list":
                raise RuleError(
                    f"`{_source(right)}` is {SHOWN[listed]}, and `in` needs a list such as ('a', 'b')"
                )
            if (items := self._type_of(right).items) is not None:
                self._check_choice(left, items)
                place = ast.Name(f"an element of {_source(right)}")
                _, one, _ = _alike(left, (kind, one), place, (_KINDS.get(items.kind, "other"), among))

        def evaluate(values: Values) -> bool | None:
            value, found = one(values), among(values)
            return None if value is None or found is None else (value in found) is wanted

        return evaluate

    def _choice(self, left: ast.expr, one: tuple[Kind, Evaluate], part: ast.expr, depth: int) -> Any:
        if any(isinstance(inner, ast.Name) and inner.id in self.types for inner in ast.walk(part)):
            raise RuleError(f"`{_source(part)}` in a list: a list has values only. Use `=` to compare fields")
        _, _, other = _alike(left, one, part, self.read(part, depth + 1))
        self._check_choice(part, self._type_of(left))
        return other({})

    def _type_of(self, node: ast.expr) -> FieldType:
        """Return the type of the field that a node names; that of a text for any other node."""
        match node:
            case ast.Name(name) | ast.Call(ast.Name("field"), [ast.Constant(str(name))]):
                return self.types.get(name, _ANY)
        return _ANY

    def _check_choice(self, node: ast.expr, kind: FieldType) -> None:
        """Raise RuleError if a text that is compared with a choice is none: it would equal no value."""
        if kind.choices and isinstance(node, ast.Constant) and node.value not in kind.choices:
            near = nearest(str(node.value), kind.choices)
            hint = f"did you mean '{near}'?" if near else f"choices: {', '.join(kind.choices)}"
            raise RuleError(f"`{_source(node)}` is not a choice of the field: {hint}")

    def _call(self, node: ast.Call, depth: int) -> tuple[Kind, Evaluate]:
        name = node.func.id if isinstance(node.func, ast.Name) else _source(node.func)
        listed = ("field", *_FUNCTIONS)
        if name not in listed:
            near = nearest(name, listed)
            hint = (
                f"did you mean {near}()?" if near else f"functions: {', '.join(f'{one}()' for one in listed)}"
            )
            raise RuleError(f"{name}() is not a function of rules: {hint}")
        if len(node.args) != 1 or node.keywords:
            raise RuleError(f"{name}() takes one value")
        if name == "field":
            quoted = node.args[0]
            if not (isinstance(quoted, ast.Constant) and isinstance(quoted.value, str)):
                raise RuleError("field() takes a field's name in quotes")
            return self._field(quoted.value)
        takes, gives, compute = _FUNCTIONS[name]
        kind, inner = self.read(node.args[0], depth + 1)
        if kind not in (*takes, "null"):
            either = " or ".join(SHOWN[one] for one in takes)
            raise RuleError(f"{name}() takes {either}, and `{_source(node.args[0])}` is {SHOWN[kind]}")
        return gives, lambda values: None if (value := inner(values)) is None else compute(value)


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, tuple[tuple[Kind, ...], Kind, Callable[[Any], Any]]] = {
    "len": (("text", "list"), "number", len),
    "lower": (("text",), "text", str.lower),
    "abs": (("number",), "number", abs),
    "year": (("date",), "number", lambda day: day.year),
}


def _finite(number: Any) -> Any:
    return number if math.isfinite(number) else None


def _constant(value: Any) -> tuple[Kind, Evaluate]:
    kinds: dict[type, Kind] = {
        type(None): "null",
        bool: "boolean",
        int: "number",
        float: "number",
        str: "text",
    }
    kind = kinds.get(type(value))
    if kind is None:
        raise RuleError(f"`{value!r}` is not a supported value")
    return kind, lambda _: value


def _alike(
    left: ast.expr, one: tuple[Kind, Evaluate], right: ast.expr, other: tuple[Kind, Evaluate]
) -> tuple[Kind, Evaluate, Evaluate]:
    """Return the common type of two operands, and their functions; a text compared with a date is parsed as a date."""
    (kind, a), (other_kind, b) = one, other
    if kind == "date" and other_kind == "text" and isinstance(right, ast.Constant):
        other_kind, b = "date", _date(right.value)
    elif other_kind == "date" and kind == "text" and isinstance(left, ast.Constant):
        kind, a = "date", _date(left.value)
    if "null" in (kind, other_kind):
        side = _source(left) if other_kind == "null" else _source(right)
        raise RuleError(f"no value equals null: write `{side} is null` or `{side} is not null`")
    if kind != other_kind:
        raise RuleError(f"`{_source(left)}` is {SHOWN[kind]} and `{_source(right)}` is {SHOWN[other_kind]}")
    return kind, a, b


def _date(text: Any) -> Evaluate:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise RuleError(f"`{text}` is compared with a date, but is not one (YYYY-MM-DD)") from None
    return lambda _: day


def _source(node: ast.AST) -> str:
    try:
        text = ast.unparse(node)
    except RecursionError:
        text = "..."
    return text if len(text) <= 60 else f"{text[:57]}..."
