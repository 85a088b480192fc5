"""Texts as YAML scalars that the loader reads back unchanged."""

from __future__ import annotations

import json
import re

from rowcite.inert import one_line

_PLAIN = re.compile(r"[^\W\d_][\w./-]*(?: [\w./-]+)*\Z")
_WORDS = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])
_ESCAPED = re.compile("[\x7f-\x9f\xad\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def scalar(text: str) -> str:
    """Return a text as YAML, in quotes where it needs them. A `$` is doubled, so that it is not read as a variable."""
    text = text.replace("$", "$$")
    if _PLAIN.match(text) and text.isprintable() and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def with_comment(line: str, note: str, column: int = 40) -> str:
    """Return a line with a comment, aligned with others if the line is short enough."""
    return f"{line:<{column - 2}}  # {one_line(note)}" if note else line
