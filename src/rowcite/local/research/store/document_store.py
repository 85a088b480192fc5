"""Parsed documents and the index of their words, in one SQLite file in the cache folder of each corpus, or in memory.

Summaries are loaded at once, a document on demand. The file can be deleted at any time and survives a kill; a reader
keeps seeing the snapshot it opened while other processes write.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from rowcite.local.research.documents.document import Document
from rowcite.local.research.text.normalise import fold

_READERS = ("selectolax", "markdown-it-py", "pypdf", "msgspec")
DAMAGE_ERRORS = (sqlite3.DatabaseError, zlib.error, msgspec.DecodeError)
UNUSABLE_ERRORS = (OSError, sqlite3.Error)  # what a cache that cannot be used raises
_BUSY = 30.0  # seconds to wait for another process's write lock
# The index has no copy of the words: to delete a document's, they are made of the document again.
_SCHEMA = """
create table if not exists files (key blob primary key, problems blob not null) strict, without rowid;
create table if not exists pages (
  id integer primary key, key blob not null references files (key) on delete cascade, number integer not null,
  summary blob not null, body blob not null, unique (key, number)
) strict;
create virtual table if not exists words using fts5 (text, content = '', tokenize = 'porter ascii');
"""
_ADD_PAGE = "insert into pages (key, number, summary, body) values (?, ?, ?, ?)"
_DELETE_WORDS = "insert into words (words, rowid, text) values ('delete', ?, ?)"


def cache_file(root: Path, corpus: Path) -> Path:
    """Return the path of a corpus's store in a cache folder, whose parent is created if needed; stores of other versions are deleted.

    Two corpora never share a folder, so neither deletes the other's documents.
    """
    folder = root / f"corpus-{hashlib.sha256(str(corpus.resolve()).encode()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"pages-{_engine_fingerprint()[:16]}.sqlite"
    for other in folder.glob("pages*"):
        if not other.name.startswith(file.name):
            other.unlink(missing_ok=True)
    return file


@cache
def _engine_fingerprint() -> str:
    """Return a hash of the engine's source and the parsers' versions: when it changes, files are read again."""
    sources = (path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py")))
    parsers = (f"{name} {version(name)}\n".encode() for name in _READERS)
    return hashlib.sha256(b"".join([*parsers, *sources])).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The documents of a file ready to be stored, and a line for each part left out.

    A document has its summary, its folded words and its compressed body.
    """

    pages: list[tuple[bytes, str, bytes]]
    problems: list[str]


def to_stored(documents: Iterable[Document], problems: Iterable[str]) -> StoredFile:
    """Return the documents of a file ready to be stored; a document without text becomes a problem."""
    stored = StoredFile([], list(problems))
    for one in documents:
        if one.text:
            stored.pages.append((_encode(one.summary()), _words(one), zlib.compress(_encode(one), 1)))
        else:
            stored.problems.append(f"{one.path}: contains no text")
    return stored


class DocumentStore:
    """The documents of one corpus in a file, or in memory; raises OSError or sqlite3.Error if the file cannot be used.

    Any thread may read. All documents of a file were stored by the same version of the engine.
    """

    def __init__(self, file: Path | None) -> None:
        self._lock = threading.Lock()
        self._file = file
        self._db = _database(file or ":memory:")
        self.close = weakref.finalize(self, self._db.close)

    def add_files(self, files: Iterable[tuple[bytes, StoredFile]]) -> None:
        """Add files under their keys in one transaction; of a file that another process added first, nothing."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            for key, file in files:
                stored = (key, _encode(file.problems))
                if self._db.execute("insert or ignore into files values (?, ?)", stored).rowcount:
                    for number, (summary, words, body) in enumerate(file.pages):
                        page = self._db.execute(_ADD_PAGE, (key, number, summary, body)).lastrowid
                        self._db.execute("insert into words (rowid, text) values (?, ?)", (page, words))

    def remove_others(self, keys: Iterable[bytes]) -> None:
        """Delete the files under other keys, and their words from the index."""
        for key in self.problems().keys() - set(keys):
            with self._lock, self._db:
                self._db.execute("begin immediate")
                pages = self._db.execute("select id, body from pages where key = ?", (key,)).fetchall()
                for page, body in pages:
                    words = _words(_documents.decode(zlib.decompress(body)))
                    self._db.execute(_DELETE_WORDS, (page, words))
                self._db.execute("delete from files where key = ?", (key,))

    def begin_snapshot(self, keys: Iterable[bytes]) -> bool:
        """Start a read transaction, in which later changes by other processes are not seen; return False if a key is not there."""
        self._all("begin")
        if set(keys) <= self.problems().keys():
            return True
        self._all("rollback")
        return False

    def problems(self) -> dict[bytes, list[str]]:
        """Return the lines about parts left out of each stored file, by its key."""
        rows = self._all("select key, problems from files")
        return {key: _problems.decode(problems) for key, problems in rows}

    def summaries(self) -> list[tuple[int, bytes, Document]]:
        """Return each document's id, its file's key and its summary."""
        rows = self._all("select id, key, summary from pages order by key, number")
        return [(page, key, _documents.decode(summary)) for page, key, summary in rows]

    def matches(self, query: str) -> list[tuple[int, float]]:
        """Return the ids of the documents that match a query of FTS5, in any order, with their BM25 scores."""
        return self._all("select rowid, -bm25(words) from words where words match ?", query)

    def document(self, page: int) -> Document:
        """Return a document; a damaged file is deleted, so that the next process creates a new one."""
        try:
            ((body,),) = self._all("select body from pages where id = ?", page)
            return _documents.decode(zlib.decompress(body))
        except DAMAGE_ERRORS:
            if self._file:
                delete_store(self._file)
            raise

    def _all(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()


def _words(document: Document) -> str:
    return fold(" ".join((document.title, *document.subjects, document.text)))


def delete_store(file: Path) -> None:
    """Delete the file; processes that have it open keep reading it."""
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink(missing_ok=True)


def _database(file: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    settings = "pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on"
    try:
        for statement in [*settings.split(";"), "begin immediate", *_SCHEMA.split(";\n"), "commit"]:
            database.execute(statement)
    except sqlite3.Error:
        database.close()
        raise
    return database


_encode = msgspec.msgpack.Encoder().encode
_documents = msgspec.msgpack.Decoder(Document)
_problems = msgspec.msgpack.Decoder(list[str])
