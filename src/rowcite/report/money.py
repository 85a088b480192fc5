"""The sections about money: what was spent, and what was not."""

from __future__ import annotations

from typing import NamedTuple

from rowcite.api.facts import usd
from rowcite.report import charts
from rowcite.report.charts import Bar
from rowcite.report.facts import Facts
from rowcite.report.sections import Part, Table, some


def spend(facts: Facts) -> Part | None:
    """Show what was paid, by processor."""
    if not facts.spend:
        return None
    money = bool(facts.spent)
    bars = [
        Bar(
            item.processor,
            item.cost if money else item.runs,
            f"{some(item.runs, 'run')} · {usd(item.cost)}" if money else some(item.runs, "run"),
        )
        for item in facts.spend
    ]
    says = (
        f"{some(facts.runs, 'run')} at list price: {usd(facts.spent)}."
        if money
        else f"{some(facts.runs, 'run')}, free."
    )
    return Part(
        "spend",
        "Spend by processor",
        f"{says} Everything this ledger ever asked.",
        svgs=charts.bars(bars, "Spend by processor").svgs,
        table=Table(
            ("Processor", "Runs", "US$"), [(i.processor, f"{i.runs:,}", usd(i.cost)) for i in facts.spend]
        ),
    )


def savings(facts: Facts) -> Part | None:
    """Show what was not paid: rows that ask the same, rows sent together, answers that were there, dearer processors not asked."""
    if not facts.asked:
        return None
    same, packs = facts.asked - facts.tasks, facts.packs
    saved = [
        _Saving("Saved: rows that ask the same", same, same * facts.price),
        _Saving("Saved: rows sent together", packs.rows - packs.runs, packs.saved),
        _Saving("Saved last time: answered before", facts.stored, facts.stored * facts.price),
    ]
    lines = [line for line in saved if line.runs > 0]
    if lines:
        lines = [_Saving("Every row on its own", facts.asked, facts.asked * facts.price, "s-open"), *lines]
    says = f"{some(facts.asked, 'row')} came to {some(facts.tasks, 'question')}"
    if packs.runs:
        says += f"; {packs.rows:,} were sent together in {some(packs.runs, 'run')}"
    if facts.ladder and facts.spent:
        last, price = facts.ladder[-1]
        lines.append(_Saving(f"Every question asked of {last}", facts.tasks, facts.tasks * price, "s-open"))
        lines.append(_Saving("What this ledger has spent", facts.runs, facts.spent))
        says += f". To ask {last} at once would cost {usd(facts.tasks * price)}; this ledger has spent {usd(facts.spent)}"
    if not lines:
        return Part("savings", "Savings", f"{says}; no run was saved.")
    return Part(
        "savings",
        "Savings",
        f"{says}.",
        svgs=charts.bars(_bars(facts, lines), "Savings").svgs,
        table=Table(
            ("What", "Runs", "US$"), [(line.name, f"{line.runs:,}", usd(line.cost)) for line in lines]
        ),
    )


class _Saving(NamedTuple):
    """A line of the savings: so many runs, which cost so many micro-US$."""

    name: str
    runs: int
    cost: int
    colour: str = "accent"


def _bars(facts: Facts, lines: list[_Saving]) -> list[Bar]:
    """Return bars as long as the money, or as the runs where there is none."""
    money = bool(facts.price) and not facts.local
    return [
        Bar(
            line.name,
            line.cost if money else line.runs,
            f"{some(line.runs, 'run')} · {usd(line.cost)}" if money else some(line.runs, "run"),
            line.colour,
        )
        for line in lines
    ]
