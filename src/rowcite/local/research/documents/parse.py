"""Parse a file's bytes to documents: pages in HTML, Markdown and text, with their metadata and facts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import yaml
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from rowcite.local.research.documents.document import Block, Document, Fact, FileMetadata
from rowcite.local.research.documents.file_formats import Page, pages_in
from rowcite.local.research.documents.html_blocks import Layout, blocks_of, check_depth
from rowcite.local.research.documents.layout_facts import layout_facts
from rowcite.local.research.documents.node_facts import mapping_facts, named_in, node_facts, node_subjects
from rowcite.local.research.documents.nodes import Node, mapping_node, page_node, thing_nodes
from rowcite.local.research.documents.phrases import sentence_facts
from rowcite.local.research.text.figures import full_date
from rowcite.local.research.text.normalise import collapse_spaces, core_name
from rowcite.local.research.text.urls import host_of, site_of, sites_within

UNREADABLE = (UnicodeError, ValueError, RecursionError, yaml.YAMLError)  # the errors of reading a file

_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\A(?:\+\+\+|```toml)\s*\n(.*?)\n(?:\+\+\+|```)\s*(?:\n|\Z)", re.DOTALL)
_NAME_LABEL = re.compile(r"(?:\w+ ){0,2}name|title|package|project")
MOST_CHARS = 10 << 20  # of one document
_TOP = 4  # blocks at the beginning of a page
_MOST_FACTS = 3_000  # of a page by its layout: each is looked up in the text
_TITLE_BREAK = re.compile(r"\s+[|\u2013—·:»-]\s+|:\s+")
_NOT_DATELINE = re.compile(r"(?<!published)(?<!updated):|[.!?]$", re.IGNORECASE)
_DATES = ("dateModified", "datePublished", "dateCreated", "modified_time", "published_time", "updated_time", "last-modified", "date", "date.issued", "publish-date", "pubdate", "datepublished", "time")  # fmt: skip
_PAGE_TYPES = re.compile(r"Article|Posting|Page\b|Report|Dataset|CreativeWork")
_markdown = MarkdownIt("commonmark", {"breaks": True, "html": True}).enable("table")


def read_file(
    content: bytes, name: str, manifest: Mapping[str, FileMetadata]
) -> tuple[list[Document], list[str]]:
    """Return the documents in a file's bytes, and a line for each part left out; raise ValueError if it cannot be read."""
    documents, complaints = list[Document](), list[str]()
    for page in pages_in(content, name):
        if len(page.text) > MOST_CHARS:
            complaints.append(f"{page.name}: longer than {MOST_CHARS >> 20} MiB; the rest was not read")
        stated = manifest.get(page.name, FileMetadata()).with_fallback(page.metadata)
        try:
            if page.fault:
                raise ValueError(page.fault)
            documents.append(_document(replace(page, text=page.text[:MOST_CHARS], metadata=stated)))
        except UNREADABLE as error:
            if page.name == name:
                raise
            complaints.append(f"{page.name}: {error}")
    return documents, complaints


def _document(page: Page) -> Document:
    """Parse a page by its form."""
    if page.form == "html":
        check_depth(page.text)
        tree, source = LexborHTMLParser(page.text), collapse_spaces(page.text)
        hrefs = [link.attributes.get("href") or "" for link in tree.css("a[href]")]
        return _build(page, blocks_of(tree), page_node(tree, source), thing_nodes(tree, source), hrefs)
    front, body = _split_front_matter(page.text)
    html = f"<body>{_markdown.render(body)}</body>" if page.form == "markdown" else ""
    layout = blocks_of(LexborHTMLParser(html)) if html else _from_text(body)
    return _build(page, layout, mapping_node(front, page.text[: len(page.text) - len(body)]))


def _split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the mapping at the top of a text, in YAML or TOML with every scalar as it is written, and the rest."""
    if match := _TOML.match(text):
        return tomllib.loads(match[1]), text[match.end() :]
    match = _FRONT_MATTER.match(text)
    data: Any = yaml.load(match[1], yaml.BaseLoader) if match else None  # noqa: S506  # it makes texts only
    return (data, text[match.end() :]) if match and isinstance(data, dict) else ({}, text)


def _from_text(body: str) -> Layout:
    """Return the paragraphs between blank lines as blocks."""
    layout = Layout()
    for paragraph in re.split(r"\n\s*\n", body):
        columns = (re.split(r"\s{3,}|\t|\s*\.{4,}\s*", line.strip()) for line in paragraph.splitlines())
        if lines := tuple(filter(None, ("\t".join(map(collapse_spaces, cells)) for cells in columns))):
            layout.add(Block("text", collapse_spaces(" ".join(lines)), lines=lines))
    return layout


def _build(
    page: Page, layout: Layout, own: Node, things: Sequence[Node] = (), hrefs: Sequence[str] = ()
) -> Document:
    """Build a document from what a page states of itself and of things; facts whose excerpt does not occur in it are dropped."""
    metadata, blocks, words = page.metadata, tuple(layout.blocks), layout.text
    addresses = [leaf.text for leaf in own.leaves("url") if leaf.text.startswith(("http://", "https://"))]
    url = metadata.url or next(iter(addresses), f"file:{page.name}")
    headline = next((block.text for block in blocks if block.kind == "heading"), "")
    first = blocks[0].lines[0][:120] if blocks and blocks[0].lines else ""
    title = metadata.title or own.text("title") or headline or first
    data = node_facts(things, own.text("title")) + mapping_facts(own)
    stated = "" if words else "; ".join(fact.value for fact in data)  # a page of data alone
    facts = [*data, *islice(layout_facts(blocks), _MOST_FACTS), *sentence_facts(blocks)]
    titles = (title, headline, own.text("title"), own.text("site_name"))
    document = Document(
        path=page.name,
        url=url,
        title=title,
        date=_date(metadata.date, own, things) or _dateline(blocks),
        host=host_of(url),
        site=site_of(host_of(url)) or url,
        text=collapse_spaces(f"{own.text('title')} {words} {stated}"),
        raw=page.text,
        blocks=blocks,
        subjects=_subjects(titles, things, facts),
        links=frozenset([*map(site_of, filter(None, map(host_of, hrefs))), *sites_within(words)]),
        named=_named(things, facts),
    )
    return replace(document, facts=tuple(fact for fact in facts if document.contains(fact.excerpt)))


def _subjects(titles: Sequence[str], things: Sequence[Node], facts: Sequence[Fact]) -> tuple[str, ...]:
    """Return the core names a page presents: parts of its titles, things in its data, and names labelled at its top."""
    parts = [part for text in titles for part in [text, *_TITLE_BREAK.split(text)]]
    top = (fact for fact in facts if fact.block < _TOP and not fact.subject)
    labelled = [fact.value for fact in top if _NAME_LABEL.fullmatch(fact.label)]
    names = [*node_subjects(things), *map(core_name, [*parts, *labelled])]
    return tuple(dict.fromkeys(filter(None, names)))


def _named(things: Sequence[Node], facts: Sequence[Fact]) -> tuple[str, ...]:
    """Return the core names of others than the page itself: in its data, and in the name columns of its tables."""
    names = map(core_name, [*named_in(things), *(fact.subject for fact in facts if fact.row_cells)])
    return tuple(sorted({name for name in names if len(name) > 2 and not name.isdigit()}))


def _date(stated: str, own: Node, things: Sequence[Node]) -> str | None:
    """Return the date of a page: the stated one, else that of its data, else that of its metadata."""
    dated = [*(thing for thing in things if _PAGE_TYPES.search(thing.types)), own]
    dates = [stated, *(node.text(key) for node in dated for key in _DATES)]
    return next(filter(None, map(full_date, dates)), None)


def _dateline(blocks: tuple[Block, ...]) -> str | None:
    """Return the date in a short line near the top, as on news pages; not one in a labelled line or a sentence."""
    lines = (line for block in blocks[:5] for line in block.lines or (block.text,))
    dates = (full_date(line) for line in lines if len(line) <= 60 and not _NOT_DATELINE.search(line))
    return next(filter(None, dates), None)
