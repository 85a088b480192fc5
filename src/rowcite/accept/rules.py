"""Rules over a row's fields: small expressions, checked when the spec is read, evaluated without `eval`. Pure.

The grammar is Python's, parsed by `ast` and limited to a closed set of nodes: names of fields, constants, comparisons, `in`,
`is null`, `and or not`, `+ - * / // %`, and a few functions. SQL's `AND`, `NULL`, `=` and `<>` are accepted too. Null is
unknown, as in SQL: a comparison with it is unknown, and only a rule that is false is broken.
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
    """A compiled rule: its text, the fields that it names, and the function that evaluates it."""

    text: str
    fields: tuple[str, ...]
    evaluate: Evaluate

    def broken(self, values: Values) -> bool:
        """Return True if the rule is false for these values; unknown is not false."""
        try:
            return self.evaluate(values) is False
        except (ArithmeticError, ValueError):  # a division by zero and the like is unknown
            return False


_MOST_CHARS = 1_000


def parse(text: str, fields: Iterable[Field]) -> Rule:
    """Compile a rule over these fields.

    Raises:
        RuleError: the text is not an expression, uses an unsupported construct, names no field or an unknown one, or
            compares values of different types.
    """
    if len(text) > _MOST_CHARS:
        raise RuleError(f"a rule has at most {_MOST_CHARS:,} characters, this one has {len(text):,}")
    reader = Reader({field.name: field.type for field in fields})
    kind, evaluate = reader.read(_tree(text).body, 0)
    if kind != "boolean":
        raise RuleError(f"it returns {SHOWN[kind]}, not true or false: add a comparison")
    if not reader.named:
        raise RuleError(f"it names no field. Fields: {', '.join(reader.types)}")
    return Rule(text, tuple(reader.named), evaluate)


_WORDS = {"and", "or", "not", "in", "is", "null", "true", "false"}
_SIGNS = {"=": "==", "<>": "!="}


def _tree(text: str) -> ast.Expression:
    try:
        tokens = tokenize.generate_tokens(io.StringIO(" ".join(text.split("\n")).strip()).readline)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd escapes in texts
            return ast.parse(tokenize.untokenize(_python(tokens)).strip(), mode="eval")
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError) as error:
        why = error.msg if isinstance(error, SyntaxError) else str(error.args[0] if error.args else error)
        raise RuleError(
            f"not an expression ({why.strip().rstrip('.')}). Example: employee_count > 0"
        ) from None


def _python(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[tuple[int, str]]:
    """Replace SQL's words and operators by Python's."""
    less: tuple[int, int] | None = None  # the end of a `<`: older tokenizers split `<>`
    was = tokenize.OP
    for token in tokens:
        text = token.string
        if token.type == was == tokenize.STRING:
            raise SyntaxError(
                "two texts side by side: enclose a text that contains a quote in the other kind of quotes"
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
