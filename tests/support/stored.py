"""The runs of a ledger as tests compare them: one for each task."""

from __future__ import annotations

from collections.abc import Iterable

from rowcite.ledger import Ledger
from rowcite.model import RunState, StoredRun, Task


def runs_of(ledger: Ledger, tasks: Iterable[Task | bytes]) -> dict[bytes, StoredRun]:
    """Return one run of each task: the newest completed one, else the newest."""
    keys = [task.key if isinstance(task, Task) else task for task in tasks]
    return {
        runs[0].key: max(runs, key=lambda run: (run.state is RunState.COMPLETED, run.number))
        for runs in ledger.runs_by_task(keys)
    }
