"""The endpoints of single task runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rowcite.server import params
from rowcite.server.engine import Engine
from rowcite.server.limits import accept_run
from rowcite.server.processors import WITH_EVENTS
from rowcite.server.refusals import Refusal, decoded, no_such_run
from rowcite.server.shapes import RunInput, SourceStats
from rowcite.server.sse import KEEP_ALIVE, KEEP_ALIVE_EVERY, event_stream, frame, input_body, run_frame
from rowcite.server.store import Output, Run

RESULT_WAIT = 600.0  # seconds
EVENTS_OPEN = 570.0  # seconds, as the API documents
SAMPLE = 10  # URLs in `sources_read_sample`

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


async def create(request: Request) -> Response:
    """Create a run: 202 with the run, queued."""
    accepted = accept_run(decoded(await request.body(), RunInput))
    (run,) = _engine(request).add([accepted])
    return json_response(_encode(run.shape()), 202)


async def retrieve(request: Request) -> Response:
    """Answer with the run as it stands."""
    return json_response(_encode(_run(request).shape()))


async def retrieve_input(request: Request) -> Response:
    """Answer with the run's input."""
    return json_response(input_body(_run(request)))


async def result(request: Request) -> Response:
    """Answer with the output once the run has ended; 408 while it is active, 404 when it ended without one."""
    run, engine = _run(request), _engine(request)
    wait = params.seconds(request, "timeout", default=RESULT_WAIT, most=RESULT_WAIT)
    until = _now() + wait
    while run.active and not engine.closing and (left := until - _now()) > 0:
        await engine.heard(run.id, left)
    if run.active:
        raise Refusal(408, "Request timed out; run still active")
    if run.ending is None or run.ending.output is None:
        raise Refusal(404, _why_no_result(run))
    body = b'{"run":%b,"output":%b}' % (_encode(run.shape()), run.ending.output.body)
    return json_response(body)


async def events(request: Request) -> Response:
    """Stream a run's progress until it ends, at most 570 seconds."""
    return event_stream(_progress(_engine(request), _run(request)))


def json_response(body: bytes, status: int = 200) -> Response:
    """Return a JSON response of bytes."""
    return Response(body, status, media_type="application/json")


async def _progress(engine: Engine, run: Run) -> AsyncIterator[bytes]:
    """Yield where the run stands now, every change, and the last state."""
    until, told = _now() + EVENTS_OPEN, ""
    while True:
        if run.status != told:
            told = run.status
            yield b"".join(_frames(run))
        left = until - _now()
        if not run.active or engine.closing or left <= 0:
            return
        if not await engine.heard(run.id, min(left, KEEP_ALIVE_EVERY)):
            yield KEEP_ALIVE


def _frames(run: Run) -> list[bytes]:
    """Return the events of the status that the run has."""
    output = run.ending.output if run.ending else None
    frames = []
    if _tells_messages(run):
        frames.append(_message(*_words(run, output), run.modified_at))
    frames.append(_stats(run, output))
    if not run.active:
        frames.append(run_frame(run, ""))
    return frames


def _tells_messages(run: Run) -> bool:
    asked = run.asked.request
    return asked.processor in WITH_EVENTS if asked.enable_events is None else asked.enable_events


def _words(run: Run, output: Output | None) -> tuple[str, str]:
    """Return the kind and text of the progress message for the run's status."""
    if output:
        return "result", f"Considered {output.considered} documents, read {len(output.read)}."
    if run.status == "queued":
        return "plan", "Waiting for a turn."
    if run.status == "running":
        return "search", "Looking for documents about the input."
    return "exec_status", f"The run ended: {run.status}."


def _message(kind: str, message: str, timestamp: str) -> bytes:
    event = f"task_run.progress_msg.{kind}"
    return frame(event, _encode({"type": event, "message": message, "timestamp": timestamp}))


def _stats(run: Run, output: Output | None) -> bytes:
    stats = SourceStats(0, 0, [])
    if output:
        stats = SourceStats(output.considered, len(output.read), list(output.read[:SAMPLE]))
    meter = {"queued": 0, "running": 50}.get(run.status, 100)
    event = "task_run.progress_stats"
    return frame(event, _encode({"type": event, "source_stats": stats, "progress_meter": meter}))


def _why_no_result(run: Run) -> str:
    """Return why a run that ended has no result."""
    if run.ending and run.ending.error:
        return f"Run failed: {run.ending.error.message} (ref_id {run.ending.error.ref_id})"
    return f"Run {run.status}: it has no result"


def _run(request: Request) -> Run:
    run: Run | None = _engine(request).store.runs.get(request.path_params["run_id"])
    if run is None:
        raise no_such_run()
    return run


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _now() -> float:
    return asyncio.get_running_loop().time()
