"""PDF to paragraphs: the text layer, lines joined where a sentence runs on.

pypdf: its text of our trial files was PDFium's, at a quarter of the speed; but a broken file is an exception there and
never a crash of the server, and it installs everywhere. It is imported when the first PDF is met.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rowcite.local.research.labelled import is_labelled_line
from rowcite.local.research.text import squash

_MOST_PAGES = 400
_SHORT = 0.6  # a line shorter than this share of the page's longest ends its paragraph


@dataclass(frozen=True)
class Printed:
    """A PDF's paragraphs with the lines of each, and what its metadata say."""

    paragraphs: tuple[tuple[str, ...], ...]
    title: str = ""
    date: str = ""


def read_pdf(content: bytes) -> Printed:
    """Read a PDF's text; ValueError when it is broken, locked or holds no text."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        pages = [page.extract_text() or "" for page in reader.pages[:_MOST_PAGES]]
        about = reader.metadata
        title = squash(about.title or "") if about else ""
        made = about.creation_date if about else None
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        NotImplementedError,
        OSError,
    ) as error:
        raise ValueError(f"not a readable PDF: {error}") from error
    paragraphs = tuple(lines for page in pages for lines in _paragraphs(page))
    return Printed(paragraphs, title, made.date().isoformat() if made else "")


def _paragraphs(page: str) -> Iterator[tuple[str, ...]]:
    """Yield the lines of each paragraph: a short line, a full stop before a short rest, or a label ends one."""
    lines = [squash(line) for line in page.splitlines()]
    width = max(map(len, lines), default=0)
    current: list[str] = []
    for line in lines:
        if current and (not line or is_labelled_line(line) or _ends(current[-1], width)):
            yield tuple(current)
            current = []
        if current and current[-1].endswith("-") and line[:1].islower():
            current[-1] = re.sub(r"-$", "", current[-1]) + line
        elif line:
            current.append(line)
    if current:
        yield tuple(current)


def _ends(line: str, width: int) -> bool:
    return is_labelled_line(line) or len(line) < _SHORT * width
