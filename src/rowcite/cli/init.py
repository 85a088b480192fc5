"""`rowcite init`: a first spec for a table."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.console import Console, on_terminal
from rowcite.cli.options import complete_files, output_options, start_console
from rowcite.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rowcite.draft.draft import Draft


@click.command("init")
@click.argument("table", metavar="TABLE", shell_complete=complete_files)
@click.option(
    "-o",
    "--output",
    metavar="SPEC",
    shell_complete=complete_files,
    help="Write this file; - is stdout.  [default: the table's name with .yaml, in the working folder]",
)
@click.option(
    "--kind",
    "entity",
    type=click.Choice(["company", "person", "product", "place", "other"]),
    help="What a row describes, instead of what the columns suggest.",
)
@click.option(
    "--corpus",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Rehearse: answers come from this folder of documents, free of charge.",
)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: take what the table suggests.")
@output_options
def command(table: str, *, output: str | None, entity: Any, yes: bool, as_json: bool, **flags: Any) -> int:
    """Draft a spec for TABLE from its header and first rows: which columns identify a row, and what to find.

    TABLE is a CSV, Excel, Parquet or JSON lines file, a glob, a folder, an address, or - for stdin. On a terminal, up to three
    questions are asked. A spec that exists is never overwritten.
    """
    import tempfile
    from pathlib import Path

    from rowcite.cli import render
    from rowcite.cli.questions import ask
    from rowcite.draft.draft import draft, form_text, shown_path, spec_name
    from rowcite.draft.sample import read_sample
    from rowcite.draft.spec_text import text_of

    console, corpus = start_console(flags), flags["corpus"]
    spec = Path(output if output not in (None, "-") else f"{spec_name(table)}.yaml")
    _check_target(spec, output)
    with tempfile.TemporaryDirectory(prefix="rowcite-") as folder:
        sample = read_sample(table, Path(folder) / "stdin")
    made = draft(table, spec, sample, entity)
    made.corpus = corpus
    console.info(f"{shown_path(table)}: {form_text(sample)}")
    if not yes and table != "-" and on_terminal(sys.stdin) and on_terminal(sys.stderr):
        ask(made, about_rows=entity is None)
    _show_choices(console, made)
    if output == "-":
        click.echo(text_of(made, schema=None), nl=False)
        return 0
    schema = _write_schema(spec)
    _write_new(spec, text_of(made, schema=schema))
    if as_json:
        render.as_json(_summary(made))
    console.info(f"Wrote {spec}. Look at it, then:")
    for line in _next_steps(made):
        console.info(line)
    return 0


def _check_target(spec: Path, output: str | None) -> None:
    if output != "-" and (spec.exists() or spec.is_symlink()):
        raise UsageError(f"{spec} exists, and init does not overwrite it. Name another file with -o")
    if output is not None and spec.suffix.lower() not in (".yaml", ".yml") and output != "-":
        raise UsageError(f"{spec}: a spec is a YAML file. Name it like {spec.with_suffix('.yaml')}")


def _write_new(spec: Path, text: str) -> None:
    from rowcite.files import write_errors

    with write_errors(str(spec)):
        spec.parent.mkdir(parents=True, exist_ok=True)
        try:
            with spec.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            raise UsageError(
                f"{spec} exists, and init does not overwrite it. Name another file with -o"
            ) from None


def _write_schema(spec: Path) -> str | None:
    """Write the JSON Schema that the first line of the spec names; return its path, None if it cannot be written."""
    import json
    from contextlib import suppress

    from rowcite.draft.spec_text import SCHEMA_FILE
    from rowcite.files import write_whole
    from rowcite.spec.json_schema import spec_schema

    with suppress(OSError):
        write_whole(spec.parent / SCHEMA_FILE, json.dumps(spec_schema(), indent=2).encode())
        return SCHEMA_FILE
    return None


def _show_choices(console: Console, made: Draft) -> None:
    rows = {"company": "companies", "person": "people", "product": "products", "place": "places"}.get(
        made.entity
    )
    console.info(
        f"rows describe {rows}" if rows else "unknown kind of row: set task.inputs and task.outputs yourself"
    )
    sent = ", ".join(f'{pick.name} ("{pick.column}")' for pick in made.picks)
    console.info(f"to send: {sent}")
    console.info(f"to find: {', '.join(field.name for field in made.fields if field.active)}")


def _next_steps(made: Draft) -> list[str]:
    import os
    from shlex import quote

    spec = quote(str(made.spec))
    stdin = " < TABLE" if made.table == "-" else ""
    live = " --backend parallel" if made.corpus else ""
    rehearsal = (
        [f"  rowcite run {spec}{stdin}  # free: answers from {quote(made.corpus)}"] if made.corpus else []
    )
    key = (
        []
        if os.environ.get("PARALLEL_API_KEY")
        else ["  export PARALLEL_API_KEY=...  # the key of your account"]
    )
    return [
        f"  rowcite plan {spec}{stdin}  # rows, cost and one sample input; spends nothing",
        *rehearsal,
        *key,
        f"  rowcite run {spec}{live} --limit 5{stdin}  # five rows first; the others are pending",
        f"  rowcite run {spec}{live}{stdin}",
    ]


def _summary(made: Draft) -> dict[str, Any]:
    form = made.sample.form
    return {
        "spec": str(made.spec),
        "format": form.kind,
        "separator": form.separator,
        "encoding": form.encoding.name if form.encoding else None,
        "columns": len(made.sample.columns),
        "rows_describe": made.entity,
        "inputs": {pick.name: pick.column for pick in made.picks},
        "outputs": [field.name for field in made.fields if field.active],
    }
