"""A spec file or a dict to a frozen `Spec`: all problems reported at once, each at its line and column."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from rowcite.errors import Problem, SpecError
from rowcite.pipeline.spec_checks import spec_problems
from rowcite.spec import read_limits, yaml_positions
from rowcite.spec.accept_models import RENAMED_ACCEPT_KEYS
from rowcite.spec.models import Format, Spec
from rowcite.spec.problems import OWN_KEYS, unknown_key, valid_keys, validation_problems
from rowcite.spec.yaml_positions import Document
from rowcite.spec.yaml_positions import Path as YamlPath

_IS_A_TABLE = "this looks like a table, not a spec. Give the YAML file of a spec, and name the table in it: `input: {path: ...}`"
_TABLE = re.compile(rf"\.({'|'.join(get_args(Format))})(\.gz|\.zst)?\Z", re.IGNORECASE)


def load_spec(path: str | Path, *, environ: Mapping[str, str] | None = None) -> Spec:
    """Return the spec of a YAML file. `environ` has the values of `${VAR}`; the default is the environment.

    Raises:
        SpecError: the file cannot be read, or the spec is wrong: all problems at once.
    """
    file = Path(path)
    if _TABLE.search(file.name) and file.is_file():
        raise SpecError(str(file), [Problem(_IS_A_TABLE)])
    try:
        text = _text_of(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        if isinstance(error, UnicodeDecodeError):
            reason = "it is not UTF-8 text: save it as UTF-8"
        raise SpecError(str(file), [Problem(f"cannot read the spec: {reason}")]) from error
    document = yaml_positions.load(text, str(file), _variables(environ))
    return _build(document, str(file), file.parent)


def _variables(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return the environment by default. As the default of an argument it would be in `help()`, with the secrets in it."""
    return os.environ if environ is None else environ


def _text_of(file: Path) -> str:
    """Return a file's text; raise `ValueError` if it exceeds the limit for a spec or a schema."""
    with file.open("rb") as raw:
        data = raw.read(read_limits.SPEC + 1)
    if len(data) > read_limits.SPEC:
        raise ValueError(f"it has more than {read_limits.size(read_limits.SPEC)}, the limit of a spec")
    return data.decode("utf-8-sig")


def parse_spec(
    value: Mapping[str, Any], *, folder: str | Path = ".", environ: Mapping[str, str] | None = None
) -> Spec:
    """Return the spec of a dict, with paths relative to `folder`. `${VAR}` is replaced as in a file.

    Raises:
        SpecError: the spec is wrong: all problems at once.
    """
    document = yaml_positions.from_python(value, _variables(environ))
    if not isinstance(document.value, dict):
        raise SpecError(
            "<spec>", [Problem("a spec is a mapping of keys to values, such as {'name': 'accounts'}")]
        )
    return _build(document, "<spec>", Path(folder))


def _build(document: Document, file: str, folder: Path) -> Spec:
    renamed, ambiguous = _rename_old_keys(document)
    problems = [*document.problems, *ambiguous, *_read_schema(document, folder)]
    reported = {(problem.line, problem.column) for problem in document.problems if problem.line}
    value = document.value
    problems += [
        unknown_key(document, (name,), valid_keys((name,))) for name in sorted(OWN_KEYS & value.keys())
    ]
    try:
        about = {"folder": folder, "file": file, "marks": document.values, "written": document.written}
        spec = Spec.model_validate({**value, **about, "renamed_keys": [item.at(file) for item in renamed]})
    except ValidationError as error:
        found = validation_problems(error, document)
        problems += [problem for problem in found if (problem.line, problem.column) not in reported]
        raise SpecError(file, _distinct(problems)) from None
    problems += [document.problem(path, message) for path, message in spec_problems(spec)]
    if problems:
        raise SpecError(file, _distinct(problems))
    return spec


def _rename_old_keys(document: Document) -> tuple[list[Problem], list[Problem]]:
    """Give keys with an old name their new one; return a warning for each, and a problem for each that has both."""
    warnings: list[Problem] = []
    ambiguous: list[Problem] = []
    for path, keys in _accept_mappings(document.value):
        for old, new in RENAMED_ACCEPT_KEYS.items():
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


def _accept_mappings(value: dict[str, Any]) -> Iterator[tuple[YamlPath, dict[str, Any]]]:
    accept = value.get("accept")
    if not isinstance(accept, dict):
        return
    yield ("accept",), accept
    fields = accept.get("fields")
    for name, terms in fields.items() if isinstance(fields, dict) else ():
        if isinstance(terms, dict):
            yield ("accept", "fields", name), terms


def _read_schema(document: Document, folder: Path) -> Iterable[Problem]:
    """Replace the name of a file in `output: {json_schema: file}` by the JSON schema in it; yield its problems."""
    task = document.value.get("task")
    output = task.get("output") if isinstance(task, dict) else None
    name = output.get("json_schema") if isinstance(output, dict) else None
    if not isinstance(task, dict) or not isinstance(output, dict) or not isinstance(name, str):
        return
    path = ("task", "output", "json_schema")
    schema: Any = {"type": "object", "properties": {"unread": {}}}
    try:
        file = folder / os.path.expanduser(name)  # noqa: PTH111 - Path's raises for ~unknown
        read = yaml_positions.from_python(json.loads(_text_of(file)))
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


def _distinct(problems: Iterable[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))
