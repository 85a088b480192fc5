"""The types of a corpus: a document, its blocks, and the facts extracted from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any

from msgspec import Struct

from rowcite.local.research.text.normalise import collapse_spaces


class Directness(Enum):
    """The form in which a document states a fact; the value is its weight in per cent."""

    DATA = 95  # JSON-LD or microdata
    TABLE = 93  # a cell beside its label, or under it
    LINE = 90  # "Employees: 240"
    LIST = 85  # the items under a heading
    SENTENCE = 84  # "employs 240 people"
    PASSING = 60  # a sentence that states it indirectly or as an approximation


class Block(Struct, frozen=True, array_like=True, gc=False):
    """A piece of a page that is read as one.

    `lines` is its text split at line breaks. `cells` is a table row's cells, `header` the column headers above them.
    """

    kind: str  # heading, text, item, or row: of a table or a definition list
    text: str
    heading: str = ""  # the nearest heading above
    lines: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    level: int = 0  # of a heading: 1 to 6


class Fact(Struct, frozen=True, array_like=True, gc=False):
    """A statement in a document: `label` (folded) has the value `value`, quoted in `excerpt`.

    `concept` is the kind of fact, empty if unknown. `subject` is the name in the table row or data node; empty means
    the document's own subject. For sentences, `lead` is the text before the match and `tail` the text from the match on.
    `as_of` is a year that the statement itself names.
    """

    label: str
    value: str
    excerpt: str
    directness: Directness
    concept: str = ""
    subject: str = ""
    items: tuple[str, ...] = ()  # the parts of a list
    row_cells: tuple[tuple[str, str], ...] = ()  # a row's (label, cell) pairs, to separate namesakes
    heading: str = ""
    lead: str | None = None
    tail: str = ""
    as_of: str = ""
    block: int = -1


@dataclass(frozen=True)
class Document:
    """A page with its address, its subjects, its text and its facts."""

    path: str
    url: str
    title: str
    date: str | None
    host: str
    site: str
    text: str
    raw: str = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False, default=())
    facts: tuple[Fact, ...] = field(repr=False, default=())
    subjects: tuple[str, ...] = ()  # core names that the page presents as its subject
    links: frozenset[str] = frozenset()  # sites it links to or names
    named: tuple[str, ...] = ()  # core names of the organisations and people in its data and tables

    @property
    def origin(self) -> str:
        """The host, or the path of a document without a URL, as a reasoning names it."""
        return self.host or self.path

    @cached_property
    def collapsed_source(self) -> str:
        """The source with white space collapsed."""
        return collapse_spaces(self.raw)

    def contains(self, excerpt: str) -> bool:
        """Return True if an excerpt occurs in the visible text, or literally in the source."""
        wanted = collapse_spaces(excerpt)
        return bool(wanted) and (wanted in self.text or wanted in self.collapsed_source)

    def summary(self) -> Document:
        """Return what finding the document needs: the document without its text, blocks and facts."""
        return replace(self, text="", raw="", blocks=(), facts=())


@dataclass(frozen=True)
class FileMetadata:
    """The URL, title and date that the manifest or a line of JSON gives a page; empty where not given."""

    url: str = ""
    title: str = ""
    date: str = ""

    def with_fallback(self, other: FileMetadata) -> FileMetadata:
        """Return this metadata, with empty values taken from `other`."""
        return FileMetadata(self.url or other.url, self.title or other.title, self.date or other.date)


def metadata_in(row: dict[str, Any]) -> FileMetadata:
    """Return the metadata in a row of the manifest or in a line of JSON."""
    return FileMetadata(*(str(row.get(key) or "").strip() for key in ("url", "title", "date")))
