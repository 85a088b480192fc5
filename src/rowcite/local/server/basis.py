"""The basis of a list's elements: `field.0`, `field.1`, each with the citations that name it."""

from __future__ import annotations

from typing import Any

import msgspec

from rowcite.model import FieldBasis


def with_elements(content: Any, basis: tuple[FieldBasis, ...]) -> tuple[FieldBasis, ...]:
    """Return the basis with an entry for each element of a list after the list's own, where there is none yet."""
    if not isinstance(content, dict):
        return basis
    there = {entry.field for entry in basis}
    found: list[FieldBasis] = []
    for entry in basis:
        found.append(entry)
        items = content.get(entry.field)
        for number, item in enumerate(items if isinstance(items, list) else ()):
            name = f"{entry.field}.{number}"
            if name not in there:
                found.append(_of_element(name, item, entry))
    return tuple(found)


def with_element_basis(output: bytes) -> bytes:
    """Return an output, JSON, with the basis of each list's elements."""
    body = msgspec.json.decode(output)
    basis = msgspec.convert(body["basis"], tuple[FieldBasis, ...])
    return msgspec.json.encode(body | {"basis": with_elements(body["content"], basis)})


def _of_element(name: str, item: Any, entry: FieldBasis) -> FieldBasis:
    """Return the entry of one element: the citations whose excerpts hold it, else all of the list's."""
    words = [str(value).casefold() for value in (item.values() if isinstance(item, dict) else [item])]
    holding = tuple(
        citation
        for citation in entry.citations
        if any(word in excerpt.casefold() for excerpt in citation.excerpts or () for word in words)
    )
    return FieldBasis(name, entry.reasoning, holding or entry.citations, entry.confidence)
