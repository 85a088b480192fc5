"""The figures and rows of a report, as values: gathered once, then rendered by `charts` and `page`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rowcite.accept.evidence import Element
from rowcite.accept.judge import Cell
from rowcite.model import ANSWERED_ROWS, Citation, Counts, Decision, Json, Packing, Spend
from rowcite.report.measured import Measured
from rowcite.report.outcomes import Outcomes
from rowcite.report.what_changed import SinceThen
from rowcite.spec.fields import Field
from rowcite.wording import Labelled


class CellState(Labelled):
    """The state of one cell, most certain first, with its label in charts, legends, filters and rows."""

    REVIEWED = "reviewed", "reviewed"  # decided in review
    GIVEN = "given", "given"  # the input table already had a value
    HIGH = "high", "high"
    MEDIUM = "medium", "medium"
    LOW = "low", "low"
    UNSTATED = "unstated", "no confidence"  # accepted, without a confidence from the API
    EMPTY = "empty", "nothing found"  # answered
    REJECTED = "rejected", "rejected"  # answered, and rejected by `accept`
    UNANSWERED = "unanswered", "no answer"  # the run failed, or has not completed


LEAST_CERTAIN_FIRST = (
    CellState.REJECTED,
    CellState.UNANSWERED,
    CellState.LOW,
    CellState.UNSTATED,
    CellState.EMPTY,
    CellState.MEDIUM,
    CellState.HIGH,
    CellState.GIVEN,
    CellState.REVIEWED,
)
"""The order in which the page ranks cells: first those to look at."""

FILLED = (
    CellState.REVIEWED,
    CellState.GIVEN,
    CellState.HIGH,
    CellState.MEDIUM,
    CellState.LOW,
    CellState.UNSTATED,
)


FOUND = tuple(state for state in FILLED if state is not CellState.GIVEN)


class ReviewReason(Labelled):
    """Why a row needs review, in the order in which the page makes room for rows."""

    LISTED = "listed", "listed"  # named by the list of rows that a review began with
    CHANGED = "changed", "with a decision on an earlier answer"
    REJECTED = "rejected", "rejected"
    CONFLICT = "conflict", "with a conflict"
    LOW = "low", "with low confidence"
    FAILED = "failed", "failed"


@dataclass(slots=True)
class CellView:
    """One cell as the page shows it. `value` is the value in the table, `found` the value in the answer.

    `rejection` is why `accept` rejected the found value. `given` is the table's own value where it differs from the
    found one, and `replaced` is true where the found value replaced it. `elements` are values of a found list, each with
    its evidence. `answers` are the cells of all runs that count, `earlier` a decision on an answer that is none of them.
    """

    state: CellState
    value: Json = None
    found: Json = None
    confidence: str | None = None
    rejection: str | None = None
    reasoning: str | None = None
    citations: tuple[Citation, ...] = ()
    rule: str | None = None
    given: str | None = None
    replaced: bool = False
    processor: str | None = None
    decision: Decision | None = None
    earlier: Decision | None = None
    answers: tuple[Cell, ...] = ()
    elements: tuple[tuple[Json, Element], ...] = ()


@dataclass(slots=True)
class RowView:
    """One row as the page shows it. `number` counts from 1; `duplicates` more rows have the same input."""

    number: int
    key: bytes | None
    label: str
    given: tuple[tuple[str, str], ...]
    status: str
    error: str | None
    processor: str | None
    run_id: str | None
    reasons: tuple[ReviewReason, ...]
    cells: tuple[CellView, ...] = ()
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the timeline: runs sent, answered and failed after `at` seconds of work."""

    at: float
    sent: int
    answered: int
    failed: int


@dataclass(slots=True)
class Timeline:
    """The ledger's runs over time, without pauses. `began` and `ended` are Unix seconds, 0 without runs.

    `pauses` are (seconds of work before the pause, seconds of pause).
    """

    began: float = 0.0
    ended: float = 0.0
    worked: float = 0.0
    moments: list[Moment] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)


@dataclass(slots=True)
class Facts:
    """Everything that a report shows.

    `cells` counts cell states by field in answered rows (completed or rejected), `causes` rows by (status, reason),
    `domains` cells by cited domain. `requested`
    rows need `tasks` distinct tasks; `stored` of these had an answer before the last session began. `escalation` lists
    the processors of `escalate` with their prices. `rows` are the rows on the page; `to_review` counts all that need
    review, `reasons` why.
    """

    name: str
    table: str
    processor: str
    local: bool
    price: int
    made: float
    fields: tuple[Field, ...]
    counts: Counts = field(default_factory=Counts)
    cells: dict[str, Counter[CellState]] = field(default_factory=dict)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)
    requested: int = 0
    tasks: int = 0
    stored: int = 0
    escalation: tuple[tuple[str, int], ...] = ()
    spend: list[Spend] = field(default_factory=list)
    packs: Packing = field(default_factory=Packing)
    outcomes: Outcomes = field(default_factory=Outcomes)
    timeline: Timeline = field(default_factory=Timeline)
    to_review: int = 0
    reasons: Counter[ReviewReason] = field(default_factory=Counter)
    rows: list[RowView] = field(default_factory=list)
    changes: SinceThen | None = None
    measured: Measured | None = None
    warnings: dict[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """Return the number of rows with an answer."""
        return sum(self.counts[status] for status in ANSWERED_ROWS)

    @property
    def accepted(self) -> int:
        """Return the number of cells with an accepted value that the table did not have before."""
        return sum(states[state] for states in self.cells.values() for state in FOUND)

    @property
    def spent(self) -> int:
        """Return the list price of the ledger's runs, in micro-US$."""
        return sum(item.cost for item in self.spend)

    @property
    def runs(self) -> int:
        """Return the number of runs that were created."""
        return sum(item.runs for item in self.spend)
