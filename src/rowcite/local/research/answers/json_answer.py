"""Fill the fields of a JSON schema from evidence; a field without evidence is empty, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rowcite.local.research.answers.decide import RANKS, Verdict, decide, decide_items, merge_citations
from rowcite.local.research.answers.evidence import candidates, label_matches
from rowcite.local.research.answers.schema_fields import OutputField, empty_value
from rowcite.local.research.answers.values import read_value
from rowcite.local.research.documents.document import Block, Directness, Document, Fact
from rowcite.local.research.store.library import Library
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.text.normalise import content_words, split_words
from rowcite.model import Citation, FieldBasis


@dataclass(frozen=True)
class Reading:
    """The documents read for a question, the corpus's newest date, and all documents that may be read.

    `known` has the verdicts of fields already decided from these documents.
    """

    dossier: Dossier
    matches: tuple[DocumentMatch, ...]
    newest: str
    library: Library
    known: Mapping[str, Verdict] = field(default_factory=dict)


def fill_object(target: OutputField, reading: Reading) -> tuple[dict[str, Any], tuple[FieldBasis, ...]]:
    """Return the object that a schema describes, and a basis for each of its top-level fields."""
    verdicts = {one.name: reading.known.get(one.name) or find_value(one, reading) for one in target.fields}
    content = {name: verdict.value for name, verdict in verdicts.items()}
    return content, tuple(verdict.basis(name) for name, verdict in verdicts.items())


def find_value(target: OutputField, reading: Reading) -> Verdict:
    """Return the verdict on a field; without evidence it is null or the type's empty value, with the reason."""
    item = target.item.kind if target.kind == "array" and target.item is not None else "string"
    if target.kind == "object":
        verdict = _object(target, reading)
    elif item == "object":
        verdict = _table_rows(target, reading)
    else:
        found = candidates(target, reading.dossier, reading.matches)
        if target.kind != "array":
            verdict = decide(target, found, reading.newest)
        else:
            verdict = decide_items(target, found) if item in {"string", "enum"} else None
    return verdict or _not_found(target, reading)


def with_placeholder_note(reason: str, empty: Any) -> str:
    """Return the reason for an empty value, with a note if the schema forbids null."""
    note = "" if empty is None else " The schema forbids null, so the value is only a placeholder."
    return f"{reason}{note}"


def _not_found(target: OutputField, reading: Reading) -> Verdict:
    """Return the empty value with the reason: no document names the entity, or none states the field."""
    dossier, count = reading.dossier, len(reading.matches)
    reason = dossier.problem or f"No document that may be used mentions {dossier.names()}."
    if count:
        read = (
            f"{count} documents about {dossier.names()} were"
            if count > 1
            else f"1 document about {dossier.names()} was"
        )
        what = re.sub(r"^(?:the|its|their|an?) ", "", target.words or target.name)
        reason = f"Not found: {read} read and none states this: {what}."
    empty = empty_value(target)
    return Verdict(empty, "low", with_placeholder_note(reason, empty), (), found=False)


def _object(target: OutputField, reading: Reading) -> Verdict | None:
    """Return the verdict on an object; None unless a part is found."""
    parts = {one.name: find_value(one, reading) for one in target.fields}
    found = {name: verdict for name, verdict in parts.items() if verdict.found}
    if not found:
        return None
    lowest = min((verdict.confidence for verdict in found.values()), key=lambda level: RANKS[level])
    reasons = [f"{name}: {verdict.reasoning}" for name, verdict in found.items()]
    if missing := [name for name in parts if name not in found]:
        reasons.append(f"Not found: {', '.join(missing)}.")
    content = {name: verdict.value for name, verdict in parts.items()}
    citations = merge_citations(one for verdict in found.values() for one in verdict.citations)
    return Verdict(content, lowest, " ".join(reasons), citations)


def _table_rows(target: OutputField, reading: Reading) -> Verdict | None:
    """Return a list of objects from a table on a page about the entity, if its headers match the item's fields."""
    for match in reading.matches:
        document = match.document
        about = match.role.own or match.role.profile
        found = list(_matching_rows(target, document))[: target.limit] if about else []
        if found:
            citation = Citation(document.url, document.title or None, tuple(text for _, text in found))
            reason = f"{document.origin} lists them in a table."
            return Verdict([row for row, _ in found], "medium", reason, (citation,))
    return None


def _matching_rows(target: OutputField, document: Document) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the rows of tables on the topic whose headers name most of the item's fields, each with its text."""
    fields = target.item.fields if target.item else ()
    requested = set(content_words(f"{target.words} {target.description}"))
    for block in document.blocks:
        if not block.header or block.cells == block.header:
            continue
        columns = _columns(fields, block.header)
        topic = set(content_words(" ".join((block.heading, *block.header))))
        if len(columns) * 2 > len(fields) and requested & topic:
            yield {one.name: _cell(one, block, columns.get(one.name)) for one in fields}, block.text


def _columns(fields: tuple[OutputField, ...], header: tuple[str, ...]) -> dict[str, int]:
    """Return the column of each field, matched by the field's own name."""
    found: dict[str, int] = {}
    for one in fields:
        own = replace(one, words=split_words(one.name), description="")
        fitting = (
            at
            for at, text in enumerate(header)
            if at not in found.values() and label_matches(text.lower(), own)
        )
        if (column := next(fitting, None)) is not None:
            found[one.name] = column
    return found


def _cell(target: OutputField, block: Block, column: int | None) -> Any:
    """Return the value of a field in a table row, or its empty value."""
    text = block.cells[column] if column is not None and column < len(block.cells) else ""
    value = read_value(Fact(target.words, text, text, Directness.TABLE), target)
    return empty_value(target) if value is None else value.value
