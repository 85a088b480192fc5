"""The types of the corpus: a document, its blocks of text, and the facts that stand in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from msgspec import Struct

from rowcite.local.research.text.normalise import collapse_spaces, core_name

HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})
TEXT_SUFFIXES = frozenset({".txt", ".text"})
OTHER_SUFFIXES = frozenset({".pdf", ".jsonl", ".eml"})
SUFFIXES = HTML_SUFFIXES | MARKDOWN_SUFFIXES | TEXT_SUFFIXES | OTHER_SUFFIXES


class Directness(Enum):
    """How a document says something; the value is how directly, 0..100."""

    DATA = 95  # JSON-LD or microdata
    TABLE = 93  # a cell beside its label, or under it
    LINE = 90  # "Employees: 240"
    LIST = 85  # the items under a heading
    SENTENCE = 84  # "employs 240 people"
    PASSING = 60  # a sentence that says it in passing or about


class Block(Struct, frozen=True, array_like=True, gc=False):
    """A piece of a page that is read as one.

    `lines` are its text split at line breaks; `cells` are a table row's, `header` the words above them.
    """

    kind: str  # heading, text, item, row, pair
    text: str
    heading: str = ""  # the nearest heading above
    aside: bool = False  # stands beside the main text
    lines: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    level: int = 0  # of a heading: 1 to 6


class Fact(Struct, frozen=True, array_like=True, gc=False):
    """Something a document says: `label` (folded) is `value`, in the words of `excerpt`.

    `concept` names the kind of fact where the vocabulary knows it. `subject` is whom a table row or a
    data node is about; empty: the document's own subject. For sentences `lead` and `tail` are what
    stands before and after the words that say it. `as_of` is the year the fact itself names.
    """

    label: str
    value: str
    excerpt: str
    directness: Directness
    concept: str = ""
    subject: str = ""
    items: tuple[str, ...] = ()  # the value's parts when it is a list
    row_cells: tuple[tuple[str, str], ...] = ()  # a row's (label, cell) pairs: they tell namesakes apart
    heading: str = ""
    lead: str | None = None
    tail: str = ""
    as_of: str = ""
    block: int = -1
    change: bool = False  # tells of a change: what was said before no longer holds


class Sentence(Struct, frozen=True, array_like=True, gc=False):
    """A sentence, where it stands, and the heading above it."""

    text: str
    block: int
    heading: str
    aside: bool


@dataclass(frozen=True)
class Document:
    """A page with its address, what it is about, and what it says."""

    path: str
    url: str
    title: str
    date: str | None
    host: str
    site: str
    text: str
    raw: str = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False, default=())
    sentences: tuple[Sentence, ...] = field(repr=False, default=())
    facts: tuple[Fact, ...] = field(repr=False, default=())
    subjects: tuple[str, ...] = ()  # core names the page presents as its own subject
    links: frozenset[str] = frozenset()  # sites it links to or names
    hrefs: tuple[str, ...] = field(repr=False, default=())  # addresses it links to

    @cached_property
    def collapsed_source(self) -> str:
        """The source with white space collapsed."""
        return collapse_spaces(self.raw)

    @cached_property
    def by_concept(self) -> dict[str, tuple[Fact, ...]]:
        """The facts by concept, those of no known concept under an empty name."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            found.setdefault(fact.concept, []).append(fact)
        return {concept: tuple(facts) for concept, facts in found.items()}

    def contains(self, excerpt: str) -> bool:
        """Tell whether an excerpt stands in the document: in its visible text, or literally in its source."""
        wanted = collapse_spaces(excerpt)
        return bool(wanted) and (wanted in self.text or wanted in self.collapsed_source)


class DocumentSummary(Struct, frozen=True, array_like=True, gc=False):
    """A document's address and date, whom it presents, where it links to, and the names that its data state.

    `subjects` and `named` are core names; `links` are sites.
    """

    path: str
    url: str
    date: str
    site: str
    subjects: tuple[str, ...]
    links: tuple[str, ...]
    named: tuple[str, ...]


def summarise(document: Document) -> DocumentSummary:
    """Return a document's card."""
    stated = {core_name(fact.subject) for fact in document.facts if fact.subject}
    named = sorted(name for name in stated if len(name) > 2 and not name.isdigit())
    return DocumentSummary(
        document.path, document.url, document.date or "", document.site, document.subjects, tuple(sorted(document.links)), tuple(named)
    )  # fmt: skip


@dataclass(frozen=True)
class FileMetadata:
    """What manifest or front matter say of a file; empty where they are silent."""

    url: str = ""
    title: str = ""
    date: str = ""

    def over(self, other: FileMetadata) -> FileMetadata:
        """Return what is stated here, and of the rest what is stated there."""
        return FileMetadata(self.url or other.url, self.title or other.title, self.date or other.date)


def metadata_in(row: dict[str, Any]) -> FileMetadata:
    """Return what a row of the manifest, or front matter, says."""
    return FileMetadata(*(str(row.get(key) or "").strip() for key in ("url", "title", "date")))
