"""`rowcite collect`: take the answers that are ready, and write the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import (
    duration_value,
    max_cost_option,
    output_options,
    replace_option,
    spec_argument,
    table_options,
)
from rowcite.cli.sending import sending, sending_options

if TYPE_CHECKING:
    from datetime import timedelta


@click.command("collect")
@spec_argument
@click.option(
    "--wait",
    callback=duration_value,
    metavar="DURATION",
    help="Wait up to DURATION (90s, 30m, 2h) for the answers that are not ready.",
)
@table_options
@replace_option
@max_cost_option
@sending_options("wait-lock", "escalate-anyway")
@output_options
def command(spec: str, *, wait: timedelta | None, **flags: Any) -> int:
    """Take the answers to what `submit` sent, send rejected rows to the next processor, and write the table.

    Ends with 5 while rows are pending. Safe to repeat. Sends no row that `submit` has not sent.
    """
    from rowcite.pipeline.run import collect

    with sending(spec, flags) as work:
        work.outcome = collect(*work.parts, wait=wait)
    return work.exit_code
