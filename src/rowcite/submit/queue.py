"""Which tasks go out next: fresh ones, and those that were not created, as far as what the API said allows. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from rowcite.api.bodies import Question
from rowcite.errors import ApiError, ApiRefused, KeyRefused, OutOfCredit, Retriable, RowciteError
from rowcite.model import Task
from rowcite.submit.options import Terms

MOST_RUNS = 1_000
"""The API takes so many runs a POST."""
Problem = ApiError | OutOfCredit | KeyRefused
"""Why it is not known, from the answer to a POST, that all its runs exist."""
_MOST_TAKEN_OUT = 3
_THROTTLED = 429
_TOO_LARGE = 413
_NO_SUCH_PROCESSOR = 403
_MOST_PATIENT = 64


@dataclass(frozen=True, slots=True)
class Errand:
    """Tasks of one question for one processor, in the name the ledger knows it by. `price` is micro-US$ a run."""

    question: Question
    processor: str
    price: int
    tasks: Iterable[Task]


@dataclass(frozen=True, slots=True)
class Part:
    """Tasks of an errand for one POST.

    `losses`: so many POSTs with them came to nothing, for no reason that was given. `taken_out`: so often in a row
    rows that the API had named were taken out. `accused`: one that was named, to be heard alone.
    """

    errand: Errand
    tasks: list[Task]
    losses: int = 0
    taken_out: int = 0
    accused: bool = False


class Outbox:
    """What is to be sent. Told what became of each POST, it decides what goes into the next ones."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.submitted = 0  # runs that the API has taken
        self.stopped: RowciteError | None = None  # send no more, and raise this in the end
        self._size = self._most = min(MOST_RUNS, terms.active_runs)  # runs a POST: now, and at best
        self._passed = 0  # so many POSTs of that size went through in a row ...
        self._needed = 1  # ... and after so many the next may be twice as large
        self._again: deque[Part] = deque()  # the last goes first
        self._refusals = 0
        self._doubt = False  # something was refused and nothing taken yet: one POST at a time
        self._no_credit = False  # 402 came: wait for what is under way, then one POST at a time
        self._believes = True  # the rows that the API names are the bad ones, as far as is known

    def closed(self, *, running: int, sending: int) -> bool:
        """Tell whether nothing may go out now; `running` and `sending` count what is under way."""
        return bool(self.stopped or (self._no_credit and running) or (self._doubt and sending))

    def parts(self, errands: Iterable[Errand]) -> Iterator[Part]:
        """Yield fresh tasks, as many together as the API takes."""
        for errand in errands:
            source = iter(errand.tasks)
            while some := list(islice(source, self._size)):
                yield Part(errand, some)

    def put(self, part: Part) -> None:
        """Add a part that goes out when no other is left."""
        self._again.appendleft(part)

    def next(self) -> Part | None:
        """Take out what goes next."""
        return self._again.pop() if self._again else None

    # --- what became of a POST -----------------------------------------------------------------------

    def taken(self, part: Part, runs: int, problem: Problem | None) -> None:
        """Note that the API took so many of a part's tasks."""
        self.submitted += runs
        if runs == len(part.tasks) >= self._size:
            self._grow()
        self._doubt, self._no_credit = False, isinstance(problem, OutOfCredit)
        self._believes = self._believes and not part.accused

    def refused(self, part: Part, problem: Problem | None) -> ApiRefused | None:
        """Return why the only task of a part is refused for good, None when it is not.

        Raises:
            ApiRefused: so many were refused, and none ever taken, that it is the spec.
        """
        if not isinstance(problem, ApiRefused) or problem.status == _NO_SUCH_PROCESSOR or len(part.tasks) > 1:
            return None
        self._refusals += 1
        if not self.submitted and self._refusals >= self.terms.refusals:
            raise problem
        return problem

    def back(
        self, part: Part, unsent: set[bytes], problem: Problem | None, *, taken: bool, alone: bool
    ) -> None:
        """Take back the tasks of a part that were not created.

        `taken`: others of it were. `alone`: nothing was under way when the API refused them, nor is now.

        Raises:
            ApiError: there is no use in sending them again.
        """
        reason = isinstance(problem, ApiRefused | OutOfCredit)
        left = Part(
            part.errand,
            [task for task in part.tasks if task.key in unsent],
            0 if reason or taken else part.losses + 1,
            part.taken_out,
        )
        if isinstance(problem, OutOfCredit):
            self._back_for_credit(left, problem, alone=alone)
        elif isinstance(problem, ApiRefused):
            named: set[bytes] = {part.tasks[row].key for row in problem.rows if row < len(part.tasks)}
            self._back_for_refusal(left, problem, named)
        else:
            self._back_for_nothing(left, problem)

    def _back_for_credit(self, part: Part, problem: OutOfCredit, *, alone: bool) -> None:
        self._no_credit = True
        if not alone:  # what is under way may give credit back
            self._again.append(part)
        elif len(part.tasks) == 1:
            self.stopped = problem
        else:
            self._again.extend(_halves(part))

    def _back_for_refusal(self, part: Part, problem: ApiRefused, named: set[bytes]) -> None:
        self._doubt = not self.submitted
        if problem.status == _NO_SUCH_PROCESSOR:
            raise ApiRefused(
                f"{problem}. Is there a processor {part.errand.processor!r}, for this key?", status=403
            )
        if problem.status == _TOO_LARGE:
            self._shrink(part)
        self._again.extend(_without_named(part, named) if self._believes else _halves(part))

    def _back_for_nothing(self, part: Part, problem: ApiError | KeyRefused | None) -> None:
        """Send a part again whole: most often it was not its size. When it is lost once more, its halves."""
        throttled = isinstance(problem, Retriable) and problem.status == _THROTTLED
        unsent = isinstance(problem, Retriable) and not problem.sent
        if unsent or (part.losses >= self.terms.losses and not throttled):
            raise ApiError(
                f"{problem or 'the API created no runs'}. Run again to go on",
                status=getattr(problem, "status", 0),
            )
        if part.losses <= 1:
            self._again.append(part)
            return
        if throttled:  # it may be the runs that the API counts
            self._shrink(part)
        self._again.extend(_halves(part))

    # --- how many runs a POST ------------------------------------------------------------------------

    def _shrink(self, part: Part) -> None:
        half = max(1, len(part.tasks) // 2)
        if half < self._size:
            self._size, self._passed, self._needed = half, 0, min(self._needed * 2, _MOST_PATIENT)

    def _grow(self) -> None:
        """Try twice as many runs a POST after some that went through: after twice as many each time it was too much."""
        self._passed += 1
        if self._passed >= self._needed:
            self._size, self._passed = min(self._size * 2, self._most), 0


def _halves(part: Part) -> list[Part]:
    """Return a part in two: one bad row, or too little credit, must not sink the others."""
    half = -(-len(part.tasks) // 2)
    return [Part(part.errand, some, part.losses) for some in (part.tasks[half:], part.tasks[:half]) if some]


def _without_named(part: Part, named: set[bytes]) -> list[Part]:
    """Return a part without the tasks that the API named, and each of these alone.

    Nobody is refused on being named: only alone. Where all are named or none, or it has not helped a few times in a
    row, the halves.
    """
    accused = [task for task in part.tasks if task.key in named]
    if not 0 < len(accused) < len(part.tasks) or part.taken_out >= _MOST_TAKEN_OUT:
        return _halves(part)
    rest = [task for task in part.tasks if task.key not in named]
    alone = [Part(part.errand, [task], accused=True) for task in accused]
    return [*alone, Part(part.errand, rest, part.losses, part.taken_out + 1)]
