"""People's decisions about cells: a value accepted, rejected or corrected, or a cell left blank. Pure.

A decision is about the answer that the cell had. When the cell has another answer, a decision to accept, to reject or to leave
blank is set aside: it has no effect. A correction stays, because the value is the person's own.
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
from rowcite.rows.given import GIVEN, coerce_or_none
from rowcite.spec.fields import FieldType

REVIEWED = "reviewed"
"""The confidence of a value that a person accepted or set."""

REVIEW = "review"
"""The rule of a value that a person rejected."""


BLANK = "blank"
"""The verdict of a cell that a person left blank: there is nothing to find."""


def made_on(decision: Decision) -> str | None:
    """Return the answer that a decision was made on, as JSON; None if that is not known."""
    if decision.answer is not None or decision.verdict not in ("accept", "reject"):
        return decision.answer
    return decision.value


def answer_changed(decision: Decision, kind: FieldType, cells: Sequence[Cell]) -> bool:
    """Return True if a cell has answers, and none of them is the one that the decision was made on.

    `cells` are the cell's present answers, one for each run that counts, and the value given in the table.
    """
    text = made_on(decision)
    if text is None or not cells:
        return False
    return as_type(json.loads(text), kind) not in [present_answer(cell, kind) for cell in cells]


def present_answer(cell: Cell, kind: FieldType) -> Any:
    """Return the value of a cell, also of one that was rejected, as its field's type."""
    return as_type(cell.value if cell.rejection is None else cell.found, kind)


def as_type(value: Any, kind: FieldType) -> Any:
    """Return a value as its field's type if it is of that type, else as it is."""
    try:
        return coerce(value, kind, frozenset())
    except CoercionError:
        return value


def decided_value(part: FieldPolicy, decision: Decision) -> Any:
    """Return the value of a decision as its field's type; None without a value, or if it is of another type."""
    text = decision.value if decision.verdict == "correct" else made_on(decision)
    return coerce_or_none(json.loads(text), part.field.type) if text is not None else None


def unless_rejected(part: FieldPolicy, cell: Cell, decision: Decision | None) -> Cell:
    """Return a run's cell, with its value rejected if a person rejected it or left the cell blank."""
    if decision is None or decision.verdict not in ("reject", BLANK) or cell.value is None:
        return cell
    if made_on(decision) is not None and decided_value(part, decision) != cell.value:
        return cell
    reason = f"rejected by {decision.who}" + (f": {decision.note}" if decision.note else "")
    return msgspec.structs.replace(cell, value=None, rule=REVIEW, rejection=reason)


def decided(part: FieldPolicy, cells: Sequence[Cell], decision: Decision | None) -> Cell:
    """Return a field's cell as a person decided it. `cells` has the resolved cell first, then the cell of each run."""
    if decision is None or decision.verdict == "reject":
        return cells[0]
    if decision.verdict == BLANK:
        kept = cells[0].confidence == GIVEN  # the table's own value is never blanked
        return cells[0] if kept else Cell(None, REVIEWED, reasoning=decision.note, found=cells[0].found)
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
    known = made_on(decision) is not None
    wanted = decided_value(part, decision) if known else _typed(part, cells[0])
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
