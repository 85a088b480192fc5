"""What people decided about cells: a value accepted, rejected or corrected. Pure.

A decision to accept or reject is about one value: with `value` it stays bound to it, whatever later runs say.
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
"""The rule that refuses a value which a person rejected."""


def decided_value(part: FieldPolicy, decision: Decision) -> Any:
    """Return the value of a decision as its field's type; None when it has none, or none of the type."""
    return coerce_or_none(json.loads(decision.value), part.field.type) if decision.value is not None else None


def unless_rejected(part: FieldPolicy, cell: Cell, decision: Decision | None) -> Cell:
    """Return what a run said of a field, refused when a person rejected it."""
    if decision is None or decision.verdict != "reject" or cell.value is None:
        return cell
    if decision.value is not None and decided_value(part, decision) != cell.value:
        return cell
    why = f"rejected by {decision.who}" + (f": {decision.note}" if decision.note else "")
    return msgspec.structs.replace(cell, value=None, rule=REVIEW, refused=why)


def decided(part: FieldPolicy, cells: Sequence[Cell], decision: Decision | None) -> Cell:
    """Return a field's cell as a person decided it. `cells` has the one that would stand, then what each run said."""
    if decision is None or decision.verdict == "reject":
        return cells[0]
    if decision.verdict == "accept":
        return _accepted(part, cells, decision)
    said = json.loads(decision.value) if decision.value is not None else None
    try:
        value = coerce(said, part.field.type, frozenset())
    except CoercionError as error:  # the spec's type is another now
        return Cell(None, REVIEWED, reasoning=decision.note, refused=str(error), rule="type", said=said)
    return Cell(value, REVIEWED, reasoning=decision.note, said=said)


def _accepted(part: FieldPolicy, cells: Sequence[Cell], decision: Decision) -> Cell:
    """Let a value count that a person accepted, with the evidence that it came with."""
    wanted = decided_value(part, decision) if decision.value is not None else _meant(part, cells[0])
    source = next((cell for cell in cells if _meant(part, cell) == wanted), Cell(None))
    return msgspec.structs.replace(source, value=wanted, confidence=REVIEWED, refused=None, rule=None)


def _meant(part: FieldPolicy, cell: Cell) -> Any:
    """Return a cell's value as its type, also one that was refused."""
    if cell.refused is None:
        return cell.value
    try:
        return coerce(cell.said, part.field.type, part.nulls)
    except CoercionError:
        return None
