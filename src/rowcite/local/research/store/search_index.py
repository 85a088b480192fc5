"""The words of a corpus: which documents hold them, and how well. In memory, or in a folder that is made once."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from rapidfuzz import fuzz, process
from tantivy import Document, Index, Occur, Query, Schema, SchemaBuilder

from rowcite.local.research.documents.document import DocumentSummary

_HEAP = 128_000_000  # bytes that the writer gathers in
_ABANDONED = 3_600.0  # seconds: a folder still being made after that was left by a process that was killed


class WordIndex:
    """An index of folded texts; a document is known by its position among them."""

    def __init__(self, index: Index) -> None:
        index.config_reader("manual")  # the folder never changes: nobody has to watch it
        index.reload()
        self._index = index
        self._searcher = index.searcher()
        self.size = self._searcher.num_docs

    def containing_phrase(self, words: list[str]) -> list[int]:
        """Return the documents in which words stand one after the other, in order."""
        schema = self._index.schema
        query = (
            Query.term_query(schema, "text", words[0])
            if len(words) == 1
            else Query.phrase_query(schema, "text", list(words))
        )
        return sorted(number for number, _ in self._hits(query, self.size))

    def scored(self, words: list[str], limit: int) -> list[tuple[int, float]]:
        """Return the documents that hold any of the words with their BM25 scores, best first, ties in order."""
        schema = self._index.schema
        terms = [(Occur.Should, Query.term_query(schema, "text", word)) for word in words]
        return self._hits(Query.boolean_query(terms), limit)

    def _hits(self, query: Query, limit: int) -> list[tuple[int, float]]:
        hits = self._searcher.search(query, limit=max(1, min(limit, self.size)), count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        ranked = [
            (-float(score), int(number))
            for (score, _), number in zip(hits, numbers, strict=True)
            if score is not None and number is not None
        ]
        return [(number, -score) for score, number in sorted(ranked)]


def index_in_memory(texts: Iterable[str]) -> WordIndex:
    """Index texts in memory."""
    index = Index(_schema())
    _fill(index, texts)
    return WordIndex(index)


def open_index(folder: Path, stamp: str, texts: Iterable[str], size: int) -> WordIndex:
    """Open the index of `size` texts that is kept in `folder` under a stamp, or make it; remove those of other stamps.

    An index is never changed: BM25 counts what was deleted until segments happen to be merged, and answers must not
    depend on a corpus's history. It is made beside and renamed, so that no other process meets half of one.
    Raises OSError when the folder cannot be used.
    """
    here = folder / f"words-{stamp}"
    found = _opened(here, size)
    if found is None:
        _make(here, texts)
        found = _opened(here, size)
    if found is None:
        raise OSError(f"{here}: the index that was just made cannot be opened")
    _clear(folder, here)
    return found


def _opened(here: Path, size: int) -> WordIndex | None:
    """Return the index when it is there and whole."""
    if not here.is_dir():
        return None
    with suppress(ValueError, OSError):  # tantivy raises ValueError for whatever is wrong with a folder
        words = WordIndex(Index.open(str(here)))
        if words.size == size:
            return words
    shutil.rmtree(here, ignore_errors=True)
    return None


def _make(here: Path, texts: Iterable[str]) -> None:
    beside = Path(tempfile.mkdtemp(dir=here.parent, prefix="new-words-"))
    try:
        _fill(Index(_schema(), path=str(beside)), texts)
        with suppress(OSError):  # another process was quicker: its index is the same
            beside.rename(here)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _clear(folder: Path, here: Path) -> None:
    """Remove other states of the corpus, and what killed processes left; who has one of them open goes on reading it."""
    abandoned = [
        path for path in folder.glob("new-words-*") if time.time() - path.stat().st_mtime > _ABANDONED
    ]
    for path in [*abandoned, *folder.glob("words-*")]:
        if path != here:
            shutil.rmtree(path, ignore_errors=True)


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="position")
    builder.add_integer_field("number", stored=False, fast=True)
    return builder.build()


def _fill(index: Index, texts: Iterable[str]) -> None:
    """Index folded texts by one thread and in one segment, so that scores and ties are the same everywhere."""
    writer = index.writer(heap_size=_HEAP, num_threads=1)
    for number, text in enumerate(texts):
        entry = Document()
        entry.add_text("text", text)
        entry.add_integer("number", number)
        writer.add_document(entry)
    writer.commit()
    writer.wait_merging_threads()


_CLOSE = 92  # rapidfuzz ratio above which two names are a slip of the pen apart


class Finder:
    """What finds the documents of a corpus: they are known by their position among the cards given."""

    def __init__(self, cards: Sequence[DocumentSummary], words: WordIndex) -> None:
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

    def containing_phrase(self, name: str) -> list[int]:
        """Return the documents in which a folded name stands, in order."""
        words = name.split()
        return self._words.containing_phrase(words) if words else []

    def containing_any(self, words: list[str], limit: int) -> list[int]:
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
