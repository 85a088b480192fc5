"""Parse a file's bytes to documents: front matter, encodings, HTML, Markdown, text and embedded pages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import urldefrag, urljoin

import charset_normalizer
import yaml
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from rowcite.local.research.documents.document import (
    HTML_SUFFIXES,
    MARKDOWN_SUFFIXES,
    Block,
    Document,
    Fact,
    FileMetadata,
    metadata_in,
)
from rowcite.local.research.documents.file_formats import (
    EmbeddedPage,
    PdfText,
    read_lines,
    read_message,
    read_pdf,
)
from rowcite.local.research.documents.head import Head, read_head
from rowcite.local.research.documents.html_blocks import Layout, blocks_of
from rowcite.local.research.documents.layout_facts import layout_facts
from rowcite.local.research.documents.limits import check_depth, first_part
from rowcite.local.research.documents.node_facts import mapping_facts, named_in, node_facts, node_subjects
from rowcite.local.research.documents.nodes import mapping_node
from rowcite.local.research.documents.sentence_facts import sentence_facts, sentences_of
from rowcite.local.research.text.dates import full_date
from rowcite.local.research.text.normalise import collapse_spaces, core_name
from rowcite.local.research.text.urls import host_of, site_of, sites_within

UNREADABLE = (UnicodeError, ValueError, RecursionError, yaml.YAMLError)  # the errors of reading a file

_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\A(?:\+\+\+|```toml)\s*\n(.*?)\n(?:\+\+\+|```)\s*(?:\n|\Z)", re.DOTALL)
_NAME_LABEL = re.compile(r"(?:\w+ ){0,2}name|title|package|project")
_CONTINUED = re.compile(r"(?<=[,;])\n[ \t]+(?=\S)")  # "Author: Ann Lee,\n        Bo Ek"
_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_MOST_FACTS = 3_000  # of a page by its layout: each is looked up in the text
_GUESSED = 20_000  # bytes by which an encoding is recognised
_TITLE_BREAK = re.compile(r"\s+[|\u2013—·:»-]\s+|:\s+")
_markdown = MarkdownIt("commonmark", {"breaks": True, "html": True}).enable("table")


@dataclass(frozen=True)
class SourceFile:
    """A file's name in the corpus, its text, and its metadata from the manifest or front matter."""

    name: str
    raw: str
    metadata: FileMetadata


def read_file(
    content: bytes, name: str, manifest: Mapping[str, FileMetadata]
) -> tuple[list[Document], list[str]]:
    """Return the documents in a file's bytes, and a line for each part left out; raise ValueError if it cannot be read."""
    metadata = manifest.get(name, FileMetadata())
    suffix = f".{name.rsplit('.', 1)[-1].lower()}"
    if suffix == ".pdf":
        return [_from_pdf(read_pdf(content), name, metadata)], []
    if suffix in {".jsonl", ".eml"}:
        pages = (
            [read_message(content, name)] if suffix == ".eml" else list(read_lines(_decode(content), name))
        )
        return _from_pages(pages, manifest)
    text, complaints = first_part(_decode(content), name)
    return [_from_text_file(text, name, suffix, metadata)], complaints


def _from_pages(
    pages: Iterable[EmbeddedPage], manifest: Mapping[str, FileMetadata]
) -> tuple[list[Document], list[str]]:
    documents, complaints = list[Document](), list[str]()
    for page in pages:
        if page.fault:
            complaints.append(f"{page.name}: {page.fault}")
            continue
        text, more = first_part(page.text, page.name)
        complaints += more
        try:
            documents.append(
                _from_embedded(replace(page, text=text), manifest.get(page.name, FileMetadata()))
            )
        except (ValueError, RecursionError) as error:
            complaints.append(f"{page.name}: {error}")
    return documents, complaints


def _from_embedded(page: EmbeddedPage, metadata: FileMetadata) -> Document:
    metadata = metadata.with_fallback(FileMetadata(page.url, page.title, page.date))
    if page.is_html:
        return _from_html(page.text, page.name, metadata)
    return _build(_from_text(page.text), Head(), SourceFile(page.name, page.text, metadata), [])


def _from_pdf(printed: PdfText, name: str, metadata: FileMetadata) -> Document:
    layout = Layout()
    for lines in printed.paragraphs:
        layout.add(Block("text", " ".join(lines), "", lines=lines), noise=False)
    metadata = metadata.with_fallback(FileMetadata("", printed.title, printed.date))
    return _build(layout, Head(), SourceFile(name, layout.text, metadata), [])


def _from_text_file(text: str, name: str, suffix: str, metadata: FileMetadata) -> Document:
    if suffix in HTML_SUFFIXES:
        return _from_html(text, name, metadata)
    front, body = _split_front_matter(text)
    facts = mapping_facts(mapping_node(front, text[: len(text) - len(body)])) if front else []
    metadata = metadata.with_fallback(metadata_in(front))
    if suffix in MARKDOWN_SUFFIXES:
        tree = LexborHTMLParser(f"<body>{_markdown.render(body)}</body>")
        return _build(blocks_of(tree), Head(), SourceFile(name, text, metadata), facts)
    return _build(_from_text(body), Head(), SourceFile(name, text, metadata), facts)


def _from_html(text: str, name: str, metadata: FileMetadata) -> Document:
    check_depth(text)
    tree = LexborHTMLParser(text)
    head = read_head(tree, name, collapse_spaces(text))
    layout = blocks_of(tree)
    facts = [*node_facts(head.nodes, head.title), *head.facts]
    return _build(layout, head, SourceFile(name, text, metadata), facts, tree)


def _from_text(body: str) -> Layout:
    """Return the paragraphs between blank lines as blocks."""
    layout = Layout()
    for paragraph in re.split(r"\n\s*\n", body):
        lines = tuple(map(collapse_spaces, _CONTINUED.sub(" ", paragraph).splitlines()))
        lines = tuple(filter(None, lines))
        if lines:
            layout.add(Block("text", " ".join(lines), "", lines=lines), noise=False)
    return layout


def _build(
    layout: Layout, head: Head, source: SourceFile, data: list[Fact], tree: LexborHTMLParser | None = None
) -> Document:
    """Build a document; facts whose excerpt does not occur in it are dropped."""
    name, raw, metadata = source.name, source.raw, source.metadata
    url = metadata.url or head.url or f"file:{name}"
    blocks = tuple(layout.blocks)
    headline = next((block.text for block in blocks if block.kind == "heading"), "")
    title = (
        metadata.title
        or head.title
        or headline
        or _labelled_title(blocks)
        or _first_line(blocks)
        or _name_in(head)
    )
    stated = "" if layout.text else "; ".join(fact.value for fact in data)  # a page of data alone
    text = collapse_spaces(f"{head.title} {layout.text} {stated}")
    sentences = tuple(sentences_of(blocks))
    bare = Document(name, url, title, None, host_of(url), site_of(host_of(url)), text, raw)
    facts = [*data, *islice(layout_facts(blocks), _MOST_FACTS), *sentence_facts(sentences)]
    named = [
        fact.value
        for fact in facts
        if fact.block < 4 and not fact.subject and _NAME_LABEL.fullmatch(fact.label)
    ]
    return Document(
        name, url, title, full_date(metadata.date) or head.date or _dateline(blocks), bare.host, bare.site, text, raw, blocks, sentences,
        tuple(fact for fact in facts if bare.contains(fact.excerpt)), _subjects(title, headline, head, named), _links(layout.text, tree),
        _hrefs(url, tree), _named(head, facts),
    )  # fmt: skip


def _subjects(title: str, headline: str, head: Head, named: list[str]) -> tuple[str, ...]:
    """Return the core names a page presents: parts of its title and headline, and organisations in its data."""
    parts = [part for text in (title, headline, head.title) for part in [text, *_TITLE_BREAK.split(text)]]
    return tuple(
        dict.fromkeys(
            name
            for name in [*node_subjects(head.nodes), *map(core_name, [*parts, head.site_name, *named])]
            if name
        )
    )


def _named(head: Head, facts: list[Fact]) -> tuple[str, ...]:
    """Return the core names of others than the page itself: in its data, and in the name columns of its tables."""
    names = map(core_name, [*named_in(head.nodes), *(fact.subject for fact in facts if fact.row_cells)])
    return tuple(sorted({name for name in names if len(name) > 2 and not name.isdigit()}))


def _links(text: str, tree: LexborHTMLParser | None) -> frozenset[str]:
    targets = [node.attributes.get("href") or "" for node in tree.css("a[href]")] if tree is not None else []
    hosts = [host for target in targets if (host := host_of(target))]
    return frozenset([*map(site_of, hosts), *sites_within(text)])


def _hrefs(url: str, tree: LexborHTMLParser | None) -> tuple[str, ...]:
    """Return the absolute addresses that a page links to, without fragments."""
    targets = [node.attributes.get("href") or "" for node in tree.css("a[href]")] if tree is not None else []
    return tuple(dict.fromkeys(urldefrag(_join_url(url, target)).url for target in targets if target))


def _join_url(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:  # such as an unclosed IPv6 bracket
        return ""


def _labelled_title(blocks: tuple[Block, ...]) -> str:
    """Return the title that a line at the top of a text gives."""
    lines = (line for block in blocks[:6] for line in block.lines)
    return next((line[6:].strip() for line in lines if line.lower().startswith("title:")), "")


def _name_in(head: Head) -> str:
    return next((name for node in head.nodes if (name := node.text("name", "headline", "title"))), "")


def _first_line(blocks: tuple[Block, ...]) -> str:
    return blocks[0].lines[0][:120] if blocks and blocks[0].lines else ""


def _dateline(blocks: tuple[Block, ...]) -> str | None:
    """Return the date in a line near the top that contains little else, as on news pages."""
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
    """Return True if a line is a date beside a byline or a place, not a labelled value or a sentence."""
    return ":" not in line and not line.endswith((".", "!", "?")) and len(re.sub(r"\W", "", line)) < 45


def _split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the mapping at the top of a text, in YAML or TOML with every scalar as it is written, and the rest."""
    if match := _TOML.match(text):
        return tomllib.loads(match[1]), text[match.end() :]
    match = _FRONT_MATTER.match(text)
    data: Any = yaml.load(match[1], yaml.BaseLoader) if match else None  # noqa: S506  # it makes texts only
    if match is None or not isinstance(data, dict):
        return {}, text
    return data, text[match.end() :]


def _decode(content: bytes) -> str:
    """Decode by BOM, as UTF-8, by the charset the page names, or by its letters; raise ValueError if all fail."""
    if b"\0" in content[:1024] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("contains binary data")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
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
