"""Text from the web and from tables, made harmless: one function for each place that it is written to.

Spreadsheets (`csv_line`, `without_formula`), workbooks (`cell_text`, `is_link`), pages (`json_in_page`; the rest of a page is escaped by its template),
Markdown files (`plain_markdown`), and lines of a log, a terminal or a page (`one_line`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

# --- spreadsheets ----------------------------------------------------------------------------------------

_SKIPPED = (
    "\x00-\x20\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5"
    "\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""White space, control characters, and characters without a width: what a program may drop before a formula."""
_NUMBER = r"[+\-][0-9][0-9,]*(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]+)?"
_PHONE = r"\+[0-9][0-9 \xa0()./\-]*"
FORMULA = f"[{_SKIPPED}]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]|[\t\r\n]"
"""How a formula begins, also in full-width and small forms. Some programs read a tab or a line break as the next cell."""
NUMBER_OR_PHONE = f" *(?:{_NUMBER}|{_PHONE})"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern compiled when it is first used, to keep `rowcite --help` fast."""
    return re.compile(pattern)


def is_formula(text: str) -> bool:
    """Return True if a spreadsheet may run a text as a formula. A number or a phone number is none: -12.5, +49 30 1234."""
    return bool(_compiled(FORMULA).match(text)) and not _compiled(NUMBER_OR_PHONE).fullmatch(text)


def without_formula(text: str) -> str:
    """Return a text with an apostrophe before it if it is a formula."""
    return f"'{text}" if is_formula(text) else text


def csv_line(cells: Iterable[str]) -> str:
    r"""Return a line of a CSV that reads back. A cell with a quote, a comma, or any of \r and \n is quoted."""
    import csv  # imported here to keep `rowcite --help` fast
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)  # it quotes the characters of its line end alone
    return out.getvalue().removesuffix("\r\n") + "\n"


_NOT_IN_CELL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?")
_LINK = re.compile('https?://[^\\s<>"\x00-\x20\x7f-\x9f\ufffe\uffff\ud800-\udfff]+\\Z', re.IGNORECASE)
LINK_CHARS = 2_079
"""Characters of the longest link that Excel opens."""


def cell_text(text: str) -> str:
    """Return a text for a cell of a workbook: without control characters, and with line ends as Excel has them."""
    if text.isprintable():
        return text
    return _NOT_IN_CELL.sub("", _LINE_ENDS.sub("\n", text) if "\r" in text else text)


def is_link(url: str) -> bool:
    """Return True if a workbook may link to a URL: http or https, with a host, and not too long for Excel."""
    return len(url) <= LINK_CHARS and bool(_LINK.match(url)) and _has_host(url)


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


# --- pages -----------------------------------------------------------------------------------------------

_UNSAFE_IN_PAGE = "[<>&\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


def json_in_page(value: Any) -> str:
    """Return a value as JSON that is safe inside a script element."""
    import json

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return _compiled(_UNSAFE_IN_PAGE).sub(lambda found: f"\\u{ord(found[0]):04x}", text)


# --- Markdown --------------------------------------------------------------------------------------------

_TAG = re.compile(r"<(?=[a-zA-Z/!?])(?!https?://)")
_TARGET = re.compile(r"\](?=[(:][\s>]*+(?!<?https?://|mailto:)(?:<|//|\S*[:&\\]))")
_IMAGE = re.compile(r"!(?=\[)")
_MOVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tab and line feed, and characters that end a line or reverse text."""


def plain_markdown(text: str) -> str:
    """Return Markdown without HTML, with links in place of images, and without links to schemes but http, https and mailto.

    A viewer loads an image by itself, and may run HTML. In code, a `<` before a letter is shown as `&lt;`.
    """
    text = _MOVES.sub(lambda char: _escaped(char[0]), text.replace("\r\n", "\n"))
    return _IMAGE.sub("&#33;", _TARGET.sub("&#93;", _TAG.sub("&lt;", text)))


# --- lines -----------------------------------------------------------------------------------------------


def one_line(text: str, most: int | None = None) -> str:
    """Return a text as one line with control and format characters escaped as in JSON, and cut to `most` characters.

    A value from the web must not move the cursor, reverse the text, forge a line or fill a log.
    """
    text = text if most is None else shortened(text, most)
    return "".join(char if char == "\t" or char.isprintable() else _escaped(char) for char in text)


def shortened(text: str, most: int) -> str:
    """Return a text cut to `most` characters, with the number of those left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def _escaped(char: str) -> str:
    if char in "\n\r":
        return "\\n" if char == "\n" else "\\r"
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
