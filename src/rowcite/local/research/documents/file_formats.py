"""Read pages out of files: their text, by encoding, and those in PDF files, JSON lines and e-mail messages."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Any

import charset_normalizer

from rowcite.local.research.documents.document import (
    HTML_SUFFIXES,
    MARKDOWN_SUFFIXES,
    FileMetadata,
    metadata_in,
)
from rowcite.local.research.documents.layout_facts import is_labelled_line
from rowcite.local.research.text.normalise import collapse_spaces

_MOST_PAGES = 400
_SHORT = 0.6  # a line shorter than this share of the page's longest ends its paragraph
_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_GUESSED = 20_000  # bytes by which an encoding is recognised


@dataclass(frozen=True)
class Page:
    """A page in a file, in a form (html, markdown or text), with its metadata; `fault` is the reason if it cannot be read."""

    name: str
    text: str = ""
    form: str = "text"
    metadata: FileMetadata = field(default_factory=FileMetadata)
    fault: str = ""


def pages_in(content: bytes, name: str) -> Iterator[Page]:
    """Yield the pages of a file; raise ValueError if it cannot be read."""
    suffix = f".{name.rsplit('.', 1)[-1].lower()}"
    if suffix == ".pdf":
        yield _pdf(content, name)
    elif suffix == ".eml":
        yield _message(content, name)
    elif suffix == ".jsonl":
        # Split at line feeds alone: str.splitlines also breaks at U+2028, which JSON may contain.
        lines = enumerate(_decode(content).split("\n"), 1)
        yield from (_line(line, f"{name}#{number}") for number, line in lines if line.strip())
    else:
        form = "html" if suffix in HTML_SUFFIXES else "markdown" if suffix in MARKDOWN_SUFFIXES else "text"
        yield Page(name, _decode(content), form)


def _line(line: str, name: str) -> Page:
    """Return the page of a JSON line: an object with `html` or `text`, and optionally `url`, `title` and `date`."""
    try:
        page: Any = json.loads(line)
    except ValueError as error:
        return Page(name, fault=f"not JSON: {error}")
    text = (page.get("html") or page.get("text")) if isinstance(page, dict) else None
    if not isinstance(text, str):
        return Page(name, fault="no object with html or text")
    return Page(name, text, "html" if page.get("html") else "text", metadata_in(page))


def _message(content: bytes, name: str) -> Page:
    """Return an e-mail's body, plain text preferred to HTML, with its subject as title and its day as date."""
    message = BytesParser(policy=policy.default).parsebytes(content)
    body = message.get_body(preferencelist=("plain", "html")) if isinstance(message, EmailMessage) else None
    if body is None:
        raise ValueError("contains no text")
    try:
        text = str(body.get_content())
    except LookupError as error:
        raise ValueError(f"cannot be decoded: {error}") from error
    archived, day = str(message.get("Archived-At", "")).strip("<> "), ""
    with suppress(ValueError):
        day = parsedate_to_datetime(str(message.get("Date", ""))).date().isoformat()
    url = archived if archived.startswith("http") else ""
    form = "html" if body.get_content_subtype() == "html" else "text"
    return Page(name, text, form, FileMetadata(url, str(message.get("Subject", "")), day))


def _pdf(content: bytes, name: str) -> Page:
    """Return the text of a PDF; raise ValueError if it is damaged or encrypted.

    pypdf raises an exception for a damaged file, where PDFium, four times as fast, can crash the process. It is imported
    with the first PDF.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    damages = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError, OSError)
    try:
        reader = PdfReader(io.BytesIO(content))
        pages = [page.extract_text() or "" for page in reader.pages[:_MOST_PAGES]]
        about = reader.metadata
        title = collapse_spaces(about.title or "") if about else ""
        made = about.creation_date if about else None
    except damages as error:
        raise ValueError(f"not a readable PDF: {error}") from error
    text = "\n\n".join(paragraph for page in pages for paragraph in _paragraphs(page))
    return Page(name, text, "text", FileMetadata("", title, made.date().isoformat() if made else ""))


def _paragraphs(page: str) -> Iterator[str]:
    """Yield the lines of each paragraph; a short line or a labelled line ends one."""
    lines = [collapse_spaces(line) for line in page.splitlines()]
    short = _SHORT * max(map(len, lines), default=0)
    current: list[str] = []
    for line in lines:
        ended = current and (is_labelled_line(current[-1]) or len(current[-1]) < short)
        if current and (ended or not line or is_labelled_line(line)):
            yield "\n".join(current)
            current = []
        if current and current[-1].endswith("-") and line[:1].islower():
            current[-1] = current[-1].removesuffix("-") + line
        elif line:
            current.append(line)
    if current:
        yield "\n".join(current)


def _decode(content: bytes) -> str:
    """Decode by BOM, as UTF-8, by the charset the page names, or by its letters; raise ValueError if all fail."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    if b"\0" in content[:1024]:
        raise ValueError("contains binary data")
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    if charset := _CHARSET.search(content[:2048]):
        try:
            return content.decode(charset[1].decode("ascii"), "replace")
        except LookupError as error:
            raise ValueError(f"names an unknown charset: {error}") from error
    guess = charset_normalizer.from_bytes(content[:_GUESSED]).best()
    if guess is None:
        raise ValueError("is in no encoding that could be recognised")
    return content.decode(guess.encoding, "replace")
