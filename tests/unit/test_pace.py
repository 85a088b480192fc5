"""How many requests when, in a simulated time: the limit holds in every minute, and is used."""

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.api.rate_limit import LEAST, RISE_AFTER, WINDOW, RateLimiter
from rowcite.local.server.access import RateLimit


class Jumping(selectors.SelectSelector):
    """Waits by moving the time on."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0.0
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """A loop whose time stands still while anything can run, and jumps while nothing can."""

    def __init__(self) -> None:
        self.selector = Jumping()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


def simulate(work: Coroutine[None, None, None]) -> float:
    """Run to the end; return the simulated seconds that it took."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(work)
        return runner.get_loop().time()


@dataclass
class Log:
    """What happened, in order."""

    starts: list[tuple[float, int]] = field(default_factory=list)
    inside: int = 0
    most_inside: int = 0
    held_until: float = 0.0
    too_early: list[float] = field(default_factory=list)

    async def request(
        self, pace: RateLimiter, number: int = 0, seconds: float = 0.0, *, stream: bool = False
    ) -> None:
        async with pace.turn(stream=stream):
            now = asyncio.get_running_loop().time()
            self.starts.append((now, number))
            if now < self.held_until:
                self.too_early.append(now)
            self.inside += not stream
            self.most_inside = max(self.most_inside, self.inside)
            await asyncio.sleep(seconds)
            self.inside -= not stream

    def hold(self, pace: RateLimiter, seconds: float) -> None:
        pace.hold(seconds)
        self.held_until = max(self.held_until, asyncio.get_running_loop().time() + seconds)

    def times(self) -> list[float]:
        return [time for time, _ in self.starts]


def new(per_minute: int, at_once: int = 1_000) -> RateLimiter:
    """Return a pace that goes by the running loop's time."""
    return RateLimiter(per_minute, at_once, clock=asyncio.get_running_loop().time)


# Eighths of a second add up without rounding, so that figures can be compared exactly.
SECONDS = st.integers(0, 8 * 200).map(lambda eighths: eighths / 8)
CALLS = st.lists(st.tuples(SECONDS, SECONDS, st.booleans()), max_size=30)
HOLDS = st.lists(st.tuples(SECONDS, SECONDS), max_size=3)


@given(st.integers(1, 5), st.integers(1, 4), CALLS, HOLDS)
def test_limit_number_at_once_and_holds_are_kept_whatever_comes(per_minute, at_once, calls, holds):
    log = Log()

    async def work() -> None:
        pace, loop = new(per_minute, at_once), asyncio.get_running_loop()
        for when, seconds in holds:
            loop.call_at(when, log.hold, pace, seconds)

        async def call(number: int, when: float, seconds: float, *, stream: bool) -> None:
            await asyncio.sleep(when)
            await log.request(pace, number, seconds, stream=stream)

        async with asyncio.TaskGroup() as group:
            for number, (when, seconds, stream) in enumerate(calls):
                group.create_task(call(number, when, seconds, stream=stream))
        assert pace.requests == len(calls)

    simulate(work())
    times = log.times()
    assert len(times) == len(calls)
    assert times == sorted(times)
    assert all(later - first > 60 for first, later in zip(times, times[per_minute:], strict=False))
    assert log.most_inside <= at_once
    assert log.too_early == []


@given(st.integers(1, 50), st.integers(1, 200))
def test_the_limit_is_reached(per_minute, calls):
    log = Log()

    async def work() -> None:
        pace = new(per_minute)
        await asyncio.gather(*(log.request(pace) for _ in range(calls)))

    assert simulate(work()) == (calls - 1) // per_minute * WINDOW
    assert log.times() == [number // per_minute * WINDOW for number in range(calls)]


def test_the_minute_is_not_a_second_longer_than_it_must_be():
    assert 60 < WINDOW <= 61


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 30))
def test_first_come_is_first_served(per_minute, at_once, calls):
    log = Log()

    async def work() -> None:
        pace = new(per_minute, at_once)
        await asyncio.gather(*(log.request(pace, number, 1.0) for number in range(calls)))

    simulate(work())
    assert [number for _, number in log.starts] == list(range(calls))


def test_places_are_used_as_soon_as_they_are_free():
    log = Log()

    async def work() -> None:
        pace = new(1_000, 3)
        await asyncio.gather(*(log.request(pace, seconds=10.0) for _ in range(9)))

    assert simulate(work()) == 30
    assert log.most_inside == 3


def test_a_stream_keeps_no_place_and_counts_against_the_limit():
    log = Log()

    async def work() -> None:
        pace = new(3, 1)
        streams = [log.request(pace, number, 3_600.0, stream=True) for number in range(2)]
        await asyncio.gather(*streams, *(log.request(pace, 2 + number, 1.0) for number in range(2)))

    assert simulate(work()) == 3_600
    assert log.starts == [(0.0, 0), (0.0, 1), (0.0, 2), (WINDOW, 3)]


def test_a_hold_stops_also_those_who_wait_already():
    log = Log()

    async def work() -> None:
        pace = new(1)
        asyncio.get_running_loop().call_at(30.0, pace.hold, 50.0)
        await asyncio.gather(log.request(pace), log.request(pace))

    simulate(work())
    assert log.times() == [0.0, 80.0]


@pytest.mark.parametrize(
    ("first", "second", "until"), [(50.0, 10.0, 50.0), (10.0, 50.0, 50.0), (0.0, -5.0, 0.0)]
)
def test_the_longest_hold_counts(first, second, until):
    log = Log()

    async def work() -> None:
        pace = new(10)
        pace.hold(first)
        pace.hold(second)
        await log.request(pace)

    simulate(work())
    assert log.times() == [until]


def test_one_who_gives_up_does_not_hold_up_the_others():
    log = Log()

    async def work() -> None:
        pace = new(1, 1)
        await log.request(pace)
        impatient = asyncio.create_task(log.request(pace, 1))
        patient = asyncio.create_task(log.request(pace, 2))
        await asyncio.sleep(5)
        impatient.cancel()
        await patient

    simulate(work())
    assert log.starts == [(0.0, 0), (WINDOW, 2)]


def test_a_failed_request_gives_its_place_back():
    async def work() -> None:
        pace = new(10, 1)
        with pytest.raises(ZeroDivisionError):
            async with pace.turn():
                raise ZeroDivisionError
        async with pace.turn():
            pass

    assert simulate(work()) == 0


# --- an API that takes less than it is said to -----------------------------------------------------------


@given(
    st.integers(1, 5) | st.integers(1, 40),
    st.integers(1, 4),
    CALLS,
    st.lists(st.tuples(SECONDS, SECONDS), max_size=12),
)
def test_whatever_is_turned_away_the_limit_is_kept_and_nobody_starts_in_a_pause(
    per_minute, at_once, calls, refusals
):
    log, rates = Log(), []

    async def work() -> None:
        pace, loop = new(per_minute, at_once), asyncio.get_running_loop()

        def refused(seconds: float) -> None:
            pace.refused(seconds)
            log.held_until = max(log.held_until, loop.time() + seconds)
            rates.append(pace.rate)

        for when, seconds in refusals:
            loop.call_at(when, refused, seconds)

        async def call(number: int, when: float, seconds: float, *, stream: bool) -> None:
            await asyncio.sleep(when)
            await log.request(pace, number, seconds, stream=stream)

        async with asyncio.TaskGroup() as group:
            for number, (when, seconds, stream) in enumerate(calls):
                group.create_task(call(number, when, seconds, stream=stream))

    simulate(work())
    times = log.times()
    assert len(times) == len(calls)
    assert all(later - first > 60 for first, later in zip(times, times[per_minute:], strict=False))
    assert log.too_early == []
    assert all(min(LEAST, per_minute) <= rate <= per_minute for rate in rates)


@given(st.integers(1, 2_000), st.lists(SECONDS, min_size=3, max_size=20))
@settings(max_examples=25)
def test_the_whole_limit_comes_back_while_it_is_quiet(per_minute, refusals):
    async def work() -> None:
        pace = new(per_minute)
        for seconds in refusals:
            pace.refused(seconds)
            await asyncio.sleep(seconds)
        await asyncio.sleep(max(refusals) + 60 * RISE_AFTER)
        async with pace.turn():
            assert pace.rate == per_minute

    simulate(work())


class Api:
    """Counts as the shipped server does, and notes what it turned away and when; it need not tell when to come again."""

    def __init__(self, limit: int, *, tells: bool) -> None:
        self.tells = tells
        self.clock = asyncio.get_running_loop().time
        self.limit = RateLimit(limit, self.clock)
        self.passed: list[float] = []
        self.refused: list[float] = []

    async def ask(self, pace: RateLimiter) -> None:
        while True:
            async with pace.turn():
                wait = self.limit.wait()
                await asyncio.sleep(0.05)
            if wait == 0:
                self.passed.append(self.clock())
                return
            self.refused.append(self.clock())
            pace.refused(max(wait if self.tells else 0.0, 0.5))


@given(st.integers(5, 600), st.integers(1, 16), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_limit_far_below_the_own_is_used_and_few_requests_are_turned_away(limit, at_once, tells):
    """Where the API does not tell when to come again, thousands are turned away unless the rate falls."""
    minutes = 10
    api: list[Api] = []

    async def work() -> None:
        pace = new(2_000, at_once)
        api.append(Api(limit, tells=tells))
        async with asyncio.TaskGroup() as group:
            for _ in range(limit * minutes):
                group.create_task(api[0].ask(pace))

    taken = simulate(work())
    late = [time for time in api[0].refused if time > 240]
    assert len(api[0].passed) == limit * minutes
    assert taken < (minutes + 1) * WINDOW
    assert len(late) < ((1 + at_once) * minutes if tells else 300 + 30 * at_once)


def test_a_burst_that_is_an_accident_does_not_slow_down_for_long():
    """Six requests turned away at the very beginning, for three seconds each, as a hiccup of the API does."""
    rates = []

    async def work() -> None:
        pace = new(2_000)
        for number in range(25):
            async with pace.turn():
                if number >= 19:
                    pace.refused(3.0)
        rates.append(pace.rate)

    simulate(work())
    assert rates[0] >= 100


def test_single_requests_that_are_turned_away_slow_nothing_down():
    async def work() -> None:
        pace = new(2_000)
        for number in range(1, 1_000):
            async with pace.turn():
                await asyncio.sleep(0.1)
                if number % 50 == 0:
                    pace.refused(1.0)
        assert pace.rate == 2_000

    simulate(work())


def test_slowing_down_is_told_at_most_once_a_minute():
    told: list[tuple[float, int]] = []

    async def work() -> None:
        pace, loop = new(2_000), asyncio.get_running_loop()
        pace.on_throttled = lambda rate: told.append((loop.time(), rate))
        for _ in range(200):
            async with pace.turn():
                pace.refused(1.0)

    simulate(work())
    assert len(told) >= 3
    assert all(later - first >= 60 for (first, _), (later, _) in pairwise(told))
    assert told[-1][1] == LEAST
