"""The rate limiter in simulated time: the limits hold in every minute, and are used fully."""

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.api.rate_limit import MIN_RATE, RISE_AFTER, WINDOW, RateLimiter
from rowcite.local.server.access import RateLimit
from support import examples


class Jumping(selectors.SelectSelector):
    """Waits by advancing the time."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0.0
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """A loop whose time stops while anything can run, and jumps otherwise."""

    def __init__(self) -> None:
        self.selector = Jumping()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


def simulate(work: Coroutine[None, None, None]) -> float:
    """Run to the end; return the simulated seconds."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(work)
        return runner.get_loop().time()


@dataclass
class Log:
    """The starts of requests, in order."""

    starts: list[tuple[float, int]] = field(default_factory=list)
    inside: int = 0
    most_inside: int = 0
    paused_until: float = 0.0
    too_early: list[float] = field(default_factory=list)

    async def request(
        self, limiter: RateLimiter, number: int = 0, seconds: float = 0.0, *, stream: bool = False
    ) -> None:
        async with limiter.turn(stream=stream):
            now = asyncio.get_running_loop().time()
            self.starts.append((now, number))
            if now < self.paused_until:
                self.too_early.append(now)
            self.inside += not stream
            self.most_inside = max(self.most_inside, self.inside)
            await asyncio.sleep(seconds)
            self.inside -= not stream

    def pause(self, limiter: RateLimiter, seconds: float) -> None:
        limiter.pause(seconds)
        self.paused_until = max(self.paused_until, asyncio.get_running_loop().time() + seconds)

    def times(self) -> list[float]:
        return [time for time, _ in self.starts]


def new(per_minute: int, at_once: int = 1_000) -> RateLimiter:
    """Return a limiter that uses the running loop's time."""
    return RateLimiter(per_minute, at_once, clock=asyncio.get_running_loop().time)


# Eighths of a second add up without rounding, so that figures can be compared exactly.
SECONDS = st.integers(0, 8 * 200).map(lambda eighths: eighths / 8)
CALLS = st.lists(st.tuples(SECONDS, SECONDS, st.booleans()), max_size=30)
PAUSES = st.lists(st.tuples(SECONDS, SECONDS), max_size=3)


@given(st.integers(1, 5), st.integers(1, 4), CALLS, PAUSES)
def test_the_limits_and_pauses_hold_for_any_sequence_of_requests(per_minute, at_once, calls, pauses):
    log = Log()

    async def work() -> None:
        limiter, loop = new(per_minute, at_once), asyncio.get_running_loop()
        for when, seconds in pauses:
            loop.call_at(when, log.pause, limiter, seconds)

        async def call(number: int, when: float, seconds: float, *, stream: bool) -> None:
            await asyncio.sleep(when)
            await log.request(limiter, number, seconds, stream=stream)

        async with asyncio.TaskGroup() as group:
            for number, (when, seconds, stream) in enumerate(calls):
                group.create_task(call(number, when, seconds, stream=stream))
        assert limiter.requests == len(calls)

    simulate(work())
    times = log.times()
    assert len(times) == len(calls)
    assert times == sorted(times)
    assert all(later - first > 60 for first, later in zip(times, times[per_minute:], strict=False))
    assert log.most_inside <= at_once
    assert log.too_early == []


@given(st.integers(1, 50), st.integers(1, 200))
def test_the_limit_is_used_fully(per_minute, calls):
    log = Log()

    async def work() -> None:
        limiter = new(per_minute)
        await asyncio.gather(*(log.request(limiter) for _ in range(calls)))

    assert simulate(work()) == (calls - 1) // per_minute * WINDOW
    assert log.times() == [number // per_minute * WINDOW for number in range(calls)]


def test_the_window_is_between_60_and_61_seconds():
    assert 60 < WINDOW <= 61


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 30))
def test_requests_start_in_the_order_of_arrival(per_minute, at_once, calls):
    log = Log()

    async def work() -> None:
        limiter = new(per_minute, at_once)
        await asyncio.gather(*(log.request(limiter, number, 1.0) for number in range(calls)))

    simulate(work())
    assert [number for _, number in log.starts] == list(range(calls))


def test_a_free_place_is_used_immediately():
    log = Log()

    async def work() -> None:
        limiter = new(1_000, 3)
        await asyncio.gather(*(log.request(limiter, seconds=10.0) for _ in range(9)))

    assert simulate(work()) == 30
    assert log.most_inside == 3


def test_a_stream_holds_no_place_and_counts_against_the_limit():
    log = Log()

    async def work() -> None:
        limiter = new(3, 1)
        streams = [log.request(limiter, number, 3_600.0, stream=True) for number in range(2)]
        await asyncio.gather(*streams, *(log.request(limiter, 2 + number, 1.0) for number in range(2)))

    assert simulate(work()) == 3_600
    assert log.starts == [(0.0, 0), (0.0, 1), (0.0, 2), (WINDOW, 3)]


def test_a_pause_delays_requests_that_already_wait():
    log = Log()

    async def work() -> None:
        limiter = new(1)
        asyncio.get_running_loop().call_at(30.0, limiter.pause, 50.0)
        await asyncio.gather(log.request(limiter), log.request(limiter))

    simulate(work())
    assert log.times() == [0.0, 80.0]


@pytest.mark.parametrize(
    ("first", "second", "until"), [(50.0, 10.0, 50.0), (10.0, 50.0, 50.0), (0.0, -5.0, 0.0)]
)
def test_the_longest_pause_applies(first, second, until):
    log = Log()

    async def work() -> None:
        limiter = new(10)
        limiter.pause(first)
        limiter.pause(second)
        await log.request(limiter)

    simulate(work())
    assert log.times() == [until]


def test_a_cancelled_request_does_not_delay_the_others():
    log = Log()

    async def work() -> None:
        limiter = new(1, 1)
        await log.request(limiter)
        impatient = asyncio.create_task(log.request(limiter, 1))
        patient = asyncio.create_task(log.request(limiter, 2))
        await asyncio.sleep(5)
        impatient.cancel()
        await patient

    simulate(work())
    assert log.starts == [(0.0, 0), (WINDOW, 2)]


def test_a_failed_request_releases_its_place():
    async def work() -> None:
        limiter = new(10, 1)
        with pytest.raises(ZeroDivisionError):
            async with limiter.turn():
                raise ZeroDivisionError
        async with limiter.turn():
            pass

    assert simulate(work()) == 0


# --- an API with a lower limit ----------------------------------------------------------------------------


@given(
    st.integers(1, 5) | st.integers(1, 40),
    st.integers(1, 4),
    CALLS,
    st.lists(st.tuples(SECONDS, SECONDS), max_size=12),
)
def test_the_limit_holds_and_nothing_starts_in_a_pause_for_any_sequence_of_429s(
    per_minute, at_once, calls, throttles
):
    log, rates = Log(), []

    async def work() -> None:
        limiter, loop = new(per_minute, at_once), asyncio.get_running_loop()

        def throttled(seconds: float) -> None:
            limiter.throttled(seconds)
            log.paused_until = max(log.paused_until, loop.time() + seconds)
            rates.append(limiter.rate)

        for when, seconds in throttles:
            loop.call_at(when, throttled, seconds)

        async def call(number: int, when: float, seconds: float, *, stream: bool) -> None:
            await asyncio.sleep(when)
            await log.request(limiter, number, seconds, stream=stream)

        async with asyncio.TaskGroup() as group:
            for number, (when, seconds, stream) in enumerate(calls):
                group.create_task(call(number, when, seconds, stream=stream))

    simulate(work())
    times = log.times()
    assert len(times) == len(calls)
    assert all(later - first > 60 for first, later in zip(times, times[per_minute:], strict=False))
    assert log.too_early == []
    assert all(min(MIN_RATE, per_minute) <= rate <= per_minute for rate in rates)


@given(st.integers(1, 2_000), st.lists(SECONDS, min_size=3, max_size=20))
@settings(max_examples=examples(25))
def test_the_rate_returns_to_the_limit_when_there_are_no_more_429s(per_minute, throttles):
    async def work() -> None:
        limiter = new(per_minute)
        for seconds in throttles:
            limiter.throttled(seconds)
            await asyncio.sleep(seconds)
        await asyncio.sleep(max(throttles) + 60 * RISE_AFTER)
        async with limiter.turn():
            assert limiter.rate == per_minute

    simulate(work())


class Api:
    """Counts like the shipped server, and records the times of its 429s; `retry_after` decides whether they have one."""

    def __init__(self, limit: int, *, retry_after: bool) -> None:
        self.retry_after = retry_after
        self.clock = asyncio.get_running_loop().time
        self.limit = RateLimit(limit, self.clock)
        self.passed: list[float] = []
        self.refused: list[float] = []

    async def request(self, limiter: RateLimiter) -> None:
        while True:
            async with limiter.turn():
                wait = self.limit.wait()
                await asyncio.sleep(0.05)
            if wait == 0:
                self.passed.append(self.clock())
                return
            self.refused.append(self.clock())
            limiter.throttled(max(wait if self.retry_after else 0.0, 0.5))


@given(st.integers(5, 600), st.integers(1, 16), st.booleans())
@settings(max_examples=examples(25), deadline=None)
def test_a_limit_far_below_the_own_is_used_and_few_requests_are_turned_away(limit, at_once, retry_after):
    """Without Retry-After, thousands of requests would get 429 unless the rate falls."""
    minutes = 6
    api: list[Api] = []

    async def work() -> None:
        limiter = new(2_000, at_once)
        api.append(Api(limit, retry_after=retry_after))
        async with asyncio.TaskGroup() as group:
            for _ in range(limit * minutes):
                group.create_task(api[0].request(limiter))

    taken = simulate(work())
    late = [time for time in api[0].refused if time > 240]
    assert len(api[0].passed) == limit * minutes
    assert taken < (minutes + 1) * WINDOW
    assert len(late) < ((1 + at_once) * minutes if retry_after else 300 + 30 * at_once)


def test_one_burst_of_429s_does_not_reduce_the_rate_for_long():
    """Six 429s at the very beginning, with a pause of three seconds each."""
    rates = []

    async def work() -> None:
        limiter = new(2_000)
        for number in range(25):
            async with limiter.turn():
                if number >= 19:
                    limiter.throttled(3.0)
        rates.append(limiter.rate)

    simulate(work())
    assert rates[0] >= 100


def test_isolated_429s_do_not_reduce_the_rate():
    async def work() -> None:
        limiter = new(2_000)
        for number in range(1, 1_000):
            async with limiter.turn():
                await asyncio.sleep(0.1)
                if number % 50 == 0:
                    limiter.throttled(1.0)
        assert limiter.rate == 2_000

    simulate(work())


def test_a_reduced_rate_is_reported_at_most_once_a_minute():
    reported: list[tuple[float, int]] = []

    async def work() -> None:
        limiter, loop = new(2_000), asyncio.get_running_loop()
        limiter.on_throttled = lambda rate: reported.append((loop.time(), rate))
        for _ in range(200):
            async with limiter.turn():
                limiter.throttled(1.0)

    simulate(work())
    assert len(reported) >= 3
    assert all(later - first >= 60 for (first, _), (later, _) in pairwise(reported))
    assert reported[-1][1] == MIN_RATE
