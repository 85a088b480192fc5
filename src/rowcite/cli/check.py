"""`rowcite check`: validates the spec against the table and the API's limits, without network."""

from __future__ import annotations

from typing import Any

import click

from rowcite.cli.options import output_options, prepared, spec_argument, start_console, table_options


@click.command("check", short_help="Check the spec against the table and the API's limits; no network.")
@spec_argument
@table_options
@output_options
def command(spec: str, *, as_json: bool, **flags: Any) -> int:
    """Check SPEC against its table and the API's limits. Reads the whole table, uses no network."""
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.plan import plan
    from rowcite.pipeline.spec_checks import column_warnings, spec_warnings

    console = start_console(flags)
    with prepared(spec, flags) as ready:
        empty = open_ledger(ready.ledger / "none", writing=False)
        planned = plan(ready.job, empty)
        empty.close()
    checked = ready.job.spec  # the plan also warns about the ledger, which was not opened
    warnings = [*spec_warnings(checked), *column_warnings(checked, ready.job.reader.source.schema)]
    for text in warnings:
        console.warning(text)
    if as_json:
        render.as_json(
            {
                "ok": True,
                "rows": planned.rows,
                "tasks": planned.tasks,
                "skipped": planned.skipped,
                "warnings": warnings,
            }
        )
    else:
        render.line(
            f"{spec}: ok. {render.plural(planned.rows, 'row')}, {render.plural(planned.tasks, 'distinct task')},"
            f" {planned.skipped:,} skipped"
        )
    return 0
