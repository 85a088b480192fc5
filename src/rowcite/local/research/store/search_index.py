"""Find documents by words with a tantivy index, and by name, site and address with tables."""

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

_CLOSE = 92  # rapidfuzz ratio of a name and its misspelling
_HEAP = 128_000_000  # bytes of the writer's buffer
_ABANDONED = 3_600.0  # seconds after which an unfinished folder belongs to a killed process


class WordIndex:
    """An index of folded texts; a document is known by its position among them."""

    def __init__(self, index: Index) -> None:
        index.config_reader("manual")  # the folder never changes, so no watcher is needed
        index.reload()
        self._index = index
        self._searcher = index.searcher()
        self.size = self._searcher.num_docs

    def containing_phrase(self, words: list[str]) -> list[int]:
        """Return the documents that contain the words as a phrase, in order."""
        schema = self._index.schema
        query = (
            Query.term_query(schema, "text", words[0])
            if len(words) == 1
            else Query.phrase_query(schema, "text", list(words))
        )
        return sorted(number for number, _ in self._hits(query, self.size))

    def scored(self, words: list[str], limit: int) -> list[tuple[int, float]]:
        """Return the documents that contain any of the words, with BM25 scores, best first, ties in order."""
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
    """Return an index of texts in memory."""
    index = Index(_schema())
    _add_texts(index, texts)
    return WordIndex(index)


def open_index(folder: Path, stamp: str, texts: Iterable[str], size: int) -> WordIndex:
    """Open the index of `size` texts in `folder` under a stamp, or build it; delete those of other stamps.

    An index is never changed: BM25 counts deleted documents until segments are merged, and answers must not depend on a
    corpus's history. It is built under a temporary name and renamed, so no process sees half of one. Raises OSError if
    the folder cannot be used.
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
    """Return the index if it is present and complete, else None."""
    if not here.is_dir():
        return None
    with suppress(ValueError, OSError):  # tantivy raises ValueError for any damage
        words = WordIndex(Index.open(str(here)))
        if words.size == size:
            return words
    shutil.rmtree(here, ignore_errors=True)
    return None


def _make(here: Path, texts: Iterable[str]) -> None:
    beside = Path(tempfile.mkdtemp(dir=here.parent, prefix="new-words-"))
    try:
        _add_texts(Index(_schema(), path=str(beside)), texts)
        with suppress(OSError):  # another process built the same index first
            beside.rename(here)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _clear(folder: Path, here: Path) -> None:
    """Delete the indexes of other stamps and those abandoned by killed processes."""
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


def _add_texts(index: Index, texts: Iterable[str]) -> None:
    """Add texts with one thread and one segment, so that scores and ties are equal everywhere."""
    writer = index.writer(heap_size=_HEAP, num_threads=1)
    for number, text in enumerate(texts):
        entry = Document()
        entry.add_text("text", text)
        entry.add_integer("number", number)
        writer.add_document(entry)
    writer.commit()
    writer.wait_merging_threads()


class DocumentFinder:
    """Finds documents by name, site and address; a document is known by its position among the summaries."""

    def __init__(self, summaries: Sequence[DocumentSummary], words: WordIndex) -> None:
        self.by_site: dict[str, list[int]] = {}
        self.by_subject: dict[str, list[int]] = {}
        self.by_link: dict[str, list[int]] = {}
        self.by_url = {summary.url: number for number, summary in enumerate(summaries)}
        for number, summary in enumerate(summaries):
            if summary.site:
                self.by_site.setdefault(summary.site, []).append(number)
            for subject in summary.subjects:
                self.by_subject.setdefault(subject, []).append(number)
            for site in summary.links:
                self.by_link.setdefault(site, []).append(number)
        self._names = list(self.by_subject)
        self.known = frozenset(name for summary in summaries for name in summary.named)
        self._words = words

    def containing_phrase(self, name: str) -> list[int]:
        """Return the documents that contain a folded name, in order."""
        words = name.split()
        return self._words.containing_phrase(words) if words else []

    def containing_any(self, words: list[str], limit: int) -> list[int]:
        """Return the documents that contain any of the folded words, best first, ties in order."""
        return [number for number, _ in self.scored(words, limit)]

    def scored(self, words: list[str], limit: int) -> list[tuple[int, float]]:
        """Return the documents that contain any of the folded words, with BM25 scores, best first."""
        return self._words.scored(words, limit) if words else []

    def close_names(self, name: str) -> list[str]:
        """Return subjects that differ from a name by a misspelling; short names must be exact."""
        if len(name) < 7:
            return []
        found = process.extract(name, self._names, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=3)
        return [subject for subject, _, _ in found]
