"""Which tasks go out next: fresh ones, and those that were not created, as far as what the API said allows. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from rowcite.api.bodies import Question
from rowcite.api.facts import RUNS_PER_REQUEST
from rowcite.errors import ApiError, ApiRefused, KeyRefused, OutOfCredit, Retriable, RowciteError
from rowcite.model import Task
from rowcite.submit.options import SubmitOptions

Problem = ApiError | OutOfCredit | KeyRefused
"""Why it is not known, from the answer to a POST, that all its runs exist."""
_MOST_TAKEN_OUT = 3
_THROTTLED = 429
_TOO_LARGE = 413
_NO_SUCH_PROCESSOR = 403
_MOST_PATIENT = 64


@dataclass(frozen=True, slots=True)
class TaskSource:
    """Tasks of one question for one processor, in the name the ledger knows it by. `price` is micro-US$ a run."""

    question: Question
    processor: str
    price: int
    tasks: Iterable[Task]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tasks of an source for one POST.

    `losses`: so many POSTs with them came to nothing, for no reason that was given. `taken_out`: so often in a row
    rows that the API had named were taken out. `suspected`: one that was named, to be heard alone.
    """

    source: TaskSource
    tasks: list[Task]
    losses: int = 0
    taken_out: int = 0
    suspected: bool = False


class SendQueue:
    """What is to be sent. Told what became of each POST, it decides what goes into the next ones."""

    def __init__(self, options: SubmitOptions) -> None:
        self.options = options
        self.submitted = 0  # runs that the API has taken
        self.stopped: RowciteError | None = None  # send no more, and raise this in the end
        self._size = self._most = min(RUNS_PER_REQUEST, options.active_runs)  # runs a POST: now, and at best
        self._passed = 0  # so many POSTs of that size went through in a row ...
        self._needed = 1  # ... and after so many the next may be twice as large
        self._again: deque[Chunk] = deque()  # the last goes first
        self._refusals = 0
        self._one_at_a_time = False  # something was refused and nothing taken yet: one POST at a time
        self._no_credit = False  # 402 came: wait for what is under way, then one POST at a time
        self._trust_named_rows = True  # the rows that the API names are the bad ones, as far as is known

    def is_paused(self, *, running: int, sending: int) -> bool:
        """Tell whether nothing may go out now; `running` and `sending` count what is under way."""
        return bool(self.stopped or (self._no_credit and running) or (self._one_at_a_time and sending))

    def chunks(self, sources: Iterable[TaskSource]) -> Iterator[Chunk]:
        """Yield fresh tasks, as many together as the API takes."""
        for source in sources:
            tasks = iter(source.tasks)
            while some := list(islice(tasks, self._size)):
                yield Chunk(source, some)

    def put(self, chunk: Chunk) -> None:
        """Add a chunk that goes out when no other is left."""
        self._again.appendleft(chunk)

    def next(self) -> Chunk | None:
        """Take out what goes next."""
        return self._again.pop() if self._again else None

    # --- what became of a POST -----------------------------------------------------------------------

    def taken(self, chunk: Chunk, runs: int, problem: Problem | None) -> None:
        """Note that the API took so many of a chunk's tasks."""
        self.submitted += runs
        if runs == len(chunk.tasks) >= self._size:
            self._grow()
        self._one_at_a_time, self._no_credit = False, isinstance(problem, OutOfCredit)
        self._trust_named_rows = self._trust_named_rows and not chunk.suspected

    def refused(self, chunk: Chunk, problem: Problem | None) -> ApiRefused | None:
        """Return why the only task of a chunk is refused for good, None when it is not.

        Raises:
            ApiRefused: so many were refused, and none ever taken, that it is the spec.
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
        """Take back the tasks of a chunk that were not created.

        `taken`: others of it were. `alone`: nothing was under way when the API refused them, nor is now.

        Raises:
            ApiError: there is no use in sending them again.
        """
        reason = isinstance(problem, ApiRefused | OutOfCredit)
        left = Chunk(
            chunk.source,
            [task for task in chunk.tasks if task.key in unsent],
            0 if reason or taken else chunk.losses + 1,
            chunk.taken_out,
        )
        if isinstance(problem, OutOfCredit):
            self._back_for_credit(left, problem, alone=alone)
        elif isinstance(problem, ApiRefused):
            named: set[bytes] = {chunk.tasks[row].key for row in problem.rows if row < len(chunk.tasks)}
            self._back_for_refusal(left, problem, named)
        else:
            self._back_for_nothing(left, problem)

    def _back_for_credit(self, chunk: Chunk, problem: OutOfCredit, *, alone: bool) -> None:
        self._no_credit = True
        if not alone:  # what is under way may give credit back
            self._again.append(chunk)
        elif len(chunk.tasks) == 1:
            self.stopped = problem
        else:
            self._again.extend(_halves(chunk))

    def _back_for_refusal(self, chunk: Chunk, problem: ApiRefused, named: set[bytes]) -> None:
        self._one_at_a_time = not self.submitted
        if problem.status == _NO_SUCH_PROCESSOR:
            raise ApiRefused(
                f"{problem}. Is there a processor {chunk.source.processor!r}, for this key?", status=403
            )
        if problem.status == _TOO_LARGE:
            self._shrink(chunk)
        self._again.extend(_without_named(chunk, named) if self._trust_named_rows else _halves(chunk))

    def _back_for_nothing(self, chunk: Chunk, problem: ApiError | KeyRefused | None) -> None:
        """Send a chunk again whole: most often it was not its size. When it is lost once more, its halves."""
        throttled = isinstance(problem, Retriable) and problem.status == _THROTTLED
        unsent = isinstance(problem, Retriable) and not problem.sent
        if unsent or (chunk.losses >= self.options.losses and not throttled):
            raise ApiError(
                f"{problem or 'the API created no runs'}. Run again to go on",
                status=getattr(problem, "status", 0),
            )
        if chunk.losses <= 1:
            self._again.append(chunk)
            return
        if throttled:  # it may be the runs that the API counts
            self._shrink(chunk)
        self._again.extend(_halves(chunk))

    # --- how many runs a POST ------------------------------------------------------------------------

    def _shrink(self, chunk: Chunk) -> None:
        half = max(1, len(chunk.tasks) // 2)
        if half < self._size:
            self._size, self._passed, self._needed = half, 0, min(self._needed * 2, _MOST_PATIENT)

    def _grow(self) -> None:
        """Try twice as many runs a POST after some that went through: after twice as many each time it was too much."""
        self._passed += 1
        if self._passed >= self._needed:
            self._size, self._passed = min(self._size * 2, self._most), 0


def _halves(chunk: Chunk) -> list[Chunk]:
    """Return a chunk in two: one bad row, or too little credit, must not sink the others."""
    half = -(-len(chunk.tasks) // 2)
    return [
        Chunk(chunk.source, some, chunk.losses) for some in (chunk.tasks[half:], chunk.tasks[:half]) if some
    ]


def _without_named(chunk: Chunk, named: set[bytes]) -> list[Chunk]:
    """Return a chunk without the tasks that the API named, and each of these alone.

    Nobody is refused on being named: only alone. Where all are named or none, or it has not helped a few times in a
    row, the halves.
    """
    suspected = [task for task in chunk.tasks if task.key in named]
    if not 0 < len(suspected) < len(chunk.tasks) or chunk.taken_out >= _MOST_TAKEN_OUT:
        return _halves(chunk)
    rest = [task for task in chunk.tasks if task.key not in named]
    alone = [Chunk(chunk.source, [task], suspected=True) for task in suspected]
    return [*alone, Chunk(chunk.source, rest, chunk.losses, chunk.taken_out + 1)]
