"""Server-sent events: the frames of runs and groups, and streams of them in chunks.

Frames have no `id:` line: the cursor is the event's `event_id`, and the official SDK's decoder takes a keep-alive
comment after an `id:` line for an empty event.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec
from starlette.responses import StreamingResponse

from rowcite.api.facts import PROCESSORS
from rowcite.local.server.http_errors import FieldError, InvalidRequest
from rowcite.local.server.shapes import RunInput, SourceStats
from rowcite.local.server.store import Group, Output, Run

KEEP_ALIVE = b": keep-alive\n\n"
KEEP_ALIVE_EVERY = 15.0  # seconds
CHUNK = 1 << 16  # bytes; a chunk is sent once it holds this much

_encode = msgspec.json.encode


def frame(kind: str, data: bytes) -> bytes:
    """Return one event of type `kind`; `data` is JSON, so it has no line breaks."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def run_frame(
    run: Run,
    event_id: str,
    *,
    with_input: bool = False,
    with_output: bool = False,
    with_metadata: bool = True,
) -> bytes:
    """Return a run's `task_run.state` event, with its input and, when it completed, its output if requested."""
    shape = run.shape() if with_metadata else msgspec.structs.replace(run.shape(), metadata=None)
    parts = [b'{"type":"task_run.state","event_id":"%b","run":%b' % (event_id.encode(), _encode(shape))]
    if with_input:
        parts.append(b',"input":' + input_body(run, with_metadata=with_metadata))
    if with_output and run.ending and run.ending.output:
        parts.append(b',"output":' + run.ending.output.body)
    return frame("task_run.state", b"".join(parts) + b"}")


def status_frame(status: bytes, event_id: str) -> bytes:
    """Return a `task_group_status` event of a status in JSON."""
    data = b'{"type":"task_group_status","event_id":"%b","status":%b}' % (event_id.encode(), status)
    return frame("task_group_status", data)


def input_body(run: Run, *, with_metadata: bool = True) -> bytes:
    """Return a run's input as it was given, with the spec that applies and without the MCP headers (write-only)."""
    request = run.accepted.request
    if not with_metadata:
        request = msgspec.structs.replace(request, metadata=None)
    return _encode(without_headers(request))


def without_headers(request: RunInput) -> RunInput:
    """Return a run's input without the headers of its MCP servers: they are secrets."""
    if not any(server.headers for server in request.mcp_servers or ()):
        return request
    servers = [msgspec.structs.replace(server, headers=None) for server in request.mcp_servers or ()]
    return msgspec.structs.replace(request, mcp_servers=servers)


def cursor(group_length: int, last_event_id: str | None) -> int:
    """Return how many entries of a log a client has seen; raise `InvalidRequest` for an unknown id."""
    if not last_event_id:
        return 0
    if last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) <= group_length:
        return int(last_event_id)
    raise InvalidRequest(
        [FieldError(("query", "last_event_id"), f"{last_event_id!r} is not an event of this stream.")]
    )


def log_frames(group: Group, seen: int, upto: int, *, with_metadata: bool = True) -> Iterator[bytes]:
    """Yield the frames of a group's log after the first `seen` entries, up to the entry `upto`."""
    for number in range(seen, upto):
        entry, event_id = group.log[number], str(number + 1)
        if isinstance(entry, bytes):
            yield status_frame(entry, event_id)
        else:
            yield run_frame(entry, event_id, with_metadata=with_metadata)


async def chunked(frames: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield frames in chunks of about 64 KiB, and let other tasks run in between."""
    chunk: list[bytes] = []
    size = 0
    for one in frames:
        chunk.append(one)
        size += len(one)
        if size >= CHUNK:
            yield b"".join(chunk)
            chunk, size = [], 0
            await asyncio.sleep(0)
    if chunk:
        yield b"".join(chunk)


def event_stream(chunks: AsyncIterator[bytes]) -> StreamingResponse:
    """Return the response that streams `chunks`."""
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(chunks, headers=headers, media_type="text/event-stream")


SAMPLE = 10  # URLs in `sources_read_sample`
_STEPS = {"": 0, "queued": 1, "running": 2}


def records_events(run: Run) -> bool:
    """Return True if a run records progress messages: as requested, or else by default for its processor."""
    request = run.accepted.request
    return PROCESSORS[request.processor].premium if request.enable_events is None else request.enable_events


def progress_frames(run: Run, *, after: str, now: float | None, metadata: bool) -> bytes:
    """Return the events of a run's present status, for a client that has seen the status `after` ("": none).

    The first event of a stream is the run's state, the last one its final state. `now` is None for a run that does not
    record its events.
    """
    state = run_frame(run, "", with_output=True, with_metadata=metadata)
    shown = [] if after else [state]
    shown += _messages(run, after) if now is not None else ()
    shown.append(stats(run, now))
    shown += () if run.active else (state,)
    return b"".join(shown)


def stats(run: Run, now: float | None = None) -> bytes:
    """Return the event that shows a run's progress: at `now`, as a share of the time that it will take."""
    output = run.ending.output if run.ending else None
    seen = SourceStats(0, 0, [])
    if output:
        seen = SourceStats(output.considered, len(output.read), list(output.read[:SAMPLE]))
    event = "task_run.progress_stats"
    return frame(event, _encode({"type": event, "source_stats": seen, "progress_meter": _meter(run, now)}))


def _meter(run: Run, now: float | None) -> float:
    if run.status != "running":
        return 0 if run.active else 100
    if now is None or run.ends <= run.starts:
        return 50
    return round(min(max(0.0, (now - run.starts) / (run.ends - run.starts)), 0.99) * 100)


def _messages(run: Run, after: str) -> Iterator[bytes]:
    """Yield the messages of a run since it had the status `after`."""
    step = _STEPS[after]
    if step < 1:
        yield _message("plan", "Waiting for a turn.", run.created_at)
    if step < 2 and run.started_at:
        yield _message("search", "Looking for documents about the input.", run.started_at)
    if not run.active:
        for call in run.calls or ():
            outcome = "failed" if call.error is not None else "answered"
            yield _message(
                "tool_call", f"The tool {call.tool_name} of {call.server_name} {outcome}.", run.modified_at
            )
        yield _message(*_end_message(run.status, run.ending.output if run.ending else None), run.modified_at)


def _end_message(status: str, output: Output | None) -> tuple[str, str]:
    if output:
        return "result", f"Considered {output.considered} documents, read {len(output.read)}."
    return "exec_status", f"The run ended: {status}."


def _message(kind: str, message: str, timestamp: str) -> bytes:
    event = f"task_run.progress_msg.{kind}"
    return frame(event, _encode({"type": event, "message": message, "timestamp": timestamp}))
