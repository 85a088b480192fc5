"""Creates the runs of one batch: the intent in the ledger, the POST, then certainty about which runs exist.

The order that keeps money safe: the intent is in the ledger before the POST, the run ids after it. A POST whose
response is lost is not sent again before its group was counted and listed. Each batch has a separate group, so
that the group's count of runs decides.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from rowcite.api.bodies import Event, Question, UnreadableEvent, runs_body
from rowcite.api.client import Client
from rowcite.api.facts import ACTIVE_STATUSES
from rowcite.api.keys import canonical
from rowcite.errors import (
    ApiError,
    ApiRefused,
    Incomplete,
    InsufficientCredit,
    KeyRefused,
    NotFound,
    Retriable,
    RowciteError,
)
from rowcite.model import ActiveBatch, Task
from rowcite.progress import Progress
from rowcite.submit.ledger_thread import LedgerThread
from rowcite.submit.options import SubmitOptions
from rowcite.submit.queue import Problem, TaskSource
from rowcite.submit.results import key_in, keys_of_inputs
from rowcite.wording import plural

_THROTTLED = 429
_LISTED_ON_REQUEST = (*ACTIVE_STATUSES, "action_required")


@dataclass(frozen=True, slots=True)
class Created:
    """The outcome of a POST: `unsent` are the keys of tasks that certainly have no run."""

    batch: ActiveBatch
    unsent: set[bytes]
    problem: Problem | None


class Creator:
    """Creates runs, for one submission."""

    def __init__(
        self, client: Client, ledger_thread: LedgerThread, options: SubmitOptions, progress: Progress
    ) -> None:
        self.client, self.ledger_thread, self.ledger = client, ledger_thread, ledger_thread.ledger
        self.options, self.progress = options, progress
        self._numbers: dict[bytes, int] = {}  # of questions in the ledger, by fingerprint

    async def create(self, source: TaskSource, tasks: list[Task]) -> Created:
        """Create a group and its runs, and find out which exist.

        Raises:
            KeyRefused, ApiError: nothing more can be sent; what is known of these runs is in the ledger.
            Incomplete: the API counts runs that it does not list, so it is not known which exist.
        """
        number = await self._number(source.question)
        group_id = await self.client.create_group()
        batch = await self.ledger_thread.call(
            self.ledger.record_intent, number, group_id, tasks, processor=source.processor, price=source.price
        )
        problem = await self._post(source, batch, tasks)
        if problem is None or _allows_more(problem):
            return Created(batch, await self._uncreated(batch, problem), problem)
        with suppress(RowciteError):  # the next command finds out what is not known now
            await self.forget(batch, await self._uncreated(batch, problem))
        raise problem

    @asynccontextmanager
    async def looking_up(self, batches: list[ActiveBatch], api: str) -> AsyncIterator[None]:
        """Report which of these runs may exist at `api`, and record how long the context waited for them.

        A command that ends before they are known, at its deadline for example, need not be the last: the next one continues.
        """
        unsure = [batch for batch in batches if batch.unsure and batch.api == api]
        try:
            if runs := sum(len(batch.active) for batch in unsure):
                seconds = f"up to {self.options.reconcile_after:.0f} s"
                self.progress.say(
                    f"a command ended while it created {plural(runs, 'run')}: looking up which exist ({seconds})"
                )
            yield
        finally:
            if unsure:
                await self.ledger_thread.call(self.ledger.record_waits, unsure)

    async def reconcile(self, batch: ActiveBatch, reconcile_after: float) -> set[bytes]:
        """Find out which runs of a batch exist; return the keys of those that do not.

        Runs may appear late, and the API may list ended runs only. So none counts as not created before
        `reconcile_after` seconds have passed since the POST and every run that the group counts is listed.

        Raises:
            Incomplete: after `options.unexplained` seconds the API still counts runs that it does not list.
        """
        began, pause = time.monotonic(), min(self.options.first_pause, reconcile_after)
        while batch.unsure:
            count = (await self.client.group(batch.group_id)).status.num_task_runs
            if count >= len(batch.inputs):
                await self.ledger_thread.call(self.ledger.mark_sent, batch.id)
                self._report_extra(batch, count - len(batch.inputs))
                break
            late = time.monotonic() - batch.sent
            listed = await self._list(batch, count)
            explained = len(listed) >= count
            if explained and late >= reconcile_after:
                await self.ledger_thread.call(self.ledger.record_run_ids, batch.id, list(listed.items()))
                batch.unsure = False
                return batch.active - listed.keys()
            if not explained and time.monotonic() - began > self.options.unexplained:
                raise Incomplete(
                    f"task group {batch.group_id}: the API counts {plural(count, 'run')} and lists {len(listed)}, so it is not"
                    " known which tasks it is working on. Nothing is sent twice: run again later to continue"
                )
            wait = max(min(pause, reconcile_after - late), 0.05) if explained else pause
            await asyncio.sleep(wait)
            pause = min(max(pause, 0.05) * 2, self.options.longest_pause)
        batch.unsure = False
        return set()

    def _report_extra(self, batch: ActiveBatch, runs: int) -> None:
        """Report runs of a batch's group that the ledger does not have: nothing here created them."""
        if runs > 0:
            self.progress.say(
                f"task group {batch.group_id}: the API counts {plural(runs, 'more run')} than the ledger has. They may be"
                " charged, and are not part of the spend shown here"
            )

    async def forget(self, batch: ActiveBatch, keys: set[bytes]) -> None:
        """Delete the intents of runs that do not exist."""
        await self.ledger_thread.call(self.ledger.forget_uncreated, batch.id, keys)
        batch.active -= keys

    async def _number(self, question: Question) -> int:
        """Return the number of a question in the ledger."""
        name = question.fingerprint
        if name not in self._numbers:
            self._numbers[name] = await self.ledger_thread.call(
                self.ledger.record_question, name, canonical(question.named)
            )
        return self._numbers[name]

    async def _post(self, source: TaskSource, batch: ActiveBatch, tasks: list[Task]) -> Problem | None:
        """Send the POST that costs money; return the error after which it is not certain that all runs exist."""
        body = runs_body(source.question, tasks)
        sending = partial(self.ledger_thread.call, self.ledger.mark_sending, batch)
        try:
            run_ids = await self.client.add_runs(batch.group_id, body, sending=sending, many=len(tasks) > 1)
        except (ApiError, InsufficientCredit, KeyRefused) as error:
            batch.sent = time.monotonic()  # it was under way until now
            if isinstance(error, Retriable) and not _created_nothing(error):
                self.progress.say(
                    f"the response to creating {plural(len(tasks), 'run')} was lost ({error}): looking up which exist"
                )
            return error
        await self.ledger_thread.call(self.ledger.record_created, batch.id, run_ids)
        batch.unsure = len(run_ids) != len(tasks)
        return None

    async def _uncreated(self, batch: ActiveBatch, problem: Problem | None) -> set[bytes]:
        """Return the keys of the tasks that a POST with this outcome did not create."""
        if _created_nothing(problem):
            return set(batch.active)
        options, refused = self.options, _refused_explicitly(problem)
        try:
            return await self.reconcile(
                batch, options.reconcile_after_refusal if refused else options.reconcile_after
            )
        except NotFound as error:
            if isinstance(problem, NotFound):
                return set(batch.active)  # both responses report an unknown group
            raise Incomplete(
                f"{error}. The response to creating {plural(len(batch.active), 'run')} in it was lost, so it is not known whether they"
                " exist. Nothing is sent twice: run again later to continue"
            ) from error

    async def _list(self, batch: ActiveBatch, count: int) -> dict[bytes, str]:
        """Return the runs (id by key) that the API lists for a batch with `count` counted runs.

        The API may list ended runs only unless the others are requested by status, may leave metadata and inputs out,
        and may send an event that cannot be read: such a run is requested by itself.
        """
        found: dict[bytes, str] = {}
        unidentified: set[str] = set()

        async def add(events: list[Event | UnreadableEvent]) -> None:
            for event in events:
                key, run_id = None, event.run_id if isinstance(event, UnreadableEvent) else None
                if isinstance(event, Event) and event.run is not None:
                    key, run_id = key_in(batch, event.run, event), event.run.run_id
                if run_id is not None and key is None:
                    unidentified.add(run_id)
                elif run_id is not None and key is not None:
                    found[key] = run_id

        for status, inputs in ((None, False), (None, True), *((name, True) for name in _LISTED_ON_REQUEST)):
            if len(found) >= count:
                return found
            await self.client.group_runs(batch.group_id, add, status=status, inputs=inputs)
        ids = sorted(unidentified.difference(found.values()))
        shown = await asyncio.gather(*map(self.client.input, ids), return_exceptions=True)
        return found | keys_of_inputs(batch, ids, shown)


def _created_nothing(problem: Problem | None) -> bool:
    """Return True if a POST certainly created nothing: it was not sent, or refused before it was read."""
    if isinstance(problem, Retriable):
        return not problem.sent or problem.status == _THROTTLED
    return isinstance(problem, KeyRefused)


def _refused_explicitly(problem: Problem | None) -> bool:
    """Return True if the API answered with a refusal, so that runs it created all the same appear soon."""
    if problem is None or isinstance(problem, Retriable):
        return False
    return not isinstance(problem, ApiError) or problem.status > 0


def _allows_more(problem: Problem) -> bool:
    """Return True if tasks that were not created may be sent again, all of them or some."""
    return isinstance(problem, ApiRefused | InsufficientCredit | NotFound | Retriable)
