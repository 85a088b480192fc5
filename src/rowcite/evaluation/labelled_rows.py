"""The rows of a table that have labels, and the distinct tasks among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rowcite.accept.policy import terms_of
from rowcite.errors import UsageError
from rowcite.evaluation.equality import comparison, is_unreadable
from rowcite.evaluation.some_rows import SomeRows
from rowcite.evaluation.truth import NotThese, Truth, key_text
from rowcite.pipeline.job import Job
from rowcite.spec.accept_models import EvalField
from rowcite.spec.fields import fields
from rowcite.spec.models import Spec
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
    whose label no value of the field can match.
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
    labels: dict[bytes, dict[str, list[tuple[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    left_out = set(found.ambiguous)
    reading = _Reading(job.spec)
    for name, number, task in rows:
        if task is None or name in left_out:
            continue
        firsts.setdefault(task, (name, number))
        for part, label in truth.labels[name].items():
            if reading.is_unreadable(part, label):
                found.unreadable.append((name, part))
            else:
                labels[task][part].append((name, label))
    for task, first in firsts.items():
        if agreed := _agreed(labels[task], reading, found):
            found.tasks.append(LabelledTask(*first, agreed))
    return found


def _agreed(
    labels: Mapping[str, list[tuple[str, Any]]], reading: _Reading, found: Labelled
) -> dict[str, Any]:
    """Return the label of each field of a task; those that contradict each other are conflicts."""
    agreed = dict[str, Any]()
    for part, given in labels.items():
        if all(reading.same(part, given[0][1], label) for _, label in given):
            agreed[part] = given[0][1]
        else:
            found.conflicts += [(name, part) for name in dict.fromkeys(name for name, _ in given)]
    return agreed


class _Reading:
    """How the labels of a spec's fields are read and compared with each other."""

    def __init__(self, spec: Spec) -> None:
        self._fields = {
            part.name: (part, spec.eval.get(part.name, EvalField()), terms_of(part.name, spec.accept))
            for part in fields(spec)
        }

    def is_unreadable(self, name: str, label: Any) -> bool:
        part, terms, accept = self._fields[name]
        nulls = [text.strip().lower() for text in accept.not_found]
        return not isinstance(label, NotThese) and is_unreadable(part, terms, label, nulls)

    def same(self, name: str, one: Any, other: Any) -> bool:
        part, terms, _ = self._fields[name]
        if one == other or one is None or other is None or NotThese in {type(one), type(other)}:
            return bool(one == other)
        return comparison(part, terms)(one, other)
