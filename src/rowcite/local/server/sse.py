"""Server-sent events: the frames, and streams of them in chunks.

Frames have no `id:` line: the cursor is the event's own `event_id`, and the official SDK's decoder would take a
keep-alive comment after an `id:` line for an empty event.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec
from starlette.responses import StreamingResponse

from rowcite.local.server.refusals import Flaw, Invalid
from rowcite.local.server.shapes import RunInput
from rowcite.local.server.store import Group, Run

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
    """Return a run's `task_run.state` event, with its input and, when it completed, its output if asked for."""
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
    """Return a run's input as it was given, with the spec that counts and without the MCP headers (write-only)."""
    request = run.asked.request
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
    """Return how many entries of a log a client has seen; raise `Invalid` for an id that was never given."""
    if not last_event_id:
        return 0
    if last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) <= group_length:
        return int(last_event_id)
    raise Invalid([Flaw(("query", "last_event_id"), f"{last_event_id!r} is no event of this stream.")])


def log_frames(group: Group, seen: int, upto: int, *, with_metadata: bool = True) -> Iterator[bytes]:
    """Yield the frames of a group's log after the first `seen` entries, up to the entry `upto`."""
    for number in range(seen, upto):
        entry, event_id = group.log[number], str(number + 1)
        if isinstance(entry, bytes):
            yield status_frame(entry, event_id)
        else:
            yield run_frame(entry, event_id, with_metadata=with_metadata)


async def chunked(frames: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield frames in chunks of about 64 KiB, with a turn for everybody else between two."""
    held: list[bytes] = []
    size = 0
    for one in frames:
        held.append(one)
        size += len(one)
        if size >= CHUNK:
            yield b"".join(held)
            held, size = [], 0
            await asyncio.sleep(0)
    if held:
        yield b"".join(held)


def event_stream(chunks: AsyncIterator[bytes]) -> StreamingResponse:
    """Return the response that streams `chunks`."""
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(chunks, headers=headers, media_type="text/event-stream")
