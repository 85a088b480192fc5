"""Task keys: the canonical text of an input, and the hash that identifies a task.

A stored answer is reused only for the same question, in every process, version and machine. So the hash is SHA-256
over text that only this file defines; `tests/unit/test_keys.py` pins it with vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from rowcite.model import TaskKey

KEY_BYTES = 16


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a value: UTF-8, keys sorted, no spaces, floats as Python's `repr` (since 3.1).

    Raises:
        ValueError: the value holds NaN or an infinity, which JSON does not have.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def fingerprint(question: dict[str, Any]) -> bytes:
    """Return 32 bytes that identify everything about a question except its input.

    `question` is `rowcite.api.bodies.Question.named`: API, task spec, processor, policies; no secrets and no metadata.
    """
    return sha256(b"rowcite question 1\n" + canonical(question)).digest()


def task_key(question: bytes, task_input: bytes) -> TaskKey:
    """Return the 16 bytes that identify one task: a question's fingerprint and a canonical input."""
    return TaskKey(sha256(question + task_input).digest()[:KEY_BYTES])


def task_keys(question: bytes, task_inputs: Iterable[bytes]) -> list[TaskKey]:
    """Return the keys of many tasks of one question."""
    begun = sha256(question)
    keys = []
    for task_input in task_inputs:
        named = begun.copy()
        named.update(task_input)
        keys.append(TaskKey(named.digest()[:KEY_BYTES]))
    return keys
