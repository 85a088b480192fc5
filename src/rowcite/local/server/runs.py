"""The endpoints of single task runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rowcite.api.facts import BETA_EVENTS, BETA_FIELD_BASIS, RESULT_SECONDS, RUN_EVENTS_SECONDS
from rowcite.local.server import mcp_tools, params
from rowcite.local.server.engine import Engine
from rowcite.local.server.http_errors import HttpError, decoded, run_not_found
from rowcite.local.server.list_elements import with_element_basis
from rowcite.local.server.params import betas, require_beta
from rowcite.local.server.quirks import BETAS_DEMANDED, NO_STREAM_METADATA
from rowcite.local.server.shapes import RunInput
from rowcite.local.server.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_EVERY,
    event_stream,
    input_body,
    progress_frames,
    records_events,
    stats,
)
from rowcite.local.server.store import Run
from rowcite.local.server.validation import RequestContext, accept_run

_encode = msgspec.json.encode


def run_routes() -> list[Route]:
    """Return the routes of task runs, relative to `/v1`."""
    return [
        Route("/tasks/runs", create, methods=["POST"]),
        Route("/tasks/runs/{run_id}", retrieve),
        Route("/tasks/runs/{run_id}/input", retrieve_input),
        Route("/tasks/runs/{run_id}/result", result),
        run_events_route(),
    ]


def run_events_route() -> Route:
    """Return the one route of runs that is under `/v1beta` too."""
    return Route("/tasks/runs/{run_id}/events", events)


def request_context(request: Request) -> RequestContext:
    """Return the conditions under which a request's runs are accepted."""
    engine = _engine(request)
    return RequestContext(
        betas=betas(request),
        interaction_exists=engine.store.runs.__contains__,
        betas_required=BETAS_DEMANDED in engine.quirks,
        tools_available=mcp_tools.available(),
        signs_webhooks=engine.services.webhooks.signs,
        private_addresses=engine.services.private_addresses,
    )


async def create(request: Request) -> Response:
    """Create a run: 202 with the run, queued."""
    accepted = accept_run(decoded(await request.body(), RunInput), request_context(request))
    (run,) = _engine(request).add([accepted])
    return json_response(_encode(run.shape()), 202)


async def retrieve(request: Request) -> Response:
    """Answer with the run as it is now."""
    return json_response(_encode(_run(request).shape()))


async def retrieve_input(request: Request) -> Response:
    """Answer with the run's input."""
    return json_response(input_body(_run(request)))


async def result(request: Request) -> Response:
    """Answer with the output once the run has ended; 408 while it is active, 404 if it ended without one."""
    run, engine = _run(request), _engine(request)
    wait = params.seconds(request, "timeout", default=RESULT_SECONDS, most=RESULT_SECONDS)
    until = _now() + wait
    while run.active and not engine.closing and (left := until - _now()) > 0:
        await engine.wait_for_change(run.id, left)
    if run.active:
        raise HttpError(408, "Request timed out; run still active")
    if run.ending is None or run.ending.output is None:
        raise HttpError(404, _why_no_result(run))
    body = run.ending.output.body
    if BETA_FIELD_BASIS in betas(request) - run.accepted.betas:
        body = with_element_basis(body)
    return json_response(b'{"run":%b,"output":%b}' % (_encode(run.shape()), body))


async def events(request: Request) -> Response:
    """Stream a run's progress until it ends, at most 570 seconds."""
    run = _run(request)
    require_beta(request, BETA_EVENTS)
    return event_stream(_progress(_engine(request), run))


def json_response(body: bytes, status: int = 200) -> Response:
    """Return a JSON response of bytes."""
    return Response(body, status, media_type="application/json")


async def _progress(engine: Engine, run: Run) -> AsyncIterator[bytes]:
    """Yield the run's present state, its progress with every change of status, and the final state with the output.

    A run that records its events also shows its messages, and its progress in between.
    """
    until, shown, records = _now() + RUN_EVENTS_SECONDS, "", records_events(run)
    metadata = NO_STREAM_METADATA not in engine.quirks
    while True:
        if run.status != shown:
            yield progress_frames(
                run, after=shown, now=engine.clock() if records else None, metadata=metadata
            )
            shown = run.status
        left = until - _now()
        if not run.active or engine.closing or left <= 0:
            return
        silence = engine.services.progress_every if records else KEEP_ALIVE_EVERY
        if not await engine.wait_for_change(run.id, min(left, silence)):
            yield stats(run, engine.clock()) if records else KEEP_ALIVE


def _why_no_result(run: Run) -> str:
    """Return why a run that ended has no result."""
    if run.ending and run.ending.error:
        return f"Run failed: {run.ending.error.message} (ref_id {run.ending.error.ref_id})"
    return f"Run {run.status}: it has no result"


def _run(request: Request) -> Run:
    run: Run | None = _engine(request).store.runs.get(request.path_params["run_id"])
    if run is None:
        raise run_not_found()
    return run


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _now() -> float:
    return asyncio.get_running_loop().time()
