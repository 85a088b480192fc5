"""Turn the answers of a run's tools into documents of that run.

A tool's text is data. It must be about the entity, and alone supports medium confidence at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from msgspec import structs

from rowcite.local.research.documents.document import Block, Directness, Document, Fact, FileMetadata
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.nodes import Leaf, Node, json_nodes
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.local.research.question import ToolAnswer
from rowcite.local.research.subject.entity import DocumentMatch, Dossier
from rowcite.local.research.subject.identify import exclude_namesakes
from rowcite.local.research.text.normalise import collapse_spaces, core_name, fold, split_words
from rowcite.local.research.text.urls import allowed, sites_within
from rowcite.model import FieldBasis

_LONGEST = 200_000  # characters of an answer that are read
_NAME = re.compile(
    r"(?:(?:company|organi[sz]ation|legal|trading|business|display|full|entity|account) )?name|company|organi[sz]ation|title"
)
_SURE = frozenset({"address", "place"})  # ties that identify one of several entities of a name


def documents_of_tools(answers: Iterable[ToolAnswer]) -> list[Document]:
    """Return a document for each answer that can be read."""
    found = []
    for number, one in enumerate(answers, 1):
        text = one.text[:_LONGEST]
        document = _of_json(text) or _of_text(text, one.url)
        if document is not None and document.text:
            host = urlsplit(one.source).hostname or ""
            # The tools of one server count as one site, whatever addresses they give.
            path, site = f"tool:{one.title}#{number}", f"tool {one.source}"
            found.append(replace(document, path=path, url=one.url, title=one.title, host=host, site=site))
    return found


def about_entity(documents: Sequence[Document], dossier: Dossier, first: int) -> tuple[DocumentMatch, ...]:
    """Return the documents about the dossier's entity, numbered from `first` on.

    If the corpus has several entities of that name, an answer must also identify the one it means.
    """
    start = replace(dossier, matches=(), problem="")
    matches = exclude_namesakes(start, list(range(len(documents))), set(), documents).matches
    doubtful = bool(dossier.problem) and not dossier.problem.startswith("No document")
    sure = [match for match in matches if match.matched_by in _SURE or not doubtful]
    return tuple(replace(match, number=first + match.number) for match in sure)


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


def _of_text(text: str, url: str) -> Document | None:
    """Return the document of an answer in words; None if it cannot be read."""
    metadata = {"answer.txt": FileMetadata(url)}
    try:
        documents, _ = read_file(text.encode("utf-8", "replace"), "answer.txt", metadata)
    except UNREADABLE:
        return None
    return documents[0]


def _of_json(text: str) -> Document | None:
    """Return the document of an answer in JSON, with the facts of each named object; None if it is not JSON."""
    facts: list[Fact] = []
    blocks: list[Block] = []
    subjects: list[str] = []
    nodes = [inner for node in json_nodes(text) for inner in _with_inner(node)]
    for node in nodes:
        stated = list(_stated(node))
        subject = next((value for label, value, _ in stated if _NAME.fullmatch(label)), "")
        subjects += [subject] if subject else []
        cells = tuple((label, value) for label, value, _ in stated)
        for label, value, literal in stated:
            blocks.append(Block("pair", literal, cells=(label, value)))
            if subject:
                fact = Fact(
                    label, value, literal, Directness.DATA, concept_of_label(label), subject, (), cells
                )
                facts.append(structs.replace(fact, block=len(blocks) - 1))
    raw = collapse_spaces(text)
    names = tuple(dict.fromkeys(name for subject in subjects for name in (core_name(subject), fold(subject))))
    links = frozenset(sites_within(raw))
    document = Document(
        "", "", "", None, "", "", raw, raw, tuple(blocks), (), tuple(facts), names, links, (), names
    )
    return document if nodes else None


def _with_inner(node: Node) -> Iterator[Node]:
    """Yield an object and those inside it, outer ones first."""
    yield node
    for value in (value for values in node.properties.values() for value in values):
        if isinstance(value, Node):
            yield from _with_inner(value)


def _stated(node: Node) -> Iterator[tuple[str, str, str]]:
    """Yield the label, the value and the literal of each member that is a scalar or a list of scalars."""
    for key, values in node.properties.items():
        leaves = [value for value in values if isinstance(value, Leaf) and value.text]
        if leaves and len(leaves) == len(values) and split_words(key):
            yield split_words(key), ", ".join(leaf.text for leaf in leaves), leaves[0].excerpt
