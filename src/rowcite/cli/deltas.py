"""`rowcite deltas`: only the changed cells, for CRM imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.console import Console
from rowcite.cli.options import (
    output_options,
    prepared,
    read_only_options,
    spec_argument,
    start_console,
    time_value,
)

if TYPE_CHECKING:
    from datetime import datetime

    from rowcite.deltas import DeltaSummary


@click.command("deltas")
@spec_argument
@click.option("-o", "--output", required=True, metavar="CSV", help="Write this CSV file.")
@click.option(
    "--key",
    required=True,
    metavar="COLUMN",
    help="The table's column that identifies a record, such as its id.",
)
@click.option(
    "--for",
    "importer",
    type=click.Choice(["hubspot", "salesforce"]),
    help="Write lists in this importer's format, and no value that it reads as an empty field.",
)
@click.option(
    "--against",
    metavar="TABLE",
    help="Leave out values that TABLE already has: an earlier deltas file, or an export with the key and the fields.",
)
@click.option(
    "--per-field", is_flag=True, help="Write one file for each field, so that no file has blank cells."
)
@click.option(
    "--since",
    callback=time_value,
    metavar="TIME",
    help="Write what changed since TIME (2026-11-01, 2026-11-01T08:00, or 7d for seven days ago), with the evidence of then and now.",
)
@read_only_options
@output_options
def command(spec: str, output: str, *, as_json: bool, **flags: Any) -> int:
    """Write the cells of SPEC's table that a run or a review changed: the key column and the changed fields."""
    from contextlib import closing
    from pathlib import Path

    from rowcite.cli import render
    from rowcite.deltas import DeltaOptions, delta_files, write_changes
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.which_api import Use, api_text
    from rowcite.wording import plural_is

    console = start_console(flags)
    if Path(output).suffix.lower() != ".csv":
        raise click.UsageError("deltas are written as CSV: give --output a name that ends in .csv")
    if (since := flags.pop("since")) is not None:
        return _write_since(spec, output, since, flags, as_json=as_json)
    options = DeltaOptions(**{name: flags.pop(name) for name in ("key", "importer", "against", "per_field")})
    with (
        prepared(spec, flags, Use.KEEP) as ready,
        closing(open_ledger(ready.ledger, writing=False)) as ledger,
    ):
        for file, _ in delta_files(ready.job, Path(output), per_field=options.per_field):
            ready.check_target("--output", str(file), "csv")
        changes = write_changes(ready.job, ledger, options, Path(output))
    if as_json:
        counts = {name: getattr(changes, name) for name in changes.__slots__}
        render.as_json({**counts, "api": ready.api})
    if changes.pending:
        console.warning(f"{plural_is(changes.pending, 'row')} still pending: run `{ready.command('run')}`")
    for line in change_warnings(changes, options.importer == "salesforce"):
        console.warning(line)
    cells = ", ".join(f"{count:,} {column}" for column, count in changes.cells.items())
    what = f"{render.plural(changes.rows, 'row')} changed ({cells})" if changes.rows else "nothing changed"
    files = ", ".join(changes.files) or "no file written"
    console.info(f"{files}: {what} (answers of {api_text(ready.api)})")
    if not changes.rows:
        console.info(f"Run `rowcite status {spec}` to see which rows have answers")
    return 0


def _write_since(spec: str, output: str, since: datetime, flags: dict[str, Any], *, as_json: bool) -> int:
    """Write what changed since a time, and report it; `flags` are those of the command."""
    from contextlib import closing
    from pathlib import Path

    from rowcite.changes import write_since
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.which_api import Use, api_text

    key = flags.pop("key")
    if any(flags.pop(name) for name in ("importer", "against", "per_field")):
        raise click.UsageError("--since writes a list of changes: leave out --for, --against and --per-field")
    with (
        prepared(spec, flags, Use.KEEP) as ready,
        closing(open_ledger(ready.ledger, writing=False)) as ledger,
    ):
        ready.check_target("--output", output, "csv")
        changes = write_since(ready.job, ledger, key, since.timestamp(), Path(output))
    text = since.isoformat(timespec="seconds")
    if as_json:
        counts = {name: getattr(changes, name) for name in changes.__slots__}
        render.as_json({**counts, "since": text, "files": [output], "api": ready.api})
    if changes.without_key:
        Console.current().warning(
            f"left out {render.plural(changes.without_key, 'changed row')} without a key"
        )
    cells = ", ".join(f"{count:,} {name}" for name, count in changes.cells.items())
    first = f"; {changes.first_values:,} of them had no value before" if changes.first_values else ""
    what = f"{render.plural(changes.rows, 'row')} changed since {text} ({cells}{first})"
    Console.current().info(
        f"{output}: {what if changes.rows else f'nothing changed since {text}'} (answers of {api_text(ready.api)})"
    )
    return 0


def change_warnings(changes: DeltaSummary, salesforce: bool) -> list[str]:  # noqa: FBT001 - one caller
    """Return warnings about values that were left out or escaped."""
    from rowcite.cli import render

    lines = []
    if changes.without_key:
        lines.append(f"left out {render.plural(changes.without_key, 'changed row')} without a key")
    if changes.unrepresentable:
        lines.append(
            f"left out {render.plural(changes.unrepresentable, 'value')} that the importer would read differently"
        )
    if changes.escaped:
        lines.append(
            f"{render.plural(changes.escaped, 'value')} got a leading apostrophe, because spreadsheets would run them as formulas;"
            " set columns.formulas: keep to write them unchanged"
        )
    if salesforce and changes.rows and not changes.ids:
        lines.append(
            "no key looks like a Salesforce Id: upsert by an external id, or give the Id column as --key"
        )
    return lines
