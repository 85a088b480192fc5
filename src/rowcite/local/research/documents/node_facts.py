"""Turn trees of structured data into facts: one walk for every type of schema.org and for front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec import structs

from rowcite.local.research.documents.document import Directness, Fact
from rowcite.local.research.documents.labels import concept_of_label
from rowcite.local.research.documents.nodes import Leaf, Node, last_part, without_nodes
from rowcite.local.research.text.normalise import collapse_spaces, core_name, split_words

ORGANISATIONS = re.compile(
    r"Organization|Corporation|Business|Company|Store|Agency|Brand\b|NGO|Airline|Service\b|Restaurant|Hotel|Place\b|School|University|Hospital"
)
_OWN_PARTS = re.compile(
    r"Role|Offer|Rating|Specification|Value|Address|Amount|Place|List|Coordinates|Credential|Instance|Engine"
)
_OTHERS = re.compile(
    r"reviews?|comment|mentions|isRelatedTo|isSimilarTo|itemReviewed|hasVariant|competitor|customer",
    re.IGNORECASE,
)
_IGNORED = re.compile(
    r"@.*|image|logo|photo|potentialAction|breadcrumb|isPartOf|mainEntityOfPage|primaryImageOfPage|thumbnailUrl",
    re.IGNORECASE,
)
_PAGES = re.compile(r"Article|Posting|WebPage|Report|Review$")
_PAGE_LABELS = frozenset(
    {"url", "permalink", "link", "address", "canonical"}
)  # of the page, not of its subject
_ABOUT = ("mainEntity", "about")
_ADDRESS = ("Locality", "Region", "Country")
_MORE_EXCERPTS = 6  # of a list whose items are in different places
_DEEPEST = 5
_MOST = 400  # facts of one page


class _Position(NamedTuple):
    """The subject of a node, the words above it, and its depth."""

    subject: str
    path: str = ""
    depth: int = 0


def node_facts(nodes: Sequence[Node], title: str = "") -> list[Fact]:
    """Return the facts of a page's structured data; a page or an article without a name is called by the page's title."""
    things = (
        thing for node in nodes for thing in (node, *_inner(node, "itemListElement", *_ABOUT, "mentions"))
    )
    found = (
        fact
        for thing in things
        for fact in _facts(thing, _Position(_name(thing) or (title if _PAGES.search(thing.types) else "")))
    )
    return list(dict.fromkeys(islice(found, 2 * _MOST)))[:_MOST]


def mapping_facts(node: Node) -> list[Fact]:
    """Return the facts of front matter, which are about the document's own subject."""
    facts = islice(_facts(node, _Position("")), _MOST)
    return [structs.replace(fact, concept="") if fact.label in _PAGE_LABELS else fact for fact in facts]


def node_subjects(nodes: Sequence[Node]) -> list[str]:
    """Return the core names of the things that a page's data is about, without publishers."""
    things = [thing for node in nodes for thing in (node, *_inner(node, *_ABOUT))]
    return [
        core
        for thing in things
        if not re.search(r"WebSite|ImageObject|BreadcrumbList|SearchAction", thing.types)
        for key in ("name", "legalName", "alternateName", "headline", "title")
        if (core := core_name(thing.text(key)))
    ]


def named_in(nodes: Sequence[Node]) -> set[str]:
    """Return the names of the organisations and people in a page's data."""
    found = {_name(node) for node in nodes if ORGANISATIONS.search(node.types) or "Person" in node.types}
    inner = [one for node in nodes for key in node.properties for one in node.nodes(key)]
    return found | (named_in(inner) if inner else set())


def _inner(node: Node, *keys: str) -> list[Node]:
    """Return the nodes under some keys; those of a list item are its items."""
    return [one for key in keys for value in node.nodes(key) for one in (_inner(value, "item") or [value])]


def _name(node: Node) -> str:
    given = collapse_spaces(f"{node.text('givenName')} {node.text('familyName')}")
    return node.text("name", "headline", "title", "legalName") or given


def _facts(node: Node, at: _Position) -> Iterator[Fact]:
    """Yield the facts of a node's properties: its values as one fact for each place that states some, then those of nodes."""
    for key, values in node.properties.items() if at.depth <= _DEEPEST else ():
        of_page = key == "url" and _PAGES.search(node.types)
        if _IGNORED.fullmatch(key) or of_page or (key == "name" and at.depth and not at.path):
            continue
        if not _OTHERS.fullmatch(key) and key != "additionalProperty":
            shown = [(text, _excerpt(value)) for value in values if (text := _shown(value))]
            texts = tuple(dict.fromkeys(text for text, _ in shown))
            for excerpt in list(dict.fromkeys(excerpt for _, excerpt in shown))[:_MORE_EXCERPTS]:
                yield from _fact(key, texts, excerpt, at)
        for value in values:
            if isinstance(value, Node):
                yield from _node(key, value, at)


def _node(key: str, node: Node, at: _Position) -> Iterator[Fact]:
    """Yield the facts of a node under a property; a named thing is a subject itself."""
    words, name = split_words(key), _name(node)
    if "PropertyValue" in node.types:
        yield from _fact(last_part(node.text("name", "propertyID")), (_shown(node),), _excerpt(node), at)
    elif _OTHERS.fullmatch(key):
        yield from _facts(node, _Position(name or key, "", at.depth + 1))
    elif name and node.types and not _OWN_PARTS.search(node.types):
        for fact in _facts(without_nodes(node), at):
            if fact.label not in {"name", "url", "same as"}:
                yield structs.replace(fact, label=f"{words} {fact.label}", concept="")
        yield from _facts(node, _Position(name, "", at.depth + 1))
    else:
        yield from _facts(node, _Position(at.subject, f"{at.path} {words}".strip(), at.depth + 1))


def _fact(key: str, texts: tuple[str, ...], excerpt: str, at: _Position) -> Iterator[Fact]:
    """Yield the fact of a property, if the page states it in words that can be quoted."""
    label, items = split_words(key), texts if len(texts) > 1 else ()
    concept = concept_of_label(label) or (concept_of_label(f"{at.path} {label}") if at.path else "")
    if label and excerpt:
        value = "; ".join(texts)
        yield Fact(label, value, excerpt, Directness.DATA, concept, at.subject, items, heading=at.path)


def _shown(value: Leaf | Node) -> str:
    """Return a value as text: a scalar, a quantity ("10-50"), a thing's name, an address in one line."""
    if isinstance(value, Leaf):
        return value.text
    if figure := value.text("value", "ratingValue"):
        return f"{figure} {value.text('unitText', 'currency', 'unitCode')}".strip()
    if value.text("minValue") and value.text("maxValue"):
        return f"{value.text('minValue')}-{value.text('maxValue')}"
    if "PostalAddress" in value.types and not value.text("name"):
        return ", ".join(filter(None, (_of(value, f"address{part}") for part in _ADDRESS)))
    leaves = [leaf.text for key in value.properties if key[0] != "@" for leaf in value.leaves(key)]
    only = leaves[0] if len(leaves) == 1 else ""  # such as a credential's category
    return _name(value) or _of(value, "address", "value", "item", "itemOffered") or only


def _of(node: Node, *keys: str) -> str:
    values = (value for key in keys for value in node.properties.get(key, ()))
    return next(filter(None, map(_shown, values)), "")


def _excerpt(value: Leaf | Node) -> str:
    """Return the words that state a value: its own, or those of its name, figure or first part."""
    if isinstance(value, Leaf):
        return value.excerpt
    first = ("value", "ratingValue", "minValue", "name", "headline", "addressLocality")
    keys = sorted(value.properties, key=lambda key: first.index(key) if key in first else len(first))
    return next((found for key in keys for inner in value.properties[key] if (found := _excerpt(inner))), "")
