"""A whole run: plan, confirm, submit round after round, write. Plain synchronous code but for the submissions."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, fields
from typing import Any

from rowcite.api.facts import MICRO
from rowcite.api.rate_limit import RateLimiter
from rowcite.errors import (
    BudgetExceeded,
    DeadlineReached,
    Declined,
    Incomplete,
    InsufficientCredit,
    LedgerBusy,
    RowciteError,
)
from rowcite.ledger import Ledger, open_ledger
from rowcite.model import Counts, RowStatus
from rowcite.pipeline.escalate import EscalationRound
from rowcite.pipeline.plan import Plan, check_budget, look, plan
from rowcite.pipeline.prepare import Prepared, answering
from rowcite.pipeline.rounds import rounds
from rowcite.pipeline.write import pending_text, write
from rowcite.progress import Progress
from rowcite.spec.models import Spec
from rowcite.submit.options import SubmissionTotals, SubmitOptions
from rowcite.submit.stop import Stop
from rowcite.submit.submitter import submit_tasks

FAILED_TOO_MANY = 7


@dataclass(slots=True)
class Summary:
    """The outcome of a run. Money is US$ at list price, an upper bound.

    `output` is where the table is, None if none was written; `output_warning` is set if another table was there.
    """

    rows: Counts = field(default_factory=Counts)
    tasks: int = 0
    answered: int = 0
    submitted: int = 0
    retried: int = 0
    spent_usd: float = 0.0
    requests: int = 0
    seconds: float = 0.0
    output: str | None = None
    output_warning: str | None = None
    ledger: str = ""
    warnings: dict[str, int] = field(default_factory=dict)
    stopped: str | None = None
    exit_code: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as a JSON object."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**values, "rows": self.rows.as_dict()}


@dataclass(frozen=True, slots=True)
class Confirmations:
    """How a run asks before it spends: for the plan, and for an escalation that most answers would need."""

    plan: Callable[[Plan], bool] = lambda _: True
    escalation: Callable[[EscalationRound], bool] = lambda _: False


def run(
    prepared: Prepared, progress: Progress, confirm: Confirmations, stop: Stop | None = None
) -> tuple[Summary, RowciteError | None]:
    """Run a job from the plan to the table; return its summary and the error that stopped it, if any.

    After `Incomplete`, `InsufficientCredit` and `BudgetExceeded` the table is written with the answers so far, but not
    after `LedgerBusy`. `stop` cancels the run from another thread.

    Raises:
        Declined: the plan was not confirmed. Nothing was submitted, and no table is written.
        RowciteError: the run failed. No table is written.
    """
    began = time.monotonic()
    stopped_by: RowciteError | None = None
    stop = stop or Stop()
    stop.limit(prepared.job.spec.limits.deadline)
    summary = Summary(output=prepared.output, ledger=str(prepared.ledger))
    try:
        with closing(open_ledger(prepared.ledger, writing=True, wait=prepared.wait)) as ledger:
            try:
                _submit(prepared, ledger, progress, confirm, stop, summary)
            except (Incomplete, InsufficientCredit, BudgetExceeded) as error:
                stopped_by = error
            finally:
                progress.end()
            stopped_by = _write(prepared, ledger, summary, stopped_by)
    except LedgerBusy as error:
        stopped_by = error
        summary.output, summary.exit_code = None, error.exit_code
    summary.seconds = round(time.monotonic() - began, 3)
    summary.stopped = str(stopped_by) if stopped_by else None
    return summary, stopped_by


def _submit(  # noqa: PLR0913, PLR0917 - the parts of a run
    prepared: Prepared,
    ledger: Ledger,
    progress: Progress,
    confirm: Confirmations,
    stop: Stop,
    summary: Summary,
) -> None:
    job = prepared.job
    survey = look(job, ledger, stop)
    planned = plan(job, ledger, survey, stop)
    summary.tasks, summary.answered = planned.tasks, planned.answered
    budget = check_budget(job, planned, ledger)
    _confirm(planned, confirm, stop)
    if not planned.to_submit and not planned.to_escalate and not ledger.active_batches():
        return
    progress.begin(planned.tasks, planned.tasks - planned.to_submit - planned.active)
    limits, totals, spent_before = job.spec.limits, SubmissionTotals(), ledger.spent()
    rate_limiter = RateLimiter(limits.requests_per_minute, limits.concurrency)
    options = SubmitOptions(active_runs=limits.active_runs, budget=budget, local=job.local)
    with answering(prepared) as api:
        try:
            for step in rounds(job, ledger, survey, progress=progress, stop=stop, confirm=confirm.escalation):
                submitted_before = totals.submitted
                try:
                    submit_tasks(
                        step.sources,
                        api,
                        ledger,
                        options,
                        rate_limiter=rate_limiter,
                        totals=totals,
                        progress=progress,
                        stop=stop,
                    )
                finally:
                    summary.retried += (totals.submitted - submitted_before) * step.escalation
        finally:
            summary.submitted, summary.requests = totals.submitted, totals.requests
            summary.spent_usd = (ledger.spent() - spent_before) / MICRO


def _confirm(planned: Plan, confirm: Confirmations, stop: Stop) -> None:
    began = time.monotonic()
    confirmed = confirm.plan(planned)
    stop.extend(time.monotonic() - began)
    if not confirmed:
        raise Declined("Nothing was submitted, nothing was spent")


def _write(
    prepared: Prepared, ledger: Ledger, summary: Summary, stopped_by: RowciteError | None
) -> RowciteError | None:
    """Write the table; return why rows are pending, if any are."""
    summary.warnings = ledger.warnings()
    summary.exit_code = stopped_by.exit_code if stopped_by else 0
    if prepared.output is None:
        return stopped_by

    def exit_code(rows: Counts) -> int:
        return stopped_by.exit_code if stopped_by else _exit_code(prepared.job.spec, rows)

    written = write(prepared.job, ledger, prepared.output, exit_code=exit_code, replace=prepared.replace)
    summary.rows, summary.exit_code = written.rows, written.exit_code
    summary.output, summary.output_warning = written.place, written.warning
    pending = written.requested[RowStatus.PENDING]
    if isinstance(stopped_by, DeadlineReached):
        stopped_by.pending = pending
    if stopped_by is None and pending:
        return Incomplete(pending_text(pending))
    return stopped_by


def _exit_code(spec: Spec, rows: Counts) -> int:
    """Return the exit code of a run that was not stopped, by its rows within `--limit`."""
    if rows[RowStatus.PENDING]:
        return Incomplete.exit_code
    most = spec.limits.max_failed
    allowed = most * rows.total() if isinstance(most, float) else most
    return FAILED_TOO_MANY if rows[RowStatus.FAILED] > allowed else 0
