"""When a request is sent again, how often and for how long. The core's only file with tenacity."""

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
    """How long to try: attempts, seconds in total, and the pause before the second attempt.

    A 429 is no failure: it uses up neither attempts nor time, and is waited out for as long as it comes.
    """

    attempts: int = 8
    attempts_before_first_response: int = 4
    """So many attempts when the API has never answered: its address may be wrong."""
    throttled: int = 3
    """So many 429 for a POST of many runs, and whoever sends it decides: it may be the runs that the API counts."""
    total: float = 300.0
    """Of all attempts together, since the last 429; no single answer may take longer either, however it trickles."""
    first_pause: float = 0.5
    longest_pause: float = 30.0
    connect: float = 10.0
    answer: float = 60.0
    silence: float = 90.0
    """Seconds without a byte after which an event stream is taken for dead; a listing, without an event."""


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
    """Call until it works, as long as retry_policy lasts; raise the last error then.

    With `creates`, only after 429 or when nothing was sent; with `many`, a few 429 are enough, else no number of them
    is; never after the status `final`. `has_responded` tells whether the API has ever answered: one that has not may not be
    there at all.
    """
    failed, throttled_at = 0, 0.0

    def may_again(error: BaseException) -> bool:
        nonlocal failed
        if not isinstance(error, Retriable) or error.status == final:
            return False
        failed += error.status != _THROTTLED
        return not creates or error.status == _THROTTLED or not error.sent

    def enough(state: tenacity.RetryCallState) -> bool:
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
        told = getattr(state.outcome and state.outcome.exception(), "retry_after", None)
        # "Come at once" from a server that then says the same again must not make us hammer it.
        return float(told) if told is not None and told >= first else backoff(state)

    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(may_again), stop=enough, wait=pause, reraise=True
    )

    async def attempt() -> T:  # tenacity looks whether it was given an `async def`
        return await call()

    return await attempts(attempt)
