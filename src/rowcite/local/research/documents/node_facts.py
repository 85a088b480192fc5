"""Turn trees of structured data into facts: one walk for every type of schema.org and for front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from msgspec import structs

from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.nodes import Leaf, Node, last_part, without_nodes
from rowcite.local.research.text.normalise import collapse_spaces, core_name, split_words

_NAMED = re.compile(r"Organization|Corporation|Business|Company|Store|Agency|Brand\b|NGO|Airline|Service\b|Restaurant|Hotel|Place\b|School|University|Person")  # fmt: skip
_OWN_PARTS = re.compile(r"Role|Offer|Rating|Specification|Value|Address|Amount|Place|List|Coordinates|Credential|Instance|Engine")  # fmt: skip
_OTHERS = re.compile(r"reviews?|comment|mentions|additionalProperty|isRelatedTo|isSimilarTo|itemReviewed|hasVariant|competitor|customer", re.IGNORECASE)  # fmt: skip
_FURNITURE = re.compile(r"\b(?:ImageObject|BreadcrumbList|\w*Action)\b")  # of a page: not what it is about
_PAGE_LABELS = frozenset({"url", "permalink", "link", "address", "canonical"})  # not of its subject
_ADDRESS = ("addressLocality", "addressRegion", "addressCountry")
_NAMES = ("name", "headline", "title", "legalName")
_DEEPEST = 5
_MOST = 400  # facts of one page


class _Position(NamedTuple):
    """The subject of a node, the words above it, and its depth."""

    subject: str
    path: str = ""
    depth: int = 0


def node_facts(nodes: Sequence[Node], title: str = "") -> list[Fact]:
    """Return the facts of a page's structured data; a thing without a name is called by the page's title."""
    found = (fact for node in nodes for fact in _facts(node, _Position(_name(node) or title)))
    return list(dict.fromkeys(islice(found, _MOST)))


def mapping_facts(node: Node) -> list[Fact]:
    """Return the facts of front matter, which are about the document's own subject."""
    facts = islice(_facts(node, _Position("")), _MOST)
    return [structs.replace(fact, concept="") if fact.label in _PAGE_LABELS else fact for fact in facts]


def node_subjects(nodes: Sequence[Node]) -> list[str]:
    """Return the core names of the things that a page's data is about, without publishers."""
    things = [thing for node in nodes for thing in (node, *node.nodes("mainEntity"), *node.nodes("about"))]
    named = (thing for thing in things if not _FURNITURE.search(thing.types))
    cores = (core_name(leaf.text) for thing in named for leaf in thing.leaves(*_NAMES, "alternateName"))
    return list(filter(None, cores))


def named_in(nodes: Sequence[Node]) -> set[str]:
    """Return the names of the organisations and people in a page's data."""
    return {_name(inner) for node in nodes for inner in node.walk() if _NAMED.search(inner.types)}


def _name(node: Node) -> str:
    given = collapse_spaces(f"{node.text('givenName')} {node.text('familyName')}")
    return node.text(*_NAMES) or given


def _facts(node: Node, at: _Position) -> Iterator[Fact]:
    """Yield the facts of a node's properties: their values as one fact, then the facts of those that are nodes."""
    about = at.depth <= _DEEPEST and not _FURNITURE.search(node.types)
    for key, values in node.properties.items() if about else ():
        if key.startswith("@") or (key == "name" and at.depth and not at.path):
            continue
        if not _OTHERS.fullmatch(key):
            yield from _fact(key, values, at)
        for value in values:
            if isinstance(value, Node):
                yield from _node(key, value, at)


def _node(key: str, node: Node, at: _Position) -> Iterator[Fact]:
    """Yield the facts of a node under a property; a named thing is a subject itself."""
    words, name = split_words(key), _name(node)
    if re.search("PropertyValue|FeatureSpecification", node.types):
        yield from _fact(last_part(node.text("name", "propertyID")), [node], at)
    elif _OTHERS.fullmatch(key):
        yield from _facts(node, _Position(name or key, "", at.depth + 1))
    elif name and node.types and not _OWN_PARTS.search(node.types):
        for fact in _facts(without_nodes(node), at):
            if fact.label not in {"name", "url", "same as"}:
                yield structs.replace(fact, label=f"{words} {fact.label}", concept="")
        yield from _facts(node, _Position(name, "", at.depth + 1))
    else:
        yield from _facts(node, _Position(at.subject, f"{at.path} {words}".strip(), at.depth + 1))


def _fact(key: str, values: Sequence[Leaf | Node], at: _Position) -> Iterator[Fact]:
    """Yield the fact of a property, if the page states it in words that can be quoted."""
    label, shown = split_words(key), [one for one in map(_shown, values) if one.text]
    texts = tuple(dict.fromkeys(one.text for one in shown))
    if label and texts and shown[0].excerpt:
        concept = concept_of_label(label) or (concept_of_label(f"{at.path} {label}") if at.path else "")
        items = texts if len(texts) > 1 else ()
        yield Fact(
            label, "; ".join(texts), shown[0].excerpt, Directness.DATA, concept, at.subject, items, heading=at.path
        )  # fmt: skip


def _shown(value: Leaf | Node) -> Leaf:
    """Return a value as one text, with the words that state it or its first part."""
    parts, sign = ([value], "") if isinstance(value, Leaf) else _parts(value)
    return Leaf(sign.join(one.text for one in parts), parts[0].excerpt) if parts else Leaf("", "")


def _parts(node: Node) -> tuple[list[Leaf], str]:
    """Return the values that show a node and the sign between them: of a quantity, an address, a name, or its only one."""
    if figures := node.leaves("value", "ratingValue"):
        return [figures[0], *node.leaves("unitText", "currency", "unitCode")[:1]], " "
    if (low := node.leaves("minValue")) and (high := node.leaves("maxValue")):
        return [low[0], high[0]], "-"
    if "PostalAddress" in node.types and not node.text("name"):
        firsts = (_shown(one) for key in _ADDRESS for one in node.properties.get(key, ())[:1])
        return [one for one in firsts if one.text], ", "
    if named := node.leaves(*_NAMES)[:1] or node.leaves("givenName", "familyName"):
        return named, " "
    inside = (node.properties.get(key, ()) for key in ("address", "value", "item", "itemOffered"))
    inner = [one for one in map(_shown, chain.from_iterable(inside)) if one.text]
    leaves = node.leaves(*(key for key in node.properties if key[0] != "@"))
    return inner[:1] or (leaves if len(leaves) == 1 else []), ""
