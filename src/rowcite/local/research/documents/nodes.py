"""Structured data as trees of nodes: JSON-LD and other JSON, microdata, RDFa, and the mappings of front matter.

Every leaf keeps the words of the source that state it, so that each fact can be quoted.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
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
        found = _Data(_JsonSource(text).member).values(_decoder.decode(text), "")
    except (ValueError, RecursionError):
        return []
    nodes = [node for node in found if isinstance(node, Node)]
    graphs = [inner for node in nodes for inner in node.nodes("@graph")]
    for node in nodes:
        node.properties.pop("@graph", None)
    every = [*(node for node in nodes if set(node.properties) - {"@context"}), *graphs]
    by_id = {node.text("@id"): node for node in every if node.text("@id") and len(node.properties) > 1}
    for node in every:
        _resolve(node, by_id, 0)
    return every


def mapping_node(data: dict[str, Any], raw: str) -> Node:
    """Return the node of a mapping whose source is `raw`, as front matter has it."""
    return _Data(lambda key: _lines_of(key, raw)).node(data)


def markup_nodes(tree: LexborHTMLParser, source: str) -> list[Node]:
    """Return the top-level items of a page's microdata and RDFa; `source` is its source with white space collapsed."""
    by_id = (
        {node.attributes.get("id") or "": node for node in tree.css("[id]")}
        if tree.css_first("[itemref]")
        else {}
    )
    found: list[Node] = []
    for names in (("itemscope", "itemprop", "itemtype"), ("typeof", "property", "typeof")):
        reader = _Markup(*names, source, by_id)
        scopes = (scope for scope in tree.css(f"[{names[0]}]") if names[1] not in scope.attributes)
        found += [reader.item(scope, 0) for scope in scopes]
    return found


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
                node.types = " ".join(last_part(one.text) for one in values if isinstance(one, Leaf))
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


@dataclass
class _JsonSource:
    """Finds the members of a JSON text in order."""

    text: str
    at: int = 0

    def member(self, key: str) -> str:
        """Return the words of the next member with a key; empty if it is written in another way."""
        name = re.escape(json.dumps(key, ensure_ascii=False))
        match = re.compile(rf"{name}\s*:\s*").search(self.text, self.at, self.at + _FARTHEST)
        if match is None:
            return ""
        self.at = match.end()
        value = self.text[self.at : self.at + 2 * LONGEST]
        try:
            _, end = _decoder.raw_decode(value)
        except ValueError:  # it is longer
            end = len(value)
        return collapse_spaces(match[0] + value[:end])[:LONGEST]


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
    for values in node.properties.values():
        for number, value in enumerate(values):
            if not isinstance(value, Node) or depth > _DEEPEST:
                continue
            target = by_id.get(value.text("@id")) if set(value.properties) == {"@id"} else None
            if target is not None and target is not node:
                values[number] = without_nodes(target)
            elif target is None:
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


@dataclass
class _Markup:
    """Reads items by the attributes of their markup; an excerpt is the visible line of a property, else its tag."""

    scope: str
    prop: str
    type: str
    source: str
    by_id: dict[str, LexborNode]
    left: int = _MOST_PROPERTIES
    around: tuple[int, str] = (0, "")

    def item(self, scope: LexborNode, depth: int) -> Node:
        node = Node(" ".join(last_part(part) for part in (scope.attributes.get(self.type) or "").split()))
        self._below(scope, node, depth)
        for one in (scope.attributes.get("itemref") or "").split():
            if (root := self.by_id.get(one)) is not None:
                self._read(root, node, depth)
        return node

    def _below(self, parent: LexborNode, node: Node, depth: int) -> None:
        for child in parent.iter():
            self._read(child, node, depth)

    def _read(self, element: LexborNode, node: Node, depth: int) -> None:
        if self.prop in element.attributes:
            self._property(element, node, depth)
        elif self.scope not in element.attributes:
            self._below(element, node, depth)

    def _property(self, element: LexborNode, node: Node, depth: int) -> None:
        for name in (element.attributes.get(self.prop) or "").split():
            self.left -= 1
            if self.left < 0:
                return
            key = last_part(name)
            if self.scope in element.attributes:
                if depth < _DEEPEST:
                    node.add(key, [self.item(element, depth + 1)])
            else:
                node.add(key, self._leaves(element, key))
        if self.scope not in element.attributes:
            self._below(element, node, depth)

    def _leaves(self, element: LexborNode, key: str) -> list[Leaf | Node]:
        attributes = element.attributes
        stated = attributes.get("content") or attributes.get("datetime")
        if stated is None and (element.tag in {"link", "img", "source"} or key.lower() in _ADDRESSES):
            stated = attributes.get("href") or attributes.get("src")
        shown = inline_text(element)
        texts = [stated] if stated else [part for part in shown.split("\v") if part.strip()]
        return [Leaf(text, self._excerpt(element, text)) for one in texts if (text := _scalar(one))]

    def _excerpt(self, element: LexborNode, text: str) -> str:
        parent = element.parent
        if parent is not None and self.around[0] != parent.mem_id:
            self.around = parent.mem_id, collapse_spaces(inline_text(parent))
        around = self.around[1] if parent is not None else ""
        if text in around and len(around) < LONGEST:
            return around
        tag = collapse_spaces(f"{(element.html or '').split('>', 1)[0]}>")
        return tag if tag in self.source and len(tag) < LONGEST else text
