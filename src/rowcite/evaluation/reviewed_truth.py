"""The decisions of reviewers as a truth: of a drawn sample, else of a selected one, since people look at what is doubtful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rowcite.errors import UsageError
from rowcite.evaluation.labelled_rows import LabelledRows, rows_by_key
from rowcite.evaluation.some_rows import job_of
from rowcite.evaluation.truth import STRATUM, NotThese, Truth
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


def drawn_and_reviewed(
    job: Job, ledger: Ledger, sample: Truth, key: str, *, complete: bool
) -> tuple[Truth, LabelledRows]:
    """Return the labels of a sample that `--draw` drew: those in its file, and elsewhere those on which reviewers agree.

    Raises:
        UsageError: the sample was not drawn, or with `complete` the right value of a cell is not known: a sample of the cells
            that people chose is not a random sample.
    """
    if not sample.strata:
        raise UsageError(f"--drawn: the file has no column {STRATUM}: give the file that --draw wrote")
    decided = _by_task(labels(reviewed_cells(ledger.decisions_by_reviewer(), fields(job.spec))))
    drawn = rows_by_key(job.reader.source, key, Truth({name: {} for name in sample.strata}))
    tasks = drawn.keys_of(job_of(job, drawn, job.spec.task.processor))
    found: dict[str, dict[str, Any]] = {}
    for record, task in zip(drawn.records, tasks, strict=True):
        if task is not None:
            found[record] = {**decided.get(task, {}), **sample.labels.get(record, {})}
    if complete:
        _check_complete(found, [field.name for field in fields(job.spec)])
    truth = Truth(
        {record: values for record, values in found.items() if values}, sample.strata, sample.duplicates
    )
    return truth, rows_by_key(job.reader.source, key, truth)


def _check_complete(found: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> None:
    """Raise UsageError if the right value of a cell is not known."""
    unknown = NotThese(())
    cells = [(record, name, values.get(name, unknown)) for record, values in found.items() for name in names]
    still_open = [f"{record} ({name})" for record, name, label in cells if isinstance(label, NotThese)]
    if still_open:
        raise UsageError(
            f"a target needs the right value of every drawn cell, and {plural(len(still_open), 'cell')} of {len(cells):,} have none:"
            f" {', '.join(still_open[:5])}{', ...' * (len(still_open) > 5)}. Decide on them with `rowcite review --first`; a rejected"
            " cell needs its right value, or to be left blank"
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
