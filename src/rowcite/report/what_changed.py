"""The section with what changed since a time: how many cells of each field, and the first of them with both values."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from rowcite.accept.evidence import host_of
from rowcite.accept.judge import Cell
from rowcite.changes import Change, changes_since, text_of
from rowcite.inert import one_line
from rowcite.ledger import Ledger
from rowcite.pipeline.job import Job
from rowcite.report.sections import Part, Table
from rowcite.wording import plural

_SHOWN = 100  # changes
_VALUE_CHARS = 60


@dataclass(slots=True)
class SinceThen:
    """The changes since a time (Unix seconds): rows, cells by field, and the lines of the first changes."""

    since: float
    rows: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    first_values: int = 0
    lines: list[tuple[str, ...]] = field(default_factory=list)


def since_then(job: Job, ledger: Ledger, since: float) -> SinceThen:
    """Return what changed in a table since a time."""
    found, rows = SinceThen(since), set[int]()
    for change in changes_since(job, ledger, since):
        rows.update(change.rows)
        found.cells[change.field.name] += len(change.rows)
        found.first_values += len(change.rows) * (change.old.value is None)
        if len(found.lines) < _SHOWN:
            found.lines.append(_line(change))
    found.rows = len(rows)
    return found


def what_changed(found: SinceThen) -> Part:
    """Return the section."""
    when = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(found.since))
    if not found.rows:
        return Part("changes", "What changed", f"No accepted value changed since {when}.", "full")
    cells = ", ".join(f"{count:,} {name}" for name, count in found.cells.items())
    text = f"{plural(found.rows, 'row')} changed since {when}: {cells}."
    if found.first_values:
        text += f" {found.first_values:,} of these had no value before."
    if len(found.lines) == _SHOWN:
        text += f" The first {_SHOWN} of them are below; `rowcite deltas --since` writes all."
    columns = ("cell", "then", "now", "source")
    return Part("changes", "What changed", text, "full", table=Table(columns, found.lines))


def _line(change: Change) -> tuple[str, ...]:
    more = f" and {len(change.rows) - 1:,} more" if len(change.rows) > 1 else ""
    url = change.new.citations[0].url if change.new.citations else ""
    site = one_line(host_of(url), _VALUE_CHARS)
    return (f"{change.field.name}, row {change.keys[0]}{more}", _shown(change.old), _shown(change.new), site)


def _shown(cell: Cell) -> str:
    """Return a value with its confidence."""
    if cell.value is None:
        return ""
    text = one_line(text_of(cell.value), _VALUE_CHARS)
    return f"{text} ({cell.confidence})" if cell.confidence else text
