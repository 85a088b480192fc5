"""Charts of the facts: Vega-Lite renders them to SVG, and the page's style sheet sets their colours.

Each picture exists in several widths and the page shows the one that fits, because text in a scaled picture is too small
on a phone or too large on a desktop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import vl_convert

from rowcite.inert import one_line
from rowcite.report.facts import FILLED, CellState, Facts, Moment, Timeline
from rowcite.report.sections import WIDTHS
from rowcite.spec.fields import Field
from rowcite.wording import percent

MOST_FIELDS = 25
_MOST_BARS = 10
_Spec = dict[str, Any]
"""A part of a chart, as Vega-Lite has it."""

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
_CONFIG = {
    "background": "transparent",
    "padding": 0,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": _COLOURS["muted"],
        "titleColor": _COLOURS["muted"],
        "gridColor": _COLOURS["line"],
        "domainColor": _COLOURS["line"],
        "tickColor": _COLOURS["line"],
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "text": {"fontSize": 13, "color": _COLOURS["ink"]},
}
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

    def chart(width: int) -> _Spec:
        bars = {
            "data": {"values": cells},
            "mark": {"type": "bar", "height": 14, "yOffset": 9},
            "encoding": {
                "x": _field("cells", "quantitative", stack="normalize", axis=None),
                "y": _rows("field"),
                "order": _field("order", "quantitative"),
                "color": _colours({str(name): f"s-{name}" for name in CellState}, "state"),
                "stroke": {"value": _COLOURS["none"]},
                "strokeWidth": {"value": 1},
            },
        }
        labels = _labels("field", width, ("name", "filled"), totals, dy=-11)
        return {"layer": [bars, *labels], "width": width, "height": 44 * max(len(totals), 1)}

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
    row: str, width: int, names: tuple[str, str], items: list[dict[str, Any]], *, dy: int
) -> tuple[_Spec, _Spec]:
    """Return the labels above bars: a name on the left, cut to the room that the longest number on the right leaves."""
    left, right = names
    longest = max((len(item[right]) for item in items), default=0)
    room = (width - 8 * longest - 12) * 0.88  # fonts differ in width
    y, data = _rows(row), {"values": items}
    cut = {"type": "text", "align": "left", "dy": dy, "limit": room}
    whole = {"type": "text", "align": "right", "dy": dy, "color": _COLOURS["muted"]}
    return (
        {"data": data, "mark": cut, "encoding": {"x": {"value": 0}, "y": y, "text": _field(left)}},
        {"data": data, "mark": whole, "encoding": {"x": {"value": width}, "y": y, "text": _field(right)}},
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

    scale = {"domainMin": 0} if whole is None else {"domain": [0, whole]}

    def chart(width: int) -> _Spec:
        drawn = {
            "data": {"values": data},
            "mark": {"type": "bar", "height": 6, "yOffset": 9, "cornerRadiusEnd": 1},
            "encoding": {
                "x": _field("size", "quantitative", axis=None, scale=scale),
                "y": _rows("row"),
                "color": _colours({name: name for name in _VARIABLES}, "c"),
            },
        }
        labels = _labels("row", width, ("label", "shown"), data, dy=-5)
        return {"layer": [drawn, *labels], "width": width, "height": 36 * max(len(data), 1)}

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

    def chart(width: int) -> _Spec:
        ticks = {"tickCount": max(width // 110, 3), "grid": False}
        x = _field("at", "quantitative", title=f"{unit} of work", axis=ticks, scale={"nice": False})
        few = {"tickCount": 4, "tickMinStep": 1, "domain": False, "ticks": False}
        y = _field("runs", "quantitative", title=None, stack=None, axis=few)
        drawn = _run_layers(failed=bool(last.failed))
        layers = [{"data": {"values": data}, "encoding": {"x": x, "y": y}, **layer} for layer in drawn]
        if pauses:
            rule = {"type": "rule", "color": _COLOURS["muted"], "strokeDash": [1, 3]}
            layers.append({"data": {"values": pauses}, "mark": rule, "encoding": {"x": x}})
        return {"layer": layers, "width": width - 44, "height": 170}

    totals = f"{last.sent:,} submitted, {last.answered:,} completed, {last.failed:,} failed"
    return _picture(chart, "full", f"Runs over time: {totals if line.moments else 'nothing submitted'}")


def _run_layers(*, failed: bool) -> list[_Spec]:
    """Return an area of completed runs, a line of submitted runs and, if any failed, a line of failed runs."""
    edge = {"color": _COLOURS["accent"], "strokeWidth": 1.5}
    marks: dict[str, _Spec] = {
        "completed": {"type": "area", "color": _COLOURS["soft"], "line": edge},
        "submitted": {
            "type": "line",
            "color": _COLOURS["muted"],
            "strokeWidth": 1.25,
            "strokeDash": [3, 3],
        },
        "failed": {"type": "line", "color": _COLOURS["bad"], "strokeWidth": 1.5},
    }
    return [
        {
            "mark": {**mark, "interpolate": "step-after"},
            "transform": [{"filter": f"datum.what == '{what}'"}],
        }
        for what, mark in marks.items()
        if failed or what != "failed"
    ]


_UNITS = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))


def _field(name: str, kind: str = "nominal", **more: Any) -> _Spec:
    return {"field": name, "type": kind, **more}


def _rows(name: str) -> _Spec:
    """Return the vertical positions of bars, by a field whose values have their order."""
    return _field(name, "ordinal", axis=None, scale={"paddingInner": 0.0, "paddingOuter": 0.0})


def _colours(named: dict[str, str], field: str) -> _Spec:
    scale = {"domain": list(named), "range": [_COLOURS[name] for name in named.values()]}
    return _field(field, legend=None, scale=scale)


def _picture(chart: Callable[[int], _Spec], room: str, title: str) -> Picture:
    return Picture(tuple((width, _svg(chart(width), title)) for width in WIDTHS[room]))


def _svg(chart: _Spec, title: str) -> str:
    return _for_page(vl_convert.vegalite_to_svg({**chart, "config": _CONFIG}), title)


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
