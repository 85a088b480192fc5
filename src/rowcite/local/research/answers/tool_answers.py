"""Turn the answers of a run's tools into documents of that run.

A tool's text is data. It must be about the entity, and alone supports medium confidence at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from msgspec import structs

from rowcite.local.research.documents.document import Document, Fact
from rowcite.local.research.documents.node_facts import node_facts
from rowcite.local.research.documents.nodes import json_nodes, without_nodes
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.question import Question, ToolAnswer
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.subject.identify import exclude_namesakes
from rowcite.local.research.text.normalise import core_name, fold, split_words
from rowcite.local.research.text.urls import allowed, host_of
from rowcite.model import FieldBasis

_LONGEST = 200_000  # characters of an answer that are read
_NAME = re.compile(r"(?:(?:company|organi[sz]ation|legal|trading|business|display|full|entity|account) )?name|company|organi[sz]ation|title")  # fmt: skip
_SURE = frozenset({"address", "place"})  # ties that identify one of several entities of a name


def matches_of_tools(question: Question, dossier: Dossier, first: int) -> tuple[DocumentMatch, ...]:
    """Return the tools' answers about the dossier's entity as documents, numbered from `first` on.

    The source policy applies as far as it excludes domains. If the corpus has several entities of that name, an answer must also
    identify the one it means.
    """
    documents = {}
    for number, one in enumerate(question.tool_answers):
        permitted = all(allowed(url, (), question.exclude_domains) for url in (one.url, one.source))
        if permitted and (document := _document(one, number)):
            documents[first + number] = document
    matches = exclude_namesakes(dossier.entity, documents).matches
    doubtful = bool(dossier.problem) and not dossier.problem.startswith("No document")
    return tuple(match for match in matches if match.matched_by in _SURE or not doubtful)


def cap_confidence(basis: Iterable[FieldBasis], answers: Iterable[ToolAnswer]) -> tuple[FieldBasis, ...]:
    """Return the basis with at most medium confidence for values that only tools support."""
    urls = {one.url for one in answers}
    return tuple(
        structs.replace(entry, confidence="medium")
        if entry.confidence == "high" and {citation.url for citation in entry.citations} <= urls
        else entry
        for entry in basis
    )


def _document(answer: ToolAnswer, number: int) -> Document | None:
    """Return the document of an answer, in JSON or in words; None if it cannot be read."""
    text = answer.text[:_LONGEST]
    try:
        (found, *_), _ = read_file(text.encode("utf-8", "replace"), f"tool:{answer.title}#{number}.txt", {})
    except UNREADABLE:
        return None
    # The tools of one server count as one site, whatever addresses they give.
    host, site = host_of(answer.source), f"tool {answer.source}"
    found = replace(found, url=answer.url, title=answer.title, host=host, site=site)
    facts, names = list[Fact](), list[str]()
    nodes = json_nodes(text)
    for node in (inner for outer in nodes for inner in outer.walk()):
        subject = next((node.text(key) for key in node.properties if _NAME.fullmatch(split_words(key))), "")
        if subject:
            facts += [structs.replace(one, subject=subject) for one in node_facts([without_nodes(node)])]
            names += dict.fromkeys([core_name(subject), fold(subject)])
    return replace(found, facts=tuple(facts), subjects=tuple(names), named=tuple(names)) if nodes else found
