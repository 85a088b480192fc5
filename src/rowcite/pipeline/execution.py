"""What a command does that sends and writes: it opens the ledger, submits rounds, writes the table, and sums up."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import cast

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
from rowcite.pipeline.last_write import kept
from rowcite.pipeline.plan import Plan, look, plan
from rowcite.pipeline.prepare import Prepared, answering
from rowcite.pipeline.rounds import Round
from rowcite.pipeline.summary import CommandName, Summary, recorded
from rowcite.pipeline.write import FAILED_TOO_MANY, Written, pending_text, unfinished_text, write
from rowcite.progress import Progress
from rowcite.spec.models import Spec
from rowcite.submit.options import DEFAULT_SENDING, AnsweringApi, Follow, SubmissionTotals, SubmitOptions
from rowcite.submit.stop import Stop
from rowcite.submit.submitter import submit_tasks
from rowcite.table.coverage import Coverage
from rowcite.table.sinks import output_format
from rowcite.table.survey import Survey
from rowcite.wording import plural

Rounds = Generator[Round, None, None]
Outcome = tuple[Summary, RowciteError | None]
Submit = Callable[[], None]
_REASONS = 10  # that a summary has


@dataclass(frozen=True, slots=True)
class Confirmations:
    """How a run asks before it spends: for the plan, and for an escalation that most answers would need."""

    plan: Callable[[Plan], bool] = lambda _: True
    escalation: Callable[[EscalationRound], bool] = lambda _: False


class Execution:
    """A command at work: its job, its ledger, how it reports and asks, and its outcome."""

    def __init__(
        self,
        prepared: Prepared,
        progress: Progress,
        confirm: Confirmations,
        stop: Stop | None,
        name: CommandName = "run",
    ) -> None:
        self.prepared, self.job = prepared, prepared.job
        self.progress, self.confirm, self.stop = progress, confirm, stop or Stop()
        self.summary, self.stopped_by = new_summary(prepared, name), cast("RowciteError | None", None)
        self.ledger: Ledger  # while the command works
        self.pending_text = partial(pending_text, command=prepared.command("run"))
        limits = self.job.spec.limits
        self.stop.limit(limits.deadline)
        self._rate_limiter = RateLimiter(limits.requests_per_minute, limits.concurrency)
        self._totals, self._spent_before = SubmissionTotals(), 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Open the ledger for the work of the command, then write its output, if it has one.

        After `Incomplete`, `InsufficientCredit` and `BudgetExceeded` the table is written with the answers so far. `stop`
        cancels the command from another thread.

        Raises:
            LedgerBusy: another command uses the ledger. No table is written.
            Declined: the plan was not confirmed. Nothing was submitted, and no table is written.
            RowciteError: the command failed. No table is written.
        """
        prepared, summary = self.prepared, self.summary
        with (
            closing(open_ledger(prepared.ledger, writing=True, wait=prepared.wait)) as ledger,
            recorded(summary, ledger, prepared.ledger, has_lock=True),
        ):
            ledger.begin_command()
            self.ledger, self._spent_before = ledger, ledger.spent()
            try:
                yield
            except (Incomplete, InsufficientCredit, BudgetExceeded) as error:
                self.stopped_by = error
            except TableError as error:
                if not has_changed(self.job):
                    raise
                self.stopped_by = TableChanged(str(error))
            finally:
                self.progress.end()
            self.stopped_by = _write(self, self.stopped_by)
            if self.stopped_by is not None:
                summary.stopped = str(self.stopped_by)

    def locked_out(self, error: LedgerBusy) -> Outcome:
        """Return the outcome where another command uses the ledger."""
        self.summary.exit_code, self.summary.stopped = error.exit_code, str(error)
        return self.summary, error

    @property
    def outcome(self) -> Outcome:
        """Return the summary, and the error that stopped the command."""
        return self.summary, self.stopped_by

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

    def send(self, rounds: Rounds, budget: int, follow: Follow = Follow.TO_END) -> None:
        """Submit rounds one after the other; `budget` and what it raises as `submissions`."""
        with self.submissions(rounds, budget, follow) as submissions:
            for submit in submissions:
                submit()

    @contextmanager
    def submissions(
        self, rounds: Rounds, budget: int, follow: Follow = Follow.TO_END
    ) -> Iterator[Iterable[Submit]]:
        """Yield what submits each of some rounds, to be called before the next. `budget` (micro-US$) is for all of them.

        Raises:
            RowciteError: as `submit_tasks`.
        """
        with closing(rounds):
            if (first := next(rounds, None)) is None:
                yield ()  # the API, and its key, are not needed
                return
            options = SubmitOptions(
                active_runs=self.job.spec.limits.active_runs,
                sending=max(DEFAULT_SENDING, 2 * self.job.spec.limits.concurrency),
                budget=budget,
                local=self.job.local,
                follow=follow,
            )
            with (
                answering(self.prepared) as api,
                closing(self._counted(chain([first], rounds), api, options)) as submissions,
            ):
                yield submissions

    def _counted(
        self, rounds: Iterable[Round], api: AnsweringApi, options: SubmitOptions
    ) -> Generator[Submit, None, None]:
        """Yield what submits each round, and count afterwards what it sent, also if it failed."""
        summary, totals = self.summary, self._totals
        for step in rounds:
            submitted_before = totals.submitted
            try:
                yield partial(
                    submit_tasks,
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


def write_stored(prepared: Prepared) -> Outcome:
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
        written = _written(prepared, ledger, exit_code)
    except TableChanged as error:
        summary.output_warning = str(error) if stopped_by else None
        stopped_by = stopped_by or error
        summary.exit_code = stopped_by.exit_code
        return stopped_by
    summary.rows, summary.exit_code = written.rows, written.exit_code
    summary.output, summary.output_warning = written.place, written.warning
    summary.files, summary.output_notes = written.files, written.notes
    add_coverage(summary, written.coverage)
    if isinstance(stopped_by, DeadlineReached):
        stopped_by.pending = written.requested[RowStatus.PENDING]
    if summary.exit_code == FAILED_TOO_MANY:
        failed = written.requested[RowStatus.FAILED]
        within = "" if written.requested == written.rows else " within --limit"
        summary.stopped = f"{plural(failed, 'row')}{within} failed, more than limits.max_failed allows: see rowcite_error in the table"
    unfinished = unfinished_text(written, pending_text, prepared.command("run"))
    if stopped_by is None and not unfinished:
        summary.next = _next_commands(prepared, written)
    return Incomplete(unfinished) if stopped_by is None and unfinished else stopped_by


def _written(prepared: Prepared, ledger: Ledger, exit_code: Callable[[Counts], int]) -> Written:
    """Write the table, and keep its counts for `status`. Cells of a workbook hold less, so its counts differ."""
    job, output = prepared.job, prepared.output
    assert output is not None
    with ExitStack() as stack:
        rows = Counts()
        if job.distribution is not None or not output_format(output, job.reader.source).workbook:
            stack.enter_context(kept(job, ledger, prepared.ledger, rows))
        written = write(job, ledger, output, exit_code=exit_code, replace=prepared.replace)
        rows.update(written.rows)
    return written


def add_coverage(summary: Summary, found: Coverage) -> None:
    """Add to a summary what a table holds."""
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
