"""Turn the answers of a run's tools into documents of that run.

A tool's text is data. It must be about the entity, and alone supports medium confidence at most.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from msgspec import structs

from rowcite.local.research.documents.document import Block, Directness, Document, Fact, FileMetadata
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.question import ToolAnswer
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.subject.namesakes import exclude_namesakes
from rowcite.local.research.text.normalise import collapse_spaces, core_name, fold, split_words
from rowcite.local.research.text.urls import allowed, host_of, sites_within
from rowcite.model import FieldBasis

_LONGEST = 200_000  # characters of an answer that are read
_NAME = re.compile(
    r"(?:(?:company|organi[sz]ation|legal|trading|business|display|full|entity|account) )?name|company|organi[sz]ation|title"
)
_SURE = frozenset({"address", "place"})  # ties that identify one of several entities of a name
_DEEPEST = 6
_SPACE = re.compile(r"[ \t\n\r]*")
_decoder = json.JSONDecoder()


class Member(NamedTuple):
    """A member of an object: `literal` is `"key": value` as written."""

    key: str
    value: Any
    literal: str


def documents_of_tools(answers: Iterable[ToolAnswer]) -> list[Document]:
    """Return a document for each answer that can be read."""
    found = []
    for number, one in enumerate(answers, 1):
        text = one.text[:_LONGEST]
        document = _of_json(text, one) or _of_text(text, one)
        if document is not None and document.text:
            host = urlsplit(one.source).hostname or ""
            path = f"tool:{one.title}#{number}"
            # The tools of one server count as one site, whatever addresses they give.
            found.append(replace(document, path=path, url=one.url, host=host, site=f"tool {one.source}"))
    return found


def about_entity(documents: Sequence[Document], dossier: Dossier, first: int) -> tuple[DocumentMatch, ...]:
    """Return the documents about the dossier's entity, numbered from `first` on.

    If the corpus has several entities of that name, an answer must also identify the one it means.
    """
    start = replace(dossier, matches=(), problem="")
    matches = exclude_namesakes(start, list(range(len(documents))), set(), documents).matches
    doubtful = bool(dossier.problem) and not dossier.problem.startswith("No document")
    return tuple(
        replace(match, number=first + match.number)
        for match in matches
        if match.matched_by in _SURE or not doubtful
    )


def cap_confidence(basis: Iterable[FieldBasis], answers: Iterable[ToolAnswer]) -> tuple[FieldBasis, ...]:
    """Return the basis with at most medium confidence for values that only tools support."""
    urls = {one.url for one in answers}
    return tuple(
        structs.replace(entry, confidence="medium")
        if entry.confidence == "high" and {citation.url for citation in entry.citations} <= urls
        else entry
        for entry in basis
    )


def permitted_answers(answers: Iterable[ToolAnswer], exclude: tuple[str, ...]) -> tuple[ToolAnswer, ...]:
    """Return the answers whose address the source policy does not exclude; `include_domains` does not apply to tools."""
    return tuple(one for one in answers if allowed(one.url, (), exclude) and allowed(one.source, (), exclude))


def _of_text(text: str, answer: ToolAnswer) -> Document | None:
    """Return the document of an answer in words; None if it cannot be read."""
    try:
        documents, _ = read_file(
            text.encode("utf-8", "replace"), "answer.txt", {"answer.txt": FileMetadata(answer.url)}
        )
    except UNREADABLE:
        return None
    return replace(documents[0], title=answer.title)


def _of_json(text: str, answer: ToolAnswer) -> Document | None:
    """Return the document of an answer in JSON, with the facts of each named object; None if it is not JSON."""
    found = objects_in(text)
    if found is None:
        return None
    facts: list[Fact] = []
    blocks: list[Block] = []
    subjects: list[str] = []
    for members in found:
        subject = _subject(members)
        subjects += [subject] if subject else []
        row_cells = tuple(
            (split_words(member.key), shown) for member in members if (shown := _shown(member.value))
        )
        for member in members:
            shown = _shown(member.value)
            label = split_words(member.key)
            if not shown or not label:
                continue
            blocks.append(Block("pair", member.literal, cells=(label, shown)))
            if subject:
                facts.append(
                    Fact(label, shown, member.literal, Directness.DATA, concept_of_label(label), subject, (), row_cells, block=len(blocks) - 1)
                )  # fmt: skip
    raw = collapse_spaces(text)
    names = tuple(dict.fromkeys(name for subject in subjects for name in (core_name(subject), fold(subject))))
    return Document(
        answer.title, answer.url, answer.title, None, host_of(answer.url), "", raw, raw, tuple(blocks), (), tuple(facts),
        names, frozenset(sites_within(raw)), named=names,
    )  # fmt: skip


def _subject(members: Sequence[Member]) -> str:
    """Return the name that an object gives itself."""
    named = (m.value for m in members if isinstance(m.value, str) and _NAME.fullmatch(split_words(m.key)))
    return next(named, "")


def _shown(value: Any) -> str:
    """Return a scalar, or a list of scalars, as text; empty for anything else."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value).strip()
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(map(str, value))
    return ""


def objects_in(text: str) -> list[list[Member]] | None:
    """Return the members of each object, outer ones first; None if the text is not a JSON object or list."""
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
    """Yield the members of each object from a bracket on, in valid JSON."""
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
    """Yield each member of an object: start, key, start of the value, value, end."""
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
    """Yield the start and end of each item of a list."""
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
