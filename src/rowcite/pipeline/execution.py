"""What a command does that sends and writes: it opens the ledger, submits rounds, writes the table, and sums up."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, fields
from functools import partial
from itertools import chain
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
    TableChanged,
    TableError,
)
from rowcite.ledger import Ledger, open_ledger
from rowcite.model import Counts, RowStatus
from rowcite.pipeline.escalate import EscalationRound
from rowcite.pipeline.input_changes import has_changed
from rowcite.pipeline.plan import Plan, look, plan
from rowcite.pipeline.prepare import Prepared, answering
from rowcite.pipeline.rounds import Round
from rowcite.pipeline.write import FAILED_TOO_MANY, pending_text, unfinished_text, write
from rowcite.progress import Progress
from rowcite.spec.models import Spec
from rowcite.submit.options import AnsweringApi, Follow, SubmissionTotals, SubmitOptions
from rowcite.submit.stop import Stop
from rowcite.submit.submitter import submit_tasks
from rowcite.table.survey import Survey


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


class Execution:
    """A command at work: its job, its open ledger, how it reports and asks, and its summary."""

    def __init__(
        self, prepared: Prepared, ledger: Ledger, progress: Progress, confirm: Confirmations, stop: Stop
    ) -> None:
        self.prepared, self.job, self.ledger = prepared, prepared.job, ledger
        self.progress, self.confirm, self.stop = progress, confirm, stop
        self.summary = Summary(output=prepared.output, ledger=str(prepared.ledger))
        limits = self.job.spec.limits
        self.pending_text = partial(pending_text, command=prepared.command("run"))
        self._rate_limiter = RateLimiter(limits.requests_per_minute, limits.concurrency)
        self._totals, self._spent_before = SubmissionTotals(), ledger.spent()

    def plan(self) -> tuple[Survey, Plan]:
        """Return the survey and the plan of the rows within `--limit`."""
        survey = look(self.job, self.ledger, self.stop)
        planned = plan(self.job, self.ledger, survey, self.stop)
        self.summary.tasks, self.summary.answered = planned.tasks, planned.answered
        return survey, planned

    def confirm_plan(self, planned: Plan) -> None:
        """Show a plan, and return if it is confirmed.

        Raises:
            Declined: it is not. Nothing was submitted.
            TableChanged: the table has another header now, so other values would be sent. Nothing was submitted.
        """
        began = time.monotonic()
        confirmed = self.confirm.plan(planned)
        self.stop.extend(time.monotonic() - began)
        if not confirmed:
            raise Declined("Nothing was submitted, nothing was spent")
        self.job.now()

    def send(self, rounds: Generator[Round, None, None], budget: int, follow: Follow = Follow.TO_END) -> None:
        """Submit rounds one after the other. `budget` (micro-US$) is for all that this command sends.

        Raises:
            RowciteError: as `submit_tasks`.
        """
        with closing(rounds):
            if (first := next(rounds, None)) is None:
                return  # the API, and its key, are not needed
            options = SubmitOptions(
                active_runs=self.job.spec.limits.active_runs,
                budget=budget,
                local=self.job.local,
                follow=follow,
            )
            with answering(self.prepared) as api:
                for step in chain([first], rounds):
                    self._send_round(step, api, options)

    def _send_round(self, step: Round, api: AnsweringApi, options: SubmitOptions) -> None:
        summary, totals = self.summary, self._totals
        submitted_before = totals.submitted
        try:
            submit_tasks(
                step.sources,
                api,
                self.ledger,
                options,
                rate_limiter=self._rate_limiter,
                totals=totals,
                progress=self.progress,
                stop=self.stop,
            )
        finally:
            summary.retried += (totals.submitted - submitted_before) * step.escalation
            summary.submitted, summary.requests = totals.submitted, totals.requests
            summary.spent_usd = (self.ledger.spent() - self._spent_before) / MICRO


def execute(
    prepared: Prepared,
    progress: Progress,
    confirm: Confirmations,
    stop: Stop | None,
    work: Callable[[Execution], None],
) -> tuple[Summary, RowciteError | None]:
    """Do the work of a command, then write its output, if it has one; return its summary and the error that stopped it.

    After `Incomplete`, `InsufficientCredit` and `BudgetExceeded` the table is written with the answers so far, but not
    after `LedgerBusy`. `stop` cancels the command from another thread.

    Raises:
        Declined: the plan was not confirmed. Nothing was submitted, and no table is written.
        RowciteError: the command failed. No table is written.
    """
    began = time.monotonic()
    stopped_by: RowciteError | None = None
    stop = stop or Stop()
    stop.limit(prepared.job.spec.limits.deadline)
    summary = Summary(ledger=str(prepared.ledger))
    try:
        with closing(open_ledger(prepared.ledger, writing=True, wait=prepared.wait)) as ledger:
            ledger.begin_command()
            execution = Execution(prepared, ledger, progress, confirm, stop)
            summary = execution.summary
            try:
                work(execution)
            except (Incomplete, InsufficientCredit, BudgetExceeded) as error:
                stopped_by = error
            except TableError as error:
                if not has_changed(prepared.job):
                    raise
                stopped_by = TableChanged(str(error))
            finally:
                progress.end()
            stopped_by = _write(execution, stopped_by)
    except LedgerBusy as error:
        stopped_by = error
        summary.output, summary.exit_code = None, error.exit_code
    summary.seconds = round(time.monotonic() - began, 3)
    summary.stopped = str(stopped_by) if stopped_by else None
    return summary, stopped_by


def _write(command: Execution, stopped_by: RowciteError | None) -> RowciteError | None:
    """Write the table; return why rows are pending, if any are."""
    prepared, ledger, summary = command.prepared, command.ledger, command.summary
    summary.warnings = ledger.warnings()
    summary.exit_code = stopped_by.exit_code if stopped_by else 0
    if prepared.output is None:
        return stopped_by

    def exit_code(rows: Counts) -> int:
        return stopped_by.exit_code if stopped_by else _exit_code(prepared.job.spec, rows)

    try:
        written = write(prepared.job, ledger, prepared.output, exit_code=exit_code, replace=prepared.replace)
    except TableChanged as error:
        summary.output, summary.output_warning = None, str(error) if stopped_by else None
        stopped_by = stopped_by or error
        summary.exit_code = stopped_by.exit_code
        return stopped_by
    summary.rows, summary.exit_code = written.rows, written.exit_code
    summary.output, summary.output_warning = written.place, written.warning
    if isinstance(stopped_by, DeadlineReached):
        stopped_by.pending = written.requested[RowStatus.PENDING]
    unfinished = unfinished_text(written, command.pending_text, prepared.command("run"))
    return Incomplete(unfinished) if stopped_by is None and unfinished else stopped_by


def _exit_code(spec: Spec, rows: Counts) -> int:
    """Return the exit code of a run that was not stopped, by its rows within `--limit`."""
    if rows[RowStatus.PENDING]:
        return Incomplete.exit_code
    most = spec.limits.max_failed
    allowed = most * rows.total() if isinstance(most, float) else most
    return FAILED_TOO_MANY if rows[RowStatus.FAILED] > allowed else 0
