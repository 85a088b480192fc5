"""A submission in a process that kills itself at a write of the ledger."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from rowcite.ledger import Ledger
from support.submitting import Api, Submission, tasks

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(  # the children begin with these imported
    [
        *("rowcite.cli", "rowcite.pipeline.prepare", "rowcite.local.research", "rowcite.local.server.bench"),
        *("rowcite.local.server.serving", "rowcite.submit.submitter"),
    ]
)
WRITES = (
    *("record_question", "record_intent", "mark_sending", "record_created", "mark_sent"),
    *("record_run_ids", "forget_uncreated", "save"),
)


def submit_and_die(folder: Path, url: str, at: int, *, before: bool) -> None:
    """Submit, and kill this process before or after the ledger write with this number."""
    writes = count(1)

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def write(*args: Any, **more: Any) -> Any:
            dies = next(writes) == at
            if dies and before:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*args, **more)
            if dies:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return write

    for name in WRITES:
        setattr(Ledger, name, dying(getattr(Ledger, name)))
    job = Submission(folder, Api(url, None, None, None))
    job.run(tasks(job.question, 30), active_runs=12)
