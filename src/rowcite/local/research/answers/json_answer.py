"""Fill the fields of a JSON schema from evidence; a field without evidence is empty, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rowcite.local.research.answers.decide import RANKS, Verdict, decide
from rowcite.local.research.answers.decide_list import decide_items
from rowcite.local.research.answers.evidence import candidates, label_matches
from rowcite.local.research.answers.schema_fields import OutputField, empty_value
from rowcite.local.research.answers.values import read_value
from rowcite.local.research.documents.document import Block, Directness, Document, Fact
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.text.normalise import content_words
from rowcite.model import Citation, FieldBasis


@dataclass(frozen=True)
class Reading:
    """The documents read for a question, and the corpus's newest date.

    `known` has the verdicts of fields already decided from these documents.
    """

    dossier: Dossier
    matches: tuple[DocumentMatch, ...]
    newest: str
    known: Mapping[str, Verdict] = field(default_factory=dict)


def fill_object(target: OutputField, reading: Reading) -> tuple[dict[str, Any], tuple[FieldBasis, ...]]:
    """Return the object that a schema describes, and a basis for each of its top-level fields."""
    verdicts = {
        inner.name: reading.known.get(inner.name) or find_value(inner, reading) for inner in target.fields
    }
    content = {name: verdict.value for name, verdict in verdicts.items()}
    return content, tuple(
        FieldBasis(name, v.reasoning, v.citations, v.confidence) for name, v in verdicts.items()
    )


def find_value(target: OutputField, reading: Reading) -> Verdict:
    """Return the verdict on a field; without evidence it is null or the type's empty value, with the reason."""
    if target.kind == "object":
        return _object(target, reading)
    if target.kind == "array" and target.item is not None and target.item.kind == "object":
        return _table_rows(target, target.item, reading) or _not_found(target, reading)
    found = candidates(target, reading.dossier, reading.matches)
    if target.kind != "array":
        return decide(target, found, reading.newest) or _not_found(target, reading)
    verdict = (
        decide_items(target, found) if target.item is None or target.item.kind in {"string", "enum"} else None
    )
    return verdict or _not_found(target, reading)


def _not_found(target: OutputField, reading: Reading) -> Verdict:
    """Return the empty value with the reason: no document names the entity, or none states the field."""
    dossier = reading.dossier
    if not reading.matches:
        reason = dossier.problem or f"No document that may be used mentions {dossier.names()}."
    else:
        count = len(reading.matches)
        what = re.sub(r"^(?:the|its|their|an?) ", "", target.words or target.name)
        reason = f"Not found: {count} document{'s' if count > 1 else ''} about {dossier.names()} {'were' if count > 1 else 'was'} read and none states this: {what}."
    empty = empty_value(target)
    if empty is not None:
        reason += " The schema forbids null, so the value is only a placeholder."
    return Verdict(empty, "low", reason, (), found=False)


def _object(target: OutputField, reading: Reading) -> Verdict:
    """Return the verdict on an object; it is found if any part is."""
    parts = {inner.name: find_value(inner, reading) for inner in target.fields}
    found = {name: verdict for name, verdict in parts.items() if verdict.found}
    if not found:
        return _not_found(target, reading)
    lowest = min((verdict.confidence for verdict in found.values()), key=lambda c: RANKS[c])
    missing = [name for name in parts if name not in found]
    reasons = [f"{name}: {verdict.reasoning}" for name, verdict in found.items()]
    if missing:
        reasons.append(f"Not found: {', '.join(missing)}.")
    content = {name: verdict.value for name, verdict in parts.items()}
    return Verdict(
        content,
        lowest,
        " ".join(reasons),
        merge_citations(one for verdict in found.values() for one in verdict.citations),
    )


def merge_citations(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """Return one citation for each document, with excerpts joined in order."""
    merged: dict[str, Citation] = {}
    for citation in citations:
        known = merged.get(citation.url)
        excerpts = (*(known.excerpts if known else ()), *citation.excerpts)
        merged[citation.url] = Citation(citation.url, citation.title, tuple(dict.fromkeys(excerpts)))
    return tuple(merged.values())


def _table_rows(target: OutputField, item: OutputField, reading: Reading) -> Verdict | None:
    """Return a list of objects from a table on a page about the entity, if its headers match the item's fields."""
    for match in reading.matches:
        document = match.document
        found = list(_matching_rows(target, item, document)) if match.role.own or match.role.profile else []
        if found:
            found = found[: target.limit] if target.limit else found
            reason = f"{document.host or document.path} lists them in a table."
            excerpts = tuple(excerpt for _, excerpt in found)
            citation = Citation(document.url, document.title or None, excerpts)
            return Verdict([row for row, _ in found], "medium", reason, (citation,))
    return None


def _matching_rows(
    target: OutputField, item: OutputField, document: Document
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the rows of tables on the topic whose headers name most of the item's fields, each with its text."""
    for block in document.blocks:
        columns = _columns(item, block.header) if block.header and block.cells != block.header else {}
        if len(columns) * 2 > len(item.fields) and _on_topic(target, (block.heading, *block.header)):
            yield (
                {field.name: _cell(field, block, columns.get(field.name)) for field in item.fields},
                block.text,
            )


def _columns(item: OutputField, header: tuple[str, ...]) -> dict[str, int]:
    """Return the column of each field, matched by the field's own name."""
    found: dict[str, int] = {}
    for wanted in item.fields:
        own = OutputField(
            wanted.name,
            " ".join(wanted.name.replace("_", " ").split()).lower(),
            "",
            wanted.kind,
            nullable=True,
        )
        for index, word in enumerate(header):
            if index not in found.values() and label_matches(word.lower(), own):
                found[wanted.name] = index
                break
    return found


def _on_topic(target: OutputField, texts: tuple[str, ...]) -> bool:
    requested = set(content_words(f"{target.words} {target.description}"))
    return bool(requested & {word for text in texts for word in content_words(text)})


def _cell(field: OutputField, block: Block, column: int | None) -> Any:
    """Return the value of a field in a table row, or its empty value."""
    text = block.cells[column] if column is not None and column < len(block.cells) else ""
    value = read_value(Fact(field.words, text, text, Directness.TABLE), field)
    return value.value if value is not None else empty_value(field)
