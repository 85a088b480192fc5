"""Pydantic's validation errors as problems of a spec: at the line of the key, with the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import shorten
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rowcite.errors import Problem
from rowcite.spec.models import Spec
from rowcite.spec.yaml_positions import Document, Path
from rowcite.wording import did_you_mean, nearest

OWN_KEYS = frozenset(name for name, field in Spec.model_fields.items() if field.exclude)
"""Attributes of a spec that are not keys: its file, its folder, its positions."""
_FIELDS_IN_OUTPUT = "`output` is one answer, and these look like fields: did you mean `outputs`?"

_NAMED: tuple[Path, ...] = (("task", "inputs"), ("task", "outputs"))
_INPUT = 3  # the length of the path of an input
_ONLY_KEYS: dict[Path, str] = {
    ("input",): "path",
    ("output",): "path",
    ("cache",): "max_age",
    ("local",): "corpus",
    ("task", "inputs", "*"): "column",
}
"""The key that a plain value in place of a mapping stands for."""


def validation_problems(error: ValidationError, document: Document) -> Iterator[Problem]:
    """Yield a validation error's problems, each at its position, with what is wrong and what would be right."""
    mismatches: dict[tuple[Path, str], list[str]] = {}
    for detail in error.errors(include_url=False):
        path = _document_path(detail["loc"], document.value)
        if detail["type"] == "extra_forbidden":
            yield _extra_key(detail, path, document)
        elif detail["type"] == "missing":
            parent = ".".join(map(str, path[:-1])) or "the spec"
            yield document.problem(path[:-1], f"`{path[-1]}` is missing in {parent}")
        elif detail["type"] in _TYPES:
            shown = _shown(detail["input"], path, document)
            mismatches.setdefault((path, shown), []).append(_TYPES[detail["type"]])
        else:
            yield document.problem(path, _message(detail, path, document))
    for (path, shown), types in mismatches.items():
        either = " or ".join(dict.fromkeys(types))
        name, hint = ".".join(map(str, path)), _form_to_write(path, shown, types)
        yield document.problem(path, f"`{name}` is {shown}, but must be {either}{hint}")


def _form_to_write(path: Path, shown: str, types: list[str]) -> str:
    """Return what to write in place of a value of another type; nothing if that is not known."""
    if types == ["a text"] and shown[0] in "-0123456789tf":
        return ": put it in quotes"
    text = shown[1:-1] if re.fullmatch(r"'\w[\w./ -]*'", shown) else shown
    if types == ["a list"] and shown.startswith("'"):
        return f": write [{text}]"
    key = _ONLY_KEYS.get((*path[:2], "*") if len(path) == _INPUT else path)
    if types == ["a mapping"] and shown.startswith("'") and key:
        return f": write {{{key}: {text}}}"
    if types == ["a mapping"] and shown == "a list" and path in _NAMED:
        return ": write each item as a key, `name: ...` without -"
    return ""


def unknown_key(document: Document, path: Path, valid: Iterable[str]) -> Problem:
    """Return the problem of a key that is not among the valid ones, with the nearest of them."""
    name, valid = str(path[-1]), list(valid)
    near = nearest(name, valid)
    hint = f"did you mean `{near}`?" if near else f"valid here: {', '.join(valid)}"
    where = f" in `{'.'.join(map(str, path[:-1]))}`" if len(path) > 1 else ""
    return document.problem(path, f"unknown key `{name}`{where}: {hint}", at_key=True)


def valid_keys(loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are valid beside the last one of a location."""
    model: type[BaseModel] = Spec
    for key in loc[:-1]:
        field = model.model_fields.get(str(key))
        inner = next(models_in(field.annotation), None) if field else None
        model = inner or model
    return [name for name in model.model_fields if name not in OWN_KEYS]


def _extra_key(detail: Any, path: Path, document: Document) -> Problem:
    valid = valid_keys(detail["loc"])
    is_field = isinstance(detail["input"], dict) and nearest(str(path[-1]), valid) is None
    if path[:2] == ("task", "output") and is_field:
        return document.problem(path[:2], _FIELDS_IN_OUTPUT, at_key=True)
    return unknown_key(document, path, valid)


_TYPES = {
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    "string_type": "a text",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
}


def _document_path(loc: tuple[int | str, ...], value: Any) -> Path:
    """Return a location without the names of union members, which pydantic adds and the document does not have."""
    path: list[int | str] = []
    for index, key in enumerate(loc):
        inside = isinstance(value, list) and isinstance(key, int) and key < len(value)
        if inside or (isinstance(value, dict) and key in value):
            value = value[key]
        elif index < len(loc) - 1 or not isinstance(value, dict):
            continue
        path.append(key)
    return tuple(path)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a key's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def _message(detail: Any, path: Path, document: Document) -> str:
    name = ".".join(map(str, path))
    kind, ctx, value = detail["type"], detail.get("ctx", {}), detail["input"]
    shown = _shown(value, path, document)
    if kind == "value_error":
        message = str(ctx["error"])
        if message.startswith("must be"):
            return f"`{name}` is {shown}, but {message}"
        return f"`{name}`: {message}" if name else message
    if kind == "literal_error":
        hint = did_you_mean(str(value), re.findall(r"'([^']*)'", ctx["expected"]))
        return f"`{name}` is {shown}, but must be {ctx['expected'].replace(chr(39), '`')}{hint}"
    if path == ("name",) and kind == "string_pattern_mismatch":
        return f"`name` is {shown}: it names a folder, so use letters, digits, - and _ (at most 100)"
    message = detail["msg"]
    return f"`{name}` is {shown}: {message[0].lower()}{message[1:]}"


def _shown(value: Any, path: Path, document: Document) -> str:
    """Return a value as it is written in the spec, without anything that may be a secret."""
    value = document.written.get(path, value)
    if "mcp_servers" not in path:
        if value is None or isinstance(value, bool):
            return "null" if value is None else str(value).lower()
        if isinstance(value, (str, int, float)):
            return shorten(repr(value), 80, placeholder=" ...") if len(repr(value)) > 80 else repr(value)
    return _KINDS.get(type(value), f"a {type(value).__name__}")


_KINDS = {
    dict: "a mapping",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    type(None): "null",
}
