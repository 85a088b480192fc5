"""Read a page's own metadata: title, address, date and JSON-LD."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from rowcite.local.research.text.dates import full_date
from rowcite.local.research.text.normalise import collapse_spaces

_URL_KEYS = ("og:url", "twitter:url")
_DATE_KEYS = ("article:modified_time", "article:published_time", "og:updated_time", "last-modified", "date", "dc.date", "dcterms.date",
              "dc.date.issued", "publish-date", "pubdate", "datepublished")  # fmt: skip
_PAGE_TYPES = re.compile(r"Article|Posting|WebPage|AboutPage|ProfilePage|Report|Dataset|CreativeWork")


@dataclass
class Head:
    """A page's own metadata; `data` is its JSON-LD documents, each with its source text."""

    title: str = ""
    url: str = ""
    date: str | None = None
    site_name: str = ""
    description: str = ""
    data: list[tuple[Any, str]] = field(default_factory=list)


def read_head(tree: LexborHTMLParser, path: str) -> Head:
    """Return the metadata of a page; `path` is the file's path in the corpus."""
    metas = _metas(tree)
    head = Head(
        site_name=metas.get("og:site_name", ""),
        description=metas.get("description", "") or metas.get("og:description", ""),
    )
    title = tree.css_first("title")
    head.title = collapse_spaces(title.text()) if title is not None else metas.get("og:title", "")
    head.data = _json_ld(tree)
    head.url = _own_address(tree, metas, path)
    head.date = _own_date(tree, metas, head.data)
    return head


def walk_nodes(data: Any) -> list[dict[str, Any]]:
    """Return the top-level nodes of a JSON-LD document, with @graph and lists opened."""
    if isinstance(data, list):
        return [node for entry in data for node in walk_nodes(entry)]
    if not isinstance(data, dict):
        return []
    graph = data.get("@graph")
    own = [data] if set(data) - {"@context", "@graph"} else []
    return own + (walk_nodes(graph) if graph is not None else [])


def node_types(node: dict[str, Any]) -> str:
    """Return the types of a node, joined by spaces."""
    kind = node.get("@type", "")
    return " ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _metas(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for meta in tree.css("meta[content]"):
        attributes = meta.attributes
        key = attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
        found.setdefault(key.lower(), collapse_spaces(attributes.get("content") or ""))
    return found


def _json_ld(tree: LexborHTMLParser) -> list[tuple[Any, str]]:
    found = []
    for script in tree.css('script[type="application/ld+json"]'):
        text = script.text()
        try:
            found.append((json.loads(text), text))
        except ValueError:  # invalid data is ignored
            continue
    return found


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


def _own_date(tree: LexborHTMLParser, metas: dict[str, str], data: list[tuple[Any, str]]) -> str | None:
    for key in ("dateModified", "datePublished", "dateCreated"):
        for document, _ in data:
            for node in walk_nodes(document):
                if _PAGE_TYPES.search(node_types(node)) and (date := full_date(str(node.get(key, "")))):
                    return date
    for key in _DATE_KEYS:
        if date := full_date(metas.get(key, "")):
            return date
    for element in tree.css("time[datetime]"):
        if date := full_date(element.attributes.get("datetime") or ""):
            return date
    element_date = tree.css_first("time")
    return full_date(element_date.text()) if element_date is not None else None
