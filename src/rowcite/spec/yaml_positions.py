"""YAML text to plain values, with the line and column of every one.

PyYAML's C parser gives the marks; what it would do beyond parsing is done here instead: scalars follow
YAML 1.2 (so `no` is a text and `012` is twelve), a repeated key is an error, `${VAR}` comes from the environment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rowcite.errors import Problem, SpecError
from rowcite.spec import read_limits

Path = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]{1,400}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_UNSAYABLE = re.compile("[\x00\ud800-\udfff]")
_NOWHERE = (0, 0)
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_TOO_DEEP = f"nested more than {read_limits.SPEC_DEPTH} levels deep: this is no spec"
_TOO_MANY = f"more than {read_limits.SPEC_VALUES:,} values: this is no spec"
_TOO_LONG = f"more than {read_limits.SPEC_TEXT:,} characters, counted again at each alias and variable: this is no spec"


@dataclass(slots=True)
class Marked:
    """A YAML document: its value, and where each value and each key stands (line, column, from 1).

    `written` has the texts that name a variable as they are written: what a variable holds may be a secret.
    """

    value: Any
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    written: dict[Path, str] = field(default_factory=dict)

    def rename_key(self, path: Path, name: str) -> None:
        """Rename the key at `path`; what lies below it keeps its lines and columns."""
        parent = self.value
        for key in path[:-1]:
            parent = parent[key]
        parent[name] = parent.pop(path[-1])
        places: tuple[dict[Path, Any], ...] = (self.values, self.keys, self.written)
        for marks in places:
            for old in [old for old in marks if old[: len(path)] == path]:
                marks[*path[:-1], name, *old[len(path) :]] = marks.pop(old)

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """Return a problem that points at `path`, or at its nearest parent that stands in the text."""
        for end in range(len(path), -1, -1):
            mark = (self.keys if at_key else self.values).get(path[:end]) or self.values.get(path[:end])
            if mark:
                return Problem(message, *mark)
        return Problem(message)


def load(text: str, file: str, environ: Mapping[str, str]) -> Marked:
    """Parse one YAML document.

    Repeated keys and unset variables are collected in `problems`, so that they are told together
    with what else is wrong.

    Raises:
        SpecError: the text is not YAML at all, or holds no mapping.
    """
    try:
        _check_depth(text, file)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise SpecError(file, [_syntax_problem(error)]) from error
    if not isinstance(node, yaml.MappingNode):
        raise SpecError(
            file, [Problem("a spec is a mapping of keys to values, such as `name: accounts`", 1, 1)]
        )
    builder = _Builder(environ)
    builder.marked.value = builder.build(node, ())
    return builder.marked


def plain(value: Any, environ: Mapping[str, str] | None = None) -> Marked:
    """Take a Python value for a document without text: copied, and held to what a YAML one is held to.

    Without an `environ`, `${VAR}` is left as it is.
    """
    builder = _Builder(environ or {}, substitutes=environ is not None)
    builder.marked.value = builder.copy(value, ())
    return builder.marked


def _check_depth(text: str, file: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > read_limits.SPEC_DEPTH:
            mark = event.start_mark
            raise SpecError(
                file, [Problem(_TOO_DEEP, mark.line + 1, mark.column + 1) if mark else Problem(_TOO_DEEP)]
            )


def _syntax_problem(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return (
        Problem(f"not valid YAML: {what}", mark.line + 1, mark.column + 1)
        if mark
        else Problem(f"not valid YAML: {what}")
    )


class _Builder:
    """Walks the nodes once, filling a `Marked`."""

    def __init__(self, environ: Mapping[str, str], *, substitutes: bool = True) -> None:
        self.environ = environ
        self.marked = Marked(None)
        self.nodes = self.chars = 0
        self.told_depth = False
        self.substitutes = substitutes

    def build(self, node: yaml.Node, path: Path) -> Any:
        mark = (node.start_mark.line + 1, node.start_mark.column + 1)
        if self._too_much(path, *mark):
            return None
        self.marked.values[path] = mark
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, path, mark)

    def copy(self, value: Any, path: Path) -> Any:
        if self._too_much(path):
            return None
        if isinstance(value, Mapping):
            other = [key for key in value if not isinstance(key, str)]
            self._refuse(*(f"{_named(path)}the key {key!r} must be a text" for key in other))
            return {key: self.copy(item, (*path, key)) for key, item in value.items() if isinstance(key, str)}
        if isinstance(value, (list, tuple)):
            return [self.copy(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str):
            if self._too_long(len(value)):
                return None
            value = self._substitute(value, path, _NOWHERE) if self.substitutes else value
        return self._sayable(value, path)

    def _too_much(self, path: Path, *mark: int) -> bool:
        """Tell whether to stop here, and say why once."""
        self.nodes += 1
        if self.nodes == read_limits.SPEC_VALUES + 1:
            self._refuse(_TOO_MANY, mark=mark)
        if len(path) > read_limits.SPEC_DEPTH and not self.told_depth:
            self.told_depth = True
            self._refuse(_TOO_DEEP, mark=mark)
        return self.nodes > read_limits.SPEC_VALUES or len(path) > read_limits.SPEC_DEPTH

    def _too_long(self, more: int, *mark: int) -> bool:
        """Count characters; tell whether they are too many, and say so once."""
        before, self.chars = self.chars, self.chars + more
        if before <= read_limits.SPEC_TEXT < self.chars:
            self._refuse(_TOO_LONG, mark=mark)
        return self.chars > read_limits.SPEC_TEXT

    def _refuse(self, *messages: str, mark: tuple[int, ...] = ()) -> None:
        self.marked.problems += [Problem(message, *mark) for message in messages]

    def _sayable(self, value: Any, path: Path, *mark: int) -> Any:
        """Return a value that JSON and files can hold; refuse any other."""
        where = "" if mark else _named(path)
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse(f"{where}{value} is not a number that a spec can use", mark=mark)
            return None
        if isinstance(value, str) and _UNSAYABLE.search(value):
            self._refuse(
                f"{where}the text holds a NUL or half a surrogate pair, which no text can", mark=mark
            )
            return None
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self.marked.problems.append(Problem("a key must be a plain text", *mark))
                continue
            key = key_node.value
            if key in out:
                first = self.marked.keys[(*path, key)][0]
                self.marked.problems.append(
                    Problem(f"`{key}` stands here a second time (first on line {first}): remove one", *mark)
                )
                continue
            self.marked.keys[(*path, key)] = mark
            out[key] = self.build(value_node, (*path, key))
        return out

    def _scalar(self, node: yaml.ScalarNode, path: Path, mark: tuple[int, int]) -> Any:
        if node.tag not in _KNOWN_TAGS:
            self.marked.problems.append(
                Problem(f"tag {node.tag!r} is not used in specs: write a plain value", *mark)
            )
            return None
        if self._too_long(len(node.value), *mark):
            return None
        text = self._substitute(node.value, path, mark)
        return self._sayable(text if node.style else _resolve(text), path, *mark)

    def _substitute(self, text: str, path: Path, mark: tuple[int, int]) -> str:
        def value(match: re.Match[str]) -> str:
            name, default = match[1], match[2]
            if name is None:
                return "$"
            found = self.environ.get(name)
            if not found and default is not None:
                found = default  # as in a shell: `:-` serves for unset and for empty
            if found is None:
                self.marked.problems.append(
                    Problem(
                        f"${{{name}}} is not set: export {name}, or give a default: ${{{name}:-...}}", *mark
                    )
                )
                return ""
            return "" if self._too_long(len(found), *mark) else found

        if not _VARIABLE.search(text):
            return text
        self.marked.written[path] = text
        return _VARIABLE.sub(value, text)


_KNOWN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)


def _named(path: Path) -> str:
    return f"`{'.'.join(map(str, path))}`: " if path else ""


def _resolve(text: str) -> Any:
    """Read a plain scalar as YAML 1.2's core schema does."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text
