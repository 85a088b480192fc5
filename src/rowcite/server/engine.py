"""What makes runs go: one thread that researches, timers that let time pass, and word to those who wait."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import uuid4

import msgspec

from rowcite.research import Finding, Question
from rowcite.server.faults import FaultPlan
from rowcite.server.journal import Journal
from rowcite.server.limits import Accepted
from rowcite.server.shapes import Error
from rowcite.server.store import Ending, Group, Output, Run, Store

GATHER = 0.005  # seconds that endings are gathered before the store hears of them: one wake-up for many

_log = logging.getLogger(__name__)


class Researcher(Protocol):
    """Whoever answers questions: `rowcite.research.Corpus` does. Called from a thread of the engine."""

    def research(self, question: Question, /) -> Finding:
        """Return the answer to a question."""
        ...


class Engine:
    """Runs the store's runs. All methods but the research itself are called on the event loop's thread."""

    def __init__(
        self,
        store: Store,
        researcher: Researcher,
        faults: FaultPlan,
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        self.store = store
        self.closing = False
        self._researcher = researcher
        self._faults = faults
        self._journal = journal
        self._clock = clock
        self._questions: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._endings: deque[tuple[Run, Ending]] = deque()
        self._told = False
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop

    def open(self) -> None:
        """Start the research thread. Call it on the event loop that will serve."""
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._research, name="rowcite-research", daemon=True).start()

    def close(self) -> None:
        """Stop researching and let every open stream end."""
        self.closing = True
        self._questions.put(None)
        if self._timer:
            self._timer.cancel()
        for name in list(self._waiting):
            self._ring(name)

    def add(self, accepted: Sequence[Accepted], group: Group | None = None) -> list[Run]:
        """Create runs; they start after the caller has had its turn."""
        runs = self.store.add(accepted, group)
        self._journal.created(runs)
        self._arm()
        return runs

    async def heard(self, name: str, seconds: float) -> bool:
        """Wait until the run or group with this id changes, at most `seconds`; tell whether it did."""
        news = self._waiting.get(name)
        if news is None:
            news = self._waiting[name] = self._loop.create_future()
        done, _ = await asyncio.wait([news], timeout=seconds)
        return bool(done)

    def _arm(self) -> None:
        """See that `_tick` is called when the store has something due."""
        due = self.store.next_due
        if due is None or self.closing:
            return
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, due - self._clock()), self._tick)

    def _tick(self) -> None:
        started, ended = self.store.advance()
        fated = [(run, fate) for run in started if (fate := self._faults.fate(run.asked.request))]
        self.store.finish((run, ending) for run, fate in fated if (ending := _fated(fate)))
        spared = {run for run, _ in fated}
        for run in started:
            if run not in spared:
                self._questions.put(run)
        self._journal.ended(ended)
        for name in _touched(started, ended):
            self._ring(name)
        self._arm()

    def _ring(self, name: str) -> None:
        news = self._waiting.pop(name, None)
        if news is not None and not news.done():
            news.set_result(None)

    def _research(self) -> None:
        """Answer questions until told to stop; runs in the engine's own thread."""
        while (run := self._questions.get()) is not None and not self.closing:
            self._endings.append((run, _answer(self._researcher, run)))
            if not self._told:
                self._told = True
                try:
                    self._loop.call_soon_threadsafe(self._loop.call_later, GATHER, self._collect)
                except RuntimeError:  # the loop was closed while this question was being answered
                    return
            time.sleep(0)  # gives the event loop its chance of the interpreter between two questions

    def _collect(self) -> None:
        self._told = False  # before the queue is emptied: an ending that comes now asks for another call
        arrived = [self._endings.popleft() for _ in range(len(self._endings))]
        self.store.finish(arrived)
        self._tick()


def _answer(researcher: Researcher, run: Run) -> Ending:
    """Research one run. Whatever goes wrong ends this run and no other."""
    try:
        finding = researcher.research(_question(run.asked))
        return Ending("completed", Output(_output(finding), finding.considered, tuple(finding.read)))
    except Exception:  # noqa: BLE001  # a researcher is foreign code, and logged
        ref_id = str(uuid4())
        _log.exception("research of %s failed (ref_id %s)", run.id, ref_id)
        return Ending("failed", error=Error(ref_id, "The research failed with an internal error."))


def _question(asked: Accepted) -> Question:
    """Return what the run asks. Excluded domains do not count beside included ones, as the API documents."""
    policy = asked.request.source_policy
    include = tuple(policy.include_domains) if policy else ()
    exclude = tuple(policy.exclude_domains) if policy and not include else ()
    return Question(
        input=asked.request.input,
        output=asked.spec.output,
        processor=asked.request.processor,
        include_domains=include,
        exclude_domains=exclude,
    )


def _output(finding: Finding) -> bytes:
    """Return a finding as the API's `output`, JSON."""
    output: dict[str, Any] = {"basis": finding.basis, "type": finding.kind, "content": finding.content}
    if finding.output_schema is not None:
        output["output_schema"] = finding.output_schema
    return msgspec.json.encode(output)


def _fated(fate: str) -> Ending | None:
    """Return the ending that a fault plan decided; None for a run that never ends."""
    if fate == "stuck":
        return None
    error = Error(str(uuid4()), "The run failed: the fault plan says so.") if fate == "failed" else None
    return Ending(fate, error=error)


def _touched(started: list[Run], ended: list[Run]) -> set[str]:
    changed = (*started, *ended)
    return {run.id for run in changed} | {run.group.id for run in changed if run.group}
