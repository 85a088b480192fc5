"""Read pages out of PDF files, JSON lines and e-mail messages."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Any

from rowcite.local.research.documents.layout_facts import is_labelled_line
from rowcite.local.research.text.normalise import collapse_spaces

_MOST_PAGES = 400
_SHORT = 0.6  # a line shorter than this share of the page's longest ends its paragraph


@dataclass(frozen=True)
class PdfText:
    """A PDF's paragraphs, each a tuple of lines, and its metadata."""

    paragraphs: tuple[tuple[str, ...], ...]
    title: str = ""
    date: str = ""


@dataclass(frozen=True)
class EmbeddedPage:
    """A page inside a file, as HTML or text, with its metadata; `fault` is the reason if it cannot be read."""

    name: str
    text: str = ""
    is_html: bool = False
    url: str = ""
    title: str = ""
    date: str = ""
    fault: str = ""


def read_lines(content: str, name: str) -> Iterator[EmbeddedPage]:
    """Yield the pages of a JSONL file: objects with `html` or `text`, and optionally `url`, `title` and `date`."""
    # Split at line feeds alone: str.splitlines also breaks at U+2028, which JSON may contain.
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            yield _line(line, f"{name}#{number}")


def read_message(content: bytes, name: str) -> EmbeddedPage:
    """Return an e-mail's body, plain text preferred to HTML, with its subject as title and its day as date."""
    message = BytesParser(policy=policy.default).parsebytes(content)
    body = message.get_body(preferencelist=("plain", "html")) if isinstance(message, EmailMessage) else None
    if body is None:
        return EmbeddedPage(name, fault="contains no text")
    try:
        text = str(body.get_content())
    except (LookupError, UnicodeError) as error:
        return EmbeddedPage(name, fault=f"cannot be decoded: {error}")
    archived = str(message.get("Archived-At", "")).strip("<> ")
    url = archived if archived.startswith("http") else ""
    return EmbeddedPage(
        name, text, body.get_content_subtype() == "html", url, str(message.get("Subject", "")), _day(message)
    )


def _line(line: str, name: str) -> EmbeddedPage:
    try:
        page: Any = json.loads(line)
    except ValueError as error:
        return EmbeddedPage(name, fault=f"not JSON: {error}")
    if not isinstance(page, dict) or not isinstance(page.get("html") or page.get("text"), str):
        return EmbeddedPage(name, fault="no object with html or text")
    url, title, date = (str(page.get(key) or "").strip() for key in ("url", "title", "date"))
    return EmbeddedPage(name, page.get("html") or page["text"], bool(page.get("html")), url, title, date)


def _day(message: EmailMessage) -> str:
    try:
        return parsedate_to_datetime(str(message.get("Date", ""))).date().isoformat()
    except ValueError:
        return ""


def read_pdf(content: bytes) -> PdfText:
    """Return the text of a PDF; raise ValueError if it is damaged or encrypted.

    pypdf raises an exception for a damaged file, where PDFium, four times as fast, can crash the process. It is imported
    with the first PDF.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        pages = [page.extract_text() or "" for page in reader.pages[:_MOST_PAGES]]
        about = reader.metadata
        title = collapse_spaces(about.title or "") if about else ""
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
    return PdfText(paragraphs, title, made.date().isoformat() if made else "")


def _paragraphs(page: str) -> Iterator[tuple[str, ...]]:
    """Yield the lines of each paragraph; a short line or a labelled line ends one."""
    lines = [collapse_spaces(line) for line in page.splitlines()]
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
