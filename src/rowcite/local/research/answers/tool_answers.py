"""Turn the answers of a run's tools into documents of that run.

A tool's text is data. It must be about the entity, and alone supports medium confidence at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from msgspec import structs

from rowcite.local.research.documents.document import Document, FileMetadata
from rowcite.local.research.documents.node_facts import node_facts
from rowcite.local.research.documents.nodes import Leaf, Node, json_nodes
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.question import Question, ToolAnswer
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.subject.identify import exclude_namesakes
from rowcite.local.research.text.normalise import collapse_spaces, core_name, fold, split_words
from rowcite.local.research.text.urls import allowed, host_of, sites_within
from rowcite.model import FieldBasis

_LONGEST = 200_000  # characters of an answer that are read
_NAME = re.compile(
    r"(?:(?:company|organi[sz]ation|legal|trading|business|display|full|entity|account) )?name|company|organi[sz]ation|title"
)
_SURE = frozenset({"address", "place"})  # ties that identify one of several entities of a name


def matches_of_tools(question: Question, dossier: Dossier, first: int) -> tuple[DocumentMatch, ...]:
    """Return the tools' answers about the dossier's entity as documents, numbered from `first` on.

    The source policy applies as far as it excludes domains. If the corpus has several entities of that name, an answer must also
    identify the one it means.
    """
    documents = []
    for number, one in enumerate(question.tool_answers, 1):
        permitted = all(allowed(url, (), question.exclude_domains) for url in (one.url, one.source))
        document = _document(one, number) if permitted else None
        if document is not None and document.text:
            documents.append(document)
    start = replace(dossier, matches=(), problem="")
    matches = exclude_namesakes(start, dict(enumerate(documents, first)), set()).matches
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
    metadata = {"answer.txt": FileMetadata(answer.url)}
    try:
        documents, _ = read_file(text.encode("utf-8", "replace"), "answer.txt", metadata)
    except UNREADABLE:
        return None
    # The tools of one server count as one site, whatever addresses they give.
    path, site = f"tool:{answer.title}#{number}", f"tool {answer.source}"
    host = host_of(answer.source)
    found = replace(documents[0], path=path, url=answer.url, title=answer.title, host=host, site=site)
    nodes = [inner for node in json_nodes(text) for inner in _with_inner(node)]
    return _of_nodes(found, nodes) if nodes else found


def _of_nodes(document: Document, nodes: list[Node]) -> Document:
    """Return the document with the facts of the named objects in it, and their names as its subjects."""
    facts, subjects = [], list[str]()
    for node in nodes:
        names = [key for key in node.properties if _NAME.fullmatch(split_words(key))]
        subject = node.text(names[0]) if names else ""
        labels = {split_words(key) for key in node.properties if node.leaves(key)}
        own = [fact for fact in node_facts([node]) if subject and not fact.heading and fact.label in labels]
        facts += [structs.replace(fact, subject=subject) for fact in own]
        subjects += [name for name in (core_name(subject), fold(subject)) if name]
    text = collapse_spaces(document.raw)
    distinct = tuple(dict.fromkeys(subjects))
    return replace(
        document,
        text=text,
        blocks=(),
        sentences=(),
        facts=tuple(facts),
        subjects=distinct,
        named=distinct,
        links=frozenset(sites_within(text)),
    )


def _with_inner(node: Node) -> Iterator[Node]:
    """Yield an object and those inside it, outer ones first."""
    yield node
    for value in (value for values in node.properties.values() for value in values):
        if not isinstance(value, Leaf):
            yield from _with_inner(value)
