"""`rowcite run`: plan, submit, wait, write."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

import click

from rowcite.cli.console import Console
from rowcite.cli.options import (
    output_options,
    prepared,
    replace_option,
    spec_argument,
    spend_options,
    start_console,
    table_options,
)

if TYPE_CHECKING:
    from rowcite.cli.bar import Bar, Lines
    from rowcite.pipeline.escalate import EscalationRound
    from rowcite.pipeline.job import Job
    from rowcite.pipeline.plan import Plan
    from rowcite.progress import TaskCounts

_ASK_ABOVE = 1_000_000  # micro-US$: one dollar


@click.command("run", short_help="Plan, submit, wait, write; continues where an earlier run stopped.")
@spec_argument
@table_options
@replace_option
@spend_options
@click.option("-y", "--yes", is_flag=True, help="Spend without asking.")
@click.option(
    "--wait-lock",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait up to SECONDS for the ledger lock.",
)
@click.option(
    "--escalate-anyway",
    is_flag=True,
    help="Escalate although more than half of the first 100 answers were rejected.",
)
@click.option("--no-progress", is_flag=True, help="Draw no progress bar.")
@output_options
def command(
    spec: str, *, as_json: bool, yes: bool, escalate_anyway: bool, no_progress: bool, **flags: Any
) -> int:
    """Enrich the table of SPEC and write it. A command that stops early does not replace a richer table.

    Answers in the ledger are not requested again: after an interruption, run the same command again.
    """
    from rowcite.cli import render
    from rowcite.model import RowStatus
    from rowcite.pipeline.run import Confirmations, run

    console = start_console(flags)
    with prepared(spec, flags, writes=True) as ready:
        job = ready.job
        if ready.output is None:
            raise click.UsageError("no table to write: set output.path in the spec, or give --output")
        if as_json and ready.output == "-":
            raise click.UsageError("--json and --output - both write to stdout: give --output a file")
        ask = not yes and _on_terminal(sys.stdin) and _on_terminal(sys.stderr)
        confirm = Confirmations(
            partial(_confirm_plan, console, job, ask=ask),
            lambda escalation: escalate_anyway or (ask and _confirm_escalation(escalation)),
        )
        progress = _progress(console, job, quiet=no_progress)
        console.on_interrupt = partial(_interrupted, progress.counts, free=job.local)
        summary, stopped_by = run(ready, progress, confirm)
    if as_json:
        render.as_json(summary.as_dict())
    for text, runs in summary.warnings.items():
        console.warning(f"{text} ({render.plural(runs, 'run')})")
    if summary.output_warning is not None:
        console.warning(summary.output_warning)
    for line in render.summary_lines(summary, job):
        console.info(line)
    if stopped_by is not None:
        console.error(str(stopped_by))
    elif summary.exit_code:
        console.error(
            f"{render.plural(summary.rows[RowStatus.FAILED], 'row')} failed, more than limits.max_failed allows:"
            " see rowcite_error in the table"
        )
    return summary.exit_code


def _confirm_plan(console: Console, job: Job, plan: Plan, *, ask: bool) -> bool:
    from rowcite.cli import render

    for line in render.plan_lines(job, plan):
        console.info(line)
    return not ask or plan.cost <= _ASK_ABOVE or _confirmed(f"Spend {render.usd(plan.cost)}?")


def _confirm_escalation(escalation: EscalationRound) -> bool:
    from rowcite.cli import render

    text = (
        f"{escalation.unresolved} of the first {escalation.answers} answers were rejected. Retry {render.plural(escalation.tasks, 'row')}"
        f" with {', '.join(escalation.processors)} for {render.usd(escalation.cost)}?"
    )
    return _confirmed(text)


def _confirmed(question: str) -> bool:
    """Ask on the terminal; the end of the input is a no. A signal interrupts it, which `click.confirm` would hide."""
    click.echo(f"{question} [y/N]: ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        click.echo(err=True)
    return answer.strip().lower() in {"y", "yes"}


def _interrupted(counts: TaskCounts, *, free: bool) -> str:
    """Return what a user needs to know after a signal."""
    if not counts.tasks:
        return "Interrupted: nothing was submitted. Run the same command to continue"
    done = f"Interrupted: {counts.done:,} of {counts.tasks:,} tasks done"
    if not counts.active:
        return f"{done}. Run the same command to continue"
    return f"{done}, {counts.active:,} active{'' if free else ' and already paid for'}. Run the same command to collect them"


def _progress(console: Console, job: Job, *, quiet: bool) -> Bar | Lines:
    from rowcite.cli.bar import Bar, Lines

    on_terminal = _on_terminal(sys.stderr) and console.form == "text" and not quiet and not console.quiet
    return Bar(console, free=job.local) if on_terminal else Lines(console, free=job.local)


def _on_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()  # None: the parent process closed it
