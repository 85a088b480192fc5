"""The decisions of reviewers as a truth: a selected sample, since people look at what is doubtful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rowcite.evaluation.labelled_rows import LabelledRows
from rowcite.evaluation.truth import NotThese, Truth
from rowcite.ledger import Ledger
from rowcite.pipeline.job import Job
from rowcite.rows.reviewed import Labels, ReviewedCell, labels, reviewed_cells
from rowcite.spec.fields import fields
from rowcite.wording import plural

REVIEWED = "reviewed"
"""The truth of `--truth reviewed`."""


def reviewed(job: Job, ledger: Ledger) -> tuple[Truth, LabelledRows]:
    """Return the labels on which reviewers agree, by the number of the first row of each task, and these rows."""
    cells = reviewed_cells(ledger.decisions_by_reviewer(), fields(job.spec))
    found = labels(cells)
    by_task = _by_task(found)
    first = dict[bytes, str]()
    before = 0
    for batch in job.reader.batches(job.question):
        keys = batch.keys.to_list()
        for number, task in enumerate(keys, before + 1):
            if task in by_task:
                first.setdefault(task, str(number))
        before += len(keys)
    truth = Truth(
        {row: by_task[task] for task, row in first.items()},
        notes=_notes(cells, found, len(by_task) - len(first)),
    )
    return truth, LabelledRows(
        job.reader.source,
        lambda rows, before: [str(before + at + 1) for at in range(rows.frame.height)],
        truth,
    )


def _by_task(found: Labels) -> Mapping[bytes, dict[str, Any]]:
    by_task: dict[bytes, dict[str, Any]] = {task: dict(cells) for task, cells in found.right.items()}
    for task, wrong in found.wrong.items():
        by_task.setdefault(task, {}).update({name: NotThese(tuple(values)) for name, values in wrong.items()})
    return by_task


def _notes(cells: Sequence[ReviewedCell], found: Labels, absent: int) -> tuple[str, ...]:
    """Return what these labels are, and which are left out."""
    if not cells:
        return ("there is no decision yet: review some rows with `rowcite review`",)
    reviewers = ", ".join(sorted({cell.reviewer for cell in cells}))
    selected = "Rows are reviewed because they look doubtful, so the figures hold for these cells and not for the table"
    notes = [f"the labels are {plural(len(cells), 'decision')} by {reviewers}: a selected sample. {selected}"]
    if found.contradicted:
        notes.append(f"left out, contradicted by another reviewer: {plural(len(found.contradicted), 'cell')}")
    if absent:
        notes.append(f"left out, about rows that the table does not have now: {plural(absent, 'task')}")
    return tuple(notes)
