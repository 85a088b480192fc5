"""A file's bytes to documents: front matter, encodings, HTML, Markdown, text, PDF, pages inside other files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin

import yaml
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from rowcite.local.research.documents.document import (
    HTML_SUFFIXES,
    MARKDOWN_SUFFIXES,
    Block,
    Document,
    Fact,
    Stated,
    stated_in,
)
from rowcite.local.research.documents.file_formats import Held, Printed, read_lines, read_message, read_pdf
from rowcite.local.research.documents.html_blocks import Layout, lay_out
from rowcite.local.research.documents.html_head import Head, read_head
from rowcite.local.research.documents.labelled_facts import labelled_facts
from rowcite.local.research.documents.layout_facts import laid_out_facts
from rowcite.local.research.documents.schema_org import data_facts, data_subjects, microdata_facts
from rowcite.local.research.documents.sentence_facts import sentence_facts, sentences_of
from rowcite.local.research.text.dates import full_date
from rowcite.local.research.text.normalise import core_name, squash
from rowcite.local.research.text.urls import addresses_within, host_of, site_of

UNREADABLE = (
    UnicodeError,
    ValueError,
    RecursionError,
    yaml.YAMLError,
)  # what reading a file's bytes may raise

_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_TITLE_BREAK = re.compile(r"\s+[|\u2013—·:»-]\s+|:\s+")
_markdown = MarkdownIt("commonmark", {"breaks": True, "html": True}).enable("table")


@dataclass(frozen=True)
class Source:
    """A file: its name in the corpus, its text, and what is said of it elsewhere."""

    name: str
    raw: str
    stated: Stated


def read_file(content: bytes, name: str, manifest: Mapping[str, Stated]) -> tuple[list[Document], list[str]]:
    """Turn a file's bytes into documents, and lines about parts left out; ValueError when the file is none."""
    stated = manifest.get(name, Stated())
    suffix = f".{name.rsplit('.', 1)[-1].lower()}"
    if suffix == ".pdf":
        return [_from_pdf(read_pdf(content), name, stated)], []
    if suffix in {".jsonl", ".eml"}:
        pages = (
            [read_message(content, name)] if suffix == ".eml" else list(read_lines(_decode(content), name))
        )
        documents = [_from_held(page, manifest.get(page.name, Stated())) for page in pages if not page.fault]
        return documents, [f"{page.name}: {page.fault}" for page in pages if page.fault]
    return [_from_text_file(_decode(content), name, suffix, stated)], []


def _from_held(page: Held, stated: Stated) -> Document:
    stated = stated.over(Stated(page.url, page.title, page.date))
    if page.is_html:
        return _from_html(page.text, page.name, stated)
    return _build(_from_text(page.text), Head(), Source(page.name, page.text, stated), [])


def _from_pdf(printed: Printed, name: str, stated: Stated) -> Document:
    layout = Layout()
    for lines in printed.paragraphs:
        layout.add(Block("text", " ".join(lines), "", lines=lines), noise=False)
    stated = stated.over(Stated("", printed.title, printed.date))
    return _build(layout, Head(), Source(name, layout.text, stated), [])


def _from_text_file(text: str, name: str, suffix: str, stated: Stated) -> Document:
    if suffix in HTML_SUFFIXES:
        return _from_html(text, name, stated)
    front, body = _split_front_matter(text)
    stated = stated.over(front)
    if suffix in MARKDOWN_SUFFIXES:
        tree = LexborHTMLParser(f"<body>{_markdown.render(body)}</body>")
        return _build(lay_out(tree), Head(), Source(name, text, stated), [])
    return _build(_from_text(body), Head(), Source(name, text, stated), [])


def _from_html(text: str, name: str, stated: Stated) -> Document:
    tree = LexborHTMLParser(text)
    head = read_head(tree, name)
    facts = [*data_facts(head.data), *microdata_facts(tree)]
    return _build(lay_out(tree), head, Source(name, text, stated), facts, tree)


def _from_text(body: str) -> Layout:
    """Read paragraphs between blank lines; each line may be a labelled one."""
    layout = Layout()
    for paragraph in re.split(r"\n\s*\n", body):
        lines = tuple(squash(line) for line in paragraph.splitlines() if line.strip())
        if lines:
            layout.add(Block("text", " ".join(lines), "", lines=lines), noise=False)
    return layout


def _build(
    layout: Layout, head: Head, source: Source, data: list[Fact], tree: LexborHTMLParser | None = None
) -> Document:
    """Put a document together; a fact whose excerpt does not stand in it is dropped."""
    name, raw, stated = source.name, source.raw, source.stated
    url = stated.url or head.url or f"file:{name}"
    blocks = tuple(layout.blocks)
    headline = next((block.text for block in blocks if block.kind == "heading"), "")
    title = stated.title or head.title or headline or _first_line(blocks)
    text = squash(f"{head.title} {layout.text}")
    sentences = tuple(sentences_of(blocks))
    bare = Document(name, url, title, None, host_of(url), site_of(host_of(url)), text, raw)
    facts = [*data, *labelled_facts(blocks), *laid_out_facts(blocks), *sentence_facts(sentences)]
    return Document(
        name, url, title, full_date(stated.date) or head.date or _dateline(blocks), bare.host, bare.site, text, raw, blocks, sentences,
        tuple(fact for fact in facts if bare.contains(fact.excerpt)), _subjects(title, headline, head), _links(layout.text, tree),
        _hrefs(url, tree),
    )  # fmt: skip


def _subjects(title: str, headline: str, head: Head) -> tuple[str, ...]:
    """Return the core names a page presents: parts of its title and headline, its data's organisations."""
    parts = [part for text in (title, headline, head.title) for part in [text, *_TITLE_BREAK.split(text)]]
    return tuple(
        dict.fromkeys(
            name for name in [*data_subjects(head.data), *map(core_name, [*parts, head.site_name])] if name
        )
    )


def _links(text: str, tree: LexborHTMLParser | None) -> frozenset[str]:
    targets = [node.attributes.get("href") or "" for node in tree.css("a[href]")] if tree is not None else []
    hosts = [host for target in targets if (host := host_of(target))]
    return frozenset([*map(site_of, hosts), *addresses_within(text)])


def _hrefs(url: str, tree: LexborHTMLParser | None) -> tuple[str, ...]:
    """Return the addresses a page links to, whole and without their fragments."""
    targets = [node.attributes.get("href") or "" for node in tree.css("a[href]")] if tree is not None else []
    return tuple(dict.fromkeys(urldefrag(_joined(url, target)).url for target in targets if target))


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:  # such as an unclosed IPv6 bracket
        return ""


def _first_line(blocks: tuple[Block, ...]) -> str:
    return blocks[0].lines[0][:120] if blocks and blocks[0].lines else ""


def _dateline(blocks: tuple[Block, ...]) -> str | None:
    """Return the date a page carries as a line of its own near the top, as news and releases do."""
    for block in blocks[:5]:
        for line in block.lines or (block.text,):
            bare = re.sub(
                r"^(?:published|updated|last updated|posted|date|released?)\b[: ]*",
                "",
                line,
                flags=re.IGNORECASE,
            )
            if len(bare) <= 60 and (date := full_date(bare)) and _is_dateline(bare):
                return date
    return None


def _is_dateline(line: str) -> bool:
    """Tell whether a line is a date beside a byline or a place, not the value of some label or a sentence."""
    return ":" not in line and not line.endswith((".", "!", "?")) and len(re.sub(r"\W", "", line)) < 45


def _split_front_matter(text: str) -> tuple[Stated, str]:
    match = _FRONT_MATTER.match(text)
    data: Any = yaml.safe_load(match[1]) if match else None
    if match is None or not isinstance(data, dict):
        return Stated(), text
    return stated_in(data), text[match.end() :]


def _decode(content: bytes) -> str:
    """Decode by BOM, then UTF-8, then the charset the page names; UnicodeError when none fits."""
    if b"\0" in content[:1024] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("holds binary data")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        charset = _CHARSET.search(content[:2048])
        if charset is None:
            raise
        try:
            return content.decode(charset[1].decode("ascii"))
        except LookupError as error:
            raise ValueError(f"names an unknown charset: {error}") from error
