"""What goes into the ledger and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger holds for a task: its best run, and the answer's bytes when it completed."""

    key: bytes
    state: RunState
    run_id: str | None
    processor: str
    output: bytes | None
    error: str | None
    ref_id: str | None
