"""The ladder of processors: which values of a row are still open, who is asked next, and what is asked. Pure.

A step asks for the open fields only. What is known already goes along with its sources, as the input `known`. The run
before is not continued (`previous_interaction_id`): it would bring the refused values along, and tie the answer to one
run where now every row with the same question can use it.
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
from rowcite.api.keys import canonical, task_key
from rowcite.model import RowStatus, StoredRun, Task
from rowcite.rows.resolve import ResolvedRow, current

KNOWN = "known"
"""The input that holds the values found by earlier runs."""


class EscalationStep(NamedTuple):
    """Who is asked next about a row, and for which fields."""

    processor: str
    fields: tuple[str, ...]


def next_step(
    escalate: Sequence[str], policy: AcceptancePolicy, resolved: ResolvedRow, runs: Sequence[StoredRun]
) -> EscalationStep | None:
    """Return the next step for a row, None when nothing is open, nobody is left, or a run is under way.

    The ladder is only escalation_counts: never a processor that was tried, nor one before it in the list. A row whose first
    question failed is not on it (`--retry-failed` asks it again).
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
    """Return the fields that a next run is asked for: those refused.

    Where the spec has required fields, a row is asked again only when one of them is open: then for every open one,
    since a run costs the same for one field as for ten.
    """
    refused = [
        part for part, cell in zip(policy.fields, resolved.cells, strict=True) if cell.refused is not None
    ]
    some_required = any(part.required for part in policy.fields)
    if some_required and not any(part.required for part in refused):
        return ()
    return tuple(part.field.name for part in refused)


# --- what is asked ---------------------------------------------------------------------------------------

_KNOWN_WORDS = "What is known already, with its sources. Build on it; do not look for it again."
_MOST_VALUE, _MOST_URLS = 500, 3  # characters of a value, sources of it


def narrowed(asked: Question, step: EscalationStep) -> Question:
    """Return the question of a step: a row's question for other hands and fewer fields, and with `known` as an input.

    One for each distinct step, not for each row: keep it.
    """
    named = msgspec.json.decode(msgspec.json.encode(asked.named))
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
    run = msgspec.json.decode(b"{%b}" % asked.run)
    run["processor"] = step.processor
    return Question(named, msgspec.json.encode(spec), msgspec.json.encode(run)[1:-1], asked.extra_metadata)


def task_of(question: Question, first: Task, known: str) -> Task:
    """Return the task of a step for one row. `first` is the row's first task, `known` is of `known_words`.

    As much of `known` goes along as the API takes beside the rest.
    """
    given = msgspec.json.decode(first.input)
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
    """Return what is known of a row for the next run to build on: a line for each value that counts, with its sources."""
    return "\n".join(
        _known_line(part.field.name, cell)
        for part, cell in zip(policy.fields, resolved.cells, strict=True)
        if cell.refused is None and cell.value is not None
    )


def _known_line(name: str, cell: Cell) -> str:
    value = cell.value if isinstance(cell.value, str) else json_text(msgspec.to_builtins(cell.value))
    text = " ".join(value.split())
    shown = text if len(text) <= _MOST_VALUE else f"{text[:_MOST_VALUE]}..."
    urls = list(dict.fromkeys(citation.url for citation in cell.citations))[:_MOST_URLS]
    return f"{name}: {shown}" + (f" ({', '.join(urls)})" if urls else "")


# --- what it costs ---------------------------------------------------------------------------------------

ASSUMED = 0.5
"""The share of answers that goes on where the ledger knows of none: above it a run stops and asks."""

_ENOUGH = 20  # answers of a processor, to go by its history
FIRST_ANSWERS = 100
"""After so many answers it shows whether the ladder is escalation_counts too often."""


class CostForecast(NamedTuple):
    """What a ladder may cost, in micro-US$, and the share of answers that is expected to go on from each rung.

    `assumed` says that a share is not known from the ledger.
    """

    expected: int
    worst: int
    shares: tuple[float, ...]
    assumed: bool


def outlook(tasks: int, prices: Sequence[int], shares: Sequence[float | None]) -> CostForecast:
    """Return what so many tasks cost: `prices` of each rung's run, the first question's first; `shares` of all but the last."""
    known = tuple(ASSUMED if share is None else share for share in shares[: len(prices) - 1])
    going, expected = float(tasks), 0.0
    for price, share in zip(prices, (*known, 0.0), strict=True):
        expected += going * price
        going *= share
    return CostForecast(round(expected), tasks * sum(prices), known, None in shares[: len(prices) - 1])


def shares(
    ladder: Sequence[str], answered: Mapping[str, int], went_open: Mapping[str, int]
) -> list[float | None]:
    """Return for each rung which share of its answers left a field open; None where there are too few to say."""
    return [
        went_open.get(name, 0) / answered[name] if answered.get(name, 0) >= _ENOUGH else None
        for name in ladder
    ]


def too_many(answers: int, left_open: int) -> bool:
    """Tell whether to stop and ask: more than half of the first 100 answers would be asked again."""
    return answers >= FIRST_ANSWERS and left_open * 2 > answers
