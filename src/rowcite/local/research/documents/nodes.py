"""Structured data as trees of nodes: JSON-LD and other JSON, microdata, and the mappings of front matter.

Every leaf keeps the words of the source that state it, so that each fact can be quoted.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rowcite.local.research.documents.html_blocks import children, inline_text
from rowcite.local.research.text.normalise import collapse_spaces

LONGEST = 400  # characters of an excerpt
_DEEPEST = 8
_DEEPEST_MAPPING, _MOST = (
    2,
    60,
)  # levels and entries of front matter: aliases can make it as large as they like
_MOST_PROPERTIES = 2_000  # of a page's microdata
_SPACE = re.compile(r"[ \t\r\n]*")
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
    key: str = ""

    def add(self, key: str, values: Iterable[Leaf | Node]) -> None:
        """Add the values of a property."""
        self.properties.setdefault(key, []).extend(values)

    def text(self, *keys: str) -> str:
        """Return the first text of the first of some properties that has one, or an empty string."""
        found = (
            value.text for key in keys for value in self.properties.get(key, ()) if isinstance(value, Leaf)
        )
        return next(filter(None, found), "")


def json_nodes(text: str) -> list[Node]:
    """Return the top-level objects of a JSON text, with @graph and references resolved; none if it is not JSON."""
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip()
    try:
        _, end = _decoder.raw_decode(text, 0)
        if text[end:].strip(" \t\r\n;"):
            return []
        found = list(_values(text, 0, "", 0))
    except (ValueError, RecursionError):
        return []
    nodes = [node for node in found if isinstance(node, Node)]
    graphs = [
        inner for node in nodes for inner in node.properties.pop("@graph", ()) if isinstance(inner, Node)
    ]
    every = [*(node for node in nodes if set(node.properties) - {"@context"}), *graphs]
    by_id = {node.text("@id"): node for node in every if node.text("@id") and len(node.properties) > 1}
    for node in every:
        _resolve(node, by_id, 0)
    return every


def mapping_node(data: dict[str, Any], raw: str, depth: int = 0) -> Node:
    """Return the node of a mapping whose source is `raw`, as front matter has it."""
    node = Node()
    for key, value in islice(data.items(), _MOST):
        values = value[:_MOST] if isinstance(value, list) else [value]
        excerpt = _lines_of(str(key), raw)
        node.add(
            str(key), [_mapped(one, excerpt, raw, depth) for one in values if one not in (None, "", [], {})]
        )
    return node


def microdata_nodes(tree: LexborHTMLParser, source: str) -> list[Node]:
    """Return the top-level items of a page; `source` is its source with white space collapsed."""
    by_id = (
        {node.attributes.get("id") or "": node for node in tree.css("[id]")}
        if tree.css_first("[itemref]")
        else {}
    )
    reader = _Microdata(source, by_id)
    return [reader.item(scope, 0) for scope in tree.css("[itemscope]") if "itemprop" not in scope.attributes]


def last_part(key: str) -> str:
    """Return the last part of a property that is named by a URL."""
    return key.rstrip("/#").rsplit("/", 1)[-1].rsplit("#", 1)[-1].rsplit(":", 1)[-1]


def _values(text: str, at: int, excerpt: str, depth: int) -> Iterator[Leaf | Node]:
    """Yield the values at a position of valid JSON: the items of a list, else one."""
    at = _after_space(text, at)
    if depth > _DEEPEST:
        return
    if text[at] == "[":
        for start, _ in _items(text, at):
            yield from _values(text, start, excerpt, depth + 1)
    elif text[at] == "{":
        yield _object(text, at, depth)
    else:
        value, _ = _decoder.raw_decode(text, at)
        if value is not None:
            yield Leaf(_scalar(value), excerpt)


def _object(text: str, at: int, depth: int) -> Node:
    node = Node()
    for start, key, value_at, end in _members(text, at):
        literal = collapse_spaces(text[start : min(end, start + 2 * LONGEST)])[:LONGEST]
        values = list(_values(text, value_at, literal, depth + 1))
        if key == "@type":
            node.types = " ".join(last_part(value.text) for value in values if isinstance(value, Leaf))
        elif key == "@value":
            node.add("value", values)
        else:
            node.add(key if key.startswith("@") else last_part(key), values)
    return node


def _members(text: str, at: int) -> Iterator[tuple[int, str, int, int]]:
    """Yield each member of an object: start, key, start of the value, end."""
    at = _after_space(text, at + 1)
    while text[at] == '"':
        key, key_end = _decoder.raw_decode(text, at)
        value_at = _after_space(text, _after_space(text, key_end) + 1)
        _, end = _decoder.raw_decode(text, value_at)
        yield at, key, value_at, end
        at = _after_comma(text, end)


def _items(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each item of a list."""
    at = _after_space(text, at + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        yield at, end
        at = _after_comma(text, end)


def _after_comma(text: str, end: int) -> int:
    at = _after_space(text, end)
    return _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _scalar(value: Any) -> str:
    """Return a scalar as text, without markup and without the address of schema.org's enumerations."""
    if isinstance(value, bool):
        return "yes" if value else "no"
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
                values[number] = _without_nodes(target)
            elif target is None:
                _resolve(value, by_id, depth + 1)


def _without_nodes(node: Node) -> Node:
    """Return a node with its single values alone: references can form circles."""
    leaves = {
        key: [value for value in values if isinstance(value, Leaf)] for key, values in node.properties.items()
    }
    return Node(node.types, {key: list(values) for key, values in leaves.items() if values})


def _mapped(value: Any, excerpt: str, raw: str, depth: int) -> Leaf | Node:
    if isinstance(value, dict):
        return mapping_node(value, raw, depth + 1) if depth < _DEEPEST_MAPPING else Leaf("", "")
    if isinstance(value, list):
        return Leaf(
            "; ".join(_scalar(one) for one in value[:_MOST] if not isinstance(one, dict | list)), excerpt
        )
    text = {"true": "yes", "false": "no"}.get(str(value).lower(), _scalar(value))
    return Leaf(text, excerpt)


def _lines_of(key: str, raw: str) -> str:
    """Return the lines of front matter that state a key: its own, and the indented or listed ones below."""
    match = re.search(
        rf"^[ \t]*(?:- )?[\"']?{re.escape(key)}[\"']?[ \t]*[:=].*(?:\n(?:[ \t]+|- ).*)*", raw, re.MULTILINE
    )
    return collapse_spaces(match[0])[:LONGEST] if match else ""


@dataclass
class _Microdata:
    """Reads items; an excerpt is the visible line of a property, else its tag."""

    source: str
    by_id: dict[str, LexborNode]
    left: int = _MOST_PROPERTIES
    around: tuple[int, str] = (0, "")

    def item(self, scope: LexborNode, depth: int) -> Node:
        node = Node(" ".join(last_part(part) for part in (scope.attributes.get("itemtype") or "").split()))
        roots = [
            scope,
            *(
                self.by_id[one]
                for one in (scope.attributes.get("itemref") or "").split()
                if one in self.by_id
            ),
        ]
        for root in roots:
            if root is not scope and "itemprop" in root.attributes:
                self._property(root, node, depth)
            else:
                self._below(root, node, depth)
        return node

    def _below(self, parent: LexborNode, node: Node, depth: int) -> None:
        for child in children(parent):
            if (child.tag or "-").startswith("-"):
                continue
            if "itemprop" in child.attributes:
                self._property(child, node, depth)
            elif "itemscope" not in child.attributes:
                self._below(child, node, depth)

    def _property(self, element: LexborNode, node: Node, depth: int) -> None:
        for name in (element.attributes.get("itemprop") or "").split():
            self.left -= 1
            if self.left < 0:
                return
            key = last_part(name)
            if "itemscope" in element.attributes:
                if depth < _DEEPEST:
                    node.add(key, [self.item(element, depth + 1)])
            else:
                node.add(key, self._leaves(element, key))
        if "itemscope" not in element.attributes:
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
