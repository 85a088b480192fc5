"""The rounds of a run: the first question of each task, then the escalation rounds.

Each is computed from the table and the ledger when the one before it has ended, so that a run which was interrupted
continues where it stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rowcite.api.bodies import Question
from rowcite.api.facts import usd
from rowcite.api.packing import packed, packs
from rowcite.errors import Incomplete
from rowcite.ledger import Ledger
from rowcite.model import Task
from rowcite.pipeline.escalate import EscalationRound, next_round
from rowcite.pipeline.job import Job
from rowcite.progress import Progress
from rowcite.submit.queue import TaskSource, TaskStates
from rowcite.submit.stop import Stop
from rowcite.table.survey import Survey, tasks_to_do
from rowcite.wording import plural


@dataclass(frozen=True, slots=True)
class Round:
    """What is submitted together. `escalation` marks rows that were answered before by another processor."""

    sources: list[TaskSource]
    escalation: bool = False


def first_rounds(job: Job, survey: Survey) -> Generator[Round, None, None]:
    """Yield the rounds with the first question of each task: packs, then single tasks."""
    most = job.spec.task.records_per_run
    if most > 1:
        yield Round(_packed(job, survey, most))
    yield Round([_source(job, job.question, partial(unanswered, job, survey=survey, left=most > 1))])


def parts_again(job: Job, survey: Survey, keys: Container[bytes]) -> Round:
    """Return the round with those of `keys` that are not answered by now, each in a separate run."""

    def tasks(states: TaskStates) -> Iterator[Task]:
        missing = unanswered(job, states, survey=survey, left=True)
        return (task for task in missing if task.key in keys)

    return Round([_source(job, job.question, tasks)])


def escalation_rounds(  # noqa: PLR0913 - what the rounds need, by name
    job: Job,
    ledger: Ledger,
    *,
    progress: Progress,
    stop: Stop,
    confirm: Callable[[EscalationRound], bool],
    typed: Callable[[str], str],
    name: str,
) -> Generator[Round, None, None]:
    """Yield the escalation rounds, each to be submitted before the next is requested.

    `confirm` is called before a round that more than half of the first answers would need. `typed` returns a command as it is
    typed, `name` is that of the present one.

    Raises:
        Incomplete: that round was not confirmed.
        DeadlineReached: the deadline has passed.
    """
    for _ in job.spec.escalate:
        with TemporaryDirectory(prefix="rowcite-") as folder:
            escalation = next_round(job, ledger, Path(folder), stop)
            if not escalation.tasks:
                return
            _check_confirmed(escalation, confirm, typed, name)
            names = ", ".join(escalation.processors)
            rows = plural(escalation.tasks, "row")
            cost = "" if job.local else f" ({usd(escalation.cost)})"
            seconds = job.seconds_of(escalation.processors, escalation.tasks)
            progress.more(escalation.tasks, f"Retrying {rows} with {names}{cost}", seconds)
            yield Round(list(escalation.sources()), escalation=True)


def unanswered(job: Job, states: TaskStates, *, survey: Survey, left: bool = False) -> Iterator[Task]:
    """Yield the tasks that a run submits, each once; with `left`, only those that the ledger does not have by now.

    Tasks that an earlier command left active are looked up when their turn comes: by then it is known which runs
    that command created.
    """
    for to_submit, unsure in tasks_to_do(job.batches_to_plan(), survey):
        if not left:
            yield from to_submit
        doubted = [*to_submit, *unsure] if left else unsure
        failed_since = math.inf if left else 0.0  # what failed before this command is submitted again by it
        known = states([task.key for task in doubted], not_before=job.not_before, failed_since=failed_since)
        yield from (task for task in doubted if task.key not in known)


def _packed(job: Job, survey: Survey, most: int) -> list[TaskSource]:
    """Return the sources of a first round with several rows in a run."""
    question, single = packed(job.question), list[Task]()

    def several(states: TaskStates) -> Iterator[Task]:
        for pack in packs(question, unanswered(job, states, survey=survey), most):
            if len(pack.members) > 1:
                yield pack
            else:  # alone in its pack: the plain question serves
                single.extend(pack.members)

    # `single` fills while the packs are read, which is before its source is.
    return [_source(job, question, several), _source(job, job.question, lambda _: single)]


def _source(job: Job, question: Question, tasks: Callable[[TaskStates], Iterable[Task]]) -> TaskSource:
    return TaskSource(question, job.ledger_processor(job.spec.task.processor), job.price, tasks)


def _check_confirmed(
    escalation: EscalationRound,
    confirm: Callable[[EscalationRound], bool],
    typed: Callable[[str], str],
    name: str,
) -> None:
    if not escalation.needs_confirmation or confirm(escalation):
        return
    rows = plural(escalation.tasks, "row")
    raise Incomplete(
        f"Stopped before retrying: {escalation.unresolved} of the first {escalation.answers} answers were rejected, and"
        f" {rows} would be sent to {', '.join(escalation.processors)} for {usd(escalation.cost)}. See why with"
        f" `{typed('explain')} --row {escalation.first_row}`. Correct `accept`, or continue with"
        f" `{typed(name)} --escalate-anyway`"
    )
