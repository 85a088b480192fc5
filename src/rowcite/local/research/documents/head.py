"""Read a page's own metadata: title, address, date, structured data, and the facts in its meta tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.html_blocks import inline_text
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.nodes import LONGEST, Node, json_nodes, last_part, markup_nodes
from rowcite.local.research.text.dates import full_date
from rowcite.local.research.text.normalise import collapse_spaces, split_words

_URL_KEYS = ("og:url", "twitter:url")
_DATE_KEYS = ("article:modified_time", "article:published_time", "og:updated_time", "last-modified", "date", "dc.date", "dcterms.date",
              "dc.date.issued", "publish-date", "pubdate", "datepublished")  # fmt: skip
_PAGE_TYPES = re.compile(r"Article|Posting|WebPage|AboutPage|ProfilePage|Report|Dataset|CreativeWork")
_PREFIX = re.compile(
    r"^(?:og|article|product|book|profile|video|music|business|place|dc|dcterms|citation|twitter|parsely|sailthru|music)[:._-](?:contact_data:|location:)?"
)
_MOST_TAGS = 400
_SCALES = {"3": "thousand", "6": "million", "9": "billion"}
_TECHNICAL = re.compile(
    r"image|viewport|robots|verification|theme|generator|fb:|app[-_:]|card|referrer|format-detection|msapplication|csrf|token|charset|refresh|secure_url|color|googlebot|width|height|player|next-|cxense|^ms\\."
)


@dataclass
class Head:
    """A page's own metadata; `nodes` are its JSON-LD and microdata, `facts` those of its meta tags."""

    title: str = ""
    url: str = ""
    date: str | None = None
    site_name: str = ""
    nodes: list[Node] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)


def read_head(tree: LexborHTMLParser, path: str, source: str) -> Head:
    """Return the metadata of a page; `path` is the file's path in the corpus, `source` its text with collapsed spaces."""
    metas = _metas(tree)
    title = tree.css_first("title")
    head = Head(site_name=metas.get("og:site_name", ""))
    head.title = collapse_spaces(title.text()) if title is not None else metas.get("og:title", "")
    scripts = [script.text() for script in tree.css('script[type="application/ld+json"]')]
    data = [node for text in scripts for node in json_nodes(text)]
    head.nodes = [*data, *markup_nodes(tree, source)]
    head.url = _own_address(tree, metas, path)
    head.date = _own_date(tree, metas, data)
    head.facts = [*_meta_facts(tree, source), *_tagged_facts(tree)]
    if tree.root is not None and (language := tree.root.attributes.get("lang")):
        head.facts.append(Fact("language", language, f'lang="{language}"', Directness.DATA))
    return head


def _metas(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for meta in tree.css("meta[content]"):
        attributes = meta.attributes
        key = attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
        found.setdefault(key.lower(), collapse_spaces(attributes.get("content") or ""))
    return found


def _meta_facts(tree: LexborHTMLParser, source: str) -> Iterator[Fact]:
    """Yield a fact for each name of the meta tags that describes the page; several tags of one name are a list."""
    values: dict[str, list[tuple[str, str]]] = {}
    for meta in tree.css("meta[property][content], meta[name][content]")[:_MOST_TAGS]:
        key = (meta.attributes.get("property") or meta.attributes.get("name") or "").lower()
        text = collapse_spaces(meta.attributes.get("content") or "")
        if text and len(text) < LONGEST and not _TECHNICAL.search(key):
            tag = collapse_spaces((meta.html or "").split(">", 1)[0])
            excerpt = tag if tag in source else text
            values.setdefault(_PREFIX.sub("", key), []).append((text, excerpt))
    for key, found in values.items():
        label, texts = split_words(key), tuple(dict.fromkeys(text for text, _ in found))
        if (
            texts[0].startswith("@")
            or label in {"url", "title", "type", "locale"}
            or (key in {"author", "publisher"} and texts[0].startswith("http"))
        ):
            continue
        items = texts if len(texts) > 1 else ()
        yield Fact(
            label, "; ".join(texts), found[0][1], Directness.DATA, concept_of_label(label), items=items
        )


def _tagged_facts(tree: LexborHTMLParser) -> Iterator[Fact]:
    """Yield the facts that a filing tags in its text (inline XBRL): "dei:EntityRegistrantName" over the name."""
    for element in tree.css("[contextref][name]")[:_MOST_TAGS]:
        name, text = last_part(element.attributes.get("name") or ""), collapse_spaces(inline_text(element))
        scale = _SCALES.get(element.attributes.get("scale") or "", "")
        label = re.sub(r"^(?:entity|document) ", "", split_words(name))
        if label and 0 < len(text) < LONGEST:
            yield Fact(label, f"{text} {scale}".strip(), text, Directness.DATA, concept_of_label(label))


def _own_address(tree: LexborHTMLParser, metas: dict[str, str], path: str) -> str:
    """Return the canonical link, og:url, or the file's path below <base>."""
    canonical = tree.css_first('link[rel~="canonical"][href]')
    base = tree.css_first("base[href]")
    base_url = (base.attributes.get("href") or "") if base is not None else ""
    stated = (canonical.attributes.get("href") or "") if canonical is not None else ""
    for candidate in (stated, *(metas.get(key, "") for key in _URL_KEYS)):
        address = urljoin(base_url, candidate.strip()) if candidate else ""
        if urlsplit(address).scheme in {"http", "https"}:
            return address
    return urljoin(base_url, path.rsplit("/", 1)[-1]) if base_url.startswith("http") else ""


def _own_date(tree: LexborHTMLParser, metas: dict[str, str], data: list[Node]) -> str | None:
    stated = [
        node.text(key)
        for key in ("dateModified", "datePublished", "dateCreated")
        for node in data
        if _PAGE_TYPES.search(node.types)
    ]
    stated += [metas.get(key, "") for key in _DATE_KEYS]
    stated += [element.attributes.get("datetime") or "" for element in tree.css("time[datetime]")]
    element_date = tree.css_first("time")
    stated += [element_date.text()] if element_date is not None else []
    return next((date for text in stated if (date := full_date(text))), None)
