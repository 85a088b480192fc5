"""The texts and figures of the page, and its sections: each picture with its table of numbers."""

from __future__ import annotations

import time
from collections import Counter

from rowcite.api.facts import usd, usd_each
from rowcite.inert import one_line
from rowcite.model import RowStatus
from rowcite.progress import duration
from rowcite.report import charts
from rowcite.report.charts import Bar, filled_text
from rowcite.report.facts import FILLED, CellState, Facts, ReviewReason, Timeline
from rowcite.report.measured import measured_parts
from rowcite.report.money import outcomes, savings, spend, steps
from rowcite.report.sections import Mark, Part, Table, Tile
from rowcite.report.what_changed import what_changed
from rowcite.wording import percent, plural

_MOST_IN_TABLE = 50
_REASONS = "Rows by reason"
_TONES = {RowStatus.REJECTED: "warn", RowStatus.FAILED: "bad"}


def lead(facts: Facts) -> str:
    """Return the page's summary in one sentence."""
    counts = facts.counts
    text = f"{counts[RowStatus.COMPLETED]:,} of {plural(counts.total(), 'row')} completed"
    if counts[RowStatus.PENDING]:
        text += f", {counts[RowStatus.PENDING]:,} pending"
    return f"{text}; {facts.to_review:,} to review." if facts.to_review else f"{text}; none to review."


def meta(facts: Facts) -> list[str]:
    """Return the table's name, the processor and the time of the page."""
    processor = f"{facts.processor}, answered by the local server" if facts.local else facts.processor
    made = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(facts.made))
    return [one_line(facts.table), processor, made]


def tiles(facts: Facts) -> list[Tile]:
    """Return the figures at the head of the page, without statuses that no row has."""
    counts, total = facts.counts, facts.counts.total()
    found = [Tile("rows", f"{total:,}")]
    for status in RowStatus:
        if counts[status] or status is RowStatus.COMPLETED:
            rows = counts[status]
            found.append(Tile(status, f"{rows:,}", percent(rows, total), _TONES.get(status, "")))
    found.append(Tile("accepted values", f"{facts.accepted:,}", _with_given(facts)))
    if facts.local:
        return [*found, Tile("spent", "$0", "local server")]
    each = f", {usd_each(facts.spent, facts.accepted)} a value" if facts.spent and facts.accepted else ""
    return [*found, Tile("spent", usd(facts.spent), f"list price{each}")]


def _with_given(facts: Facts) -> str:
    """Return the share of the answered rows' cells that are filled, and how many of them the table gave."""
    given = sum(states[CellState.GIVEN] for states in facts.cells.values())
    cells = facts.answered * len(facts.fields)
    return f"{percent(facts.accepted + given, cells)} of cells filled" + (
        f", with {given:,} given" if given else ""
    )


def rows_note(facts: Facts) -> str:
    """Return the sentence about which rows are on the page, and which are not."""
    total = plural(facts.counts.total(), "row")
    if not facts.to_review:
        on_page = sum(1 + row.duplicates for row in facts.rows)
        return f"No row needs review. This page shows {on_page:,} of {total}."
    reasons = ", ".join(
        f"{facts.reasons[reason]:,} {reason.label}" for reason in ReviewReason if facts.reasons[reason]
    )
    on_page = sum(1 + row.duplicates for row in facts.rows if row.reasons)
    if on_page < facts.to_review:
        return (
            f"{plural(facts.to_review, 'row')} to review: {reasons}. This page shows {on_page:,} of them;"
            " --rows N shows more, and the output table has all of them."
        )
    others = sum(1 + row.duplicates for row in facts.rows if not row.reasons)
    rest = f", and {others:,} other{'' if others == 1 else 's'}" if others else ""
    return f"{plural(facts.to_review, 'row')} to review: {reasons}. This page shows all of them{rest}."


def parts(facts: Facts) -> list[Part]:
    """Return the sections with pictures, in the order of the page."""
    found = [
        None if facts.changes is None else what_changed(facts.changes),
        _coverage(facts),
        *(measured_parts(facts.measured) if facts.answered else ()),
        _causes(facts),
        _sources(facts),
        spend(facts),
        outcomes(facts),
        steps(facts),
        savings(facts),
        _timeline(facts),
    ]
    return [part for part in found if part is not None]


def _coverage(facts: Facts) -> Part | None:
    if not facts.answered:
        return None
    states = [state for state in CellState if any(facts.cells[item.name][state] for item in facts.fields)]
    best = max(facts.fields, key=lambda item: _filled(facts, item.name))
    least = min(facts.fields, key=lambda item: _filled(facts, item.name))
    text = f"Filled cells of {plural(facts.answered, 'answered row')}. Highest: {best.name}, {filled_text(facts, best.name)}"
    if _filled(facts, least.name) < _filled(facts, best.name):
        text += f". Lowest: {least.name}, {filled_text(facts, least.name)}"
    if len(facts.fields) > charts.MOST_FIELDS:
        text += f". The picture has the {charts.MOST_FIELDS} least filled of {len(facts.fields):,} fields"
    rows = [
        (
            item.name,
            *(f"{facts.cells[item.name][name]:,}" for name in states),
            f"{_filled(facts, item.name):,}",
            percent(_filled(facts, item.name), facts.answered),
        )
        for item in facts.fields
    ]
    return Part(
        "coverage",
        "Coverage and confidence",
        f"{text}.",
        "full",
        charts.coverage(facts).svgs,
        [Mark(state, state.label) for state in states],
        Table(("Field", *(state.label for state in states), "filled", "share"), rows),
    )


def _filled(facts: Facts, name: str) -> int:
    return sum(facts.cells[name][state] for state in FILLED)


def _causes(facts: Facts) -> Part | None:
    """Return the section about rows that are not completed: rejected values, failures, skipped rows."""
    tone = {RowStatus.REJECTED: "s-rejected", RowStatus.FAILED: "bad"}
    found = facts.causes.most_common()
    if not found:
        return Part("causes", _REASONS, "No row was rejected, failed or skipped.")
    bars = [
        Bar(why, rows, f"{rows:,} {status}", tone.get(RowStatus(status), "s-unanswered"))
        for (status, why), rows in found
    ]
    states = (RowStatus.REJECTED, RowStatus.FAILED, RowStatus.SKIPPED)
    there = [status for status in states if facts.counts[status]]
    of_rows = [f"{facts.counts[status]:,} {status}" for status in there]
    text = f"Rows: {', '.join(of_rows)}."
    if facts.causes.total() > sum(facts.counts[status] for status in there):
        text += " A row may have several reasons."
    return Part(
        "causes",
        _REASONS,
        text,
        svgs=charts.bars(_most(bars, "other reasons"), "Rows by reason").svgs,
        table=Table(
            ("Reason", "Status", "Rows"),
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
        f"{plural(len(found), 'domain')} cited. Each bar counts the cells that cite a domain.",
        svgs=charts.bars(_most(bars, "other domains"), "Cells by cited domain").svgs,
        table=Table(
            ("Domain", "Cells"), [(one_line(name), f"{cells:,}") for name, cells in found[:_MOST_IN_TABLE]]
        ),
    )


def _most(bars: list[Bar], rest: str, most: int = 8) -> list[Bar]:
    """Return the first bars, and the sum of all others as a last line without a bar."""
    if len(bars) <= most + 1:
        return bars
    left = bars[most:]
    total = sum(bar.size for bar in left)
    return [*bars[:most], Bar(f"{len(left):,} {rest}", 0, f"{total:,.0f}")]


def _timeline(facts: Facts) -> Part | None:
    line = facts.timeline
    if not line.moments:
        return None
    last, drawn = line.moments[-1], line.worked >= 1
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(line.began))
    pause = f", {plural(len(line.pauses), 'pause')} not shown" if line.pauses else ""
    marks = Counter({"submitted": last.sent, "completed": last.answered, "failed": last.failed})
    return Part(
        "timeline",
        "Timeline",
        f"{plural(last.sent, 'run')} in {took(line.worked)}, from {began}{pause}.",
        "full",
        charts.timeline(line).svgs if drawn else (),
        [Mark(name, f"{name} {runs:,}") for name, runs in marks.items() if runs or name != "failed"],
        _moments(line) if drawn else None,
    )


def _moments(line: Timeline) -> Table:
    return Table(
        ("Seconds of work", "submitted", "completed", "failed"),
        [
            (f"{moment.at:,.1f}", f"{moment.sent:,}", f"{moment.answered:,}", f"{moment.failed:,}")
            for moment in line.moments[:: max(len(line.moments) // 20, 1)]
        ],
    )


def took(seconds: float) -> str:
    """Return a duration as text: 4.2 s, 45 s, 12 min, 1.5 h."""
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
