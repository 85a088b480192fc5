"""What an evaluation measured, read from the JSON of `rowcite eval`, and its sections: accuracy, confidence, cost against accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from rowcite.errors import UsageError
from rowcite.inert import one_line
from rowcite.model import Share
from rowcite.plot import Interval, Point, best_first, cost_picture, interval_picture, money
from rowcite.report.sections import WIDTHS, Part, Table
from rowcite.wording import interval

LEVELS = ("high", "medium", "low", "none")
_MOST_FIELDS = 12
"""Fields in a picture; the table below it has all of them."""
_NO_LABELS = (
    "No labels: how often these values are right is not known. `rowcite eval --draw 50` draws rows to label, and"
    " `rowcite report --evaluation FILE` adds what `rowcite eval --truth LABELS --json` measured."
)


class FieldResult(msgspec.Struct, frozen=True):
    """The labelled cells of one field under one setting."""

    processor: str
    field: str
    labelled: int
    precision: Share
    recall: Share
    by_confidence: dict[str, Share] = {}


class Policy(msgspec.Struct, frozen=True):
    """A policy: its cost in US$ for a row, and the share of all values that it gives right, with its interval."""

    policy: str
    cost_per_row_usd: float
    found: float
    found_low: float
    found_high: float
    target: float | None = None
    certified: bool = False


class Measured(msgspec.Struct, frozen=True):
    """An evaluation, as `rowcite eval --json` writes it; keys that the report does not use are left out."""

    fields: list[FieldResult]
    policies: list[Policy] = []
    choice: Policy | None = None
    spec: str | None = None
    made: str | None = None

    @property
    def settings(self) -> list[str]:
        """Return the settings that were evaluated."""
        return list(dict.fromkeys(item.processor for item in self.fields))


def read_measured(path: str, spec: str) -> Measured:
    """Return the evaluation in a file.

    Raises:
        UsageError: it cannot be read, is not the JSON of `rowcite eval`, or is about another spec.
    """
    try:
        found = msgspec.json.decode(Path(path).read_bytes(), type=Measured)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not the JSON of `rowcite eval --json` ({error}). Write one: rowcite eval SPEC --truth TABLE"
            " --key COLUMN --json > FILE"
        ) from error
    if found.spec not in (None, spec):
        raise UsageError(f"{path} is an evaluation of {found.spec}, not of {spec}")
    return found


def measured_parts(found: Measured | None) -> list[Part | None]:
    """Return the sections about accuracy. Without an evaluation one says so."""
    if found is None or not any(item.labelled for item in found.fields):
        return [Part("accuracy", "Measured accuracy", _NO_LABELS, "full")]
    return [_accuracy(found), _confidence(found), _front(found)]


def _source(found: Measured, setting: str) -> str:
    """Return what the figures are about."""
    made = f" on {found.made[:10]}" if found.made else ""
    text = f"Answers of {one_line(setting)}, compared with labels{made}. Lines are 95% intervals."
    others = [one_line(name) for name in found.settings if name != setting]
    return text + (f" The numbers below have {' and '.join(others)} too." if others else "")


def _shown(found: Measured) -> str:
    """Return the setting that is drawn: that of the most labels, the first of several."""
    labels = dict.fromkeys(found.settings, 0)
    for item in found.fields:
        labels[item.processor] += item.precision.n
    return max(labels, key=lambda name: labels[name])


def _drawn(found: Measured) -> list[FieldResult]:
    """Return the fields that are drawn: those with the most labels, in their own order."""
    mine = [item for item in found.fields if item.processor == _shown(found)]
    most = sorted(mine, key=lambda item: -item.labelled)[:_MOST_FIELDS]
    return [item for item in mine if item in most]


def _accuracy(found: Measured) -> Part:
    setting, drawn = _shown(found), _drawn(found)
    text = _source(found, setting)
    right = [item for item in drawn if item.precision.value is not None]
    if len({item.precision.value for item in right}) > 1:
        weakest = min(right, key=lambda item: item.precision.value or 0.0)
        text += f" Accepted cells are least often right in {one_line(weakest.field)}: {weakest.precision.text(labels=True)}."
    groups = [
        ("accepted cells right", [Interval(item.field, item.precision) for item in drawn]),
        ("values found", [Interval(item.field, item.recall) for item in drawn]),
    ]
    return Part(
        "accuracy",
        "Measured accuracy",
        text,
        svgs=_each_width("half", groups, "Accuracy by field"),
        table=_table(
            found,
            ("labelled", "accepted cells right", "values found"),
            lambda item: (
                f"{item.labelled:,}",
                item.precision.text(labels=True),
                item.recall.text(labels=True),
            ),
        ),
    )


def _confidence(found: Measured) -> Part | None:
    stated = [word for word in LEVELS if any(word in item.by_confidence for item in found.fields)]
    if not stated:
        return None
    groups = [
        (
            item.field,
            [
                Interval(word, item.by_confidence[word], _COLOURS[word])
                for word in stated
                if word in item.by_confidence
            ],
        )
        for item in _drawn(found)
        if item.by_confidence
    ]
    text = (
        "Found values that are right, accepted or not, by the confidence that the API stated. If high is right no more often"
        " than medium, rejecting medium values gains nothing."
    )
    return Part(
        "stated",
        "Stated confidence against measured",
        text,
        svgs=_each_width("half", groups, "Found values that are right, by stated confidence"),
        table=_table(
            found,
            tuple(stated),
            lambda item: tuple(item.by_confidence.get(word, Share()).text(labels=True) for word in stated),
        ),
    )


_COLOURS = {"high": "s-high", "medium": "s-medium", "low": "s-rejected", "none": "muted"}


def _each_width(room: str, groups: Any, title: str) -> tuple[tuple[int, str], ...]:
    drawn = ((width, interval_picture(groups, title, width=width)) for width in WIDTHS[room])
    return tuple((width, svg) for width, svg in drawn if svg)


def _table(found: Measured, columns: tuple[str, ...], cells: Any) -> Table:
    """Return a table with a line for each field, and the setting before it if there are several."""
    several = len(found.settings) > 1
    names = ("Field", *(("processor",) if several else ()), *columns)
    rows = [
        (one_line(item.field), *((one_line(item.processor),) if several else ()), *cells(item))
        for item in found.fields
    ]
    return Table(names, rows)


def _front(found: Measured) -> Part | None:
    """Return the section about policies; None if none was simulated (`--target`)."""
    points = [
        Point(
            item.policy.replace("`", ""),
            item.cost_per_row_usd,
            item.found,
            item.found_low,
            item.found_high,
            is_chosen=found.choice is not None and item.policy == found.choice.policy,
        )
        for item in found.policies
    ]
    if not points:
        return None
    rows = [
        (
            f"{number}. {one_line(item.label)}",
            money(item.cost),
            interval(item.share, item.low, item.high),
        )
        for number, item in enumerate(best_first(points), 1)
    ]
    return Part(
        "front",
        "Cost against accuracy",
        f"No other policy is better in cost and in values given right than these {len(points):,}.{_choice(found)} Simulated on"
        " answers to whole questions: a real ladder asks the next processor for the open fields only.",
        "full",
        svgs=tuple((width, cost_picture(points, width=width)) for width in WIDTHS["full"]),
        table=Table(("Policy", "list price a row", "values given right"), rows),
    )


def _choice(found: Measured) -> str:
    choice = found.choice
    if choice is None or choice.target is None:
        return ""
    words = "certified" if choice.certified else "the best, but not certified"
    return f" {one_line(choice.policy)} is {words} for {choice.target:.0%} in every field."
