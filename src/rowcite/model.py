"""The domain types that every package shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, NewType

import msgspec

from rowcite.wording import interval

TaskKey = NewType("TaskKey", bytes)
"""16 bytes that identify a task by its question and its input: see `rowcite.api.keys`."""

Json = Any
"""A decoded JSON value."""


class RunState(StrEnum):
    """The state of a run in the ledger."""

    INTENDED = "intended"  # recorded before its POST: the API may or may not have it
    SUBMITTED = "submitted"  # the API has it, and it has not ended
    COMPLETED = "completed"  # ended with an answer
    FAILED = "failed"  # ended with an error
    CANCELLED = "cancelled"  # cancelled at the API, not by rowcite
    ACTION_REQUIRED = "action_required"  # waits for an action that rowcite does not take
    REFUSED = "refused"  # the API did not create it
    PRUNED = "pruned"  # completed; `ledger prune` deleted its answer
    LOST = "lost"  # not created after all, or gone with its local server: the task may be sent again


ACTIVE = frozenset({RunState.INTENDED, RunState.SUBMITTED})
"""States of runs that have not ended: their tasks are not sent again."""

ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED, RunState.ACTION_REQUIRED})
"""States in which the API reports a run as ended."""

ANSWERED = frozenset({RunState.COMPLETED, RunState.PRUNED})
"""States of runs that gave an answer, also one that is not stored any more."""

FREE_OF_CHARGE = frozenset({RunState.REFUSED, RunState.LOST})
"""States of runs that the API did not charge for."""

FORGOTTEN = frozenset({RunState.LOST, RunState.PRUNED})
"""States of runs that count as never sent when their task is looked up."""


class RowStatus(StrEnum):
    """The status of a row, as in the column `rowcite_status`. Counts, plan, report and page list them in this order."""

    COMPLETED = "completed"  # answered, every value accepted
    REJECTED = "rejected"  # answered; at least one value was rejected by `accept` or is not of its type
    FAILED = "failed"  # the run failed, was cancelled or needs action
    PENDING = "pending"  # not answered yet
    SKIPPED = "skipped"  # outside `where`, or a required input is blank


ANSWERED_ROWS = frozenset({RowStatus.COMPLETED, RowStatus.REJECTED})
"""Statuses of rows with an answer."""


NotEmpty = Annotated[str, msgspec.Meta(min_length=1)]
"""A text that is never decoded from an empty one: an empty URL or confidence is none."""


class Citation(msgspec.Struct, frozen=True, gc=False):
    """A document that supports a value, with excerpts from it."""

    url: NotEmpty
    title: str | None = None
    excerpts: tuple[str, ...] = ()


class FieldBasis(msgspec.Struct, frozen=True, gc=False):
    """Why a field has its value.

    `field` is the output field's name (`output` for a text answer; `a.0.b` inside lists and objects).
    `confidence` is "high", "medium" or "low"; some processors send a number in 0..1, or nothing.
    """

    field: str
    reasoning: str = ""
    citations: tuple[Citation, ...] = ()
    confidence: NotEmpty | float | None = None


class Task(msgspec.Struct, frozen=True, gc=False):
    """One input to send, as JSON bytes, and its key.

    `root` is the key of the row's first task if this one escalates it. `members` are the tasks of the rows that this one
    sends together.
    """

    key: TaskKey
    input: bytes
    root: TaskKey | None = None
    members: tuple[Task, ...] = ()


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The output of a completed run. `content` is an object for structured output, a string for text."""

    run_id: str
    processor: str
    content: Json
    basis: tuple[FieldBasis, ...] = ()


class Counts(Counter[RowStatus]):
    """The number of rows with each status; the total is the table's height."""

    def as_dict(self) -> dict[str, int]:
        """Return the total and the count of every status, as `--json` has them."""
        return {"total": self.total(), **{status.value: self[status] for status in RowStatus}}


def decoded_counts(kind: Any, value: Mapping[str, int]) -> Counter[Any]:
    """Return counts from JSON: msgspec's `dec_hook` for `Counts` and `Counter[str]`, which it does not know."""
    return (
        Counts({RowStatus(name): count for name, count in value.items()})
        if kind is Counts
        else Counter(value)
    )


@dataclass(frozen=True, slots=True)
class ApiWarning:
    """A warning of the API about a run or its spec."""

    type: str
    message: str


# --- the ledger's records -------------------------------------------------------------------------------


class EndedRun(msgspec.Struct, frozen=True, gc=False):
    """How one run of a batch ended. `output` is the answer as JSON bytes, None unless the run completed."""

    key: bytes
    run_id: str
    state: RunState
    output: bytes | None = None
    error: str | None = None
    ref_id: str | None = None
    warnings: tuple[str, ...] = ()
    parts: tuple[tuple[bytes, bytes | None], ...] = ()
    """Of a run that was sent for several rows: the key of each row, and its part of the output or None."""


@dataclass(slots=True)
class ActiveBatch:
    """A batch with runs that have not ended.

    `inputs` has the input of every run that was recorded for it, by key; `active` has the keys of the runs that have not
    ended. `unsure`: its runs may or may not exist. `sent` (monotonic seconds) is when its POST was last under way, at the
    latest; of another command's batch, when it was read less the time that commands waited for its runs. `age` is the seconds
    from its POST until `sent` by the wall clock.
    """

    id: int
    group_id: str
    api: str
    sent: float
    unsure: bool
    age: float = 0.0
    inputs: dict[bytes, bytes] = field(default_factory=dict)
    active: set[bytes] = field(default_factory=set)
    members: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    """Of runs that were sent for several rows: the keys of the rows, by the run's key."""

    def size(self, key: bytes) -> int:
        """Return the number of tasks that one run answers."""
        return len(self.members.get(key, (key,)))


class StoredRun(NamedTuple):
    """A run in the ledger: its state, and the answer as JSON bytes if it completed.

    `key` is that of the row's first task, also for a run on another processor (then `first` is false). `price` is
    micro-US$, `number` is the ledger's own id, ascending in time, `ended_at` is Unix seconds, infinity for
    a run that this command recorded.
    """

    key: bytes
    state: RunState
    run_id: str | None
    processor: str
    output: bytes | None
    error: str | None
    ref_id: str | None
    number: int = 0
    price: int = 0
    first: bool = True
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision on a cell: `accept`, `reject`, `correct` (with a JSON value), `blank` or `clear`. `at` is Unix seconds.

    `answer` is the value that the cell had when it was decided on, as JSON; None if that is not known.
    """

    key: bytes
    field: str
    verdict: str
    value: str | None
    who: str
    at: float
    note: str | None = None
    answer: str | None = None


class Share(msgspec.Struct, frozen=True):
    """A measured share with its 95% interval. `n` is the number of labels that it rests on; all but `n` are None without any."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the share as JSON."""
        return msgspec.structs.asdict(self)

    def text(self, *, labels: bool = False) -> str:
        """Return the share with its interval, a dash without labels; with `labels` their number too."""
        if self.value is None or self.low is None or self.high is None:
            return "no labels" if labels else "-"
        return interval(self.value, self.low, self.high) + (f" of {self.n:,}" if labels else "")


class Spend(NamedTuple):
    """The runs created on one processor; `cost` is list price in micro-US$. The API may not bill those that `failed`."""

    processor: str
    runs: int
    cost: int
    failed: int = 0
    failed_cost: int = 0


class Packing(NamedTuple):
    """Rows that were sent several in a run: `rows` in `runs`, `saved` micro-US$ cheaper than one run for each row."""

    rows: int = 0
    runs: int = 0
    saved: int = 0
