"""What is held on one entity: how it is called, and the documents about it."""

from __future__ import annotations

from dataclasses import dataclass

from rowcite.local.research.bearing import Naming, Place
from rowcite.local.research.document import Document
from rowcite.local.research.entity import Entity


@dataclass(frozen=True)
class Standing:
    """How a document stands to the entity; `score` orders them, `ties` says what ties it to the entity."""

    number: int
    document: Document
    place: Place
    score: float
    ties: str  # own site, address, place, name


@dataclass(frozen=True)
class Dossier:
    """The documents on one entity, best first; `problem` says why there are none."""

    entity: Entity
    naming: Naming
    standings: tuple[Standing, ...]
    problem: str = ""
    places: tuple[str, ...] = ()

    def names(self) -> str:
        """Return what to call the entity in a sentence."""
        return self.entity.given or ", ".join(self.entity.sites) or "the subject"
