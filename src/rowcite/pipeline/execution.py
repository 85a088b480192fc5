"""What a command does that sends and writes: it opens the ledger, submits rounds, writes the table, and sums up."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain

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
from rowcite.pipeline.coverage import Coverage
from rowcite.pipeline.escalate import EscalationRound
from rowcite.pipeline.input_changes import has_changed
from rowcite.pipeline.plan import Plan, look, plan
from rowcite.pipeline.prepare import Prepared, answering
from rowcite.pipeline.rounds import Round
from rowcite.pipeline.summary import CommandName, Summary, recorded
from rowcite.pipeline.write import FAILED_TOO_MANY, Written, pending_text, unfinished_text, write
from rowcite.progress import Progress
from rowcite.spec.models import Spec
from rowcite.submit.options import AnsweringApi, Follow, SubmissionTotals, SubmitOptions
from rowcite.submit.stop import Stop
from rowcite.submit.submitter import submit_tasks
from rowcite.table.survey import Survey

_REASONS = 10  # that a summary has


@dataclass(frozen=True, slots=True)
class Confirmations:
    """How a run asks before it spends: for the plan, and for an escalation that most answers would need."""

    plan: Callable[[Plan], bool] = lambda _: True
    escalation: Callable[[EscalationRound], bool] = lambda _: False


class Execution:
    """A command at work: its job, its open ledger, how it reports and asks, and its summary."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a command
        self,
        prepared: Prepared,
        ledger: Ledger,
        summary: Summary,
        progress: Progress,
        confirm: Confirmations,
        stop: Stop,
    ) -> None:
        self.prepared, self.job, self.ledger = prepared, prepared.job, ledger
        self.progress, self.confirm, self.stop = progress, confirm, stop
        self.summary = summary
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


def execute(  # noqa: PLR0913 - the parts of a command
    prepared: Prepared,
    progress: Progress,
    confirm: Confirmations,
    stop: Stop | None,
    work: Callable[[Execution], None],
    *,
    name: CommandName = "run",
) -> tuple[Summary, RowciteError | None]:
    """Do the work of a command, then write its output, if it has one; return its summary and the error that stopped it.

    After `Incomplete`, `InsufficientCredit` and `BudgetExceeded` the table is written with the answers so far, but not
    after `LedgerBusy`. `stop` cancels the command from another thread.

    Raises:
        Declined: the plan was not confirmed. Nothing was submitted, and no table is written.
        RowciteError: the command failed. No table is written.
    """
    stopped_by: RowciteError | None = None
    stop = stop or Stop()
    stop.limit(prepared.job.spec.limits.deadline)
    summary = new_summary(prepared, name)
    try:
        with (
            closing(open_ledger(prepared.ledger, writing=True, wait=prepared.wait)) as ledger,
            recorded(summary, ledger, prepared.ledger, has_lock=True),
        ):
            ledger.begin_command()
            execution = Execution(prepared, ledger, summary, progress, confirm, stop)
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
            if stopped_by is not None:
                summary.stopped = str(stopped_by)
    except LedgerBusy as error:
        stopped_by = error
        summary.exit_code, summary.stopped = error.exit_code, str(error)
    return summary, stopped_by


def write_stored(prepared: Prepared) -> tuple[Summary, RowciteError | None]:
    """Write the table with the stored answers; return its summary, and why rows are pending, if any are."""
    summary = new_summary(prepared, "write")
    with (
        closing(open_ledger(prepared.ledger, writing=False)) as ledger,
        recorded(summary, ledger, prepared.ledger, has_lock=False),
    ):
        summary.warnings = ledger.warnings()
        text = partial(pending_text, command=prepared.command("run"))
        stopped_by = _write_table(prepared, ledger, summary, None, text, _code_of_pending)
        summary.stopped = str(stopped_by) if stopped_by else None
    return summary, stopped_by


def new_summary(prepared: Prepared, name: CommandName) -> Summary:
    """Return the summary of a command that begins."""
    return Summary(command=name, spec=prepared.job.spec.file, api=prepared.api, ledger=str(prepared.ledger))


def _write(command: Execution, stopped_by: RowciteError | None) -> RowciteError | None:
    """Write the table; return why rows are pending, if any are."""
    prepared, summary = command.prepared, command.summary
    summary.warnings = command.ledger.warnings()
    summary.exit_code = stopped_by.exit_code if stopped_by else 0
    if prepared.output is None:
        summary.next = [] if stopped_by else [prepared.command("collect")]
        return stopped_by

    def exit_code(rows: Counts) -> int:
        return stopped_by.exit_code if stopped_by else _exit_code(prepared.job.spec, rows)

    return _write_table(prepared, command.ledger, summary, stopped_by, command.pending_text, exit_code)


def _write_table(  # noqa: PLR0913, PLR0917 - the parts of a command's end
    prepared: Prepared,
    ledger: Ledger,
    summary: Summary,
    stopped_by: RowciteError | None,
    pending_text: Callable[[int], str],
    exit_code: Callable[[Counts], int],
) -> RowciteError | None:
    """Write the table and complete the summary; return what stopped the command, or why rows are pending."""
    assert prepared.output is not None
    try:
        written = write(prepared.job, ledger, prepared.output, exit_code=exit_code, replace=prepared.replace)
    except TableChanged as error:
        summary.output_warning = str(error) if stopped_by else None
        stopped_by = stopped_by or error
        summary.exit_code = stopped_by.exit_code
        return stopped_by
    summary.rows, summary.exit_code = written.rows, written.exit_code
    summary.output, summary.output_warning = written.place, written.warning
    summary.files = written.files
    _add_coverage(summary, written.coverage)
    if isinstance(stopped_by, DeadlineReached):
        stopped_by.pending = written.requested[RowStatus.PENDING]
    if summary.exit_code == FAILED_TOO_MANY:
        failed = written.requested[RowStatus.FAILED]
        rows = "1 row" if failed == 1 else f"{failed:,} rows"
        within = "" if written.requested == written.rows else " within --limit"
        summary.stopped = (
            f"{rows}{within} failed, more than limits.max_failed allows: see rowcite_error in the table"
        )
    unfinished = unfinished_text(written, pending_text, prepared.command("run"))
    if stopped_by is None and not unfinished:
        summary.next = _next_commands(prepared, written)
    return Incomplete(unfinished) if stopped_by is None and unfinished else stopped_by


def _add_coverage(summary: Summary, found: Coverage) -> None:
    summary.answered_rows, summary.accepted_cells = found.answered, found.found
    summary.filled, summary.reasons = dict(found.filled), dict(found.reasons.most_common(_REASONS))


def _next_commands(prepared: Prepared, written: Written) -> list[str]:
    """Return what to type after a table without pending rows."""
    found = []
    if written.rows[RowStatus.FAILED]:
        found.append(f"{prepared.command('run')} --retry-failed")
    if (row := written.coverage.rejected_row) is not None:
        found.append(f"{prepared.command('explain')} --row {row}")
    return [*found, prepared.command("report")]


def _code_of_pending(rows: Counts) -> int:
    return Incomplete.exit_code if rows[RowStatus.PENDING] else 0


def _exit_code(spec: Spec, rows: Counts) -> int:
    """Return the exit code of a run that was not stopped, by its rows within `--limit`."""
    if rows[RowStatus.PENDING]:
        return Incomplete.exit_code
    most = spec.limits.max_failed
    allowed = most * rows.total() if isinstance(most, float) else most
    return FAILED_TOO_MANY if rows[RowStatus.FAILED] > allowed else 0
