"""`rowcite review`: the report as a page to decide on, and decisions as a CSV."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import console, prepared, read_only_options, speak_options, spec_argument
from rowcite.cli.report import extra, rows_option, waiting, write_whole
from rowcite.errors import UsageError

if TYPE_CHECKING:
    from rowcite.cli.console import Console
    from rowcite.pipeline.prepare import Prepared


@click.command("review", short_help="Accept, reject and correct cells on a page of this machine.")
@spec_argument
@click.option(
    "--port", default=0, type=click.IntRange(0, 65_535), help="Port of the page; else any free one."
)
@click.option("--as", "who", metavar="NAME", help="Decide under this name instead of the login name.")
@click.option(
    "--export", "export_to", metavar="FILE", help="Write decisions and open cells as CSV; serve nothing."
)
@click.option(
    "--import", "import_from", metavar="FILE", help="Take decisions from such a CSV; serve nothing."
)
@click.option("--open", "open_it", is_flag=True, help="Open the page in the browser.")
@rows_option
@read_only_options
@speak_options
def command(spec: str, **flags: Any) -> int:
    """Serve SPEC's report on this machine with buttons to accept, reject and correct; `rowcite write` applies them."""
    speak = console(flags)
    own = ("port", "who", "export_to", "import_from", "rows", "open_it", "as_json")
    asked = Asked(**{name: flags.pop(name) for name in own}, spec=spec, table=flags["input"], speak=speak)
    with extra(), prepared(spec, flags) as ready:
        if asked.import_from is not None:
            _import(ready, asked, Path(asked.import_from))
        if asked.export_to is not None:
            _export(ready, asked, asked.export_to)
        if asked.import_from is None and asked.export_to is None:
            _serve(ready, asked)
    return 0


@dataclass(frozen=True)
class Asked:
    """What the flags ask for."""

    spec: str
    port: int
    who: str | None
    export_to: str | None
    import_from: str | None
    rows: int
    open_it: bool
    as_json: bool
    table: str | None
    speak: Console

    @property
    def name(self) -> str:
        """Return the name to decide under."""
        name = (self.who or _login()).strip()
        if not name:
            raise UsageError("nobody knows who decides: give --as NAME")
        return name


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return ""


def _serve(ready: Prepared, asked: Asked) -> None:
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.report.gather import gather
    from rowcite.review.app import Reviewing, create_app
    from rowcite.review.serving import LOOPBACK, serve

    ledger = open_ledger(ready.ledger, writing=False)
    facts = gather(ready.job, ledger, most_rows=asked.rows, decided=False, table=asked.table)
    ledger.close()
    reviewing = Reviewing(facts, ready.ledger, asked.name)

    def on_ready(url: str) -> None:
        address = f"{url}/{reviewing.token}/"
        asked.speak.info(
            f"{facts.needing:,} rows need a person. {reviewing.who} decides at {address} (Ctrl-C ends it)"
        )
        if facts.counts.pending:
            asked.speak.warning(waiting(facts.counts, asked.spec))
        if asked.as_json:
            render.as_json({"url": address, "needing": facts.needing, "on_page": len(facts.rows)})
            sys.stdout.flush()
        if asked.open_it:
            click.launch(address)

    try:
        serve(create_app(reviewing), port=asked.port, on_ready=on_ready)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {LOOPBACK}:{asked.port}: {error.strerror or error}. Name another --port"
        ) from error
    asked.speak.info("`rowcite write` puts the decisions into the table")


def _export(ready: Prepared, asked: Asked, target: str) -> None:
    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.report.gather import gather
    from rowcite.review.sheet import written

    ledger = open_ledger(ready.ledger, writing=False)
    facts = gather(ready.job, ledger, most_rows=asked.rows, decided=False, table=asked.table)
    decisions = ledger.decisions()
    ledger.close()
    made = sum(len(said) for said in decisions.values())
    lines = list(written(facts, decisions))
    if target == "-":
        sys.stdout.buffer.write("".join(lines).encode())
    else:
        write_whole(Path(target), "".join(lines).encode())
    if asked.as_json and asked.import_from is None and target != "-":
        render.as_json({"output": target, "decisions": made, "undecided": len(lines) - 1 - made})
    asked.speak.info(f"{made:,} decisions and {len(lines) - 1 - made:,} open cells exported")


def _import(ready: Prepared, asked: Asked, path: Path) -> None:
    import time
    from contextlib import closing
    from dataclasses import asdict

    from rowcite.cli import render
    from rowcite.ledger import open_ledger
    from rowcite.review.sheet import read
    from rowcite.spec.fields import fields

    with closing(open_ledger(ready.ledger, writing=True, wait=ready.wait)) as ledger:
        found = read(path, fields(ready.job.spec), ledger.decisions(), who=asked.name, now=time.time())
        ledger.record_decisions(found.decisions)
    counts = {**asdict(found), "decisions": len(found.decisions)}
    if asked.as_json:
        render.as_json(counts)
    asked.speak.info(
        f"{len(found.decisions):,} decisions imported; {found.known:,} known already, {found.older:,} older than the"
        f" ledger's, {found.undecided:,} lines without a verdict"
    )
