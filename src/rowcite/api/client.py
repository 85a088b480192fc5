"""The client of the Task API: one method for each endpoint, with retries.

A GET is retried after every temporary error. A POST that creates runs is retried only after a 429 or if no connection
was made: runs cost money, and the API does not have idempotency keys.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Self, TypeVar

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
from rowcite.api.retry import DEFAULT_RETRY_POLICY, Attempts, RetryPolicy, attempts
from rowcite.errors import Retriable

T = TypeVar("T")
_STILL_ACTIVE = 408


class Client:
    """A client of one Task API. Use it as an async context manager.

    Every method raises `KeyRefused` (401), `InsufficientCredit` (402), `ApiRefused` (403, 422), `NotFound` (404), and
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
        transport: Sockets | None = None,
    ) -> None:
        self.rate_limiter, self.retry_policy = rate_limiter, retry_policy
        self._transport = Transport(base_url, key, rate_limiter, retry_policy, mcp=mcp, sockets=transport)

    async def __aenter__(self) -> Self:
        self.rate_limiter.enter_loop()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.close()

    async def create_group(self) -> str:
        """Create a task group and return its id. A lost response leaves an empty group, which costs nothing."""
        return (await self._request("POST", "/v1/tasks/groups", Group, b"{}")).taskgroup_id

    def group(self, group_id: str) -> Coroutine[Any, Any, Group]:
        """Return a group with its counts of runs by status."""
        return self._request("GET", f"/v1/tasks/groups/{group_id}", Group)

    async def add_runs(
        self,
        group_id: str,
        body: bytes,
        *,
        sending: Callable[[], Awaitable[None]] | None = None,
        many: bool = False,
    ) -> list[str]:
        """Create runs; return their ids, in no promised order.

        `sending` is called right before each attempt. With `many`, a few 429 end the attempts: the size may be the reason.

        Raises:
            Retriable: with `sent` true and a status other than 429, the runs may or may not have been created: find
                out before sending again.
        """
        path = f"/v1/tasks/groups/{group_id}/runs?refresh_status=false"
        retrying = self._attempts(creates=True, many=many)
        return (await self._request("POST", path, Added, body, sending, retrying)).run_ids

    def run(self, run_id: str) -> Coroutine[Any, Any, Run]:
        """Return a run with its status."""
        return self._request("GET", f"/v1/tasks/runs/{run_id}", Run)

    def input(self, run_id: str) -> Coroutine[Any, Any, RunInput]:
        """Return the input of a run, with its metadata."""
        return self._request("GET", f"/v1/tasks/runs/{run_id}/input", RunInput)

    def result(self, run_id: str) -> Coroutine[Any, Any, Event]:
        """Return the result of a run that has ended: an event with its run and output.

        Raises:
            Retriable: status 408, at once, when the run is active after all.
        """
        path = f"/v1/tasks/runs/{run_id}/result?timeout=1"
        return self._request("GET", path, Event, retrying=self._attempts(final=_STILL_ACTIVE))

    async def group_runs(
        self,
        group_id: str,
        into: Callable[[list[Event | UnreadableEvent]], Awaitable[None]],
        *,
        status: str | None = None,
        inputs: bool = False,
        outputs: bool = False,
    ) -> None:
        """Read a snapshot of a group's runs: the present ones, then the stream ends.

        Events are passed to `into` as they arrive, so that a broken stream is not lost; the next attempt resumes after
        the last event, and is not counted as a retry if events arrived. `into` may get an event twice. An event that
        cannot be read is passed as `UnreadableEvent`, and does not affect the others.
        """
        options = {"status": status, "include_input": inputs or None, "include_output": outputs or None}
        params = {name: str(value).lower() for name, value in options.items() if value is not None}
        path, seen = f"/v1/tasks/groups/{group_id}/runs", set[str]()
        answer, silence, ended = self.retry_policy.answer, self.retry_policy.silence, False
        while not ended:
            async for attempt in self._attempts():
                with attempt:
                    had = len(seen)
                    try:
                        events = self._transport.events(path, params, silence=answer, idle=silence)
                        async with self.rate_limiter.turn(), aclosing(events):
                            async for some in events:
                                read, error = _events(some)
                                ids = [
                                    item.event_id
                                    for item in read
                                    if isinstance(item, Event) and item.event_id
                                ]
                                seen.update(ids)
                                params |= {"last_event_id": ids[-1]} if ids else {}
                                await into(read)
                                if error is not None:
                                    raise error
                        ended = True
                    except Retriable:
                        if len(seen) == had:
                            raise

    async def group_events(
        self, group_id: str, last_event_id: str | None = None
    ) -> AsyncGenerator[list[Event]]:
        """Stream a group's completions as they happen, some at a time; ends when no run is active, or at any time.

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
        events = self._transport.events(path, params, silence=self.retry_policy.silence)
        async with aclosing(events):
            async for some in events:
                read, error = _events(some)
                yield [item for item in read if isinstance(item, Event)]
                if error is not None:
                    raise error

    # --- one request ---------------------------------------------------------------------------------

    def _attempts(self, *, creates: bool = False, many: bool = False, final: int | None = None) -> Attempts:
        return attempts(
            self.retry_policy,
            creates=creates,
            many=many,
            final=final,
            has_responded=lambda: self._transport.has_responded,
        )

    async def _request(  # noqa: PLR0913, PLR0917 - the parts of a request
        self,
        method: str,
        path: str,
        shape: type[T],
        content: bytes | None = None,
        sending: Callable[[], Awaitable[None]] | None = None,
        retrying: Attempts | None = None,
    ) -> T:
        """Send a request as often as its retry policy allows; return the body of a success as `shape`."""
        async for attempt in retrying or self._attempts():
            with attempt:
                body = await self._transport.body(method, path, content, sending)
                try:
                    return decoded(body, shape)
                except msgspec.DecodeError as error:
                    where = f"{method} {path.partition('?')[0]}"
                    raise Retriable(
                        f"{where}: the response is not the JSON that the API documents ({error})", status=200
                    ) from error
        raise AssertionError("unreachable: the last attempt returns or raises")


def _events(some: Iterable[bytes]) -> tuple[list[Event | UnreadableEvent], Retriable | None]:
    """Return the events of a stream up to one that reports an error, and that error."""
    read: list[Event | UnreadableEvent] = []
    for data in some:
        try:
            event = read_event(data)
        except msgspec.DecodeError as error:
            read.append(unreadable_event(data, str(error)))
            continue
        if (reported := event.error) is not None:
            text = f"the stream ended with an error: {reported.message}"
            return read, Retriable(text, ref_id=reported.ref_id)
        read.append(event)
    return read, None
