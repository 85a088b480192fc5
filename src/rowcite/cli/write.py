"""`rowcite write`: merges the stored answers into the table, without network."""

from __future__ import annotations

from typing import Any

import click

from rowcite.cli.options import output_options, prepared, spec_argument, start_console, table_options


@click.command("write", short_help="Merge the stored answers into the table; no network.")
@spec_argument
@table_options
@output_options
def command(spec: str, *, as_json: bool, **flags: Any) -> int:
    """Write the table of SPEC with the answers that are in the ledger."""
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.which_api import Use, api_text
    from rowcite.pipeline.write import write

    console = start_console(flags)
    with prepared(spec, flags, Use.KEEP) as ready:
        if ready.output is None:
            raise click.UsageError("no table to write: set output.path in the spec, or give --output")
        if as_json and ready.output == "-":
            raise click.UsageError("--json and --output - both write to stdout: give --output a file")
        ledger = open_ledger(ready.ledger, writing=False)
        counts = write(ready.job, ledger, ready.output)
        ledger.close()
    if as_json:
        render.as_json({"rows": counts.as_dict(), "output": ready.output, "api": ready.api})
    where = "" if ready.output == "-" else f"{ready.output}: "
    console.info(f"{where}{render.counts_line(counts)} (answers of {api_text(ready.api)})")
    return 0
