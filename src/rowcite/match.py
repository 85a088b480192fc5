"""Which task a run answers, and which runs a POST created: by the key in the metadata, else by the input, never by position."""

from __future__ import annotations

import asyncio
import time

from rowcite.client import Client
from rowcite.errors import ApiError, Unfinished
from rowcite.keys import canonical
from rowcite.records import OpenBatch
from rowcite.wire import Event, Run, input_of

_STATES = ("queued", "running", "cancelling", "action_required")
_LONGEST_PAUSE = 30.0


def key_of(batch: OpenBatch, run: Run, event: Event | None = None) -> bytes | None:
    """Return the key of the task that a run of this batch answers; None when the event does not tell.

    Raises:
        ApiError: the run belongs to no task of the batch. An answer must never land on another row.
    """
    key = run.key
    if key is None:
        shown = input_of(event) if event is not None else None
        if shown is None:
            return None
        text = canonical(shown)
        key = next((key for key, sent in batch.inputs.items() if sent == text), b"")
    if key not in batch.inputs:
        raise ApiError(
            f"run {run.run_id} of task group {batch.group_id} answers a question that was not asked there. Stopped, so"
            " that no answer lands on another row. Everything that was matched is saved"
        )
    return key


async def created(
    client: Client, batch: OpenBatch, *, settle: float, unexplained: float
) -> dict[bytes, str] | None:
    """Find out what a POST created: run ids by key, or None for everything.

    Runs may come to light late, and the API may list ended runs only. So nothing counts as not created before
    `settle` seconds have passed since the POST and every run that the group counts is accounted for.

    Raises:
        Unfinished: after `unexplained` seconds the API still counts runs that it does not list.
    """
    began, pause = time.monotonic(), min(0.5, settle)
    while True:
        count = (await client.group(batch.group_id)).status.num_task_runs
        if count >= len(batch.inputs):
            return None
        late = time.time() - batch.sent_at
        found = await listed(client, batch, count)
        if len(found) >= count and late >= settle:
            return found
        if time.monotonic() - began > unexplained:
            raise Unfinished(
                f"task group {batch.group_id}: the API counts {count} runs and lists {len(found)}, so it is not known"
                " which tasks it is working on. Nothing is sent twice: run again later to go on"
            )
        await asyncio.sleep(max(min(pause, settle - late), 0.05) if len(found) >= count else pause)
        pause = min(max(pause, 0.05) * 2, _LONGEST_PAUSE)


async def listed(client: Client, batch: OpenBatch, count: int) -> dict[bytes, str]:
    """Return the runs (id by key) that the API lists for a batch of which it counts `count`.

    The API may list ended runs only unless it is asked for the others, and may leave metadata out.
    """
    found: dict[bytes, str] = {}

    def take(event: Event) -> None:
        key = key_of(batch, event.run, event) if event.run is not None else None
        if key is not None and event.run is not None:
            found[key] = event.run.run_id

    for status, inputs in ((None, False), (None, True), *((state, True) for state in _STATES)):
        if len(found) >= count:
            break
        await client.group_runs(batch.group_id, take, status=status, inputs=inputs)
    return found
