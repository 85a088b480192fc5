"""What is known of a document without reading it: enough to say whom it may be about."""

from __future__ import annotations

from msgspec import Struct

from rowcite.local.research.document import Document
from rowcite.local.research.text import core_name


class Card(Struct, frozen=True, array_like=True, gc=False):
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


def card_of(document: Document) -> Card:
    """Return a document's card."""
    stated = {core_name(fact.subject) for fact in document.facts if fact.subject}
    named = sorted(name for name in stated if len(name) > 2 and not name.isdigit())
    return Card(
        document.path, document.url, document.date or "", document.site, document.subjects, tuple(sorted(document.links)), tuple(named)
    )  # fmt: skip
