"""Maintenance of the ledger: verify it, export it to Parquet, back it up, prune it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rowcite.api.facts import MICRO
from rowcite.api.keys import fingerprint, task_key
from rowcite.api.packing import has_record
from rowcite.errors import LedgerError
from rowcite.files import atomic_write, create_private, write_errors
from rowcite.ledger import Ledger
from rowcite.ledger.history import RunRecord
from rowcite.model import RunState

_BATCH = 5_000
SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("group_id", pa.string()),
        ("task_key", pa.string()),
        ("state", pa.string()),
        ("input", pa.string()),
        ("output", pa.string()),
        ("processor", pa.string()),
        ("price_usd", pa.float64()),
        ("sent_at", pa.timestamp("ms", tz="UTC")),
        ("ended_at", pa.timestamp("ms", tz="UTC")),
        ("error", pa.string()),
        ("ref_id", pa.string()),
        ("warnings", pa.string()),
        ("question", pa.string()),
    ]
)
"""The columns of an export: one row for each run, with its output and its question as they were sent and received."""


@dataclass(slots=True)
class Verification:
    """The number of runs that were checked, and everything that is wrong with the ledger."""

    runs: int = 0
    faults: list[str] = field(default_factory=list)


def verify(ledger: Ledger) -> Verification:
    """Check the file, every key against its input and question, and every answer against its checksum."""
    found = Verification(faults=ledger.file_faults())
    checker = _Checker()
    for run in _readable(ledger, found.faults):
        found.runs += run.pack is None
        found.faults += [f"run {run.run_id or '(no id)'}: {fault}" for fault in checker.faults(run)]
    return found


_HIGHEST = 100_000_000
"""The highest id of a run that is looked for: a damaged one may be any number."""


def _readable(ledger: Ledger, faults: list[str]) -> Iterator[RunRecord]:
    """Yield the runs that can be read, and add a fault for each of the others."""
    try:
        last = min(ledger.run_count(), _HIGHEST)
    except LedgerError as error:
        faults.append(str(error))
        return
    for first in range(0, last + 1, _BATCH):
        yield from _readable_between(ledger, first, min(last, first + _BATCH - 1), faults)


def _readable_between(ledger: Ledger, first: int, last: int, faults: list[str]) -> Iterator[RunRecord]:
    try:
        found = list(ledger.records_between(first, last))
    except LedgerError as error:
        if first == last:
            faults.append(f"run number {first} cannot be read: {error.__cause__}")
            return
        middle = (first + last) // 2
        yield from _readable_between(ledger, first, middle, faults)
        yield from _readable_between(ledger, middle + 1, last, faults)
        return
    yield from found


class _Checker:
    """Checks runs in their order. It remembers questions, and the last pack, whose rows follow it."""

    def __init__(self) -> None:
        self._prints: dict[str, bytes] = {}
        self._pack: tuple[int, bytes] = (0, b"")

    def faults(self, run: RunRecord) -> Iterator[str]:
        """Yield what is wrong with a run."""
        if not self._key_matches(run):
            yield "its key does not match its input"
        answered = run.damaged or run.output is not None
        if run.state == RunState.COMPLETED and not answered:
            yield "it is completed, and its answer is missing"
        if run.state != RunState.COMPLETED and answered:
            yield f"it is {run.state}, and has an answer"
        if run.damaged:
            yield "its answer is damaged: the checksum does not match"

    def _key_matches(self, run: RunRecord) -> bool:
        try:
            if run.pack is None:
                self._pack = (run.number, _bytes(run.input))
            elif run.pack == self._pack[0] and has_record(self._pack[1], run.key, _bytes(run.input)):
                return True  # its batch has the question of the pack
            if run.question not in self._prints:
                self._prints[run.question] = fingerprint(json.loads(run.question))
            return task_key(self._prints[run.question], _bytes(run.input)) == run.key
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):  # not what was written
            return False


def export(ledger: Ledger, target: Path) -> int:
    """Write every run, and every row of a pack, to a Parquet file, whole or not at all; return the number of runs.

    A damaged answer is left out, and the run's error names it.

    Raises:
        TableError: the file cannot be written.
        Incomplete: the disk is full.
    """
    runs = 0
    with (
        write_errors(str(target)),
        atomic_write(target, private=True) as file,  # inputs are customers' records
        pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer,
    ):
        for records in _batches(ledger.records()):
            writer.write_table(pa.Table.from_pylist([_exported(run) for run in records], schema=SCHEMA))
            runs += sum(run.pack is None for run in records)
    return runs


def back_up(ledger: Ledger, target: Path) -> None:
    """Copy the ledger to a file that its owner alone can read, while others may be using it.

    Raises:
        TableError: the file exists, or cannot be written.
        Incomplete: the disk is full.
    """
    with (
        write_errors(str(target)),
        TemporaryDirectory(prefix=".rowcite-", dir=target.parent) as folder,
    ):
        copy = Path(folder) / "copy.db"
        create_private(copy)
        ledger.back_up(copy)
        target.hardlink_to(copy)  # unlike a rename, it never replaces a file


def prune(ledger: Ledger, *, older_than: float | None = None, damaged: bool = False) -> int:
    """Delete answers that a newer answer to the same task has replaced; return how many.

    With `older_than` (seconds), also every answer of that age, and with `damaged` every damaged one: those tasks are sent, and paid for, again. The spend
    stays known.
    """
    before = time.time() - older_than if older_than is not None else 0.0
    return ledger.delete_answers(older_than=before, damaged=damaged)


def _batches(records: Iterator[RunRecord]) -> Iterator[list[RunRecord]]:
    while some := list(islice(records, _BATCH)):
        yield some


def _exported(run: RunRecord) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "group_id": run.group_id,
        "task_key": run.key.hex(),
        "state": run.state,
        "input": _bytes(run.input).decode(errors="replace"),
        "output": None if run.output is None else run.output.decode(),
        "processor": run.processor,
        "price_usd": run.price / MICRO,
        "sent_at": int(run.sent_at * 1000),
        "ended_at": None if run.ended_at is None else int(run.ended_at * 1000),
        "error": "the stored answer is damaged" if run.damaged else run.error,
        "ref_id": run.ref_id,
        "warnings": run.warnings,
        "question": run.question,
    }


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value  # a text where someone edited the file
