"""Requests the answers of some processors to labelled rows, within one budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rowcite.api.facts import MICRO, PROCESSORS, usd
from rowcite.errors import BudgetExceeded, Declined, UsageError
from rowcite.ledger import open_ledger
from rowcite.pipeline.execution import Confirmations
from rowcite.pipeline.job import Job
from rowcite.pipeline.plan import Plan, left_of_total, plan
from rowcite.pipeline.prepare import Prepared
from rowcite.pipeline.run import run
from rowcite.pipeline.spec_checks import spec_problems
from rowcite.progress import Band, Progress
from rowcite.wording import did_you_mean


@dataclass(slots=True)
class Requested:
    """What was requested: runs, and their list price in micro-US$."""

    submitted: int = 0
    cost: int = 0


def request_answers(
    prepared: Prepared,
    jobs: Sequence[Job],
    progress: Progress,
    confirm: Callable[[str, int], bool],
) -> Requested:
    """Request what is not stored yet: one question for each task and processor. Each job asks one processor.

    `confirm` gets the plan as a text and its cost.

    Raises:
        UsageError: a processor is unknown, or does not fit the spec. Nothing was submitted.
        BudgetExceeded: the whole costs more than the budget. Nothing was submitted.
        Declined: it was not confirmed. Nothing was submitted.
        RowciteError: a run failed, see `rowcite.pipeline.run.run`.
    """
    for job in jobs:
        _check(job)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        plans = [plan(job, ledger) for job in jobs]
        left = left_of_total(prepared.job, ledger)
    cost = sum(planned.cost for planned in plans)
    budget = round(prepared.job.spec.limits.max_cost_usd * MICRO)
    budget = budget if left is None else min(budget, left)
    if cost > budget:
        raise BudgetExceeded(
            f"the answers of {', '.join(job.spec.task.processor for job in jobs)} would cost {usd(cost)}, and {usd(budget)} may be spent."
            " Nothing was submitted. Take fewer rows or processors, or raise --max-cost"
        )
    if not confirm(_text(jobs, plans, cost), cost):
        raise Declined("Nothing was submitted, nothing was spent")
    found, together = Requested(), _Together(progress, jobs, plans)
    try:
        for job in jobs:
            summary, stopped_by = run(replace(prepared, job=job, output=None), together, Confirmations())
            found.submitted += summary.submitted
            found.cost += round(summary.spent_usd * MICRO)
            if stopped_by is not None:
                raise stopped_by
    finally:
        progress.end()
    return found


class _Together:
    """The progress of several runs as one: their tasks in all, and their spend added up."""

    def __init__(self, progress: Progress, jobs: Sequence[Job], plans: Sequence[Plan]) -> None:
        self._progress = progress
        self._spent = self._spent_before = 0
        to_submit = sum(planned.to_submit for planned in plans)
        active = sum(planned.active for planned in plans)
        bands = [
            job.seconds_of([job.spec.task.processor], planned.runs + planned.active)
            for job, planned in zip(jobs, plans, strict=True)
            if planned.runs + planned.active
        ]
        known = [band for band in bands if band is not None]
        seconds = (
            (sum(low for low, _ in known), sum(high for _, high in known))
            if len(known) == len(bands)
            else None
        )
        self._begin = partial(progress.begin, to_submit + active, 0, active, seconds)

    def begin(self, *_: Any, **__: Any) -> None:
        """Begin once, with the tasks of all runs."""
        begin, self._begin = self._begin, partial(lambda: None)
        begin()

    def more(self, tasks: int, text: str, seconds: Band | None = None) -> None:
        """Add tasks."""
        self._progress.more(tasks, text, seconds)

    def submitted(self, tasks: int, spent: int) -> None:
        """Add active tasks, and what this run has spent so far to what those before it spent."""
        self._spent = self._spent_before + spent
        self._progress.submitted(tasks, self._spent)

    def ended(self, completed: int, failed: int) -> None:
        """Count ended runs."""
        self._progress.ended(completed, failed)

    def say(self, text: str) -> None:
        """Show a message."""
        self._progress.say(text)

    def end(self) -> None:
        """End one run; the whole ends after the last."""
        self._spent_before = self._spent


def _check(job: Job) -> None:
    """Raise UsageError for a processor without a known price, which no budget would stop, or one that does not fit the spec."""
    name = job.spec.task.processor
    if job.local and name not in PROCESSORS:
        hint = did_you_mean(name, PROCESSORS)
        raise UsageError(f"the local server has no processor `{name}`{hint}")
    problems = [text for _, text in spec_problems(job.spec)]
    if problems:
        raise UsageError(f"processor `{name}`: {problems[0]}", *problems[1:])


def _text(jobs: Sequence[Job], plans: Sequence[Plan], cost: int) -> str:
    parts = [
        f"{job.spec.task.processor} {planned.to_submit:,} ({usd(planned.cost)})"
        for job, planned in zip(jobs, plans, strict=True)
    ]
    return f"tasks to submit: {', '.join(parts)}; {usd(cost)} in all"
