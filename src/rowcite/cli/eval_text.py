"""An evaluation as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rowcite.evaluation.choice import Candidate, Choice
    from rowcite.evaluation.evaluate import Evaluation
    from rowcite.evaluation.judging import FieldResult, Pair

SHOWN = {"wrong": ("wrong", "invented"), "missed": ("missed",), "all": None}
"""The outcomes that each word of `--show` lists; None: all."""


def chosen_pairs(found: Evaluation, show: str | None) -> list[tuple[str, Pair]]:
    """Return the judged pairs that `--show` lists, with their settings."""
    if show is None:
        return []
    outcomes = SHOWN[show]
    return [
        (name, pair)
        for name, pairs in found.pairs.items()
        for pair in pairs
        if outcomes is None or pair.outcome in outcomes
    ]


def as_dict(found: Evaluation, shown: list[tuple[str, Pair]]) -> dict[str, Any]:
    """Return an evaluation as JSON; money in US$ at list price. The keys are listed in docs/evaluation.md."""
    from rowcite.evaluation.frames import pair_as_dict

    labelled = found.labelled
    return {
        "fields": [item.as_dict() for item in found.fields],
        "settings": [item.as_dict() for item in found.settings],
        "notes": list(found.notes),
        "left_out": {
            "duplicates": list(found.duplicates),
            "unmatched": labelled.unmatched,
            "ambiguous": labelled.ambiguous,
            "skipped": labelled.skipped,
            "conflicts": [list(pair) for pair in labelled.conflicts],
            "unreadable": [list(pair) for pair in labelled.unreadable],
        },
        "policies": [_policy(item, found) for item in found.front],
        "choice": _choice(found),
        "pairs": [{"processor": name, **pair_as_dict(pair)} for name, pair in shown],
    }


def _policy(item: Candidate, found: Evaluation) -> dict[str, Any]:
    from rowcite.api.facts import MICRO
    from rowcite.evaluation.policies import yaml_block

    policy, choice = item.policy, found.choice
    low, high = item.found_interval
    return {
        "policy": str(policy),
        "ladder": list(policy.ladder),
        "min_confidence": policy.bar,
        "min_confidence_of": dict(policy.bars),
        "retry_for": policy.retry_for,
        "cost_per_row_usd": item.cost_per_row / MICRO,
        "found": item.found,
        "found_low": low,
        "found_high": high,
        "certified": choice is not None and item in choice.all_certified,
        "yaml": yaml_block(policy, found.accept),
    }


def _choice(found: Evaluation) -> dict[str, Any] | None:
    if found.choice is None:
        return None
    choice = found.choice
    return {
        **_policy(choice.candidate, found),
        "target": found.target,
        "weakest_field": choice.weakest,
        "precision": choice.judged_by.precision(choice.weakest),
        "at_least": choice.judged_by.bound(choice.weakest),
        "labels_needed": choice.labels_needed,
    }


_MOST_KEYS, _WIDTH = 5, 160


def problem_lines(found: Evaluation) -> Iterator[str]:
    """Yield the labels that were left out, with the reason."""
    labelled = found.labelled
    yield from found.notes
    for keys, what in (
        (found.duplicates, "more than once in the truth"),
        (labelled.unmatched, "in no row of the table"),
        (labelled.ambiguous, "in several rows with different inputs"),
        (labelled.skipped, "in rows that are not sent"),
        (
            [f"{key} ({name})" for key, name in labelled.conflicts],
            "labelled differently for one and the same input",
        ),
        (
            [f"{key} ({name})" for key, name in labelled.unreadable],
            "not a value that the field can have",
        ),
    ):
        if keys:
            more = f" and {len(keys) - _MOST_KEYS:,} more" if len(keys) > _MOST_KEYS else ""
            yield f"left out, {what}: {', '.join(keys[:_MOST_KEYS])}{more}"


_HEAD = (
    "field",
    "labelled",
    "right",
    "wrong",
    "invented",
    "missed",
    "rejected though right",
    "accepted cells right",
    "values found",
)


def lines(found: Evaluation) -> Iterator[str]:
    """Yield the counts of each setting, then the policy for the target."""
    from rowcite.cli import render

    for setting in found.settings:
        if not setting.rows:
            yield f"{setting.name}: none of {render.plural(len(found.labelled.tasks), 'labelled task')} has an answer"
            continue
        results = [item for item in found.fields if item.setting == setting.name]
        each = (
            f", {cents(setting.cost / setting.right)} for each right cell"
            if setting.right and setting.cost
            else ""
        )
        yield f"{setting.name}: {render.plural(setting.rows, 'labelled task')} answered, {render.usd(setting.cost)}{each}"
        yield from table([_HEAD, *(_row(item) for item in results)])
        yield from _confidence_lines(results)
        yield from _few_labels(results)
        yield ""
    yield from _choice_lines(found)


_WIDE = 0.2
"""An interval of a precision that is wider than this needs more labels."""


def _few_labels(results: Sequence[FieldResult]) -> Iterator[str]:
    """Yield which fields have too few accepted cells with a label, and how many more would halve the interval."""
    from rowcite.evaluation.statistics import labels_to_halve

    wide = [
        f"{item.field} {labels_to_halve(part):,}"
        for item in results
        if (part := item.precision).low is not None and part.high is not None and part.high - part.low > _WIDE
    ]
    if wide:
        yield f"  few labels. As many more labelled accepted cells would halve the interval of: {', '.join(wide)}"


def _row(item: FieldResult) -> tuple[str, ...]:
    counts = (item.labelled, item.right, item.wrong, item.invented, item.missed, item.rejected_right)
    return (item.field, *(f"{count:,}" for count in counts), item.precision.text(), item.recall.text())


def _floor(value: float) -> str:
    """Return a share that is never rounded up to a target that it does not reach."""
    return f"{floor(value * 100 + 1e-9)}%"


def cents(micro: float) -> str:
    """Return the price of a row or a cell: hundredths of a cent are visible."""
    return f"${micro / 1_000_000:.4f}"


def table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows as aligned lines; the first column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (
            text.ljust(width) if at == 0 else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"  {'  '.join(cells).rstrip()}"


def _confidence_lines(results: list[FieldResult]) -> Iterator[str]:
    """Return what stated confidence is worth: the share of found values that are right, by confidence."""
    words = [
        word
        for word in ("high", "medium", "low", "none")
        if any(word in item.by_confidence for item in results)
    ]
    if not words:
        return
    yield "  right by stated confidence, accepted or not:"
    rows = [("field", *words)]
    for item in results:
        shares = (item.by_confidence.get(word) for word in words)
        rows.append((item.field, *("-" if part is None else part.text(labels=True) for part in shares)))
    yield from table(rows)


def _choice_lines(found: Evaluation) -> Iterator[str]:
    from rowcite.evaluation.policies import yaml_block

    if found.target is None:
        return
    choice = found.choice
    if choice is None:
        yield "no policy can be judged: no processor has answers to the labelled rows"
        return
    yield "cost against values given right; no other policy is better in both, of all or of those certified:"
    rows = [("policy", "cost a row", "values given right", "certified")]
    for one in _with_gains(found.front, choice):
        certified = "yes" if one in choice.all_certified else "no"
        rows.append((str(one.policy), cents(one.cost_per_row), f"{one.found:.0%}", certified))
    yield from table(rows)
    yield ""
    yield from _policy_lines(choice, found.target)
    yield ""
    yield from (f"  {line}" for line in yaml_block(choice.candidate.policy, found.accept).splitlines())
    yield ""
    yield CAVEAT


CAVEAT = (
    "A simulated ladder reuses answers to the whole question. A real one asks the next processor for the open fields"
    " only, with the accepted values as an input: its answers may differ."
)


def picture(found: Evaluation) -> str:
    """Return the cost of the policies against the values that they give right, as SVG; those certified are numbered, if any is."""
    from rowcite.api.facts import MICRO
    from rowcite.evaluation.choice import front
    from rowcite.evaluation.statistics import wilson
    from rowcite.plot import Point, cost_picture

    choice = found.choice
    best = front((choice is not None and choice.all_certified) or found.candidates)
    points = [
        Point(
            str(item.policy),
            item.cost_per_row / MICRO,
            item.found,
            *wilson(item.found, item.whole.rows),
            is_best=item in best,
            is_chosen=choice is not None and item is choice.candidate,
        )
        for item in found.candidates
        if item.whole.rows
    ]
    return cost_picture(points, is_file=True)


def _with_gains(front: Sequence[Candidate], choice: Choice) -> Iterator[Candidate]:
    """Yield the policies that give a percent more values right than a cheaper one that is listed, certified or not."""
    listed = {True: -1.0, False: -1.0}
    for item in front:
        certified = item in choice.all_certified
        if item.found >= listed[certified] + 0.01 or item is choice.candidate:
            listed[certified] = item.found
            yield item


def _policy_lines(choice: Choice, target: float) -> Iterator[str]:
    """Yield the chosen policy with its figures, and what they are worth."""
    item, weakest, bound = choice.candidate, choice.weakest, choice.judged_by.bound(choice.weakest)
    precision = choice.judged_by.precision(weakest)
    right = (
        "no accepted cell" if precision is None else f"{_floor(precision)} right, at least {_floor(bound)}"
    )
    yield f"{item.policy}: {right}, {cents(item.cost_per_row)} a row"
    values = f"{item.found:.0%} of all values are given right"
    if choice.certified:
        yield f"certified for {target:.0%} in every field. The weakest is {weakest}; {values}"
        return
    needed = choice.labels_needed
    more = (
        "no number of labels would certify it"
        if needed is None
        else f"about {needed:,} labelled rows would certify it"
    )
    yield f"not certified for {target:.0%}, the best there is. The weakest field is {weakest}; {more}; {values}"


def pair_lines(shown: list[tuple[str, Pair]]) -> Iterator[str]:
    """Yield judged pairs with their evidence."""
    from rowcite.inert import shortened

    for name, pair in shown:
        record = "" if pair.record == str(pair.row) else f" {pair.record}"
        yield f"row {pair.row}{record} {pair.field} [{name}]: {pair.outcome}"
        yield f"  label: {_label_text(pair.label)}"
        yield f"  found: {pair.found} ({pair.confidence})" + (
            f", rejected: {pair.rejection}" if pair.rejection else ""
        )
        yield from (f"  {url}" for url in pair.urls)
        yield from (f"  {text}" for text in [pair.reasoning and shortened(pair.reasoning, _WIDTH)] if text)


def _label_text(label: Any) -> str:
    from rowcite.evaluation.truth import NotThese

    if isinstance(label, NotThese):
        return f"not {' and not '.join(map(str, label.values))}"
    return "(none)" if label is None else str(label)
