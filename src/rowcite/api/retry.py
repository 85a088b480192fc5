"""The retry policy: which requests are sent again, how many times and for how long. The only file with tenacity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from rowcite.errors import Retriable

T = TypeVar("T")
_THROTTLED = 429


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


async def retrying(  # noqa: PLR0913 - what a request may be
    retry_policy: RetryPolicy,
    call: Callable[[], Awaitable[T]],
    *,
    creates: bool = False,
    many: bool = False,
    final: int | None = None,
    has_responded: Callable[[], bool] = lambda: True,
) -> T:
    """Call until it succeeds, within the limits of `retry_policy`; then raise the last error.

    With `creates`, retry only after a 429 or if nothing was sent. With `many`, give up after `retry_policy.throttled`
    429s. Never retry after the status `final`. `has_responded` returns True once the API has answered anything.
    """
    failed, throttled_at = 0, 0.0

    def is_retriable(error: BaseException) -> bool:
        nonlocal failed
        if not isinstance(error, Retriable) or error.status == final:
            return False
        failed += error.status != _THROTTLED
        return not creates or error.status == _THROTTLED or not error.sent

    def is_exhausted(state: tenacity.RetryCallState) -> bool:
        nonlocal throttled_at
        now = state.seconds_since_start or 0.0
        if getattr(state.outcome and state.outcome.exception(), "status", None) == _THROTTLED:
            throttled_at = now
            return many and state.attempt_number - failed >= retry_policy.throttled
        most = (
            retry_policy.attempts
            if has_responded()
            else min(retry_policy.attempts_before_first_response, retry_policy.attempts)
        )
        return failed >= most or now - throttled_at >= retry_policy.total

    first, longest = retry_policy.first_pause, retry_policy.longest_pause
    backoff = tenacity.wait_exponential(first, longest) + tenacity.wait_random(0, 2 * first)

    def pause(state: tenacity.RetryCallState) -> float:
        retry_after = getattr(state.outcome and state.outcome.exception(), "retry_after", None)
        # A server that keeps answering "retry now" must not be flooded.
        return float(retry_after) if retry_after is not None and retry_after >= first else backoff(state)

    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(is_retriable), stop=is_exhausted, wait=pause, reraise=True
    )

    async def attempt() -> T:  # tenacity checks that it gets an `async def`
        return await call()

    return await attempts(attempt)
