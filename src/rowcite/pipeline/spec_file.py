"""A spec file (or a dict) to a frozen `Spec`: every problem told at once, at its line and column."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from textwrap import shorten
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rowcite.errors import Problem, SpecError
from rowcite.pipeline.spec_checks import spec_problems
from rowcite.spec import read_limits, yaml_positions
from rowcite.spec.models import Format, Spec

_OWN = {name for name, field in Spec.model_fields.items() if field.exclude}  # where a spec was read, and how
_RENAMED = {"otherwise": "on_reject"}  # old and new names of keys of `accept` and of its fields
_TABLE = re.compile(rf"\.({'|'.join(get_args(Format))})(\.gz|\.zst)?\Z", re.IGNORECASE)


def load_spec(path: str | Path, *, environ: Mapping[str, str] = os.environ) -> Spec:
    """Read a spec file.

    Raises:
        SpecError: it cannot be read, or anything in it is wrong; all problems at once.
    """
    file = Path(path)
    if _TABLE.search(file.name) and file.is_file():
        raise SpecError(str(file), [Problem(_IS_A_TABLE)])
    try:
        text = _text_of(file)
    except (OSError, ValueError) as error:
        reason = (
            "is not UTF-8 text"
            if isinstance(error, UnicodeDecodeError)
            else getattr(error, "strerror", None) or error
        )
        raise SpecError(str(file), [Problem(f"cannot read the spec: {reason}")]) from error
    return _build(yaml_positions.load(text, str(file), environ), str(file), file.parent)


def _text_of(file: Path) -> str:
    """Return a file's text; raise `ValueError` when it is longer than a spec or a schema is."""
    with file.open("rb") as raw:
        data = raw.read(read_limits.SPEC + 1)
    if len(data) > read_limits.SPEC:
        raise ValueError(f"it has more than {read_limits.size(read_limits.SPEC)}, and a page or two is usual")
    return data.decode("utf-8-sig")


def parse_spec(
    value: Mapping[str, Any], *, folder: str | Path = ".", environ: Mapping[str, str] = os.environ
) -> Spec:
    """Build a spec from a dict, with relative paths relative to `folder`. `${VAR}` means what it means in a file.

    Raises:
        SpecError: anything in it is wrong; all problems at once.
    """
    document = yaml_positions.plain(value, environ)
    if not isinstance(document.value, dict):
        raise SpecError(
            "<spec>", [Problem("a spec is a mapping of keys to values, such as {'name': 'accounts'}")]
        )
    return _build(document, "<spec>", Path(folder))


def _build(document: yaml_positions.Marked, file: str, folder: Path) -> Spec:
    renamed, ambiguous = _rename_old_keys(document)
    problems = [*document.problems, *ambiguous, *_read_schema(document, folder)]
    told = {(problem.line, problem.column) for problem in document.problems if problem.line}
    value = document.value
    problems += [_unknown(document, (name,), _siblings((name,))) for name in sorted(_OWN & value.keys())]
    try:
        about = {"folder": folder, "file": file, "marks": document.values}
        spec = Spec.model_validate({**value, **about, "renamed_keys": [item.at(file) for item in renamed]})
    except ValidationError as error:
        found = _translate(error, document)
        problems += [problem for problem in found if (problem.line, problem.column) not in told]
        raise SpecError(file, _without_doubles(problems)) from None
    problems += [document.problem(path, message) for path, message in spec_problems(spec)]
    if problems:
        raise SpecError(file, _without_doubles(problems))
    return spec


_IS_A_TABLE = "this looks like a table, not a spec. Give the YAML file of a spec, and name the table in it: `input: {path: ...}`"


def _rename_old_keys(document: yaml_positions.Marked) -> tuple[list[Problem], list[Problem]]:
    """Give keys with an old name their new one; return a warning for each, and a problem for each that has both."""
    warnings: list[Problem] = []
    ambiguous: list[Problem] = []
    for path, keys in _accept_mappings(document.value):
        for old, new in _RENAMED.items():
            where, now = ".".join(map(str, (*path, old))), ".".join(map(str, (*path, new)))
            if old in keys and new in keys:
                message = f"`{where}` is the old name of `{now}`, and both are set: remove `{old}`"
                ambiguous.append(document.problem((*path, old), message, at_key=True))
                del keys[old]
            elif old in keys:
                message = f"`{where}` is now called `{now}`: rename it"
                warnings.append(document.problem((*path, old), message, at_key=True))
                document.rename_key((*path, old), new)
    return warnings, ambiguous


def _accept_mappings(value: dict[str, Any]) -> Iterator[tuple[yaml_positions.Path, dict[str, Any]]]:
    accept = value.get("accept")
    if not isinstance(accept, dict):
        return
    yield ("accept",), accept
    fields = accept.get("fields")
    for name, terms in fields.items() if isinstance(fields, dict) else ():
        if isinstance(terms, dict):
            yield ("accept", "fields", name), terms


def _read_schema(document: yaml_positions.Marked, folder: Path) -> Iterable[Problem]:
    """Put the JSON schema that `output: {json_schema: file}` names in the place of its name."""
    task = document.value.get("task")
    output = task.get("output") if isinstance(task, dict) else None
    name = output.get("json_schema") if isinstance(output, dict) else None
    if not isinstance(task, dict) or not isinstance(output, dict) or not isinstance(name, str):
        return
    path = ("task", "output", "json_schema")
    schema: Any = {"type": "object", "properties": {"unread": {}}}
    try:
        file = folder / os.path.expanduser(name)  # noqa: PTH111 - Path's raises for ~unknown
        read = yaml_positions.plain(json.loads(_text_of(file)))
        problems = [problem.message for problem in read.problems]
        if isinstance(read.value, dict) and not problems:
            schema = read.value
        elif not problems:
            problems = ["it is not a JSON object"]
    except RecursionError:
        problems = ["it is nested too deep"]
    except (OSError, ValueError) as error:
        problems = [getattr(error, "strerror", None) or str(error)]
    task["output"] = {**output, "json_schema": schema}
    yield from (
        document.problem(path, f"cannot read the JSON schema {name}: {problem}") for problem in problems
    )


def _without_doubles(problems: Iterable[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


_FIELDS_IN_OUTPUT = "`output` is one answer, and these look like fields: did you mean `outputs`?"


def _translate(error: ValidationError, document: yaml_positions.Marked) -> Iterable[Problem]:
    wanted: dict[tuple[yaml_positions.Path, str], list[str]] = {}
    for detail in error.errors(include_url=False):
        path = _real_path(detail["loc"], document.value)
        if detail["type"] == "extra_forbidden":
            siblings = _siblings(detail["loc"])
            field = isinstance(detail["input"], dict) and not get_close_matches(
                str(path[-1]), siblings, 1, 0.6
            )
            if path[:2] == ("task", "output") and field:
                yield document.problem(path[:2], _FIELDS_IN_OUTPUT, at_key=True)
            else:
                yield _unknown(document, path, siblings)
        elif detail["type"] == "missing":
            parent = ".".join(map(str, path[:-1])) or "the spec"
            yield document.problem(path[:-1], f"`{path[-1]}` is missing in {parent}")
        elif detail["type"] in _WANTED:
            wanted.setdefault((path, _shown(detail["input"], path, document)), []).append(
                _WANTED[detail["type"]]
            )
        else:
            yield document.problem(path, _words(detail, path, document))
    for (path, shown), kinds in wanted.items():
        either = " or ".join(dict.fromkeys(kinds))
        hint = ": put it in quotes" if kinds == ["a text"] and shown[0] in "-0123456789tf" else ""
        yield document.problem(path, f"`{'.'.join(map(str, path))}` is {shown}, but must be {either}{hint}")


_WANTED = {
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    "string_type": "a text",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
}


def _real_path(loc: tuple[int | str, ...], value: Any) -> yaml_positions.Path:
    """Drop what pydantic adds to a location (names of union members), keep what stands in the document."""
    path: list[int | str] = []
    for index, key in enumerate(loc):
        inside = isinstance(value, list) and isinstance(key, int) and key < len(value)
        if inside or (isinstance(value, dict) and key in value):
            value = value[key]
        elif index < len(loc) - 1 or not isinstance(value, dict):
            continue
        path.append(key)
    return tuple(path)


def _siblings(loc: tuple[int | str, ...]) -> Iterable[str]:
    """Return the names that are valid where the unknown one stands."""
    model: type[BaseModel] = Spec
    for key in loc[:-1]:
        field = model.model_fields.get(str(key))
        inner = next(_models(field.annotation), None) if field else None
        model = inner or model
    return [name for name in model.model_fields if name not in _OWN]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _unknown(document: yaml_positions.Marked, path: yaml_positions.Path, valid: Iterable[str]) -> Problem:
    name, valid = str(path[-1]), list(valid)
    near = get_close_matches(name, valid, 1, 0.6)
    hint = f"did you mean `{near[0]}`?" if near else f"valid here: {', '.join(valid)}"
    where = f" in `{'.'.join(map(str, path[:-1]))}`" if len(path) > 1 else ""
    return document.problem(path, f"unknown key `{name}`{where}: {hint}", at_key=True)


def _words(detail: Any, path: yaml_positions.Path, document: yaml_positions.Marked) -> str:
    name = ".".join(map(str, path))
    kind, ctx, value = detail["type"], detail.get("ctx", {}), detail["input"]
    shown = _shown(value, path, document)
    if kind == "value_error":
        return f"`{name}`: {ctx['error']}" if name else str(ctx["error"])
    if kind == "literal_error":
        near = get_close_matches(str(value), re.findall(r"'([^']*)'", ctx["expected"]), 1, 0.6)
        hint = f" (did you mean `{near[0]}`?)" if near else ""
        return f"`{name}` is {shown}, but must be {ctx['expected'].replace(chr(39), '`')}{hint}"
    if path == ("name",) and kind == "string_pattern_mismatch":
        return f"`name` is {shown}: it names a folder, so use letters, digits, - and _ (at most 100)"
    message = detail["msg"]
    return f"`{name}` is {shown}: {message[0].lower()}{message[1:]}"


def _shown(value: Any, path: yaml_positions.Path, document: yaml_positions.Marked) -> str:
    """Return a value as the spec's author knows it; nothing of what may be a secret."""
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
