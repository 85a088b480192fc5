"""`rowcite write`: merges the stored answers into the table, without network."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from rowcite.cli.options import (
    output_options,
    prepared,
    replace_option,
    spec_argument,
    start_console,
    table_options,
)


@click.command("write", short_help="Merge the stored answers into the table; no network.")
@spec_argument
@table_options
@replace_option
@output_options
def command(spec: str, *, as_json: bool, **flags: Any) -> int:
    """Write the table of SPEC with the answers that are in the ledger. A richer table is not replaced."""
    from rowcite.cli import render
    from rowcite.errors import Incomplete
    from rowcite.ledger import open_ledger
    from rowcite.model import Counts, RowStatus
    from rowcite.pipeline.which_api import Use, api_text
    from rowcite.pipeline.write import pending_text, unfinished_text, write

    def exit_code(rows: Counts) -> int:
        return Incomplete.exit_code if rows[RowStatus.PENDING] else 0

    console = start_console(flags)
    with prepared(spec, flags, Use.KEEP, writes=True) as ready:
        if ready.output is None:
            raise click.UsageError("no table to write: set output.path in the spec, or give --output")
        if as_json and ready.output == "-":
            raise click.UsageError("--json and --output - both write to stdout: give --output a file")
        ledger = open_ledger(ready.ledger, writing=False)
        written = write(ready.job, ledger, ready.output, exit_code=exit_code, replace=ready.replace)
        ledger.close()
    if as_json:
        render.as_json(
            {
                "rows": written.rows.as_dict(),
                "output": written.place,
                "output_warning": written.warning,
                "api": ready.api,
            }
        )
    if written.warning is not None:
        console.warning(written.warning)
    console.info(f"{render.rows_line(written.place, written.rows)} (answers of {api_text(ready.api)})")
    again = ready.command("run")
    if unfinished := unfinished_text(written, partial(pending_text, command=again), again):
        console.error(unfinished)
    return written.exit_code
