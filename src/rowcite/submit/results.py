"""The results of one batch: each run matched to its task, each answer kept until it is in the ledger.

A run is matched by the key in its metadata, else by its input, never by its position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rowcite.api.bodies import Event, Run, RunInput, api_warnings, input_of, output_of
from rowcite.api.keys import canonical
from rowcite.api.packing import parts
from rowcite.errors import ApiError, NotFound, Retriable
from rowcite.model import ENDED, ActiveBatch, EndedRun, RunState
from rowcite.submit.ledger_thread import LedgerThread

_TRANSACTION = 1_000  # answers: with fewer, each page of the indexes is written more often


def key_of(batch: ActiveBatch, run_id: str, key: bytes | None, shown_input: Any) -> bytes | None:
    """Return the key of the task that a run of this batch answers, None if neither its key nor its input is known.

    Raises:
        ApiError: the run belongs to no task of the batch. An answer must never be written to another row.
    """
    if key is None:
        if shown_input is None:
            return None
        try:
            text = canonical(shown_input)
        except (ValueError, RecursionError):
            text = b""
        key = next((key for key, sent in batch.inputs.items() if sent == text), b"")
    if key not in batch.inputs:
        raise ApiError(
            f"run {run_id} of task group {batch.group_id} answers a question that was not sent in it. Stopped, so"
            " that no answer is written to another row. Everything that was matched is saved"
        )
    return key


def key_in(batch: ActiveBatch, run: Run, event: Event) -> bytes | None:
    """Return the key of the task that a run answers, by what an event shows of it; as `key_of`."""
    return key_of(batch, run.run_id, run.key, input_of(event))


def keys_of_inputs(
    batch: ActiveBatch, run_ids: Sequence[str], shown: Sequence[RunInput | BaseException]
) -> dict[bytes, str]:
    """Return the runs (id by task key) whose requested input or metadata names their task.

    Raises:
        ApiError: as `key_of`, or a request failed.
    """
    found: dict[bytes, str] = {}
    for run_id, run_input in zip(run_ids, shown, strict=True):
        if isinstance(run_input, NotFound | Retriable):
            continue
        if isinstance(run_input, BaseException):
            raise run_input
        key = key_of(batch, run_id, run_input.key, run_input.input)
        if key is not None:
            found[key] = run_id
    return found


@dataclass(slots=True)
class RunResults:
    """Collects what the API returns of a batch's runs. `saved` is called with the runs of each transaction."""

    ledger_thread: LedgerThread
    batch: ActiveBatch
    saved: Callable[[list[EndedRun]], None]
    done: set[str] = field(default_factory=set)  # runs that are saved
    active: set[str] = field(default_factory=set)  # runs that the last listing returned as active
    missing_output: set[str] = field(default_factory=set)  # completed runs that were returned without output
    unidentified: dict[str, Event] = field(default_factory=dict)  # ended runs without key and input
    anomalies: dict[str, str] = field(
        default_factory=dict
    )  # run to the reason why it is neither ended nor active
    _keys: dict[str, bytes] = field(default_factory=dict)
    _buffer: dict[bytes, EndedRun] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Add what an event shows of a run."""
        run = event.run
        if run is None or run.run_id in self.done:
            return
        self.anomalies.pop(run.run_id, None)
        if run.state in ENDED:
            self._add_ended(run, event)
        elif run.active:
            self.active.add(run.run_id)
        else:
            self.anomalies[run.run_id] = f"has the status {run.status!r}, which rowcite does not know"

    def identify(self, run_id: str, key: bytes) -> None:
        """Match an unidentified run to its task."""
        event = self.unidentified.get(run_id)
        if event is not None and event.run is not None:
            self._add(key, event.run, output_of(event))

    def check_identified(self) -> None:
        """Return if every ended run is matched to its task.

        Raises:
            ApiError: the API does not show which task a run answers.
        """
        if self.unidentified:
            raise ApiError(
                f"run {min(self.unidentified)} of task group {self.batch.group_id} has neither its metadata nor its input,"
                " and the API does not return them on request, so it is not known which row it answers. Everything"
                " that was matched is saved"
            )

    def fail_without_output(self, run_id: str) -> None:
        """Count a completed run as failed: its output never came."""
        key, reason = self._keys[run_id], "the API calls the run completed and has no output of it"
        self.missing_output.discard(run_id)
        self._buffer[key] = EndedRun(key, run_id, RunState.FAILED, error=reason)

    async def save_some(self) -> None:
        """Save if there is enough for a transaction."""
        if len(self._buffer) >= _TRANSACTION:
            await self.save()

    async def save(self) -> None:
        """Write the collected results to the ledger."""
        if not self._buffer:
            return
        ended, self._buffer = list(self._buffer.values()), {}
        self.done.update(item.run_id for item in ended)  # first: events that come meanwhile are repetitions
        await self.ledger_thread.call(self.ledger_thread.ledger.save, self.batch.id, ended)
        self.batch.active.difference_update(item.key for item in ended)
        for item in ended:
            self.anomalies.pop(item.run_id, None)
        self.saved(ended)

    def _add_ended(self, run: Run, event: Event) -> None:
        key = self._keys.get(run.run_id) or key_in(self.batch, run, event)
        if key is None:
            self.unidentified[run.run_id] = event
        else:
            self._add(key, run, output_of(event))

    def _add(self, key: bytes, run: Run, output: bytes | None) -> None:
        self._keys[run.run_id] = key
        self.unidentified.pop(run.run_id, None)
        if key not in self.batch.active:
            self.done.add(run.run_id)
        elif run.state is RunState.COMPLETED and output is None:
            self.missing_output.add(run.run_id)
            self.anomalies[run.run_id] = "is completed, and its output is not returned"
        else:
            self.missing_output.discard(run.run_id)
            self._buffer[key] = _ended(key, run, output, self.batch.members.get(key, ()))


def _worded(kind: str, message: str) -> str:
    """Return a warning of the API, with its kind where that says more than that it is a warning."""
    return message if kind == "warning" else f"{kind}: {message}"


def _ended(key: bytes, run: Run, output: bytes | None, members: tuple[bytes, ...]) -> EndedRun:
    found = api_warnings(run) if run.warnings else ()
    warnings = tuple(_worded(warning.type, warning.message) for warning in found)
    if output is not None and run.state is RunState.COMPLETED:
        shares = tuple(parts(output, members).items()) if members else ()
        return EndedRun(key, run.run_id, RunState.COMPLETED, output, None, None, warnings, shares)
    problem = run.problem
    return EndedRun(key, run.run_id, run.state, None, problem.message or run.status, problem.ref_id, warnings)
