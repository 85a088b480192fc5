"""The limits of one document: what is beyond them is left out, and named."""

from __future__ import annotations

import re
from collections import Counter

CHARS = 10 << 20
"""Characters of one document that are read."""
DEPTH = 400
"""Levels of nested elements: the time of parsing grows with their square, and reading them is a recursion."""
_CONTAINERS = (
    "address|article|aside|blockquote|center|details|dialog|div|dl|fieldset|figure|footer|form|header|main|nav|ol|section|"
    "span|table|ul"
)
"""Elements that only their own end tag closes."""
_TAG = re.compile(rf"<(/?)({_CONTAINERS})(?=[\s/>])", re.IGNORECASE)


def check_depth(html: str) -> None:
    """Raise ValueError if the elements of a page nest too deeply, judged by their tags alone."""
    if html.count("<") <= DEPTH:
        return
    depth = 0
    opened: Counter[str] = Counter()
    for end, tag in _TAG.findall(html):
        name = tag.lower()
        if not end:
            opened[name] += 1
            depth += 1
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
        if depth > DEPTH:
            raise ValueError(f"its elements nest deeper than {DEPTH} levels")


def first_part(text: str, name: str) -> tuple[str, list[str]]:
    """Return the part of a document that is read, and a line if it is not all of it."""
    if len(text) <= CHARS:
        return text, []
    return text[:CHARS], [f"{name}: longer than {CHARS >> 20} MiB; the rest was not read"]
