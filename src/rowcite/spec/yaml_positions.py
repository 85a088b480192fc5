"""YAML text to plain values, each with its line and column.

PyYAML's C parser gives the positions. Scalars follow YAML 1.2 (`no` is a text and `012` is twelve), a repeated key is an
error, `${VAR}` comes from the environment.
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
_INVALID_CHARS = re.compile("[\x00\ud800-\udfff]")
_NOWHERE = (0, 0)
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_TOO_DEEP = f"nested more than {read_limits.SPEC_DEPTH} levels deep, the limit of a spec"
_TOO_MANY = f"more than {read_limits.SPEC_VALUES:,} values, the limit of a spec"
_TOO_LONG = (
    f"more than {read_limits.SPEC_TEXT:,} characters, the limit of a spec (each alias and variable counts)"
)


@dataclass(slots=True)
class Document:
    """A YAML document: its value, and the position (line, column, from 1) of each value and each key.

    `written` has the texts with variables as they are in the file: the value of a variable may be a secret.
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
        """Return a problem at the position of `path`, or of its nearest parent with a position."""
        for end in range(len(path), -1, -1):
            mark = (self.keys if at_key else self.values).get(path[:end]) or self.values.get(path[:end])
            if mark:
                return Problem(message, *mark)
        return Problem(message)


def load(text: str, file: str, environ: Mapping[str, str]) -> Document:
    """Return one YAML document. Repeated keys and unset variables are in its `problems`.

    Raises:
        SpecError: the text is not YAML, or not a mapping.
    """
    try:
        _check_depth(text, file)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise SpecError(file, [_syntax_problem(error, text)]) from error
    if not isinstance(node, yaml.MappingNode):
        raise SpecError(
            file, [Problem("a spec is a mapping of keys to values, such as `name: accounts`", 1, 1)]
        )
    builder = _Builder(environ)
    builder.document.value = builder.build(node, ())
    return builder.document


def from_python(value: Any, environ: Mapping[str, str] | None = None) -> Document:
    """Return a copy of a Python value as a document without positions, under the same limits as a YAML text.

    Without `environ`, `${VAR}` is left as it is.
    """
    builder = _Builder(environ or {}, substitutes=environ is not None)
    builder.document.value = builder.copy(value, ())
    return builder.document


def _check_depth(text: str, file: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > read_limits.SPEC_DEPTH:
            mark = event.start_mark
            raise SpecError(
                file, [Problem(_TOO_DEEP, mark.line + 1, mark.column + 1) if mark else Problem(_TOO_DEEP)]
            )


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark is None:
        return Problem(f"not valid YAML: {what}")
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    hint = _syntax_hint(what, line, mark.column)
    return Problem(f"not valid YAML: {what}{hint}", mark.line + 1, mark.column + 1)


_INDENTED_BY_TAB = re.compile(r" *\t")
_VARIABLE_IN_FLOW = re.compile(r"""[{\[][^'"]*\$\{""")


def _syntax_hint(what: str, line: str, column: int) -> str:
    """Return what to do about an error in a line, as a sentence after it; empty if the error alone is clear."""
    if _INDENTED_BY_TAB.match(line):
        return ". The line begins with a tab: indent it with spaces"
    if "escape character" in what or "hexdec" in what:
        return ". In double quotes a backslash begins an escape: put the text in single quotes"
    if _VARIABLE_IN_FLOW.search(line[: column + 1]):
        return ". Inside of { } or [ ] put a text with ${...} in quotes"
    if "mapping values" in what:
        return '. Put a text that contains ": " in quotes, or correct the indentation'
    return ""


class _Builder:
    """Walks the nodes once and fills a `Document`."""

    def __init__(self, environ: Mapping[str, str], *, substitutes: bool = True) -> None:
        self.environ = environ
        self.document = Document(None)
        self.nodes = self.chars = 0
        self.reported_depth = False
        self.substitutes = substitutes

    def build(self, node: yaml.Node, path: Path) -> Any:
        mark = (node.start_mark.line + 1, node.start_mark.column + 1)
        if self._too_much(path, *mark):
            return None
        self.document.values[path] = mark
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
            self._add_problem(*(f"{_named(path)}the key {key!r} must be a text" for key in other))
            return {key: self.copy(item, (*path, key)) for key, item in value.items() if isinstance(key, str)}
        if isinstance(value, (list, tuple)):
            return [self.copy(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str):
            if self._too_long(len(value)):
                return None
            value = self._substitute(value, path, _NOWHERE) if self.substitutes else value
        return self._checked(value, path)

    def _too_much(self, path: Path, *mark: int) -> bool:
        """Return True if a limit is exceeded; add the problem once."""
        self.nodes += 1
        if self.nodes == read_limits.SPEC_VALUES + 1:
            self._add_problem(_TOO_MANY, mark=mark)
        if len(path) > read_limits.SPEC_DEPTH and not self.reported_depth:
            self.reported_depth = True
            self._add_problem(_TOO_DEEP, mark=mark)
        return self.nodes > read_limits.SPEC_VALUES or len(path) > read_limits.SPEC_DEPTH

    def _too_long(self, more: int, *mark: int) -> bool:
        """Add to the number of characters; return True if it exceeds the limit, and add the problem once."""
        before, self.chars = self.chars, self.chars + more
        if before <= read_limits.SPEC_TEXT < self.chars:
            self._add_problem(_TOO_LONG, mark=mark)
        return self.chars > read_limits.SPEC_TEXT

    def _add_problem(self, *messages: str, mark: tuple[int, ...] = ()) -> None:
        self.document.problems += [Problem(message, *mark) for message in messages]

    def _checked(self, value: Any, path: Path, *mark: int) -> Any:
        """Return the value if JSON can hold it; else add a problem and return None."""
        where = "" if mark else _named(path)
        if isinstance(value, float) and not math.isfinite(value):
            self._add_problem(f"{where}{value} is not a finite number", mark=mark)
            return None
        if isinstance(value, str) and _INVALID_CHARS.search(value):
            self._add_problem(f"{where}the text has a NUL or half of a surrogate pair: remove it", mark=mark)
            return None
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self.document.problems.append(
                    Problem("a key must be a plain text, not a list or a mapping", *mark)
                )
                continue
            key = key_node.value
            if key in out:
                first = self.document.keys[(*path, key)][0]
                self.document.problems.append(
                    Problem(f"`{key}` is a repeated key (first on line {first}): remove one", *mark)
                )
                continue
            self.document.keys[(*path, key)] = mark
            out[key] = self.build(value_node, (*path, key))
        return out

    def _scalar(self, node: yaml.ScalarNode, path: Path, mark: tuple[int, int]) -> Any:
        if node.tag not in _KNOWN_TAGS:
            self.document.problems.append(
                Problem(f"tag {node.tag!r} has no meaning in a spec: write a plain value", *mark)
            )
            return None
        if self._too_long(len(node.value), *mark):
            return None
        text = self._substitute(node.value, path, mark)
        return self._checked(text if node.style else _resolve(text), path, *mark)

    def _substitute(self, text: str, path: Path, mark: tuple[int, int]) -> str:
        def value(match: re.Match[str]) -> str:
            name, default = match[1], match[2]
            if name is None:
                return "$"
            found = self.environ.get(name)
            if not found and default is not None:
                found = default  # as in a shell: `:-` is for unset and for empty variables
            if found is None:
                self.document.problems.append(
                    Problem(
                        f"${{{name}}} is not set: export {name}, or give a default: ${{{name}:-...}}", *mark
                    )
                )
                return ""
            return "" if self._too_long(len(found), *mark) else found

        if not _VARIABLE.search(text):
            return text
        self.document.written[path] = text
        return _VARIABLE.sub(value, text)


_KNOWN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)


def _named(path: Path) -> str:
    return f"`{'.'.join(map(str, path))}`: " if path else ""


def _resolve(text: str) -> Any:
    """Return the value of a plain scalar by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text
