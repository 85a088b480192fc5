"""`rowcite check`: validates specs against their tables and the API's limits, without network."""

from __future__ import annotations

from typing import Any

import click

from rowcite.cli.console import Console
from rowcite.cli.options import output_options, prepared, specs_argument, start_console, table_options
from rowcite.errors import RowciteError


@click.command("check")
@specs_argument
@table_options
@click.option("--no-table", is_flag=True, help="Check the specs alone; their tables are not read.")
@output_options
def command(specs: tuple[str, ...], *, no_table: bool, as_json: bool, **flags: Any) -> int:
    """Check each SPEC against its table and the API's limits. Reads the whole table, uses no network.

    With several specs each is checked, also after an error. With --no-table only the specs are read: for a
    repository that holds no tables.
    """
    from rowcite.cli import render

    console = start_console(flags)
    checked, exit_code = [], 0
    for spec in specs:
        try:
            found = _alone(spec) if no_table else _with_table(spec, dict(flags))
        except RowciteError as error:
            if len(specs) == 1:
                raise
            console.error(*error.lines, exit_code=error.exit_code)
            exit_code = max(exit_code, error.exit_code)
            checked.append({"spec": spec, "ok": False, "errors": list(error.lines)})
            continue
        _show(console, spec, found, as_json=as_json)
        checked.append({"spec": spec, "ok": True, **found})
    if as_json:
        render.as_json(checked[0] if len(specs) == 1 else {"ok": not exit_code, "specs": checked})
    return exit_code


def _alone(file: str) -> dict[str, Any]:
    """Return the warnings about a spec without its table."""
    from rowcite.pipeline.spec_checks import spec_warnings
    from rowcite.pipeline.spec_file import load_spec

    return {"warnings": spec_warnings(load_spec(file))}


def _with_table(file: str, flags: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of a spec's table, and the warnings about both."""
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.plan import plan
    from rowcite.pipeline.spec_checks import column_warnings, spec_warnings

    with prepared(file, flags) as ready:
        empty = open_ledger(ready.ledger / "none", writing=False)
        planned = plan(ready.job, empty)
        empty.close()
        spec = ready.job.spec  # the plan also warns about the ledger, which was not opened
        warnings = [*spec_warnings(spec), *column_warnings(spec, ready.job.reader.source.schema)]
    return {"rows": planned.rows, "tasks": planned.tasks, "skipped": planned.skipped, "warnings": warnings}


def _show(console: Console, file: str, found: dict[str, Any], *, as_json: bool) -> None:
    """Report the warnings about a spec, and that it is valid."""
    from rowcite.cli import render

    for text in found["warnings"]:
        console.warning(text)
    if as_json:
        return
    counts = ""
    if "rows" in found:
        rows, tasks = render.plural(found["rows"], "row"), render.plural(found["tasks"], "distinct task")
        counts = f" {rows}, {tasks}, {found['skipped']:,} skipped"
    render.line(f"{file}: ok.{counts}" if counts else f"{file}: ok")
