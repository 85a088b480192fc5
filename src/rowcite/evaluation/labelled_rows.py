"""The rows of a table that have labels, and the distinct tasks among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rowcite.errors import UsageError
from rowcite.evaluation.equality import is_unreadable
from rowcite.evaluation.some_rows import SomeRows
from rowcite.evaluation.truth import Truth, key_text
from rowcite.pipeline.job import Job
from rowcite.spec.fields import fields
from rowcite.table.sources import Rows, Source
from rowcite.table.sources.members import own_texts
from rowcite.table.where import no_column


class LabelledRows(SomeRows):
    """The rows of a table that have labels. `records` has for each the text by which the truth names it.

    `records_of` returns those texts for a part of the table; it gets the number of rows before the part.
    """

    def __init__(
        self, source: Source, records_of: Callable[[Rows, int], Sequence[str]], truth: Truth
    ) -> None:
        self.records: list[str] = []

        def labelled(rows: Rows, before: int) -> list[int]:
            names = records_of(rows, before)
            places = [place for place, name in enumerate(names) if name in truth.labels]
            self.records += [names[place] for place in places]
            return places

        super().__init__(source, labelled)


def rows_by_key(source: Source, key: str, truth: Truth) -> LabelledRows:
    """Return the labelled rows of a table by its key column.

    Raises:
        UsageError: the table has no such column.
    """
    if key not in source.schema:
        raise UsageError(f"--key: {no_column(key, source.schema)}")

    def records_of(rows: Rows, _: int) -> list[str]:
        return [key_text(value) for value in own_texts(rows, [key]).to_series().to_list()]

    return LabelledRows(source, records_of, truth)


class LabelledTask(NamedTuple):
    """A distinct task with its labels by field: `record` is what the key column has in its first row, `row` that row's number."""

    record: str
    row: int
    labels: Mapping[str, Any]


@dataclass(slots=True)
class Labelled:
    """The labelled tasks of a table, and the labels that were left out.

    `unmatched` are keys that no row has, `ambiguous` those of several rows with different inputs, `skipped` those of rows that are not
    sent, `conflicts` pairs of a key and a field whose label contradicts another row with the same input, and `unreadable` those
    whose label cannot be read as the number, date or boolean of its field.
    """

    tasks: list[LabelledTask] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def labelled_tasks(job: Job, source: LabelledRows, truth: Truth) -> Labelled:
    """Return the distinct tasks of the labelled rows. `job` reads `source`."""
    matched = set(source.records)
    found = Labelled(unmatched=[name for name in truth.labels if name not in matched])
    tasks_of: dict[str, set[bytes]] = defaultdict(set)
    rows = list(zip(source.records, source.numbers, source.keys_of(job), strict=True))
    for name, _, task in rows:
        if task is not None:
            tasks_of[name].add(task)
    found.skipped = [name for name in dict.fromkeys(source.records) if name not in tasks_of]
    found.ambiguous = [name for name, tasks in tasks_of.items() if len(tasks) > 1]
    firsts: dict[bytes, tuple[str, int]] = {}
    labels: dict[bytes, dict[str, Any]] = defaultdict(dict)
    left_out = set(found.ambiguous)
    parts = {part.name: part for part in fields(job.spec)}
    for name, number, task in rows:
        if task is None or name in left_out:
            continue
        firsts.setdefault(task, (name, number))
        for part, label in truth.labels[name].items():
            if is_unreadable(parts[part], label):
                found.unreadable.append((name, part))
            elif labels[task].setdefault(part, label) != label:
                found.conflicts.append((name, part))
    found.tasks = [LabelledTask(*first, labels[task]) for task, first in firsts.items() if labels[task]]
    return found
