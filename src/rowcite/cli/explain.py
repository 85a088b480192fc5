"""`rowcite explain`: the evidence behind a cell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.console import printable
from rowcite.cli.options import console, prepared, speak_options, spec_argument, table_options

if TYPE_CHECKING:
    from rowcite.explain import Explained, Explanation

_LABEL = 12  # columns of the names before what they name
_WIDE, _NARROW = 100, 30


@click.command("explain", short_help="The evidence behind a row's cells.")
@spec_argument
@click.option(
    "--row",
    type=click.IntRange(min=1),
    required=True,
    metavar="N",
    help="Which row: 1 is the first after the header.",
)
@click.option("--field", metavar="FIELD", help="Only this field.")
@table_options
@speak_options
def command(spec: str, *, row: int, field: str | None, as_json: bool, **flags: Any) -> int:
    """Show where the values of a row of SPEC's table come from, and which rule let each count or refused it."""
    from rowcite.cli import render
    from rowcite.explain import explain
    from rowcite.ledger import open_ledger

    console(flags)
    with prepared(spec, flags) as ready:
        ledger = open_ledger(ready.ledger, writing=False)
        found = explain(ready.job, ledger, row, field)
        ledger.close()
    if as_json:
        render.as_json(_as_dict(found))
        return 0
    for line in _lines(found, _width()):
        click.echo(line)
    return 0


def _as_dict(found: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON has it; money in US$."""
    import msgspec

    from rowcite.api.facts import MICRO

    values: dict[str, Any] = msgspec.to_builtins(found)
    for run in values["runs"]:
        run["cost_usd"], run["run_usd"] = run.pop("price") / MICRO, run.pop("whole") / MICRO
    return {**values, "cost_usd": found.price / MICRO}


def _width() -> int:
    """Return how wide lines may be: the terminal's width, within reason."""
    import shutil

    columns = shutil.get_terminal_size((_WIDE, 24)).columns if sys.stdout.isatty() else _WIDE
    return max(_NARROW, min(columns, _WIDE))


def _lines(found: Explanation, width: int) -> Iterator[str]:
    from rowcite.api.facts import usd

    yield from _entry(
        f"row {found.row}", _plain(found.input) if found.input is not None else "not asked", width
    )
    unasked = found.status == "pending" and not found.runs
    why = found.error or ("nothing was asked about this row yet: `rowcite run` does" if unasked else "")
    yield from _entry("status", found.status + (f": {why}" if why else ""), width)
    for run in found.runs:
        aside = "" if run.counts else ", asked anew since"
        failed = f": {run.error}" if run.error else ""
        share = f" (one of {run.rows} rows of a run of {usd(run.whole)})" if run.rows > 1 else ""
        cost = f"{usd(run.price)}{share}"
        text = f"{run.processor}, {run.state}{failed}, {cost}{aside}, {run.run_id or 'no run id yet'}"
        yield from _entry("run", text, width)
    if len(found.runs) > 1:
        yield from _entry("cost", usd(found.price), width)
    for cell in found.fields if found.runs else filter(_stands, found.fields):
        yield ""
        yield from _wrapped(cell.field, width, "")
        for label, text in _cell(cell):
            yield from _entry(f"  {label}", text, width)


def _cell(cell: Explained) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a cell, each with its name."""
    yield "value", "-" if cell.value is None else _plain(cell.value)
    if cell.refused is not None:
        yield "refused by", f"{cell.rule}: {cell.refused}"
        yield "said", "-" if cell.said is None else _plain(cell.said)
    if cell.given is not None:
        yield "given", f"{_plain(cell.given)} (the table says so, and the answers do not)"
    if cell.confidence or cell.run_id:
        yield "confidence", cell.confidence or "none was given"
    yield from _passed(cell)
    if cell.processor:
        yield "from", ", ".join(filter(None, [cell.processor, cell.run_id]))
    if cell.reasoning:
        yield "reasoning", cell.reasoning
    for citation in cell.citations:
        title = [citation.title] if citation.title else []
        excerpts = [f"\u201c{excerpt}\u201d" for excerpt in citation.excerpts]
        yield "source", "\n".join([citation.url, *title, *excerpts])
    for said in cell.answers if len(cell.answers) > 1 else ():
        verdict = f"refused by {said.rule}: {said.refused}" if said.refused else "accepted"
        value = "-" if said.said is None else _plain(said.said)
        yield "answer", f"{said.processor}: {value} ({said.confidence or 'no confidence'}), {verdict}"


def _stands(cell: Explained) -> bool:
    """Tell whether a cell of a row that was never asked has a value all the same: a given one, or a person's."""
    return cell.value is not None or cell.refused is not None


def _passed(cell: Explained) -> Iterator[tuple[str, str]]:
    met = [verdict for verdict in cell.verdicts if verdict.refused is None]
    for verdict in met:
        yield "passed", f"{verdict.rule}: {verdict.asks}"
    if cell.refused is not None or not cell.run_id or cell.confidence == "reviewed":
        return
    if cell.value is None:
        yield "passed", "a null is an answer: the field is not `required`"
    elif not met:
        yield "passed", "nothing is asked of this value by `accept`"


def _plain(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _entry(label: str, text: str, width: int) -> Iterator[str]:
    """Yield the lines of one thing that is said: its name once, the rest set in below."""
    first = True
    for part in text.splitlines() or [""]:
        yield from _wrapped(part, width, f"{label:<{_LABEL}} " if first else " " * (_LABEL + 1))
        first = False


def _wrapped(text: str, width: int, lead: str) -> list[str]:
    """Return a text in lines, with nothing in it that a terminal would obey; an address stays in one piece."""
    import textwrap

    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words="://" not in text,
        break_on_hyphens=False,
    ) or [lead.rstrip()]
