"""Files that hold pages of other kinds: lines of JSON with a page each, and e-mail messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(frozen=True)
class Held:
    """A page inside a file: HTML or text, with what the container says of it; `fault` says why there is none."""

    name: str
    text: str = ""
    is_html: bool = False
    url: str = ""
    title: str = ""
    date: str = ""
    fault: str = ""


def read_lines(content: str, name: str) -> Iterator[Held]:
    """Yield the pages of a JSONL file: objects with `html` or `text`, and `url`, `title` and `date` where known."""
    # Split at line feeds alone: str.splitlines also breaks at U+2028, which JSON may hold.
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            yield _line(line, f"{name}#{number}")


def read_message(content: bytes, name: str) -> Held:
    """Return an e-mail's body, plain text before HTML; its subject is the title, its day the date."""
    message = BytesParser(policy=policy.default).parsebytes(content)
    body = message.get_body(preferencelist=("plain", "html")) if isinstance(message, EmailMessage) else None
    if body is None:
        return Held(name, fault="holds no text")
    try:
        text = str(body.get_content())
    except (LookupError, UnicodeError) as error:
        return Held(name, fault=f"cannot be decoded: {error}")
    archived = str(message.get("Archived-At", "")).strip("<> ")
    url = archived if archived.startswith("http") else ""
    return Held(
        name, text, body.get_content_subtype() == "html", url, str(message.get("Subject", "")), _day(message)
    )


def _line(line: str, name: str) -> Held:
    try:
        page: Any = json.loads(line)
    except ValueError as error:
        return Held(name, fault=f"not JSON: {error}")
    if not isinstance(page, dict) or not isinstance(page.get("html") or page.get("text"), str):
        return Held(name, fault="no object with html or text")
    url, title, date = (str(page.get(key) or "").strip() for key in ("url", "title", "date"))
    return Held(name, page.get("html") or page["text"], bool(page.get("html")), url, title, date)


def _day(message: EmailMessage) -> str:
    try:
        return parsedate_to_datetime(str(message.get("Date", ""))).date().isoformat()
    except ValueError:
        return ""
