"""One open ledger file: its transactions, and SQLite's errors translated in one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock

from rowcite.errors import LedgerError

TRANSACTION = Lock()
"""Held while a ledger is changed: a process that a signal ends by force waits for it."""


class Store:
    """The connection, and how reads and writes use it."""

    def __init__(
        self, connection: sqlite3.Connection, lock: FileLock | None, where: str, command: int | None = None
    ) -> None:
        self._db = connection
        self._lock = lock
        self.where = where
        self._command = command  # this command's number, if it may submit
        self.file_id = _identity(where)
        self._damaged_numbers: set[int] = set()  # the runs whose answers were read and are damaged

    def close(self) -> None:
        """Close the file and release its lock."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def _each(self, sql: str, values: Any = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query one by one."""
        with self._reading():
            yield from self._db.execute(sql, values)

    def _one(self, sql: str, *values: object) -> Any:
        """Return the first value of the first row of a query."""
        with self._reading():
            return self._db.execute(sql, values).fetchone()[0]

    @contextmanager
    def _wanted(self, keys: Iterable[bytes]) -> Iterator[None]:
        """Keep keys in the temporary table `wanted`, so that one statement serves any number of them.

        They stay in their order, in which the ledger has most of them too: each page of it is then read once.
        """
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (key BLOB NOT NULL)")
        self._db.execute("BEGIN")
        try:
            self._db.executemany("INSERT INTO wanted VALUES (?)", zip(dict.fromkeys(keys)))
            yield
        finally:
            self._db.execute("DELETE FROM wanted")
            self._db.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error
        except (KeyError, TypeError, ValueError) as error:  # a damaged value: no state, no JSON, no text
            raise self._damaged(f"unexpected value {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Make a block one transaction: on disk at its end, undone when it raises."""
        with TRANSACTION:
            yield from self._transaction()

    def _transaction(self) -> Iterator[None]:
        self._check_file()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
                self._check_file()
            finally:
                if self._db.in_transaction:  # not after COMMIT, nor if a full disk made SQLite end it
                    self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._explained(error) from error

    @property
    def _this_command(self) -> dict[str, int | None]:
        return {"command": self._command}

    def _check_owner(self) -> None:
        """Return if no later command has begun with this ledger. Call it in a transaction.

        The lock file alone does not show that: it can be deleted, or be on a file system that does not share locks.

        Raises:
            LedgerError: a later command has the ledger. It continues with every run that is recorded here.
        """
        if self._command is None:
            return
        if self._db.execute("SELECT max(id) FROM command").fetchone()[0] != self._command:
            raise LedgerError(
                f"{self.where}: another rowcite has begun to use this ledger, although this command has its lock: it continues"
                " this work, and this command stopped. Use a ledger from one host at a time, on a local disk"
            )

    def _check_file(self) -> None:
        """Raise LedgerError if the file is gone: SQLite would keep writing to a file that nothing can read again."""
        if self.file_id is not None and _identity(self.where) != self.file_id:
            raise LedgerError(
                f"{self.where}: the ledger was deleted or replaced while this command was using it. Put it back, or run again"
                " with a new ledger: what was submitted is then requested and paid for again"
            )

    def _explained(self, error: sqlite3.Error) -> LedgerError:
        if not isinstance(error, sqlite3.OperationalError):
            return self._damaged(str(error))
        return LedgerError(
            f"{self.where}: {error}. Everything written before is kept: free disk space or repair the folder, then run again"
        )

    def _damaged(self, why: str) -> LedgerError:
        return LedgerError(
            f"{self.where}: the ledger is damaged: {why}. `rowcite ledger verify SPEC` lists the damage. Restore a copy of"
            " the ledger folder; what was answered after that copy is forgotten"
        )


def _identity(where: str) -> tuple[int, int] | None:
    try:
        found = Path(where).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
