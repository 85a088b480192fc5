"""The options of a submission: the API, the limits, and the waiting times."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DEFAULT_SENDING = 16


@dataclass(frozen=True, slots=True)
class AnsweringApi:
    """The API that answers: its name in the ledger, its base URL and key; `mcp` if runs call MCP servers."""

    name: str
    base_url: str
    key: str | None = None
    mcp: bool = False


class Follow(Enum):
    """Which runs a submission follows."""

    TO_END = "every run to its end"
    ONCE = "what has ended by now of earlier runs"
    NEVER = "none"


@dataclass(slots=True)
class SubmissionTotals:
    """The sums of a command, right also when it ends early: runs, micro-US$, requests."""

    submitted: int = 0
    spent: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class SubmitOptions:
    """How tasks are submitted. Money is micro-US$, times are seconds."""

    active_runs: int = 10_000
    sending: int = DEFAULT_SENDING
    """The most batches between their intent and the response to their POST: after a kill these are looked up."""
    budget: int | None = None
    """The most that a command may newly spend, over all its submissions."""
    follow: Follow = Follow.TO_END
    """Which runs are followed; the others are left active, for a later command."""
    local: bool = False
    """A local server answers: a group that it does not know belonged to an earlier one, cost nothing, and is sent again."""
    gather: float = 3.0
    """How long a completed run may wait for others to be fetched with it."""
    sweep: float = 60.0
    """How often to list a group although its event stream reports nothing."""
    first_pause: float = 0.5
    """The pause before an event stream is opened again, or before the next look at what is late; it doubles each time."""
    longest_pause: float = 30.0
    """The longest of these pauses, and of those between looks for the runs of a lost POST."""
    reconcile_after: float = 30.0
    """How long after a POST whose response was lost its runs may still appear."""
    reconcile_after_refusal: float = 1.0
    """The same after a POST that was explicitly refused."""
    unexplained: float = 1_800.0
    """How long to look for runs that the API counts but does not list."""
    refusals: int = 10
    """After this many tasks refused one by one and none accepted, the spec is at fault, not the rows."""
    losses: int = 6
    """After this many POSTs in a row that created nothing, without a reason, the API has failed for good."""
    stalled_timeout: float = 900.0
    """How long to list runs again that have not ended and that are not active either."""
    missing_output_timeout: float = 86_400.0
    """A completed run without output has failed this long after its POST."""
