"""What changed between a time and now: accepted values that differ from those of then, both with their evidence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from rowcite.accept.judge import Cell
from rowcite.errors import UsageError
from rowcite.files import atomic_write, write_errors
from rowcite.inert import csv_line, without_formula
from rowcite.ledger import Ledger
from rowcite.model import Decision
from rowcite.pipeline.input_changes import check_unchanged, with_table_of_now
from rowcite.pipeline.job import Job
from rowcite.rows.given import GIVEN, same
from rowcite.rows.resolver import RowGroup, RowResolver
from rowcite.spec.fields import Field, fields
from rowcite.table.sources import Rows
from rowcite.table.sources.members import own_texts
from rowcite.table.where import no_column

_NOTHING = Cell(None)
_COLUMNS = ("value", "confidence", "citations")


class Change(NamedTuple):
    """A cell whose accepted value differs from that of an earlier time. `rows` are the rows' numbers from 0, `keys` their keys."""

    rows: list[int]
    keys: list[str]
    field: Field
    old: Cell
    new: Cell


@dataclass(slots=True)
class ChangesSummary:
    """The rows with a change, the changed cells by field, and those of them that had no value before; changed rows without a key."""

    rows: int = 0
    without_key: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    first_values: int = 0


def changes_since(job: Job, ledger: Ledger, since: float, key: str | None = None) -> Iterator[Change]:
    """Yield the changes since a time (Unix seconds), in the order of the table.

    `key` is the column with the rows' keys; without one they are the rows' numbers from 1.
    A value counts where it is accepted by the present `accept` and not null; a value that was rejected then counts as none.
    """
    resolver = RowResolver(job.spec, job.reader.source.schema, ledger)
    before = 0
    for batch in job.reader.batches(job.question):
        groups = list(resolver.groups(batch.keys, batch.rows.frame))
        decided = ledger.decisions([group.key for group in groups], until=since)
        keys = _keys(batch.rows, key, before)
        for group in groups:
            rows, names = [before + row for row in group.rows], [keys[row] for row in group.rows]
            for item, old, new in _of_group(resolver, group, decided.get(group.key, {}), since):
                yield Change(rows, names, item, old, new)
        before += batch.rows.frame.height


def _keys(rows: Rows, key: str | None, before: int) -> list[str]:
    if key is None:
        return [f"{before + row + 1:,}" for row in range(rows.frame.height)]
    texts = own_texts(rows, [key]).to_series().to_list()
    return ["" if text is None else str(text).strip() for text in texts]


def _of_group(
    resolver: RowResolver, group: RowGroup, decided: Mapping[str, Decision], since: float
) -> Iterator[tuple[Field, Cell, Cell]]:
    """Yield the fields of some rows that changed, each with its cells of then and now."""
    runs = [run for run in group.runs if run.ended_at <= since]
    if len(runs) == len(group.runs) and decided == group.decisions:
        return
    then = resolver.resolve(runs, group.given, decided).cells if runs or decided else []
    old_cells = then or [_given(group, item) for item in resolver.fields]
    for item, old, new in zip(resolver.fields, old_cells, group.resolved.cells, strict=True):
        if new.rejection is not None or new.value is None or new.confidence == GIVEN:
            continue
        accepted = old if old.rejection is None else _NOTHING
        if accepted.value is None or not same(accepted.value, new.value, item.type):
            yield item, accepted, new


def _given(group: RowGroup, item: Field) -> Cell:
    """Return the cell of a row that had no run then: its given value."""
    return Cell(group.given[item.name], GIVEN) if item.name in group.given else _NOTHING


def write_since(job: Job, ledger: Ledger, key: str, since: float, target: Path) -> ChangesSummary:
    """Write the changes since a time as CSV in UTF-8: a line for each changed cell, with both values and their evidence.

    Raises:
        UsageError: the key is not a column of the table, or is filled by the spec.
        TableError: the file cannot be written.
        TableChanged: the table has another header than when the command began, or keeps changing. Nothing was written.
    """
    check_key(job, key)
    with write_errors(str(target)):
        return with_table_of_now(job, lambda now: _write(now, ledger, key, since, target))


def _write(job: Job, ledger: Ledger, key: str, since: float, target: Path) -> ChangesSummary:
    summary, keep = ChangesSummary(), job.spec.columns.formulas == "keep"
    changed, without = set[int](), set[int]()
    header = [key, "field", *(f"old_{part}" for part in _COLUMNS), *(f"new_{part}" for part in _COLUMNS)]
    with atomic_write(target) as file:
        file.write(csv_line(header).encode())
        for change in changes_since(job, ledger, since, key):
            cells = [change.field.name, *_texts(change.old, keep=keep), *_texts(change.new, keep=keep)]
            for row, name in zip(change.rows, change.keys, strict=True):
                if not name:
                    without.add(row)
                    continue
                file.write(csv_line([name, *cells]).encode())
                changed.add(row)
                summary.cells[change.field.name] += 1
                summary.first_values += change.old.value is None
        check_unchanged(job)
    summary.rows, summary.without_key = len(changed), len(without)
    return summary


def _texts(cell: Cell, *, keep: bool) -> list[str]:
    """Return a cell's value, confidence and the URLs of its citations, safe in a spreadsheet."""
    urls = " ".join(dict.fromkeys(citation.url for citation in cell.citations))
    parts = [text_of(cell.value), cell.confidence or "", urls]
    return parts if keep else [without_formula(part) for part in parts]


def text_of(value: Any) -> str:
    """Return a value as text; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return (
        json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else str(value)
    )


def check_key(job: Job, key: str) -> None:
    """Return if a column can be the key of changes.

    Raises:
        UsageError: it is not in the table, or is filled by the spec.
    """
    schema = job.reader.source.schema
    if key not in schema:
        raise UsageError(f"--key: {no_column(key, schema)}")
    if key in {job.spec.columns.prefix + item.name for item in fields(job.spec)}:
        raise UsageError(
            f'--key: column "{key}" is filled by the spec. Choose a column that the spec does not fill'
        )
