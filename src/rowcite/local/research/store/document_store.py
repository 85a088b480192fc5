"""The documents as they were read, in a SQLite file or in memory: cards at once, a document when it is asked for.

The file can be thrown away at any time. A process that is killed leaves it whole; a reader goes on seeing what it
opened, whatever another process puts in or takes out meanwhile.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from rowcite.local.research.documents.document import Document, DocumentSummary, summarise
from rowcite.local.research.text.normalise import fold

FILE = "pages.sqlite"
VERSION = 1
DAMAGE_ERRORS = (sqlite3.DatabaseError, zlib.error, msgspec.DecodeError)  # what reading a damaged file raises
_BUSY = 30.0  # seconds to wait for another process's writing
_SCHEMA = """
create table files (key blob primary key, faults blob not null) strict, without rowid;
create table pages (
  id integer primary key, key blob not null references files (key) on delete cascade, number integer not null,
  card blob not null, unique (key, number)
) strict;
create table bodies (
  id integer primary key references pages (id) on delete cascade, words blob not null, body blob not null
) strict;
"""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document ready to be kept: its card, its folded words and itself, the last two compressed."""

    card: bytes
    words: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What a file came to: its documents, and lines about parts left out."""

    pages: tuple[StoredDocument, ...]
    problems: tuple[str, ...] = ()


def to_stored(documents: Iterable[Document], problems: Iterable[str]) -> StoredFile:
    """Return what is kept of a file; a document without text is a fault."""
    documents_read = list(documents)
    silent = [f"{document.path}: holds no text" for document in documents_read if not document.text]
    return StoredFile(
        tuple(_page(document) for document in documents_read if document.text), (*problems, *silent)
    )


class DocumentStore:
    """The kept documents of one corpus. Raises OSError or sqlite3.Error when the folder cannot be used.

    `folder` None keeps them in memory. Any thread may read.
    """

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self._db = _opened(folder) if folder else _database(":memory:")
        self.close = weakref.finalize(self, self._db.close)

    def keys(self) -> set[bytes]:
        """Return the keys of the files that are kept."""
        return {key for (key,) in self._all("select key from files")}

    def add_files(self, files: Sequence[tuple[bytes, StoredFile]]) -> None:
        """Keep files under their keys, all or none."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            for key, file in files:
                self._add_file(key, file)

    def remove_others(self, keys: Iterable[bytes]) -> None:
        """Remove what is kept under other keys."""
        stale_keys = self.keys() - set(keys)
        if stale_keys:
            with self._lock, self._db:
                self._db.execute("begin immediate")
                self._db.executemany("delete from files where key = ?", [(key,) for key in stale_keys])

    def checkpoint(self) -> None:
        """Bring what was written into the file's own place, unless somebody still reads what was there."""
        with self._lock:
            self._db.execute("pragma busy_timeout = 0")  # a server that runs for days is not waited for
            self._db.execute("pragma wal_checkpoint(truncate)").fetchall()
            self._db.execute(f"pragma busy_timeout = {_BUSY * 1000:.0f}")

    def begin_snapshot(self) -> None:
        """See from now on what is there now, whatever others change."""
        with self._lock:
            self._db.execute("begin")
            self._db.execute("select count(*) from files").fetchone()

    def end_snapshot(self) -> None:
        """See what others have changed since `hold`."""
        with self._lock:
            self._db.rollback()

    def problems(self) -> dict[bytes, tuple[str, ...]]:
        """Return the lines about parts left out, by the file's key."""
        return {key: _faults.decode(problems) for key, problems in self._all("select key, faults from files")}

    def cards(self) -> list[tuple[int, bytes, DocumentSummary]]:
        """Return each document's id, its file's key and its card."""
        rows = self._all("select id, key, card from pages order by key, number")
        return [(page, key, _cards.decode(card)) for page, key, card in rows]

    def words(self, pages: Iterable[int]) -> Iterator[str]:
        """Yield the folded words of documents."""
        for page in pages:
            yield zlib.decompress(self._one("select words from bodies where id = ?", page)).decode()

    def document(self, page: int) -> Document:
        """Return a document. Should it be damaged, the next process starts the file over."""
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
            return  # another process was quicker
        for number, page in enumerate(file.pages):
            add_files = self._db.execute(
                "insert into pages (key, number, card) values (?, ?, ?)", (key, number, page.card)
            )
            self._db.execute(
                "insert into bodies values (?, ?, ?)", (add_files.lastrowid, page.words, page.body)
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
        zlib.compress(fold(document.text).encode(), 1),
        zlib.compress(_encode(document), 1),
    )


def delete_store(folder: Path) -> None:
    """Remove the file; who has it open goes on reading it."""
    for part in folder.glob(f"{FILE}*"):
        part.unlink(missing_ok=True)


def _opened(folder: Path) -> sqlite3.Connection:
    """Open the file; one that is damaged, or of another version, is started over."""
    try:
        return _database(folder / FILE)
    except sqlite3.OperationalError:
        raise  # locked, full, read-only: nothing that a new file would cure
    except sqlite3.DatabaseError:
        delete_store(folder)
        return _database(folder / FILE)


def _database(file: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
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
            raise sqlite3.DatabaseError(f"version {version}")  # noqa: TRY301  # closed below
        database.execute("commit")
    except BaseException:
        database.close()
        raise
    return database


_encode = msgspec.msgpack.Encoder().encode
_cards = msgspec.msgpack.Decoder(DocumentSummary)
_bodies = msgspec.msgpack.Decoder(Document)
_faults = msgspec.msgpack.Decoder(tuple[str, ...])
