"""`rowcite compare`: where two processors disagree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from rowcite.cli.options import (
    max_cost_option,
    output_options,
    prepared,
    read_only_options,
    spec_argument,
    start_console,
)
from rowcite.cli.sending import answers, processor_names, sending_options

if TYPE_CHECKING:
    from rowcite.evaluation.compare import ProcessorComparison, Side

_SHOWN, _WIDTH = 20, 120


@click.command("compare")
@spec_argument
@click.option("--processors", callback=processor_names, metavar="A,B", help="The two processors.")
@click.option(
    "--repeat",
    type=click.Choice(["2"]),
    help="Ask one processor twice: the spec's, or the one of --processors.",
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
@sending_options("yes")
@output_options
def command(  # noqa: PLR0913 - one for each flag
    spec: str,
    *,
    processors: tuple[str, ...],
    repeat: str | None,
    size: int,
    seed: int,
    show_all: bool,
    as_json: bool,
    yes: bool,
    **flags: Any,
) -> int:
    """Compare the answers of two processors to a sample of SPEC's rows, or two answers of one.

    Answers that are stored are not requested again. The second answers of one processor are never used for the table.
    """
    from rowcite.cli import render
    from rowcite.evaluation.compare import compare, pair_of, sample

    if len(processors) > 2 or (len(processors) == 2) == (repeat is not None):
        raise click.UsageError("--processors needs two names, such as base,core; with --repeat 2 one")
    console = start_console(flags)
    with prepared(spec, flags) as ready:
        rows = sample(ready.job, size, seed)
        pair = pair_of(ready.job, rows, processors)
        with answers(console, ready, pair.jobs, yes=yes) as ledger:
            found = compare(pair, rows, ledger)
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
                "agree": item.agree.as_dict(),
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
    from rowcite.cli.eval_text import cents, table

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
            item.agree.text(),
            f"{item.only_first:,}",
            f"{item.only_second:,}",
            f"{item.neither:,}",
        )
        for item in found.fields
    ]
    yield from table([head, *rows])
    more = found.second_cost - found.first_cost
    if found.added and more:
        dearer = f"{render.usd(abs(more))} {'more' if more > 0 else 'less'}"
        each = f", {cents(more / found.added)} each" if more * found.added > 0 else ""
        word = "more" if found.added > 0 else "fewer"
        yield f"{second} fills {render.plural(abs(found.added), 'cell')} {word} than {first} for {dearer}{each}"


def _disagreements(found: ProcessorComparison, most: int | None) -> Iterator[str]:
    shown = found.disagreements[:most]
    for item in shown:
        yield f"row {item.row} {item.field}"
        yield from _side_lines(found.first, item.first)
        yield from _side_lines(found.second, item.second)
    if len(shown) < len(found.disagreements):
        yield f"{len(found.disagreements) - len(shown):,} more: --all lists them"


def _side_lines(name: str, side: Side) -> Iterator[str]:
    from rowcite.inert import one_line

    value = "no accepted value" if side.value is None else f"{side.value} ({side.confidence})"
    yield f"  {name}: {value}"
    yield from (f"    {url}" for url in side.urls[:2])
    yield from (f'    "{one_line(text, _WIDTH)}"' for text in side.excerpts[:1] or (side.reasoning,) if text)
