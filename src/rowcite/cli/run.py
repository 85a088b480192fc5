"""`rowcite run`: plan, submit, wait, write."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

import click

from rowcite.cli.console import Console
from rowcite.cli.options import console, prepared, speak_options, spec_argument, spend_options, table_options

if TYPE_CHECKING:
    from rowcite.pipeline.escalate import EscalationRound
    from rowcite.pipeline.job import Job
    from rowcite.pipeline.plan import Plan
    from rowcite.progress import Progress

_ASK_ABOVE = 1_000_000  # micro-US$: one dollar


@click.command("run", short_help="Plan, submit, wait, write; goes on where an earlier run stopped.")
@spec_argument
@table_options
@spend_options
@click.option("-y", "--yes", is_flag=True, help="Spend without asking.")
@click.option(
    "--wait-lock",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long for another command that has the ledger.",
)
@click.option(
    "--escalate-anyway",
    is_flag=True,
    help="Ask again of the next processor though more than half of the first answers would be.",
)
@click.option("--no-progress", is_flag=True, help="Draw no progress bar.")
@speak_options
def command(
    spec: str, *, as_json: bool, yes: bool, escalate_anyway: bool, no_progress: bool, **flags: Any
) -> int:
    """Enrich the table of SPEC and write it.

    Answers that the ledger holds are not asked for again: after an interruption, run the same command again.
    """
    from rowcite.cli import render
    from rowcite.model import RowStatus
    from rowcite.pipeline.run import run

    speak = console(flags)
    with prepared(spec, flags) as ready:
        job = ready.job
        if ready.output is None:
            raise click.UsageError("no table to write: set output.path in the spec, or give --output")
        if as_json and ready.output == "-":
            raise click.UsageError("--json and a table on stdout do not go together: give --output a file")

        ask = not yes and _on_terminal(sys.stdin) and _on_terminal(sys.stderr)
        summary, held = run(
            ready,
            _progress(speak, job, quiet=no_progress),
            agree=partial(_agree, speak, job, ask=ask),
            climb=lambda rung: escalate_anyway or (ask and _agree_to_climb(rung)),
        )
    if as_json:
        render.as_json(summary.as_dict())
    for text, runs in summary.warnings.items():
        speak.warning(f"{text} ({runs:,} runs)")
    for line in render.summary_lines(summary, job):
        speak.info(line)
    if held is not None:
        speak.error(str(held))
    elif summary.exit_code:
        speak.error(
            f"{summary.rows[RowStatus.FAILED]:,} rows failed, more than limits.max_failed allows: see rowcite_error in the table"
        )
    return summary.exit_code


def _agree(speak: Console, job: Job, plan: Plan, *, ask: bool) -> None:
    from rowcite.cli import render

    for line in render.plan_lines(job, plan):
        speak.info(line)
    if ask and plan.cost > _ASK_ABOVE:
        click.confirm(f"Spend {render.usd(plan.cost)}?", err=True, abort=True)


def _agree_to_climb(rung: EscalationRound) -> bool:
    from rowcite.cli import render

    text = (
        f"Of the first {rung.answers} answers {rung.left_open} were not accepted. Ask {', '.join(rung.processors)} again"
        f" for {rung.tasks:,} rows, {render.usd(rung.cost)}?"
    )
    return click.confirm(text, err=True)


def _progress(speak: Console, job: Job, *, quiet: bool) -> Progress:
    from rowcite.cli.bar import Bar, Lines

    on_terminal = _on_terminal(sys.stderr) and speak.form == "text" and not quiet and not speak.quiet
    return Bar(speak, free=job.local) if on_terminal else Lines(speak, free=job.local)


def _on_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()  # None: closed by who started us
