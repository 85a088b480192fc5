"""The domain types: frozen, shared by every room, with no behaviour beyond their own values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, NewType

import msgspec

TaskKey = NewType("TaskKey", bytes)
"""16 bytes that name a question: see `rowcite.api.keys`."""

Json = Any
"""A decoded JSON value."""


class RunState(StrEnum):
    """Where a run stands, as the ledger knows it."""

    INTENDED = "intended"  # written down before the POST; the API may or may not have it
    SUBMITTED = "submitted"  # the API has it under a run id and it has not ended
    COMPLETED = "completed"  # ended with an answer
    FAILED = "failed"  # ended with an error
    CANCELLED = "cancelled"  # ended by somebody
    ACTION_REQUIRED = "action_required"  # waits for somebody; rowcite does not
    REFUSED = "refused"  # the API would not create it: never existed, never cost anything
    PRUNED = "pruned"  # ended, and `ledger prune` dropped its answer: the money stays known
    LOST = "lost"  # a local server that is gone had it: cost nothing, may be asked again


ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED, RunState.ACTION_REQUIRED})
"""States that a run of the API does not leave without somebody's help."""


class RowStatus(StrEnum):
    """What `rowcite_status` says of a row."""

    COMPLETED = "completed"  # answered, every value accepted
    REJECTED = "rejected"  # answered, at least one value refused by `accept` or not of its type
    FAILED = "failed"  # the run failed, was cancelled or needs action
    PENDING = "pending"  # not answered yet
    SKIPPED = "skipped"  # outside `where`, or a required input is blank


class Citation(msgspec.Struct, frozen=True, gc=False):
    """A document that supports a value. `excerpts` are words that stand in it."""

    url: str
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
    confidence: str | float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One question: what it is called, and the input as it goes over the wire (JSON bytes).

    `root` is the key of the task that its row was first asked as, when this asks again. `members` are the tasks of
    the rows that are sent together in this one.
    """

    key: TaskKey
    input: bytes
    root: TaskKey | None = None
    members: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a completed run said.

    `content` is an object for structured output, a string for text. `raw` is the output as it came.
    """

    run_id: str
    processor: str
    content: Json
    basis: tuple[FieldBasis, ...] = ()


class Counts(Counter[RowStatus]):
    """The number of rows with each status; the total is the table's height."""

    def as_dict(self) -> dict[str, int]:
        """Return the total and the count of every status, as `--json` has them."""
        return {"total": self.total(), **{status.value: self[status] for status in RowStatus}}


@dataclass(frozen=True, slots=True)
class ApiWarning:
    """A warning of the API about a run or a spec, with how many runs carried it."""

    type: str
    message: str
    runs: int = 1
    detail: dict[str, Json] | None = field(default=None, hash=False)


# --- the ledger's records -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndedRun:
    """How one run of a batch ended. `output` is the answer's bytes, None unless it completed."""

    key: bytes
    run_id: str
    state: RunState
    output: bytes | None = None
    error: str | None = None
    ref_id: str | None = None
    warnings: tuple[str, ...] = ()
    parts: tuple[tuple[bytes, bytes | None], ...] = ()
    """Of a run that was sent for several rows: each row's key and its part of the output, None without one."""


@dataclass(slots=True)
class OpenBatch:
    """A batch with runs that have not ended.

    `inputs` holds the input of every run that was ever to be in it, by key, `open` the keys that have not ended.
    `sent_at` (Unix seconds) is when its POST last went out. `unsure`: its runs may or may not exist.
    """

    id: int
    group_id: str
    api: str
    sent_at: float
    unsure: bool
    inputs: dict[bytes, bytes] = field(default_factory=dict)
    open: set[bytes] = field(default_factory=set)
    members: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    """Of runs that were sent for several rows: the keys of the rows, by the run's key."""

    def size(self, key: bytes) -> int:
        """Return how many tasks one run answers."""
        return len(self.members.get(key, (key,)))


class StoredRun(NamedTuple):
    """What the ledger holds of a run: where it stands, and the answer's bytes when it completed.

    `key` is that of the row's first task, also for a run that asked again (then `first` is false). `price` is
    micro-US$, `run` is the ledger's number, `ended_at` is Unix seconds.
    """

    key: bytes
    state: RunState
    run_id: str | None
    processor: str
    output: bytes | None
    error: str | None
    ref_id: str | None
    run: int = 0
    price: int = 0
    first: bool = True
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of a cell: `accept`, `reject`, `correct` (with a value, as JSON) or `clear`. `at` is Unix seconds."""

    key: bytes
    field: str
    verdict: str
    value: str | None
    who: str
    at: float
    note: str | None = None
