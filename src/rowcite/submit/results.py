"""What came of one batch: each run bound to its task, each answer kept until it is in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from rowcite.api.bodies import Event, Run, api_warnings, output_of
from rowcite.api.client import Client
from rowcite.api.packing import parts
from rowcite.errors import ApiError
from rowcite.ledger import Ledger
from rowcite.model import ENDED, ActiveBatch, EndedRun, RunState
from rowcite.submit.ledger_thread import LedgerThread
from rowcite.submit.match import key_by_input, key_of

_CHUNK = 250  # answers a transaction


@dataclass(slots=True)
class RunResults:
    """Takes in what the API shows of a batch's runs. `saved` is called with the runs of each transaction."""

    ledger_thread: LedgerThread
    ledger: Ledger
    batch: ActiveBatch
    saved: Callable[[list[EndedRun]], None]
    done: set[str] = field(default_factory=set)  # runs that are saved
    bare: set[str] = field(default_factory=set)  # completed runs whose output did not come along
    untold: dict[str, Event] = field(
        default_factory=dict
    )  # ended runs that do not tell which task they answer
    active: set[str] = field(default_factory=set)  # runs that go on, so the API said when last asked
    odd: dict[str, str] = field(default_factory=dict)  # what is wrong with runs that neither end nor go on
    _keys: dict[str, bytes] = field(default_factory=dict)
    _buffer: dict[bytes, EndedRun] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take in what an event shows of a run."""
        run = event.run
        if run is None or run.run_id in self.done:
            return
        self.odd.pop(run.run_id, None)
        if run.state not in ENDED:
            if run.active:
                self.active.add(run.run_id)
            else:
                self.odd[run.run_id] = f"has the status {run.status!r}, which rowcite does not know"
            return
        key = self._keys.get(run.run_id) or key_of(self.batch, run, event)
        if key is None:
            self.untold[run.run_id] = event
        else:
            self._take(key, run, output_of(event))

    async def bind(self, client: Client) -> None:
        """Ask for the inputs of the runs that do not tell which task they answer.

        Raises:
            ApiError: the API does not show the input of one either.
        """
        left = sorted(self.untold)
        keys = await asyncio.gather(*(key_by_input(client, self.batch, run_id) for run_id in left))
        for run_id, key in zip(left, keys, strict=True):
            event = self.untold.get(run_id)
            if key is not None and event is not None and event.run is not None:
                self._take(key, event.run, output_of(event))
        await self.save()
        if self.untold:
            raise ApiError(
                f"run {min(self.untold)} of task group {self.batch.group_id} came with neither its metadata nor its input,"
                " and the API does not show them when asked, so it is not known which row it answers. Everything that"
                " was matched is saved"
            )

    def without_output(self, run_id: str) -> None:
        """Take a completed run for one that failed: its output never came."""
        key, why = self._keys[run_id], "the API calls the run completed and has no output of it"
        self.bare.discard(run_id)
        self._buffer[key] = EndedRun(key, run_id, RunState.FAILED, error=why)

    async def save_some(self) -> None:
        """Save when there is enough for a transaction."""
        if len(self._buffer) >= _CHUNK:
            await self.save()

    async def save(self) -> None:
        """Write what has been taken in to the ledger."""
        if not self._buffer:
            return
        ended, self._buffer = list(self._buffer.values()), {}
        self.done.update(item.run_id for item in ended)  # first: what is heard meanwhile is old news
        await self.ledger_thread.call(self.ledger.save, self.batch.id, ended)
        self.batch.active.difference_update(item.key for item in ended)
        for item in ended:
            self.odd.pop(item.run_id, None)
        self.saved(ended)

    def _take(self, key: bytes, run: Run, output: bytes | None) -> None:
        self._keys[run.run_id] = key
        self.untold.pop(run.run_id, None)
        if key not in self.batch.active:
            self.done.add(run.run_id)
        elif run.state is RunState.COMPLETED and output is None:
            self.bare.add(run.run_id)
            self.odd[run.run_id] = "is completed, and its output does not come"
        else:
            self.bare.discard(run.run_id)
            self._buffer[key] = _ended(key, run, output, self.batch.members.get(key, ()))


def _ended(key: bytes, run: Run, output: bytes | None, members: tuple[bytes, ...]) -> EndedRun:
    told = tuple(f"{warning.type}: {warning.message}" for warning in api_warnings(run))
    if run.state is RunState.COMPLETED and output is not None:
        shares = tuple(parts(output, members).items()) if members else ()
        return EndedRun(key, run.run_id, run.state, output, warnings=told, parts=shares)
    problem = run.problem
    return EndedRun(key, run.run_id, run.state, None, problem.message or run.status, problem.ref_id, told)
