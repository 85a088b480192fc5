"""Tasks, batches and answers by number, for tests of the ledger itself."""

from __future__ import annotations

from typing import Any

from rowcite.ledger import Ledger
from rowcite.model import ActiveBatch, EndedRun, RunState, Task

PRICE = 7
BODY = b'{"api":"https://a.example"}'


def keyed(number: int) -> bytes:
    """Return the key of a task."""
    return number.to_bytes(16, "big")


def task(number: int, **more: Any) -> Task:
    """Return the task with a number."""
    return Task(keyed(number), b'{"n":%d}' % number, **more)


def batch(ledger: Ledger, *numbers: int, group: str = "g", price: int = PRICE) -> ActiveBatch:
    """Record what a POST with these tasks will create."""
    question = ledger.record_question(b"f", BODY)
    return ledger.record_intent(question, group, [task(n) for n in numbers], processor="core", price=price)


def done(number: int, output: bytes = b'{"content":1}', **more: Any) -> EndedRun:
    """Return the answer to a task."""
    return EndedRun(keyed(number), f"run-{number}", RunState.COMPLETED, output, **more)
