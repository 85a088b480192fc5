"""The next step of a row: the fields to retry, the next processor of `escalate`, its question and its cost. Pure.

A step asks for the rejected fields only. Accepted values are sent along with their sources, as the input `known`. The
previous run is not continued (`previous_interaction_id`): that would send the rejected values along, and tie the answer
to one run, while now every row with the same question can use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from rowcite.accept.coerce import json_text
from rowcite.accept.judge import Cell
from rowcite.accept.policy import AcceptancePolicy
from rowcite.api.bodies import LOCAL, Question
from rowcite.api.facts import TASK_AND_INPUT_CHARS
from rowcite.api.keys import canonical, exact, task_key
from rowcite.model import RowStatus, StoredRun, Task
from rowcite.rows.resolve import ResolvedRow, current

KNOWN = "known"
"""The name of the input with the values accepted so far."""


class EscalationStep(NamedTuple):
    """A processor, and the fields that it is to answer."""

    processor: str
    fields: tuple[str, ...]


def next_step(
    escalate: Sequence[str], policy: AcceptancePolicy, resolved: ResolvedRow, runs: Sequence[StoredRun]
) -> EscalationStep | None:
    """Return the next step of a row; None if no field is open, no processor is left, or a run is active.

    Processors are used in the order of `escalate`: never one that was tried, nor one before it. A row whose first run
    failed has no next step (`--retry-failed` sends it again).
    """
    if resolved.status is not RowStatus.REJECTED:
        return None
    tried = {run.processor.removeprefix(LOCAL) for run in current(runs)}
    reached = max((at for at, name in enumerate(escalate) if name in tried), default=-1)
    fields = open_fields(policy, resolved)
    if not fields or reached + 1 >= len(escalate):
        return None
    return EscalationStep(escalate[reached + 1], fields)


def open_fields(policy: AcceptancePolicy, resolved: ResolvedRow) -> tuple[str, ...]:
    """Return the fields of the next run: those rejected.

    If the spec has required fields, a row is retried only when one of them is rejected: then for every rejected field,
    since a run costs the same for one field as for ten.
    """
    rejected = [
        part for part, cell in zip(policy.fields, resolved.cells, strict=True) if cell.rejection is not None
    ]
    some_required = any(part.required for part in policy.fields)
    if some_required and not any(part.required for part in rejected):
        return ()
    return tuple(part.field.name for part in rejected)


# --- the question ---------------------------------------------------------------------------------------

_KNOWN_WORDS = "What is known already, with its sources. Build on it; do not look for it again."
_MOST_VALUE, _MOST_URLS = 500, 3  # characters and sources of a value


def narrowed(first: Question, step: EscalationStep) -> Question:
    """Return the question of a step: the first question with another processor, fewer fields, and `known` as an input.

    Build it once for each distinct step, not for each row.
    """
    named = msgspec.json.decode(msgspec.json.encode(first.named))
    spec = named["task_spec"]
    schema = spec["output_schema"].get("json_schema")
    if schema is not None:
        schema["properties"] = {
            name: part for name, part in schema["properties"].items() if name in step.fields
        }
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name in step.fields]
    if "input_schema" in spec:
        known = {"type": "string", "description": _KNOWN_WORDS}
        spec["input_schema"]["json_schema"]["properties"][KNOWN] = known
    named["processor"] = step.processor
    run = msgspec.json.decode(b"{%b}" % first.run)
    run["processor"] = step.processor
    return Question(named, msgspec.json.encode(spec), msgspec.json.encode(run)[1:-1], first.extra_metadata)


def task_of(question: Question, first: Task, known: str) -> Task:
    """Return the task of a step for one row. `first` is the row's first task, `known` comes from `known_words`.

    `known` is cut, line by line, to the length that the API allows.
    """
    given = exact(first.input)
    room = TASK_AND_INPUT_CHARS - len(question.task_spec.decode())
    lines = known.splitlines()
    while True:
        text = canonical(_with_known(given, "\n".join(lines)))
        if len(text.decode()) <= room or not lines:
            return Task(task_key(question.fingerprint, text), text, root=first.key)
        lines.pop()


def _with_known(given: Any, known: str) -> Any:
    if not known:
        return given
    if isinstance(given, dict):
        return {**given, KNOWN: known}
    return f"{given}\n\n{_KNOWN_WORDS}\n{known}"


def known_words(policy: AcceptancePolicy, resolved: ResolvedRow) -> str:
    """Return the accepted values of a row, one a line with its sources, for the next run to build on."""
    return "\n".join(
        _known_line(part.field.name, cell)
        for part, cell in zip(policy.fields, resolved.cells, strict=True)
        if cell.rejection is None and cell.value is not None
    )


def _known_line(name: str, cell: Cell) -> str:
    value = cell.value if isinstance(cell.value, str) else json_text(msgspec.to_builtins(cell.value))
    text = " ".join(value.split())
    shown = text if len(text) <= _MOST_VALUE else f"{text[:_MOST_VALUE]}..."
    urls = list(dict.fromkeys(citation.url for citation in cell.citations))[:_MOST_URLS]
    return f"{name}: {shown}" + (f" ({', '.join(urls)})" if urls else "")


# --- the cost ---------------------------------------------------------------------------------------

ASSUMED = 0.5
"""The share of answers that is expected to be retried, if the ledger has too few answers."""

_ENOUGH = 20  # answers of a processor from which its history is used
FIRST_ANSWERS = 100
"""The number of answers after which too many rejections stop a run."""


class CostForecast(NamedTuple):
    """The cost of a run with its retries, in micro-US$, and the share of each processor's answers that is retried.

    `assumed` is True if a share is not known from the ledger.
    """

    expected: int
    worst: int
    shares: tuple[float, ...]
    assumed: bool


def outlook(tasks: int, prices: Sequence[int], shares: Sequence[float | None]) -> CostForecast:
    """Return the cost of `tasks`. `prices` are those of a run on each processor, in order; `shares` of all but the last."""
    known = tuple(ASSUMED if share is None else share for share in shares[: len(prices) - 1])
    runs, expected = float(tasks), 0.0
    for price, share in zip(prices, (*known, 0.0), strict=True):
        expected += runs * price
        runs *= share
    return CostForecast(round(expected), tasks * sum(prices), known, None in shares[: len(prices) - 1])


def shares(
    processors: Sequence[str], answered: Mapping[str, int], retried: Mapping[str, int]
) -> list[float | None]:
    """Return the share of each processor's answers that was retried, None for a processor with too few answers."""
    return [
        retried.get(name, 0) / answered[name] if answered.get(name, 0) >= _ENOUGH else None
        for name in processors
    ]


def too_many(answers: int, rejected: int) -> bool:
    """Return True if more than half of the first 100 answers are to be retried."""
    return answers >= FIRST_ANSWERS and rejected * 2 > answers
