"""Charts of the facts: Altair renders them to SVG, and the page's style sheet sets their colours.

Each picture exists in several widths and the page shows the one that fits, because text in a scaled picture is too small
on a phone or too large on a desktop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

from rowcite.inert import one_line
from rowcite.report.facts import FILLED, CellState, Facts, Moment, Timeline
from rowcite.report.sections import WIDTHS
from rowcite.spec.fields import Field
from rowcite.wording import percent

MOST_FIELDS = 25
_MOST_BARS = 10
_FONT = "system-ui, sans-serif"

# Unique placeholder colours, which `_for_page` replaces by variables of the style sheet.
_VARIABLES = (
    "ink",
    "muted",
    "line",
    "accent",
    "soft",
    "warn",
    "bad",
    "none",
    *(f"s-{name}" for name in CellState),
)
_COLOURS = {name: f"#0a{number:04x}" for number, name in enumerate(_VARIABLES, 1)}
_NAMES = {colour: name for name, colour in _COLOURS.items()}
_COLOUR = re.compile(r'(fill|stroke)="(#0a[0-9a-f]{4})"')
_ROOT = re.compile(r"<svg [^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\"[^>]*>")
_ROLES = re.compile(r' (?:role|aria-[a-z]+|pointer-events)="[^"]*"')


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its length, the number as text, its colour."""

    label: str
    size: float
    shown: str
    colour: str = "accent"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart in each of its widths, as (width, SVG), widest first."""

    svgs: tuple[tuple[int, str], ...]


def coverage(facts: Facts) -> Picture:
    """Draw the share of filled cells of each field, by confidence: of the least filled ones where there are many."""
    names = {field.name for field in least_filled(facts)}
    cells, totals = _cells(facts, names), _totals(facts, names)

    def chart(width: int) -> Any:
        y = alt.Y("field:O", axis=None, scale=alt.Scale(paddingInner=0.0, paddingOuter=0.0))
        bars = (
            _chart(cells)
            .mark_bar(height=14, yOffset=9)
            .encode(
                x=alt.X("cells:Q", stack="normalize", axis=None),
                y=y,
                order="order:Q",
                color=_colours({str(name): f"s-{name}" for name in CellState}, "state"),
                stroke=alt.value(_COLOURS["none"]),
                strokeWidth=alt.value(1),
            )
        )
        labels = _labels(_chart(totals).encode(y=y), width, ("name", "filled"), totals, dy=-11)
        return alt.layer(bars, *labels).properties(width=width, height=44 * max(len(totals), 1))

    shares = "; ".join(f"{item['name']}: {item['filled']}" for item in totals)
    return _picture(chart, "full", f"Cells filled by field. {shares}")


def least_filled(facts: Facts) -> list[Field]:
    """Return the fields that are drawn: those with the fewest filled cells."""
    return sorted(facts.fields, key=lambda field: sum(facts.cells[field.name][state] for state in FILLED))[
        :MOST_FIELDS
    ]


def _cells(facts: Facts, names: set[str]) -> list[dict[str, Any]]:
    """Return the number of cells of each field and state."""
    return [
        {
            "field": f"{number:04}",
            "name": one_line(field.name),
            "state": str(state),
            "order": order,
            "cells": facts.cells[field.name][state],
        }
        for number, field in enumerate(facts.fields)
        for order, state in enumerate(CellState)
        if field.name in names and facts.cells[field.name][state]
    ]


def _totals(facts: Facts, names: set[str]) -> list[dict[str, Any]]:
    """Return the share of filled cells of each field."""
    return [
        {
            "field": f"{number:04}",
            "name": one_line(field.name),
            "filled": filled_text(facts, field.name),
        }
        for number, field in enumerate(facts.fields)
        if field.name in names
    ]


def filled_text(facts: Facts, name: str) -> str:
    """Return how many answered rows a field is filled in, as the summary of a run does."""
    filled = sum(facts.cells[name][state] for state in FILLED)
    return f"{filled:,} of {facts.answered:,} ({percent(filled, facts.answered)})"


def _labels(
    base: Any, width: int, names: tuple[str, str], items: list[dict[str, Any]], *, dy: int
) -> tuple[Any, Any]:
    """Return the labels above bars: a name on the left, cut to the room that the longest number on the right leaves."""
    left, right = names
    longest = max((len(item[right]) for item in items), default=0)
    room = (width - 8 * longest - 12) * 0.88  # fonts differ in width
    return (
        base.mark_text(align="left", dy=dy, limit=room).encode(x=alt.value(0), text=f"{left}:N"),
        base.mark_text(align="right", dy=dy, color=_COLOURS["muted"]).encode(
            x=alt.value(width), text=f"{right}:N"
        ),
    )


def bars(items: Iterable[Bar], title: str, whole: float | None = None) -> Picture:
    """Draw bars with their labels above them; long labels are cut. A bar of the size `whole` has the picture's width."""
    shown_bars = list(items)[: _MOST_BARS + 1]
    data = [
        {
            "row": f"{number:04}",
            "label": one_line(bar.label),
            "size": bar.size,
            "shown": bar.shown,
            "c": bar.colour,
        }
        for number, bar in enumerate(shown_bars)
    ]

    scale = alt.Scale(domainMin=0) if whole is None else alt.Scale(domain=(0, whole))

    def chart(width: int) -> Any:
        base = _chart(data).encode(
            y=alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.0, paddingOuter=0.0))
        )
        return alt.layer(
            base.mark_bar(height=6, yOffset=9, cornerRadiusEnd=1).encode(
                x=alt.X("size:Q", axis=None, scale=scale),
                color=_colours({name: name for name in _VARIABLES}, "c"),
            ),
            *_labels(base, width, ("label", "shown"), data, dy=-5),
        ).properties(width=width, height=36 * max(len(data), 1))

    values = "; ".join(f"{item['label']}: {item['shown']}" for item in data)
    return _picture(chart, "half", f"{title}. {values}")


def timeline(line: Timeline) -> Picture:
    """Draw the number of runs submitted, completed and failed over time."""
    unit, seconds = next(((name, size) for name, size in _UNITS if line.worked >= 2 * size), _UNITS[-1])
    data = [
        {"at": moment.at / seconds, "runs": runs, "what": what}
        for moment in line.moments
        for what, runs in (
            ("submitted", moment.sent),
            ("completed", moment.answered),
            ("failed", moment.failed),
        )
    ]
    pauses = [{"at": at / seconds} for at, _ in line.pauses]
    last = line.moments[-1] if line.moments else Moment(0.0, 0, 0, 0)

    def chart(width: int) -> Any:
        x = alt.X(
            "at:Q",
            title=f"{unit} of work",
            axis=alt.Axis(tickCount=max(width // 110, 3), grid=False),
            scale=alt.Scale(nice=False),
        )
        y = alt.Y(
            "runs:Q",
            title=None,
            stack=None,
            axis=alt.Axis(tickCount=4, tickMinStep=1, domain=False, ticks=False),
        )
        layers = [layer.encode(x=x, y=y) for layer in _run_layers(_chart(data), failed=bool(last.failed))]
        if pauses:
            rule = _chart(pauses).mark_rule(color=_COLOURS["muted"], strokeDash=[1, 3])
            layers.append(rule.encode(x=x))
        return alt.layer(*layers).properties(width=width - 44, height=170)

    totals = f"{last.sent:,} submitted, {last.answered:,} completed, {last.failed:,} failed"
    return _picture(chart, "full", f"Runs over time: {totals if line.moments else 'nothing submitted'}")


def _run_layers(chart: Any, *, failed: bool) -> list[Any]:
    """Return an area of completed runs, a line of submitted runs and, if any failed, a line of failed runs."""
    answered = chart.transform_filter("datum.what == 'completed'").mark_area(
        interpolate="step-after",
        color=_COLOURS["soft"],
        line={"color": _COLOURS["accent"], "strokeWidth": 1.5},
    )
    sent = chart.transform_filter("datum.what == 'submitted'").mark_line(
        interpolate="step-after", color=_COLOURS["muted"], strokeWidth=1.25, strokeDash=[3, 3]
    )
    ended = chart.transform_filter("datum.what == 'failed'").mark_line(
        interpolate="step-after", color=_COLOURS["bad"], strokeWidth=1.5
    )
    return [answered, sent, ended] if failed else [answered, sent]


_UNITS = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))


def _chart(values: list[dict[str, Any]]) -> Any:
    return alt.Chart(alt.Data(values=values))  # type: ignore[no-untyped-call]


def _colours(named: dict[str, str], field: str) -> alt.Color:
    return alt.Color(
        f"{field}:N",
        legend=None,
        scale=alt.Scale(domain=list(named), range=[_COLOURS[name] for name in named.values()]),
    )


def _picture(chart: Any, room: str, title: str) -> Picture:
    return Picture(tuple((width, _svg(chart(width), title)) for width in WIDTHS[room]))


def _svg(chart: Any, title: str) -> str:
    spec = chart.configure(
        background="transparent",
        padding=0,
        font=_FONT,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=_COLOURS["muted"],
            titleColor=_COLOURS["muted"],
            gridColor=_COLOURS["line"],
            domainColor=_COLOURS["line"],
            tickColor=_COLOURS["line"],
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            titlePadding=8,
        ),
        text=alt.MarkConfig(fontSize=13, color=_COLOURS["ink"]),
    ).to_dict(validate=False)  # a check against the schema of Vega-Lite takes an eighth of the time
    return _for_page(vl_convert.vegalite_to_svg(spec), title)


def _for_page(svg: str, title: str) -> str:
    """Return an SVG with its title and the page's colours, without the roles of its parts: it is one image."""
    from html import escape

    root = _ROOT.match(svg)
    assert root is not None
    width, height = root[1], root[2]
    body = _COLOUR.sub(lambda found: f'{found[1]}="var(--{_NAMES[found[2]]})"', svg[root.end() :])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"{_ROLES.sub('', body)}"
    )
