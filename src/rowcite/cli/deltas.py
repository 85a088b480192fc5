"""`rowcite deltas`: only what changed, for CRM imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import console, prepared, read_only_options, speak_options, spec_argument

if TYPE_CHECKING:
    from rowcite.deltas import Changes


@click.command("deltas", short_help="Only changed cells, as CSV for CRM imports.")
@spec_argument
@click.option("-o", "--output", required=True, metavar="CSV", help="Write here.")
@click.option(
    "--key", required=True, metavar="COLUMN", help="The table's column that names a record, such as its id."
)
@click.option(
    "--for",
    "importer",
    type=click.Choice(["hubspot", "salesforce"]),
    help="Write lists as this importer reads them, and nothing that empties a field there.",
)
@click.option(
    "--against",
    metavar="TABLE",
    help="Leave out what this table has already: an earlier file of changes, or an export with the key and the fields.",
)
@click.option(
    "--per-field", is_flag=True, help="Write a file for each field, so that no cell in them is blank."
)
@read_only_options
@speak_options
def command(spec: str, output: str, *, as_json: bool, **flags: Any) -> int:
    """Write the cells of SPEC's table that a run or a person filled or changed: the key, and the fields that changed."""
    from contextlib import closing
    from pathlib import Path

    from rowcite.cli import render
    from rowcite.deltas import Wanted, write_changes
    from rowcite.ledger import open_ledger

    speak = console(flags)
    if Path(output).suffix.lower() != ".csv":
        raise click.UsageError("changes are written as CSV: give --output a name that ends in .csv")
    wanted = Wanted(**{name: flags.pop(name) for name in ("key", "importer", "against", "per_field")})
    with prepared(spec, flags) as ready, closing(open_ledger(ready.ledger, writing=False)) as ledger:
        changes = write_changes(ready.job, ledger, wanted, Path(output))
    if as_json:
        render.as_json({name: getattr(changes, name) for name in changes.__slots__})
    for line in told(changes, wanted.importer == "salesforce"):
        speak.warning(line)
    cells = ", ".join(f"{count:,} {column}" for column, count in changes.cells.items())
    what = f"{changes.rows:,} rows changed ({cells})" if changes.rows else "nothing changed"
    speak.info(f"{', '.join(changes.files) or 'nothing written'}: {what}")
    if not changes.rows:
        speak.info(f"rowcite status {spec} tells which rows have answers")
    return 0


def told(changes: Changes, salesforce: bool) -> list[str]:  # noqa: FBT001 - one caller
    """Return what a user should know of what was left out or written otherwise."""
    lines = []
    if changes.without_key:
        lines.append(f"{changes.without_key:,} changed rows have no key and were left out")
    if changes.unsayable:
        lines.append(
            f"{changes.unsayable:,} values were left out: the importer would read them as something else"
        )
    if changes.escaped:
        lines.append(
            f"{changes.escaped:,} values begin like a formula and carry an apostrophe; columns.formulas: keep leaves it out"
        )
    if salesforce and changes.rows and not changes.ids:
        lines.append(
            "no key looks like a Salesforce Id: upsert by an external id, or name the Id column as --key"
        )
    return lines
