"""What the page is built of: figures, and sections with a picture and the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTHS = {"full": (1056, 660, 342), "half": (500, 342)}
"""The widths in pixels that a picture is drawn in, by the room of its section."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure at the head of the page."""

    name: str
    value: str
    more: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """One colour of a picture and its label."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers behind a picture."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """A section with a picture. `text` is the sentence above it; `room` is "half" or "full" of the page's width."""

    id: str
    title: str
    text: str
    room: str = "half"
    svgs: tuple[tuple[int, str], ...] = ()
    legend: list[Mark] = field(default_factory=list)
    table: Table | None = None
