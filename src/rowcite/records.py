"""What goes into the ledger and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rowcite.model import RunState


@dataclass(frozen=True, slots=True)
class Ended:
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


class Held(NamedTuple):
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
class Refusal:
    """A value of a run that `accept` refused: by which rule, and why."""

    run: int
    field: str
    rule: str
    reason: str


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
