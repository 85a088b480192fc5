"""`rowcite explain`: the evidence behind a cell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import output_options, prepared, spec_argument, start_console, table_options
from rowcite.inert import one_line

if TYPE_CHECKING:
    from rowcite.explain import Explained, ExplainedDecision, Explanation

_LABEL = 12  # width of the labels
_WIDE, _NARROW = 100, 30


@click.command("explain")
@spec_argument
@click.option(
    "--row",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of the row; 1 is the first after the header.",
)
@click.option("--key", metavar="COLUMN=VALUE", help="The row that has VALUE in COLUMN, instead of --row.")
@click.option("--field", metavar="FIELD", help="Show only this field.")
@table_options
@output_options
def command(
    spec: str, *, row: int | None, key: str | None, field: str | None, as_json: bool, **flags: Any
) -> int:
    """Show the evidence behind a row of SPEC's table: runs, values, sources, and the rules that accepted or rejected each value."""
    from rowcite.cli import render
    from rowcite.explain import explain, row_of
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.which_api import Use, api_text

    if (row is None) == (key is None):
        raise click.UsageError("name the row: --row N or --key COLUMN=VALUE")
    start_console(flags)
    with prepared(spec, flags, Use.LOOK) as ready:
        ledger = open_ledger(ready.ledger, writing=False)
        number = row if row is not None else row_of(ready.job, key or "")
        found = explain(ready.job, ledger, number, field)
        ledger.close()
    if as_json:
        render.as_json({**_as_dict(found), "api": ready.api})
        return 0
    for line in (
        *_entry("answers of", api_text(ready.api), _width()),
        *_lines(found, _width(), ready.command("run")),
    ):
        click.echo(line)
    return 0


def _as_dict(found: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON; money in US$."""
    import msgspec

    from rowcite.api.facts import MICRO

    values: dict[str, Any] = msgspec.to_builtins(found)
    for run in values["runs"]:
        run["cost_usd"], run["run_usd"] = run.pop("price") / MICRO, run.pop("whole") / MICRO
    return {**values, "cost_usd": found.price / MICRO}


def _width() -> int:
    """Return the width of lines: the terminal's width, between 30 and 100."""
    import shutil

    columns = shutil.get_terminal_size((_WIDE, 24)).columns if sys.stdout.isatty() else _WIDE
    return max(_NARROW, min(columns, _WIDE))


def _lines(found: Explanation, width: int, command: str) -> Iterator[str]:
    from rowcite.api.facts import usd

    yield from _entry(
        f"row {found.row}", _plain(found.input) if found.input is not None else "not sent", width
    )
    not_sent = found.status == "pending" and not found.runs
    reason = found.error or ("not sent yet" if not_sent else "")
    yield from _entry("status", found.status + (f": {reason}" if reason else ""), width)
    if not_sent:
        yield f"{'to send it':<{_LABEL}} {one_line(command)}"  # in one line, to be copied
    for run in found.runs:
        aside = "" if run.counts else ", replaced by a later run"
        failed = f": {run.error}" if run.error else ""
        share = f" (one of {run.rows} rows in a run of {usd(run.whole)})" if run.rows > 1 else ""
        cost = f"{usd(run.price)}{share}"
        text = f"{run.processor}, {run.state}{failed}, {cost}{aside}, {run.run_id or 'no run id yet'}"
        yield from _entry("run", text, width)
    if len(found.runs) > 1:
        yield from _entry("cost", usd(found.price), width)
    for cell in found.fields if found.runs else filter(_has_value, found.fields):
        yield ""
        yield from _wrapped(cell.field, width, "")
        for label, text in _cell(cell):
            yield from _entry(f"  {label}", text, width)


def _cell(cell: Explained) -> Iterator[tuple[str, str]]:
    """Yield the lines about a cell as (label, text)."""
    yield "value", "-" if cell.value is None else _plain(cell.value)
    if cell.rejection is not None:
        yield "rejected", f"{cell.rejection} ({cell.rule})"
        yield "found", "-" if cell.found is None else _plain(cell.found)
    if cell.given is not None:
        yield "given", f"{_plain(cell.given)} (kept from the table; the answers differ)"
    if cell.decision is not None:
        yield "decision", _decision(cell.decision)
    if cell.confidence or cell.run_id:
        yield "confidence", cell.confidence or "none"
    yield from _accepted(cell)
    if cell.processor:
        yield "from", ", ".join(filter(None, [cell.processor, cell.run_id]))
    if cell.reasoning:
        yield "reasoning", cell.reasoning
    for element in cell.elements:
        verdict = f"rejected: {element.rejection} ({element.rule})" if element.rejection else ""
        urls = dict.fromkeys(citation.url for citation in element.citations)
        stated = f"confidence {element.confidence or 'none'}"
        yield "element", ", ".join(filter(None, [_plain(element.value), stated, verdict, *urls]))
    for citation in cell.citations:
        title = [citation.title] if citation.title else []
        excerpts = [f"\u201c{excerpt}\u201d" for excerpt in citation.excerpts]
        yield "source", "\n".join([citation.url, *title, *excerpts])
    for answer in cell.answers if len(cell.answers) > 1 else ():
        verdict = f"rejected: {answer.rejection} ({answer.rule})" if answer.rejection else "accepted"
        value = "-" if answer.found is None else _plain(answer.found)
        yield "answer", f"{answer.processor}: {value} ({answer.confidence or 'no confidence'}), {verdict}"


_VERDICTS = {"accept": "accepted", "reject": "rejected", "correct": "corrected", "blank": "left blank"}


def _decision(made: ExplainedDecision) -> str:
    """Return a decision as text; with the answer that it was made on where the cell has another one since."""
    from datetime import UTC, datetime

    day = f"{datetime.fromtimestamp(made.at, UTC):%Y-%m-%d}"
    text = f"{_VERDICTS.get(made.verdict, made.verdict)} by {made.reviewer} on {day}"
    text += f": {made.note}" if made.note else ""
    if not made.is_outdated:
        return text
    effect = "set aside" if made.is_set_aside else "kept"
    return f"{text} ({effect}: it was made on the answer {_plain(made.answer)}, and the cell has another one since)"


def _has_value(cell: Explained) -> bool:
    """Return True if a cell of a row without runs has a value, from the table or from a review."""
    return cell.value is not None or cell.rejection is not None


def _accepted(cell: Explained) -> Iterator[tuple[str, str]]:
    met = [verdict for verdict in cell.checks if verdict.rejection is None]
    for verdict in met:
        yield "accepted", f"{verdict.requires} ({verdict.rule})"
    if cell.rejection is not None or not cell.run_id or cell.confidence == "reviewed":
        return
    if cell.value is None:
        yield "accepted", "null, and the field is not `required`"
    elif not met:
        yield "accepted", "no rule applies"


def _plain(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _entry(label: str, text: str, width: int) -> Iterator[str]:
    """Yield the lines of one entry: its label on the first, the rest indented."""
    first = True
    for part in text.splitlines() or [""]:
        yield from _wrapped(part, width, f"{label:<{_LABEL}} " if first else " " * (_LABEL + 1))
        first = False


def _wrapped(text: str, width: int, lead: str) -> list[str]:
    """Return a text as lines with control characters escaped; a URL is never broken."""
    import textwrap

    return textwrap.wrap(
        one_line(text),
        width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words="://" not in text,
        break_on_hyphens=False,
    ) or [lead.rstrip()]
