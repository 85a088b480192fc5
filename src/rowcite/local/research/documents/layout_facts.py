"""Extract facts from the layout of a page: a label beside, above or below its value, and a heading over a block or list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile, zip_longest

from rowcite.local.research.documents.document import Block, Directness, Fact
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.phrases import MODEL_INSTRUCTIONS, OTHERS_HEADING
from rowcite.local.research.text.dates import date_in
from rowcite.local.research.text.normalise import fold, split_sentences

_LINE = re.compile(r"^[-*•·\s]*(\w[^:\uff1a\n.!?]{0,60}?)\s*(?::\s+|\uff1a\s*|\s[\u2013—]\s+|\t\s*)(\S.*)$")
_BELOW = re.compile(r"^:\s+(\S.*)$")  # a definition below its term, as Markdown writes it
_NAME_HEADERS = re.compile(
    r"(?:company|name|organi[sz]ation|firm|business|entity|supplier|vendor|account|member|exhibitor|company name|undertaking|employer|brand)(?: name)?"
)
_YEAR_ALONE = re.compile(r"(?:FY ?)?(?:19|20)\d\d")
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
# "240 (2024)", but not the year in which something began.
_AS_OF = re.compile(
    r"\((?![^)]*\b(?:found|estab|since|seit|gegr|born|inc))(?:[^)]*\D)?((?:19|20)\d\d)\)", re.IGNORECASE
)
_NAMED_PART = re.compile(r"^[A-Z0-9\u00c0-\u00deŁŚŻŽČŠĐ][^:.;]{1,50}$")
_LISTED = frozenset({"products", "certifications", "customers", "investors", "founders"})
_LONGEST_VALUE, _LONGEST_EXCERPT, _LONGEST_TILE, _MOST_ITEMS, _LONGEST_ROW = 1_200, 400, 60, 60, 40


def layout_facts(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield the labelled facts of a page, without blocks that instruct a language model or are about others."""
    for number, block in enumerate(blocks):
        if MODEL_INSTRUCTIONS.search(block.text):
            continue
        if block.kind == "heading" or (block.text.endswith("?") and len(block.text) < 120):
            yield from _under_heading(blocks, number)
        if OTHERS_HEADING.search(block.heading):
            continue
        yield from _block_facts(blocks, number)


def _block_facts(blocks: tuple[Block, ...], number: int) -> Iterator[Fact]:
    """Yield the facts of one block: a caption, pairs, a table's row, or lines."""
    block = blocks[number]
    if number and (captions := _captions(block)):
        yield from _captioned(blocks[number - 1], block, captions, number)
    elif block.kind == "row" and block.header:
        if block.cells != block.header:
            yield from _row(block, number)
    elif block.kind in {"row", "pair"}:
        if len(block.cells) in {2, 4}:
            for label, value in zip(block.cells[::2], block.cells[1::2], strict=True):
                yield from _pair(block, label, value, Directness.TABLE, number)
    elif block.kind != "heading":
        yield from _lines(block, number)
        yield from _tile(blocks, number)


def is_labelled_line(line: str) -> bool:
    """Return True if a line has the form "Label: value"."""
    return bool(_LINE.match(line))


def _fact(  # noqa: PLR0913, PLR0917  # what a fact consists of
    block: Block,
    number: int,
    label: str,
    value: str,
    excerpt: str,
    form: Directness,
    items: Sequence[str] = (),
) -> Fact:
    folded = _folded(label)
    year = _YEAR.search(label) or _AS_OF.search(value[:80])
    as_of, heading = year[1] if year else "", block.heading
    return Fact(
        folded,
        value,
        excerpt,
        form,
        concept_of_label(folded),
        items=tuple(items),
        heading=heading,
        as_of=as_of,
        block=number,
    )


def _folded(label: str) -> str:
    return fold(re.sub(r"\([^)]*\)", "", label)) or fold(label)


def _pair(block: Block, label: str, value: str, directness: Directness, number: int) -> Iterator[Fact]:
    """Yield the fact of a label and the text beside it."""
    if not fold(label) or not value or len(label) > 80 or len(value) > _LONGEST_VALUE:
        return
    lines = block.lines if directness is not Directness.TABLE else ()
    excerpt = next((line for line in lines if value in line), block.text)
    parts: list[str] = []
    if label.endswith("?"):
        parts, value = named_parts(value), split_sentences(value)[0].rstrip(".")
    yield _fact(block, number, label, value, excerpt, directness, parts)


def _captions(block: Block) -> list[str]:
    """Return the captions of the values above, which forms write in brackets; none if a block is something else."""
    texts = list(block.cells) if block.kind == "row" else [block.text] if block.kind == "text" else []
    stated = [text for text in texts if text]
    bracketed = all(text.startswith("(") and text.endswith(")") and 5 < len(text) < 90 for text in stated)
    return [text.strip("() ") for text in texts] if stated and bracketed else []


def _captioned(above: Block, below: Block, captions: list[str], number: int) -> Iterator[Fact]:
    """Yield the values of a form, each with the caption below it."""
    values = list(above.cells) if above.kind == "row" else [above.text]
    if above.kind not in {"row", "text", "heading"} or len(values) != len(captions):
        return
    for value, caption in zip(values, captions, strict=True):
        if value and caption and len(value) < 200:
            yield _fact(below, number, caption, value, f"{above.text} {below.text}", Directness.TABLE)


def _row(block: Block, number: int) -> Iterator[Fact]:
    """Yield a fact for each cell of a row below a header; the name column is the row's subject."""
    names = [i for i, word in enumerate(block.header) if _NAME_HEADERS.fullmatch(fold(word))]
    if not names and len(block.cells) == 2 and not date_in(block.cells[0]):
        yield from _pair(block, block.cells[0], block.cells[1], Directness.TABLE, number)
        return
    at = names[0] if names else 0
    first, over = (block.cells[at], block.header[at]) if at < len(block.cells) else ("", "")
    cells = [
        (word, cell)
        for word, cell in zip(block.header, block.cells, strict=False)
        if cell and word != over and len(word) < 120
    ]
    dates = [date_in(cell)[:4] for word, cell in cells if fold(word) in {"year", "date", "as of", "updated"}]
    by_year = bool(_YEAR_ALONE.fullmatch(first))
    row_year = first[-4:] if by_year else next(iter(dates), "")
    row_cells = tuple((fold(word), cell) for word, cell in [(over, first), *cells]) if names else ()
    known = bool(concept_of_label(fold(first)))
    sideways = not names and (not block.header[0] or (known and not _YEAR_ALONE.fullmatch(block.header[1])))
    for word, cell in cells if first else ():
        of_year = bool(_YEAR_ALONE.fullmatch(word))
        if of_year and names:
            continue
        label = _folded(first if of_year or sideways else word)
        year = _YEAR.search(word)
        subject = "" if of_year or (by_year and not sideways) else word if sideways else first
        yield Fact(
            label, cell, block.text, Directness.TABLE, concept_of_label(label), subject, (), row_cells, block.heading,
            as_of=year[1] if year else row_year, block=number,
        )  # fmt: skip


def _lines(block: Block, number: int) -> Iterator[Fact]:
    """Yield the labelled lines of a block, the definitions below their terms, and a label in bold."""
    found = False
    for line, below in zip_longest(block.lines, block.lines[1:], fillvalue=""):
        match, definition = _LINE.match(line), _BELOW.match(below)
        if definition and len(line) <= 80:
            found = True
            yield _fact(block, number, line, definition[1], f"{line} {below}", Directness.TABLE)
        elif match and (match[1][0].isupper() or len(match[1].split()) < 5):
            found = True
            yield from _pair(block, match[1], match[2].strip(), Directness.LINE, number)
    if len(block.cells) == 2 and not found and len(block.lines) == 1:
        yield from _pair(block, block.cells[0].rstrip(":"), block.cells[1], Directness.TABLE, number)


def _under_heading(blocks: tuple[Block, ...], number: int) -> Iterator[Fact]:
    """Yield the list, the sub-headings or the text under a heading, or the answer below a question."""
    heading = blocks[number]
    question, folded = heading.text.endswith("?"), fold(heading.text)
    concept = concept_of_label(folded)
    about_others = OTHERS_HEADING.search(heading.text) and concept != "customers"
    below = _below(blocks, number)
    if len(heading.text) > 120 or about_others or not below or MODEL_INSTRUCTIONS.search(below[0].text):
        return
    first = below[0]
    items = [_item_name(one.text) for one in below if one.kind == "item" and one.heading == heading.text]
    if first.kind == "text" and question:
        items = []
    if not items and concept in _LISTED:
        subs = [one.text for one in below if one.kind == "heading" and one.level == heading.level + 1]
        items = subs or named_parts(first.text)
    if items:
        start = next(one.text for one in below if items[0] in one.text)[:_LONGEST_EXCERPT]
        yield _fact(heading, number, heading.text, "; ".join(items), start, Directness.LIST, items)
    if first.kind == "text" and concept not in _LISTED:
        value = split_sentences(first.text)[0].rstrip(".") if question else first.text[:_LONGEST_VALUE]
        form = Directness.LINE if question else Directness.LIST
        yield _fact(heading, number, heading.text, value, _cut(first.text), form)


def _below(blocks: tuple[Block, ...], number: int) -> list[Block]:
    """Return the blocks under a heading, up to the next of its level; those after a question that is none."""
    heading = blocks[number]
    found = blocks[number + 1 : number + 1 + _MOST_ITEMS]
    if heading.kind != "heading":
        return list(found)
    return list(takewhile(lambda one: one.kind != "heading" or one.level > heading.level, found))


def _tile(blocks: tuple[Block, ...], number: int) -> Iterator[Fact]:
    """Yield a short value above or below its label, each a block of its own, as in figure tiles and forms."""
    label = blocks[number]
    if not _is_tile(blocks, number, label, is_label=True):
        return
    first = number
    while number - first < _LONGEST_ROW and _is_tile(blocks, first - 2, label, is_label=True):
        first -= 2
    known = bool(concept_of_label(fold(label.text)))
    above = _is_tile(blocks, first - 1, label) and (known or bool(re.search(r"\d", blocks[number - 1].text)))
    at = number - 1 if above else number + 1
    if _is_tile(blocks, at, label):
        value = blocks[at].text
        excerpt = f"{value} {label.text}" if above else f"{label.text} {value}"
        form = Directness.TABLE if known else Directness.LIST
        yield _fact(label, number, label.text, value, excerpt, form)


def _is_tile(blocks: tuple[Block, ...], at: int, beside: Block, *, is_label: bool = False) -> bool:
    """Return True if a block is a short value beside a label, or is a label: known as one, or shorter and without a figure."""
    if not 0 <= at < len(blocks):
        return False
    one = blocks[at]
    same = one.kind == "text" and one.heading == beside.heading
    if not same or len(one.text) > _LONGEST_TILE or one.text.endswith((".", "!", "?", ":")):
        return False
    known = bool(concept_of_label(fold(one.text)))
    return (len(one.text) <= 40 and (known or not re.search(r"\d", one.text))) if is_label else not known


def named_parts(text: str) -> list[str]:
    """Return the names in "Gatehouse: visitor passes; Gate Log: door trails." if every part has one."""
    parts = [part for sentence in split_sentences(text) for part in sentence.split(";") if part.strip()]
    names = [part.split(":", 1)[0].strip() for part in parts if ":" in part]
    return names if names and len(names) == len(parts) and all(map(_NAMED_PART.match, names)) else []


def _item_name(text: str) -> str:
    """Return the name of a list item: the words before its explanation."""
    return re.split(r"\s[\u2013\u2014-]\s|:\s", text, maxsplit=1)[0].strip(" .;,")


def _cut(text: str) -> str:
    return text[:_LONGEST_EXCERPT].rsplit(" ", 1)[0] if len(text) > _LONGEST_EXCERPT else text
