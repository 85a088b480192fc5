"""`rowcite status`: the status of every row, and the spend so far."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import output_options, prepared, spec_argument, start_console, table_options

if TYPE_CHECKING:
    from rowcite.ledger import Ledger


@click.command("status")
@spec_argument
@table_options
@output_options
def command(spec: str, *, as_json: bool, **flags: Any) -> int:
    """Show the number of SPEC's rows with each status, the runs in the ledger, and their cost."""
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.model import ACTIVE, Counts
    from rowcite.pipeline.unknown_work import copy_text
    from rowcite.pipeline.which_api import Use, api_text
    from rowcite.pipeline.write import count, merged

    console = start_console(flags)
    with prepared(spec, flags, Use.LOOK) as ready:
        ledger = open_ledger(ready.ledger, writing=False)
        rows = Counts()
        for _, columns in merged(ready.job, ledger, native=True):
            count(rows, columns)
        runs, spent, warnings = _runs(ledger), ledger.spent(), ledger.warnings()
        failed = sum(item.failed_cost for item in ledger.spend_by_processor())
        copied = copy_text(ledger)
        ledger.close()
    if copied:
        console.warning(copied)
    if as_json:
        render.as_json(
            {
                "rows": rows.as_dict(),
                "runs": runs,
                "spent_usd": spent / render.MICRO,
                "spent_on_failed_usd": failed / render.MICRO,
                "warnings": warnings,
                "api": ready.api,
                "ledger": str(ready.ledger),
            }
        )
        return 0
    render.line(f"{render.counts_line(rows)} (answers of {api_text(ready.api)})")
    counts = Counter[str]()
    for state, count_ in runs.items():
        counts["active" if state in ACTIVE else state] += count_
    words = ", ".join(f"{count_:,} {word}" for word, count_ in counts.items())
    render.line(f"{render.plural(counts.total(), 'run')}: {words or 'none'}")
    of_failed = f", {render.usd(failed)} of it on failed runs" if failed else ""
    render.line(f"{render.usd(spent)} spent at list price{of_failed} ({ready.ledger})")
    for text, count_ in warnings.items():
        render.line(f"warning: {text} ({render.plural(count_, 'run')})")
    return 0


def _runs(ledger: Ledger) -> dict[str, int]:
    """Return the number of runs in each state; completed ones with a damaged answer are `damaged`."""
    from rowcite.model import RunState

    runs, damaged = (
        {str(state): count for state, count in ledger.state_counts().items()},
        ledger.damaged_runs(),
    )
    if damaged:
        completed = runs.pop(RunState.COMPLETED) - damaged
        runs = {**({str(RunState.COMPLETED): completed} if completed else {}), **runs, "damaged": damaged}
    return runs
