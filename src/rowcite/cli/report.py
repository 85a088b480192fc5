"""`rowcite report`: one HTML file about the enriched table."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import (
    output_options,
    prepared,
    read_only_options,
    spec_argument,
    start_console,
    time_value,
)
from rowcite.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from rowcite.model import Counts
    from rowcite.pipeline.prepare import Prepared

rows_option = click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=1_000,
    show_default=True,
    metavar="N",
    help="Rows on the page; rows to review come first.",
)


@click.command("report")
@spec_argument
@click.option(
    "-o",
    "--output",
    metavar="HTML",
    help="Write the page here; - is stdout.  [default: beside the output table]",
)
@rows_option
@click.option(
    "--since",
    callback=time_value,
    metavar="TIME",
    help="Add a section with what changed since TIME (2026-11-01, 2026-11-01T08:00, or 7d for seven days ago).",
)
@click.option(
    "--evaluation",
    metavar="FILE",
    help="Add sections with what `rowcite eval --json` wrote to FILE: measured accuracy, cost against accuracy.",
)
@read_only_options
@output_options
def command(  # noqa: PLR0913 - the flags
    spec: str,
    output: str | None,
    rows: int,
    since: datetime | None,
    evaluation: str | None,
    *,
    as_json: bool,
    **flags: Any,
) -> int:
    """Write a report about SPEC's table as one HTML file. It loads nothing from the network and can be mailed."""
    from contextlib import closing

    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.model import RowStatus
    from rowcite.pipeline.which_api import Use, api_text

    console = start_console(flags)
    if as_json and output == "-":
        raise click.UsageError("--json and --output - both write to stdout: give --output a file")
    with report_extra("report"), prepared(spec, flags, Use.KEEP) as ready:
        from rowcite.report.gather import gather
        from rowcite.report.measured import read_measured
        from rowcite.report.page import page

        target = output or beside(ready)
        ready.check_target("--output", target)
        measured = read_measured(evaluation, ready.job.spec.name) if evaluation else None
        with closing(open_ledger(ready.ledger, writing=False)) as ledger:
            then = since.timestamp() if since else None
            facts = gather(ready.job, ledger, most_rows=rows, table=flags["input"], since=then)
        facts.measured = measured
        text = page(facts).encode()
    render.write_output(target, text)
    if as_json:
        review = {"to_review": facts.to_review, "on_page": len(facts.rows)}
        rows_of = {"rows": facts.counts.as_dict(), "api": ready.api}
        render.as_json({"output": target, "bytes": len(text), **rows_of, **review})
    if facts.counts[RowStatus.PENDING]:
        console.warning(pending_text(facts.counts, ready.command("run")))
    to_review = render.plural(facts.to_review, "row")
    size = f"{len(text) / 1_000_000:.1f} MB" if len(text) >= 100_000 else f"{len(text) / 1_000:.0f} KB"
    where = "" if target == "-" else f"{target}: "
    console.info(f"{where}{to_review} to review; {size} (answers of {api_text(ready.api)})")
    return 0


def pending_text(counts: Counts, command: str) -> str:
    """Return the warning about pending rows, with the command that completes them at the same API."""
    from rowcite.model import RowStatus
    from rowcite.wording import plural

    return f"{counts[RowStatus.PENDING]:,} of {plural(counts.total(), 'row')} still pending: run `{command}`"


def report_extra(what: str) -> AbstractContextManager[None]:
    """Turn a missing package of the report or the review into an error with the command that installs it."""
    from rowcite.wording import needs_extra

    return needs_extra("report", f"the {what} needs", UsageError)


def beside(ready: Prepared) -> str:
    """Return the default path of the page: beside the output table, named after it."""
    from pathlib import Path

    name = f"{ready.job.spec.name}.report.html"
    if ready.output in (None, "-") or "://" in str(ready.output):
        return name
    table = Path(str(ready.output))
    return str(table.with_name(f"{table.name.split('.')[0]}.report.html"))
