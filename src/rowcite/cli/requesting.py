"""What `eval` and `compare` have in common: the processors to ask, and the answers that they request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from rowcite.cli.console import Console

if TYPE_CHECKING:
    from rowcite.ledger import Ledger
    from rowcite.pipeline.job import Job
    from rowcite.pipeline.prepare import Prepared


def processor_names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Return the names in a flag such as `lite,core`, each once."""
    return tuple(dict.fromkeys(name.strip() for name in (value or "").split(",") if name.strip()))


@contextmanager
def answers(
    console: Console, ready: Prepared, jobs: Sequence[Job], *, yes: bool, quiet: bool
) -> Iterator[Ledger]:
    """Open the ledger to read the answers of some jobs: those that are not stored are requested, after one confirmation."""
    from rowcite.ledger import open_ledger

    if jobs:
        _request(console, ready, jobs, yes=yes, quiet=quiet)
    with closing(open_ledger(ready.ledger, writing=False)) as ledger:
        yield ledger


def _request(console: Console, ready: Prepared, jobs: Sequence[Job], *, yes: bool, quiet: bool) -> None:
    from rowcite.cli import render
    from rowcite.cli.sending import confirmed_spend, interrupted, progress_for
    from rowcite.evaluation.requests import request_answers

    def confirm(text: str, cost: int) -> bool:
        console.info(text)
        return confirmed_spend(cost, yes=yes)

    console.draws = console.draws and not quiet
    progress = progress_for(console, ready.job)
    console.on_interrupt = partial(interrupted, progress, free=ready.job.local)
    spent = request_answers(ready, jobs, progress, confirm)
    console.on_interrupt = None
    console.info(f"{render.plural(spent.submitted, 'run')} submitted, {render.usd(spent.cost)} spent")
