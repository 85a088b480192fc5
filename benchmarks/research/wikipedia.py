"""Wikipedia articles as documents: the dumps that ship in gensim's test data, infoboxes cut out.

The articles are read from the installed package or from its wheel, at evaluation time; nothing of them is kept in
this project. Text is by Wikipedia's contributors under CC BY-SA.
"""

from __future__ import annotations

import bz2
import hashlib
import html
import importlib.util
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import mwparserfromhell
from mwparserfromhell.nodes import Tag, Template, Wikilink
from mwparserfromhell.wikicode import Wikicode

_PAGE = re.compile(r"<page>(.*?)</page>", re.DOTALL)
_TITLE = re.compile(r"<title>(.*?)</title>")
_TEXT = re.compile(r"<text[^>]*>(.*?)</text>", re.DOTALL)
_BOX = re.compile(r"infobox|geobox", re.IGNORECASE)
_UNITS = {
    "km2": "km²",
    "sqkm": "km²",
    "sqmi": "square miles",
    "mi2": "square miles",
    "sq mi": "square miles",
    "mi": "miles",
    "ft": "feet",
    "lb": "pounds",
}
_DATES = ("birth date", "death date", "start date", "birth-date", "film date", "bda", "birth year")
_LISTS = frozenset(
    {"hlist", "plainlist", "plain list", "ublist", "ubl", "unbulleted list", "flatlist", "flat list"}
)
_DASHES = frozenset({"spaced ndash", "snd", "spnd", "ndash", "dash"})
# Templates whose argument of this number is what is read.
_SHOWN = dict.fromkeys(("flag", "flagcountry", "nowrap", "small", "nobold", "nobr", "marriage", "formatnum", "url", "usd", "us$"), 0) | {
    "lang": 1, "native name": 1}  # fmt: skip
_TABLE = re.compile(r"^\{\|.*?^\|\}", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Article:
    """An article: its text as an HTML page, and what its infobox says (lower-case key, wikitext)."""

    title: str
    page: str
    box: tuple[tuple[str, str], ...]
    held_out: bool

    @property
    def url(self) -> str:
        """The article's address."""
        return f"https://en.wikipedia.org/wiki/{self.title.replace(' ', '_')}"


def articles(extra: Path | None = None) -> list[Article]:
    """Return the articles of the English dumps; wikitext files in `extra` join the part to develop on."""
    found = [
        _article(title, text, held_out=is_held_out(title))
        for dump in _dumps()
        for title, text in _pages(dump)
    ]
    if extra is not None:
        found += [
            _article(path.stem.replace("-", " "), path.read_text(encoding="utf-8"), held_out=False)
            for path in sorted(extra.glob("*.txt"))
        ]
    return found


def is_held_out(title: str) -> bool:
    """Put two titles of three aside, by their hash: nobody looks at those while building."""
    return int(hashlib.sha256(title.encode()).hexdigest(), 16) % 3 != 0


def plain(value: str) -> str:
    """Return the words of some wikitext: links by their labels, templates by what they show."""
    code = mwparserfromhell.parse(re.sub(r"<br\s*/?>", "\n", value))
    _show_templates(code)
    text = code.strip_code(normalize=True, collapse=False)
    return re.sub(r"[ \t]+", " ", html.unescape(text)).strip()


def _dumps() -> Iterator[str]:
    """Yield the dumps' XML from the installed package, else from its wheel."""
    spec = importlib.util.find_spec("gensim")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations))) / "test" / "test_data"
        for path in sorted(folder.glob("enwiki*.bz2")):
            yield bz2.decompress(path.read_bytes()).decode()
        return
    with TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            folder,
            "gensim",
        ]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        wheel = next(Path(folder).glob("gensim*"))
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if "test_data/enwiki" in name and name.endswith(".bz2"):
                    yield bz2.decompress(archive.read(name)).decode()


def _pages(dump: str) -> Iterator[tuple[str, str]]:
    """Yield title and wikitext of the articles: no redirects, no pages of other kinds."""
    for page in _PAGE.findall(dump):
        title, text = _TITLE.search(page), _TEXT.search(page)
        if title and text and "<redirect" not in page and ":" not in title[1]:
            yield html.unescape(title[1]), html.unescape(text[1])


def _article(title: str, wikitext: str, *, held_out: bool) -> Article:
    code = mwparserfromhell.parse(_TABLE.sub("", wikitext))
    box = tuple(
        (str(entry.name).strip().lower(), str(entry.value).strip())
        for template in mwparserfromhell.parse(wikitext).filter_templates(recursive=False)
        if _BOX.match(str(template.name).strip())
        for entry in template.params
        if str(entry.value).strip()
    )
    return Article(title, _page(title, code), box, held_out)


def _page(title: str, code: Wikicode) -> str:
    """Return the article as a page of headings, paragraphs and lists; infoboxes and templates are gone."""
    _show_templates(code)
    for node in code.filter(recursive=True, matches=_is_furniture):
        _drop(code, node)
    parts = [f"<h1>{html.escape(title)}</h1>"]
    for line in code.strip_code(normalize=True, collapse=False).splitlines():
        parts += _line(html.unescape(line).strip())
    for heading in code.filter_headings():
        words = html.escape(heading.title.strip_code().strip())
        parts = [
            f"<h{heading.level}>{words}</h{heading.level}>" if part == f"<p>{words}</p>" else part
            for part in parts
        ]
    body = "\n".join(parts)
    return f"<html><head><title>{html.escape(title)} - Wikipedia</title></head><body>{body}</body></html>"


def _line(text: str) -> list[str]:
    bare = text.lstrip("*#:;").strip()
    if not bare:
        return []
    return [f"<li>{html.escape(bare)}</li>" if text[0] in "*#" else f"<p>{html.escape(bare)}</p>"]


def _is_furniture(node: object) -> bool:
    if isinstance(node, Wikilink):
        return str(node.title).split(":")[0].strip().lower() in {"file", "image", "category", "datei"}
    return isinstance(node, Tag) and str(node.tag).strip().lower() in {"ref", "gallery", "table", "math"}


def _show_templates(code: Wikicode) -> None:
    """Replace templates by the words they show in running text; all others by nothing."""
    for template in code.filter_templates(recursive=True):
        _replace(code, template, _shown(template))


def _shown(template: Template) -> str:
    """Return what a template shows: a converted measure, a date, its words, or nothing."""
    name = str(template.name).strip().lower()
    given = [entry.value.strip_code().strip() for entry in template.params if not entry.showkey]
    if name in {"convert", "cvt"} and len(given) > 1:
        return _converted(given)
    if name.startswith(_DATES):
        return "-".join(part.zfill(2) for part in given[:3] if part.isdigit())
    if name in _LISTS:
        return "\n".join(given)
    if name in _DASHES:
        return "\u2013"
    return next(iter(given[_SHOWN[name] :]), "") if name in _SHOWN else ""


def _converted(given: list[str]) -> str:
    """Return "{{convert|7|km2}}" and "{{convert|7|to|9|km2}}" as a text has them."""
    if given[1] in {"to", "-", "and", "by", "x"} and len(given) > 3:
        return f"{given[0]} {given[1]} {given[2]} {_UNITS.get(given[3], given[3])}"
    return f"{given[0]} {_UNITS.get(given[1], given[1])}"


def _replace(code: Wikicode, node: Template, words: str) -> None:
    try:
        code.replace(node, words)
    except ValueError:  # it stood in a template that is gone
        return


def _drop(code: Wikicode, node: object) -> None:
    try:
        code.remove(node)
    except ValueError:  # it stood in something that is gone
        return
