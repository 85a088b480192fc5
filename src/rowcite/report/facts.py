"""What a report says, as values: counted once, drawn by `charts` and `page`. Holds no more than it shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from rowcite.model import Citation, Counts, Decision, Json
from rowcite.spec.fields import Field


class Standing(StrEnum):
    """Where one cell stands, best first."""

    REVIEWED = "reviewed"  # a person decided
    GIVEN = "given"  # the table had it
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNSTATED = "unstated"  # accepted, and the API gave no confidence
    EMPTY = "empty"  # answered: nothing was found
    REFUSED = "refused"  # answered, and not accepted
    OPEN = "open"  # the run failed, or is not done


FILLED = (
    Standing.REVIEWED,
    Standing.GIVEN,
    Standing.HIGH,
    Standing.MEDIUM,
    Standing.LOW,
    Standing.UNSTATED,
)


class Need(StrEnum):
    """Why a row needs a person, in the order in which the page gives them room."""

    REJECTED = "rejected"
    CONFLICT = "conflict"
    LOW = "low"
    FAILED = "failed"


@dataclass(slots=True)
class CellView:
    """One cell as the page shows it. `value` is what the table gets, `said` what was answered.

    `given` is set where the table had another value than was found; `replaced` says whether the found one stands.
    """

    standing: Standing
    value: Json = None
    said: Json = None
    confidence: str | None = None
    refused: str | None = None
    reasoning: str | None = None
    citations: tuple[Citation, ...] = ()
    rule: str | None = None
    given: str | None = None
    replaced: bool = False
    processor: str | None = None
    decision: Decision | None = None


@dataclass(slots=True)
class RowView:
    """One row as the page shows it. `number` counts from 1; `same` more rows ask the same question."""

    number: int
    key: bytes | None
    label: str
    given: tuple[tuple[str, str], ...]
    status: str
    error: str | None
    processor: str | None
    run_id: str | None
    needs: tuple[Need, ...]
    cells: tuple[CellView, ...] = ()
    same: int = 0


@dataclass(slots=True)
class Spend:
    """Runs of one processor that the ledger has; `cost` is list price in micro-US$."""

    processor: str
    runs: int
    cost: int


@dataclass(frozen=True, slots=True)
class Packs:
    """Rows that were sent several in a run: `rows` in `runs`, with `saved` micro-US$ less than one run a row costs."""

    rows: int = 0
    runs: int = 0
    saved: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """How far the work was: `at` seconds of work in; runs sent, answered and failed by then."""

    at: float
    sent: int
    answered: int
    failed: int


@dataclass(slots=True)
class Timeline:
    """The work as the ledger has it, pauses left out. `began` and `ended` are Unix seconds, 0 when there was none.

    `pauses` are (seconds of work before, seconds of pause).
    """

    began: float = 0.0
    ended: float = 0.0
    worked: float = 0.0
    moments: list[Moment] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)


@dataclass(slots=True)
class Facts:
    """Everything a report says.

    `cells` has a Counter of standings a field; `causes` counts rows by (status, cause); `domains` counts cells by the
    domains that they cite. `asked` rows ask `tasks` distinct questions, `stored` of which the last spell of work found
    answered. `rows` are those that the page has room for, `needing` counts all that need a person.
    """

    name: str
    table: str
    processor: str
    local: bool
    price: int
    made: float
    fields: tuple[Field, ...]
    counts: Counts = field(default_factory=Counts)
    cells: dict[str, Counter[Standing]] = field(default_factory=dict)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    tasks: int = 0
    stored: int = 0
    ladder: tuple[tuple[str, int], ...] = ()
    spend: list[Spend] = field(default_factory=list)
    packs: Packs = Packs()
    timeline: Timeline = field(default_factory=Timeline)
    needing: int = 0
    needs: Counter[Need] = field(default_factory=Counter)
    rows: list[RowView] = field(default_factory=list)
    warnings: dict[str, int] = field(default_factory=dict)

    @property
    def spent(self) -> int:
        """Return what the ledger's runs cost at list price, in micro-US$."""
        return sum(item.cost for item in self.spend)

    @property
    def runs(self) -> int:
        """Return how many runs were created."""
        return sum(item.runs for item in self.spend)
