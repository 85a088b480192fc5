"""Rows whose values were not accepted, asked again: what each needs from the next processor of the ladder.

What is to be asked is worked out from the table and the ledger alone, so a run that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from rowcite.api.bodies import Question
from rowcite.ledger import Ledger
from rowcite.model import RunState, Task, TaskKey
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
from rowcite.submit.queue import TaskSource

_AT_ONCE = 2_000


class EscalationRound:
    """The tasks of one step up the ladder, kept in files: one a question.

    `cost` is micro-US$, `steep` tells that more than half of the first 100 answers go on.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        self._job, self._folder = job, folder
        self._questions: dict[EscalationStep, Question] = {}
        self._counts: dict[EscalationStep, int] = {}
        self.answers = self.left_open = 0  # of the first so many answers

    @property
    def tasks(self) -> int:
        """Return how many tasks there are."""
        return sum(self._counts.values())

    @property
    def cost(self) -> int:
        """Return what they cost, in micro-US$."""
        return sum(count * self._job.price_of(step.processor) for step, count in self._counts.items())

    @property
    def steep(self) -> bool:
        """Tell whether so many answers go on that the bar may be wrong rather than the answers."""
        return too_many(self.answers, self.left_open)

    @property
    def processors(self) -> tuple[str, ...]:
        """Return who is asked."""
        return tuple(dict.fromkeys(step.processor for step in self._counts))

    def question(self, step: EscalationStep) -> Question:
        """Return the question of a step."""
        if step not in self._questions:
            self._questions[step] = narrowed(self._job.question, step)
        return self._questions[step]

    def add(self, step: EscalationStep, tasks: list[Task]) -> None:
        """Keep tasks of a step."""
        self._counts[step] = self._counts.get(step, 0) + len(tasks)
        with self._file(step).open("ab") as file:
            for task in tasks:
                text = msgspec.msgpack.encode((task.key, task.root, task.input))
                file.write(len(text).to_bytes(4, "big") + text)

    def sources(self) -> Iterator[TaskSource]:
        """Yield what is to be submitted."""
        for step in self._counts:
            name = self._job.ledger_processor(step.processor)
            yield TaskSource(self.question(step), name, self._job.price_of(step.processor), self._read(step))

    def _file(self, step: EscalationStep) -> Path:
        return self._folder / f"{list(self._counts).index(step):04}.tasks"

    def _read(self, step: EscalationStep) -> Iterator[Task]:
        with self._file(step).open("rb") as file:
            while size := file.read(4):
                key, root, text = msgspec.msgpack.decode(file.read(int.from_bytes(size, "big")))
                yield Task(TaskKey(key), text, root=TaskKey(root))


def climb(job: Job, ledger: Ledger, folder: Path) -> EscalationRound:
    """Work out what the rows need next. `folder` is a temporary one, for the tasks."""
    rung = EscalationRound(job, folder)
    for step, tasks in _steps(job, ledger, rung):
        rung.add(step, tasks)
    return rung


def to_escalate(job: Job, ledger: Ledger) -> int:
    """Return how many rows, of those answered by now, are to be asked again."""
    return sum(len(tasks) for _, tasks in _steps(job, ledger, EscalationRound(job, Path())))


def _steps(job: Job, ledger: Ledger, rung: EscalationRound) -> Iterator[tuple[EscalationStep, list[Task]]]:
    """Yield tasks that do not stand in the ledger yet, a few of one step at a time."""
    resolver = RowResolver(job.spec, job.reader.source.schema, ledger)
    policy = resolver.policy
    asked_again: set[bytes] = set()  # the rows of one task are asked once, whatever each of them was given
    waiting: dict[EscalationStep, list[Task]] = {}
    for batch in job.reader.batches(job.question):
        for row in resolver.groups(batch.keys, batch.rows.frame):
            if row.key in asked_again or not _counts(row, job.not_before):
                continue
            step = next_step(job.spec.escalate, policy, row.resolved, row.runs)
            if rung.answers < FIRST_ANSWERS:
                rung.answers += 1
                rung.left_open += step is not None
            if step is None:
                continue
            asked_again.add(row.key)
            first = Task(TaskKey(row.key), batch.tasks[TaskKey(row.key)])
            known = known_words(policy, row.resolved)
            waiting.setdefault(step, []).append(task_of(rung.question(step), first, known))
            if len(waiting[step]) >= _AT_ONCE:
                yield step, _not_standing(job, ledger, waiting.pop(step))
    for step, tasks in waiting.items():
        if new := _not_standing(job, ledger, tasks):
            yield step, new


def _counts(row: RowGroup, not_before: float) -> bool:
    """Tell whether a row has an answer that may be built on."""
    return any(
        run.first and run.state is RunState.COMPLETED and run.ended_at >= not_before for run in row.runs
    )


def _not_standing(job: Job, ledger: Ledger, tasks: list[Task]) -> list[Task]:
    standing = ledger.task_states([task.key for task in tasks], not_before=job.not_before)
    return [task for task in tasks if task.key not in standing]
