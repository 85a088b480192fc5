"""One row under one policy, resolved from stored answers exactly as a run would resolve it. Pure.

Every ladder is resolved from answers to the whole question, cut to the fields that a later processor would be sent. A real
ladder sends the open fields only, with the accepted values as an input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from rowcite.accept.policy import AcceptancePolicy
from rowcite.api.answers import answer
from rowcite.model import RunState, StoredRun
from rowcite.pipeline.next_step import next_step
from rowcite.rows.resolve import ResolvedRow, resolve


class Simulated(NamedTuple):
    """A row under a policy, and the processors that answered for it."""

    row: ResolvedRow
    processors: tuple[str, ...]


def simulate(
    runs: Mapping[str, StoredRun], ladder: Sequence[str], accept: AcceptancePolicy, day: date
) -> Simulated | None:
    """Return a row under a ladder and an acceptance policy; None if an answer that it needs is not stored.

    `runs` are the row's runs by processor, each for the whole question.
    """
    if (first := runs.get(ladder[0])) is None:
        return None
    made, used = [first], [ladder[0]]
    resolved = resolve(made, accept, day)
    while (step := next_step(ladder[1:], accept, resolved, made)) is not None:
        if (more := runs.get(step.processor)) is None:
            return None
        made.append(_retry(more, first, step.fields, len(made)))
        used.append(step.processor)
        resolved = resolve(made, accept, day)
    return Simulated(resolved, tuple(used))


def _retry(run: StoredRun, first: StoredRun, fields: Sequence[str], number: int) -> StoredRun:
    """Return a run as the escalation of another: only the fields that were open."""
    output = None
    if run.state is RunState.COMPLETED and run.output is not None:
        output = _narrowed(run, fields)
    return run._replace(key=first.key, first=False, number=first.number + number, output=output)


def _narrowed(run: StoredRun, fields: Sequence[str]) -> bytes:
    try:
        read = answer(run.run_id or "", run.processor, run.output or b"")
    except ValueError:
        return run.output or b""
    if not isinstance(read.content, dict):
        return run.output or b""
    content: dict[str, Any] = {name: read.content.get(name) for name in fields}
    basis = [item for item in read.basis if item.field.partition(".")[0] in fields]
    return msgspec.json.encode({"type": "json", "content": content, "basis": basis})
