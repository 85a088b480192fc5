"""What commands that send have in common: their flags, what they ask, and what they report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rowcite.cli.console import Console, on_terminal
from rowcite.cli.options import prepared, start_console
from rowcite.cli.streams import ReaderGone, StdoutFailed, check_stdout

if TYPE_CHECKING:
    from rowcite.cli.bar import Meter
    from rowcite.ledger import Ledger
    from rowcite.pipeline.escalate import EscalationRound
    from rowcite.pipeline.execution import Confirmations, Outcome
    from rowcite.pipeline.job import Job
    from rowcite.pipeline.plan import Plan
    from rowcite.pipeline.prepare import Prepared
    from rowcite.pipeline.summary import Summary
    from rowcite.progress import Progress

F = TypeVar("F", bound=Callable[..., Any])
_ASK_ABOVE = 1_000_000  # micro-US$: one dollar
_OPTIONS = {
    "yes": click.option("-y", "--yes", is_flag=True, help="Spend without asking."),
    "wait-lock": click.option(
        "--wait-lock",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="SECONDS",
        help="Wait up to SECONDS for the ledger lock.",
    ),
    "escalate-anyway": click.option(
        "--escalate-anyway",
        is_flag=True,
        help="Escalate although more than half of the first 100 answers were rejected.",
    ),
}


def sending_options(*names: str) -> Callable[[F], F]:
    """Return the decorator that adds the named flags of commands that send."""

    def add(command: F) -> F:
        for name in reversed(names):
            command = _OPTIONS[name](command)
        return command

    return add


class Sending:
    """A command that sends: the arguments of its work, and the outcome of that."""

    outcome: Outcome

    def __init__(self, parts: tuple[Prepared, Progress, Confirmations]) -> None:
        self.parts = parts

    @property
    def exit_code(self) -> int:
        """Return the exit code of the command."""
        return self.outcome[0].exit_code


@contextmanager
def sending(spec: str, flags: dict[str, Any], *, writes: bool = True) -> Iterator[Sending]:
    """Prepare a command that sends, and report the outcome that its block sets.

    `writes` is True if it writes the output table.
    """
    from rowcite.pipeline.execution import Confirmations

    as_json, yes = flags.pop("as_json"), flags.pop("yes", False)
    escalate_anyway = flags.pop("escalate_anyway", False)
    console = start_console(flags)
    with prepared(spec, flags, writes=writes) as ready:
        job = ready.job
        if writes:
            _check_output(ready.output, as_json=as_json)
        ask = not yes and on_terminal(sys.stdin) and on_terminal(sys.stderr)
        confirm = Confirmations(
            partial(_confirm_plan, console, ready, ask=ask),
            lambda escalation: escalate_anyway or (ask and _confirm_escalation(escalation)),
        )
        progress = progress_for(console, job, sends=not writes)
        console.on_interrupt = partial(interrupted, progress, free=job.local)
        command = Sending((ready, progress, confirm))
        yield command
    _report(console, job, command.outcome, as_json=as_json)


def _report(console: Console, job: Job, outcome: Outcome, *, as_json: bool) -> None:
    """Report the outcome of a command."""
    from rowcite.cli import render

    summary, stopped_by = outcome
    if as_json:
        print_summary(summary)
    for text, runs in summary.warnings.items():
        console.warning(f"{text} ({render.plural(runs, 'run')})")
    if summary.output_warning is not None:
        console.warning(summary.output_warning)
    for text in summary.output_notes:
        console.warning(f"{summary.output}: {text}")
    console.info(*render.summary_lines(summary, job), event="summary", **render.summary_fields(summary))
    if stopped_by is not None:
        console.error(*stopped_by.lines, exit_code=summary.exit_code)
    elif summary.stopped is not None:
        console.error(summary.stopped, exit_code=summary.exit_code)


def print_summary(summary: Summary) -> None:
    """Write a summary to stdout as JSON. If that fails, `run_results.json` has the exit code of the failure."""
    from pathlib import Path

    from rowcite.cli import render
    from rowcite.pipeline.summary import leave

    try:
        render.as_json(summary.as_dict())
    except (ReaderGone, StdoutFailed) as error:
        summary.exit_code = error.exit_code
        summary.stopped = str(error) or "The reader of stdout has gone away"
        leave(summary, Path(summary.ledger), has_lock=False)
        raise


def _check_output(output: str | None, *, as_json: bool) -> None:
    if output is None:
        raise click.UsageError("no table to write: set output.path in the spec, or give --output")
    if as_json and output == "-":
        raise click.UsageError("--json and --output - both write to stdout: give --output a file")
    if output == "-":
        check_stdout()


def _confirm_plan(console: Console, ready: Prepared, plan: Plan, *, ask: bool) -> bool:
    """Show the plan, check that there is a key for it, and ask."""
    from rowcite.cli import render
    from rowcite.pipeline.prepare import api_key

    job = ready.job
    console.info(*render.plan_lines(job, plan), event="plan", **render.plan_fields(job, plan))
    for text in plan.warnings if console.quiet else ():  # else they are part of the plan
        console.warning(text)
    if plan.to_submit:
        api_key(ready)
    return not ask or plan.cost <= _ASK_ABOVE or _confirmed(f"Spend {render.usd(plan.cost)}?")


def _confirm_escalation(escalation: EscalationRound) -> bool:
    from rowcite.cli import render

    text = (
        f"{escalation.unresolved} of the first {escalation.answers} answers were rejected. Retry {render.plural(escalation.tasks, 'row')}"
        f" with {', '.join(escalation.processors)} for {render.usd(escalation.cost)}?"
    )
    return _confirmed(text)


def _confirmed(question: str) -> bool:
    return Console.current().ask(f"{question} [y/N]").lower() in {"y", "yes"}


def interrupted(meter: Meter, *, free: bool) -> str:
    """Return what a user needs to know after a signal."""
    from rowcite.wording import plural

    counts = meter.counts
    if not counts.tasks:
        return "Interrupted: nothing was submitted. Run the same command to continue"
    done = f"Interrupted: {meter.position:,} of {plural(counts.tasks, 'task')} {meter.word}"
    if not counts.active or meter.sends:
        return f"{done}. Run the same command to continue"
    return f"{done}, {counts.active:,} active{'' if free else ' and already paid for'}. Run the same command to collect them"


def progress_for(console: Console, job: Job, *, sends: bool = False) -> Meter:
    """Return a bar on a terminal, else plain lines. `sends`: tasks are sent and not followed."""
    from rowcite.cli.bar import Bar, Lines

    return (Bar if console.draws else Lines)(console, free=job.local, sends=sends)


def confirmed_spend(cost: int, *, yes: bool) -> bool:
    """Ask on a terminal before more than a dollar (micro-US$) is spent; return True to spend."""
    from rowcite.api.facts import usd

    ask = not yes and on_terminal(sys.stdin) and on_terminal(sys.stderr)
    return not ask or cost <= _ASK_ABOVE or _confirmed(f"Spend {usd(cost)}?")


def processor_names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Return the names in a flag such as `lite,core`, each once."""
    return tuple(dict.fromkeys(name.strip() for name in (value or "").split(",") if name.strip()))


@contextmanager
def answers(console: Console, ready: Prepared, jobs: Sequence[Job], *, yes: bool) -> Iterator[Ledger]:
    """Open the ledger to read the answers of some jobs: those that are not stored are requested, after one confirmation."""
    from rowcite.ledger import open_ledger

    if jobs:
        _request(console, ready, jobs, yes=yes)
    with closing(open_ledger(ready.ledger, writing=False)) as ledger:
        yield ledger


def _request(console: Console, ready: Prepared, jobs: Sequence[Job], *, yes: bool) -> None:
    from rowcite.cli import render
    from rowcite.evaluation.requests import request_answers

    def confirm(text: str, cost: int) -> bool:
        console.info(text)
        return confirmed_spend(cost, yes=yes)

    progress = progress_for(console, ready.job)
    console.on_interrupt = partial(interrupted, progress, free=ready.job.local)
    spent = request_answers(ready, jobs, progress, confirm)
    console.on_interrupt = None
    console.info(f"{render.plural(spent.submitted, 'run')} submitted, {render.usd(spent.cost)} spent")
