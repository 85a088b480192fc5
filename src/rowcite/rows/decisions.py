"""People's decisions about cells: a value accepted, rejected or corrected. Pure.

A decision to accept or reject is about one value: with `value` it applies to that value alone, also after later runs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from rowcite.accept.coerce import CoercionError, coerce
from rowcite.accept.judge import Cell
from rowcite.accept.policy import FieldPolicy
from rowcite.model import Decision
from rowcite.rows.given import coerce_or_none

REVIEWED = "reviewed"
"""The confidence of a value that a person accepted or set."""

REVIEW = "review"
"""The rule of a value that a person rejected."""


def decided_value(part: FieldPolicy, decision: Decision) -> Any:
    """Return the value of a decision as its field's type; None without a value, or if it is of another type."""
    return coerce_or_none(json.loads(decision.value), part.field.type) if decision.value is not None else None


def unless_rejected(part: FieldPolicy, cell: Cell, decision: Decision | None) -> Cell:
    """Return a run's cell, with its value rejected if a person rejected it."""
    if decision is None or decision.verdict != "reject" or cell.value is None:
        return cell
    if decision.value is not None and decided_value(part, decision) != cell.value:
        return cell
    reason = f"rejected by {decision.who}" + (f": {decision.note}" if decision.note else "")
    return msgspec.structs.replace(cell, value=None, rule=REVIEW, rejection=reason)


def decided(part: FieldPolicy, cells: Sequence[Cell], decision: Decision | None) -> Cell:
    """Return a field's cell as a person decided it. `cells` has the resolved cell first, then the cell of each run."""
    if decision is None or decision.verdict == "reject":
        return cells[0]
    if decision.verdict == "accept":
        return _accepted(part, cells, decision)
    found = json.loads(decision.value) if decision.value is not None else None
    try:
        value = coerce(found, part.field.type, frozenset())
    except CoercionError as error:  # the spec's type has changed since the decision
        return Cell(None, REVIEWED, reasoning=decision.note, rejection=str(error), rule="type", found=found)
    return Cell(value, REVIEWED, reasoning=decision.note, found=found)


def _accepted(part: FieldPolicy, cells: Sequence[Cell], decision: Decision) -> Cell:
    """Return the cell with the value that a person accepted, and its evidence."""
    wanted = decided_value(part, decision) if decision.value is not None else _typed(part, cells[0])
    source = next((cell for cell in cells if _typed(part, cell) == wanted), Cell(None))
    return msgspec.structs.replace(source, value=wanted, confidence=REVIEWED, rejection=None, rule=None)


def _typed(part: FieldPolicy, cell: Cell) -> Any:
    """Return a cell's value as its type, also if it was rejected."""
    if cell.rejection is None:
        return cell.value
    try:
        return coerce(cell.found, part.field.type, part.nulls)
    except CoercionError:
        return None
