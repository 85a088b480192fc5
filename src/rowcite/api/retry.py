"""The retry policy: which requests are sent again, how many times and for how long. The only file with tenacity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tenacity

from rowcite.errors import Retriable

_THROTTLED = 429
Attempts = tenacity.AsyncRetrying


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits on retries: attempts, seconds in total, pauses, timeouts.

    A 429 is not a failure: it uses neither attempts nor time, and is retried without limit.
    """

    attempts: int = 8
    attempts_before_first_response: int = 4
    """Attempts if the API has never answered: its address may be wrong."""
    throttled: int = 3
    """Number of 429s after which a POST of many runs is given up: the API may count the runs, and the caller can split them."""
    total: float = 300.0
    """Seconds for all attempts since the last 429, and for any single answer, however slowly it arrives."""
    first_pause: float = 0.5
    longest_pause: float = 30.0
    connect: float = 10.0
    answer: float = 60.0
    silence: float = 90.0
    """Seconds without a byte after which an event stream counts as broken; for a listing, seconds without an event."""


DEFAULT_RETRY_POLICY = RetryPolicy()


def attempts(
    retry_policy: RetryPolicy,
    *,
    creates: bool = False,
    many: bool = False,
    final: int | None = None,
    has_responded: Callable[[], bool] = lambda: True,
) -> Attempts:
    """Return the attempts at a request, within the limits of `retry_policy`; the last error is raised after them.

    Each is a context: `async for attempt in attempts(policy): with attempt: ...`.

    With `creates`, retry only after a 429 or if nothing was sent. With `many`, give up after `retry_policy.throttled`
    429s. Never retry after the status `final`. `has_responded` returns True once the API has answered anything.
    """
    limits = _Limits(retry_policy, creates, many, final, has_responded)
    return Attempts(
        retry=tenacity.retry_if_exception(limits.is_retriable),
        stop=limits.is_exhausted,
        wait=_pauses(retry_policy),
        reraise=True,
    )


@dataclass(slots=True)
class _Limits:
    """The limits of one request, and how far they are used: failures, and when the last 429 arrived."""

    policy: RetryPolicy
    creates: bool
    many: bool
    final: int | None
    has_responded: Callable[[], bool]
    failed: int = 0
    throttled_at: float = 0.0

    def is_retriable(self, error: BaseException) -> bool:
        """Count an error; return True if the request may be sent again after it."""
        if not isinstance(error, Retriable) or error.status == self.final:
            return False
        self.failed += error.status != _THROTTLED
        return not self.creates or error.status == _THROTTLED or not error.sent

    def is_exhausted(self, state: tenacity.RetryCallState) -> bool:
        """Return True if attempts or time are used."""
        policy, now = self.policy, state.seconds_since_start or 0.0
        if getattr(state.outcome and state.outcome.exception(), "status", None) == _THROTTLED:
            self.throttled_at = now
            return self.many and state.attempt_number - self.failed >= policy.throttled
        attempts = policy.attempts
        if not self.has_responded():
            attempts = min(policy.attempts_before_first_response, attempts)
        return self.failed >= attempts or now - self.throttled_at >= policy.total


def _pauses(policy: RetryPolicy) -> Callable[[tenacity.RetryCallState], float]:
    first = policy.first_pause
    backoff = tenacity.wait_exponential(first, policy.longest_pause) + tenacity.wait_random(0, 2 * first)

    def pause(state: tenacity.RetryCallState) -> float:
        retry_after = getattr(state.outcome and state.outcome.exception(), "retry_after", None)
        # A server that keeps answering "retry now" must not be flooded.
        return float(retry_after) if retry_after is not None and retry_after >= first else backoff(state)

    return pause
