"""Extract facts from schema.org data: JSON-LD and microdata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rowcite.local.research.documents.concepts import concept_of_label
from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.html_blocks import inline_text
from rowcite.local.research.documents.html_head import node_types, walk_nodes
from rowcite.local.research.text.normalise import collapse_spaces, core_name, split_words

ORGANISATIONS = re.compile(
    r"Organization|Corporation|Business|Company|Store|Agency|Brand\b|NGO|Airline|Service\b|Restaurant|Hotel|Place\b|School|University|Hospital"
)
_OTHERS = frozenset({"publisher", "author", "member", "memberof", "customer", "competitor", "seller", "provider", "isrelatedto", "mentions",
                     "sponsor", "parentorganization", "suborganization", "funder", "creator", "contributor", "copyrightholder", "sourceorganization", "alumniof"})  # fmt: skip
_IGNORED = frozenset({
    "logo", "image", "potentialaction", "mainentityofpage", "breadcrumb", "ispartof", "inlanguage", "geo", "review",
    "aggregaterating",
})  # fmt: skip
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class NodePosition:
    """The position of a node in the data: its subject, the label path above it, its depth."""

    subject: str
    path: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class JsonLdScript:
    """A JSON-LD script: its text, and its nodes by @id."""

    text: str
    nodes: dict[str, dict[str, Any]]


def data_facts(data: list[tuple[Any, str]]) -> Iterator[Fact]:
    """Yield the facts of JSON-LD documents; each excerpt is the literal "key": value of the source."""
    for document, text in data:
        nodes = walk_nodes(document)
        source = JsonLdScript(text, {str(node["@id"]): node for node in nodes if "@id" in node})
        for node in nodes:
            if ORGANISATIONS.search(node_types(node)) or (node.get("name") and "Person" in node_types(node)):
                yield from _node_facts(node, source, NodePosition(str(node.get("name", ""))))
            for key in ("about", "mainEntity", "mentions", "itemListElement"):
                for inner in _nodes_at(node.get(key), source):
                    yield from _node_facts(inner, source, NodePosition(str(inner.get("name", ""))))


def data_subjects(data: list[tuple[Any, str]]) -> list[str]:
    """Return the core names of the organisations that the page's data is about, without publishers."""
    names = []
    for document, text in data:
        nodes = walk_nodes(document)
        source = JsonLdScript(text, {})
        for node in nodes:
            inner = [*_nodes_at(node.get("about"), source), *_nodes_at(node.get("mainEntity"), source)]
            for candidate in [node, *inner]:
                if ORGANISATIONS.search(node_types(candidate)):
                    names += [str(candidate.get(key) or "") for key in ("name", "legalName", "alternateName")]
    return [core for name in names if (core := core_name(name))]


def microdata_facts(tree: LexborHTMLParser) -> Iterator[Fact]:
    """Yield the facts of itemprop attributes inside an organisation's itemscope, quoted from the visible text."""
    for scope in tree.css("[itemscope][itemtype]"):
        if not ORGANISATIONS.search(scope.attributes.get("itemtype") or "") or _inside_property(scope):
            continue
        properties = list(scope.css("[itemprop]"))
        name = next((_property_text(p) for p in properties if p.attributes.get("itemprop") == "name"), "")
        for node in properties:
            prop = node.attributes.get("itemprop") or ""
            value = _property_text(node)
            label = split_words(prop)
            if value and prop != "name" and "itemscope" not in node.attributes:
                yield Fact(
                    label,
                    value,
                    _property_excerpt(node, value),
                    Directness.DATA,
                    concept_of_label(label),
                    name,
                )


def _nodes_at(value: Any, source: JsonLdScript) -> list[dict[str, Any]]:
    """Return the organisations under a key, with references resolved."""
    found = value if isinstance(value, list) else [value]
    resolved = [_resolve(entry, source) for entry in found]
    items = [
        entry.get("item", entry) if "ListItem" in node_types(entry) else entry
        for entry in resolved
        if isinstance(entry, dict)
    ]
    return [entry for entry in items if isinstance(entry, dict) and ORGANISATIONS.search(node_types(entry))]


def _resolve(value: Any, source: JsonLdScript) -> Any:
    if isinstance(value, dict) and set(value) == {"@id"}:
        return source.nodes.get(str(value["@id"]), value)
    return value


def _node_facts(node: dict[str, Any], source: JsonLdScript, position: NodePosition) -> Iterator[Fact]:
    """Yield a node's facts; nested data is labelled by its path, nested organisations are subjects themselves."""
    subject, path = position.subject, position.path
    if position.depth > 4:
        return
    for key, value in node.items():
        if key.startswith("@") or key.lower() in _IGNORED or (key == "name" and not path):
            continue
        label = f"{path} {split_words(key)}".strip()
        entries = [_resolve(entry, source) for entry in (value if isinstance(value, list) else [value])]
        words = tuple(text for entry in entries if (text := _words(entry)))
        if words and key.lower() not in _OTHERS | {"additionalproperty"} - {"parentorganization", "funder"}:
            yield _data_fact(label, words, _snippet(source.text, key, value), subject)
        for entry in entries:
            if isinstance(entry, dict):
                yield from _inner_facts(key, entry, source, NodePosition(subject, label, position.depth))


def _inner_facts(
    key: str, entry: dict[str, Any], source: JsonLdScript, position: NodePosition
) -> Iterator[Fact]:
    subject = position.subject
    kinds = node_types(entry)
    if "PropertyValue" in kinds and entry.get("name"):
        yield _data_fact(
            split_words(str(entry["name"])),
            (_scalar(entry.get("value")),),
            _snippet(source.text, "value", entry.get("value")),
            subject,
        )
    elif "Person" in kinds and entry.get("jobTitle"):
        yield _data_fact(
            split_words(str(entry["jobTitle"])),
            (str(entry.get("name", "")),),
            _snippet(source.text, key, entry) or _snippet(source.text, "name", entry.get("name")),
            subject,
        )
    elif key.lower() in _OTHERS or (ORGANISATIONS.search(kinds) and entry.get("name")):
        yield from _node_facts(
            entry, source, NodePosition(str(entry.get("name") or key), "", position.depth + 1)
        )
    elif "Person" not in kinds and "value" not in entry:
        yield from _node_facts(entry, source, NodePosition(subject, position.path, position.depth + 1))


def _data_fact(label: str, words: tuple[str, ...], excerpt: str, subject: str) -> Fact:
    return Fact(
        label,
        "; ".join(words),
        excerpt,
        Directness.DATA,
        concept_of_label(label),
        subject,
        words if len(words) > 1 else (),
    )


def _words(entry: Any) -> str:
    """Return a value as text: a scalar, a quantity ("10-50"), a thing's name, an address in one line."""
    if not isinstance(entry, dict):
        return _scalar(entry)
    if entry.get("value") is not None:
        return f"{_scalar(entry['value'])} {entry.get('unitCode') or entry.get('currency') or ''}".strip()
    if entry.get("minValue") is not None and entry.get("maxValue") is not None:
        return f"{_scalar(entry['minValue'])}-{_scalar(entry['maxValue'])}"
    if "PostalAddress" in node_types(entry):
        parts = (_words(entry.get(key)) for key in ("addressLocality", "addressRegion", "addressCountry"))
        return ", ".join(filter(None, parts))
    inner = entry.get("itemOffered")
    return _scalar(entry.get("name")) or (_words(inner) if isinstance(inner, dict) else "")


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return collapse_spaces(str(value)) if isinstance(value, str | int | float) else ""


def _snippet(text: str, key: str, value: Any) -> str:
    """Return the literal `"key": value` from the script, cut if long."""
    decoder = json.JSONDecoder()
    for match in re.finditer(rf'"{re.escape(key)}"\s*:\s*', text):
        try:
            found, end = decoder.raw_decode(text, match.end())
        except ValueError:
            continue
        if found == value:
            return collapse_spaces(text[match.start() : end])[:_LONGEST]
    return ""


def _inside_property(scope: LexborNode) -> bool:
    """Return True if a scope is a property of another that belongs to another entity."""
    prop = (scope.attributes.get("itemprop") or "").lower()
    return prop in _OTHERS or prop == "address"


def _property_text(node: LexborNode) -> str:
    attributes = node.attributes
    stated = attributes.get("content") or attributes.get("datetime")
    if stated is None and node.tag in {"a", "link"} and attributes.get("itemprop") in {"url", "sameAs"}:
        stated = attributes.get("href")
    return collapse_spaces(stated or inline_text(node))


def _property_excerpt(node: LexborNode, value: str) -> str:
    """Return the visible line of a property, or the value itself if it is in an attribute."""
    parent = node.parent
    around = collapse_spaces(inline_text(parent)) if parent is not None else ""
    return around if around and value in around and len(around) < _LONGEST else value
