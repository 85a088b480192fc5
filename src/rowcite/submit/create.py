"""Creates the runs of one batch: the intent in the ledger, the POST, then certainty about which runs exist.

The order that keeps money safe: the intent is in the ledger before the POST, the run ids after it. A POST whose
answer is lost is not sent again before its group was counted and listed. Each batch has a group of its own, so
that the group's count of runs decides.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from rowcite.api.bodies import Question, runs_body
from rowcite.api.client import Client
from rowcite.errors import (
    ApiError,
    ApiRefused,
    Incomplete,
    KeyRefused,
    NotFound,
    OutOfCredit,
    Retriable,
    RowciteError,
)
from rowcite.ledger import Ledger
from rowcite.model import ActiveBatch, Task
from rowcite.progress import Progress
from rowcite.submit.ledger_thread import LedgerThread
from rowcite.submit.match import created
from rowcite.submit.options import SubmitOptions
from rowcite.submit.queue import Problem, TaskSource

_THROTTLED = 429


@dataclass(frozen=True, slots=True)
class Created:
    """What became of a POST: `unsent` are the keys of tasks of which it is certain that no run exists."""

    batch: ActiveBatch
    unsent: set[bytes]
    problem: Problem | None


class Creator:
    """Creates runs, for one submission."""

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        ledger_thread: LedgerThread,
        options: SubmitOptions,
        progress: Progress,
    ) -> None:
        self.client, self.ledger, self.ledger_thread = client, ledger, ledger_thread
        self.options, self.progress = options, progress

    async def create(self, source: TaskSource, number: int, tasks: list[Task]) -> Created:
        """Create a group and its runs, and make sure which exist. `number` is the question's in the ledger.

        Raises:
            KeyRefused, ApiError: nothing more can be sent; what is known of these runs is in the ledger.
            Incomplete: the API counts runs that it does not list, so it is not known which exist.
        """
        group_id = await self.client.create_group()
        batch = await self.ledger_thread.call(
            self.ledger.record_intent, number, group_id, tasks, processor=source.processor, price=source.price
        )
        problem = await self._post(source.question, batch, tasks)
        if _passes(problem):
            return Created(batch, await self._unsent(batch, problem), problem)
        with suppress(RowciteError):  # what cannot be found out now is looked up by the next command
            await self.forget(batch, await self._unsent(batch, problem))
        assert problem is not None
        raise problem

    async def reconcile(self, batch: ActiveBatch, reconcile_after: float) -> set[bytes]:
        """Make sure which runs of a batch exist; return the keys of those that do not.

        `reconcile_after` is for how many seconds after the POST they may come to light.
        """
        if not batch.unsure:
            return set()
        found = await created(
            self.client, batch, reconcile_after=reconcile_after, unexplained=self.options.unexplained
        )
        if found is None:
            await self.ledger_thread.call(self.ledger.mark_sent, batch.id)
            missing: set[bytes] = set()
        else:
            await self.ledger_thread.call(self.ledger.record_run_ids, batch.id, list(found.items()))
            missing = batch.active - found.keys()
        batch.unsure = False
        return missing

    async def forget(self, batch: ActiveBatch, keys: set[bytes]) -> None:
        """Take back the intents of runs that do not exist."""
        await self.ledger_thread.call(self.ledger.forget_uncreated, batch.id, keys)
        batch.active -= keys

    async def _post(self, asked: Question, batch: ActiveBatch, tasks: list[Task]) -> Problem | None:
        """Send the POST that costs money; return why it is not known, from the answer, that all runs exist."""
        body, sending = (
            runs_body(asked, tasks),
            partial(self.ledger_thread.call, self.ledger.mark_sending, batch),
        )
        try:
            run_ids = await self.client.add_runs(batch.group_id, body, sending=sending, many=len(tasks) > 1)
        except (ApiError, OutOfCredit, KeyRefused) as error:
            batch.sent_at = time.time()  # it was under way until now
            if isinstance(error, Retriable) and not _created_nothing(error):
                self.progress.say(
                    f"the answer to creating {len(tasks)} runs was lost ({error}): looking up what was created"
                )
            return error
        await self.ledger_thread.call(self.ledger.record_created, batch.id, run_ids)
        batch.unsure = len(run_ids) != len(tasks)
        return None

    async def _unsent(self, batch: ActiveBatch, problem: Problem | None) -> set[bytes]:
        """Return the keys of the tasks that were not created, after a POST that ended like this."""
        if _created_nothing(problem):
            return set(batch.active)
        options = self.options
        try:
            return await self.reconcile(
                batch,
                options.reconcile_after_refusal if _refused_explicitly(problem) else options.reconcile_after,
            )
        except NotFound as error:
            if isinstance(problem, NotFound):
                return set(batch.active)  # there is no such group, so both say
            raise Incomplete(
                f"{error}. The answer to creating {len(batch.active)} runs in it was lost, so it is not known whether they"
                " exist. Nothing is sent twice: run again later to go on"
            ) from error


def _created_nothing(problem: Problem | None) -> bool:
    """Tell whether a POST certainly created nothing: it never got there, or was turned away at the door."""
    if isinstance(problem, Retriable):
        return not problem.sent or problem.status == _THROTTLED
    return isinstance(problem, KeyRefused)


def _refused_explicitly(problem: Problem | None) -> bool:
    """Tell whether the API refused in so many words, so that runs are not long in coming to light."""
    if problem is None or isinstance(problem, Retriable):
        return False
    return not isinstance(problem, ApiError) or problem.status > 0


def _passes(problem: Problem | None) -> bool:
    """Tell whether tasks that were not created may be sent again, all of them or some."""
    return problem is None or isinstance(problem, ApiRefused | OutOfCredit | NotFound | Retriable)
