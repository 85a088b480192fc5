"""The cells of a field as the values of its columns: JSON texts, URLs, citations, the evidence that a workbook shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import quote

import msgspec

from rowcite.accept.evidence import Element
from rowcite.accept.judge import CellColumn
from rowcite.inert import shortened
from rowcite.model import Citation
from rowcite.rows.given import GIVEN

_EXCERPT_CHARS, _CITATIONS = 2_000, 100  # of the evidence in a workbook
_TEXT = frozenset({str})
_SPACE = re.compile(r"\s")
_text_of = json.JSONEncoder(
    ensure_ascii=False, default=str
).encode  # `json.dumps` builds an encoder each time


class Evidence(msgspec.Struct, array_like=True):
    """The evidence of a found value. A citation is title, URL and excerpts, which are cut."""

    confidence: str | None
    citations: list[tuple[str | None, str, str]]


evidence_of = msgspec.json.Decoder(Evidence).decode


def replacing(cells: CellColumn, values: Iterable[Any]) -> list[Any]:
    """Return those of the cells' values that replace the value in the table, and None for the others."""
    found = zip(values, cells.values, cells.rejections, cells.confidences, strict=True)
    return [
        shown if value is not None and rejection is None and confidence != GIVEN else None
        for shown, value, rejection, confidence in found
    ]


def evidence(cells: CellColumn) -> list[bytes | None]:
    """Return the evidence of each found value: its confidence, and title, URL and excerpts of each citation."""
    return [
        None if value is None or confidence == GIVEN else _evidence_bytes(confidence, citations)
        for value, confidence, citations in zip(cells.values, cells.confidences, cells.citations, strict=True)
    ]


def _evidence_bytes(confidence: str | None, citations: Sequence[Citation]) -> bytes:
    return msgspec.json.encode(
        Evidence(
            confidence,
            [
                (item.title, item.url, shortened(" … ".join(item.excerpts), _EXCERPT_CHARS))
                for item in citations[:_CITATIONS]
            ],
        )
    )


def evidence_of_given(cells: CellColumn) -> list[bytes | None]:
    """Return the evidence of each found value that replaces the value in the table."""
    return replacing(cells, evidence(cells))


def json_texts(cells: CellColumn) -> list[Any]:
    """Return the values, lists and objects as JSON text."""
    return [_json_text(value) for value in cells.values]


def _json_text(value: Any) -> Any:
    if isinstance(value, list) and _TEXT.issuperset(map(type, value)):
        return f"[{', '.join(map(encode_basestring, value))}]"  # as the encoder does, in half the time
    return _text_of(value) if isinstance(value, (list, dict)) else value


def as_texts(full: Callable[[CellColumn], list[Any]]) -> Callable[[CellColumn], list[str | None]]:
    """Return the function that returns citations as JSON text; None without any."""
    return lambda cells: [_text_of(items) if items else None for items in full(cells)]


def full_citations(cells: CellColumn) -> list[list[dict[str, Any]]]:
    """Return URL, title and excerpts of each citation."""
    return [list(map(_citation, citations)) for citations in cells.citations]


def citations_of_list(cells: CellColumn) -> list[list[dict[str, Any]]]:
    """Return citations with the position of the element that each supports, None for those of the whole list."""
    return [
        [
            {**_citation(citation), "element": position}
            for citation, position in _by_element(citations, elements)
        ]
        for citations, elements in zip(cells.citations, cells.elements, strict=True)
    ]


def _by_element(
    citations: Iterable[Citation], elements: Iterable[Element]
) -> list[tuple[Citation, int | None]]:
    """Return the citations of a whole list, and those of its elements with their positions."""
    of_elements = [
        (citation, element.position) for element in elements for citation in element.basis.citations
    ]
    named = {citation.url for citation, _ in of_elements}
    return [*((citation, None) for citation in citations if citation.url not in named), *of_elements]


def _citation(citation: Citation) -> dict[str, Any]:
    return {**msgspec.structs.asdict(citation), "excerpts": list(citation.excerpts)}


def urls(cells: CellColumn) -> list[list[str]]:
    """Return each URL once, with spaces quoted."""
    return [text.split(" ") if text is not None else [] for text in urls_texts(cells)]


def urls_texts(cells: CellColumn) -> list[str | None]:
    """Return each URL once, with spaces quoted and between them."""
    own = [[citation.url for citation in citations] for citations in cells.citations]
    whole = "".join(chain.from_iterable(own))
    if whole and whole.split() != [whole]:
        own = [[_SPACE.sub(lambda space: quote(space[0]), url) for url in urls] for urls in own]
    urls = list(chain.from_iterable(own))
    is_once = len(set(urls)) == len(urls)  # most URLs are those of one row
    return [text or None for text in map(" ".join, own if is_once else map(dict.fromkeys, own))]
