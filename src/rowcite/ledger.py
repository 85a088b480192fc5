"""What was asked, sent, paid and answered: a SQLite file, the only state there is.

The core's only file with sqlite3. Every method that writes is one transaction, on disk when it returns.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rowcite.errors import LedgerBusy, LedgerError
from rowcite.model import RunState, Task
from rowcite.records import Ended, Held, OpenBatch

VERSION = 1
_OPEN = (RunState.INTENDED, RunState.SUBMITTED)
_FORGOTTEN = (RunState.LOST, RunState.PRUNED)  # as if never asked


class Ledger:
    """One ledger, opened. Use `open_ledger`, which makes the folder, the file and the lock."""

    def __init__(self, connection: sqlite3.Connection, lock: FileLock | None, where: str) -> None:
        self._db = connection
        self._lock = lock
        self.where = where

    def close(self) -> None:
        """Close the file and let the next process have it."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    # --- asking --------------------------------------------------------------------------------------

    def standing(self, keys: Iterable[bytes], *, since: float = 0.0) -> dict[bytes, RunState]:
        """Return where each task stands that was ever asked.

        An answer from before `since` (Unix seconds) does not count. A completed run wins over one under
        way, which wins over one that ended badly; lost runs count as never asked.
        """
        with self._reading(), self._wanted(keys):
            rows = self._db.execute(
                "SELECT run.key, run.state, run.ended_at FROM want CROSS JOIN run ON run.key = want.key"
            ).fetchall()
        best: dict[bytes, RunState] = {}
        for key, text, ended_at in rows:
            state = RunState(text)
            if state in _FORGOTTEN or (state is RunState.COMPLETED and ended_at < since):
                continue
            if key not in best or _rank(state) > _rank(best[key]):
                best[key] = state
        return best

    def held(self, keys: Iterable[bytes]) -> Iterator[Held]:
        """Yield the best run of each task that has one: the newest answer, else the newest run."""
        with self._reading(), self._wanted(keys):
            rows = self._db.execute(
                "SELECT run.key, run.state, run.run_id, run.processor, answer.output, run.error, run.ref_id, run.id"
                " FROM want CROSS JOIN run ON run.key = want.key LEFT JOIN answer ON answer.run = run.id"
                " WHERE run.state NOT IN ('lost', 'pruned') ORDER BY run.id"
            ).fetchall()
        best: dict[bytes, Held] = {}
        for *values, _ in rows:
            found = Held(values[0], RunState(values[1]), *values[2:])
            old = best.get(found.key)
            if old is None or _rank(found.state) >= _rank(old.state):
                best[found.key] = found
        yield from best.values()

    def open_batches(self) -> list[OpenBatch]:
        """Return every batch that has runs which have not ended, oldest first."""
        batches: dict[int, OpenBatch] = {}
        with self._reading():
            rows = self._db.execute(
                "SELECT batch.id, group_id, question.body, sent_at, run.key, run.input, run.state"
                " FROM batch JOIN question ON question.id = batch.question JOIN run ON run.batch = batch.id"
                " WHERE batch.id IN (SELECT batch FROM run WHERE state IN ('intended', 'submitted')) ORDER BY run.id"
            )
            for number, group_id, body, sent_at, key, text, state in rows:
                if number not in batches:
                    batches[number] = OpenBatch(
                        number, group_id, json.loads(body)["api"], sent_at, unsure=False
                    )
                batch = batches[number]
                batch.inputs[key] = text
                batch.unsure |= state == RunState.INTENDED
                if state in _OPEN:
                    batch.open.add(key)
        return list(batches.values())

    def spent(self) -> int:
        """Return the list price of every run that was, or may have been, created: micro-US$."""
        return int(
            self._one("SELECT coalesce(sum(price), 0) FROM run WHERE state NOT IN ('refused', 'lost')")
        )

    def answered_otherwise(self, fingerprint: bytes) -> int:
        """Return how many tasks are answered that belong to another question: an earlier spec, processor or API."""
        return int(
            self._one(
                "SELECT count(DISTINCT run.key) FROM run JOIN batch ON batch.id = run.batch"
                " JOIN question ON question.id = batch.question"
                " WHERE run.state = 'completed' AND question.fingerprint != ?",
                fingerprint,
            )
        )

    def counts(self) -> dict[RunState, int]:
        """Return how many runs there are in each state."""
        with self._reading():
            return {
                RunState(state): n
                for state, n in self._db.execute("SELECT state, count(*) FROM run GROUP BY state")
            }

    def warnings(self) -> dict[str, int]:
        """Return the API's warnings, each with how many runs carried it."""
        with self._reading():
            rows = self._db.execute(
                "SELECT warnings, count(*) FROM run WHERE warnings IS NOT NULL GROUP BY warnings"
            )
            told: dict[str, int] = {}
            for texts, count in rows:
                for text in json.loads(texts):
                    told[text] = told.get(text, 0) + count
        return told

    # --- writing -------------------------------------------------------------------------------------

    def question(self, fingerprint: bytes, body: bytes) -> int:
        """Record a question once; return its number."""
        with self._writing():
            self._db.execute(
                "INSERT OR IGNORE INTO question (fingerprint, body) VALUES (?, ?)",
                (fingerprint, body.decode()),
            )
        return int(self._one("SELECT id FROM question WHERE fingerprint = ?", fingerprint))

    def intend(
        self, question: int, group_id: str, tasks: Sequence[Task], *, processor: str, price: int
    ) -> OpenBatch:
        """Write down what the next POST will create, before it is sent. `price` is micro-US$ a run."""
        now = time.time()
        with self._writing():
            row = self._db.execute(
                "INSERT INTO batch (question, group_id, sent_at) VALUES (?, ?, ?) RETURNING id",
                (question, group_id, now),
            ).fetchone()
            batch = int(row[0])
            self._db.executemany(
                "INSERT INTO run (batch, key, input, state, processor, price) VALUES (?, ?, ?, 'intended', ?, ?)",
                [(batch, task.key, task.input, processor, price) for task in tasks],
            )
        api = json.loads(self._one("SELECT body FROM question WHERE id = ?", question))["api"]
        inputs: dict[bytes, bytes] = {task.key: task.input for task in tasks}
        return OpenBatch(batch, group_id, api, now, unsure=True, inputs=inputs, open=set(inputs))

    def sending(self, batch: OpenBatch) -> None:
        """Write down that the POST of a batch goes out now: its runs may come to light some time after."""
        batch.sent_at = time.time()
        with self._writing():
            self._db.execute("UPDATE batch SET sent_at = ? WHERE id = ?", (batch.sent_at, batch.id))

    def answered(self, batch: int, run_ids: Sequence[str]) -> None:
        """Write down that the POST was answered: these runs of the batch exist, in some order."""
        with self._writing():
            self._db.execute("UPDATE batch SET run_ids = ? WHERE id = ?", (json.dumps(run_ids), batch))
            if self._db.execute("SELECT count(*) FROM run WHERE batch = ?", (batch,)).fetchone()[0] == len(
                run_ids
            ):
                self._db.execute(
                    "UPDATE run SET state = 'submitted' WHERE batch = ? AND state = 'intended'", (batch,)
                )

    def sent(self, batch: int) -> None:
        """Write down that every run of a batch was found to exist."""
        with self._writing():
            self._db.execute(
                "UPDATE run SET state = 'submitted' WHERE batch = ? AND state = 'intended'", (batch,)
            )

    def seen(self, batch: int, runs: Iterable[tuple[bytes, str]]) -> None:
        """Write down runs (key, run id) that were found to exist."""
        with self._writing():
            self._db.executemany(
                "UPDATE run SET run_id = ?, state = 'submitted'"
                " WHERE batch = ? AND key = ? AND state IN ('intended', 'submitted')",
                [(run_id, batch, key) for key, run_id in runs],
            )

    def uncreated(self, batch: int, keys: Iterable[bytes]) -> None:
        """Forget intents that are known to have created nothing.

        Beside runs that do exist they stay, as lost: should one turn up later after all, it is known whose it is.
        """
        with self._writing():
            self._db.executemany(
                "UPDATE run SET state = 'lost' WHERE batch = ? AND key = ? AND state = 'intended'",
                [(batch, key) for key in keys],
            )
            self._db.execute(
                "DELETE FROM run WHERE batch = :batch"
                " AND NOT EXISTS (SELECT 1 FROM run WHERE batch = :batch AND state != 'lost')",
                {"batch": batch},
            )

    def refused(self, batch: int, key: bytes, error: str, ref_id: str | None) -> None:
        """Write down that the API would not take a task; it cost nothing."""
        with self._writing():
            self._db.execute(
                "UPDATE run SET state = 'refused', error = ?, ref_id = ?, ended_at = ?"
                " WHERE batch = ? AND key = ? AND state = 'intended'",
                (error, ref_id, time.time(), batch, key),
            )

    def lost(self, batch: int) -> None:
        """Write down that the local server which had a batch is gone, with what it had not answered."""
        with self._writing():
            self._db.execute(
                "UPDATE run SET state = 'lost' WHERE batch = ? AND state IN ('intended', 'submitted')",
                (batch,),
            )

    def save(self, batch: int, ended: Sequence[Ended]) -> None:
        """Write down how runs ended, with their answers. Saving a run again changes nothing."""
        now = time.time()
        with self._writing():
            self._db.executemany(
                "INSERT OR IGNORE INTO answer (run, output)"
                " SELECT id, ? FROM run WHERE batch = ? AND key = ? AND state IN ('intended', 'submitted')",
                [(item.output, batch, item.key) for item in ended if item.output is not None],
            )
            self._db.executemany(
                "UPDATE run SET run_id = ?, state = ?, ended_at = ?, error = ?, ref_id = ?, warnings = ?"
                " WHERE batch = ? AND key = ? AND state IN ('intended', 'submitted')",
                [
                    (
                        item.run_id,
                        item.state,
                        now,
                        item.error,
                        item.ref_id,
                        json.dumps(item.warnings, ensure_ascii=False) if item.warnings else None,
                        batch,
                        item.key,
                    )
                    for item in ended
                ],
            )

    # --- care ----------------------------------------------------------------------------------------

    def each(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query one by one; for `rowcite.care`."""
        with self._reading():
            yield from self._db.execute(sql, values)

    def apply(self, *changes: tuple[str, tuple[object, ...]]) -> list[int]:
        """Make changes, all or none; return how many rows each touched. For `rowcite.care`."""
        with self._writing():
            return [self._db.execute(sql, values).rowcount for sql, values in changes]

    def compact(self) -> None:
        """Give the room of what was dropped back to the disk."""
        with self._reading():
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # --- inside --------------------------------------------------------------------------------------

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


def _rank(state: RunState) -> int:
    if state is RunState.COMPLETED:
        return 2
    return 1 if state in _OPEN else 0


def open_ledger(folder: Path, *, writing: bool, wait: float = 0.0) -> Ledger:
    """Open the ledger in a folder.

    For writing, the folder and file are made if need be and this process has the ledger alone: another one that
    has it is waited for so many seconds. For reading, a ledger that is not there is an empty one and nothing is made.

    Raises:
        LedgerBusy: another process has it open for writing.
        LedgerError: it cannot be opened, or was made by a newer rowcite.
    """
    file = folder / "ledger.db"
    if not writing:
        return Ledger(_connect(str(file) if file.exists() else ":memory:", str(file)), None, str(file))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=wait, mode=0o600)
        lock.acquire()
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except Timeout:
        raise LedgerBusy(
            f"{folder}: another rowcite is working on this ledger. Wait for it, then run again (--wait-lock waits for you)"
        ) from None
    except OSError as error:
        raise LedgerError(f"{folder}: cannot open the ledger: {error.strerror or error}") from error
    try:
        return Ledger(_connect(str(file), str(file)), lock, str(file))
    except BaseException:
        lock.release()
        raise


def _connect(target: str, shown: str) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(target, isolation_level=None, timeout=30, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            script = files("rowcite").joinpath("ledger.sql").read_text(encoding="utf-8")
            db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {VERSION};\nCOMMIT;")
    except sqlite3.Error as error:
        raise LedgerError(f"{shown}: cannot open the ledger: {error}") from error
    if version > VERSION:
        raise LedgerError(f"{shown}: made by a newer rowcite (ledger version {version}). Upgrade rowcite")
    return db
