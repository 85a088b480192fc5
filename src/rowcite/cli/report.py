"""`rowcite report`: one HTML file that shows what a table came to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import console, prepared, read_only_options, speak_options, spec_argument
from rowcite.errors import TableError, UsageError

if TYPE_CHECKING:
    from rowcite.model import Counts
    from rowcite.pipeline.prepare import Prepared

rows_option = click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=1_000,
    show_default=True,
    metavar="N",
    help="Let the page hold so many rows, those that need a person first.",
)


@click.command(
    "report", short_help="One HTML file: coverage, sources, spend, and the rows that need a person."
)
@spec_argument
@click.option("-o", "--output", metavar="HTML", help="Write here; - is stdout. Else beside the output table.")
@rows_option
@read_only_options
@speak_options
def command(spec: str, output: str | None, rows: int, *, as_json: bool, **flags: Any) -> int:
    """Write what SPEC's table came to as one HTML file: it needs no network, and can be mailed."""
    from contextlib import closing

    from rowcite.cli import render
    from rowcite.ledger import open_ledger

    speak = console(flags)
    if as_json and output == "-":
        raise click.UsageError("--json and a page on stdout do not go together: give --output a file")
    with extra(), prepared(spec, flags) as ready:
        from rowcite.report.gather import gather
        from rowcite.report.page import page

        with closing(open_ledger(ready.ledger, writing=False)) as ledger:
            facts = gather(ready.job, ledger, most_rows=rows, table=flags["input"])
        target, text = output or beside(ready), page(facts).encode()
    if target == "-":
        sys.stdout.buffer.write(text)
    else:
        write_whole(Path(target), text)
    if as_json:
        held = {"needing": facts.needing, "on_page": len(facts.rows)}
        render.as_json({"output": target, "bytes": len(text), "rows": facts.counts.rows, **held})
    if facts.counts.pending:
        speak.warning(waiting(facts.counts, spec))
    size = f"{len(text) / 1_000_000:.1f} MB" if len(text) >= 100_000 else f"{len(text) / 1_000:.0f} KB"
    speak.info(f"{'' if target == '-' else f'{target}: '}{facts.needing:,} rows need a person; {size}")
    return 0


def waiting(counts: Counts, spec: str) -> str:
    """Say how many rows have no answer yet, and what gets them one."""
    return f"{counts.pending:,} of {counts.rows:,} rows have no answer yet: rowcite run {spec}"


@contextmanager
def extra() -> Iterator[None]:
    """Turn a missing optional package into the line that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rowcite"):
            raise
        raise UsageError(
            f"the report is an extra ({error}). Install it: pip install 'rowcite[report]'"
        ) from error


def beside(ready: Prepared) -> str:
    """Return where the page goes when nobody says: beside the output table, named after it."""
    name = f"{ready.job.spec.name}.report.html"
    if ready.output in (None, "-") or "://" in str(ready.output):
        return name
    table = Path(str(ready.output))
    return str(table.with_name(f"{table.name.split('.')[0]}.report.html"))


def write_whole(path: Path, text: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        TableError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(text)
        beside.replace(path)
    except OSError as error:
        raise TableError(f"{path}: cannot write it: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
