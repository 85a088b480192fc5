"""`rowcite eval`: compares stored answers with labels."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


def _target(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise click.BadParameter("not a share between 0 and 1, such as 0.95 or 95%")
    return share


@click.command("eval")
@spec_argument
@click.option(
    "--truth",
    metavar="TABLE",
    help="Table with the key and the right values of some rows; or reviewed: the decisions of `rowcite review`.",
)
@click.option(
    "--drawn",
    metavar="CSV",
    help="With --truth reviewed: the file that --draw wrote. The decisions on its rows are those of a random sample.",
)
@click.option("--key", metavar="COLUMN", help="Column that identifies a row, in both tables.")
@click.option(
    "--processors",
    callback=processor_names,
    metavar="A,B",
    help="Request and judge the answers of these processors, for labelled rows only.",
)
@click.option(
    "--target",
    callback=_target,
    metavar="SHARE",
    help="Name the cheapest policy whose accepted cells are right to this share, in each field.",
)
@click.option(
    "--none-marker", default="(none)", show_default=True, metavar="TEXT", help="A label that means: nothing."
)
@click.option(
    "--show",
    type=click.Choice(["wrong", "missed", "all"]),
    help="List these judged pairs with their evidence.",
)
@click.option(
    "--picture",
    metavar="SVG",
    help="With --target: draw the cost of the policies against the values that they give right.",
)
@click.option(
    "--draw",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw N rows to label, and write them to --output.",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Seed of --draw.")
@click.option("-o", "--output", metavar="CSV", help="File for --draw; it is never overwritten.")
@read_only_options
@max_cost_option
@sending_options("yes")
@output_options
def command(spec: str, *, key: str | None, truth: str | None, draw: int | None, **flags: Any) -> int:
    """Compare the answers for SPEC's table with a table of labels.

    Blank labels count as not labelled. Prices are list prices.
    """
    if (truth is None) == (draw is None):
        raise click.UsageError("give --truth TABLE, or --draw N to make one")
    if flags["picture"] is not None and flags["target"] is None:
        raise click.UsageError("--picture needs --target: it shows the policies")
    own = {name: flags.pop(name) for name in _OWN}
    if draw is not None:
        return _draw(spec, key, draw, own, flags)
    assert truth is not None
    return _evaluate(spec, key, truth, own, flags)


_OWN = (
    "drawn",
    "processors",
    "target",
    "none_marker",
    "show",
    "picture",
    "seed",
    "output",
    "as_json",
    "yes",
)


def _draw(spec: str, key: str | None, rows: int, own: dict[str, Any], flags: dict[str, Any]) -> int:
    from rowcite.cli import render
    from rowcite.evaluation.draw import draw
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.which_api import Use

    output = own["output"]
    if output is None or key is None:
        raise click.UsageError("--draw needs --output FILE.csv and --key COLUMN")
    if output == "-":
        raise click.UsageError("--draw writes a file to fill in: give --output FILE.csv")
    if Path(output).exists():
        raise click.UsageError(f"{output} exists: labels may be in it. Give --output another file")
    console = start_console(flags)
    with (
        prepared(spec, flags, Use.LOOK) as ready,
        closing(open_ledger(ready.ledger, writing=False)) as ledger,
    ):
        ready.check_target("--output", output, "csv")
        drawn = draw(ready.job, ledger, key, Path(output), size=rows, seed=own["seed"])
    if own["as_json"]:
        render.as_json({"rows": drawn.rows, "strata": drawn.strata, "output": output})
    for name, tasks in drawn.strata.items():
        console.info(f"{name}: {render.plural(tasks, 'task')}")
    if drawn.ambiguous:
        console.warning(
            f"{render.plural(drawn.ambiguous, 'task')} not drawn: other rows have the same {key} and another input"
        )
    console.info(
        f"{output}: {render.plural(drawn.rows, 'row')} to label. Fill in its fields and run"
        f" `rowcite eval {spec} --truth {output} --key {key}`, or review them: `rowcite review {spec} --first {output} --key {key}`,"
        f" then `rowcite eval {spec} --truth reviewed --drawn {output} --key {key}`"
    )
    return 0


def _evaluate(spec: str, key: str | None, truth: str, own: dict[str, Any], flags: dict[str, Any]) -> int:
    from rowcite.cli import eval_text, render
    from rowcite.evaluation.evaluate import evaluator
    from rowcite.files import write_errors, write_whole
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.which_api import Use

    processors = own["processors"]
    console = start_console(flags)
    with prepared(spec, flags, Use.SEND if processors else Use.KEEP) as ready:
        if own["picture"] is not None:
            ready.check_target("--picture", own["picture"])
        with closing(open_ledger(ready.ledger, writing=False)) as ledger:
            made = evaluator(
                ready.job,
                ledger,
                truth,
                key=key,
                none_marker=own["none_marker"],
                target=own["target"],
                drawn=own["drawn"],
            )
        jobs = [made.job_of(name) for name in processors]
        with answers(console, ready, jobs, yes=own["yes"]) as ledger:
            found = made.evaluate(ledger, processors, own["target"])
    if own["picture"] is not None:
        with write_errors(own["picture"]):
            write_whole(Path(own["picture"]), eval_text.picture(found).encode())
    shown = eval_text.chosen_pairs(found, own["show"])
    if own["as_json"]:
        about = {"spec": ready.job.spec.name, "made": datetime.now(UTC).isoformat(timespec="seconds")}
        render.as_json({**about, **eval_text.as_dict(found, shown), "api": ready.api})
        return 0
    for line in (*eval_text.problem_lines(found), *eval_text.lines(found), *eval_text.pair_lines(shown)):
        render.line(line)
    return 0
