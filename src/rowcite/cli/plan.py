"""`rowcite plan`: what a run would do and cost; spends nothing."""

from __future__ import annotations

from typing import Any

import click

from rowcite.cli.options import prepared, speak_options, spec_argument, spend_options, table_options, voice


@click.command(
    "plan", short_help="Rows, tasks, cost and time of a run, and a sample payload; spends nothing."
)
@spec_argument
@table_options
@spend_options
@speak_options
def command(spec: str, *, as_json: bool, **flags: Any) -> int:
    """Show what `rowcite run SPEC` would submit and cost. Nothing is sent and nothing is written."""
    from rowcite.cli import show
    from rowcite.ledger import open_ledger
    from rowcite.planning import plan

    voice(flags)
    with prepared(spec, flags) as ready:
        ledger = open_ledger(ready.ledger, writing=False)
        planned = plan(ready.job, ledger)
        spent = ledger.spent()
        ledger.close()
        if as_json:
            show.as_json(
                {
                    **show.plan_dict(ready.job, planned),
                    "spent_usd": spent / show.MICRO,
                    "ledger": str(ready.ledger),
                }
            )
            return 0
        for text in show.plan_lines(ready.job, planned):
            show.line(text)
        if spent:
            show.line(f"{show.usd(spent)} spent so far ({ready.ledger})")
        if planned.sample is not None:
            show.line(f"sample payload: {planned.sample}")
    return 0
