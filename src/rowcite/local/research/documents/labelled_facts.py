"""Extract facts beside a label: table rows, definition pairs and "Label: value" lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rowcite.local.research.documents.concepts import concept_of_label
from rowcite.local.research.documents.document import Block, Directness, Fact
from rowcite.local.research.documents.phrases import MODEL_INSTRUCTIONS, OTHERS_HEADING
from rowcite.local.research.text.dates import date_in
from rowcite.local.research.text.normalise import fold

_LINE = re.compile(r"^[-*•·\s]*([^\W\d_][^:\n.!?]{0,48}?)\s*(?::|\s[\u2013—]|\t)\s+(\S.*)$")
_NAME_HEADERS = re.compile(
    r"(?:company|name|organi[sz]ation|firm|business|entity|supplier|vendor|account|member|exhibitor|company name|undertaking|employer|brand)(?: name)?"
)
_YEAR_ALONE = re.compile(r"(?:FY ?)?(?:19|20)\d\d")
_YEAR_IN_LABEL = re.compile(r"\b((?:19|20)\d\d)\b")


def labelled_facts(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield every labelled fact of a page, with those beside the main text."""
    for number, block in enumerate(blocks):
        if MODEL_INSTRUCTIONS.search(block.text) or OTHERS_HEADING.search(block.heading):
            continue
        if block.kind == "pair" or (block.kind == "row" and not block.header and len(block.cells) == 2):
            yield from _pair(block, block.cells[0], block.cells[1], Directness.TABLE, number)
        elif block.kind == "row" and block.header and block.cells != block.header:
            yield from _row(block, number)
        elif block.lines and block.kind in {"text", "item"}:
            yield from _lines(block, number)
            if (
                len(block.cells) == 2
                and len(block.lines) == 1
                and not _LINE.match(block.lines[0])
                and concept_of_label(fold(block.cells[0]))
            ):
                yield from _pair(block, block.cells[0], block.cells[1], Directness.TABLE, number)


def _pair(block: Block, label: str, value: str, directness: Directness, number: int) -> Iterator[Fact]:
    """Yield the fact of a label and the text beside it."""
    folded = fold(re.sub(r"\([^)]*\)", "", label))
    if not folded or not value or len(label) > 60:
        return
    year = _YEAR_IN_LABEL.search(label) or re.search(r"\((?:[^)]*\D)?((?:19|20)\d\d)\)", value)
    excerpt = (
        block.text if directness is Directness.TABLE else next(line for line in block.lines if value in line)
    )
    yield Fact(
        folded,
        value,
        excerpt,
        directness,
        concept_of_label(folded),
        heading=block.heading,
        as_of=year[1] if year else "",
        block=number,
    )


def _row(block: Block, number: int) -> Iterator[Fact]:
    """Yield a fact for each cell of a row below a header; the name column is the row's subject."""
    names = [i for i, word in enumerate(block.header) if _NAME_HEADERS.fullmatch(fold(word))]
    if not names:
        yield from _plain_row(block, number)
        return
    subject = block.cells[names[0]] if names[0] < len(block.cells) else ""
    row_cells = tuple((fold(word), cell) for word, cell in zip(block.header, block.cells, strict=False))
    dates = [
        date_in(cell)[:4]
        for word, cell in zip(block.header, block.cells, strict=False)
        if fold(word) in {"year", "date", "as of", "updated"}
    ]
    for index, (word, cell) in enumerate(zip(block.header, block.cells, strict=False)):
        label = fold(re.sub(r"\([^)]*\)", "", word))
        if index == names[0] or not cell or not label or not subject:
            continue
        year = _YEAR_IN_LABEL.search(word)
        as_of = year[1] if year else (dates[0] if dates else "")
        yield Fact(
            label,
            cell,
            block.text,
            Directness.TABLE,
            concept_of_label(label),
            subject,
            (),
            row_cells,
            block.heading,
            as_of=as_of,
            block=number,
        )


def _plain_row(block: Block, number: int) -> Iterator[Fact]:
    """Yield the facts of a row without a name column: "Year | Employees" or "Fact | Value"."""
    if len(block.cells) == 2 and not date_in(block.cells[0]):
        yield from _pair(block, block.cells[0], block.cells[1], Directness.TABLE, number)
        return
    label = fold(block.cells[0])
    for word, cell in zip(block.header[1:], block.cells[1:], strict=False):
        if _YEAR_ALONE.fullmatch(word) and cell and label:
            yield Fact(
                label,
                cell,
                block.text,
                Directness.TABLE,
                concept_of_label(label),
                heading=block.heading,
                as_of=word[-4:],
                block=number,
            )
    years = [date_in(cell)[:4] for cell in block.cells[:1] if re.fullmatch(r"(?:FY ?)?(?:19|20)\d\d", cell)]
    for word, cell in zip(block.header[1:], block.cells[1:], strict=False):
        label = fold(re.sub(r"\([^)]*\)", "", word))
        if years and cell and label:
            yield Fact(
                label,
                cell,
                block.text,
                Directness.TABLE,
                concept_of_label(label),
                heading=block.heading,
                as_of=years[0],
                block=number,
            )


def is_labelled_line(line: str) -> bool:
    """Return True if a line has the form "Label: value"."""
    return bool(_LINE.match(line))


def _lines(block: Block, number: int) -> Iterator[Fact]:
    for line in block.lines:
        match = _LINE.match(line)
        if match and len(match[2]) < 300 and (match[1][0].isupper() or concept_of_label(fold(match[1]))):
            yield from _pair(block, match[1], match[2].strip(), Directness.LINE, number)
