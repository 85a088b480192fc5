"""Finds documents by the words of a name, by site and by subject."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz, process

from rowcite.local.research.card import Card
from rowcite.local.research.words import Words

_CLOSE = 92  # rapidfuzz ratio above which two names are a slip of the pen apart


class Finder:
    """What finds the documents of a corpus: they are known by their position among the cards given."""

    def __init__(self, cards: Sequence[Card], words: Words) -> None:
        self.by_site: dict[str, list[int]] = {}
        self.by_subject: dict[str, list[int]] = {}
        self.by_link: dict[str, list[int]] = {}
        self.by_url = {card.url: number for number, card in enumerate(cards)}
        for number, card in enumerate(cards):
            if card.site:
                self.by_site.setdefault(card.site, []).append(number)
            for subject in card.subjects:
                self.by_subject.setdefault(subject, []).append(number)
            for site in card.links:
                self.by_link.setdefault(site, []).append(number)
        self._names = list(self.by_subject)
        self.known = frozenset(name for card in cards for name in card.named)
        self._words = words

    def naming(self, name: str) -> list[int]:
        """Return the documents in which a folded name stands, in order."""
        words = name.split()
        return self._words.naming(words) if words else []

    def touching(self, words: list[str], limit: int) -> list[int]:
        """Return the documents that hold any of the folded words, best first, ties in order."""
        return [number for number, _ in self.scored(words, limit)]

    def scored(self, words: list[str], limit: int) -> list[tuple[int, float]]:
        """Return the documents that hold any of the folded words with their BM25 scores, best first."""
        return self._words.scored(words, limit) if words else []

    def close_names(self, name: str) -> list[str]:
        """Return subjects that differ from a name by a slip of the pen; short names must be exact."""
        if len(name) < 7:
            return []
        found = process.extract(name, self._names, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=3)
        return [subject for subject, _, _ in found]
