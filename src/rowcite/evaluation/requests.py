"""Requests the answers of some processors to labelled rows, within one budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from rowcite.api.facts import MICRO, usd
from rowcite.errors import BudgetExceeded, Declined
from rowcite.ledger import open_ledger
from rowcite.pipeline.execution import Confirmations
from rowcite.pipeline.job import Job
from rowcite.pipeline.plan import Plan, left_of_total, plan
from rowcite.pipeline.prepare import Prepared
from rowcite.pipeline.run import run
from rowcite.progress import Progress


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
        BudgetExceeded: the whole costs more than the budget. Nothing was submitted.
        Declined: it was not confirmed. Nothing was submitted.
        RowciteError: a run failed, see `rowcite.pipeline.run.run`.
    """
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
    found = Requested()
    for job in jobs:
        summary, stopped_by = run(replace(prepared, job=job, output=None), progress, Confirmations())
        found.submitted += summary.submitted
        found.cost += round(summary.spent_usd * MICRO)
        if stopped_by is not None:
            raise stopped_by
    return found


def _text(jobs: Sequence[Job], plans: Sequence[Plan], cost: int) -> str:
    parts = [
        f"{job.spec.task.processor} {planned.to_submit:,} ({usd(planned.cost)})"
        for job, planned in zip(jobs, plans, strict=True)
    ]
    return f"tasks to submit: {', '.join(parts)}; {usd(cost)} in all"
