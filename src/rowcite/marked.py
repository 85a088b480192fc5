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

Path = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
# A spec is a page of text. Aliases of aliases can blow a page up to billions of values.
_MOST_NODES = 20_000


@dataclass(slots=True)
class Marked:
    """A YAML document: its value, and where each value and each key stands (line, column, from 1)."""

    value: Any
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

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
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise SpecError(file, [_syntax_problem(error)]) from error
    if not isinstance(node, yaml.MappingNode):
        raise SpecError(file, [Problem("a spec is a mapping of keys to values, such as `name: accounts`", 1, 1)])
    builder = _Builder(environ)
    builder.marked.value = builder.build(node, ())
    return builder.marked


def _syntax_problem(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Problem(f"not valid YAML: {what}", mark.line + 1, mark.column + 1) if mark else Problem(f"not valid YAML: {what}")


class _Builder:
    """Walks the nodes once, filling a `Marked`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.marked = Marked(None)
        self.nodes = 0

    def build(self, node: yaml.Node, path: Path) -> Any:
        self.nodes += 1
        mark = (node.start_mark.line + 1, node.start_mark.column + 1)
        if self.nodes > _MOST_NODES:
            if self.nodes == _MOST_NODES + 1:
                self.marked.problems.append(Problem(f"more than {_MOST_NODES:,} values: this is no spec", *mark))
            return None
        self.marked.values[path] = mark
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, mark)

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

    def _scalar(self, node: yaml.ScalarNode, mark: tuple[int, int]) -> Any:
        if node.tag not in _KNOWN_TAGS:
            self.marked.problems.append(Problem(f"tag {node.tag!r} is not used in specs: write a plain value", *mark))
            return None
        text = self._substitute(node.value, mark)
        return text if node.style else _resolve(text)

    def _substitute(self, text: str, mark: tuple[int, int]) -> str:
        def value(match: re.Match[str]) -> str:
            name, default = match[1], match[2]
            if name is None:
                return "$"
            found = self.environ.get(name)
            if not found and default is not None:
                found = default  # as in a shell: `:-` serves for unset and for empty
            if found is None:
                self.marked.problems.append(
                    Problem(f"${{{name}}} is not set: export {name}, or give a default: ${{{name}:-...}}", *mark)
                )
                return ""
            return found

        return _VARIABLE.sub(value, text) if "$" in text else text


_KNOWN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value"))


def _resolve(text: str) -> Any:
    """Read a plain scalar as YAML 1.2's core schema does."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text
