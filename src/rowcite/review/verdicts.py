"""What somebody says of a cell, checked: it must be about a cell that is there, and a value must be of the field's type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rowcite.errors import UsageError
from rowcite.model import Decision
from rowcite.report.facts import CellView, Facts, Standing
from rowcite.report.values import coerce_or_none
from rowcite.spec.fields import Field

VERDICTS = ("accept", "reject", "correct", "clear")
NOTE_CHARS = 1_000


class NotDecided(UsageError):
    """What was said cannot be a decision."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells that may be decided on: fields by name, and what the page shows of each by key, row and field.

    Rows of one key ask the same, and are apart where they were given different values.
    """

    fields: Mapping[str, Field]
    views: Mapping[bytes, Mapping[int, Mapping[str, CellView]]]

    @classmethod
    def of(cls, facts: Facts) -> Cells:
        """Take the cells that a page shows."""
        names = [field.name for field in facts.fields]
        views: dict[bytes, dict[int, Mapping[str, CellView]]] = {}
        for row in facts.rows:
            if row.key is not None:
                views.setdefault(row.key, {})[row.number] = dict(zip(names, row.cells, strict=False))
        return cls({field.name: field for field in facts.fields}, views)


def decide(said: Mapping[str, Any], cells: Cells, *, who: str, at: float) -> Decision:
    """Make a decision of what was said: `key` (hex), `field`, `verdict`, `value`, `note`, and which `row` of the key it was said of.

    Raises:
        NotDecided: it is about no cell of the page, or its value does not fit.
    """
    key, name, verdict = _key(said.get("key")), said.get("field"), said.get("verdict")
    if verdict not in VERDICTS:
        raise NotDecided(f"a verdict is one of {', '.join(VERDICTS)}")
    if not isinstance(name, str) or name not in cells.fields:
        raise NotDecided("there is no such field")
    rows, number = cells.views.get(key, {}), said.get("row")
    shown = rows.get(number) if isinstance(number, int) else next(iter(rows.values()), None)
    view = shown.get(name) if shown else None
    if view is None:
        raise NotDecided("this row is not on the page")
    note = said.get("note")
    if note is not None and not isinstance(note, str):
        raise NotDecided("a note is a text")
    value = _value(verdict, said.get("value"), cells.fields[name], view)
    return Decision(key, name, verdict, value, who, at, (note or "").strip()[:NOTE_CHARS] or None)


def _value(verdict: str, value: Any, field: Field, view: CellView) -> str | None:
    """Return the value that a decision is about, as JSON: another answer of a later run is not accepted or rejected by it."""
    if verdict == "clear":
        return None
    if verdict == "correct":
        return corrected(value, field)
    if view.standing is Standing.OPEN:
        raise NotDecided(f"there is no answer to {verdict}. Correct the cell instead")
    said = view.said if view.refused is not None or view.given is not None else view.value
    try:
        return _json(coerce_or_none(said, field))
    except ValueError as error:
        if verdict == "reject":
            return None
        raise NotDecided(f"{error}: it cannot stand in this column. Correct it instead") from error


def corrected(value: Any, field: Field) -> str:
    """Return a correction as JSON.

    Raises:
        NotDecided: there is no value, or it is not of the field's type.
    """
    try:
        fit = coerce_or_none(value, field)
    except ValueError as error:
        raise NotDecided(str(error)) from error
    if fit is None:
        raise NotDecided("this is no value. Write one, or reject the one that was found")
    return _json(fit)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _key(text: Any) -> bytes:
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        key = b""
    if len(key) != 16:
        raise NotDecided("a key is 32 hexadecimal digits")
    return key
