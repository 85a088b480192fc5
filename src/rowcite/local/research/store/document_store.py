"""Parsed documents in a SQLite file or in memory.

Summaries are loaded at once, a document on demand. The file can be deleted at any time and survives a kill; a reader
keeps seeing the snapshot it opened while other processes write.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from rowcite.local.research.documents.document import Document, DocumentSummary, summarise
from rowcite.local.research.text.normalise import fold

FILE = "pages.sqlite"
VERSION = 2
DAMAGE_ERRORS = (sqlite3.DatabaseError, zlib.error, msgspec.DecodeError)
_BUSY = 30.0  # seconds to wait for another process's write lock
_SCHEMA = """
create table files (key blob primary key, problems blob not null) strict, without rowid;
create table pages (
  id integer primary key, key blob not null references files (key) on delete cascade, number integer not null,
  summary blob not null, unique (key, number)
) strict;
create table bodies (
  id integer primary key references pages (id) on delete cascade, words blob not null, body blob not null
) strict;
"""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document ready to be stored: its summary, its folded words and its body, the last two compressed."""

    summary: bytes
    words: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The documents of a file, and a line for each part left out."""

    pages: tuple[StoredDocument, ...]
    problems: tuple[str, ...] = ()


def to_stored(documents: Iterable[Document], problems: Iterable[str]) -> StoredFile:
    """Return the documents of a file ready to be stored; a document without text becomes a problem."""
    parsed = list(documents)
    empty = [f"{document.path}: contains no text" for document in parsed if not document.text]
    return StoredFile(tuple(_page(document) for document in parsed if document.text), (*problems, *empty))


class DocumentStore:
    """The stored documents of one corpus; raises OSError or sqlite3.Error if the folder cannot be used.

    With `folder` None they are in memory. Any thread may read.
    """

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self._db = _opened(folder) if folder else _database(":memory:")
        self.close = weakref.finalize(self, self._db.close)

    def keys(self) -> set[bytes]:
        """Return the keys of the stored files."""
        return {key for (key,) in self._all("select key from files")}

    def add_files(self, files: Sequence[tuple[bytes, StoredFile]]) -> None:
        """Add files under their keys in one transaction."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            for key, file in files:
                self._add_file(key, file)

    def remove_others(self, keys: Iterable[bytes]) -> None:
        """Delete the files under other keys."""
        stale_keys = self.keys() - set(keys)
        if stale_keys:
            with self._lock, self._db:
                self._db.execute("begin immediate")
                self._db.executemany("delete from files where key = ?", [(key,) for key in stale_keys])

    def checkpoint(self) -> None:
        """Move written pages from the WAL into the database file, unless a reader still needs them."""
        with self._lock:
            self._db.execute("pragma busy_timeout = 0")  # do not wait for a server that runs for days
            self._db.execute("pragma wal_checkpoint(truncate)").fetchall()
            self._db.execute(f"pragma busy_timeout = {_BUSY * 1000:.0f}")

    def begin_snapshot(self) -> None:
        """Start a read transaction: later changes by other processes are not seen."""
        with self._lock:
            self._db.execute("begin")
            self._db.execute("select count(*) from files").fetchone()

    def end_snapshot(self) -> None:
        """End the read transaction of `begin_snapshot`."""
        with self._lock:
            self._db.rollback()

    def problems(self) -> dict[bytes, tuple[str, ...]]:
        """Return the lines about parts left out, by file key."""
        return {
            key: _problems.decode(problems) for key, problems in self._all("select key, problems from files")
        }

    def summaries(self) -> list[tuple[int, bytes, DocumentSummary]]:
        """Return each document's id, its file's key and its summary."""
        rows = self._all("select id, key, summary from pages order by key, number")
        return [(page, key, _summaries.decode(summary)) for page, key, summary in rows]

    def words(self, pages: Iterable[int]) -> Iterator[str]:
        """Yield the folded words of documents."""
        for page in pages:
            yield zlib.decompress(self._one("select words from bodies where id = ?", page)).decode()

    def document(self, page: int) -> Document:
        """Return a document; a damaged file is deleted, so that the next process creates a new one."""
        try:
            return _bodies.decode(zlib.decompress(self._one("select body from bodies where id = ?", page)))
        except DAMAGE_ERRORS:
            if self._folder:
                delete_store(self._folder)
            raise

    def _add_file(self, key: bytes, file: StoredFile) -> None:
        if not self._db.execute(
            "insert or ignore into files values (?, ?)", (key, _encode(file.problems))
        ).rowcount:
            return  # another process added it first
        for number, page in enumerate(file.pages):
            inserted = self._db.execute(
                "insert into pages (key, number, summary) values (?, ?, ?)", (key, number, page.summary)
            )
            self._db.execute(
                "insert into bodies values (?, ?, ?)", (inserted.lastrowid, page.words, page.body)
            )

    def _all(self, query: str) -> list[Any]:
        with self._lock:
            return self._db.execute(query).fetchall()

    def _one(self, query: str, page: int) -> bytes:
        with self._lock:
            found: tuple[bytes] = self._db.execute(query, (page,)).fetchone()
        return found[0]


def _page(document: Document) -> StoredDocument:
    return StoredDocument(
        _encode(summarise(document)),
        zlib.compress(fold(" ".join((document.title, *document.subjects, document.text))).encode(), 1),
        zlib.compress(_encode(document), 1),
    )


def delete_store(folder: Path) -> None:
    """Delete the file; processes that have it open keep reading it."""
    for part in folder.glob(f"{FILE}*"):
        part.unlink(missing_ok=True)


def _opened(folder: Path) -> sqlite3.Connection:
    """Open the file; create a new one if it is damaged or of another version."""
    try:
        return _database(folder / FILE)
    except sqlite3.OperationalError:
        raise  # locked, full or read-only: a new file would not help
    except sqlite3.DatabaseError:
        delete_store(folder)
        return _database(folder / FILE)


def _database(file: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    with ExitStack() as undo:
        undo.callback(database.close)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        database.execute("pragma foreign_keys = on")
        database.execute("begin immediate")
        (version,) = database.execute("pragma user_version").fetchone()
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                database.execute(statement)
            database.execute(f"pragma user_version = {VERSION}")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"version {version}")
        database.execute("commit")
        undo.pop_all()
    return database


_encode = msgspec.msgpack.Encoder().encode
_summaries = msgspec.msgpack.Decoder(DocumentSummary)
_bodies = msgspec.msgpack.Decoder(Document)
_problems = msgspec.msgpack.Decoder(tuple[str, ...])
