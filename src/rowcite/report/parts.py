"""What the page says above and beside its pictures: sentences, figures, and each picture with its table."""

from __future__ import annotations

import time
from collections import Counter

from rowcite.api.facts import usd
from rowcite.model import RowStatus
from rowcite.report import charts
from rowcite.report.charts import Bar, share
from rowcite.report.facts import FILLED, Facts, Need, Standing
from rowcite.report.money import savings, spend
from rowcite.report.sections import Mark, Part, Table, Tile, some
from rowcite.report.text import printable

_MOST_IN_TABLE = 50
_LEGEND = {
    Standing.REVIEWED: "reviewed",
    Standing.GIVEN: "given",
    Standing.HIGH: "high confidence",
    Standing.MEDIUM: "medium",
    Standing.LOW: "low",
    Standing.UNSTATED: "none stated",
    Standing.EMPTY: "nothing found",
    Standing.REFUSED: "not accepted",
    Standing.OPEN: "no answer",
}
_NEEDS = {
    Need.REJECTED: "rejected",
    Need.CONFLICT: "with a conflict",
    Need.LOW: "with low confidence",
    Need.FAILED: "failed",
}


def lead(facts: Facts) -> str:
    """Return the page in one sentence."""
    counts = facts.counts
    done = f"{counts.completed:,} of {some(counts.rows, 'row')} {'is' if counts.completed == 1 else 'are'} complete"
    if counts.pending:
        done += f", {counts.pending:,} {'has' if counts.pending == 1 else 'have'} no answer yet"
    if not facts.needing:
        return f"{done}, and none needs a person."
    return f"{done}; {facts.needing:,} {'needs' if facts.needing == 1 else 'need'} a person."


def meta(facts: Facts) -> list[str]:
    """Return what the page is about and when it was made."""
    who = f"{facts.processor}, answered by the local server" if facts.local else facts.processor
    return [printable(facts.table), who, time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(facts.made))]


def tiles(facts: Facts) -> list[Tile]:
    """Return the figures at the head of the page; a status that no row has is left out."""
    counts, found = facts.counts, [Tile("rows", f"{facts.counts.rows:,}")]
    for name, tone in (
        ("completed", ""),
        ("rejected", "warn"),
        ("failed", "bad"),
        ("pending", ""),
        ("skipped", ""),
    ):
        rows = getattr(counts, name)
        if rows or name == "completed":
            found.append(Tile(name, f"{rows:,}", share(rows, counts.rows), tone))
    cells = sum(sum(standings[name] for name in FILLED) for standings in facts.cells.values())
    found.append(
        Tile("cells filled", f"{cells:,}", share(cells, facts.asked * len(facts.fields)) + " of those asked")
    )
    if facts.local:
        return [*found, Tile("spent", "$0", "local server")]
    return [*found, Tile("spent", usd(facts.spent), f"{some(facts.runs, 'run')}, list price")]


def rows_note(facts: Facts) -> str:
    """Say which rows the page holds, and which it has no room for."""
    held = len(facts.rows)
    distinct = sum(row.same for row in facts.rows) + held
    needing = sum(1 + row.same for row in facts.rows if row.needs)
    why = ", ".join(f"{facts.needs[need]:,} {words}" for need, words in _NEEDS.items() if facts.needs[need])
    if not facts.needing:
        return (
            f"No row needs a person. The page holds {some(held, 'row')} of {facts.counts.rows:,} to look at."
        )
    if needing >= facts.needing:
        others = distinct - needing
        rest = f", and {others:,} others to look at" if others else ""
        return f"{facts.needing:,} in all: {why}. The page holds every one of them{rest}."
    return (
        f"{facts.needing:,} in all: {why}. The page holds {some(held, 'row')}, the first of each kind, so that it stays quick."
        " --rows takes more; the table that rowcite writes has all of them."
    )


def parts(facts: Facts) -> list[Part]:
    """Return the sections with pictures, in the order of the page."""
    found = [
        _coverage(facts),
        _causes(facts),
        _sources(facts),
        spend(facts),
        savings(facts),
        _timeline(facts),
    ]
    return [part for part in found if part is not None]


def _coverage(facts: Facts) -> Part | None:
    if not facts.asked:
        return None
    there = [name for name in Standing if any(facts.cells[item.name][name] for item in facts.fields)]
    best = max(facts.fields, key=lambda item: _filled(facts, item.name))
    least = min(facts.fields, key=lambda item: _filled(facts, item.name))
    says = f"{_field(facts, best.name)} of {some(facts.asked, 'row')} asked about"
    if _filled(facts, least.name) < _filled(facts, best.name):
        says += f"; {_field(facts, least.name)}, the least"
    rows = [
        (
            item.name,
            *(f"{facts.cells[item.name][name]:,}" for name in there),
            share(_filled(facts, item.name), facts.asked),
        )
        for item in facts.fields
    ]
    return Part(
        "coverage",
        "Coverage and confidence",
        f"{says}.",
        "full",
        charts.coverage(facts).svgs,
        [Mark(name, _LEGEND[name]) for name in there],
        Table(("Field", *(_LEGEND[name] for name in there), "filled"), rows),
    )


def _filled(facts: Facts, name: str) -> int:
    return sum(facts.cells[name][standing] for standing in FILLED)


def _field(facts: Facts, name: str) -> str:
    return f"{name} is filled in {share(_filled(facts, name), facts.asked)}"


def _causes(facts: Facts) -> Part | None:
    """Show why rows are not complete: what was not accepted, what failed, what was not asked."""
    tone = {RowStatus.REJECTED: "s-refused", RowStatus.FAILED: "bad"}
    found = facts.causes.most_common()
    if not found:
        return Part("causes", "Failures by cause", "Nothing failed and nothing was refused.")
    bars = [
        Bar(why, rows, f"{rows:,} {status}", tone.get(RowStatus(status), "s-open"))
        for (status, why), rows in found
    ]
    failed = sum(rows for (status, _), rows in found if status == RowStatus.FAILED)
    says = f"{some(failed, 'row')} failed. " if failed else "No row failed. "
    refused = sum(rows for (status, _), rows in found if status == RowStatus.REJECTED)
    says += f"{some(refused, 'value')} {'was' if refused == 1 else 'were'} not accepted." if refused else ""
    return Part(
        "causes",
        "Failures by cause",
        says.strip(),
        svgs=charts.bars(_most(bars, "other causes"), "Failures by cause").svgs,
        table=Table(
            ("Cause", "Status", "Count"),
            [(why, status, f"{n:,}") for (status, why), n in found[:_MOST_IN_TABLE]],
        ),
    )


def _sources(facts: Facts) -> Part | None:
    found = facts.domains.most_common()
    if not found:
        return None
    bars = [Bar(name, cells, f"{cells:,}") for name, cells in found]
    return Part(
        "sources",
        "Sources by domain",
        f"{some(len(found), 'domain')} cited. Each counts the cells that cite it.",
        svgs=charts.bars(_most(bars, "other domains"), "Cells by the domain that they cite").svgs,
        table=Table(
            ("Domain", "Cells"), [(printable(name), f"{cells:,}") for name, cells in found[:_MOST_IN_TABLE]]
        ),
    )


def _most(bars: list[Bar], rest: str, most: int = 8) -> list[Bar]:
    """Return the first bars; what is left over is told in a last line without a bar."""
    if len(bars) <= most + 1:
        return bars
    left = bars[most:]
    total = sum(bar.size for bar in left)
    return [*bars[:most], Bar(f"{len(left):,} {rest}", 0, f"{total:,.0f}")]


def _timeline(facts: Facts) -> Part | None:
    line = facts.timeline
    if not line.moments:
        return None
    last = line.moments[-1]
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(line.began))
    pause = f", {some(len(line.pauses), 'pause')} left out" if line.pauses else ""
    marks = Counter({"sent": last.sent, "answered": last.answered, "failed": last.failed})
    return Part(
        "timeline",
        "Timeline",
        f"{some(last.sent, 'run')} in {took(line.worked)} of work since {began}{pause}.",
        "full",
        charts.timeline(line).svgs,
        [Mark(name, f"{name} {runs:,}") for name, runs in marks.items() if runs or name != "failed"],
        Table(
            ("Seconds of work", "sent", "answered", "failed"),
            [
                (f"{moment.at:,.1f}", f"{moment.sent:,}", f"{moment.answered:,}", f"{moment.failed:,}")
                for moment in line.moments[:: max(len(line.moments) // 20, 1)]
            ],
        ),
    )


def took(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"
