"""The runs and groups in memory: their statuses, the group logs, and what is due next.

No I/O apart from the clock that is passed in; one thread at a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import msgspec

from rowcite.api.facts import ACTIVE_STATUSES, RUN_STATUSES
from rowcite.local.research.question import ToolAnswer
from rowcite.local.server.faults import digest
from rowcite.local.server.latency import Lognormal, seconds_taken
from rowcite.local.server.shapes import (
    Error,
    GroupResponse,
    GroupStatus,
    McpToolCall,
    Metadata,
    TaskRun,
    rfc3339,
)
from rowcite.local.server.validation import AcceptedRun

ACTIVE = frozenset(ACTIVE_STATUSES)
QUEUED_SHARE = 0.1  # of a run's time is spent in the queue
STATUS_EVERY = 1.0  # seconds between two status events of a busy group


@dataclass(frozen=True, slots=True)
class Output:
    """The output of research: the API's `output` as JSON bytes, and the documents considered and read."""

    body: bytes
    considered: int = 0
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends: completed with an output, or one of the other final statuses, with an error if it failed."""

    status: str
    output: Output | None = None
    error: Error | None = None


@dataclass(slots=True, eq=False)
class Run:
    """One run. `starts` and `ends` are Unix seconds: the earliest that it may start and end."""

    id: str
    accepted: AcceptedRun
    group: Group | None
    created_at: str
    modified_at: str
    starts: float
    ends: float
    status: str = "queued"
    ending: Ending | None = None
    started_at: str | None = None
    calls: tuple[McpToolCall, ...] | None = None
    tool_answers: tuple[ToolAnswer, ...] = ()  # results of MCP tools, for the research
    webhook_done: bool = False  # delivered, or given up

    @property
    def active(self) -> bool:
        """Return True if the run may still change."""
        return self.status in ACTIVE

    def shape(self) -> TaskRun:
        """Return the run as the API shows it."""
        request = self.accepted.request
        return TaskRun(
            run_id=self.id,
            interaction_id=self.id,
            status=self.status,
            is_active=self.active,
            warnings=list(self.accepted.warnings) or None,
            error=self.ending.error if self.ending else None,
            processor=request.processor,
            metadata=request.metadata,
            taskgroup_id=self.group.id if self.group else None,
            created_at=self.created_at,
            modified_at=self.modified_at,
        )


@dataclass(slots=True, eq=False)
class Group:
    """A task group. `log` is its event stream: a run that ended, or a status as JSON bytes; cursors count entries."""

    id: str
    metadata: Metadata | None
    created_at: str
    modified_at: str
    runs: list[Run] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RUN_STATUSES, 0))
    log: list[Run | bytes] = field(default_factory=list)
    last_status: float = 0.0
    active_while: frozenset[str] = ACTIVE
    shown: tuple[float, GroupStatus] | None = None  # the status last shown, and when

    @property
    def active(self) -> bool:
        """Return True if any run of the group is active."""
        return any(self.counts[status] for status in self.active_while)

    def status(self) -> GroupStatus:
        """Return the counts as they are now."""
        counts = {status: number for status, number in self.counts.items() if number}
        return GroupStatus(len(self.runs), counts, self.active, "", self.modified_at)

    def shape(self) -> GroupResponse:
        """Return the group as the API shows it."""
        return GroupResponse(self.id, self.metadata, self.status(), self.created_at)


@dataclass(slots=True)
class Changes:
    """The runs and groups that changed since the last save."""

    runs: dict[str, Run] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)


class Store:
    """Runs and groups by id, and a queue of what happens next.

    A run starts when it is due, waits for its ending, and ends when that is due: `advance` processes what is due,
    `finish` supplies endings. The cost of an operation grows with the logarithm of the number of runs.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        latency: float | Lognormal = 0.0,
        active_while: frozenset[str] = ACTIVE,
    ) -> None:
        self.runs: dict[str, Run] = {}
        self.groups: dict[str, Group] = {}
        self.changes: Changes | None = None  # recorded if there is a database
        self._clock = clock
        self._latency = latency
        self._active_while = active_while
        self._due: list[tuple[float, int, Run, Ending | None]] = []
        self._number = 0

    def create_group(self, metadata: Metadata | None) -> Group:
        """Create an empty group."""
        now = rfc3339(self._clock())
        group = Group(f"tgrp_{uuid4().hex}", metadata, now, now, active_while=self._active_while)
        self.groups[group.id] = group
        self.record_changes((), [group])
        return group

    def add(self, accepted: Sequence[AcceptedRun], group: Group | None = None) -> list[Run]:
        """Create runs, queued, in the given order."""
        now = self._clock()
        stamp = rfc3339(now)
        runs = [self._create(one, group, now, stamp) for one in accepted]
        if group:
            group.runs += runs
            group.counts["queued"] += len(runs)
            group.modified_at = stamp
        self.record_changes(runs, [group] if group else ())
        return runs

    def restore(self, groups: Iterable[Group], runs: Iterable[Run]) -> list[Run]:
        """Load the groups and runs of an earlier process, in the order of creation; return the active runs.

        A group has its log and does not yet have its runs. A run that was created in the future, by a clock that was set
        back since, counts as created now.
        """
        now = self._clock()
        for group in groups:
            group.active_while = self._active_while
            self.groups[group.id] = group
        active = []
        for run in runs:
            self.runs[run.id] = run
            if run.group:
                run.group.runs.append(run)
                run.group.counts[run.status] += 1
            ahead = max(run.starts - QUEUED_SHARE * (run.ends - run.starts) / (1 - QUEUED_SHARE) - now, 0.0)
            run.starts, run.ends = run.starts - ahead, run.ends - ahead
            if run.status == "queued":
                self._schedule(run.starts, run, None)
            elif run.active:
                active.append(run)
        return active

    @property
    def next_due(self) -> float | None:
        """Return when `advance` has something to do next, in Unix seconds."""
        return self._due[0][0] if self._due else None

    def advance(self) -> tuple[list[Run], list[Run]]:
        """Process everything that is due; return the runs that started and those that ended."""
        now = self._clock()
        started: list[Run] = []
        ended: list[Run] = []
        stamp = rfc3339(now)
        while self._due and self._due[0][0] <= now:
            _, _, run, ending = heapq.heappop(self._due)
            self._move(run, ending.status if ending else "running", stamp)
            run.ending = ending
            (ended if ending else started).append(run)
        self._record(ended, started, now)
        self.record_changes((*started, *ended), {run.group for run in (*started, *ended) if run.group})
        return started, ended

    def finish(self, endings: Iterable[tuple[Run, Ending]]) -> None:
        """Set the endings of running runs; `advance` ends them when they are due."""
        for run, ending in endings:
            self._schedule(run.ends, run, ending)

    def record_changes(self, runs: Iterable[Run], groups: Iterable[Group]) -> None:
        """Record what changed, for the database."""
        if self.changes is not None:
            self.changes.runs.update((run.id, run) for run in runs)
            self.changes.groups.update((group.id, group) for group in groups)

    def _create(self, accepted: AcceptedRun, group: Group | None, now: float, stamp: str) -> Run:
        run_id = f"trun_{uuid4().hex}"
        taken = self._seconds(accepted, run_id) if self._latency else 0.0
        run = Run(run_id, accepted, group, stamp, stamp, now + taken * QUEUED_SHARE, now + taken)
        self.runs[run_id] = run
        self._schedule(run.starts, run, None)
        return run

    def _seconds(self, accepted: AcceptedRun, run_id: str) -> float:
        if isinstance(self._latency, Lognormal):
            return self._latency.seconds(
                digest(accepted.request.input)[8:16]
            )  # the same input takes the same time
        return seconds_taken(accepted.request.processor, run_id, self._latency)

    def _schedule(self, moment: float, run: Run, ending: Ending | None) -> None:
        self._number += 1  # keeps the order of equal moments, so that runs are never compared
        heapq.heappush(self._due, (moment, self._number, run, ending))

    def _move(self, run: Run, status: str, stamp: str) -> None:
        if run.group:
            run.group.counts[run.status] -= 1
            run.group.counts[status] += 1
            run.group.modified_at = stamp
        run.status = status
        run.modified_at = stamp
        run.started_at = run.started_at or stamp

    def _record(self, ended: list[Run], started: list[Run], now: float) -> None:
        """Append to the group logs: each run that ended, and a status at most once a second."""
        for run in ended:
            if run.group:
                run.group.log.append(run)
        for group in {run.group for run in (*ended, *started) if run.group}:
            if not group.active or now - group.last_status >= STATUS_EVERY:
                group.last_status = now
                group.log.append(msgspec.json.encode(group.status()))
