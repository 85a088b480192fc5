"""Validates decisions: each is about a cell of the page, and its value has the field's type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rowcite.accept.coerce import coerce
from rowcite.errors import UsageError
from rowcite.model import Decision
from rowcite.report.facts import CellState, CellView, Facts
from rowcite.rows.decisions import BLANK, as_type
from rowcite.spec.fields import Field, FieldType

VERDICTS = ("accept", "reject", "correct", BLANK, "clear")
NOTE_CHARS = 1_000


class InvalidDecision(UsageError):
    """The request is not a valid decision."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of the page: fields by name, and views by task key, row number and field.

    Rows with one task key are separate where the table has different values for them.
    """

    fields: Mapping[str, Field]
    views: Mapping[bytes, Mapping[int, Mapping[str, CellView]]]

    @classmethod
    def of(cls, facts: Facts) -> Cells:
        """Return the cells of a page."""
        names = [field.name for field in facts.fields]
        views: dict[bytes, dict[int, Mapping[str, CellView]]] = {}
        for row in facts.rows:
            if row.key is not None:
                views.setdefault(row.key, {})[row.number] = dict(zip(names, row.cells, strict=False))
        return cls({field.name: field for field in facts.fields}, views)

    def view(self, key: bytes, number: Any, name: str) -> CellView | None:
        """Return the cell of a task's row; of its first row if `number` is not an integer."""
        rows = self.views.get(key, {})
        shown = rows.get(number) if isinstance(number, int) else next(iter(rows.values()), None)
        return shown.get(name) if shown else None


def decide(body: Mapping[str, Any], cells: Cells, *, who: str, at: float) -> Decision:
    """Return the decision in a request body: `key` (hex), `row`, `field`, `verdict`, `value` and `note`.

    Raises:
        InvalidDecision: the cell is not on the page, or the value does not have the field's type.
    """
    key, name, verdict = _key(body.get("key")), body.get("field"), body.get("verdict")
    if verdict not in VERDICTS:
        raise InvalidDecision(f"a verdict is one of {', '.join(VERDICTS)}")
    if not isinstance(name, str) or name not in cells.fields:
        raise InvalidDecision("unknown field")
    view = cells.view(key, body.get("row"), name)
    if view is None:
        raise InvalidDecision("this row is not on the page")
    note = body.get("note")
    if note is not None and not isinstance(note, str):
        raise InvalidDecision("a note must be a string")
    value = _value(verdict, body.get("value"), cells.fields[name], view)
    answer = None if verdict == "clear" else answer_text(view, cells.fields[name].type)
    return Decision(key, name, verdict, value, who, at, checked_note(note or ""), answer)


def answer_text(view: CellView, kind: FieldType) -> str | None:
    """Return the answer of a cell as JSON, for a decision on it; None of a cell without an answer."""
    if view.state is CellState.UNANSWERED:
        return None
    return as_json(as_type(_shown(view), kind))


def _shown(view: CellView) -> Any:
    return view.found if view.rejection is not None or view.given is not None else view.value


def checked_note(note: str) -> str | None:
    """Return a note as it is saved, None if it is empty.

    Raises:
        InvalidDecision: it is not Unicode text.
    """
    return _unicode(note.strip()[:NOTE_CHARS]) or None


def _unicode(text: str) -> str:
    """Return a text; raise InvalidDecision if it has half of a pair of surrogates, which UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidDecision(f"character {error.start + 1} is half of a character. Enter it again") from None
    return text


def _value(verdict: str, value: Any, field: Field, view: CellView) -> str | None:
    """Return the decided value as JSON, so that the decision does not apply to a different value of a later run."""
    if verdict == "clear":
        return None
    if verdict == "correct":
        return corrected(value, field)
    if view.state is CellState.UNANSWERED:
        what = "leave blank" if verdict == BLANK else verdict
        raise InvalidDecision(f"this cell has no answer to {what}. Enter a value instead")
    if verdict == BLANK:
        if view.given is not None or view.state is CellState.GIVEN:
            raise InvalidDecision("the table has a value here, which stays. Reject the found value instead")
        return None
    try:
        return as_json(_coerced(_shown(view), field))
    except ValueError as error:
        if verdict == "reject":
            return None
        raise InvalidDecision(f"{error}: this column cannot hold it. Enter a value instead") from error


def corrected(value: Any, field: Field) -> str:
    """Return a correction as JSON.

    Raises:
        InvalidDecision: the value is empty or not of the field's type.
    """
    try:
        fit = _coerced(value, field)
    except ValueError as error:
        raise InvalidDecision(str(error)) from error
    if fit is None:
        raise InvalidDecision("the value is empty. Enter a value, or reject the found one")
    return _unicode(as_json(fit))


def as_json(value: Any) -> str:
    """Return a value as JSON, as decisions have it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _key(text: Any) -> bytes:
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        key = b""
    if len(key) != 16:
        raise InvalidDecision("a key has 32 hexadecimal digits")
    return key


def _coerced(value: Any, field: Field) -> Any:
    """Return a value as its field's type, as the merge does; raise ValueError if that is not possible without loss."""
    return coerce(value, field.type, frozenset())
