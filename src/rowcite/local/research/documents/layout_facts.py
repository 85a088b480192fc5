"""Extract facts from the layout of a page: a label beside, above or below its value, and a heading over a block or list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise, takewhile
from textwrap import shorten

from msgspec import structs

from rowcite.local.research.documents.document import Block, Directness, Fact
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.phrases import MODEL_INSTRUCTIONS
from rowcite.local.research.text.figures import date_in
from rowcite.local.research.text.normalise import LABELLED_LINE, fold, split_sentences

_BELOW = re.compile(r"^:\s+(\S.*)$")  # a definition below its term, as Markdown writes it
_CAPTION = re.compile(r"\(([^()]{4,}(?:\([^()]*\)[^()]*)?)\)")  # below a value, as forms have it
_SHORT_LABEL = re.compile(r"[^\W\d_][^\d:(@\v]{1,28}[^\W\d_]\v(?:[^a-zß-ÿ]|\S+@)")  # no sentence
_NAME_HEADERS = re.compile(r"(?:company|name|organi[sz]ation|firm|business|entity|supplier|vendor|account|member|exhibitor|company name|undertaking|employer|brand)(?: name)?")  # fmt: skip
_FIGURE = re.compile(r"\W?\d")
_YEAR_ALONE = re.compile(r"(?:FY ?)?(?:19|20)\d\d")
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
_NAMED_PART = re.compile(r"\s*([A-Z0-9\u00c0-\u00deŁŚŻŽČŠĐ][^:.;]{1,50}):")
_LISTED = frozenset({"products", "certifications", "investors", "founders"})
_LONGEST_VALUE, _LONGEST_EXCERPT, _LONGEST_LABEL, _LONGEST_TILE = 1_200, 400, 120, 60
_MOST_ITEMS, _MOST_TILES, _MOST_LINES = 60, 40, 5


def layout_facts(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield the labelled facts of a page, without blocks that instruct a language model."""
    for number, block in enumerate(blocks):
        safe = not MODEL_INSTRUCTIONS.search(block.text)
        for fact in chain(_under_heading(blocks, number), _in_block(blocks, number)) if safe else ():
            fits = len(fact.label) <= _LONGEST_LABEL and 0 < len(fact.value) <= _LONGEST_VALUE
            if fits and not _CAPTION.fullmatch(fact.value):
                yield _placed(fact, block, number)


def _placed(fact: Fact, block: Block, number: int) -> Fact:
    """Return a fact with its label folded, and with what its block and its label state of it."""
    label = fold(re.sub(r"\([^)]*\)|\bas (?:of|at)\b.*", "", fact.label)) or fold(fact.label)
    year = _YEAR.search(fact.label)
    as_of = fact.as_of or (year[1] if year else "")
    lead = block.cells[0] if len(block.lines) > 1 and block.lines[0] in block.cells else block.heading
    place = {"heading": lead, "block": number}
    return structs.replace(fact, label=label, concept=concept_of_label(label), as_of=as_of, **place)


def _in_block(blocks: tuple[Block, ...], number: int) -> Iterator[Fact]:
    """Yield what one block states: a table's row, pairs, lines, a label in bold, or the first of a run of tiles."""
    block, cells = blocks[number], blocks[number].cells
    yield from _captions(blocks, number)
    if block.kind == "row" and block.header:
        beside = [one.header == block.header for one in blocks[max(number - 2, 0) : number + 2]]
        yield from _row(block, alone=sum(beside) == 2) if cells != block.header else ()
    elif block.kind == "row":
        for label, value in zip(cells[::2], cells[1::2], strict=False) if len(cells) in {2, 4} else ():
            yield Fact(label, value, block.text, Directness.TABLE)
    else:
        yield from _lines(block)
        yield from _tiles(blocks, number) if block.kind != "heading" else ()


def _lines(block: Block) -> Iterator[Fact]:
    """Yield the labelled lines of a text, the definitions in it, and the text beside or below its first words, if they are a label."""
    for line in block.lines or (block.text,):
        if (match := LABELLED_LINE.match(line)) and "\t" not in match[2]:
            yield Fact(match[1], match[2].strip(), line, Directness.LINE)
    for term, below in pairwise(block.lines):
        if match := _BELOW.match(below):
            yield Fact(term, match[1], f"{term} {below}", Directness.TABLE)
    label, *rest = block.lines or (block.text,)
    if rest and LABELLED_LINE.match(rest[0]) and not rest[0].startswith("total"):
        return
    if block.cells and (not rest or label == block.cells[0]):
        first, other = block.cells
        swapped = _FIGURE.match(first) and not _FIGURE.match(other)  # "<b>37</b> members"
        pair = (other, first) if swapped else (first.rstrip(":"), other)
        yield Fact(*pair, block.text, Directness.LIST if swapped else Directness.TABLE)
    elif 0 < len(rest) < _MOST_LINES and _SHORT_LABEL.match(f"{label}\v{rest[0]}"):
        yield Fact(label, " ".join(rest), block.text, Directness.LIST)


def _captions(blocks: tuple[Block, ...], number: int) -> Iterator[Fact]:
    """Yield the values above captions in brackets: in the lines of a block, in a row of cells, or in the block before."""
    above, below = blocks[max(number - 1, 0)], blocks[number]
    pairs = list(pairwise(below.lines)) or list(zip(above.cells, below.cells, strict=False))
    for value, caption in [*pairs, (above.text, below.text)]:
        if value and above.kind != "heading" and (match := _CAPTION.fullmatch(caption)):
            excerpt = below.text if caption != below.text and below.lines else f"{above.text} {below.text}"
            yield Fact(match[1], value, excerpt, Directness.LIST)


def _row(block: Block, *, alone: bool) -> Iterator[Fact]:
    """Yield each cell of a row below a header; the name column, or that of the years, is what the row is about.

    The page is what an only row is about that begins with a figure, and perhaps what another one without a name is about.
    """
    names = [i for i, word in enumerate(block.header) if _NAME_HEADERS.fullmatch(fold(word))]
    figure = _FIGURE.match(block.cells[0]) and not date_in(block.cells[0])
    years = any(map(_YEAR_ALONE.fullmatch, block.header))
    if alone and not names and not years and all(block.header) and (figure or len(block.cells) > 2):
        direct = Directness.TABLE if figure else Directness.PASSING
        yield from (Fact(*one, block.text, direct) for one in zip(block.header, block.cells, strict=False))
    if not names and len(block.cells) == 2 and not date_in(block.cells[0]):
        yield Fact(*block.cells, block.text, Directness.TABLE)
        return
    at = names[0] if names else 0
    columns = [pair for pair in zip(block.header, block.cells, strict=False) if pair[1]]
    first = block.cells[at] if at < len(block.cells) else ""
    row_cells = tuple((fold(word), cell) for word, cell in columns) if names else ()
    known = bool(concept_of_label(fold(first)))
    for word, cell in columns if first else ():
        if word == block.header[at]:
            continue
        sideways = not names and (not block.header[0] or known or _YEAR_ALONE.fullmatch(word))
        label, subject = (first, word) if sideways else (word, first)
        year = subject[-4:] if _YEAR_ALONE.fullmatch(subject) else ""
        about = "" if year else subject
        yield Fact(label, cell, block.text, Directness.TABLE, subject=about, row_cells=row_cells, as_of=year)


def _under_heading(blocks: tuple[Block, ...], number: int) -> Iterator[Fact]:
    """Yield the list, the sub-headings or the text under a heading, or the answer below a question."""
    heading, following = blocks[number], blocks[number + 1 : number + 1 + _MOST_ITEMS]
    text, question = heading.text, heading.text.endswith("?")
    below = list(takewhile(lambda one: one.kind != "heading" or one.level > heading.level, following))
    if not (heading.kind == "heading" or question) or not below or MODEL_INSTRUCTIONS.search(below[0].text):
        return
    first, listed = below[0], concept_of_label(fold(text)) in _LISTED
    items = [_item_name(one.text) for one in below if one.kind == "item" and one.heading == text]
    if not items and listed:
        subs = [one.text for one in below if one.kind == "heading" and one.level == heading.level + 1]
        items = subs or _named_parts(first.text)
    if items:
        start = next(one.text for one in below if items[0] in one.text)
        yield Fact(text, "; ".join(items), _cut(start), Directness.LIST, items=tuple(items))
    if concept_of_label(fold(first.text)) == "ceo":  # below a name
        yield Fact(first.text, text, f"{text} {first.text}", Directness.LIST)
    if first.kind == "text" and not listed:
        value = split_sentences(first.text)[0].rstrip(".") if question else first.text[:_LONGEST_VALUE]
        yield Fact(text, value, _cut(first.text), Directness.LINE if question else Directness.LIST)


def _tiles(blocks: tuple[Block, ...], number: int) -> Iterator[Fact]:
    """Yield the pairs in a run of short texts that begins with a block: values above or below their labels, as in figure tiles."""
    first = blocks[number]
    if number and _is_tile(blocks[number - 1], first):
        return
    run = list(takewhile(lambda one: _is_tile(one, first), blocks[number : number + _MOST_TILES]))
    for above, below in zip(run[::2], run[1::2], strict=False):
        if re.search(r"\d", above.text) or concept_of_label(fold(below.text)):
            label, value = below.text, above.text
        else:
            label, value = above.text, below.text
        yield Fact(label, value, f"{above.text} {below.text}", Directness.LIST)


def _is_tile(one: Block, beside: Block) -> bool:
    """Return True if a block is a short text under the same heading as another."""
    paired = one.cells or one.text.endswith((".", "!", "?", ":")) or LABELLED_LINE.match(one.text)
    short = len(one.text) <= _LONGEST_TILE and not paired
    return one.kind == "text" and one.heading == beside.heading and short


def _named_parts(text: str) -> list[str]:
    """Return the names in "Gatehouse: visitor passes; Gate Log: door trails." if every part has one."""
    parts = [part for sentence in split_sentences(text) for part in sentence.split(";") if part.strip()]
    found = list(map(_NAMED_PART.match, parts))
    return [match[1].strip() for match in found if match] if all(found) else []


def _item_name(text: str) -> str:
    """Return the name of a list item: the words before its explanation."""
    return re.split(r"\s[\u2013\u2014-]\s|:\s", text, maxsplit=1)[0].strip(" .;,")


def _cut(text: str) -> str:
    return shorten(text[:_LONGEST_VALUE], _LONGEST_EXCERPT, placeholder="")
