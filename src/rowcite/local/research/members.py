"""The objects of a JSON text, each member with the text that it stands in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_DEEPEST = 6
_SPACE = re.compile(r"[ \t\n\r]*")
_decoder = json.JSONDecoder()


class Member(NamedTuple):
    """A member of an object: `literal` is `"key": value` as it is written."""

    key: str
    value: Any
    literal: str


def objects_in(text: str) -> list[list[Member]] | None:
    """Return the members of each object, outer ones first; None when the text is no JSON object or list."""
    at = _after_space(text, 0)
    if text[at : at + 1] not in {"{", "["}:
        return None
    try:
        _, end = _decoder.raw_decode(text, at)
        if _after_space(text, end) != len(text):
            return None
        return [members for members in _objects(text, at, 0) if members]
    except (ValueError, RecursionError):
        return None


def _objects(text: str, at: int, depth: int) -> Iterator[list[Member]]:
    """Yield the objects from a bracket on, which is known to open sound JSON."""
    inner: list[int] = []
    if text[at] == "{":
        members = []
        for start, key, value_at, value, end in _members(text, at):
            members.append(Member(key, value, text[start:end]))
            inner.append(value_at)
        yield members
    else:
        inner += [start for start, _ in _items(text, at)]
    for start in inner:
        if depth < _DEEPEST and text[start] in "{[":
            yield from _objects(text, start, depth + 1)


def _members(text: str, at: int) -> Iterator[tuple[int, str, int, Any, int]]:
    """Yield where each member of an object begins, its key, where its value begins, the value, and the end."""
    at = _after_space(text, at + 1)
    while text[at] == '"':
        key, key_end = _decoder.raw_decode(text, at)
        value_at = _after_space(text, _after_space(text, key_end) + 1)
        value, end = _decoder.raw_decode(text, value_at)
        yield at, key, value_at, value, end
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _items(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where each item of a list begins and ends."""
    at = _after_space(text, at + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        yield at, end
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()
