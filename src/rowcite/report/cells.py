"""What became of a task, as the page shows it: cells with their standing, and whether a person is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rowcite.accept.decisions import REVIEW, REVIEWED
from rowcite.accept.evidence import score
from rowcite.accept.given import GIVEN, Conflict
from rowcite.accept.judge import Cell
from rowcite.accept.resolve import ResolvedRow
from rowcite.model import Decision, RowStatus
from rowcite.report.facts import CellView, Need, Standing
from rowcite.spec.fields import Field

_BARS = ((0.8, Standing.HIGH), (0.5, Standing.MEDIUM))  # low < 0.5 <= medium < 0.8 <= high


@dataclass(frozen=True, slots=True)
class Views:
    """A row's cells as the page shows them, and what it needs."""

    status: RowStatus
    error: str | None
    cells: tuple[CellView, ...]
    needs: tuple[Need, ...]


def views(resolved: ResolvedRow, fields: tuple[Field, ...], decisions: Mapping[str, Decision]) -> Views:
    """Return what a row came to, for the page."""
    conflicts = {conflict.field: conflict for conflict in resolved.conflicts}
    answered = resolved.status in (RowStatus.COMPLETED, RowStatus.REJECTED) or any(
        cell.run_id for cell in resolved.cells
    )
    cells = tuple(
        _view(cell, conflicts.get(field.name), decisions.get(field.name), answered=answered)
        for field, cell in zip(fields, resolved.cells, strict=True)
    )
    return Views(resolved.status, resolved.error, cells, _needs(resolved, cells))


def level(confidence: str | None) -> Standing:
    """Return the word for a confidence; what cannot be understood counts as low."""
    if confidence is None:
        return Standing.UNSTATED
    if confidence in (GIVEN, REVIEWED):
        return Standing(confidence)
    return next((name for bar, name in _BARS if score(confidence) >= bar), Standing.LOW)


def _view(cell: Cell, conflict: Conflict | None, decision: Decision | None, *, answered: bool) -> CellView:
    shown = conflict.found if conflict is not None else cell
    return CellView(
        standing=_standing(cell, answered=answered),
        value=cell.value,
        said=shown.value if conflict is not None else cell.said,
        confidence=shown.confidence,
        refused=cell.refused,
        rule=cell.rule,
        reasoning=shown.reasoning,
        citations=shown.citations,
        given=str(conflict.given) if conflict is not None else None,
        replaced=conflict is not None and conflict.replaced,
        processor=shown.processor,
        decision=decision,
    )


def _standing(cell: Cell, *, answered: bool) -> Standing:
    if cell.refused is not None:
        return Standing.REFUSED
    if cell.confidence in (GIVEN, REVIEWED):
        return Standing(cell.confidence)
    if cell.value is None:
        return Standing.EMPTY if answered else Standing.OPEN
    return level(cell.confidence)


def _needs(resolved: ResolvedRow, cells: tuple[CellView, ...]) -> tuple[Need, ...]:
    """Say why a row needs a person. What a person decided needs nobody any more."""
    open_cells = [cell for cell in cells if cell.decision is None]
    unread = resolved.status is RowStatus.REJECTED and not resolved.refused
    found = (
        (Need.REJECTED, unread or any(cell.refused and cell.rule != REVIEW for cell in open_cells)),
        (Need.CONFLICT, any(cell.given is not None for cell in open_cells)),
        (Need.LOW, any(cell.standing is Standing.LOW for cell in open_cells)),
        (Need.FAILED, resolved.status is RowStatus.FAILED),
    )
    return tuple(
        need
        for need, here in found
        if here and (resolved.status is not RowStatus.PENDING or need is Need.CONFLICT)
    )
