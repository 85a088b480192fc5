"""The sections about money: spend by processor, and savings."""

from __future__ import annotations

from typing import NamedTuple

from rowcite.api.facts import usd, usd_each
from rowcite.report import charts
from rowcite.report.charts import Bar
from rowcite.report.facts import Facts
from rowcite.report.outcomes import Outcome, Step
from rowcite.report.sections import Part, Table
from rowcite.wording import percent, plural


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


def outcomes(facts: Facts) -> Part | None:
    """Return the section about what the runs gave for their price: accepted values, values that are not used, nothing."""
    found = facts.outcomes
    if not found.runs:
        return None
    lines = [
        _Saving(outcome.label, found.runs[outcome], round(found.cost[outcome]), _OUTCOME_COLOURS[outcome])
        for outcome in Outcome
        if found.runs[outcome]
    ]
    others = facts.runs - sum(line.runs for line in lines)
    cost = facts.spent - sum(line.cost for line in lines)
    if cost > 0 or (others > 0 and not found.packed):
        lines.append(
            _Saving("Other questions: evaluations, earlier specs", max(others, 0), cost, "s-unanswered")
        )
    unit = "row" if found.packed else "run"
    return Part(
        "outcomes",
        "Spend by outcome",
        _outcome_text(facts),
        svgs=charts.bars(_bars(facts, lines, unit), "Spend by outcome").svgs,
        table=Table(
            ("Outcome", "Rows in runs" if found.packed else "Runs", "US$"),
            [(line.name, f"{line.runs:,}", usd(line.cost)) for line in lines],
        ),
    )


_OUTCOME_COLOURS = {
    Outcome.USED: "accent",
    Outcome.UNUSED: "s-rejected",
    Outcome.NOTHING: "s-unanswered",
    Outcome.FAILED: "bad",
    Outcome.ACTIVE: "s-unanswered",
}


def _outcome_text(facts: Facts) -> str:
    cost, spent = facts.outcomes.cost, facts.spent
    if not spent:
        return f"{plural(facts.accepted, 'accepted value')}, free."
    text = "No accepted value."
    if facts.accepted:
        text = f"{usd_each(spent, facts.accepted)} for each of {plural(facts.accepted, 'accepted value')} ({usd(spent)} spent in total)."
    went = [
        f"{usd(round(cost[outcome]))} ({percent(round(cost[outcome]), spent)}) to {what}"
        for outcome, what in _WENT_TO.items()
        if cost.get(outcome)
    ]
    return f"{text} {', '.join(went)}." if went else text


_WENT_TO = {
    Outcome.NOTHING: "runs that found nothing",
    Outcome.UNUSED: "runs whose values are not used",
    Outcome.FAILED: "failed runs",
}


def steps(facts: Facts) -> Part | None:
    """Return the section about the steps of the ladder: the fields that each processor was sent, and those it settled."""
    ladder = [facts.processor, *(name for name, _ in facts.escalation)]
    found = facts.outcomes.steps
    names = sorted(found, key=lambda name: ladder.index(name) if name in ladder else len(ladder))
    if len(names) < 2:
        return None
    bars, rows = [], []
    for name in names:
        step = found[name]
        each = usd_each(step.cost, step.settled) if step.settled else "-"
        bars.append(Bar(name, step.settled / (step.opened or 1), _yield_text(step)))
        numbers = (step.tasks, step.opened, step.settled, step.filled)
        rows.append((name, *(f"{number:,}" for number in numbers), usd(round(step.cost)), each))
    return Part(
        "steps",
        "Yield of each step",
        "Fields that were open when a processor was tried, and those that its answer settled: accepted values, and nulls"
        " where nothing is required. Each bar is the settled share.",
        svgs=charts.bars(bars, "Fields settled by each step", whole=1.0).svgs,
        table=Table(
            ("Processor", "tasks", "open", "settled", "with a value", "US$", "US$ a settled field"),
            rows,
        ),
    )


def _yield_text(step: Step) -> str:
    text = f"{step.settled:,} of {step.opened:,} fields"
    if not step.cost:
        return text
    return (
        f"{text} · {usd_each(step.cost, step.settled)} each"
        if step.settled
        else f"{text} for {usd(round(step.cost))}"
    )


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


def _bars(facts: Facts, lines: list[_Saving], unit: str = "run") -> list[Bar]:
    """Return a bar for each line, as long as its cost, or as its runs where they are free."""
    money = bool(facts.price) and not facts.local
    return [
        Bar(
            line.name,
            line.cost if money else line.runs,
            f"{plural(line.runs, unit)} · {usd(line.cost)}" if money else plural(line.runs, unit),
            line.colour,
        )
        for line in lines
    ]
