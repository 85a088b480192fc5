"""Several records in one run: each is researched on its own, and answered under the key that it came with.

A question is read so when its input is one list of objects, its output one list of objects, and the two share a property
that tells the records apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from rowcite.local.research import Finding, Question
from rowcite.model import Citation, FieldBasis

_ORDER = {"low": 0, "medium": 1, "high": 2}


class _Records(NamedTuple):
    """A question taken apart: the list's name in the output, the key's name, the records, the schema of one answer."""

    name: str
    key: str
    given: list[dict[str, Any]]
    schema: dict[str, Any]


def research_records(research: Callable[[Question], Finding], question: Question) -> Finding | None:
    """Return the answer to a question about several records, None when it is about one thing.

    The basis has an entry for the list and one for each element, which stands for all of its fields.
    """
    asked = _records(question)
    if asked is None:
        return None
    answers: list[dict[str, Any]] = []
    entries: list[FieldBasis] = []
    considered, read = 0, list[str]()
    for number, record in enumerate(asked.given):
        given = {name: value for name, value in record.items() if name != asked.key}
        one = given["prompt"] if given.keys() == {"prompt"} else given
        found = research(replace(question, input=one, output={"type": "json", "json_schema": asked.schema}))
        content = found.content if isinstance(found.content, dict) else {}
        answers.append({asked.key: record[asked.key], **content})
        entries.append(_joined(f"{asked.name}.{number}", found.basis))
        considered += found.considered
        read += found.read
    whole = _joined(asked.name, tuple(entries))
    return Finding(
        "json", {asked.name: answers}, (whole, *entries), None, considered, tuple(dict.fromkeys(read))
    )


def without_elements(finding: Finding) -> Finding:
    """Return a finding with the basis of its fields alone, as a caller gets it who did not ask for more."""
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
    """Return one entry for several: all their citations, and the least of their confidences."""
    citations: dict[str, Citation] = {}
    for citation in (citation for entry in basis for citation in entry.citations):
        there = citations.get(citation.url, Citation(citation.url, citation.title))
        excerpts = tuple(dict.fromkeys([*there.excerpts, *citation.excerpts]))
        citations[citation.url] = Citation(citation.url, there.title, excerpts)
    told = [str(entry.confidence) for entry in basis if entry.citations and entry.confidence is not None]
    least = min(told, key=lambda word: _ORDER.get(word, 0), default="low")
    words = " ".join(f"{entry.field}: {entry.reasoning}" for entry in basis if entry.reasoning)
    return FieldBasis(name, words, tuple(citations.values()), least)
