"""The rows of a table that have labels, and the distinct tasks among them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from rowcite.errors import UsageError
from rowcite.evaluation.some_rows import SomeRows
from rowcite.evaluation.truth import Truth, key_text
from rowcite.pipeline.job import Job
from rowcite.table.sources import Rows, Source
from rowcite.table.sources.members import own_texts
from rowcite.table.where import no_column


class LabelledRows(SomeRows):
    """The rows of a table whose key has labels. `keys` are their keys."""

    def __init__(self, source: Source, key: str, truth: Truth) -> None:
        if key not in source.schema:
            raise UsageError(f"--key: {no_column(key, source.schema)}")
        self.keys: list[str] = []

        def labelled(rows: Rows, _: int) -> list[int]:
            names = [key_text(value) for value in own_texts(rows, [key]).to_series().to_list()]
            places = [place for place, name in enumerate(names) if name in truth.labels]
            self.keys += [names[place] for place in places]
            return places

        super().__init__(source, labelled)


@dataclass(frozen=True, slots=True)
class LabelledTask:
    """A distinct task with its labels by field: the key of its first row, and that row's number."""

    key: str
    row: int
    task: bytes
    labels: dict[str, Any]


@dataclass(slots=True)
class Labelled:
    """The labelled tasks of a table, and the labels that were left out.

    `unmatched` are keys that no row has, `ambiguous` those of several rows with different inputs, `skipped` those of rows that are not
    sent, and `conflicts` pairs of a key and a field whose label contradicts another row with the same input.
    """

    tasks: list[LabelledTask] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    conflicts: list[tuple[str, str]] = field(default_factory=list)


def labelled_tasks(job: Job, source: LabelledRows, truth: Truth) -> Labelled:
    """Return the distinct tasks of the labelled rows. `job` reads `source`."""
    found = Labelled(unmatched=[name for name in truth.labels if name not in set(source.keys)])
    tasks_of: dict[str, set[bytes]] = defaultdict(set)
    rows = list(zip(source.keys, source.numbers, source.keys_of(job), strict=True))
    for name, _, task in rows:
        if task is not None:
            tasks_of[name].add(task)
    found.skipped = [name for name in dict.fromkeys(source.keys) if name not in tasks_of]
    found.ambiguous = [name for name, tasks in tasks_of.items() if len(tasks) > 1]
    by_task: dict[bytes, LabelledTask] = {}
    left_out = set(found.ambiguous)
    for name, number, task in rows:
        if task is None or name in left_out:
            continue
        first = by_task.setdefault(task, LabelledTask(name, number, task, {}))
        _add_labels(first, name, truth.labels[name], found)
    found.tasks = [item for item in by_task.values() if item.labels]
    return found


def _add_labels(item: LabelledTask, name: str, labels: dict[str, Any], found: Labelled) -> None:
    for part, label in labels.items():
        if part in item.labels and item.labels[part] != label:
            found.conflicts.append((name, part))
        item.labels.setdefault(part, label)
