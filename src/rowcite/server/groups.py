"""The endpoints of task groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rowcite.server import params
from rowcite.server.engine import Engine
from rowcite.server.limits import accept_runs, metadata_flaws
from rowcite.server.refusals import Invalid, decoded, no_such_group, no_such_run
from rowcite.server.runs import json_response
from rowcite.server.shapes import AddRunsRequest, AddRunsResponse, GroupRequest
from rowcite.server.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_EVERY,
    chunked,
    cursor,
    event_stream,
    log_frames,
    run_frame,
    status_frame,
)
from rowcite.server.store import Group, Run

EVENTS_OPEN = 3600.0  # seconds

_encode = msgspec.json.encode


def group_routes() -> list[Route]:
    """Return the routes of task groups, relative to `/v1` or `/v1beta`."""
    return [
        Route("/tasks/groups", create, methods=["POST"]),
        Route("/tasks/groups/{taskgroup_id}", retrieve),
        Route("/tasks/groups/{taskgroup_id}/runs", add_runs, methods=["POST"]),
        Route("/tasks/groups/{taskgroup_id}/runs", runs),
        Route("/tasks/groups/{taskgroup_id}/runs/{run_id}", retrieve_run),
        Route("/tasks/groups/{taskgroup_id}/events", events),
    ]


async def create(request: Request) -> Response:
    """Create an empty group."""
    body = decoded(await request.body() or b"{}", GroupRequest)
    if flaws := metadata_flaws(body.metadata):
        raise Invalid([flaw.under("body") for flaw in flaws])
    return json_response(_encode(_engine(request).store.create_group(body.metadata).shape()))


async def retrieve(request: Request) -> Response:
    """Answer with the group and its status."""
    return json_response(_encode(_group(request).shape()))


async def add_runs(request: Request) -> Response:
    """Create up to 1,000 runs, all or none, and answer without waiting for any."""
    group = _group(request)
    params.flag(request, "refresh_status", default=True)  # the status costs nothing here: it is always fresh
    accepted = accept_runs(decoded(await request.body(), AddRunsRequest))
    run_cursor, event_cursor = _position(len(group.runs)), _position(len(group.log))
    added = _engine(request).add(accepted, group)
    answer = AddRunsResponse(group.status(), [run.id for run in added], run_cursor, event_cursor)
    return json_response(_encode(answer))


async def runs(request: Request) -> Response:
    """Stream the group's runs as they stand now, in the order of their creation, and end."""
    group = _group(request)
    seen = cursor(len(group.runs), request.query_params.get("last_event_id"))
    with_input = params.flag(request, "include_input", default=False)
    with_output = params.flag(request, "include_output", default=False)
    wanted = params.status(request)

    def frames() -> Iterator[bytes]:
        for number in range(seen, upto):
            run = group.runs[number]
            if wanted in (None, run.status):
                yield run_frame(run, str(number + 1), with_input=with_input, with_output=with_output)

    upto = len(group.runs)
    return event_stream(chunked(frames()))


async def retrieve_run(request: Request) -> Response:
    """Answer with a run of the group as it stands."""
    run: Run | None = _engine(request).store.runs.get(request.path_params["run_id"])
    if run is None or run.group is not _group(request):
        raise no_such_run()
    return json_response(_encode(run.shape()))


async def events(request: Request) -> Response:
    """Stream statuses and endings while a run of the group is active, at most `timeout` seconds or an hour."""
    group = _group(request)
    seen = cursor(len(group.log), request.query_params.get("last_event_id"))
    wait = params.seconds(request, "timeout", default=EVENTS_OPEN, most=EVENTS_OPEN)
    return event_stream(_events(_engine(request), group, seen, wait))


async def _events(engine: Engine, group: Group, seen: int, wait: float) -> AsyncIterator[bytes]:
    """Yield where the group stands, then its log from `seen` on as it grows."""
    now = asyncio.get_running_loop().time
    until = now() + wait
    yield status_frame(_encode(group.status()), str(seen))
    while True:
        upto = len(group.log)
        async for chunk in chunked(log_frames(group, seen, upto)):
            yield chunk
        seen = upto
        left = until - now()
        if len(group.log) > seen:
            continue
        if not group.active or engine.closing or left <= 0:
            return
        if not await engine.heard(group.id, min(left, KEEP_ALIVE_EVERY)):
            yield KEEP_ALIVE


def _position(entries: int) -> str:
    """Return the cursor after so many entries: empty for none, as the API documents."""
    return str(entries) if entries else ""


def _group(request: Request) -> Group:
    group = _engine(request).store.groups.get(request.path_params["taskgroup_id"])
    if group is None:
        raise no_such_group()
    return group


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
