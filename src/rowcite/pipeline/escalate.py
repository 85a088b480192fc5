"""The escalation rounds: the tasks of rows with rejected values, for the next processor of `escalate`.

They are computed from the table and the ledger alone, so a run that was interrupted continues where it stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from rowcite.api.bodies import Question
from rowcite.ledger import Ledger
from rowcite.model import ACTIVE, RunState, StoredRun, Task, TaskKey
from rowcite.pipeline.job import Job
from rowcite.pipeline.next_step import (
    FIRST_ANSWERS,
    EscalationStep,
    known_words,
    narrowed,
    next_step,
    task_of,
    too_many,
)
from rowcite.rows.resolver import RowGroup, RowResolver
from rowcite.submit.queue import TaskSource, TaskStates
from rowcite.submit.stop import Stop

_AT_ONCE = 2_000


class EscalationRound:
    """The tasks of one escalation round, kept in files: one for each question.

    `cost` is micro-US$. `needs_confirmation` is true if more than half of the first 100 answers need the round.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        self._job, self._folder = job, folder
        self._questions: dict[EscalationStep, Question] = {}
        self._counts: dict[EscalationStep, int] = {}
        self.answers = self.unresolved = 0  # the first answers, and those of them that need the round
        self.first_row = 0  # the number of the first row that needs the round, from 1

    @property
    def tasks(self) -> int:
        """Return how many tasks there are."""
        return sum(self._counts.values())

    @property
    def cost(self) -> int:
        """Return what they cost, in micro-US$."""
        return sum(count * self._job.price_of(step.processor) for step, count in self._counts.items())

    @property
    def needs_confirmation(self) -> bool:
        """Return True if most answers were rejected, so that `accept` may be wrong rather than the answers."""
        return too_many(self.answers, self.unresolved)

    @property
    def processors(self) -> tuple[str, ...]:
        """Return the processors of the round."""
        return tuple(dict.fromkeys(step.processor for step in self._counts))

    def question(self, step: EscalationStep) -> Question:
        """Return the question of a step."""
        if step not in self._questions:
            self._questions[step] = narrowed(self._job.question, step)
        return self._questions[step]

    def add(self, step: EscalationStep, tasks: list[Task]) -> None:
        """Add tasks of a step."""
        self._counts[step] = self._counts.get(step, 0) + len(tasks)
        with self._file(step).open("ab") as file:
            for task in tasks:
                text = msgspec.msgpack.encode((task.key, task.root, task.input))
                file.write(len(text).to_bytes(4, "big") + text)

    def clear(self) -> None:
        """Delete the tasks."""
        for step in self._counts:
            self._file(step).unlink(missing_ok=True)
        self._counts.clear()

    def sources(self) -> Iterator[TaskSource]:
        """Yield the sources to submit."""
        for step in self._counts:
            name = self._job.ledger_processor(step.processor)
            price, tasks = self._job.price_of(step.processor), partial(self._read, step)
            yield TaskSource(self.question(step), name, price, tasks)

    def _file(self, step: EscalationStep) -> Path:
        return self._folder / f"{list(self._counts).index(step):04}.tasks"

    def _read(self, step: EscalationStep, _: TaskStates) -> Iterator[Task]:
        with self._file(step).open("rb") as file:
            while size := file.read(4):
                key, root, text = msgspec.msgpack.decode(file.read(int.from_bytes(size, "big")))
                yield Task(TaskKey(key), text, root=TaskKey(root))


def next_round(job: Job, ledger: Ledger, folder: Path, stop: Stop) -> EscalationRound:
    """Return the next escalation round; it has no tasks if no row needs one. `folder` keeps the tasks.

    Rows whose step is answered in the ledger take that answer first, which may lead to their next step: with each look
    such a row comes at least one processor further.
    """
    for left in range(len(job.spec.escalate), -1, -1):
        escalation, reused = EscalationRound(job, folder), 0
        for step, tasks, stored in _steps(job, ledger, escalation, stop):
            reused += ledger.reuse(stored) if stored and left else 0
            escalation.add(step, tasks)
        if not reused:
            break
        escalation.clear()
    return escalation


def to_escalate(job: Job, ledger: Ledger, stop: Stop) -> tuple[int, int]:
    """Return how many of the rows with answers need the next processor, and how many have its answer in the ledger."""
    counts = [
        (len(tasks), len(stored))
        for _, tasks, stored in _steps(job, ledger, EscalationRound(job, Path()), stop)
    ]
    return sum(tasks for tasks, _ in counts), sum(stored for _, stored in counts)


def _steps(
    job: Job, ledger: Ledger, escalation: EscalationRound, stop: Stop
) -> Iterator[tuple[EscalationStep, list[Task], list[Task]]]:
    """Yield tasks that are not in the ledger yet, and those that it has the answers of, some of one step at a time.

    The latter answer an earlier question with the same step, or an answer that is replaced (`--fresh`, `cache.max_age`).
    """
    resolver = RowResolver(job.spec, job.reader.source.schema, ledger, texts=False)
    policy = resolver.policy
    escalated: set[bytes] = set()  # the rows of one task are sent once, whatever given values each has
    waiting: dict[EscalationStep, list[Task]] = {}
    for batch in stop.checked(job.batches_to_plan()):
        for row in resolver.groups(batch.keys, batch.rows.frame):
            if row.key in escalated or not _counts(row, job.not_before):
                continue
            runs = [run for run in row.runs if not (job.retry_failed and _failed_before(run))]
            step = next_step(job.spec.escalate, policy, row.resolved, runs)
            if escalation.answers < FIRST_ANSWERS:
                escalation.answers += 1
                escalation.unresolved += step is not None
            if step is None:
                continue
            escalated.add(row.key)
            escalation.first_row = escalation.first_row or batch.numbers[row.rows[0]] + 1
            first = Task(TaskKey(row.key), batch.tasks[TaskKey(row.key)])
            known = known_words(policy, row.resolved)
            waiting.setdefault(step, []).append(task_of(escalation.question(step), first, known))
            if len(waiting[step]) >= _AT_ONCE:
                yield step, *_by_state(job, ledger, waiting.pop(step))
    for step, tasks in waiting.items():
        new, stored = _by_state(job, ledger, tasks)
        if new or stored:
            yield step, new, stored


def _counts(row: RowGroup, not_before: float) -> bool:
    """Return True if a row has an answer to its first question that is recent enough."""
    return any(
        run.first and run.state is RunState.COMPLETED and run.ended_at >= not_before for run in row.runs
    )


def _failed_before(run: StoredRun) -> bool:
    """Return True if a step failed in an earlier command."""
    ended = run.state is not RunState.COMPLETED and run.state not in ACTIVE
    return ended and not run.first and run.ended_at < math.inf


def _by_state(job: Job, ledger: Ledger, tasks: list[Task]) -> tuple[list[Task], list[Task]]:
    """Return the tasks that are not in the ledger, and those with an answer there."""
    failed_since = math.inf if job.retry_failed else 0.0
    keys = [task.key for task in tasks]
    known = ledger.task_states(keys, not_before=job.not_before, failed_since=failed_since)
    new = [task for task in tasks if task.key not in known]
    return new, [task for task in tasks if known.get(task.key) is RunState.COMPLETED]
