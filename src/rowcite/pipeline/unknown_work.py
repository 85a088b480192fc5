"""What a ledger cannot know: the work that was done after a copy of it was made, if the copy was restored."""

from __future__ import annotations

import time

from rowcite.ledger import Ledger
from rowcite.pipeline.job import Job
from rowcite.table.sinks import sample_run_ids


def unknown_work(job: Job, ledger: Ledger, *, to_submit: int) -> list[str]:
    """Return the warnings before tasks are submitted that may have been submitted with a newer ledger."""
    if not to_submit:
        return []
    if copied := copy_text(ledger):
        return [f"{copied} Rows that were submitted since then are sent again, and paid for again"]
    output = job.spec.output.path
    if output is None or output == "-" or "://" in output or job.fresh:
        return []
    found = sample_run_ids(str(job.spec.path(output)), job.reader.source)
    unknown = ledger.unknown_runs(found)
    if not unknown:
        return []
    runs = f"{unknown:,} of {len(found):,} runs" if len(found) > 1 else "the run"
    text = (
        f"the ledger does not know {runs} that {output} names: it is another ledger (--ledger), or was restored from an older"
        " copy. Rows that were answered by them are sent again, and paid for again"
    )
    return [text]


def copy_text(ledger: Ledger) -> str | None:
    """Return what is not known if the ledger is a copy with which nothing was submitted yet, else None."""
    at = ledger.copied_at()
    if at is None:
        return None
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
    return (
        f"this ledger is a copy of {made}: what was submitted, answered and decided since then is not known."
    )
