"""The client of the Task API: one method for each endpoint, with retries.

A GET is retried after every temporary error. A POST that creates runs is retried only after a 429 or if no connection
was made: runs cost money, and the API does not have idempotency keys.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Self, TypeVar

import msgspec

from rowcite.api.bodies import (
    Added,
    Event,
    Group,
    Run,
    RunInput,
    UnreadableEvent,
    decoded,
    read_event,
    unreadable_event,
)
from rowcite.api.facts import GROUP_EVENTS_SECONDS
from rowcite.api.http import Sockets, Transport
from rowcite.api.rate_limit import RateLimiter
from rowcite.api.retry import DEFAULT_RETRY_POLICY, RetryPolicy, retrying
from rowcite.errors import Retriable

T = TypeVar("T")
_STILL_ACTIVE = 408


class Client:
    """A client of one Task API. Use it as an async context manager.

    Every method raises `KeyRefused` (401), `OutOfCredit` (402), `ApiRefused` (403, 422), `NotFound` (404), and
    `Retriable` when retries did not help. A 429 is retried without limit.
    """

    def __init__(  # noqa: PLR0913 - what a connection is made of
        self,
        base_url: str,
        key: str | None,
        rate_limiter: RateLimiter,
        *,
        retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY,
        mcp: bool = False,
        per_element: bool = False,
        transport: Sockets | None = None,
    ) -> None:
        self.rate_limiter, self.retry_policy = rate_limiter, retry_policy
        self._transport = Transport(
            base_url, key, rate_limiter, retry_policy, mcp=mcp, per_element=per_element, sockets=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.close()

    async def create_group(self) -> str:
        """Create a task group and return its id. If the answer is lost, an empty group remains, which costs nothing."""

        async def attempt() -> Group:
            return await self._json("POST", "/v1/tasks/groups", Group, b"{}")

        return (await self._retrying(attempt)).taskgroup_id

    async def group(self, group_id: str) -> Group:
        """Return a group with its status."""
        return await self._get(f"/v1/tasks/groups/{group_id}", Group)

    async def add_runs(
        self,
        group_id: str,
        body: bytes,
        *,
        sending: Callable[[], Awaitable[None]] | None = None,
        many: bool = False,
    ) -> list[str]:
        """Create runs; return their ids, in an undocumented order.

        `sending` is called immediately before each attempt. With `many`, a few 429s end the retries: the batch may be too large.

        Raises:
            Retriable: with `sent` true and a status other than 429, the runs may or may not have been created: find
                out before sending again.
        """
        path = f"/v1/tasks/groups/{group_id}/runs?refresh_status=false"

        async def attempt() -> Added:
            return await self._json("POST", path, Added, body, sending)

        return (await self._retrying(attempt, creates=True, many=many)).run_ids

    async def run(self, run_id: str) -> Run:
        """Return a run with its status."""
        return await self._get(f"/v1/tasks/runs/{run_id}", Run)

    async def input(self, run_id: str) -> RunInput:
        """Return the input of a run, with its metadata."""
        return await self._get(f"/v1/tasks/runs/{run_id}/input", RunInput)

    async def result(self, run_id: str) -> Event:
        """Return the answer of a run that has ended: an event with its run and output.

        Raises:
            Retriable: status 408, without retries, if the run is still active.
        """
        return await self._get(f"/v1/tasks/runs/{run_id}/result?timeout=1", Event, final=_STILL_ACTIVE)

    async def group_runs(
        self,
        group_id: str,
        into: Callable[[Event | UnreadableEvent], Awaitable[None]],
        *,
        status: str | None = None,
        inputs: bool = False,
        outputs: bool = False,
    ) -> None:
        """Read a snapshot of a group's runs: the present ones, then the stream ends.

        Each event is passed to `into` as it arrives, so that a broken stream is not lost; the next attempt resumes after
        the last event, and is not counted as a retry if events arrived. `into` may get an event twice. An event that
        cannot be read is passed as `UnreadableEvent`, and does not affect the others.
        """
        options = {"status": status, "include_input": inputs or None, "include_output": outputs or None}
        params = {name: str(value).lower() for name, value in options.items() if value is not None}
        path, seen = f"/v1/tasks/groups/{group_id}/runs", set[str]()

        async def whole() -> bool:
            had = len(seen)
            try:
                async with (
                    self.rate_limiter.turn(),
                    aclosing(self._events(path, params, listing=True)) as events,
                ):
                    async for event in events:
                        if isinstance(event, Event) and event.event_id:
                            params["last_event_id"] = event.event_id
                            seen.add(event.event_id)
                        await into(event)
            except Retriable:
                if len(seen) == had:
                    raise
                return False
            return True

        while not await self._retrying(whole):
            pass

    async def group_events(self, group_id: str, last_event_id: str | None = None) -> AsyncGenerator[Event]:
        """Stream a group's completions as they happen; ends when no run is active, or at any time.

        Unreadable events are left out: a listing shows their runs.

        Raises:
            Retriable: the stream broke. What was yielded remains valid; this method does not retry.
        """
        params = {
            "timeout": str(GROUP_EVENTS_SECONDS),
            **({"last_event_id": last_event_id} if last_event_id else {}),
        }
        async with self.rate_limiter.turn(stream=True):
            pass
        path = f"/v1/tasks/groups/{group_id}/events"
        async with aclosing(self._events(path, params)) as events:
            async for event in events:
                if isinstance(event, Event):
                    yield event

    # --- reading -------------------------------------------------------------------------------------

    async def _get(self, path: str, shape: type[T], *, final: int | None = None) -> T:
        async def attempt() -> T:
            return await self._json("GET", path, shape)

        return await self._retrying(attempt, final=final)

    async def _retrying(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        creates: bool = False,
        many: bool = False,
        final: int | None = None,
    ) -> T:
        return await retrying(
            self.retry_policy,
            attempt,
            creates=creates,
            many=many,
            final=final,
            has_responded=lambda: self._transport.has_responded,
        )

    async def _json(
        self,
        method: str,
        path: str,
        shape: type[T],
        content: bytes | None = None,
        sending: Callable[[], Awaitable[None]] | None = None,
    ) -> T:
        body = await self._transport.body(method, path, content, sending)
        try:
            return decoded(body, shape)
        except msgspec.DecodeError as error:
            where = f"{method} {path.partition('?')[0]}"
            raise Retriable(
                f"{where}: the answer is not the JSON that the API documents ({error})", status=200
            ) from error

    async def _events(
        self, path: str, params: dict[str, str], *, listing: bool = False
    ) -> AsyncGenerator[Event | UnreadableEvent]:
        silence, idle = self.retry_policy.silence, None
        if listing:
            silence, idle = self.retry_policy.answer, self.retry_policy.silence
        async with aclosing(self._transport.events(path, params, silence=silence, idle=idle)) as stream:
            async for data in stream:
                yield _event(data)


def _event(data: bytes) -> Event | UnreadableEvent:
    try:
        event = read_event(data)
    except msgspec.DecodeError as error:
        return unreadable_event(data, str(error))
    if event.error is not None:
        raise Retriable(f"the stream ended with an error: {event.error.message}", ref_id=event.error.ref_id)
    return event
