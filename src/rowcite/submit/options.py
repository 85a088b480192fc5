"""Under which options tasks are submitted: for how much, how many at once, and how long to wait for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SubmitOptions:
    """Under which options tasks are submitted. Money is micro-US$, times are seconds."""

    processor: str
    price: int
    active_runs: int = 10_000
    budget: int | None = None
    local: bool = False
    """A group that the API does not know is a local server's that is gone, and cost nothing: ask again."""
    gather: float = 3.0
    """How long an answer may wait for others to be fetched with it."""
    sweep: float = 60.0
    """How often to look at a group although its event stream says nothing."""
    reconcile_after: float = 30.0
    """How long after a POST whose answer was lost its runs may still come to light."""
    reconcile_after_refusal: float = 1.0
    """The same after a POST that was refused in so many words."""
    unexplained: float = 1_800.0
    """How long to look for runs that the API counts but does not list."""
    refusals: int = 10
    """So many tasks refused one by one, and none ever taken: the spec is at fault, not the rows."""
    losses: int = 6
    """So many POSTs in a row that created nothing and were not answered with a reason: the API is out of order."""
    stalled_timeout: float = 900.0
    """How long to look again at runs that have not ended and that, by all the API says, do not go on either."""
    missing_output_timeout: float = 86_400.0
    """So long after its POST, a run that is completed and shows no answer has failed."""
