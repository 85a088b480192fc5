"""What the last write counted, kept in the ledger's folder: `status` shows it while nothing that decides it has changed.

What decides it is the table, the spec, the ledger with its decisions, this version of rowcite and, where evidence has a greatest
age, the day. Everything else is counted anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import cast

import msgspec

from rowcite.accept.policy import acceptance_policy
from rowcite.errors import RowciteError
from rowcite.files import write_whole
from rowcite.ledger import Ledger
from rowcite.model import Counts, RunState, decoded_counts
from rowcite.pipeline.job import Job
from rowcite.spec.fields import fields
from rowcite.table.where import names_time
from rowcite.version import __version__

FILE = "last_write.json"
_SETTLED = 2_000_000_000  # nanoseconds: a file system may give two changes within them the same time
_CHANGES = {
    "version": "rowcite was updated",
    "day": "evidence has a greatest age and it is another day",
    "spec": "the spec changed",
    "table": "the table changed",
    "decisions": "decisions were made",
    "ledger": "the ledger changed",
}


class Totals(msgspec.Struct, kw_only=True):
    """The rows of a table by status, and the runs of its ledger by state; money is micro-US$.

    `failed` was spent on failed runs. `warnings` has the number of runs with each warning of the API.
    """

    rows: Counts
    runs: dict[str, int]
    spent: int
    failed: int
    warnings: dict[str, int]


class _LastWrite(msgspec.Struct):
    """The totals of a write, its time (UTC, ISO 8601), and what decided them by the keys of `_CHANGES`."""

    at: str
    decided_by: dict[str, str]
    totals: Totals


def totals(rows: Counts, ledger: Ledger) -> Totals:
    """Return the totals of rows that were counted with a ledger; completed runs with a damaged answer are `damaged`."""
    runs = {str(state): count for state, count in ledger.state_counts().items()}
    if damaged := ledger.damaged_runs():
        completed = runs.pop(RunState.COMPLETED) - damaged
        runs = {**({str(RunState.COMPLETED): completed} if completed else {}), **runs, "damaged": damaged}
    spend = ledger.spend_by_processor()
    return Totals(
        rows=rows,
        runs=runs,
        spent=sum(item.cost for item in spend),
        failed=sum(item.failed_cost for item in spend),
        warnings=ledger.warnings(),
    )


@contextmanager
def kept(job: Job, ledger: Ledger, folder: Path, rows: Counts) -> Iterator[None]:
    """Keep the counts of the table that the block writes, unless something else changes the ledger meanwhile.

    `rows` are filled by the block.
    """
    version, began = ledger.version(), _decided_by(job)
    yield
    with suppress(RowciteError, OSError):
        if began is None or not _is_settled(job) or not ledger.settle():
            return
        found = totals(rows, ledger)
        state = ledger.stamp()
        if state is not None and ledger.version() == version:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            last = _LastWrite(at, {**began, **state}, found)
            write_whole(folder / FILE, msgspec.json.encode(last), private=True)


def last_write(job: Job, ledger: Ledger, folder: Path) -> tuple[Totals, str] | str | None:
    """Return the totals of the last write and its time; why they do not count any more, or None if there are none."""
    try:
        last = msgspec.json.decode((folder / FILE).read_bytes(), type=_LastWrite, dec_hook=decoded_counts)
    except (OSError, msgspec.DecodeError):
        return None
    decided_by, state = _decided_by(job), ledger.stamp()
    if decided_by is None or state is None:
        return None if decided_by is None else _CHANGES["ledger"]
    now = {**decided_by, **state}
    for name, change in _CHANGES.items():
        if last.decided_by.get(name) != now.get(name):
            return change
    return last.totals, last.at


def _decided_by(job: Job) -> dict[str, str] | None:
    """Return what decides the status of rows, beside the ledger; None if that cannot be compared later."""
    spec, table = job.spec, job.table
    if table is None or not table.stamp or "://" in table.address.path or table.address.path == "-":
        return None
    if names_time(spec):
        return None
    ages = acceptance_policy(fields(spec), spec.accept).reads_texts
    return {
        "version": __version__,
        "day": datetime.now(UTC).date().isoformat() if ages else "any",
        "spec": _digest(spec.model_dump_json(exclude={"limits"}).encode() + job.question.fingerprint),
        "table": _digest(repr(table.stamp).encode()),
    }


def _is_settled(job: Job) -> bool:
    """Return True if the table is as it was, and a later change would show in its times."""
    assert job.table is not None
    marks = cast("tuple[tuple[int, ...], ...]", job.table.stamp)  # after a name: device, file, size, times
    newest = max(max(part[-2:]) for part in marks)
    return job.table.is_current and time.time_ns() - newest > _SETTLED


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
