"""Structured data as trees of nodes: JSON-LD and other JSON, microdata, RDFa, and the mappings of front matter.

Every leaf keeps the words of the source that state it, so that each fact can be quoted.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rowcite.local.research.documents.html_blocks import inline_text
from rowcite.local.research.text.normalise import collapse_spaces

LONGEST = 400  # characters of an excerpt
_DEEPEST = 8
_MOST_VALUES = 5_000  # of a text: aliases can make front matter as large as they like
_FARTHEST = 1_000_000  # characters from a member of JSON to the next
_MOST_PROPERTIES = 2_000  # of a page's markup
_SCHEMA_URL = re.compile(r"^https?://schema\.org/([A-Z]\w+)$")
_ADDRESSES = frozenset({"url", "sameas", "webfeed", "contenturl", "downloadurl", "mainentityofpage", "id"})
_decoder = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Leaf:
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

    def leaves(self, key: str) -> list[Leaf]:
        """Return the single values of a property."""
        return [value for value in self.properties.get(key, ()) if isinstance(value, Leaf)]

    def nodes(self, key: str) -> list[Node]:
        """Return the things that are values of a property."""
        return [value for value in self.properties.get(key, ()) if isinstance(value, Node)]

    def text(self, *keys: str) -> str:
        """Return the first text of the first of some properties that has one, or an empty string."""
        return next((leaf.text for key in keys for leaf in self.leaves(key) if leaf.text), "")


def json_nodes(text: str) -> list[Node]:
    """Return the top-level objects of a JSON text, with @graph and references resolved; none if it is not JSON."""
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip(" \t\r\n;")
    try:
        found = list(_Data(_members_of(text)).values(_decoder.decode(text), ""))
    except (ValueError, RecursionError):
        return []
    nodes = [node for node in found if isinstance(node, Node)]
    nodes += [inner for node in nodes for inner in node.nodes("@graph")]
    by_id = {node.text("@id"): node for node in nodes if node.text("@id") and len(node.properties) > 1}
    for node in nodes:
        node.properties.pop("@graph", None)
        _resolve(node, by_id, 0)
    return [node for node in nodes if set(node.properties) - {"@context"}]


def mapping_node(data: dict[str, Any], raw: str) -> Node:
    """Return the node of a mapping whose source is `raw`, as front matter has it."""
    return _Data(lambda key: _lines_of(key, raw)).node(data)


def markup_nodes(tree: LexborHTMLParser, source: str) -> list[Node]:
    """Return the top-level items of a page's microdata and RDFa; `source` is its source with white space collapsed."""
    return [
        node
        for names in (("itemscope", "itemprop", "itemtype"), ("typeof", "property", "typeof"))
        for node in _marked(tree, source, *names)
    ]


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


def _resolve(node: Node, by_id: dict[str, Node], depth: int) -> None:
    """Replace references to other nodes of the page."""
    for values in node.properties.values() if depth <= _DEEPEST else ():
        for number, value in enumerate(values):
            if isinstance(value, Node):
                referred = by_id.get(value.text("@id")) if set(value.properties) == {"@id"} else None
                values[number] = without_nodes(referred) if referred else value
                _resolve(value, by_id, depth + 1)


def without_nodes(node: Node) -> Node:
    """Return a node with its single values alone: references can form circles."""
    return Node(node.types, {key: list(leaves) for key in node.properties if (leaves := node.leaves(key))})


def _lines_of(key: str, raw: str) -> str:
    """Return the lines of front matter that state a key: its own, and the indented or listed ones below."""
    match = re.search(
        rf"^[ \t]*(?:- )?[\"']?{re.escape(key)}[\"']?[ \t]*[:=].*(?:\n(?:[ \t]+|- ).*)*", raw, re.MULTILINE
    )
    return collapse_spaces(match[0])[:LONGEST] if match else ""


def _marked(tree: LexborHTMLParser, source: str, scope: str, prop: str, kind: str) -> list[Node]:
    """Return the items that the attributes of elements mark; a property belongs to the nearest item around it."""
    scopes = tree.css(f"[{scope}]")
    items = {one.mem_id: Node(_types((one.attributes.get(kind) or "").split())) for one in scopes}
    excerpts = _Excerpts(source)
    for element in tree.css(f"[{prop}]")[:_MOST_PROPERTIES] if items else ():
        around = _item_around(element, items)
        for name in (element.attributes.get(prop) or "").split():
            key, inner = last_part(name), items.get(element.mem_id)
            around.add(key, [inner] if inner else _leaves(element, key, excerpts))
    return [items[one.mem_id] for one in scopes if prop not in one.attributes]


def _item_around(element: LexborNode, items: dict[int, Node]) -> Node:
    """Return the nearest item around an element; one that is dropped if there is none."""
    above = element.parent
    while above is not None and above.mem_id not in items:
        above = above.parent
    return items[above.mem_id] if above is not None else Node()


def _types(names: Iterable[str]) -> str:
    return " ".join(map(last_part, names))


def _leaves(element: LexborNode, key: str, excerpts: _Excerpts) -> list[Leaf]:
    """Return the values of a property: of the attribute that states it, else each line of its text."""
    attributes = element.attributes
    stated = attributes.get("content") or attributes.get("datetime")
    if stated is None and (element.tag in {"link", "img", "source"} or key.lower() in _ADDRESSES):
        stated = attributes.get("href") or attributes.get("src")
    texts = [stated] if stated else inline_text(element).split("\v")
    return [Leaf(text, excerpts.of(element, text)) for one in texts if (text := _scalar(one))]


@dataclass
class _Excerpts:
    """Finds the words of a page that state a property: the line around it, else its tag."""

    source: str
    last: tuple[int, str] = (0, "")  # the line around the properties of one parent

    def of(self, element: LexborNode, text: str) -> str:
        parent = element.parent
        if parent is not None and self.last[0] != parent.mem_id:
            self.last = parent.mem_id, collapse_spaces(inline_text(parent))
        if text in self.last[1] and len(self.last[1]) < LONGEST:
            return self.last[1]
        tag = collapse_spaces(f"{(element.html or '').split('>', 1)[0]}>")
        return tag if tag in self.source and len(tag) < LONGEST else text
