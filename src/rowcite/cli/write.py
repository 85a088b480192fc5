"""`rowcite write`: merges the stored answers into the table, without network."""

from __future__ import annotations

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


@click.command("write")
@spec_argument
@table_options
@replace_option
@output_options
def command(spec: str, *, as_json: bool, **flags: Any) -> int:
    """Write the table of SPEC with the answers that are in the ledger. A richer table is not replaced."""
    from rowcite.cli import render
    from rowcite.cli.sending import print_summary
    from rowcite.pipeline.execution import write_stored
    from rowcite.pipeline.which_api import Use, api_text

    console = start_console(flags)
    with prepared(spec, flags, Use.KEEP, writes=True) as ready:
        if ready.output is None:
            raise click.UsageError("no table to write: set output.path in the spec, or give --output")
        if as_json and ready.output == "-":
            raise click.UsageError("--json and --output - both write to stdout: give --output a file")
        summary, stopped_by = write_stored(ready)
    if as_json:
        print_summary(summary)
    if summary.output_warning is not None:
        console.warning(summary.output_warning)
    for text in summary.output_notes:
        console.warning(f"{summary.output}: {text}")
    console.info(
        f"{render.rows_line(summary.output, summary.rows)} (answers of {api_text(ready.api)})",
        *render.coverage_lines(summary),
        *render.next_lines(summary),
        event="summary",
        **render.summary_fields(summary),
    )
    if stopped_by is not None:
        console.error(*stopped_by.lines, exit_code=summary.exit_code)
    return summary.exit_code
