"""The sections about money: spend by processor, and savings."""

from __future__ import annotations

from typing import NamedTuple

from rowcite.api.facts import usd
from rowcite.report import charts
from rowcite.report.charts import Bar
from rowcite.report.facts import Facts
from rowcite.report.sections import Part, Table, plural


def spend(facts: Facts) -> Part | None:
    """Return the section about spend by processor."""
    if not facts.spend:
        return None
    money = bool(facts.spent)
    bars = [
        Bar(
            item.processor,
            item.cost if money else item.runs,
            f"{plural(item.runs, 'run')} · {usd(item.cost)}" if money else plural(item.runs, "run"),
        )
        for item in facts.spend
    ]
    text = (
        f"{plural(facts.runs, 'run')} at list price: {usd(facts.spent)}{_failed(facts)}."
        if money
        else f"{plural(facts.runs, 'run')}, free."
    )
    return Part(
        "spend",
        "Spend by processor",
        f"{text} All runs of this ledger.",
        svgs=charts.bars(bars, "Spend by processor").svgs,
        table=Table(
            ("Processor", "Runs", "US$"), [(i.processor, f"{i.runs:,}", usd(i.cost)) for i in facts.spend]
        ),
    )


def _failed(facts: Facts) -> str:
    """Return what failed runs cost: whether they are billed is not documented."""
    runs, cost = sum(item.failed for item in facts.spend), sum(item.failed_cost for item in facts.spend)
    return f", an upper bound: {plural(runs, 'failed run')} ({usd(cost)}) may not be billed" if runs else ""


def savings(facts: Facts) -> Part | None:
    """Return the section about runs that were not needed: duplicates, packed rows, stored answers, escalation."""
    if not facts.requested:
        return None
    duplicates, packs = facts.requested - facts.tasks, facts.packs
    saved = [
        _Saving("Saved: duplicate rows", duplicates, duplicates * facts.price),
        _Saving("Saved: rows packed into shared runs", packs.rows - packs.runs, packs.saved),
        _Saving("Saved: answers already stored", facts.stored, facts.stored * facts.price),
    ]
    lines = [line for line in saved if line.runs > 0]
    if lines:
        lines = [
            _Saving("One run for each row", facts.requested, facts.requested * facts.price, "s-unanswered"),
            *lines,
        ]
    text = f"{plural(facts.requested, 'row')} needed {plural(facts.tasks, 'task')}"
    if packs.runs:
        text += f"; {packs.rows:,} were packed into {plural(packs.runs, 'run')}"
    if facts.escalation and facts.spent:
        last, price = facts.escalation[-1]
        lines.append(_Saving(f"Every task on {last}", facts.tasks, facts.tasks * price, "s-unanswered"))
        lines.append(_Saving("Spent by this ledger", facts.runs, facts.spent))
        text += f". Every task on {last} would cost {usd(facts.tasks * price)}; this ledger has spent {usd(facts.spent)}"
    if not lines:
        return Part("savings", "Savings", f"{text}; no runs were saved.")
    return Part(
        "savings",
        "Savings",
        f"{text}.",
        svgs=charts.bars(_bars(facts, lines), "Savings").svgs,
        table=Table(
            ("Line", "Runs", "US$"), [(line.name, f"{line.runs:,}", usd(line.cost)) for line in lines]
        ),
    )


class _Saving(NamedTuple):
    """A line of the savings: a number of runs and their cost in micro-US$."""

    name: str
    runs: int
    cost: int
    colour: str = "accent"


def _bars(facts: Facts, lines: list[_Saving]) -> list[Bar]:
    """Return a bar for each line, as long as its cost, or as its runs where they are free."""
    money = bool(facts.price) and not facts.local
    return [
        Bar(
            line.name,
            line.cost if money else line.runs,
            f"{plural(line.runs, 'run')} · {usd(line.cost)}" if money else plural(line.runs, "run"),
            line.colour,
        )
        for line in lines
    ]
