"""Read pages out of files: their text, by encoding, and those in PDF files and JSON lines."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from rowcite.local.research.documents.document import FileMetadata, metadata_in
from rowcite.local.research.text.normalise import collapse_spaces

_NAMES = ("html", "htm", "xhtml", "md", "markdown", "txt", "text", "pdf", "jsonl")
SUFFIXES = frozenset(f".{name}" for name in _NAMES)
_MOST_PAGES = 400
_HYPHEN = re.compile(r"(?<=\w)-\n(?=[a-z])")  # at the end of a line of a PDF
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
    elif suffix == ".jsonl":
        # Split at line feeds alone: str.splitlines also breaks at U+2028, which JSON may contain.
        lines = enumerate(_decode(content).split("\n"), 1)
        yield from (_line(line, f"{name}#{number}") for number, line in lines if line.strip())
    else:
        form = "html" if "htm" in suffix else "markdown" if suffix[:2] == ".m" else "text"
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
        text = "\n\n".join(_HYPHEN.sub("", page.extract_text()) for page in reader.pages[:_MOST_PAGES])
        about = reader.metadata
        title = collapse_spaces(about.title or "") if about else ""
        made = about.creation_date if about else None
    except damages as error:
        raise ValueError(f"not a readable PDF: {error}") from error
    day = made.date().isoformat() if made else ""
    return Page(name, text, "text", FileMetadata("", title, day))


def _decode(content: bytes) -> str:
    """Decode by BOM, as UTF-8, by the charset the page names, or by its letters; raise ValueError if all fail."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    if b"\0" in content[:1024]:
        raise ValueError("contains binary data")
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    import charset_normalizer  # of the extra `local`: the names of formats are needed without it

    guess = charset_normalizer.from_bytes(content[: content.rfind(b"\n", 0, _GUESSED) + 1 or _GUESSED]).best()
    if guess is None:
        raise ValueError("is in no encoding that could be recognised")
    return content.decode(guess.encoding, "replace")
