"""Which task a run answers, and which runs a POST created: by the key in the metadata, else by the input, never by position."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from rowcite.api.bodies import Event, Run, UnreadableEvent, input_of
from rowcite.api.client import Client
from rowcite.api.facts import ACTIVE_STATUSES
from rowcite.api.keys import canonical
from rowcite.errors import ApiError, Incomplete, NotFound, Retriable
from rowcite.model import ActiveBatch

_STATES = (*ACTIVE_STATUSES, "action_required")
_LONGEST_PAUSE = 30.0


def key_of(batch: ActiveBatch, run: Run, event: Event | None = None) -> bytes | None:
    """Return the key of the task that a run of this batch answers; None when the event does not tell.

    Raises:
        ApiError: the run belongs to no task of the batch. An answer must never land on another row.
    """
    return _known(batch, run.run_id, run.key, input_of(event) if event is not None else None)


async def key_by_input(client: Client, batch: ActiveBatch, run_id: str) -> bytes | None:
    """Ask the API what a run was asked, and return the key of its task; None when it does not tell.

    Raises:
        ApiError: as `key_of`.
    """
    try:
        asked = await client.input(run_id)
    except (NotFound, Retriable):
        return None
    return _known(batch, run_id, asked.key, asked.input)


def _known(batch: ActiveBatch, run_id: str, key: bytes | None, shown: Any) -> bytes | None:
    if key is None:
        if shown is None:
            return None
        try:
            text = canonical(shown)
        except (ValueError, RecursionError):
            text = b""
        key = next((key for key, sent in batch.inputs.items() if sent == text), b"")
    if key not in batch.inputs:
        raise ApiError(
            f"run {run_id} of task group {batch.group_id} answers a question that was not asked there. Stopped, so"
            " that no answer lands on another row. Everything that was matched is saved"
        )
    return key


async def created(
    client: Client, batch: ActiveBatch, *, reconcile_after: float, unexplained: float
) -> dict[bytes, str] | None:
    """Find out what a POST created: run ids by key, or None for everything.

    Runs may come to light late, and the API may list ended runs only. So nothing counts as not created before
    `reconcile_after` seconds have passed since the POST and every run that the group counts is accounted for.

    Raises:
        Incomplete: after `unexplained` seconds the API still counts runs that it does not list.
    """
    began, pause = time.monotonic(), min(0.5, reconcile_after)
    while True:
        count = (await client.group(batch.group_id)).status.num_task_runs
        if count >= len(batch.inputs):
            return None
        late = time.time() - batch.sent_at
        found = await listed(client, batch, count)
        if len(found) >= count and late >= reconcile_after:
            return found
        if time.monotonic() - began > unexplained:
            raise Incomplete(
                f"task group {batch.group_id}: the API counts {count} runs and lists {len(found)}, so it is not known"
                " which tasks it is working on. Nothing is sent twice: run again later to go on"
            )
        await asyncio.sleep(max(min(pause, reconcile_after - late), 0.05) if len(found) >= count else pause)
        pause = min(max(pause, 0.05) * 2, _LONGEST_PAUSE)


async def listed(client: Client, batch: ActiveBatch, count: int) -> dict[bytes, str]:
    """Return the runs (id by key) that the API lists for a batch of which it counts `count`.

    The API may list ended runs only unless it is asked for the others, may leave metadata and inputs out, and may
    send an event that cannot be read: such a run is asked for by itself.
    """
    found: dict[bytes, str] = {}
    untold: set[str] = set()

    async def take(event: Event | UnreadableEvent) -> None:
        if isinstance(event, UnreadableEvent) or event.run is None:
            if isinstance(event, UnreadableEvent) and event.run_id is not None:
                untold.add(event.run_id)
            return
        key = key_of(batch, event.run, event)
        if key is None:
            untold.add(event.run.run_id)
        else:
            found[key] = event.run.run_id

    for status, inputs in ((None, False), (None, True), *((state, True) for state in _STATES)):
        if len(found) >= count:
            return found
        await client.group_runs(batch.group_id, take, status=status, inputs=inputs)
    left = sorted(untold.difference(found.values()))
    keys = await asyncio.gather(*(key_by_input(client, batch, run_id) for run_id in left))
    return found | {key: run_id for key, run_id in zip(keys, left, strict=True) if key is not None}
