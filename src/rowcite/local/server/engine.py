"""The engine that runs tasks: threads for research and tool calls, a timer for what is due, and wake-ups for waiting requests."""

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
from rowcite.local.server.database import Database
from rowcite.local.server.faults import FaultPlan
from rowcite.local.server.journal import Journal, RunCounts
from rowcite.local.server.mcp_tools import call_tools
from rowcite.local.server.shapes import Error, Metadata
from rowcite.local.server.store import Ending, Group, Run, Store
from rowcite.local.server.validation import AcceptedRun
from rowcite.local.server.webhooks import Webhooks

COLLECT_AFTER = 0.005  # seconds to gather endings before they enter the store: one wake-up for many
TOOL_THREADS = 4  # a slow MCP server delays no research


@dataclass(frozen=True, slots=True)
class Services:
    """What the engine works with. `researchers` is the number of research threads.

    `packs_whole`: records that come in one run are one question. `progress_every`: seconds between two progress events.
    With `private_addresses`, MCP servers at private addresses are called too. `immediate` ends a run without research, on the event loop; if it returns None, the researcher answers the run.
    """

    researcher: Researcher
    faults: FaultPlan
    journal: Journal
    account: Account
    webhooks: Webhooks
    clock: Callable[[], float]
    quirks: frozenset[str] = frozenset()
    database: Database | None = None
    limit: RateLimit | None = None
    researchers: int = 1
    packs_whole: bool = False
    progress_every: float = 5.0
    private_addresses: bool = False
    immediate: Callable[[Run], Ending | None] | None = None


class Engine:
    """Runs what is in the store. Everything but research and tool calls happens on the event loop's thread."""

    def __init__(self, store: Store, services: Services) -> None:
        self.store = store
        self.services = services
        self.quirks = services.quirks
        self.clock = services.clock
        self.counts = RunCounts()
        self.closing = False
        self._research_queue: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._tool_queue: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._tool_threads: list[threading.Thread] = []
        self._endings: deque[tuple[Run, Ending]] = deque()
        self._collecting = False
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop

    def open(self) -> None:
        """Start the research threads and continue the runs of an earlier process. Call it on the loop that serves."""
        self._loop = asyncio.get_running_loop()
        self.services.webhooks.open(self._delivered)
        for number in range(self.services.researchers):
            threading.Thread(target=self._research, name=f"rowcite-research-{number}", daemon=True).start()
        if self.services.database:
            self._start(self.services.database.restore(self.store))
            self._restore_account()
        self._schedule()

    def close(self) -> None:
        """Stop researching and let every open stream end."""
        self.closing = True
        for _ in range(self.services.researchers):
            self._research_queue.put(None)
        for _ in self._tool_threads:
            self._tool_queue.put(None)
        self.services.webhooks.close()
        if self._timer:
            self._timer.cancel()
        for name in list(self._waiting):
            self._notify(name)

    def create_group(self, metadata: Metadata | None) -> Group:
        """Create an empty group."""
        group = self.store.create_group(metadata)
        self._save()
        return group

    def add(self, accepted: Sequence[AcceptedRun], group: Group | None = None) -> list[Run]:
        """Create runs, all or none (by a quirk, those that credit covers); they start after the caller has returned.

        Raises `HttpError` (402) when credit does not cover them.
        """
        account = self.services.account
        affordable = account.affordable(accepted)
        if affordable == len(accepted):
            return self._create(accepted, group)
        if affordable and quirks.PARTIAL_BATCHES in self.quirks:
            self._create(accepted[:affordable], group)
        raise account.insufficient()

    def count_requests(self, requests: int) -> float:
        """Count more requests against the rate limit; return 0, or the seconds to wait before trying again."""
        return self.services.limit.wait(requests) if self.services.limit else 0.0

    async def wait_for_change(self, name: str, seconds: float) -> bool:
        """Wait until the run or group with this id changes, at most `seconds`; return True if it changed."""
        changed = self._waiting.get(name)
        if changed is None:
            changed = self._waiting[name] = self._loop.create_future()
        done, _ = await asyncio.wait([changed], timeout=seconds)
        return bool(done)

    def _create(self, accepted: Sequence[AcceptedRun], group: Group | None) -> list[Run]:
        runs = self.store.add(accepted, group)
        self.services.account.reserve(runs)
        self._save()
        self.services.journal.created(runs)
        self.counts.add(len(runs), self.clock())
        self._schedule()
        return runs

    def _restore_account(self) -> None:
        """Charge and reserve the price of restored runs, and send the webhooks that were not delivered."""
        runs = list(self.store.runs.values())
        self.services.account.reserve(runs)
        self.services.account.settle(runs)
        for run in runs:
            if not run.active:
                self.services.webhooks.send(run)

    def _schedule(self) -> None:
        """Schedule `_advance` for the next moment at which something is due."""
        due = self.store.next_due
        if due is None or self.closing:
            return
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, due - self.clock()), self._advance)

    def _advance(self) -> None:
        started, ended = self.store.advance()
        self._start(started)
        self._save()
        self.services.account.settle(ended)
        self.services.journal.ended(ended)
        self.counts.end(len(ended), self.clock())
        for run in ended:
            self.services.webhooks.send(run)
        for name in _changed_ids(started, ended):
            self._notify(name)
        self._schedule()

    def _start(self, started: Sequence[Run]) -> None:
        """Have started runs answered, except those whose ending the fault plan decides."""
        immediate = self.services.immediate
        for run in started:
            planned = self.services.faults.planned_status(run.accepted.request)
            if planned == "slow":
                planned, run.ends = None, run.ends + self.services.faults.slow_by
            ending = _planned_ending(planned) if planned else immediate(run) if immediate else None
            if ending:
                self.store.finish([(run, ending)])
            elif planned is None:
                self._enqueue(run)

    def _enqueue(self, run: Run) -> None:
        if not run.accepted.request.mcp_servers:
            self._research_queue.put(run)
            return
        if len(self._tool_threads) < TOOL_THREADS:
            name = f"rowcite-tools-{len(self._tool_threads)}"
            self._tool_threads.append(threading.Thread(target=self._call, name=name, daemon=True))
            self._tool_threads[-1].start()
        self._tool_queue.put(run)

    def _notify(self, name: str) -> None:
        changed = self._waiting.pop(name, None)
        if changed is not None and not changed.done():
            changed.set_result(None)

    def _call(self) -> None:
        """Call the tools of runs, then queue each for research. Runs in a separate thread."""
        while (run := self._tool_queue.get()) is not None and not self.closing:
            called = call_tools(
                run.accepted.request.mcp_servers or (),
                run.accepted.request.input,
                private=self.services.private_addresses,
            )
            run.calls = tuple(one.call for one in called)
            run.tool_answers = tuple(part for one in called for part in one.answers)
            self._research_queue.put(run)

    def _research(self) -> None:
        """Answer questions until None arrives. Runs in separate threads."""
        while (run := self._research_queue.get()) is not None and not self.closing:
            before = self.store.runs.get(run.accepted.request.previous_interaction_id or "")
            services = self.services
            ending = answer(services.researcher, run, before, packs_whole=services.packs_whole)
            self._endings.append((run, ending))
            if not self._collecting:
                self._collecting = True
                try:
                    self._loop.call_soon_threadsafe(self._loop.call_later, COLLECT_AFTER, self._collect)
                except RuntimeError:  # the loop was closed while this question was being answered
                    return
            time.sleep(0)  # releases the interpreter for the event loop between two questions

    def _collect(self) -> None:
        if self.closing:
            return
        self._collecting = (
            False  # before the queue is emptied: an ending that arrives now schedules another call
        )
        arrived = [self._endings.popleft() for _ in range(len(self._endings))]
        self.store.finish(arrived)
        self._advance()

    def _delivered(self, run: Run, attempt: int, status: int | None) -> None:
        self.services.journal.delivered(run, attempt, status)
        if run.webhook_done:
            self.store.record_changes([run], ())
            self._save()

    def _save(self) -> None:
        if self.services.database:
            self.services.database.save(self.store)


def _planned_ending(planned: str) -> Ending | None:
    """Return the ending that a fault plan decided; None for a run that never ends."""
    if planned == "stuck":
        return None
    error = Error(str(uuid4()), "The run failed: the fault plan decided it.") if planned == "failed" else None
    return Ending(planned, error=error)


def _changed_ids(started: list[Run], ended: list[Run]) -> set[str]:
    changed = (*started, *ended)
    return {run.id for run in changed} | {run.group.id for run in changed if run.group}
