"""Which task a run answers: by the key in its metadata, else by its input, never by position."""

from __future__ import annotations

from rowcite.client import Client
from rowcite.errors import ApiError
from rowcite.keys import canonical
from rowcite.ledger import OpenBatch
from rowcite.wire import Event, Run, input_of


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


async def listed(client: Client, batch: OpenBatch, count: int) -> dict[bytes, str]:
    """Return the runs (id by key) that the API lists for a batch of which it counts `count`.

    The API may list ended runs only unless it is asked for the others, and may leave metadata out.
    """
    found: dict[bytes, str] = {}
    for status, inputs in ((None, False), (None, True), ("queued", True), ("running", True)):
        if len(found) >= count:
            break

        def take(event: Event) -> None:
            key = key_of(batch, event.run, event) if event.run is not None else None
            if key is not None and event.run is not None:
                found[key] = event.run.run_id

        await client.group_runs(batch.group_id, take, status=status, inputs=inputs)
    return found
