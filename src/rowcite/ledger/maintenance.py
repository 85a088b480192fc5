"""Care of the ledger: is it whole, out of it into Parquet, and what is not needed any more dropped."""

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

_BATCH = 5_000
_CHAIN = (
    "SELECT run.run_id, batch.group_id, run.key, run.state, input.input, answer.output, batch.processor, run.price,"
    " batch.sent_at, run.ended_at, run.error, run.ref_id, run.warnings, question.body"
    " FROM run JOIN input ON input.run = run.id JOIN batch ON batch.id = run.batch"
    " JOIN question ON question.id = batch.question"
    " LEFT JOIN answer ON answer.run = run.id ORDER BY run.id"
)
_DROP = (
    "UPDATE run SET state = 'pruned' WHERE state = 'completed' AND (ended_at < ? OR EXISTS ("
    "SELECT 1 FROM run AS newer WHERE newer.key = run.key AND newer.id > run.id AND newer.state = 'completed'))"
)
_EMPTY = "DELETE FROM answer WHERE run IN (SELECT id FROM run WHERE state = 'pruned')"
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
"""The chain of record: one row a run, the output with its basis as it came, the question as it was fingerprinted."""


@dataclass(slots=True)
class Verdict:
    """What a check of a ledger found: how many runs were looked at, and what is wrong."""

    runs: int = 0
    faults: list[str] = field(default_factory=list)


def verify(ledger: Ledger) -> Verdict:
    """Check a ledger: the file itself, every key against its input and question, every completed run's answer."""
    verdict = Verdict()
    verdict.faults += [
        f"the file is damaged: {text}" for (text,) in ledger.each("PRAGMA integrity_check") if text != "ok"
    ]
    verdict.faults += [
        f"{table} has a row that belongs to nothing" for table, *_ in ledger.each("PRAGMA foreign_key_check")
    ]
    prints: dict[str, bytes] = {}
    for run_id, _, key, state, text, output, *_, body in ledger.each(_CHAIN):
        verdict.runs += 1
        name = f"run {run_id or '(no id)'}"
        if body not in prints:
            prints[body] = fingerprint(json.loads(body))
        if task_key(prints[body], _bytes(text)) != key:
            verdict.faults.append(f"{name}: its key is not that of its input")
        if (state == "completed") != (output is not None):
            verdict.faults.append(
                f"{name}: {state}, and {'an' if output is not None else 'no'} answer is there"
            )
        if output is not None and not _is_json(output):
            verdict.faults.append(f"{name}: its answer is no JSON")
    return verdict


def export(ledger: Ledger, target: Path) -> int:
    """Write the chain of record to a Parquet file, whole or not at all; return how many runs it holds.

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
        for rows in _batches(ledger.each(_CHAIN)):
            writer.write_table(pa.Table.from_pylist([_exported(row) for row in rows], schema=SCHEMA))
            runs += len(rows)
    return runs


def prune(ledger: Ledger, *, older_than: float | None = None) -> int:
    """Drop answers that a newer answer to the same task has replaced; return how many.

    With `older_than` (seconds), also every answer of that age: those tasks are asked, and paid for, again. What was
    spent stays known.
    """
    limit = time.time() - older_than if older_than is not None else 0.0
    dropped, _ = ledger.apply((_DROP, (limit,)), (_EMPTY, ()))
    if dropped:
        ledger.compact()
    return dropped


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while some := list(islice(rows, _BATCH)):
        yield some


def _exported(row: tuple[Any, ...]) -> dict[str, Any]:
    values: dict[str, Any] = dict(zip(SCHEMA.names, row, strict=True))
    values["task_key"] = bytes(row[2]).hex()
    values["price_usd"] = row[7] / MICRO
    for name in ("sent_at", "ended_at"):
        values[name] = None if values[name] is None else int(values[name] * 1000)
    for name in ("input", "output"):
        values[name] = None if values[name] is None else bytes(values[name]).decode()
    return values


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
