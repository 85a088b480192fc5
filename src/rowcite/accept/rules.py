"""Rules over a row's fields: small expressions, checked when the spec is read, evaluated without `eval`. Pure.

The grammar is Python's, parsed by `ast` and held to a closed set of nodes: names of fields, constants, comparisons, `in`,
`is null`, `and or not`, `+ - * / // %`, and the functions below. `AND`, `NULL`, `=` and `<>` of SQL are understood.
Null is unknown, as in SQL: what is compared with it is unknown, and only a rule that is false is broken.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rowcite.accept.expressions import SHOWN, Evaluate, Reader, RuleError, Values
from rowcite.spec.fields import Field


class Rule(NamedTuple):
    """A rule that can be used: its text, the fields that it names, and what it says of a row's values."""

    text: str
    fields: tuple[str, ...]
    evaluate: Evaluate

    def broken(self, values: Values) -> bool:
        """Tell whether values break it; unknown does not."""
        try:
            return self.evaluate(values) is False
        except (ArithmeticError, ValueError):  # what cannot be computed is unknown
            return False


_MOST_CHARS = 1_000


def parse(text: str, fields: Iterable[Field]) -> Rule:
    """Read a rule over these fields.

    Raises:
        RuleError: it is no expression, uses what rules do not have, names no field or one that there is not, or
            compares what cannot be compared.
    """
    if len(text) > _MOST_CHARS:
        raise RuleError(f"a rule has at most {_MOST_CHARS:,} characters, and this one has {len(text):,}")
    reader = Reader({field.name: field.type for field in fields})
    kind, evaluate = reader.read(_tree(text).body, 0)
    if kind != "boolean":
        raise RuleError(f"it gives {SHOWN[kind]}, not true or false: compare it with something")
    if not reader.named:
        raise RuleError(f"it names no field. Fields: {', '.join(reader.types)}")
    return Rule(text, tuple(reader.named), evaluate)


_WORDS = {"and", "or", "not", "in", "is", "null", "true", "false"}
_SIGNS = {"=": "==", "<>": "!="}


def _tree(text: str) -> ast.Expression:
    try:
        tokens = tokenize.generate_tokens(io.StringIO(" ".join(text.split("\n")).strip()).readline)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in texts
            return ast.parse(tokenize.untokenize(_python(tokens)).strip(), mode="eval")
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError) as error:
        why = error.msg if isinstance(error, SyntaxError) else str(error.args[0] if error.args else error)
        raise RuleError(
            f"it is no expression ({why.strip().rstrip('.')}). Write it like: employee_count > 0"
        ) from None


def _python(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[tuple[int, str]]:
    """Put Python's words and signs in the place of SQL's."""
    less: tuple[int, int] | None = None  # where a `<` ended: older tokenizers take `<>` apart
    was = tokenize.OP
    for token in tokens:
        text = token.string
        if token.type == was == tokenize.STRING:
            raise SyntaxError(
                "two texts side by side: put a text with a quote in it between the other quotes"
            )
        was = token.type
        if less is not None and not (text == ">" and token.start == less):
            yield tokenize.OP, "<"
        elif less is not None:
            text = "<>"
        less = None
        if token.type == tokenize.OP and text == "<":
            less = token.end
        elif token.type == tokenize.NAME and text.isupper() and text.lower() in _WORDS:
            yield token.type, text.lower()
        else:
            yield token.type, _SIGNS.get(text, text) if token.type == tokenize.OP else text
