"""`rowcite compare`: where two processors disagree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.eval import processor_names, request
from rowcite.cli.options import (
    max_cost_option,
    output_options,
    prepared,
    read_only_options,
    spec_argument,
    start_console,
)
from rowcite.cli.sending import sending_options

if TYPE_CHECKING:
    from rowcite.evaluation.compare import ProcessorComparison, Side

_SHOWN = 20


@click.command("compare")
@spec_argument
@click.option(
    "--processors", required=True, callback=processor_names, metavar="A,B", help="The two processors."
)
@click.option(
    "--sample",
    "size",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="Ask about N rows, drawn by the seed.",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Seed of the sample.")
@click.option("--all", "show_all", is_flag=True, help=f"List all disagreements, not the first {_SHOWN}.")
@read_only_options
@max_cost_option
@sending_options("yes", "no-progress")
@output_options
def command(  # noqa: PLR0913 - one for each flag
    spec: str,
    *,
    processors: tuple[str, ...],
    size: int,
    seed: int,
    show_all: bool,
    as_json: bool,
    yes: bool,
    no_progress: bool,
    **flags: Any,
) -> int:
    """Compare the answers of two processors to a sample of SPEC's rows. Answers that are stored are not requested again."""
    from rowcite.cli import render
    from rowcite.evaluation.compare import compare, sample
    from rowcite.evaluation.some_rows import job_of
    from rowcite.ledger import open_ledger

    if len(processors) != 2:
        raise click.UsageError("--processors needs two names, such as base,core")
    console = start_console(flags)
    with prepared(spec, flags) as ready:
        rows = sample(ready.job, size, seed)
        jobs = [job_of(ready.job, rows, name) for name in processors]
        request(console, ready, jobs, yes=yes, quiet=no_progress)
        ledger = open_ledger(ready.ledger, writing=False)
        found = compare(ready.job, rows, ledger, (processors[0], processors[1]))
        ledger.close()
    if as_json:
        render.as_json({**_as_dict(found), "api": ready.api})
        return 0
    for line in (*_lines(found), *_disagreements(found, None if show_all else _SHOWN)):
        render.line(line)
    return 0


def _as_dict(found: ProcessorComparison) -> dict[str, Any]:
    """Return a comparison as JSON; money in US$."""
    from rowcite.api.facts import MICRO

    return {
        "processors": [found.first, found.second],
        "rows": found.rows,
        "cost_usd": [found.first_cost / MICRO, found.second_cost / MICRO],
        "fields": [
            {
                "field": item.field,
                "both": item.both,
                "agree": item.agree._asdict(),
                "only_first": item.only_first,
                "only_second": item.only_second,
                "neither": item.neither,
            }
            for item in found.fields
        ],
        "disagreements": [
            {
                "row": item.row,
                "field": item.field,
                "first": item.first._asdict(),
                "second": item.second._asdict(),
            }
            for item in found.disagreements
        ],
    }


def _lines(found: ProcessorComparison) -> Iterator[str]:
    from rowcite.cli import render
    from rowcite.cli.eval_text import percent, table

    first, second = found.first, found.second
    yield (
        f"{render.plural(found.rows, 'row')} answered by both: {first} {render.usd(found.first_cost)},"
        f" {second} {render.usd(found.second_cost)}"
    )
    head = ("field", "both filled", "agree", f"only {first}", f"only {second}", "neither")
    rows = [
        (
            item.field,
            f"{item.both:,}",
            percent(item.agree),
            f"{item.only_first:,}",
            f"{item.only_second:,}",
            f"{item.neither:,}",
        )
        for item in found.fields
    ]
    yield from table([head, *rows])
    more = found.second_cost - found.first_cost
    if found.added and more:
        each = f" for {render.usd(abs(more))} {'more' if more > 0 else 'less'}"
        word = "more" if found.added > 0 else "fewer"
        yield f"{second} fills {render.plural(abs(found.added), 'cell')} {word} than {first}{each}"


def _disagreements(found: ProcessorComparison, most: int | None) -> Iterator[str]:
    shown = found.disagreements[:most]
    for item in shown:
        yield f"row {item.row} {item.field}"
        yield from _side_lines(found.first, item.first)
        yield from _side_lines(found.second, item.second)
    if len(shown) < len(found.disagreements):
        yield f"{len(found.disagreements) - len(shown):,} more: --all lists them"


def _side_lines(name: str, side: Side) -> Iterator[str]:
    value = "no accepted value" if side.value is None else f"{side.value} ({side.confidence})"
    yield f"  {name}: {value}"
    yield from (f"    {url}" for url in side.urls[:2])
