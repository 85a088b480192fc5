"""Plans, counts and summaries as people and as programs read them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from rowcite.api.facts import MICRO, usd
from rowcite.cli.console import printable

if TYPE_CHECKING:
    from rowcite.model import Counts
    from rowcite.pipeline.job import Job
    from rowcite.pipeline.plan import Plan
    from rowcite.pipeline.run import Summary

__all__ = [
    "MICRO",
    "as_json",
    "counts_line",
    "duration",
    "line",
    "plan_dict",
    "plan_lines",
    "plural",
    "summary_lines",
    "usd",
]
_LEFT_BEHIND = (
    "the ledger holds {:,} answers to other questions (another spec, processor or API, or documents that have changed):"
    " they are not used here"
)


def as_json(value: dict[str, Any]) -> None:
    """Write one JSON object to stdout."""
    line(json.dumps(value, ensure_ascii=False))


def line(text: str) -> None:
    """Write a line to stdout, with nothing in it that a terminal would obey."""
    click.echo(printable(text))


def plan_dict(job: Job, plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON has it; money in US$."""
    values = asdict(plan)
    price = values.pop("price")
    ahead = {name: values.pop(name) for name in ("expected", "worst")}
    return {
        **values,
        "processor": job.spec.task.processor,
        "price_usd": price / MICRO,
        "cost_usd": plan.cost / MICRO,
        **{f"{name}_cost_usd": None if cost is None else cost / MICRO for name, cost in ahead.items()},
    }


def plan_lines(job: Job, plan: Plan) -> list[str]:
    """Return a plan in words."""
    before = [f"{plan.answered:,} answered before"] if plan.answered else []
    before += [f"{plan.active:,} under way"] if plan.active else []
    before += [f"{plan.failed:,} failed before (--retry-failed asks them again)"] if plan.failed else []
    left_out = [f"{plan.skipped:,} skipped"] if plan.skipped else []
    left_out += [f"{plan.too_large:,} too long to send"] if plan.too_large else []
    aside = f" ({', '.join(left_out)})" if left_out else ""
    rows = f"{plural(plan.rows, 'row')}{aside}, {plural(plan.tasks, 'distinct task')}"
    to_submit = f"{plan.to_submit:,} to submit to {job.spec.task.processor}"
    if plan.runs != plan.to_submit:
        saved = (
            "" if job.local else f", {usd((plan.to_submit - plan.runs) * plan.price)} less than one by one"
        )
        to_submit += f" in {plural(plan.runs, 'run')} of up to {job.spec.task.records_per_run}{saved}"
    cost = (
        "free: answered by the local server" if job.local else f"{usd(plan.cost)} at {usd(plan.price)} a run"
    )
    return [
        rows + (f": {', '.join(before)}" if before else ""),
        f"{to_submit}, {cost}; about {plan.requests:,} requests{_time(plan)}",
        *_ladder(job, plan),
        *(
            [_LEFT_BEHIND.format(plan.stored_for_other_questions)]
            if plan.stored_for_other_questions and plan.to_submit
            else []
        ),
        *(f"warning: {text}" for text in plan.warnings),
    ]


def _ladder(job: Job, plan: Plan) -> list[str]:
    """Say what may be asked again, and for how much."""
    if plan.worst is None or plan.expected is None or not (plan.to_submit or plan.to_escalate):
        return []
    whom = f" of {', then '.join(job.spec.escalate)}" if job.spec.escalate else " one by one"
    now = f" ({plan.to_escalate:,} rows of earlier answers to begin with)" if plan.to_escalate else ""
    if job.local:
        return [f"values that are not accepted are asked again{whom}{now}"]
    basis = ", if half of the answers go on at each step" if plan.assumed else ""
    costs = (
        f"{usd(plan.expected)} in all{basis}, {usd(plan.worst)} at worst; never more than limits.max_cost_usd"
    )
    return [f"values that are not accepted are asked again{whom}{now}: {costs}"]


def plural(number: int, noun: str) -> str:
    """Return a number with its noun: 1 row, 2 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _time(plan: Plan) -> str:
    if plan.seconds is None:
        return ""
    low, high = plan.seconds
    return f", {duration(low)} to {duration(high)}"


def duration(seconds: float) -> str:
    """Return a time as people say it: 45 s, 12 min, 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def counts_line(rows: Counts) -> str:
    """Return the number of rows with each status; statuses without rows are left out."""
    from rowcite.model import RowStatus

    parts = [f"{rows[status]:,} {status}" for status in RowStatus if rows[status]]
    return f"{plural(rows.total(), 'row')}: {', '.join(parts) or 'none'}"


def summary_lines(summary: Summary, job: Job) -> list[str]:
    """Return a summary in words."""
    where = "" if summary.output in (None, "-") else f"{summary.output}: "
    spent = "" if job.local else f", {usd(round(summary.spent_usd * MICRO))} spent"
    again = f" ({summary.asked_again:,} asked again)" if summary.asked_again else ""
    runs = f"{summary.submitted:,} runs submitted{again}{spent}" if summary.submitted else "nothing submitted"
    requests = f", {summary.requests:,} requests" if summary.requests else ""
    return [where + counts_line(summary.rows), f"{runs}{requests}, {duration(summary.seconds)}"]
