"""Plans, row counts and summaries as text and as JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from rowcite.api.facts import MICRO, usd, usd_each
from rowcite.cli.console import folded
from rowcite.cli.events import EVENTS
from rowcite.inert import one_line
from rowcite.progress import duration
from rowcite.wording import percent, plural

if TYPE_CHECKING:
    from rowcite.model import Counts
    from rowcite.pipeline.job import Job
    from rowcite.pipeline.plan import Plan
    from rowcite.pipeline.summary import Summary

_MOST_CHANGES = 5
_MOST_FIELDS, _TOP_REASONS = 15, 5

__all__ = [
    "MICRO",
    "as_json",
    "counts_line",
    "coverage_lines",
    "input_lines",
    "line",
    "next_lines",
    "plan_dict",
    "plan_fields",
    "plan_lines",
    "plural",
    "rows_line",
    "summary_fields",
    "summary_lines",
    "usd",
    "write_output",
]


def as_json(value: dict[str, Any]) -> None:
    """Write one JSON object to stdout."""
    click.echo(one_line(json.dumps(value, ensure_ascii=False)))


def write_output(target: str, content: bytes) -> None:
    """Write what a command has made to a file, or to stdout if the target is `-`."""
    import io
    from pathlib import Path

    from rowcite.files import write_errors, write_whole
    from rowcite.table.sinks.destination import write_to_stdout

    if target == "-":
        write_to_stdout(io.BytesIO(content))
        return
    with write_errors(target):
        write_whole(Path(target), content)


def line(text: str) -> None:
    """Write a line to stdout, with control characters escaped; on a terminal it is folded between words."""
    click.echo(folded(one_line(text), sys.stdout))


def plan_dict(job: Job, plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON; money in US$. The keys are listed in docs/commands.md."""
    return {
        "rows": plan.rows,
        "rows_within_limit": plan.requested,
        "skipped": plan.skipped,
        "too_large": plan.too_large,
        "tasks": plan.tasks,
        "answered": plan.answered,
        "damaged": plan.damaged,
        "active": plan.active,
        "failed": plan.failed,
        "to_submit": plan.to_submit,
        "runs": plan.runs,
        "to_escalate": plan.to_escalate,
        "stored_for_other_questions": plan.stored_for_other_questions,
        "changes": plan.changes,
        "requested_again": plan.requested_again,
        "too_old": plan.too_old,
        "processor": job.spec.task.processor,
        "price_usd": plan.price / MICRO,
        "cost_usd": plan.cost / MICRO,
        "expected_cost_usd": _dollars(plan.expected),
        "worst_cost_usd": _dollars(plan.worst),
        "expected_is_assumed": plan.expected_is_assumed,
        "requests": plan.requests,
        "seconds": plan.seconds,
        "sample": None if plan.sample is None else json.loads(plan.sample),
        "warnings": plan.warnings,
    }


def plan_fields(job: Job, plan: Plan) -> dict[str, Any]:
    """Return the fields of a plan in a JSON log."""
    return {name: plan_dict(job, plan)[name] for name in EVENTS["plan"].fields}


def summary_fields(summary: Summary) -> dict[str, Any]:
    """Return the fields of a summary in a JSON log."""
    values = summary.as_dict()
    return {name: values[name] for name in EVENTS["summary"].fields}


def _dollars(micro: int | None) -> float | None:
    return None if micro is None else micro / MICRO


def plan_lines(job: Job, plan: Plan) -> list[str]:
    """Return a plan as lines of text."""
    from rowcite.pipeline.which_api import api_text

    return [
        f"API: {api_text(job.question.named['api'])}",
        _rows_line(plan),
        *_damaged_answers(job, plan),
        _work_line(job, plan),
        *_escalation(job, plan),
        *_earlier_answers(job, plan),
        *(f"warning: {text}" for text in plan.warnings),
    ]


def _rows_line(plan: Plan) -> str:
    left_out = [f"{plan.skipped:,} skipped"] if plan.skipped else []
    left_out += [f"{plan.too_large:,} too large to send"] if plan.too_large else []
    states = [f"{plan.answered:,} answered"] if plan.answered else []
    states += [f"{plan.active:,} active"] if plan.active else []
    states += [f"{plan.failed:,} failed (retry with --retry-failed)"] if plan.failed else []
    within = "" if plan.requested == plan.rows else f", {plan.requested:,} within --limit"
    rows = plural(plan.rows, "row") + within + (f" ({', '.join(left_out)})" if left_out else "")
    return f"{rows}, {plural(plan.tasks, 'distinct task')}" + (f": {', '.join(states)}" if states else "")


def _damaged_answers(job: Job, plan: Plan) -> list[str]:
    if not plan.damaged:
        return []
    verb, them = ("is", "it") if plan.damaged == 1 else ("are", "them")
    command = f"rowcite ledger prune {job.spec.file} --damaged"
    remedy = f"`{command}` forgets {them}, and the next run requests and pays for {them} again"
    return [f"warning: {plural(plan.damaged, 'stored answer')} {verb} damaged. {remedy}"]


def _work_line(job: Job, plan: Plan) -> str:
    if not plan.to_submit:
        return "nothing to submit"
    return f"{_submit_text(job, plan)}, {_cost_text(job, plan)}; about {plural(plan.requests, 'request')}{_time(plan)}"


def _submit_text(job: Job, plan: Plan) -> str:
    text = f"{plan.to_submit:,} to submit to {job.spec.task.processor}"
    if plan.runs == plan.to_submit:
        return text
    saved = "" if job.local else f", {usd((plan.to_submit - plan.runs) * plan.price)} less than one run a row"
    return f"{text} in {plural(plan.runs, 'run')} of up to {job.spec.task.records_per_run} rows{saved}"


def _cost_text(job: Job, plan: Plan) -> str:
    return (
        "free: answered by the local server" if job.local else f"{usd(plan.cost)} at {usd(plan.price)} a run"
    )


def _escalation(job: Job, plan: Plan) -> list[str]:
    """Return the line about retries of rejected values, and their cost."""
    if plan.worst is None or plan.expected is None or not (plan.to_submit or plan.to_escalate):
        return []
    now = f" (now {plural(plan.to_escalate, 'row')} of earlier answers)" if plan.to_escalate else ""
    text = f"rejected values are retried with {', then '.join(job.spec.escalate)}{now}"
    if not job.spec.escalate:
        text = "rows that an answer leaves out are sent again, one row a run"
    if job.local:
        return [text]
    assumed = ", assuming that half of the rows escalate at each step" if plan.expected_is_assumed else ""
    costs = f"{usd(plan.expected)} expected in total{assumed}, {usd(plan.worst)} at most"
    return [f"{text}: {costs}; never more than limits.max_cost_usd"]


def _earlier_answers(job: Job, plan: Plan) -> list[str]:
    """Return the lines about stored answers that are requested again."""
    lines = []
    if plan.too_old:
        why = "ignored (--fresh)" if job.fresh else f"older than {_age(job)}"
        lines.append(
            f"{plural(plan.too_old, 'stored answer')} {_are(plan.too_old)} {why}: {_again(plan, plan.too_old, job)}"
        )
    if plan.changes and plan.requested_again:
        shown = plan.changes[:_MOST_CHANGES]
        if more := len(plan.changes) - len(shown):
            shown.append(plural(more, "more change"))
        text, first = "; ".join(shown), shown[0]
        lines.append(
            f"{first[0].upper()}{text[1:]}: {plural(plan.requested_again, 'answer')} {_are(plan.requested_again)} {_again(plan, plan.requested_again, job)}"
        )
    return lines


def _again(plan: Plan, answers: int, job: Job) -> str:
    cost = round(plan.cost * answers / plan.to_submit)
    return f"requested again{'' if job.local else f' ({usd(cost)})'}"


def _age(job: Job) -> str:
    age = job.spec.cache.max_age
    assert age is not None  # else nothing is too old
    return plural(age.days, "day") if age.days > 1 else duration(age.total_seconds())


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def input_lines(sample: dict[str, Any]) -> list[str]:
    """Return the input of a sample request body as lines: each name with its value."""
    value = sample["inputs"][0]["input"]
    if isinstance(value, dict) and isinstance(value.get("records"), list) and len(value) == 1:
        value = {name: part for name, part in value["records"][0].items() if name != "key"}
    if not isinstance(value, dict):
        return [f"  {part}" for part in str(value).split("\n")]
    width = max(map(len, value), default=0) + 1
    texts = {
        name: part if isinstance(part, str) else json.dumps(part, ensure_ascii=False)
        for name, part in value.items()
    }
    return [f"  {f'{name}:':{width}} {text}" for name, text in texts.items()]


def _time(plan: Plan) -> str:
    if plan.seconds is None:
        return ""
    low, high = plan.seconds
    return f", {duration(low)} to {duration(high)}"


def counts_line(rows: Counts) -> str:
    """Return the number of rows with each status; statuses without rows are left out."""
    from rowcite.model import RowStatus

    parts = [f"{rows[status]:,} {status}" for status in RowStatus if rows[status]]
    return f"{plural(rows.total(), 'row')}: {', '.join(parts) or 'none'}"


def rows_line(output: str | None, rows: Counts) -> str:
    """Return the number of rows with each status, and the table that they are in."""
    return ("" if output in (None, "-") else f"{output}: ") + counts_line(rows)


def summary_lines(summary: Summary, job: Job) -> list[str]:
    """Return the summary of a command as lines of text: a name, then what it did or found."""
    spent = "" if job.local else f", {usd(round(summary.spent_usd * MICRO))} spent"
    retried = f" ({summary.retried:,} retried)" if summary.retried else ""
    runs = (
        f"{plural(summary.submitted, 'run')} submitted{retried}{spent}"
        if summary.submitted
        else "nothing submitted"
    )
    requests = f", {plural(summary.requests, 'request')}" if summary.requests else ""
    rows = [rows_line(summary.output, summary.rows)] if summary.rows or summary.output else []
    return [
        *rows,
        *coverage_lines(summary),
        *_named("work", [f"{runs}{requests}, {duration(round(summary.seconds))}"]),
        *_named("cost", [] if job.local else _cost_of_cells(summary)),
        *next_lines(summary),
    ]


def coverage_lines(summary: Summary) -> list[str]:
    """Return how many rows each field is filled in, and the most frequent reasons against values."""
    of = summary.answered_rows
    shown = list(summary.filled.items())[:_MOST_FIELDS] if of else []
    width = max((len(name) for name, _ in shown), default=0)
    digits = len(f"{of:,}")
    filled = [f"{name:{width}}  {rows:>{digits},} of {of:,}  {percent(rows, of):>4}" for name, rows in shown]
    if more := len(summary.filled) - len(shown) if of else 0:
        filled.append(plural(more, "more field"))
    reasons = list(summary.reasons.items())[:_TOP_REASONS]
    digits = max((len(f"{rows:,}") for _, rows in reasons), default=0)
    return [
        *_named("filled", filled),
        *_named("reasons", [f"{rows:>{digits},}  {text}" for text, rows in reasons]),
    ]


def next_lines(summary: Summary) -> list[str]:
    """Return what to type next."""
    return _named("next", summary.next)


def _cost_of_cells(summary: Summary) -> list[str]:
    if not summary.accepted_cells or not summary.total_spent_usd:
        return []
    total = usd(round(summary.total_spent_usd * MICRO))
    each = usd_each(summary.total_spent_usd * MICRO, summary.accepted_cells)
    return [f"{each} for each of {plural(summary.accepted_cells, 'accepted value')} ({total} spent in total)"]


def _named(name: str, lines: list[str]) -> list[str]:
    """Return lines with the name before the first of them."""
    return [f"{name if not at else '':9}{text}" for at, text in enumerate(lines)]
