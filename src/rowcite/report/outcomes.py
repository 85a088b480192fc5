"""What the table's runs gave for their price: values that are used, values that are not, nothing; and the yield of each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rowcite.api.bodies import LOCAL
from rowcite.ledger import Ledger
from rowcite.model import ACTIVE, FREE_OF_CHARGE, RunState, StoredRun
from rowcite.rows.resolve import ResolvedRow, current
from rowcite.rows.resolver import RowResolver
from rowcite.wording import Labelled


class Outcome(Labelled):
    """What came of one run for one task."""

    USED = "used", "Accepted values"
    UNUSED = "unused", "Only values that are not used"
    NOTHING = "nothing", "Nothing found"
    FAILED = "failed", "Failed"
    ACTIVE = "active", "Not answered yet"


@dataclass(slots=True)
class Step:
    """The yield of one processor: tasks sent, fields that were open, fields that it settled, those with a value. Cost is micro-US$."""

    tasks: int = 0
    opened: int = 0
    settled: int = 0
    filled: int = 0
    cost: float = 0.0


@dataclass(slots=True)
class Outcomes:
    """The runs of the table's tasks and their cost in micro-US$, by outcome; the steps by processor, in the order of asking.

    `packed` is true if several rows share a run: each has its part of the price.
    """

    runs: Counter[Outcome] = field(default_factory=Counter)
    cost: dict[Outcome, float] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    packed: bool = False


class OutcomeCounter:
    """Counts the outcomes of a table's tasks, each task once.

    Answers are judged without the table's own values and without people's decisions: those are not the processor's.
    """

    def __init__(self, resolver: RowResolver, ledger: Ledger, *, packed: bool) -> None:
        self._resolver, self._ledger = resolver, ledger
        self.found = Outcomes(packed=packed)

    def add(self, runs: Sequence[StoredRun], resolved: ResolvedRow | None) -> None:
        """Count a task's runs, oldest first. `resolved` is its row, if only its runs decide it."""
        runs = [run for run in runs if run.state not in FREE_OF_CHARGE]
        if not runs:
            return
        prices = self._prices(runs)
        row = resolved or self._resolver.resolve(runs)
        used = {cell.run_id for cell in row.cells if cell.rejection is None and cell.value is not None}
        for run in runs:
            outcome = self._outcome(run, used, row if len(runs) == 1 else None)
            self.found.runs[outcome] += 1
            self.found.cost[outcome] = self.found.cost.get(outcome, 0.0) + prices[run.number]
        self._add_steps([run for run in current(runs) if run.state not in ACTIVE], row, prices)

    def _prices(self, runs: Sequence[StoredRun]) -> dict[int, float]:
        """Return the price of each run, of a row in a pack its part."""
        prices: dict[int, float] = {run.number: run.price for run in runs}
        if self.found.packed:
            packs = self._ledger.packs(number for number, price in prices.items() if not price)
            prices |= {number: price / max(rows, 1) for number, (price, rows) in packs.items()}
        return prices

    def _outcome(self, run: StoredRun, used: set[str | None], row: ResolvedRow | None) -> Outcome:
        if run.state in ACTIVE:
            return Outcome.ACTIVE
        if run.state is not RunState.COMPLETED:
            return Outcome.FAILED
        if run.run_id in used:
            return Outcome.USED
        cells = (row or self._resolver.resolve([run._replace(first=True)])).cells
        return Outcome.UNUSED if any(cell.found is not None for cell in cells) else Outcome.NOTHING

    def _add_steps(self, runs: Sequence[StoredRun], row: ResolvedRow, prices: dict[int, float]) -> None:
        """Add each run to its processor's step: a field is settled by the run after which it is open no more."""
        before: ResolvedRow | None = None
        for at, run in enumerate(runs, 1):
            after = row if at == len(runs) else self._resolver.resolve(runs[:at])
            was_open = _open(before) if before is not None else set(range(len(after.cells)))
            settled = was_open - _open(after)
            step = self.found.steps.setdefault(run.processor.removeprefix(LOCAL), Step())
            step.tasks += 1
            step.cost += prices[run.number]
            step.opened += len(was_open)
            step.settled += len(settled)
            step.filled += sum(after.cells[place].value is not None for place in settled)
            before = after


def _open(row: ResolvedRow) -> set[int]:
    """Return the places of the fields that have no accepted answer."""
    if not any(cell.run_id for cell in row.cells):
        return set(range(len(row.cells)))
    return {place for place, cell in enumerate(row.cells) if cell.rejection is not None}
