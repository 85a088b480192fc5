"""The events of a single run: what it is doing, how far it is, and its state."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rowcite.api.facts import PROCESSORS
from rowcite.local.server.shapes import SourceStats
from rowcite.local.server.sse import frame, run_frame
from rowcite.local.server.store import Output, Run

SAMPLE = 10  # URLs in `sources_read_sample`
_STEPS = {"": 0, "queued": 1, "running": 2}

_encode = msgspec.json.encode


def records_events(run: Run) -> bool:
    """Tell whether a run records progress messages: as it was asked to, else as its processor does."""
    asked = run.asked.request
    return PROCESSORS[asked.processor].premium if asked.enable_events is None else asked.enable_events


def frames(run: Run, *, after: str, now: float | None, metadata: bool) -> bytes:
    """Return the events of the status that a run has, for a client that has heard of the status `after`.

    `now` is for a run that records its events, None for another.
    """
    told = list(_messages(run, after)) if now is not None else []
    told.append(stats(run, now))
    if not run.active:
        told.append(run_frame(run, "", with_metadata=metadata))
    return b"".join(told)


def stats(run: Run, now: float | None = None) -> bytes:
    """Return the event that says how far a run is: at `now`, by the time that it will take."""
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
    """Yield what a run has done since it had the status `after`."""
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
        yield _message(*_drain_posts(run.status, run.ending.output if run.ending else None), run.modified_at)


def _drain_posts(status: str, output: Output | None) -> tuple[str, str]:
    if output:
        return "result", f"Considered {output.considered} documents, read {len(output.read)}."
    return "exec_status", f"The run ended: {status}."


def _message(kind: str, message: str, timestamp: str) -> bytes:
    event = f"task_run.progress_msg.{kind}"
    return frame(event, _encode({"type": event, "message": message, "timestamp": timestamp}))
