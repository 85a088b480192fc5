"""Structured data as trees of nodes: JSON-LD and other JSON, microdata, the tags of filings, and front matter.

Every leaf keeps the words of the source that state it, so that each fact can be quoted.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rowcite.local.research.documents.html_blocks import inline_text
from rowcite.local.research.text.normalise import collapse_spaces

LONGEST = 400  # characters of an excerpt
_MOST_VALUES = 5_000  # of a text: aliases can make front matter as large as they like
_FARTHEST = 1_000_000  # characters from a member of JSON to the next
_MOST_TAGS = 400
_MOST_PROPERTIES = 2_000  # of a page's markup
_SCHEMA_URL = re.compile(r"^https?://schema\.org/([A-Z]\w+)$")
_ADDRESSES = frozenset({"url", "sameas", "webfeed", "contenturl", "downloadurl", "mainentityofpage", "id"})
_SCALES = {"3": "thousand", "6": "million", "9": "billion"}
_OWN = (("title", "title"), ("url", 'link[rel~="canonical"]'), ("time", "time[datetime]"))
_PREFIX = re.compile(r"^(?:[a-z]+[:.]|citation_)")  # "og:title", "dc.date", "citation_author"
_TECHNICAL = re.compile(r"image|viewport|robots|verification|theme|generator|fb:|app[-_:]|card|referrer|format-detection|msapplication|csrf|token|charset|refresh|secure_url|color|googlebot|width|height|player|next-|type|locale")  # fmt: skip
_decoder = json.JSONDecoder(strict=False)


class Leaf(NamedTuple):
    """A single value, as text, and the words of the source that state it."""

    text: str
    excerpt: str


@dataclass
class Node:
    """A thing: its types, and its properties in the order of the source."""

    types: str = ""
    properties: dict[str, list[Leaf | Node]] = field(default_factory=dict)

    def add(self, key: str, values: Iterable[Leaf | Node]) -> None:
        """Add the values of a property."""
        self.properties.setdefault(key, []).extend(values)

    def leaves(self, *keys: str) -> list[Leaf]:
        """Return the single values of some properties."""
        return [value for key in keys for value in self.properties.get(key, ()) if isinstance(value, Leaf)]

    def nodes(self, key: str) -> list[Node]:
        """Return the things that are values of a property."""
        return [value for value in self.properties.get(key, ()) if isinstance(value, Node)]

    def walk(self) -> Iterator[Node]:
        """Yield this node and those inside it, outer ones first."""
        yield self
        for key in self.properties:
            for inner in self.nodes(key):
                yield from inner.walk()

    def text(self, *keys: str) -> str:
        """Return the first text of the first of some properties that has one, or an empty string."""
        return next((leaf.text for leaf in self.leaves(*keys) if leaf.text), "")


def thing_nodes(tree: LexborHTMLParser, source: str) -> list[Node]:
    """Return the things in a page's JSON-LD and microdata; `source` is its source with white space collapsed."""
    scripts = tree.css('script[type="application/ld+json"]')
    return [node for one in scripts for node in json_nodes(one.text())] + _markup_nodes(tree, source)


def json_nodes(text: str) -> list[Node]:
    """Return the top-level objects of a JSON text, with @graph and references resolved; none if it is not JSON."""
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip(" \t\r\n;")
    try:
        found = list(_Data(_members_of(text)).values(_decoder.decode(text), ""))
    except (ValueError, RecursionError):
        return []
    nodes = [node for node in found if isinstance(node, Node)]
    nodes += [inner for node in nodes for inner in node.nodes("@graph")]
    # References can form circles: only single values are copied.
    by_id = {node.text("@id"): without_nodes(node) for node in nodes if len(node.properties) > 1}
    for node in nodes:
        node.properties.pop("@graph", None)
        for values in (values for inner in node.walk() for values in inner.properties.values()):
            values[:] = [_resolved(value, by_id) for value in values]
    return [node for node in nodes if set(node.properties) - {"@context"}]


def mapping_node(data: dict[str, Any], raw: str) -> Node:
    """Return the node of a mapping whose source is `raw`, as front matter has it."""
    return _Data(lambda key: _lines_of(key, raw)).node(data)


def _markup_nodes(tree: LexborHTMLParser, source: str) -> list[Node]:
    """Return the top-level items of a page's microdata."""
    scopes = tree.css("[itemscope]")
    items = {one.mem_id: Node(_types((one.attributes.get("itemtype") or "").split())) for one in scopes}
    lines: dict[int, str] = {}
    for element in tree.css("[itemprop]")[:_MOST_PROPERTIES] if items else ():
        above, inner = element.parent, items.get(element.mem_id)
        while above is not None and above.mem_id not in items:
            above = above.parent
        around = items[above.mem_id] if above is not None else Node()
        for key in map(last_part, (element.attributes.get("itemprop") or "").split()):
            around.add(key, [inner] if inner else _leaves(element, key, source, lines))
    return [items[one.mem_id] for one in scopes if "itemprop" not in one.attributes]


def page_node(tree: LexborHTMLParser, source: str) -> Node:
    """Return what a page states of itself, by short names ("og:title" is "title"): what has no excerpt is not a fact."""
    node = Node()
    for key, selector in _OWN:
        if element := tree.css_first(selector):
            stated = element.attributes.get("href") or element.attributes.get("datetime") or element.text()
            node.add(key, [Leaf(collapse_spaces(stated), "")])
    for meta in tree.css("meta[content]")[:_MOST_TAGS]:
        key = next(filter(None, map(meta.attributes.get, ("property", "name"))), "").lower()
        text = collapse_spaces(meta.attributes.get("content") or "")
        if 0 < len(text) < LONGEST and not _TECHNICAL.search(key):
            excerpt = "" if text.startswith(("@", "http")) else tag_excerpt(meta, text, source)
            node.add(_PREFIX.sub("", key), [Leaf(text, excerpt)])
    # The tags of a filing (inline XBRL): "dei:EntityRegistrantName" over the name.
    for element in tree.css("[contextref][name]")[:_MOST_PROPERTIES]:
        text = collapse_spaces(inline_text(element))
        scale = _SCALES.get(element.attributes.get("scale") or "", "")
        if len(text) < LONGEST:
            node.add(last_part(element.attributes.get("name") or ""), [Leaf(f"{text} {scale}".strip(), text)])
    return node


def tag_excerpt(element: LexborNode, text: str, source: str) -> str:
    """Return the tag of an element as the source has it, or a text if it is written otherwise."""
    tag = collapse_spaces((element.html or "").split(">", 1)[0])
    return tag if tag in source and len(tag) < LONGEST else text


def last_part(key: str) -> str:
    """Return the last part of a property that is named by a URL."""
    return re.split(r"[/#]|(?<!:):(?!:)", key.rstrip("/#"))[-1]


@dataclass
class _Data:
    """Turns parsed data into nodes; `source` returns the words that state a member, in the order of the source."""

    source: Callable[[str], str]
    left: int = _MOST_VALUES

    def node(self, data: dict[str, Any]) -> Node:
        node = Node()
        for name, value in data.items():
            key, excerpt = str(name), self.source(str(name))
            values = list(self.values(value, excerpt))
            if key == "@type":
                node.types = _types(one.text for one in values if isinstance(one, Leaf))
            elif values:
                node.add("value" if key == "@value" else key if key[:1] == "@" else last_part(key), values)
        return node

    def values(self, value: Any, excerpt: str) -> Iterator[Leaf | Node]:
        """Yield the items of a list, else one value; none of an empty one, and none when too many were read."""
        self.left -= 1
        if value in (None, "", {}) or self.left < 0:
            return
        if isinstance(value, list):
            for one in value:
                yield from self.values(one, excerpt)
        else:
            yield self.node(value) if isinstance(value, dict) else Leaf(_scalar(value), excerpt)


def _members_of(text: str) -> Callable[[str], str]:
    """Return a function that returns the words of the next member of a JSON text with a key, if it is written as usual."""
    at = 0

    def member(key: str) -> str:
        nonlocal at
        name = re.escape(json.dumps(key, ensure_ascii=False))
        if match := re.compile(rf"{name}\s*:\s*").search(text, at, at + _FARTHEST):
            at = match.end()
            value = text[at : at + 2 * LONGEST]
            with suppress(ValueError):  # it is longer
                value = value[: _decoder.raw_decode(value)[1]]
            return collapse_spaces(match[0] + value)[:LONGEST]
        return ""

    return member


def _scalar(value: Any) -> str:
    """Return a scalar as text, without markup and without the address of schema.org's enumerations."""
    if str(value).lower() in {"true", "false"}:
        return "yes" if str(value).lower() == "true" else "no"
    text = collapse_spaces(html.unescape(value)) if isinstance(value, str) else str(value)
    if "<" in text and re.search(r"</?[a-z]", text):
        text = collapse_spaces(html.unescape(re.sub(r"<[^<>]*>", " ", text)))
    match = _SCHEMA_URL.match(text)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", match[1]) if match else text


def _resolved(value: Leaf | Node, by_id: dict[str, Node]) -> Leaf | Node:
    """Return the node of the page that a value refers to, else the value."""
    reference = isinstance(value, Node) and set(value.properties) == {"@id"}
    return by_id.get(value.text("@id"), value) if isinstance(value, Node) and reference else value


def without_nodes(node: Node) -> Node:
    """Return a node with its single values alone."""
    return Node(node.types, {key: list(leaves) for key in node.properties if (leaves := node.leaves(key))})


def _lines_of(key: str, raw: str) -> str:
    """Return the lines of front matter that state a key: its own, and the indented or listed ones below."""
    match = re.search(
        rf"^[ \t]*(?:- )?[\"']?{re.escape(key)}[\"']?[ \t]*[:=].*(?:\n(?:[ \t]+|- ).*)*", raw, re.MULTILINE
    )
    return collapse_spaces(match[0])[:LONGEST] if match else ""


def _types(names: Iterable[str]) -> str:
    return " ".join(map(last_part, names))


def _leaves(element: LexborNode, key: str, source: str, lines: dict[int, str]) -> list[Leaf]:
    """Return the values of a property, each with the line around it or its tag: of an attribute, else each line of its text."""
    attributes = element.attributes
    stated = attributes.get("content") or attributes.get("datetime")
    if stated is None and (element.tag in {"link", "img", "source"} or key.lower() in _ADDRESSES):
        stated = attributes.get("href") or attributes.get("src")
    texts = filter(None, map(_scalar, [stated] if stated else inline_text(element).split("\v")))
    around = element.parent or element
    if around.mem_id not in lines:
        lines[around.mem_id] = collapse_spaces(inline_text(around))
    line = lines[around.mem_id] if len(lines[around.mem_id]) < LONGEST else ""
    return [Leaf(text, line if text in line else tag_excerpt(element, text, source)) for text in texts]
