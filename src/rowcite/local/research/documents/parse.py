"""Parse a file's bytes to documents: pages in HTML, Markdown and text, with their metadata and facts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import yaml
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from rowcite.local.research.documents.document import Block, Document, Fact, FileMetadata, metadata_in
from rowcite.local.research.documents.file_formats import Page, pages_in
from rowcite.local.research.documents.html_blocks import Layout, blocks_of, check_depth
from rowcite.local.research.documents.layout_facts import layout_facts
from rowcite.local.research.documents.node_facts import mapping_facts, named_in, node_facts, node_subjects
from rowcite.local.research.documents.nodes import (
    Node,
    filing_node,
    json_nodes,
    mapping_node,
    markup_nodes,
    meta_node,
)
from rowcite.local.research.documents.phrases import sentence_facts
from rowcite.local.research.text.dates import full_date
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
_DATES = ("dateModified", "datePublished", "dateCreated", "modified_time", "published_time", "updated_time",
          "last-modified", "date", "date.issued", "publish-date", "pubdate", "datepublished")  # fmt: skip
_PAGE_TYPES = re.compile(r"Article|Posting|Page\b|Report|Dataset|CreativeWork")
_markdown = MarkdownIt("commonmark", {"breaks": True, "html": True}).enable("table")


@dataclass
class _Metadata:
    """A page's own metadata: `nodes` are its structured data, `facts` those of its data and meta tags, `hrefs` its links."""

    title: str = ""
    url: str = ""
    date: str | None = None
    site_name: str = ""
    nodes: list[Node] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    hrefs: list[str] = field(default_factory=list)


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
        tree = LexborHTMLParser(page.text)
        return _build(page, blocks_of(tree), _metadata_of(tree, collapse_spaces(page.text)))
    front, body = _split_front_matter(page.text)
    data = mapping_facts(mapping_node(front, page.text[: len(page.text) - len(body)])) if front else []
    html = f"<body>{_markdown.render(body)}</body>" if page.form == "markdown" else ""
    layout = blocks_of(LexborHTMLParser(html)) if html else _from_text(body)
    metadata = page.metadata.with_fallback(metadata_in(front))
    return _build(replace(page, metadata=metadata), layout, _Metadata(facts=data))


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
        lines = tuple(filter(None, map(collapse_spaces, paragraph.splitlines())))
        if lines:
            layout.add(Block("text", " ".join(lines), lines=lines))
    return layout


def _metadata_of(tree: LexborHTMLParser, source: str) -> _Metadata:
    """Return the metadata of a page; `source` is its text with collapsed spaces."""
    scripts = tree.css('script[type="application/ld+json"]')
    nodes = [node for script in scripts for node in json_nodes(script.text())] + markup_nodes(tree, source)
    metas, element = meta_node(tree, source), tree.css_first("title")
    title = collapse_spaces(element.text()) if element is not None else metas.text("title")
    stated = mapping_facts(metas) + mapping_facts(filing_node(tree))
    facts = [fact for fact in stated if fact.label != "title" and not fact.value.startswith(("@", "http"))]
    hrefs = list(filter(None, (link.attributes.get("href") for link in tree.css("a[href]"))))
    addresses = (_first(tree, 'link[rel~="canonical"]', "href").strip(), metas.text("url"))
    url = next((one for one in addresses if one.startswith(("http://", "https://"))), "")
    dated = [*(node for node in nodes if _PAGE_TYPES.search(node.types)), metas]
    dates = [node.text(key) for node in dated for key in _DATES]
    date = next(filter(None, map(full_date, [*dates, _first(tree, "time[datetime]", "datetime")])), None)
    facts = node_facts(nodes, title) + facts
    return _Metadata(title, url, date, metas.text("site_name"), nodes, facts, hrefs)


def _first(tree: LexborHTMLParser, selector: str, attribute: str) -> str:
    """Return an attribute of the first element that a selector finds, or an empty string."""
    element = tree.css_first(selector)
    return (element.attributes.get(attribute) or "") if element is not None else ""


def _build(page: Page, layout: Layout, head: _Metadata) -> Document:
    """Build a document; facts whose excerpt does not occur in it are dropped."""
    metadata, blocks, words = page.metadata, tuple(layout.blocks), layout.text
    url = metadata.url or head.url or f"file:{page.name}"
    headline = next((block.text for block in blocks if block.kind == "heading"), "")
    first = blocks[0].lines[0][:120] if blocks and blocks[0].lines else ""
    stated = "" if words else "; ".join(fact.value for fact in head.facts)  # a page of data alone
    facts = [*head.facts, *islice(layout_facts(blocks), _MOST_FACTS), *sentence_facts(blocks)]
    title = metadata.title or head.title or headline or first
    document = Document(
        path=page.name,
        url=url,
        title=title,
        date=full_date(metadata.date) or head.date or _dateline(blocks),
        host=host_of(url),
        site=site_of(host_of(url)),
        text=collapse_spaces(f"{head.title} {words} {stated}"),
        raw=page.text,
        blocks=blocks,
        subjects=_subjects((title, headline, head.title), head, facts),
        links=frozenset([*map(site_of, filter(None, map(host_of, head.hrefs))), *sites_within(words)]),
        named=_named(head, facts),
    )
    return replace(document, facts=tuple(fact for fact in facts if document.contains(fact.excerpt)))


def _subjects(titles: tuple[str, ...], head: _Metadata, facts: list[Fact]) -> tuple[str, ...]:
    """Return the core names a page presents: parts of its titles, things in its data, and names labelled at its top."""
    parts = [part for text in titles for part in [text, *_TITLE_BREAK.split(text)]]
    top = (fact for fact in facts if fact.block < _TOP and not fact.subject)
    labelled = [fact.value for fact in top if _NAME_LABEL.fullmatch(fact.label)]
    names = [*node_subjects(head.nodes), *map(core_name, [*parts, head.site_name, *labelled])]
    return tuple(dict.fromkeys(filter(None, names)))


def _named(head: _Metadata, facts: list[Fact]) -> tuple[str, ...]:
    """Return the core names of others than the page itself: in its data, and in the name columns of its tables."""
    names = map(core_name, [*named_in(head.nodes), *(fact.subject for fact in facts if fact.row_cells)])
    return tuple(sorted({name for name in names if len(name) > 2 and not name.isdigit()}))


def _dateline(blocks: tuple[Block, ...]) -> str | None:
    """Return the date in a short line near the top, as on news pages; not one in a labelled line or a sentence."""
    lines = (line for block in blocks[:5] for line in block.lines or (block.text,))
    dates = (full_date(line) for line in lines if len(line) <= 60 and not _NOT_DATELINE.search(line))
    return next(filter(None, dates), None)
