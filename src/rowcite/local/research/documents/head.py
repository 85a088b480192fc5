"""Read a page's own metadata: title, address, date, structured data, and the facts in its meta tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.html_blocks import inline_text
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.node_facts import node_facts
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
    """A page's own metadata: `nodes` are its structured data, `facts` those of its data and meta tags, `hrefs` its links."""

    title: str = ""
    url: str = ""
    date: str | None = None
    site_name: str = ""
    nodes: list[Node] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    hrefs: list[str] = field(default_factory=list)


def read_head(tree: LexborHTMLParser, path: str, source: str) -> Head:
    """Return the metadata of a page; `path` is the file's path in the corpus, `source` its text with collapsed spaces."""
    tags = _tags(tree, source)
    metas = {key: found[0][0] for key, found in tags.items()}
    scripts = tree.css('script[type="application/ld+json"]')
    nodes = [node for script in scripts for node in json_nodes(script.text())] + markup_nodes(tree, source)
    element = tree.css_first("title")
    title = collapse_spaces(element.text()) if element is not None else metas.get("og:title", "")
    facts = [*node_facts(nodes, title), *_meta_facts(tags), *_tagged_facts(tree)]
    if tree.root is not None and (language := tree.root.attributes.get("lang")):
        facts.append(Fact("language", language, f'lang="{language}"', Directness.DATA))
    hrefs = list(filter(None, (link.attributes.get("href") for link in tree.css("a[href]"))))
    site_name = metas.get("og:site_name", "")
    return Head(
        title, _own_address(tree, metas, path), _own_date(tree, metas, nodes), site_name, nodes, facts, hrefs
    )


def _tags(tree: LexborHTMLParser, source: str) -> dict[str, list[tuple[str, str]]]:
    """Return the contents of meta tags by name, each with the words of the source that state it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for meta in tree.css("meta[content]")[:_MOST_TAGS]:
        key = next(filter(None, map(meta.attributes.get, ("property", "name"))), "").lower()
        text = collapse_spaces(meta.attributes.get("content") or "")
        tag = collapse_spaces((meta.html or "").split(">", 1)[0])
        found.setdefault(key, []).append((text, tag if tag in source else text))
    return found


def _meta_facts(tags: dict[str, list[tuple[str, str]]]) -> Iterator[Fact]:
    """Yield a fact for each name of the meta tags that describes the page; several tags of one name are a list."""
    named: dict[str, list[tuple[str, str]]] = {}
    for key, found in tags.items():
        name = "" if _TECHNICAL.search(key) else _PREFIX.sub("", key)
        named.setdefault(name, []).extend(one for one in found if 0 < len(one[0]) < LONGEST)
    for name, stated in named.items():
        label, texts = split_words(name), tuple(dict.fromkeys(text for text, _ in stated))
        handle = bool(texts) and texts[0].startswith(
            ("@", "http") if name in {"author", "publisher"} else "@"
        )
        if texts and not handle and label not in {"", "url", "title", "type", "locale"}:
            items, concept = texts if len(texts) > 1 else (), concept_of_label(label)
            yield Fact(label, "; ".join(texts), stated[0][1], Directness.DATA, concept, items=items)


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
    base = _first(tree, "base[href]", "href")
    stated = (
        _first(tree, 'link[rel~="canonical"][href]', "href"),
        *(metas.get(key, "") for key in _URL_KEYS),
    )
    addresses = (_joined(base, one.strip()) for one in stated if one)
    own = next((one for one in addresses if one.startswith(("http://", "https://"))), "")
    return own or (_joined(base, path.rsplit("/", 1)[-1]) if base.startswith("http") else "")


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # such as an unclosed IPv6 bracket
        return ""


def _own_date(tree: LexborHTMLParser, metas: dict[str, str], nodes: list[Node]) -> str | None:
    """Return the date of a page by its data, its meta tags or its first <time>."""
    pages = [node for node in nodes if _PAGE_TYPES.search(node.types)]
    keys = ("dateModified", "datePublished", "dateCreated")
    stated = [node.text(key) for key in keys for node in pages] + [metas.get(key, "") for key in _DATE_KEYS]
    dates = map(full_date, [*stated, _first(tree, "time[datetime]", "datetime")])
    return next(filter(None, dates), None)


def _first(tree: LexborHTMLParser, selector: str, attribute: str) -> str:
    """Return an attribute of the first element that a selector finds, or an empty string."""
    element = tree.css_first(selector)
    return (element.attributes.get(attribute) or "") if element is not None else ""
