"""Maintenance of the ledger: verify it, export it to Parquet, prune it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rowcite.api.facts import MICRO
from rowcite.api.keys import fingerprint, task_key
from rowcite.files import atomic_write, write_errors
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
    """Check the file, every key against its input and question, and every completed run's answer."""
    found = Verification(faults=ledger.file_faults())
    prints: dict[str, bytes] = {}
    for run in ledger.records():
        found.runs += 1
        if run.question not in prints:
            prints[run.question] = fingerprint(json.loads(run.question))
        found.faults += [f"run {run.run_id or '(no id)'}: {fault}" for fault in _faults(run, prints)]
    return found


def _faults(run: RunRecord, prints: dict[str, bytes]) -> Iterator[str]:
    if task_key(prints[run.question], _bytes(run.input)) != run.key:
        yield "its key does not match its input"
    if run.state == RunState.COMPLETED and run.output is None:
        yield "it is completed, and its answer is missing"
    if run.state != RunState.COMPLETED and run.output is not None:
        yield f"it is {run.state}, and has an answer"
    if run.output is not None and not _is_json(run.output):
        yield "its answer is not JSON"


def export(ledger: Ledger, target: Path) -> int:
    """Write every run to a Parquet file, whole or not at all; return the number of runs.

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
            runs += len(records)
    return runs


def prune(ledger: Ledger, *, older_than: float | None = None) -> int:
    """Delete answers that a newer answer to the same task has replaced; return how many.

    With `older_than` (seconds), also every answer of that age: those tasks are sent, and paid for, again. The spend
    stays known.
    """
    return ledger.delete_answers(older_than=time.time() - older_than if older_than is not None else 0.0)


def _batches(records: Iterator[RunRecord]) -> Iterator[list[RunRecord]]:
    while some := list(islice(records, _BATCH)):
        yield some


def _exported(run: RunRecord) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "group_id": run.group_id,
        "task_key": run.key.hex(),
        "state": run.state,
        "input": _bytes(run.input).decode(),
        "output": None if run.output is None else _bytes(run.output).decode(),
        "processor": run.processor,
        "price_usd": run.price / MICRO,
        "sent_at": int(run.sent_at * 1000),
        "ended_at": None if run.ended_at is None else int(run.ended_at * 1000),
        "error": run.error,
        "ref_id": run.ref_id,
        "warnings": run.warnings,
        "question": run.question,
    }


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value  # a text where someone edited the file


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
