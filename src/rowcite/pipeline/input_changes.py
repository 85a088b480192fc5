"""The input may change while a command runs: its end reads the table as it is then, under the same header."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rowcite.errors import InputError, TableChanged
from rowcite.pipeline.job import Job

_ATTEMPTS = 3
T = TypeVar("T")


def with_table_of_now(job: Job, read: Callable[[Job], T]) -> T:
    """Return what `read` returns for the table as it is now. It is called again if the table changes meanwhile.

    `read` calls `check_unchanged` before its output appears.

    Raises:
        TableChanged: the table has another header than when the command began, cannot be read, or keeps changing.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        now = job.now()
        try:
            return read(now)
        except TableChanged:
            if attempt == _ATTEMPTS:
                raise
        except InputError as error:
            if not has_changed(job):
                raise
            if attempt == _ATTEMPTS:
                raise TableChanged(f"the table changed while this command was running: {error}") from error
    raise AssertionError  # the last attempt returns or raises


def check_unchanged(job: Job) -> None:
    """Raise TableChanged if the table has changed since the job began to read it."""
    if job.table is not None and not job.table.is_current:
        raise TableChanged(
            f"{job.table.name}: the table changed while it was read. Run again when no other program writes to it"
        )


def has_changed(job: Job) -> bool:
    """Return True if the table is not the one that the job reads, or cannot be read any more."""
    try:
        now = job.now()
    except TableChanged:
        return True
    return has_other_rows(job, now)


def has_other_rows(job: Job, now: Job) -> bool:
    """Return True if the table of now has other bytes than when the job began."""
    return job.table is not None and now.table is not None and not now.table.has_bytes_of(job.table)
