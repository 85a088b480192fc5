"""The endpoints of task groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rowcite.api.facts import BETA_EVENTS, GROUP_EVENTS_SECONDS
from rowcite.local.server import params, quirks
from rowcite.local.server.engine import Engine
from rowcite.local.server.http_errors import (
    HttpError,
    InvalidRequest,
    decoded,
    group_not_found,
    run_not_found,
    too_many_requests,
)
from rowcite.local.server.params import require_beta
from rowcite.local.server.runs import json_response, request_context
from rowcite.local.server.shapes import (
    AddRunsRequest,
    AddRunsResponse,
    GroupRequest,
    GroupResponse,
    GroupStatus,
)
from rowcite.local.server.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_EVERY,
    chunked,
    cursor,
    event_stream,
    log_frames,
    run_frame,
    status_frame,
)
from rowcite.local.server.store import Group, Run
from rowcite.local.server.validation import AcceptedRun, accept_runs, metadata_errors, valid_prefix

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
    if errors := metadata_errors(body.metadata):
        raise InvalidRequest([error.under("body") for error in errors])
    return json_response(_encode(_engine(request).create_group(body.metadata).shape()))


async def retrieve(request: Request) -> Response:
    """Answer with the group and its status."""
    group = _group(request)
    status = _status(_engine(request), group)
    return json_response(_encode(GroupResponse(group.id, group.metadata, status, group.created_at)))


async def add_runs(request: Request) -> Response:
    """Create up to 1,000 runs, all or none, and answer without waiting for any."""
    group, engine = _group(request), _engine(request)
    fresh = params.flag(request, "refresh_status", default=True)
    accepted = _accepted(request, decoded(await request.body(), AddRunsRequest), group)
    run_cursor, event_cursor = _position(len(group.runs)), _position(len(group.log))
    ids = [run.id for run in engine.add(accepted, group)]
    if quirks.IDS_REORDERED in engine.quirks:
        ids.reverse()
    answer = AddRunsResponse(_status(engine, group, fresh=fresh), ids, run_cursor, event_cursor)
    return json_response(_encode(answer))


def _accepted(request: Request, body: AddRunsRequest, group: Group) -> list[AcceptedRun]:
    """Return the runs to create. A quirk creates some of a refused batch first."""
    engine, context = _engine(request), request_context(request)
    partial = quirks.PARTIAL_BATCHES in engine.quirks
    try:
        accepted = accept_runs(body, context)
    except (InvalidRequest, HttpError):
        if partial and len(body.inputs) > 1 and (valid := valid_prefix(body, context)):
            engine.add(valid, group)
        raise
    if quirks.RUNS_COUNTED in engine.quirks and (wait := engine.count_requests(len(accepted) - 1)) > 0:
        raise too_many_requests(wait)
    return accepted[: (len(accepted) + 1) // 2] if request.scope.get("half") else accepted


async def runs(request: Request) -> Response:
    """Stream the group's runs as they are now, in the order of their creation, then end."""
    group, active_quirks = _group(request), _engine(request).quirks
    seen = cursor(len(group.runs), request.query_params.get("last_event_id"))
    with_input = params.flag(request, "include_input", default=False)
    with_output = params.flag(request, "include_output", default=False)
    wanted = params.status(request)
    hides_active = quirks.ACTIVE_NEVER_LISTED in active_quirks or (
        quirks.ACTIVE_UNLISTED in active_quirks and not wanted
    )
    with_metadata = quirks.NO_STREAM_METADATA not in active_quirks

    def frames() -> Iterator[bytes]:
        for number in range(seen, upto):
            run = group.runs[number]
            if wanted in (None, run.status) and not (hides_active and run.active):
                yield run_frame(
                    run,
                    str(number + 1),
                    with_input=with_input,
                    with_output=with_output,
                    with_metadata=with_metadata,
                )

    upto = len(group.runs)
    return event_stream(chunked(frames()))


async def retrieve_run(request: Request) -> Response:
    """Answer with a run of the group as it is now."""
    run: Run | None = _engine(request).store.runs.get(request.path_params["run_id"])
    if run is None or run.group is not _group(request):
        raise run_not_found()
    return json_response(_encode(run.shape()))


async def events(request: Request) -> Response:
    """Stream statuses and ended runs while a run of the group is active, at most `timeout` seconds or an hour."""
    group, engine = _group(request), _engine(request)
    require_beta(request, BETA_EVENTS)
    seen = cursor(len(group.log), request.query_params.get("last_event_id"))
    if quirks.NO_REPLAY in engine.quirks:
        seen = len(group.log)
    wait = params.seconds(request, "timeout", default=GROUP_EVENTS_SECONDS, most=GROUP_EVENTS_SECONDS)
    return event_stream(_events(engine, group, seen, wait))


async def _events(engine: Engine, group: Group, seen: int, wait: float) -> AsyncIterator[bytes]:
    """Yield the group's status, then its log from `seen` on as it grows."""
    now = asyncio.get_running_loop().time
    until = now() + wait
    with_metadata = quirks.NO_STREAM_METADATA not in engine.quirks
    yield status_frame(_encode(_status(engine, group)), str(seen))
    while True:
        upto = len(group.log)
        async for chunk in chunked(log_frames(group, seen, upto, with_metadata=with_metadata)):
            yield chunk
        seen = upto
        left = until - now()
        if len(group.log) > seen:
            continue
        if not group.active or engine.closing or left <= 0:
            return
        if not await engine.wait_for_change(group.id, min(left, KEEP_ALIVE_EVERY)):
            yield KEEP_ALIVE


def _status(engine: Engine, group: Group, *, fresh: bool = False) -> GroupStatus:
    """Return the group's status: current, or by a quirk some seconds old."""
    now = engine.clock()
    stale = quirks.STALE_STATUSES in engine.quirks and not fresh
    if not stale or group.shown is None or now - group.shown[0] >= quirks.STALE_FOR:
        group.shown = now, group.status()
    return group.shown[1]


def _position(entries: int) -> str:
    """Return the cursor after a number of entries: empty for none, as the API documents."""
    return str(entries) if entries else ""


def _group(request: Request) -> Group:
    group = _engine(request).store.groups.get(request.path_params["taskgroup_id"])
    if group is None:
        raise group_not_found()
    return group


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
