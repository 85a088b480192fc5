"""`rowcite run`: plan, submit, wait, write."""

from __future__ import annotations

from typing import Any

import click

from rowcite.cli.options import output_options, replace_option, spec_argument, spend_options, table_options
from rowcite.cli.sending import sending, sending_options


@click.command("run")
@spec_argument
@table_options
@replace_option
@spend_options
@sending_options("yes", "wait-lock", "escalate-anyway")
@output_options
def command(spec: str, **flags: Any) -> int:
    """Enrich the table of SPEC and write it. A command that stops early does not replace a richer table.

    Answers in the ledger are not requested again: after an interruption, run the same command again.
    """
    from rowcite.pipeline.run import run

    with sending(spec, flags) as work:
        work.outcome = run(*work.parts)
    return work.exit_code
