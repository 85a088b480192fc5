"""The whole ledger, run by run or summed up: for reports and for maintenance."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from rowcite.errors import LedgerError
from rowcite.ledger import queries
from rowcite.ledger.store import Store
from rowcite.ledger.stored_answers import intact
from rowcite.model import Packing, RunState, Spend


class RunRecord(NamedTuple):
    """A run with all that belongs to it. `price` is micro-US$, times are Unix seconds, `question` and `warnings` are JSON.

    `number` is the ledger's own id, `pack` that of the run in which a packed row was sent. The output of a damaged answer is None.
    """

    run_id: str | None
    group_id: str
    key: bytes
    state: str
    input: bytes
    output: bytes | None
    processor: str
    price: int
    sent_at: float
    ended_at: float | None
    error: str | None
    ref_id: str | None
    warnings: str | None
    question: str
    number: int
    pack: int | None
    damaged: bool


def _record(row: tuple[Any, ...]) -> RunRecord:
    *values, checksum = row
    run = RunRecord._make((*values, False))
    if run.output is None:
        return run
    output = intact(run.number, run.output, checksum)
    return run._replace(output=output, damaged=output is None)


class IntervalCounts(NamedTuple):
    """The runs that ended in one interval of time: with an answer, and without one."""

    answered: int
    failed: int


_LAST = 2**63 - 1
_NOT_WRITTEN = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR_WRITE: errno.EIO}
"""The errors of a copy, which are not the ledger's."""


class History(Store):
    """Queries over all runs, and the deletion of answers that are not needed any more."""

    # --- for reports ---------------------------------------------------------------------------------

    def spend_by_processor(self) -> list[Spend]:
        """Return the runs created on each processor, in the order of their first runs."""
        return [Spend(*row) for row in self._each(queries.SPEND, {"failed": RunState.FAILED})]

    def packing(self) -> Packing:
        """Return what was saved by sending several rows in a run."""
        (row,) = self._each(queries.PACKING, {"lost": RunState.LOST})
        return Packing(*row)

    def batch_times(self) -> list[tuple[float, float]]:
        """Return when each batch was sent and when its last run ended, in the order of sending."""
        return [(sent_at, ended_at) for sent_at, ended_at in self._each(queries.BATCH_TIMES)]

    def sent_by_interval(self, start: float, end: float, width: float) -> dict[int, int]:
        """Return the number of runs sent in each interval of `width` seconds from `start`, by its number from 0."""
        times = {"start": start, "end": end, "width": width}
        return dict(self._each(queries.SENT_BY_INTERVAL, times))

    def ended_by_interval(self, start: float, end: float, width: float) -> dict[int, IntervalCounts]:
        """Return the number of runs ended in each interval of `width` seconds from `start`, by its number from 0."""
        times = {"start": start, "end": end, "width": width}
        rows = self._each(queries.ENDED_BY_INTERVAL, times)
        return {number: IntervalCounts(answered, failed) for number, answered, failed in rows}

    def answered_before(self, sent_at: float) -> set[bytes]:
        """Return the keys of tasks with an answer to a run that was sent before a time."""
        return {key for (key,) in self._each(queries.ANSWERED_BEFORE, (sent_at,))}

    # --- for counts that are kept --------------------------------------------------------------------

    def version(self) -> int:
        """Return a number that changes when another connection changes the ledger."""
        return int(self._one("PRAGMA data_version"))

    def settle(self) -> bool:
        """Move what is in SQLite's log into the file; return False if another connection needs the log."""
        with self._reading():
            self._db.execute("PRAGMA busy_timeout = 0")
            blocked, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._db.execute("PRAGMA busy_timeout = 30000")
        return not blocked

    def stamp(self) -> dict[str, str] | None:
        """Return what identifies the state of the ledger, and of its decisions; None while changes are in SQLite's log."""
        file = Path(self.where)
        try:
            log = file.with_name(f"{file.name}-wal")
            if log.exists() and log.stat().st_size:
                return None
            found = file.stat()
        except OSError:
            return None
        ids = [int(self._one(f"SELECT coalesce(max(id), 0) FROM {table}")) for table in ("run", "command")]
        marks = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        decisions = str(self._one("SELECT coalesce(max(id), 0) FROM decision"))
        return {"ledger": repr((*marks, *ids)), "decisions": decisions}

    # --- for maintenance -----------------------------------------------------------------------------

    def file_faults(self) -> list[str]:
        """Return what SQLite finds wrong with the file and with its references."""
        damage = [text for (text,) in self._lines("PRAGMA integrity_check") if text != "ok"]
        orphans = [table for table, *_ in self._lines("PRAGMA foreign_key_check") if table]
        return [
            *(f"the file is damaged: {text}" for text in damage),
            *(f"a row of the table {table} refers to a row that is missing" for table in orphans),
        ]

    def _lines(self, pragma: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a check; of a check that fails, why."""
        try:
            yield from self._each(pragma)
        except LedgerError as error:
            yield (f"{error.__cause__}",)

    def records(self) -> Iterator[RunRecord]:
        """Yield every run, oldest first. A packed row follows the run that it was sent in."""
        yield from self.records_between(0, _LAST)

    def records_between(self, first: int, last: int) -> Iterator[RunRecord]:
        """Yield the runs with ids of the ledger from `first` to `last`."""
        for row in self._each(queries.RECORDS, (first, last)):
            yield _record(row)

    def delete_answers(self, *, older_than: float, damaged: bool = False) -> int:
        """Delete answers with a newer one to the same task, and those from before `older_than`; return how many.

        With `damaged`, also those whose checksum does not match.
        """
        with self._writing():
            changes = {"pruned": RunState.PRUNED, "before": older_than, "damaged": damaged}
            deleted = self._db.execute(queries.MARK_PRUNED, changes).rowcount
            self._db.execute(queries.DELETE_PRUNED_ANSWERS, {"pruned": RunState.PRUNED})
        if deleted:
            self._compact()
        return deleted

    def back_up(self, target: Path) -> None:
        """Copy the ledger to a file, as it is at this moment: what another process writes meanwhile is left out.

        The copy is marked as one: restored, it does not know what happened since.

        Raises:
            OSError: the copy cannot be written, such as on a disk that is full.
        """
        with self._reading(), closing(sqlite3.connect(target)) as copy:
            try:
                self._db.backup(copy)
            except sqlite3.OperationalError as error:
                if (number := _NOT_WRITTEN.get(error.sqlite_errorcode)) is None:
                    raise
                raise OSError(number, str(error)) from error
            with copy:
                copy.execute(queries.MARK_COPY, (time.time(),))

    def _compact(self) -> None:
        """Return the space of deleted rows to the disk."""
        with self._reading():
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
