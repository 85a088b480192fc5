"""`rowcite plan`: what a run would submit and cost; spends nothing."""

from __future__ import annotations

from typing import Any

import click

from rowcite.cli.options import (
    output_options,
    prepared,
    spec_argument,
    spend_options,
    start_console,
    table_options,
)


@click.command("plan")
@spec_argument
@table_options
@spend_options
@output_options
def command(spec: str, *, as_json: bool, **flags: Any) -> int:
    """Show what `rowcite run SPEC` would submit and cost, and one row's input; -v shows its request body. Sends nothing and writes nothing."""
    import json

    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.plan import plan

    console = start_console(flags)
    with prepared(spec, flags) as ready:
        ledger = open_ledger(ready.ledger, writing=False)
        planned = plan(ready.job, ledger)
        spent = ledger.spent()
        ledger.close()
        if as_json:
            render.as_json(
                {
                    **render.plan_dict(ready.job, planned),
                    "spent_usd": spent / render.MICRO,
                    "ledger": str(ready.ledger),
                    "api": ready.api,
                }
            )
            return 0
        for text in render.plan_lines(ready.job, planned):
            render.line(text)
        if spent:
            render.line(f"{render.usd(spent)} spent so far ({ready.ledger})")
        if planned.sample is not None:
            render.line("One row's input:")
            for text in render.input_lines(json.loads(planned.sample)):
                render.line(text)
            if console.verbose:
                render.line(f"Its request body: {planned.sample}")
    return 0
