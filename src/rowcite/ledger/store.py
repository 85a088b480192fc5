"""One open ledger file: transactions, and SQLite's errors translated once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from filelock import FileLock

from rowcite.errors import LedgerError


class Store:
    """What asking and telling have in common: the connection, and how it is used."""

    def __init__(self, connection: sqlite3.Connection, lock: FileLock | None, where: str) -> None:
        self._db = connection
        self._lock = lock
        self.where = where

    def close(self) -> None:
        """Close the file and let the next process have it."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def each(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query one by one; for `rowcite.ledger.maintenance`."""
        with self._reading():
            yield from self._db.execute(sql, values)

    def apply(self, *changes: tuple[str, tuple[object, ...]]) -> list[int]:
        """Make changes, all or none; return how many rows each touched. For `rowcite.ledger.maintenance`."""
        with self._writing():
            return [self._db.execute(sql, values).rowcount for sql, values in changes]

    def compact(self) -> None:
        """Give the room of what was dropped back to the disk."""
        with self._reading():
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _one(self, sql: str, *values: object) -> Any:
        with self._reading():
            return self._db.execute(sql, values).fetchone()[0]

    @contextmanager
    def _wanted(self, keys: Iterable[bytes]) -> Iterator[None]:
        """Hold keys in a temporary table, so that one statement serves any number of them."""
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS want (key BLOB PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("BEGIN")
        try:
            self._db.executemany("INSERT OR IGNORE INTO want VALUES (?)", ((key,) for key in keys))
            yield
        finally:
            self._db.execute("DELETE FROM want")
            self._db.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite ends it by itself when the disk is full
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> LedgerError:
        return LedgerError(
            f"{self.where}: {error}. What was written before is kept: make room or fix the folder, then run again"
        )
