"""Answers about list elements: several records in one run, and the basis of each element.

A question is about several records if its input is one list of objects, its output is one list of objects, and the two
share a property that identifies the records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from rowcite.local.research.question import Finding, Question
from rowcite.model import Citation, FieldBasis

_ORDER = {"low": 0, "medium": 1, "high": 2}


class _Records(NamedTuple):
    """A question about records: the output's list, the property that identifies a record, the records, the schema of one."""

    name: str
    key: str
    given: list[dict[str, Any]]
    schema: dict[str, Any]


def research_records(research: Callable[[Question], Finding], question: Question) -> Finding | None:
    """Return the answer to a question about several records, researched one by one; None for another question.

    The basis has an entry for the list and one for each element, which covers all its fields.
    """
    wanted = _records(question)
    if wanted is None:
        return None
    answers: list[dict[str, Any]] = []
    entries: list[FieldBasis] = []
    considered, read = 0, list[str]()
    for number, record in enumerate(wanted.given):
        given = {name: value for name, value in record.items() if name != wanted.key}
        one = given["prompt"] if given.keys() == {"prompt"} else given
        found = research(replace(question, input=one, output={"type": "json", "json_schema": wanted.schema}))
        content = found.content if isinstance(found.content, dict) else {}
        answers.append({wanted.key: record[wanted.key], **content})
        entries.append(_joined(f"{wanted.name}.{number}", found.basis))
        considered += found.considered
        read += found.read
    whole = _joined(wanted.name, tuple(entries))
    return Finding(
        "json", {wanted.name: answers}, (whole, *entries), None, considered, tuple(dict.fromkeys(read))
    )


def without_elements(finding: Finding) -> Finding:
    """Return a finding with the basis of its fields alone, for runs without the beta feature."""
    if not isinstance(finding.content, dict):
        return finding
    kept = tuple(entry for entry in finding.basis if entry.field in finding.content)
    return replace(finding, basis=kept)


def _records(question: Question) -> _Records | None:
    if (
        not isinstance(question.input, dict)
        or len(question.input) != 1
        or question.output.get("type") != "json"
    ):
        return None
    (given,) = question.input.values()
    properties = question.output["json_schema"].get("properties", {})
    if not isinstance(given, list) or not given or len(properties) != 1:
        return None
    ((name, shape),) = properties.items()
    item = shape.get("items") if isinstance(shape, dict) and shape.get("type") == "array" else None
    if not isinstance(item, dict):
        return None
    fields = item.get("properties", {})
    if not fields or not all(isinstance(record, dict) for record in given):
        return None
    for key in fields:
        values = [record.get(key) for record in given]
        if all(isinstance(value, str) for value in values) and len(set(values)) == len(values):
            return _Records(name, key, given, _without(item, key))
    return None


def _without(item: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the schema of one answer without its key."""
    properties = {name: part for name, part in item["properties"].items() if name != key}
    required = [name for name in item.get("required", []) if name != key]
    return {**item, "properties": properties, "required": required}


def _joined(name: str, basis: tuple[FieldBasis, ...]) -> FieldBasis:
    """Return one entry for several, with all their citations and the lowest of their confidences."""
    citations: dict[str, Citation] = {}
    for citation in (citation for entry in basis for citation in entry.citations):
        known = citations.get(citation.url, Citation(citation.url, citation.title))
        excerpts = tuple(dict.fromkeys([*known.excerpts, *citation.excerpts]))
        citations[citation.url] = Citation(citation.url, known.title, excerpts)
    confidences = [
        str(entry.confidence) for entry in basis if entry.citations and entry.confidence is not None
    ]
    lowest = min(confidences, key=lambda word: _ORDER.get(word, 0), default="low")
    words = " ".join(f"{entry.field}: {entry.reasoning}" for entry in basis if entry.reasoning)
    return FieldBasis(name, words, tuple(citations.values()), lowest)


def with_elements(content: Any, basis: tuple[FieldBasis, ...]) -> tuple[FieldBasis, ...]:
    """Return the basis with an entry for each list element, after the list's own entry, unless it exists."""
    if not isinstance(content, dict):
        return basis
    known = {entry.field for entry in basis}
    found: list[FieldBasis] = []
    for entry in basis:
        found.append(entry)
        items = content.get(entry.field)
        for number, item in enumerate(items if isinstance(items, list) else ()):
            name = f"{entry.field}.{number}"
            if name not in known:
                found.append(_of_element(name, item, entry))
    return tuple(found)


def with_element_basis(output: bytes) -> bytes:
    """Return an output, JSON, with the basis of each list's elements."""
    body = msgspec.json.decode(output)
    basis = msgspec.convert(body["basis"], tuple[FieldBasis, ...])
    return msgspec.json.encode(body | {"basis": with_elements(body["content"], basis)})


def _of_element(name: str, item: Any, entry: FieldBasis) -> FieldBasis:
    """Return the entry of one element, with the citations whose excerpts contain it, or else all of the list's."""
    words = [str(value).casefold() for value in (item.values() if isinstance(item, dict) else [item])]
    matching = tuple(
        citation
        for citation in entry.citations
        if any(word in excerpt.casefold() for excerpt in citation.excerpts or () for word in words)
    )
    return FieldBasis(name, entry.reasoning, matching or entry.citations, entry.confidence)
