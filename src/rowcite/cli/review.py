"""`rowcite review`: the report as a page for decisions, and decisions as CSV."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rowcite.cli.options import output_options, prepared, read_only_options, spec_argument, start_console
from rowcite.cli.report import extra, pending_text, rows_option
from rowcite.errors import UsageError

if TYPE_CHECKING:
    from rowcite.cli.console import Console
    from rowcite.pipeline.prepare import Prepared


@click.command("review")
@spec_argument
@click.option(
    "--port", default=0, type=click.IntRange(0, 65_535), help="Port of the page.  [default: a free one]"
)
@click.option(
    "--reviewer",
    "--as",
    "who",
    metavar="NAME",
    help="Save decisions under this name instead of the login name.",
)
@click.option(
    "--export",
    "export_to",
    metavar="FILE",
    help="Write decisions and open cells as CSV instead of serving the page.",
)
@click.option(
    "--import",
    "import_from",
    metavar="FILE",
    help="Read decisions from such a CSV instead of serving the page.",
)
@click.option("--open", "open_it", is_flag=True, help="Open the page in the browser.")
@rows_option
@read_only_options
@output_options
def command(spec: str, **flags: Any) -> int:
    """Serve SPEC's report on this machine with buttons to accept, reject and correct cells.

    `rowcite write` and later runs apply the decisions.
    """
    from rowcite.pipeline.which_api import Use

    console = start_console(flags)
    names = ("port", "who", "export_to", "import_from", "rows", "open_it", "as_json")
    options = Options(
        **{name: flags.pop(name) for name in names}, spec=spec, table=flags["input"], console=console
    )
    with extra(), prepared(spec, flags, Use.KEEP) as ready:
        if options.import_from is not None:
            _import(ready, options, options.import_from)
        if options.export_to is not None:
            _export(ready, options, options.export_to)
        if options.import_from is None and options.export_to is None:
            _serve(ready, options)
    return 0


class Options(NamedTuple):
    """The command's own options."""

    spec: str
    port: int
    who: str | None
    export_to: str | None
    import_from: str | None
    rows: int
    open_it: bool
    as_json: bool
    table: str | None
    console: Console

    @property
    def name(self) -> str:
        """Return the reviewer's name."""
        name = (self.who or _login()).strip()
        if not name:
            raise UsageError("cannot find the login name: give --reviewer NAME")
        if not name.isprintable():
            raise UsageError("--reviewer: the name has a character that cannot be shown")
        return name


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return ""


def _serve(ready: Prepared, options: Options) -> None:
    from tempfile import TemporaryDirectory

    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.model import RowStatus
    from rowcite.pipeline.which_api import api_text
    from rowcite.report.gather import gather
    from rowcite.report.parts import parts
    from rowcite.review.app import LOOPBACK, ReviewSession, create_app, serve

    ledger = open_ledger(ready.ledger, writing=False)
    facts = gather(ready.job, ledger, most_rows=options.rows, decided=False, table=options.table)
    ledger.close()
    reviewing = ReviewSession(facts, parts(facts), ready.ledger, options.name)

    def on_ready(url: str) -> None:
        address = f"{url}/{reviewing.token}/"
        rows = render.plural(facts.to_review, "row")
        options.console.info(
            f"{rows} to review. Reviewing as {reviewing.who} at {address}  Press Ctrl-C to stop"
        )
        options.console.info(f"Answers of {api_text(ready.api)}")
        if facts.counts[RowStatus.PENDING]:
            options.console.warning(pending_text(facts.counts, ready.command("run")))
        if options.as_json:
            found = {"to_review": facts.to_review, "on_page": len(facts.rows), "api": ready.api}
            render.as_json({"url": address, **found})
            sys.stdout.flush()
        if options.open_it:
            _open_page(address, folder)

    options.console.on_interrupt = None
    try:
        with TemporaryDirectory(prefix="rowcite-") as folder:
            serve(create_app(reviewing), port=options.port, on_ready=on_ready)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {LOOPBACK}:{options.port}: {error.strerror or error}. Choose another --port"
        ) from error
    options.console.info(f"Run `rowcite write {options.spec}` to apply the decisions to the table")


def _open_page(address: str, folder: str) -> None:
    """Open the page in the browser by a private file that leads to it: arguments of programs are seen by every user."""
    from pathlib import Path

    from rowcite.files import write_whole

    leading = Path(folder, "review.html")
    write_whole(leading, f'<meta http-equiv="refresh" content="0; url={address}">\n'.encode(), private=True)
    click.launch(str(leading))


def _export(ready: Prepared, options: Options, target: str) -> None:
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.which_api import api_text
    from rowcite.report.gather import gather
    from rowcite.review.sheet import export_lines

    ledger = open_ledger(ready.ledger, writing=False)
    facts = gather(ready.job, ledger, most_rows=options.rows, decided=False, table=options.table)
    decisions = list(ledger.all_decisions())
    ledger.close()
    lines, made = list(export_lines(facts, decisions)), len(decisions)
    render.write_output(target, "".join(lines).encode())
    if options.as_json and options.import_from is None and target != "-":
        counts = {"decisions": made, "undecided": len(lines) - 1 - made}
        render.as_json({"output": target, **counts, "api": ready.api})
    cells = f"{render.plural(made, 'decision')} and {render.plural(len(lines) - 1 - made, 'open cell')}"
    options.console.info(f"{cells} exported (answers of {api_text(ready.api)})")


def _import(ready: Prepared, options: Options, path: str) -> None:
    import time
    from contextlib import closing
    from dataclasses import asdict
    from pathlib import Path

    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.review.sheet import read_decisions
    from rowcite.spec.fields import fields

    with closing(open_ledger(ready.ledger, writing=True, wait=ready.wait)) as ledger:
        found = read_decisions(
            Path(path), fields(ready.job.spec), ledger.all_decisions(), who=options.name, now=time.time()
        )
        ledger.record_decisions(found.decisions)
    counts = {**asdict(found), "decisions": len(found.decisions)}
    if options.as_json:
        render.as_json(counts)
    options.console.info(
        f"{render.plural(len(found.decisions), 'decision')} imported, {found.known:,} already known, {found.older:,} older"
        f" than the ledger's, {found.undecided:,} without a verdict"
    )
