"""A resolved row as the page shows it: its cells with their states, and the reasons for review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rowcite.accept.evidence import score
from rowcite.accept.judge import Cell
from rowcite.model import Decision, RowStatus
from rowcite.report.facts import CellState, CellView, ReviewReason
from rowcite.rows.decisions import REVIEW, REVIEWED, answer_changed
from rowcite.rows.given import GIVEN, Conflict
from rowcite.rows.resolve import ResolvedRow
from rowcite.spec.fields import Field

_LEVELS = ((0.8, CellState.HIGH), (0.5, CellState.MEDIUM))  # low < 0.5 <= medium < 0.8 <= high


@dataclass(frozen=True, slots=True)
class Views:
    """A row's status and cells as the page shows them, and why it needs review."""

    status: RowStatus
    error: str | None
    cells: tuple[CellView, ...]
    reasons: tuple[ReviewReason, ...]


def views(resolved: ResolvedRow, fields: tuple[Field, ...], decisions: Mapping[str, Decision]) -> Views:
    """Return a resolved row as the page shows it."""
    conflicts = {conflict.field: conflict for conflict in resolved.conflicts}
    answered = resolved.status in (RowStatus.COMPLETED, RowStatus.REJECTED) or any(
        cell.run_id for cell in resolved.cells
    )
    cells = tuple(
        with_decision(
            _view(cell, conflicts.get(field.name), answers, answered=answered),
            decisions.get(field.name),
            field,
        )
        for field, cell, answers in zip(
            fields, resolved.cells, resolved.answers or [None] * len(fields), strict=True
        )
    )
    return Views(resolved.status, resolved.error, cells, _reasons(resolved, cells))


def level(confidence: str | None) -> CellState:
    """Return the state for a confidence; one that cannot be parsed counts as low."""
    if confidence is None:
        return CellState.UNSTATED
    if confidence in (GIVEN, REVIEWED):
        return CellState(confidence)
    return next((name for least, name in _LEVELS if score(confidence) >= least), CellState.LOW)


def with_decision(view: CellView, decision: Decision | None, field: Field) -> CellView:
    """Return a cell with a decision on it, as `decision` or, if the cell has another answer, as `earlier`."""
    if decision is None:
        return view
    if not answer_changed(decision, field.type, view.answers):
        return replace(view, decision=decision)
    return replace(view, decision=decision if decision.verdict == "correct" else None, earlier=decision)


def _view(
    cell: Cell, conflict: Conflict | None, answers: tuple[Cell, ...] | None, *, answered: bool
) -> CellView:
    shown = conflict.cell if conflict is not None else cell
    if answers is None:
        answers = (cell,) if answered else ()
    return CellView(
        state=_state(cell, answered=answered),
        value=cell.value,
        found=shown.value if conflict is not None else cell.found,
        confidence=shown.confidence,
        rejection=cell.rejection,
        rule=cell.rule,
        reasoning=shown.reasoning,
        citations=shown.citations,
        given=str(conflict.given) if conflict is not None else None,
        replaced=conflict is not None and conflict.replaced,
        processor=shown.processor,
        answers=answers,
        elements=tuple((shown.found[element.position], element) for element in shown.elements),
    )


def _state(cell: Cell, *, answered: bool) -> CellState:
    if cell.rejection is not None:
        return CellState.REJECTED
    if cell.confidence in (GIVEN, REVIEWED):
        return CellState(cell.confidence)
    if cell.value is None:
        return CellState.EMPTY if answered else CellState.UNANSWERED
    return level(cell.confidence)


def _reasons(resolved: ResolvedRow, cells: tuple[CellView, ...]) -> tuple[ReviewReason, ...]:
    """Return why a row needs review; decided cells are left out."""
    open_cells = [cell for cell in cells if cell.decision is None]
    unreadable = resolved.status is RowStatus.REJECTED and not resolved.has_rejected_values
    found = (
        (ReviewReason.CHANGED, any(cell.earlier is not None for cell in cells)),
        (
            ReviewReason.REJECTED,
            unreadable or any(cell.rejection and cell.rule != REVIEW for cell in open_cells),
        ),
        (ReviewReason.CONFLICT, any(cell.given is not None for cell in open_cells)),
        (ReviewReason.LOW, any(cell.state is CellState.LOW for cell in open_cells)),
        (ReviewReason.FAILED, resolved.status is RowStatus.FAILED),
    )
    return tuple(
        reason
        for reason, applies in found
        if applies and (resolved.status is not RowStatus.PENDING or reason is ReviewReason.CONFLICT)
    )
