"""The encoding of a text file: by its byte-order mark, by its NULs, as UTF-8, else guessed from the letters it gives."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rowcite.errors import TableError
from rowcite.table.sources.streams import open_stream

_PART, _HEAD = 1 << 20, 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH_WORD = re.compile(rb"[^\n\r\t,;|\"]*[\x80-\xff][^\n\r\t,;|\"]*")
_SAMPLE = 1 << 16  # bytes of cells with other than ASCII that a guess looks at
_WESTERN = frozenset(
    "àâäáãåçèéêëìíîïñòóôöõùúûüßøæœÀÂÄÁÃÅÇÈÉÊËÌÍÎÏÑÒÓÔÖÕÙÚÛÜØÆŒ’‘“”–—…€£°ºª®©™¿¡«»\xa0·"  # noqa: RUF001 - letters of Europe
)
_CENTRAL = frozenset("ąćęłńóśźżáčďéěíňřšťúůýžőűöüäôĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽŐŰÖÜÄ–„”’")  # noqa: RUF001 - letters of Europe


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by its name. `example` is a text from the file if the encoding is a guess."""

    name: str
    example: str | None = None


def detect_encoding(file: Path) -> Encoding:
    """Return the encoding of a file's unpacked text. All of it is read: the first accent may be in the last row."""
    with open_stream(file) as stream:
        head = bytes(stream.read(_HEAD))
    name = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if name is None and b"\0" in head:
        name = _without_mark(file, head)
    if name is not None:
        if not _decodes(file, name):
            raise TableError(f"{file}: begins like {name}, but not all of its bytes are. Export it again")
        return Encoding(name)
    if _decodes(file, "utf-8"):
        return Encoding("utf-8")
    cells = _cells_beyond_ascii(file)
    name = next((name for name in _guesses(cells) if _decodes(file, name)), "latin-1")
    first = _HIGH_WORD.search(cells)
    return Encoding(name, first[0].decode(name).strip()[:40] if first else None)


def _without_mark(file: Path, head: bytes) -> str:
    """Return the name of UTF-16 without a byte-order mark: one of its two bytes is NUL for ASCII."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) / 8 or min(even, odd) > max(even, odd) / 8:
        raise TableError(
            f"{file}: is not a text file. rowcite reads CSV, TSV, Excel, Parquet and JSON lines, each by its suffix"
        )
    return "utf-16-le" if odd > even else "utf-16-be"


def _decodes(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with open_stream(file) as stream:
            while part := stream.read(_PART):
                decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _cells_beyond_ascii(file: Path) -> bytes:
    """Return some of the file's cells that have bytes beyond ASCII, one a line."""
    found: list[bytes] = []
    size = 0
    with open_stream(file) as stream:
        while size < _SAMPLE and (part := bytes(stream.read(_PART))):
            for cell in _HIGH_WORD.findall(part):
                found.append(cell)
                size += len(cell)
    return b"\n".join(found)[: _SAMPLE * 2]


def _guesses(cells: bytes) -> list[str]:
    """Return encodings that give likely letters, the likeliest first."""
    words = b"".join(re.findall(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*", cells))
    high = len(re.findall(rb"[\x80-\xff]", words))
    if high > 0.4 * len(words):  # in a Latin script, most letters of a word are ASCII
        scripts = [name for name, fits in _SCRIPTS if fits(_decoded(cells, name))]
        return [*scripts, "cp1252"]
    letters = {"cp1252": _WESTERN, "mac_roman": _WESTERN, "cp850": _WESTERN, "cp1250": _CENTRAL}
    return sorted(letters, key=lambda name: -_known(_decoded(cells, name), letters[name]))


def _decoded(cells: bytes, encoding: str) -> str:
    """Return the characters beyond ASCII; none if the encoding does not have the bytes."""
    try:
        return "".join(char for char in cells.decode(encoding) if char > "\x7f")
    except UnicodeError:
        return ""


def _known(text: str, letters: frozenset[str]) -> float:
    return sum(char in letters for char in text) / max(len(text), 1)


def _share(text: str, first: str, last: str) -> float:
    return sum(first <= char <= last for char in text) / max(len(text), 1)


def _is_gb2312(text: str) -> bool:
    try:
        text.encode("gb2312")
    except UnicodeError:
        return False
    return _share(text, "\u4e00", "\u9fff") > 0.6


def _is_lower_cyrillic(text: str) -> bool:
    return _share(text, "\u0430", "\u044f") > 0.6


_SCRIPTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("cp932", lambda text: _share(text, "\u3040", "\u30ff") > 0.1),
    ("cp949", lambda text: _share(text, "\uac00", "\ud7a3") > 0.8),
    ("gb18030", _is_gb2312),
    ("cp1251", _is_lower_cyrillic),
    ("koi8-r", _is_lower_cyrillic),
    ("cp1253", lambda text: _share(text, "\u0370", "\u03ff") > 0.8),
)
"""Encodings of other scripts, and whether a text looks as if it was written in that script."""
