"""The queue of tasks to send: new ones, and those that a POST did not create, by the rules for each response. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from rowcite.api.bodies import Question
from rowcite.api.facts import RUNS_PER_REQUEST
from rowcite.errors import ApiError, ApiRefused, InsufficientCredit, KeyRefused, Retriable, RowciteError
from rowcite.model import RunState, Task
from rowcite.submit.options import SubmitOptions

Problem = ApiError | InsufficientCredit | KeyRefused
"""The error of a POST after which it is not certain that all its runs exist."""
_MOST_TAKEN_OUT = 3
_THROTTLED = 429
_TOO_LARGE = 413
_NO_SUCH_PROCESSOR = 403
_MOST_PATIENT = 64


class TaskStates(Protocol):
    """Looks up tasks in the ledger, as `Ledger.task_states`."""

    def __call__(
        self, keys: Sequence[bytes], *, not_before: float = 0.0, failed_since: float = 0.0
    ) -> Mapping[bytes, RunState]:
        """Return the states of those tasks that the ledger has."""


@dataclass(frozen=True, slots=True)
class TaskSource:
    """Tasks of one question for one processor, by its name in the ledger. `price` is micro-US$ a run.

    `tasks` is called in a thread, after it is known which runs earlier commands created.
    """

    question: Question
    processor: str
    price: int
    tasks: Callable[[TaskStates], Iterable[Task]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tasks of one source for one POST.

    `losses` counts POSTs with them that created nothing without a reason, `taken_out` how often in a row the rows that
    the API named were removed. `suspected` marks a named row that is sent alone.
    """

    source: TaskSource
    tasks: list[Task]
    losses: int = 0
    taken_out: int = 0
    suspected: bool = False


class SendQueue:
    """Chunks of tasks to send. The outcome of each POST decides what the next ones contain."""

    def __init__(self, options: SubmitOptions) -> None:
        self.options = options
        self.submitted = 0  # runs that the API created
        self.stopped: RowciteError | None = None  # send no more, and raise this in the end
        self._size = self._most = min(RUNS_PER_REQUEST, options.active_runs)  # runs a POST: now, and at most
        self._passed = 0  # POSTs of that size that succeeded in a row ...
        self._needed = 1  # ... and how many it takes to double the size
        self._again: deque[Chunk] = deque()  # the last goes first
        self._refusals = 0
        self._one_at_a_time = False  # something was refused and nothing created yet: one POST at a time
        self._no_credit = False  # after 402: wait for active runs, then one POST at a time
        self._trust_named_rows = True  # the rows that the API names are the bad ones, as far as known

    def is_paused(self, *, running: int, sending: int) -> bool:
        """Return True if nothing may be sent now; `running` counts batches, `sending` those not created yet."""
        most = 1 if self._one_at_a_time else self.options.sending
        return bool(self.stopped or (self._no_credit and running) or sending >= most)

    def chunks(self, sources: Iterable[TaskSource], states: TaskStates) -> Iterator[Chunk]:
        """Yield new tasks, in chunks of the current size."""
        for source in sources:
            tasks = iter(source.tasks(states))
            while some := list(islice(tasks, self._size)):
                yield Chunk(source, some)

    def put(self, chunk: Chunk) -> None:
        """Add a chunk that is sent after all others."""
        self._again.appendleft(chunk)

    def next(self) -> Chunk | None:
        """Remove and return the next chunk, None if there is none."""
        return self._again.pop() if self._again else None

    # --- the outcome of a POST -----------------------------------------------------------------------

    def taken(self, chunk: Chunk, runs: int, problem: Problem | None) -> None:
        """Record that the API created `runs` of a chunk's tasks."""
        self.submitted += runs
        if runs == len(chunk.tasks) >= self._size:
            self._grow()
        self._one_at_a_time, self._no_credit = False, isinstance(problem, InsufficientCredit)
        self._trust_named_rows = self._trust_named_rows and not chunk.suspected

    def refused(self, chunk: Chunk, problem: Problem | None) -> ApiRefused | None:
        """Return the error that refuses the only task of a chunk for good, None when it is not refused.

        Raises:
            ApiRefused: many were refused and none ever accepted, so the spec is at fault.
        """
        if (
            not isinstance(problem, ApiRefused)
            or problem.status == _NO_SUCH_PROCESSOR
            or len(chunk.tasks) > 1
        ):
            return None
        self._refusals += 1
        if not self.submitted and self._refusals >= self.options.refusals:
            raise problem
        return problem

    def back(
        self, chunk: Chunk, unsent: set[bytes], problem: Problem | None, *, taken: bool, alone: bool
    ) -> None:
        """Queue the tasks of a chunk again that were not created.

        `taken`: others of it were created. `alone`: no other batch was active when the API refused them, nor is now.

        Raises:
            ApiError: sending them again cannot help.
        """
        reason = isinstance(problem, ApiRefused | InsufficientCredit)
        left = Chunk(
            chunk.source,
            [task for task in chunk.tasks if task.key in unsent],
            0 if reason or taken else chunk.losses + 1,
            chunk.taken_out,
        )
        if isinstance(problem, InsufficientCredit):
            self._back_for_credit(left, problem, alone=alone)
        elif isinstance(problem, ApiRefused):
            named: set[bytes] = {chunk.tasks[row].key for row in problem.rows if row < len(chunk.tasks)}
            self._back_for_refusal(left, problem, named)
        else:
            self._back_for_nothing(left, problem)

    def _back_for_credit(self, chunk: Chunk, problem: InsufficientCredit, *, alone: bool) -> None:
        self._no_credit = True
        if not alone:  # active runs may give credit back
            self._again.append(chunk)
        elif len(chunk.tasks) == 1:
            self.stopped = problem
        else:
            self._again.extend(_halves(chunk))

    def _back_for_refusal(self, chunk: Chunk, problem: ApiRefused, named: set[bytes]) -> None:
        self._one_at_a_time = not self.submitted
        if problem.status == _NO_SUCH_PROCESSOR:
            raise ApiRefused(
                f"{problem}. Check that this key may use the processor {chunk.source.processor!r}", status=403
            )
        if problem.status == _TOO_LARGE:
            self._shrink(chunk)
        self._again.extend(_without_named(chunk, named) if self._trust_named_rows else _halves(chunk))

    def _back_for_nothing(self, chunk: Chunk, problem: ApiError | KeyRefused | None) -> None:
        """Queue a chunk again whole: its size is rarely the reason. After a second loss, in halves."""
        throttled = isinstance(problem, Retriable) and problem.status == _THROTTLED
        unsent = isinstance(problem, Retriable) and not problem.sent
        if unsent or (chunk.losses >= self.options.losses and not throttled):
            raise ApiError(
                f"{problem or 'the API created no runs'}. Run again to continue",
                status=getattr(problem, "status", 0),
            )
        if chunk.losses <= 1:
            self._again.append(chunk)
            return
        if throttled:  # the API may count runs, not requests
            self._shrink(chunk)
        self._again.extend(_halves(chunk))

    # --- how many runs a POST ------------------------------------------------------------------------

    def _shrink(self, chunk: Chunk) -> None:
        half = max(1, len(chunk.tasks) // 2)
        if half < self._size:
            self._size, self._passed, self._needed = half, 0, min(self._needed * 2, _MOST_PATIENT)

    def _grow(self) -> None:
        """Double the runs a POST after enough successes: twice as many successes after each time it was too large."""
        self._passed += 1
        if self._passed >= self._needed:
            self._size, self._passed = min(self._size * 2, self._most), 0


def _halves(chunk: Chunk) -> list[Chunk]:
    """Return a chunk as two: one bad row, or too little credit, must not stop the others."""
    half = -(-len(chunk.tasks) // 2)
    return [
        Chunk(chunk.source, some, chunk.losses) for some in (chunk.tasks[half:], chunk.tasks[:half]) if some
    ]


def _without_named(chunk: Chunk, named: set[bytes]) -> list[Chunk]:
    """Return a chunk without the tasks that the API named, and each of these alone.

    A row is never refused because it was named, only after it was refused alone. Where all are named or none, or where
    this has not helped a few times in a row, return the halves.
    """
    suspected = [task for task in chunk.tasks if task.key in named]
    if not 0 < len(suspected) < len(chunk.tasks) or chunk.taken_out >= _MOST_TAKEN_OUT:
        return _halves(chunk)
    rest = [task for task in chunk.tasks if task.key not in named]
    alone = [Chunk(chunk.source, [task], suspected=True) for task in suspected]
    return [*alone, Chunk(chunk.source, rest, chunk.losses, chunk.taken_out + 1)]
