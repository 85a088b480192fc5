"""What the page is made of: figures, and sections with a picture and the figures behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure at the head of the page."""

    name: str
    value: str
    more: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """One colour of a picture, and what it says."""

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Table:
    """The figures behind a picture."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """A section with a picture."""

    id: str
    title: str
    says: str
    room: str = "half"
    svgs: tuple[tuple[int, str], ...] = ()
    legend: list[Mark] = field(default_factory=list)
    table: Table | None = None


def some(number: int, what: str) -> str:
    """Return so many of something in words."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
