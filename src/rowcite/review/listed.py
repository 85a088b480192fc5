"""A list of rows to review first: the disagreements of `compare --json`, the pairs of `eval --json`, or a CSV with row numbers or keys."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rowcite.errors import TableError, UsageError
from rowcite.evaluation.truth import key_text
from rowcite.pipeline.job import Job
from rowcite.table.sources.csv_files import unique_names
from rowcite.table.sources.members import own_texts
from rowcite.table.where import no_column

_LISTS = ("disagreements", "pairs")
Side = tuple[str, Any, str, tuple[str, ...]]
"""What a processor answered: its name, its value, the confidence and the sources."""


@dataclass(slots=True)
class Listed:
    """The listed rows in their order: the fields to decide on by row number, none for all; and the answers that were compared."""

    rows: dict[int, set[str]] = field(default_factory=dict)
    sides: dict[tuple[int, str], list[Side]] = field(default_factory=dict)

    def add(self, row: int, name: str | None) -> None:
        """Add a cell, or a whole row."""
        names = self.rows.setdefault(row, {name} if name else set())
        if name is None:
            names.clear()
        elif names:
            names.add(name)


def read_listed(path: Path, job: Job, names: Iterable[str], key: str | None = None) -> Listed:
    """Read a list of rows. `names` are the spec's fields; `key` is the column that identifies a row in a CSV without row numbers.

    Raises:
        TableError: the file cannot be read.
        UsageError: it is not a list of rows, or names an unknown field.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path}: cannot read the file: {getattr(error, 'strerror', None) or error}"
        ) from error
    try:
        found = _from_json(path, text) if text.lstrip()[:1] in ("{", "[") else _from_csv(path, text, job, key)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: not a list of rows: {error!r}") from error
    known = set(names)
    for unknown in sorted(name for fields in found.rows.values() for name in fields - known):
        raise UsageError(f'{path}: unknown field "{unknown}". Fields: {", ".join(known)}')
    return found


def _from_json(path: Path, text: str) -> Listed:
    whole, found = json.loads(text), Listed()
    items = (
        whole if isinstance(whole, list) else next((whole[name] for name in _LISTS if name in whole), None)
    )
    if items is None:
        raise UsageError(
            f"{path}: has none of the lists {', '.join(_LISTS)}. Give the output of compare --json"
        )
    processors = (
        whole.get("processors", ["first", "second"]) if isinstance(whole, dict) else ["first", "second"]
    )
    for item in items:
        row, name = int(item["row"]), item.get("field")
        found.add(row, name)
        if name and isinstance(item.get("first"), dict) and isinstance(item.get("second"), dict):
            sides = zip(processors, (item["first"], item["second"]), strict=True)
            found.sides[row, name] = [_side(processor, side) for processor, side in sides]
    return found


def _side(processor: str, side: Mapping[str, Any]) -> Side:
    return str(processor), side.get("value"), str(side.get("confidence") or ""), tuple(side.get("urls") or ())


def _from_csv(path: Path, text: str, job: Job, key: str | None) -> Listed:
    lines = csv.DictReader(text.splitlines(keepends=True))
    columns = list(lines.fieldnames or ())
    unique_names(f"{path}:1", [name for name in columns if name])
    name = key or "row"
    if name not in columns:
        more = "" if key else ". Give --key COLUMN, a column of both tables"
        raise UsageError(f"{path}: {no_column(name, columns)}{more}")
    cells = [(key_text(line[name]), line.get("field") or None) for line in lines]
    numbers = {text: int(text) for text, _ in cells} if key is None else _numbers(job, key)
    found = Listed()
    for wanted, part in cells:
        if wanted in numbers:
            found.add(numbers[wanted], part)
    return found


def _numbers(job: Job, key: str) -> dict[str, int]:
    """Return the number of the first row with each key."""
    source, found, before = job.reader.source, dict[str, int](), 0
    if key not in source.schema:
        raise UsageError(f"--key: {no_column(key, source.schema)}")
    for rows in source.batches():
        for at, value in enumerate(own_texts(rows, [key]).to_series().to_list(), before + 1):
            found.setdefault(key_text(value), at)
        before += rows.frame.height
    return found
