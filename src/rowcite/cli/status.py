"""`rowcite status`: the status of every row, and the spend so far."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import output_options, prepared, spec_argument, start_console, table_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rowcite.ledger import Ledger
    from rowcite.pipeline.last_write import Totals
    from rowcite.pipeline.prepare import Prepared


@click.command("status")
@spec_argument
@table_options
@output_options
def command(spec: str, *, as_json: bool, **flags: Any) -> int:
    """Show the number of SPEC's rows with each status, the runs in the ledger, and their cost."""
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.unknown_work import copy_text
    from rowcite.pipeline.which_api import Use, api_text

    console = start_console(flags)
    with prepared(spec, flags, Use.LOOK) as ready:
        ledger = open_ledger(ready.ledger, writing=False)
        found, at, counted = _counted(ready, ledger)
        copied = copy_text(ledger)
        ledger.close()
    if copied:
        console.warning(copied)
    if as_json:
        render.as_json(
            {
                "rows": found.rows.as_dict(),
                "runs": found.runs,
                "spent_usd": found.spent / render.MICRO,
                "spent_on_failed_usd": found.failed / render.MICRO,
                "warnings": found.warnings,
                "last_write": at,
                "api": ready.api,
                "ledger": str(ready.ledger),
            }
        )
        return 0
    render.line(f"{render.counts_line(found.rows)} (answers of {api_text(ready.api)}; {counted})")
    for text in _run_lines(found, ready.ledger):
        render.line(text)
    return 0


def _counted(ready: Prepared, ledger: Ledger) -> tuple[Totals, str | None, str]:
    """Return the totals, the time of the write that counted them (None: they are counted now), and how they were counted."""
    from rowcite.pipeline.last_write import last_write, totals
    from rowcite.pipeline.write import row_counts

    last = last_write(ready.job, ledger, ready.ledger)
    if isinstance(last, tuple):
        found, at = last
        return found, at, f"counted by the last write, {at[:16].replace('T', ' ')} UTC"
    return (
        totals(row_counts(ready.job, ledger), ledger),
        None,
        f"counted now: {last} since the last write" if last else "counted now",
    )


def _run_lines(found: Totals, folder: Path) -> Iterator[str]:
    """Yield what is known of the runs: their states, their cost, and the API's warnings about them."""
    from rowcite.cli import render
    from rowcite.model import ACTIVE

    counts = Counter[str]()
    for state, runs in sorted(found.runs.items()):
        counts["active" if state in ACTIVE else state] += runs
    words = ", ".join(f"{runs:,} {word}" for word, runs in counts.items())
    yield f"{render.plural(counts.total(), 'run')}: {words or 'none'}"
    of_failed = f", {render.usd(found.failed)} of it on failed runs" if found.failed else ""
    yield f"{render.usd(found.spent)} spent at list price{of_failed} ({folder})"
    for text, runs in found.warnings.items():
        yield f"warning: {text} ({render.plural(runs, 'run')})"
