"""`rowcite ledger`: verify, export, back up, prune."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowcite.cli.options import duration_value, output_options, spec_argument, start_console

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

where_option = click.option(
    "--ledger", metavar="DIR", help="Use the ledger in DIR instead of .rowcite/NAME beside the spec."
)


@click.group("ledger")
def command() -> None:
    """Verify the ledger of a spec, export it, back it up, or prune answers that it no longer needs."""


@command.command("verify", short_help="Check the ledger for damage.")
@spec_argument
@where_option
@output_options
def verify(spec: str, ledger: str | None, *, as_json: bool, **flags: bool) -> int:
    """Check the file, every run's key against its input, and every answer. Exits with 5 if something is damaged."""
    from rowcite.cli import render
    from rowcite.errors import LedgerError
    from rowcite.ledger import open_ledger
    from rowcite.ledger.maintenance import verify as check
    from rowcite.pipeline.unknown_work import copy_text

    console = start_console(flags)
    folder = _folder(spec, ledger)
    opened = open_ledger(folder, writing=False)
    found, copied = check(opened), copy_text(opened)
    opened.close()
    if copied:
        console.warning(copied)
    if as_json:
        render.as_json({"runs": found.runs, "faults": found.faults, "ledger": str(folder)})
    for fault in found.faults:
        console.warning(fault)
    if not found.faults and not as_json:
        render.line(f"{folder}: ok, {render.plural(found.runs, 'run')}")
    return LedgerError.exit_code if found.faults else 0


@command.command("export", short_help="Write every run to a Parquet file.")
@spec_argument
@click.option("-o", "--output", required=True, metavar="FILE", help="Write this Parquet file.")
@where_option
@output_options
def export(spec: str, output: str, ledger: str | None, *, as_json: bool, **flags: bool) -> int:
    """Write one row for each run, and for each row of a pack: ids, input, output with its basis, processor, price, times, error, question."""
    from pathlib import Path

    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.ledger.maintenance import export as write
    from rowcite.pipeline.paths import check_target
    from rowcite.pipeline.prepare import ledger_folder
    from rowcite.pipeline.spec_file import load_spec

    start_console(flags)
    _refuse_stdout(output)
    read = load_spec(spec)
    folder = ledger_folder(read, ledger)
    check_target("--output", output, read, folder, form="parquet")
    opened = open_ledger(folder, writing=False)
    runs = write(opened, Path(output))
    opened.close()
    if as_json:
        render.as_json({"runs": runs, "output": output})
    else:
        render.line(f"{output}: {render.plural(runs, 'run')}")
    return 0


@command.command("backup", short_help="Copy the ledger to a file.")
@spec_argument
@click.option("-o", "--output", required=True, metavar="FILE", help="Write this new file.")
@where_option
@output_options
def backup(spec: str, output: str, ledger: str | None, *, as_json: bool, **flags: bool) -> int:
    """Copy the ledger, also while a run is using it. To restore it, put the copy into an empty ledger folder as ledger.db.

    What happened after the copy was made is then forgotten, and paid for again.
    """
    from pathlib import Path

    from rowcite.cli import render
    from rowcite.errors import LedgerError
    from rowcite.ledger import open_ledger
    from rowcite.ledger.maintenance import back_up

    start_console(flags)
    _refuse_stdout(output)
    if Path(output).exists():
        raise click.BadParameter(
            f"{output} exists, and a backup never replaces a file", param_hint="--output"
        )
    folder = _folder(spec, ledger)
    if not (folder / "ledger.db").exists():
        raise LedgerError(f"{folder}: nothing to copy: the ledger does not exist yet")
    opened = open_ledger(folder, writing=False)
    back_up(opened, Path(output))
    opened.close()
    if as_json:
        render.as_json({"output": output, "ledger": str(folder)})
    else:
        render.line(f"{output}: a copy of {folder}")
    return 0


@command.command("prune", short_help="Delete answers that newer ones have replaced.")
@spec_argument
@click.option(
    "--older-than",
    callback=duration_value,
    metavar="AGE",
    help="Also delete answers older than AGE, such as 90d. They would be requested and paid for again.",
)
@click.option(
    "--damaged", is_flag=True, help="Also delete damaged answers. They would be requested and paid for again."
)
@where_option
@output_options
def prune(
    spec: str,
    older_than: timedelta | None,
    ledger: str | None,
    *,
    damaged: bool,
    as_json: bool,
    **flags: bool,
) -> int:
    """Delete answers that a newer answer to the same task has replaced. The spend stays recorded."""
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.ledger.maintenance import prune as delete

    start_console(flags)
    seconds = older_than.total_seconds() if older_than is not None else None
    opened = open_ledger(_folder(spec, ledger), writing=True)
    deleted = delete(opened, older_than=seconds, damaged=damaged)
    opened.close()
    if as_json:
        render.as_json({"deleted": deleted})
    else:
        render.line(f"{render.plural(deleted, 'answer')} deleted")
    return 0


def _refuse_stdout(output: str) -> None:
    if output == "-":
        raise click.BadParameter("a file is needed, and - is stdout", param_hint="--output")


def _folder(spec: str, ledger: str | None) -> Path:
    from rowcite.pipeline.prepare import ledger_folder
    from rowcite.pipeline.spec_file import load_spec

    return ledger_folder(load_spec(spec), ledger)
