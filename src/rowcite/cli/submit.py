"""`rowcite submit`: send the tasks of a table, and end."""

from __future__ import annotations

from typing import Any

import click

from rowcite.cli.options import output_options, read_only_options, spec_argument, spend_options
from rowcite.cli.sending import sending, sending_options


@click.command("submit")
@spec_argument
@read_only_options
@spend_options
@sending_options("yes", "wait-lock")
@output_options
def command(spec: str, **flags: Any) -> int:
    """Send every task of SPEC's table that has no answer and is not active, and end without waiting for answers.

    Writes no table. Safe to repeat: what was sent is not sent again.
    """
    from rowcite.pipeline.run import submit

    with sending(spec, flags, writes=False) as work:
        work.outcome = submit(*work.parts)
    return work.exit_code
