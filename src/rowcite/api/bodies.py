"""The Task API's JSON bodies, both ways: pure, and lenient in what it reads.

Shapes: the public OpenAPI document of the Task API (v1). Older pages also show `succeeded`, numeric
confidences, content as JSON text and a `_basis` inside the content; all of them are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from rowcite.api.facts import ACTIVE_STATUSES
from rowcite.api.keys import fingerprint
from rowcite.inert import shortened
from rowcite.model import ApiWarning, RunState, Task

T = TypeVar("T")
KEY_METADATA = "rowcite_key"
"""The metadata entry that carries a run's task key."""
REPEAT = "repeat"
"""The part of a question that keeps a second answer apart: no table has a question with it."""
LOCAL = "local:"
"""How the name of the local backend begins; the digest of its documents follows."""

_MAX_MESSAGE, _MAX_REF_ID = 2_000, 200  # characters

# --- out -------------------------------------------------------------------------------------------------


class Question(msgspec.Struct, frozen=True):
    """Everything about a run except its input.

    The fingerprint covers `named`. `task_spec` and `run` are sent (JSON bytes; `run` holds the members of a run's object
    after `input` and the task key). Only `run` holds secrets.
    """

    named: dict[str, Any]
    task_spec: bytes
    run: bytes
    extra_metadata: bytes

    @property
    def fingerprint(self) -> bytes:
        """Return the 32 bytes that, with an input, make a task's key."""
        return fingerprint(self.named)

    @property
    def shown(self) -> Question:
        """Return the question without its secrets, for display."""
        run = {name: value for name, value in self.named.items() if name not in ("api", "task_spec")}
        return Question(self.named, self.task_spec, msgspec.json.encode(run)[1:-1], self.extra_metadata)


def runs_body(question: Question, tasks: Iterable[Task]) -> bytes:
    """Return the body that adds runs to a group. The bytes of the inputs are not changed."""
    extra = b"," + question.extra_metadata if question.extra_metadata else b""
    runs = b",".join(
        b'{"input":%b,"metadata":{"%b":"%b"%b},%b}'
        % (task.input, KEY_METADATA.encode(), task.key.hex().encode(), extra, question.run)
        for task in tasks
    )
    return b'{"default_task_spec":%b,"inputs":[%b]}' % (question.task_spec, runs)


# --- in --------------------------------------------------------------------------------------------------


class ErrorBody(msgspec.Struct, frozen=True):
    """An error object of the API."""

    message: str = ""
    ref_id: str | None = None
    detail: Any = None


class Run(msgspec.Struct, frozen=True, gc=False):
    """A run object: the members that rowcite reads."""

    run_id: str
    status: str
    processor: str = ""
    metadata: Any = None
    error: Any = None
    errors: Any = None
    warnings: Any = None
    output: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()

    @property
    def state(self) -> RunState:
        """Return the run's state; queued, running, cancelling and unknown statuses are all `submitted`."""
        return _STATES.get(self.status, RunState.SUBMITTED)

    @property
    def active(self) -> bool:
        """Return True if the run has a known active status."""
        return self.status in ACTIVE_STATUSES

    @property
    def key(self) -> bytes | None:
        """Return the task key in the run's metadata; None if the metadata is missing."""
        return _key(self.metadata)

    @property
    def problem(self) -> ErrorBody:
        """Return why the run failed."""
        found = self.error or self.errors
        if isinstance(found, list):
            found = found[0] if found else None
        if isinstance(found, dict):
            ref_id = found.get("ref_id")
            return ErrorBody(
                shortened(str(found.get("message") or found), _MAX_MESSAGE),
                shortened(str(ref_id), _MAX_REF_ID) if ref_id else None,
                found.get("detail"),
            )
        return ErrorBody(shortened(str(found), _MAX_MESSAGE) if found else f"the run is {self.status}")


def _key(metadata: Any) -> bytes | None:
    text = metadata.get(KEY_METADATA) if isinstance(metadata, dict) else None
    try:
        return bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        return None


_STATES = {
    "completed": RunState.COMPLETED,
    "succeeded": RunState.COMPLETED,
    "failed": RunState.FAILED,
    "cancelled": RunState.CANCELLED,
    "action_required": RunState.ACTION_REQUIRED,
}


class GroupStatus(msgspec.Struct, frozen=True):
    """The status of a group."""

    num_task_runs: int = 0
    is_active: bool = False
    task_run_status_counts: dict[str, int] = {}

    @property
    def active(self) -> bool:
        """Return True if a run of the group is active."""
        counts = self.task_run_status_counts
        return any(counts.get(status, 0) > 0 for status in ACTIVE_STATUSES) if counts else self.is_active

    @property
    def at_rest(self) -> bool:
        """Return True if every run of the group has ended."""
        counts = self.task_run_status_counts
        ended = sum(count for status, count in counts.items() if status in _STATES)
        return 0 < self.num_task_runs <= ended and not self.active


class Group(msgspec.Struct, frozen=True):
    """A task group."""

    taskgroup_id: str
    status: GroupStatus = GroupStatus()


class Added(msgspec.Struct, frozen=True):
    """The answer to adding runs."""

    run_ids: list[str]


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of any stream; its members depend on `type`."""

    type: str = ""
    event_id: str | None = None
    run: Run | None = None
    input: msgspec.Raw = msgspec.Raw()
    output: msgspec.Raw = msgspec.Raw()
    status: GroupStatus | None = None
    error: ErrorBody | None = None


_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def replace_lone_surrogates(raw: bytes) -> bytes:
    """Return JSON with lone surrogates replaced: JSON allows them as escapes, but no text can hold them."""
    return _ESCAPE.sub(lambda match: b"\\ufffd" if match[1] else match[0], raw) if b"\\u" in raw else raw


def decoded_leniently(raw: bytes, decode: Callable[[bytes], T]) -> T:
    """Return what a decoder of msgspec reads, with lone surrogates replaced if there are any.

    msgspec rejects lone surrogates wherever they are, so most bodies are never searched for them.

    Raises:
        msgspec.DecodeError: the bytes are not JSON, not UTF-8, nested too deeply, or do not match the shape.
    """
    try:
        try:
            return decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            repaired = replace_lone_surrogates(raw)
            if repaired == raw:
                raise
            return decode(repaired)
    except (UnicodeDecodeError, RecursionError) as error:  # msgspec does not wrap these two
        raise msgspec.DecodeError(str(error)) from error


def decoded(raw: bytes, shape: type[T]) -> T:
    """Return JSON from the API as a shape.

    Raises:
        msgspec.DecodeError: the bytes are not JSON, not UTF-8, nested too deeply, or do not match the shape.
    """
    decode: Callable[[bytes], T] = _decoders.get(shape) or _decoders.setdefault(
        shape, msgspec.json.Decoder(shape).decode
    )
    return decoded_leniently(raw, decode)


_decoders: dict[Any, Any] = {}


_NOTHING = (b"", b"null")
_EVENTS = ("task_run.state", "task_group_status", "error", "")


class _Typed(msgspec.Struct):
    type: Any = ""


def read_event(data: bytes) -> Event:
    """Return an event of any stream. An event of an unknown type has its type alone.

    Raises:
        msgspec.DecodeError: it is not JSON, or does not match the shape of its type.
    """
    try:
        return decoded(data, Event)
    except msgspec.ValidationError:
        kind = decoded(data, _Typed).type
        if kind in _EVENTS:
            raise
        return Event(str(kind))


class UnreadableEvent(msgspec.Struct, frozen=True):
    """An event that does not match the documentation: the reason, and the id of its run if it can be read."""

    why: str
    run_id: str | None = None


_RUN_ID = re.compile(rb'"run"\s*:\s*\{[^{}]{0,500}?"run_id"\s*:\s*"([\w.-]{1,200})"')


def unreadable_event(data: bytes, why: str) -> UnreadableEvent:
    """Return a broken event with the id of its run, if that can be read."""
    try:
        event: Any = decoded(data, object)
    except msgspec.DecodeError:
        found = _RUN_ID.search(data)
        return UnreadableEvent(why, found[1].decode() if found else None)
    run = event.get("run") if isinstance(event, dict) else None
    run_id = run.get("run_id") if isinstance(run, dict) else None
    return UnreadableEvent(why, run_id if isinstance(run_id, str) else None)


class RunInput(msgspec.Struct, frozen=True):
    """The input of a run, with its metadata."""

    input: Any = None
    metadata: Any = None

    @property
    def key(self) -> bytes | None:
        """Return the task key in the metadata; None if it is missing."""
        return _key(self.metadata)


def input_of(event: Event) -> Any:
    """Return the decoded input of an event; None if it has none, or it cannot be read."""
    if bytes(event.input) in _NOTHING:
        return None
    try:
        return decoded(bytes(event.input), RunInput).input
    except msgspec.DecodeError:
        return None


def output_of(event: Event) -> bytes | None:
    """Return the bytes of an event's output, or of the one inside its run as on older pages; None if it has none."""
    raw = bytes(event.output)
    if raw not in _NOTHING:
        return raw
    for part in (event.run.output, event.run.result) if event.run is not None else ():
        if (inside := bytes(part)).startswith(b"{"):
            return _whole_output(inside)
    return None


def _whole_output(raw: bytes) -> bytes:
    """Return an output with its content as a member, also if it is the content alone."""
    members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return raw if "content" in members else b'{"content":%b}' % raw


def api_warnings(run: Run) -> list[ApiWarning]:
    """Return a run's warnings."""
    found = run.warnings if isinstance(run.warnings, list) else []
    return [
        ApiWarning(
            shortened(str(item.get("type", "warning")), _MAX_REF_ID),
            shortened(str(item.get("message", item)), _MAX_MESSAGE),
        )
        if isinstance(item, dict)
        else ApiWarning("warning", shortened(str(item), _MAX_MESSAGE))
        for item in found
    ]
