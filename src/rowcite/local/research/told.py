"""What a run's own tools answered, as documents of this run only: read and judged like any other, believed less.

A tool's text is data. It has to be about the entity, and alone it makes nothing surer than medium.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from msgspec import structs

from rowcite.local.research.document import Block, Document, Fact, How
from rowcite.local.research.dossier import Dossier, Standing
from rowcite.local.research.members import Member, objects_in
from rowcite.local.research.namesakes import sift
from rowcite.local.research.parsing import UNREADABLE, Stated, read_file
from rowcite.local.research.question import Told
from rowcite.local.research.text import core_name, fold, split_words, squash
from rowcite.local.research.urls import addresses_within, allowed, host_of
from rowcite.local.research.vocabulary import concept_of_label
from rowcite.model import FieldBasis

_LONGEST = 200_000  # characters that are read of an answer
_NAME = re.compile(
    r"(?:(?:company|organi[sz]ation|legal|trading|business|display|full|entity|account) )?name|company|organi[sz]ation|title"
)
_SURE = frozenset({"address", "place"})  # ties that hold where several are called the same


def told_documents(told: Iterable[Told]) -> list[Document]:
    """Return a document for each answer that can be read."""
    found = []
    for number, one in enumerate(told, 1):
        text = one.text[:_LONGEST]
        document = _of_json(text, one) or _of_text(text, one)
        if document is not None and document.text:
            host = urlsplit(one.source).hostname or ""
            path = f"tool:{one.title}#{number}"
            # Two tools of one server are one witness, whatever addresses they give.
            found.append(replace(document, path=path, url=one.url, host=host, site=f"tool {one.source}"))
    return found


def about_entity(documents: Sequence[Document], dossier: Dossier, first: int) -> tuple[Standing, ...]:
    """Return the documents that are about the dossier's entity, numbered from `first` on.

    Where the corpus knows several of that name, an answer must also say which one it means.
    """
    start = replace(dossier, standings=(), problem="")
    kept = sift(start, list(range(len(documents))), set(), documents).standings
    doubtful = bool(dossier.problem) and not dossier.problem.startswith("No document")
    return tuple(
        replace(standing, number=first + standing.number)
        for standing in kept
        if standing.ties in _SURE or not doubtful
    )


def believed_less(basis: Iterable[FieldBasis], told: Iterable[Told]) -> tuple[FieldBasis, ...]:
    """Return a basis in which what tools alone say is at most medium."""
    urls = {one.url for one in told}
    return tuple(
        structs.replace(entry, confidence="medium")
        if entry.confidence == "high" and {citation.url for citation in entry.citations} <= urls
        else entry
        for entry in basis
    )


def let_in(told: Iterable[Told], exclude: tuple[str, ...]) -> tuple[Told, ...]:
    """Return the answers whose address the source policy does not exclude; to be included they were named in the run."""
    return tuple(one for one in told if allowed(one.url, (), exclude) and allowed(one.source, (), exclude))


def _of_text(text: str, told: Told) -> Document | None:
    """Read an answer in words; its first line may say whom it is about."""
    try:
        documents, _ = read_file(
            text.encode("utf-8", "replace"), "answer.txt", {"answer.txt": Stated(told.url)}
        )
    except UNREADABLE:
        return None
    return replace(documents[0], title=told.title)


def _of_json(text: str, told: Told) -> Document | None:
    """Read an answer in JSON: what each object with a name says of who is called so; None when it is no JSON."""
    found = objects_in(text)
    if found is None:
        return None
    facts: list[Fact] = []
    blocks: list[Block] = []
    subjects: list[str] = []
    for members in found:
        subject = _subject(members)
        subjects += [subject] if subject else []
        hints = tuple(
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
                    Fact(label, shown, member.literal, How.DATA, concept_of_label(label), subject, (), hints, block=len(blocks) - 1)
                )  # fmt: skip
    raw = squash(text)
    names = tuple(dict.fromkeys(name for subject in subjects for name in (core_name(subject), fold(subject))))
    return Document(
        told.title, told.url, told.title, None, host_of(told.url), "", raw, raw, tuple(blocks), (), tuple(facts),
        names, frozenset(addresses_within(raw)),
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
