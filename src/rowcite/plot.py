"""Pictures of shares with their 95% intervals, as SVG for a page or for a file: cost against accuracy, and lists.

Of policies, the points that no other beats in both are numbered and joined by steps: no policy is between two of them. Labels are
where they fit, and a table beside the picture has all of them by the same numbers.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from rowcite.inert import one_line
from rowcite.model import Share
from rowcite.wording import interval

_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 30, 42
_EDGE = 14
_RADIUS, _DOT, _GAP, _FONT = 9.0, 3.5, 7.0, 12
_CHAR, _LINE = 6.7, 15.0
_MOST_CHARS = 40
_ROW, _SHARE_OF_N = 24.0, 104  # pixels of a line of a list, and of the text at its right end
_LOG_FROM = 8
"""The ratio of the highest to the lowest cost from which the scale is logarithmic."""
_STYLE = (
    ":root{--bg:#fff;--ink:#171a1e;--muted:#5a626c;--line:#e2e5e9;--accent:#0b6b5c;--soft:#d5ebe6}"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171a;--ink:#e6e9ec;--muted:#9ba4ae;--line:#2c3238;--accent:#62c6b1;"
    "--soft:#1d3b36}}"
)


class Point(NamedTuple):
    """A policy: its cost in US$ for a row, and the share that it gets right, with the ends of its 95% interval."""

    label: str
    cost: float
    share: float
    low: float
    high: float
    is_best: bool = True
    """No other policy is better in cost and in share."""
    is_chosen: bool = False


class Interval(NamedTuple):
    """A line of a list of shares. `colour` names a variable of the page. A share without labels is not drawn."""

    label: str
    share: Share
    colour: str = "accent"


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: _Box) -> bool:
        """Return True if two boxes share a point."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a number is drawn, in pixels; logarithmic or not."""

    least: float
    most: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Return the position of a number."""
        least, most, value = (
            (math.log(item) if self.is_log else item) for item in (self.least, self.most, value)
        )
        return self.start + (value - least) / ((most - least) or 1) * (self.end - self.start)


def cost_picture(
    points: Sequence[Point],
    *,
    width: int = 760,
    shares: str = "values given right",
    is_file: bool = False,
) -> str:
    """Return an SVG of cost against a share, or an empty text without points.

    `shares` names the share. In a page the colours are variables of its style sheet; a file (`is_file`) has its own, for
    light and for dark. The numbers of the points are their places among those with `is_best`, the cheapest first.
    """
    if not points:
        return ""
    height = round(min(max(width * 0.5, 260), 380))
    drawing = _Drawing(points, width, height)
    summary = "; ".join(
        f"{number}. {one_line(item.label, _MOST_CHARS)}: {money(item.cost)}, {interval(item.share, item.low, item.high)}"
        for number, item in enumerate(drawing.best, 1)
    )
    title = f"Cost a row against {shares}, with 95% intervals. {summary}"
    body = (*drawing.axes(shares), *drawing.others(), *drawing.steps(), *drawing.numbered())
    return _svg(title, width, height, body, is_file=is_file)


def interval_picture(
    groups: Sequence[tuple[str, Sequence[Interval]]], title: str, *, width: int = 500, is_file: bool = False
) -> str:
    """Return an SVG of shares on one scale from 0% to 100%, or an empty text without any.

    A group is a name, which may be empty, and its lines.
    """
    lines = [item for _, group in groups for item in group]
    if not any(item.share.n for item in lines):
        return ""
    left = min(max(_width(item.label) for item in lines) + 12, width * 0.4)
    scale = _Scale(0.0, 1.0, left, width - _SHARE_OF_N)
    body, y = [], 0.0
    for name, group in groups:
        if name:
            body.append(_text(0, y + 16, _fitting(name, width), colour="ink", bold=True))
        y += _ROW if name else 0.0
        for item in group:
            body.extend(_interval(item, scale, y, width))
            y += _ROW
    back = [f'<path d="M{scale.at(at):.1f} 0V{y:.1f}" stroke="var(--line)"/>' for at in (0, 0.5, 1)]
    ends = zip((0, 0.5, 1), ("start", "middle", "end"), strict=True)
    feet = [_text(scale.at(at), y + 15, f"{at:.0%}", anchor=anchor) for at, anchor in ends]
    spoken = "; ".join(
        " ".join(one_line(part, _MOST_CHARS) for part in (name, item.label) if part)
        + f": {item.share.text(labels=True)}"
        for name, group in groups
        for item in group
    )
    return _svg(f"{title}. {spoken}", width, round(y + 20), (*back, *body, *feet), is_file=is_file)


def _interval(item: Interval, scale: _Scale, y: float, width: int) -> Iterator[str]:
    """Yield the parts of one line."""
    middle, share = y + _ROW / 2, item.share
    yield _text(0, middle + 4, _fitting(item.label, scale.start - 8))
    if share.value is None or share.low is None or share.high is None:
        yield _text(width, middle + 4, share.text(labels=True), anchor="end")
        return
    low, high = scale.at(share.low), scale.at(share.high)
    yield f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="var(--{item.colour})" stroke-width="6" stroke-opacity=".35"/>'
    yield f'<circle cx="{scale.at(share.value):.1f}" cy="{middle}" r="5" fill="var(--{item.colour})" stroke="var(--bg)"/>'
    yield _text(width, middle + 4, f"{share.value:.0%} of {share.n:,}", anchor="end", colour="ink")


def _fitting(words: str, room: float) -> str:
    """Return a text cut to a width in pixels."""
    words = one_line(words, 200)
    if _width(words) <= room:
        return words
    while words and _width(words) + _CHAR > room:
        words = words[:-1]
    return f"{words}…"


def _svg(title: str, width: int, height: int, body: Sequence[str], *, is_file: bool) -> str:
    title = escape(title)
    edge = _EDGE if is_file else 0
    box = f"{-edge} {-edge} {width + 2 * edge} {height + 2 * edge}"
    back = f'<rect x="{-edge}" y="{-edge}" width="100%" height="100%" fill="var(--bg)"/>'
    style = f"<style>{_STYLE}</style>{back}" if is_file else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width + 2 * edge}" height="{height + 2 * edge}"'
        f' viewBox="{box}" aria-label="{title}" font-family="system-ui, sans-serif" font-size="{_FONT}">'
        f"<title>{title}</title>{style}{''.join(body)}</svg>"
    )


def best_first(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats, the cheapest first: as a picture numbers them."""
    return sorted((item for item in points if item.is_best), key=lambda item: (item.cost, item.share))


def money(dollars: float) -> str:
    """Return a cost of one row, with three figures: $0.025, $0.00312, $1.20."""
    if dollars <= 0:
        return "$0"
    digits = max(2, 2 - math.floor(math.log10(dollars)))
    text = f"{dollars:.{digits}f}"
    while text.endswith("0") and len(text.partition(".")[2]) > 2:  # cents, at the least
        text = text[:-1]
    return f"${text}"


class _Drawing:
    """The parts of one picture."""

    def __init__(self, points: Sequence[Point], width: int, height: int) -> None:
        self.best = best_first(points)
        self._rest = [item for item in points if not item.is_best]
        self._width, self._height = width, height
        self._x = _cost_scale([item.cost for item in points], _LEFT + 14, width - _RIGHT - 14)
        lows, highs = [item.low for item in self.best], [item.high for item in self.best]
        shares = [item.share for item in points]
        least = math.floor(min(*lows, *shares, 0.95) * 10 + 1e-9) / 10
        most = math.ceil(max(*highs, *shares) * 10 - 1e-9) / 10
        self._y = _Scale(least, max(most, least + 0.1), height - _BOTTOM, _TOP)

    def axes(self, shares: str) -> Iterator[str]:
        """Yield the lines and numbers of both axes."""
        bottom = self._height - _BOTTOM
        steps = round((self._y.most - self._y.least) * 10)
        every = 2 if steps > 5 else 1
        for step in range(0, steps + 1, every):
            share = self._y.least + step / 10
            y = self._y.at(share)
            yield f'<path d="M{_LEFT} {y:.1f}H{self._width - _RIGHT}" stroke="var(--line)"/>'
            yield _text(_LEFT - 8, y + 4, f"{share:.0%}", anchor="end")
        yield _text(0, 12, f"{shares}, with 95% intervals")
        for cost in _ticks(self._x, (self._width - _LEFT) // 90):
            x = self._x.at(cost)
            yield f'<path d="M{x:.1f} {bottom}v5" stroke="var(--muted)"/>'
            yield _text(x, bottom + 18, money(cost), anchor="middle")
        scale = ", logarithmic" if self._x.is_log else ""
        yield _text(self._width - _RIGHT, self._height - 4, f"list price a row{scale}", anchor="end")

    def others(self) -> Iterator[str]:
        """Yield the points that another one beats, small and hollow."""
        for item in self._rest:
            x, y = self._x.at(item.cost), self._y.at(item.share)
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_DOT}" fill="none" stroke="var(--muted)"/>'

    def steps(self) -> Iterator[str]:
        """Yield the line of the best that each cost buys, and the intervals."""
        places = [(self._x.at(item.cost), self._y.at(item.share)) for item in self.best]
        if not places:
            return
        path = f"M{places[0][0]:.1f} {places[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in places[1:])
        yield f'<path d="{path}H{self._width - _RIGHT}" fill="none" stroke="var(--soft)" stroke-width="3"/>'
        for item, (x, _) in zip(self.best, places, strict=True):
            high, low = self._y.at(item.high), self._y.at(item.low)
            ends = "".join(f"M{x - 4:.1f} {end:.1f}h8" for end in (high, low))
            yield f'<path d="M{x:.1f} {high:.1f}V{low:.1f}{ends}" stroke="var(--accent)" stroke-width="1.5"/>'

    def numbered(self) -> Iterator[str]:
        """Yield the numbered points, the chosen one with a second ring, and the labels that fit."""
        places = [(self._x.at(item.cost), self._y.at(item.share)) for item in self.best]
        taken = [_Box(x - _RADIUS - 3, y - _RADIUS - 3, x + _RADIUS + 3, y + _RADIUS + 3) for x, y in places]
        taken += [
            _Box(x - 5, self._y.at(item.high), x + 5, self._y.at(item.low))
            for item, (x, _) in zip(self.best, places, strict=True)
        ]
        for number, (item, (x, y)) in enumerate(zip(self.best, places, strict=True), 1):
            if item.is_chosen:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS + 3}" fill="none" stroke="var(--accent)" stroke-width="2"/>'
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS}" fill="var(--accent)" stroke="var(--bg)"/>'
            yield _text(x, y + 4, str(number), anchor="middle", colour="bg", bold=True)
            yield from self._label(item, x, y, taken)

    def _label(self, item: Point, x: float, y: float, taken: list[_Box]) -> Iterator[str]:
        """Yield the label of a point if there is room beside it, and take that room."""
        words = one_line(item.label, _MOST_CHARS) + (" (chosen)" if item.is_chosen else "")
        size = _width(words)
        for right, dy in ((True, _LINE), (True, -_LINE + 4), (False, -_LINE + 4), (False, _LINE)):
            left = x + _RADIUS + _GAP if right else x - _RADIUS - _GAP - size
            box = _Box(left, y + dy - 11, left + size, y + dy + 4)
            inside = box.left > _LEFT and box.right < self._width and box.top > _TOP - 8
            if inside and box.bottom < self._height - _BOTTOM and not any(map(box.overlaps, taken)):
                taken.append(box)
                yield _text(left, y + dy, words, colour="ink", bold=item.is_chosen)
                return


def _cost_scale(costs: Sequence[float], start: float, end: float) -> _Scale:
    least, most = min(costs), max(costs)
    if least > 0 and most / least >= _LOG_FROM:
        return _Scale(least, most, start, end, is_log=True)
    return _Scale(0.0, most, start, end) if most else _Scale(-1.0, 1.0, start, end)


def _ticks(scale: _Scale, most: int) -> list[float]:
    """Return round numbers on a scale: on a logarithmic one 1, 2 and 5 times the powers of ten."""
    if scale.is_log:
        powers = range(math.floor(math.log10(scale.least)), math.ceil(math.log10(scale.most)) + 1)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            found = [step * 10.0**power for power in powers for step in steps]
            found = [value for value in found if scale.least * 0.999 <= value <= scale.most * 1.001]
            if len(found) <= max(most, 2):
                return found
        return found
    if scale.least < 0:  # everything is free
        return [0.0]
    rough = scale.most / max(most, 2)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
    return [number * step for number in range(int(scale.most / step + 1e-9) + 1)]


def _text(  # noqa: PLR0913 - the attributes of a text, by name
    x: float, y: float, words: str, *, anchor: str = "start", colour: str = "muted", bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="var(--{colour})"{weight}>'
        f"{escape(words)}</text>"
    )


def _width(words: str) -> float:
    """Return about how wide a text is in pixels."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in words)
    return (len(words) + wide) * _CHAR
