"""`rowcite review`: the report as a page for decisions, and decisions as CSV."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rowcite.cli.options import output_options, prepared, read_only_options, spec_argument, start_console
from rowcite.cli.report import pending_text, report_extra, rows_option
from rowcite.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Thread

    from rowcite.cli.console import Console
    from rowcite.pipeline.prepare import Prepared
    from rowcite.review.app import ReviewSession
    from rowcite.rows.reviewed import Agreement


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
@click.option(
    "--first",
    metavar="FILE",
    help="Review these rows first: the output of compare --json, or a CSV with a column `row` or --key.",
)
@click.option("--key", metavar="COLUMN", help="The column that identifies a row in the CSV of --first.")
@click.option("--agreement", is_flag=True, help="Print how far the reviewers agree, and where not.")
@click.option("--open", "open_it", is_flag=True, help="Open the page in the browser.")
@rows_option
@read_only_options
@output_options
def command(spec: str, **flags: Any) -> int:
    """Serve a page on this machine to accept, reject and correct SPEC's cells, one row at a time or in a list.

    `rowcite write` and later runs apply the decisions.
    """
    from rowcite.pipeline.which_api import Use

    console = start_console(flags)
    chosen = {name: flags.pop(name) for name in Options._fields if name in flags}
    options = Options(**chosen, spec=spec, table=flags["input"], console=console)
    with report_extra("review"), prepared(spec, flags, Use.KEEP) as ready:
        if options.import_from is not None:
            _import(ready, options, options.import_from)
        if options.export_to is not None:
            _export(ready, options, options.export_to)
        if options.agreement:
            _agreement(ready, options)
        elif options.import_from is None and options.export_to is None:
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
    first: str | None
    key: str | None
    agreement: bool

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


def _session(ready: Prepared, options: Options) -> ReviewSession:
    """Return the review: its rows, those of `--first` before the others."""
    from pathlib import Path

    from rowcite.ledger import open_ledger
    from rowcite.report.gather import gather
    from rowcite.review.app import ReviewSession
    from rowcite.review.listed import Listed, read_listed
    from rowcite.review.scope import Scope
    from rowcite.spec.fields import fields

    parts, listed = fields(ready.job.spec), Listed()
    if options.first is not None:
        listed = read_listed(Path(options.first), ready.job, [part.name for part in parts], options.key)
    ledger = open_ledger(ready.ledger, writing=False)
    scope = Scope(options.name, parts, ledger.decisions_by_reviewer(), listed)
    facts = gather(
        ready.job, ledger, most_rows=options.rows, decided=False, table=options.table, also=scope.reasons
    )
    ledger.close()
    scope.order(facts)
    missing = len(listed.rows) - len(scope.named)
    if missing:
        options.console.warning(f"{missing:,} of {len(listed.rows):,} rows in {options.first} have no task")
    return ReviewSession(facts, scope, ready.ledger, ready.command("write"))


def _serve(ready: Prepared, options: Options) -> None:
    from tempfile import TemporaryDirectory

    from rowcite.review.app import create_app, serve
    from rowcite.uvicorn_server import LOOPBACK

    reviewing = _session(ready, options)

    def on_ready(url: str) -> None:
        address = f"{url}/{reviewing.token}/"
        _announce(ready, options, reviewing, address)
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
    options.console.info(f"Run `{reviewing.command}` to apply the decisions to the table")


def _announce(ready: Prepared, options: Options, reviewing: ReviewSession, address: str) -> None:
    """Print where the review is, and what it is about."""
    from rowcite.cli import render
    from rowcite.model import RowStatus
    from rowcite.pipeline.which_api import api_text

    facts = reviewing.facts
    rows = render.plural(facts.to_review, "row")
    options.console.info(f"{rows} to review. Reviewing as {options.name} at {address}  Press Ctrl-C to stop")
    options.console.info(f"Answers of {api_text(ready.api)}")
    if facts.counts[RowStatus.PENDING]:
        options.console.warning(pending_text(facts.counts, ready.command("run")))
    if options.as_json:
        found = {"to_review": facts.to_review, "on_page": len(facts.rows), "api": ready.api}
        render.as_json({"url": address, **found})
        sys.stdout.flush()


def _agreement(ready: Prepared, options: Options) -> None:
    """Print the agreement of each two reviewers, and the cells on which they differ."""
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.report.gather import gather
    from rowcite.review.page import agreement_text, decision_text
    from rowcite.rows.reviewed import agreements, reviewed_cells

    ledger = open_ledger(ready.ledger, writing=False)
    decisions, rows = ledger.decisions_by_reviewer(), dict[bytes, int]()

    def number(key: bytes, numbers: Sequence[int], _: object) -> tuple[()]:
        if key in decisions:
            rows.setdefault(key, numbers[0])
        return ()

    facts = gather(ready.job, ledger, most_rows=0, decided=False, table=options.table, also=number)
    ledger.close()
    found = agreements(reviewed_cells(decisions, facts.fields))
    for item in found if not options.as_json else ():
        render.line(agreement_text(item))
        for one, other in item.differing:
            name = f"row {rows[one.task]}" if one.task in rows else f"key {one.task.hex()}"
            texts = (f"{made.reviewer} {decision_text(made)}" for made in (one, other))
            render.line(f"  {name} {one.field}: {'; '.join(texts)}")
    if options.as_json:
        render.as_json({"agreement": [_agreement_dict(item, rows) for item in found], "api": ready.api})
    elif not found:
        options.console.info("No cell was decided on by two reviewers")


def _agreement_dict(item: Agreement, rows: Mapping[bytes, int]) -> dict[str, Any]:
    return {
        "reviewers": [item.first, item.second],
        "cells": item.cells,
        "agree": item.agree,
        "differing": [
            {
                "row": rows.get(one.task),
                "key": one.task.hex(),
                "field": one.field,
                **{
                    name: {"verdict": made.verdict, "value": made.value}
                    for name, made in (("first", one), ("second", other))
                },
            }
            for one, other in item.differing
        ],
    }


def _open_page(address: str, folder: str) -> Thread:
    """Open the page in the browser by a private file that leads to it: arguments of programs are seen by every user.

    The thread that is returned waits for the program that opens the page.
    """
    from pathlib import Path
    from threading import Thread

    from rowcite.files import write_whole

    leading = Path(folder, "review.html")
    write_whole(leading, f'<meta http-equiv="refresh" content="0; url={address}">\n'.encode(), private=True)
    opening = Thread(target=click.launch, args=[str(leading), True], daemon=True)
    opening.start()
    return opening


def _export(ready: Prepared, options: Options, target: str) -> None:
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.which_api import api_text
    from rowcite.report.gather import gather
    from rowcite.review.sheet import export_lines

    ready.check_target("--export", target, "csv")
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
