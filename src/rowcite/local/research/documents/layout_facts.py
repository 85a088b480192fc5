"""Extract facts from the layout: lists and sub-headings under a heading, figure tiles, questions and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from rowcite.local.research.documents.concepts import concept_of_label, concept_of_question
from rowcite.local.research.documents.document import Block, Directness, Fact
from rowcite.local.research.documents.phrases import MODEL_INSTRUCTIONS, OTHERS_HEADING
from rowcite.local.research.text.normalise import fold, split_sentences

_LISTED = frozenset({"products", "certifications", "customers", "investors", "founders"})
_LONGEST_TILE = 60
_NAMED_PART = re.compile(r"^[A-Z0-9\u00c0-\u00deŁŚŻŽČŠĐ][^:.;]{1,50}$")


def layout_facts(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield the facts of lists, tiles and answered questions."""
    yield from _lists(blocks)
    yield from _sub_headings(blocks)
    yield from _tiles(blocks)
    yield from _answers(blocks)


def _lists(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield the list items, or the "Name: explanation" parts, under a heading such as "Products"."""
    for heading, group in groupby(
        enumerate(blocks), key=lambda pair: pair[1].heading if pair[1].kind in {"item", "text"} else None
    ):
        concept = concept_of_label(fold(heading)) if heading else ""
        if (
            not heading
            or concept not in _LISTED
            or (concept != "customers" and OTHERS_HEADING.search(heading))
        ):
            continue
        members = list(group)
        items = [block.text for _, block in members if block.kind == "item"] or [
            part for _, block in members for part in named_parts(block.text)
        ]
        if items:
            texts = tuple(_item_name(text) for text in items)
            number, first = next((number, block) for number, block in members if items[0] in block.text)
            yield Fact(
                fold(heading),
                "; ".join(texts),
                first.text,
                Directness.LIST,
                concept,
                items=texts,
                heading=heading,
                block=number,
            )


def _sub_headings(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield the sub-headings one level below a heading such as "Our products"."""
    for number, block in enumerate(blocks):
        concept = concept_of_label(fold(block.text)) if block.kind == "heading" else ""
        if concept not in _LISTED or OTHERS_HEADING.search(block.text):
            continue
        names = []
        for below in blocks[number + 1 :]:
            if below.kind == "heading" and below.level <= block.level:
                break
            if below.kind == "heading" and below.level == block.level + 1:
                names.append(below.text)
        if names:
            yield Fact(
                fold(block.text),
                "; ".join(names),
                names[0],
                Directness.LIST,
                concept,
                items=tuple(names),
                heading=block.text,
                block=number,
            )


def _tiles(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield figure tiles: a short value above or below its label, each a separate block."""
    labels = {
        number
        for number, block in enumerate(blocks)
        if block.kind == "text" and len(block.text) < 40 and concept_of_label(fold(block.text))
    }
    for number in sorted(labels):
        first = number
        while first - 2 in labels:
            first -= 2
        above = first > 0 and _is_tile(blocks[first - 1], blocks[first])
        at = number - 1 if above else number + 1
        if at in labels or not 0 <= at < len(blocks) or not _is_tile(blocks[at], blocks[number]):
            continue
        label, value = blocks[number], blocks[at]
        excerpt = f"{value.text} {label.text}" if above else f"{label.text} {value.text}"
        yield Fact(
            fold(label.text),
            value.text,
            excerpt,
            Directness.TABLE,
            concept_of_label(fold(label.text)),
            heading=label.heading,
            block=number,
        )


def _is_tile(block: Block, label: Block) -> bool:
    """Return True if a block is a short value beside a label, not a sentence."""
    same = block.kind == "text" and block.heading == label.heading and block.aside == label.aside
    return same and len(block.text) <= _LONGEST_TILE and not block.text.endswith((".", "!", "?", ":"))


def _answers(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield the first sentence after a known question; for products, every named part of the answer."""
    for number, block in enumerate(blocks):
        question, answer, at = _question_and_answer(blocks, number, block)
        concept = concept_of_question(fold(question)) if question else ""
        if not concept or not answer or MODEL_INSTRUCTIONS.search(answer):
            continue
        parts = tuple(named_parts(answer)) if concept in _LISTED else ()
        value = "; ".join(parts) if parts else split_sentences(answer)[0]
        yield Fact(
            fold(question),
            value.rstrip("."),
            answer[:400].rsplit(" ", 1)[0] if len(answer) > 400 else answer,
            Directness.LINE,
            concept,
            items=parts,
            heading=block.heading,
            block=at,
        )


def _question_and_answer(blocks: tuple[Block, ...], number: int, block: Block) -> tuple[str, str, int]:
    """Return a question, its answer, and the answer's block number; empty strings if a block is not a question."""
    if block.kind == "pair" and block.cells[0].endswith("?"):
        return block.cells[0], block.cells[1], number
    following = blocks[number + 1] if number + 1 < len(blocks) else None
    if (
        block.text.endswith("?")
        and len(block.text) < 120
        and following is not None
        and following.kind in {"text", "item"}
    ):
        return block.text, following.text, number + 1
    return "", "", number


def named_parts(text: str) -> list[str]:
    """Return the names in "Gatehouse: visitor passes; Gate Log: door trails." if every part has one."""
    parts = [part for sentence in split_sentences(text) for part in sentence.split(";") if part.strip()]
    names = [part.split(":", 1)[0].strip() for part in parts if ":" in part]
    return (
        names if names and len(names) == len(parts) and all(_NAMED_PART.match(name) for name in names) else []
    )


def _item_name(text: str) -> str:
    """Return the name of a list item: the words before its explanation."""
    return re.split(r"\s[\u2013\u2014-]\s|:\s", text, maxsplit=1)[0].strip(" .;,")
