"""What makes runs go: threads that research and call tools, timers that let time pass, word to those who wait."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from rowcite.local.server import quirks
from rowcite.local.server.access import RateLimit
from rowcite.local.server.answering import Researcher, answer
from rowcite.local.server.credit import Account
from rowcite.local.server.database import Disk
from rowcite.local.server.faults import FaultPlan
from rowcite.local.server.journal import Journal, SubmissionCounts
from rowcite.local.server.mcp_tools import call_tools
from rowcite.local.server.shapes import Error, Metadata
from rowcite.local.server.store import Ending, Group, Run, Store
from rowcite.local.server.validation import Accepted
from rowcite.local.server.webhooks import Webhooks

GATHER = 0.005  # seconds that endings are gathered before the store hears of them: one wake-up for many
CALLERS = 4  # runs whose tools are called at once: a slow MCP server holds up no research


@dataclass(frozen=True, slots=True)
class Services:
    """What the engine works with. `disk` and `limit` are None where there are none; `researchers` research at once.

    `at_once`: ends a run without any research, on the event loop; None from it leaves the run to the researcher.
    """

    researcher: Researcher
    faults: FaultPlan
    journal: Journal
    account: Account
    webhooks: Webhooks
    clock: Callable[[], float]
    quirks: frozenset[str] = frozenset()
    disk: Disk | None = None
    limit: RateLimit | None = None
    researchers: int = 1
    at_once: Callable[[Run], Ending | None] | None = None


class Engine:
    """Runs the store's runs. All methods but the research itself are called on the event loop's thread."""

    def __init__(self, store: Store, services: Services) -> None:
        self.store = store
        self.services = services
        self.quirks = services.quirks
        self.clock = services.clock
        self.tally = SubmissionCounts()
        self.closing = False
        self._questions: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._to_call: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._callers: list[threading.Thread] = []
        self._endings: deque[tuple[Run, Ending]] = deque()
        self._told = False
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop

    def open(self) -> None:
        """Start the research threads, and go on with what an earlier process left. Call it on the loop that serves."""
        self._loop = asyncio.get_running_loop()
        self.services.webhooks.open(self._delivered)
        for number in range(self.services.researchers):
            threading.Thread(target=self._research, name=f"rowcite-research-{number}", daemon=True).start()
        if self.services.disk:
            self._begin(self.services.disk.restore(self.store))
            self._recall()
        self._arm()

    def close(self) -> None:
        """Stop researching and let every open stream end."""
        self.closing = True
        for _ in range(self.services.researchers):
            self._questions.put(None)
        for _ in self._callers:
            self._to_call.put(None)
        self.services.webhooks.close()
        if self._timer:
            self._timer.cancel()
        for name in list(self._waiting):
            self._ring(name)

    def create_group(self, metadata: Metadata | None) -> Group:
        """Create an empty group."""
        group = self.store.create_group(metadata)
        self._save()
        return group

    def add(self, accepted: Sequence[Accepted], group: Group | None = None) -> list[Run]:
        """Create runs, all or none (by a quirk, those that credit covers); they start after the caller has had its turn.

        Raises `Refusal` (402) when credit does not cover them.
        """
        account = self.services.account
        covered = account.covered(accepted)
        if covered == len(accepted):
            return self._create(accepted, group)
        if covered and quirks.PARTIAL_BATCHES in self.quirks:
            self._create(accepted[:covered], group)
        raise account.refusal()

    def crowd(self, requests: int) -> float:
        """Count more requests against the rate limit: return 0, or after how many seconds to come again."""
        return self.services.limit.wait(requests) if self.services.limit else 0.0

    async def heard(self, name: str, seconds: float) -> bool:
        """Wait until the run or group with this id changes, at most `seconds`; tell whether it did."""
        news = self._waiting.get(name)
        if news is None:
            news = self._waiting[name] = self._loop.create_future()
        done, _ = await asyncio.wait([news], timeout=seconds)
        return bool(done)

    def _create(self, accepted: Sequence[Accepted], group: Group | None) -> list[Run]:
        runs = self.store.add(accepted, group)
        self.services.account.reserve(runs)
        self._save()
        self.services.journal.created(runs)
        self.tally.add(len(runs), self.clock())
        self._arm()
        return runs

    def _recall(self) -> None:
        """Count what restored runs cost and hold, and tell of the ends that nobody has heard of."""
        runs = list(self.store.runs.values())
        self.services.account.reserve(runs)
        self.services.account.settle(runs)
        for run in runs:
            if not run.active:
                self.services.webhooks.tell(run)

    def _arm(self) -> None:
        """See that `_tick` is called when the store has something due."""
        due = self.store.next_due
        if due is None or self.closing:
            return
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, due - self.clock()), self._tick)

    def _tick(self) -> None:
        started, ended = self.store.advance()
        self._begin(started)
        self._save()
        self.services.account.settle(ended)
        self.services.journal.ended(ended)
        self.tally.end(len(ended), self.clock())
        for run in ended:
            self.services.webhooks.tell(run)
        for name in _touched(started, ended):
            self._ring(name)
        self._arm()

    def _begin(self, started: Sequence[Run]) -> None:
        """Have runs that are running answered, but for those that a fault plan dooms; some of them later."""
        at_once = self.services.at_once
        for run in started:
            fate = self.services.faults.fate(run.asked.request)
            if fate == "slow":
                fate, run.ends = None, run.ends + self.services.faults.slow_by
            ending = _fated(fate) if fate else at_once(run) if at_once else None
            if ending:
                self.store.finish([(run, ending)])
            elif fate is None:
                self._enqueue(run)

    def _enqueue(self, run: Run) -> None:
        if not run.asked.request.mcp_servers:
            self._questions.put(run)
            return
        if len(self._callers) < CALLERS:
            name = f"rowcite-tools-{len(self._callers)}"
            self._callers.append(threading.Thread(target=self._call, name=name, daemon=True))
            self._callers[-1].start()
        self._to_call.put(run)

    def _ring(self, name: str) -> None:
        news = self._waiting.pop(name, None)
        if news is not None and not news.done():
            news.set_result(None)

    def _call(self) -> None:
        """Call the tools of runs, and pass each on to be researched; runs in a thread of its own."""
        while (run := self._to_call.get()) is not None and not self.closing:
            called = call_tools(run.asked.request.mcp_servers or (), run.asked.request.input)
            run.calls = tuple(one.call for one in called)
            run.heard = tuple(told for one in called for told in one.told)
            self._questions.put(run)

    def _research(self) -> None:
        """Answer questions until told to stop; runs in threads of the engine's own."""
        while (run := self._questions.get()) is not None and not self.closing:
            before = self.store.runs.get(run.asked.request.previous_interaction_id or "")
            self._endings.append((run, answer(self.services.researcher, run, before)))
            if not self._told:
                self._told = True
                try:
                    self._loop.call_soon_threadsafe(self._loop.call_later, GATHER, self._collect)
                except RuntimeError:  # the loop was closed while this question was being answered
                    return
            time.sleep(0)  # gives the event loop its chance of the interpreter between two questions

    def _collect(self) -> None:
        if self.closing:
            return
        self._told = False  # before the queue is emptied: an ending that comes now asks for another call
        arrived = [self._endings.popleft() for _ in range(len(self._endings))]
        self.store.finish(arrived)
        self._tick()

    def _delivered(self, run: Run, attempt: int, status: int | None) -> None:
        self.services.journal.delivered(run, attempt, status)
        if run.told:
            self.store.note([run], ())
            self._save()

    def _save(self) -> None:
        if self.services.disk:
            self.services.disk.save(self.store)


def _fated(fate: str) -> Ending | None:
    """Return the ending that a fault plan decided; None for a run that never ends."""
    if fate == "stuck":
        return None
    error = Error(str(uuid4()), "The run failed: the fault plan says so.") if fate == "failed" else None
    return Ending(fate, error=error)


def _touched(started: list[Run], ended: list[Run]) -> set[str]:
    changed = (*started, *ended)
    return {run.id for run in changed} | {run.group.id for run in changed if run.group}
