"""Finds documents by the words of a name, by site and by subject."""

from __future__ import annotations

from rapidfuzz import fuzz, process
from tantivy import DocAddress, Index, Occur, Query, SchemaBuilder
from tantivy import Document as Entry

from rowcite.research.document import Document
from rowcite.research.text import core_name, fold

_CLOSE = 92  # rapidfuzz ratio above which two names are a slip of the pen apart


class Finder:
    """The index of a corpus: documents are known by their position in the list given."""

    def __init__(self, documents: list[Document]) -> None:
        self.by_site: dict[str, list[int]] = {}
        self.by_subject: dict[str, list[int]] = {}
        self.by_link: dict[str, list[int]] = {}
        self.by_url = {document.url: number for number, document in enumerate(documents)}
        for number, document in enumerate(documents):
            if document.site:
                self.by_site.setdefault(document.site, []).append(number)
            for subject in document.subjects:
                self.by_subject.setdefault(subject, []).append(number)
            for site in document.links:
                self.by_link.setdefault(site, []).append(number)
        self._names = list(self.by_subject)
        self.known = frozenset(known_names(documents))
        self._index = _word_index(documents)
        self._searcher = self._index.searcher()
        self._limit = max(len(documents), 1)

    def naming(self, name: str) -> list[int]:
        """Return the documents in which a folded name stands, in order."""
        words = name.split()
        if not words:
            return []
        schema = self._index.schema
        query = (
            Query.term_query(schema, "text", words[0])
            if len(words) == 1
            else Query.phrase_query(schema, "text", list(words))
        )
        return sorted(number for number, _ in self._hits(query, self._limit))

    def touching(self, words: list[str], limit: int) -> list[int]:
        """Return the documents that hold any of the folded words, best first, ties in order."""
        return [number for number, _ in self.scored(words, limit)]

    def scored(self, words: list[str], limit: int) -> list[tuple[int, float]]:
        """Return the documents that hold any of the folded words with their BM25 scores, best first."""
        if not words:
            return []
        schema = self._index.schema
        terms = [(Occur.Should, Query.term_query(schema, "text", word)) for word in words]
        return self._hits(Query.boolean_query(terms), limit)

    def close_names(self, name: str) -> list[str]:
        """Return subjects that differ from a name by a slip of the pen; short names must be exact."""
        if len(name) < 7:
            return []
        found = process.extract(name, self._names, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=3)
        return [subject for subject, _, _ in found]

    def _hits(self, query: Query, limit: int) -> list[tuple[int, float]]:
        hits = self._searcher.search(query, limit=min(limit, self._limit), count=False).hits
        ranked = [(-float(score), self._number(address)) for score, address in hits if score is not None]
        return [(number, -score) for score, number in sorted(ranked)]

    def _number(self, address: DocAddress) -> int:
        return int(self._searcher.doc(address)["number"][0])


def known_names(documents: list[Document]) -> set[str]:
    """Return the core names that data nodes and table rows give to their subjects, and profile pages to theirs."""
    stated = {core_name(fact.subject) for document in documents for fact in document.facts if fact.subject}
    return {name for name in stated if len(name) > 2 and not name.isdigit()}


def _word_index(documents: list[Document]) -> Index:
    """Index folded words in memory, by one thread and in one segment, so that scores are the same everywhere."""
    builder = SchemaBuilder()
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="position")
    builder.add_integer_field("number", stored=True)
    index = Index(builder.build())
    writer = index.writer(heap_size=128_000_000, num_threads=1)
    for number, document in enumerate(documents):
        entry = Entry()
        entry.add_text("text", fold(document.text))
        entry.add_integer("number", number)
        writer.add_document(entry)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index
