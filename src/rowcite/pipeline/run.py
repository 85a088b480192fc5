"""The commands that send: `run`, and `submit` and `collect`, which are the same in two steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from rowcite.api.facts import MICRO
from rowcite.errors import LedgerBusy, UsageError
from rowcite.pipeline.execution import Confirmations, Execution, Outcome, Rounds
from rowcite.pipeline.plan import Plan, check_budget, left_of_total, look
from rowcite.pipeline.prepare import Prepared
from rowcite.pipeline.rounds import Round, escalation_rounds, first_rounds, parts_again
from rowcite.progress import Progress
from rowcite.submit.options import Follow
from rowcite.submit.stop import Stop
from rowcite.table.survey import Survey
from rowcite.wording import plural_is


def run(prepared: Prepared, progress: Progress, confirm: Confirmations, stop: Stop | None = None) -> Outcome:
    """Run a job from the plan to the table; return its summary and the error that stopped it, and raise as `Execution.working`.

    Few calls lead from here to a request, so that the stack of an error shows where it happened.
    """
    command = Execution(prepared, progress, confirm, stop)
    try:
        with command.working():
            survey, planned = command.plan()
            budget = _budget(command, planned)
            command.confirm_plan(planned)
            steps = planned.to_escalate or planned.reusable
            if planned.to_submit or steps or command.ledger.active_batches():
                _begin(command, planned)
                with command.submissions(_all_rounds(command, survey), budget) as submissions:
                    for submit_round in submissions:
                        submit_round()
    except LedgerBusy as error:
        return command.locked_out(error)
    return command.outcome


def submit(
    prepared: Prepared, progress: Progress, confirm: Confirmations, stop: Stop | None = None
) -> Outcome:
    """Send the first question of each task and end; return and raise as `run`. Writes no table.

    Raises:
        UsageError: the local backend answers, whose server ends with the command.
    """
    _check_lasting(prepared, "submit")
    command = Execution(replace(prepared, output=None), progress, confirm, stop, "submit")
    try:
        with command.working():
            _submit(command)
    except LedgerBusy as error:
        return command.locked_out(error)
    return command.outcome


def collect(
    prepared: Prepared,
    progress: Progress,
    confirm: Confirmations,
    stop: Stop | None = None,
    *,
    wait: timedelta | None = None,
) -> Outcome:
    """Take the answers that are ready, escalate, and write the table; return and raise as `run`.

    Sends no first question. With `wait`, follow what is active for that long, escalations too.

    Raises:
        UsageError: the local backend answers, whose server ends with the command.
    """
    _check_lasting(prepared, "collect")
    command = Execution(prepared, progress, confirm, stop, "collect")
    try:
        with command.working():
            _collect(command, wait)
    except LedgerBusy as error:
        return command.locked_out(error)
    return command.outcome


def _budget(command: Execution, planned: Plan) -> int:
    """Return what may newly be spent, in micro-US$."""
    by_flag = command.prepared.max_cost is not None
    return check_budget(command.job, planned, command.ledger, by_flag=by_flag)


def _all_rounds(command: Execution, survey: Survey) -> Rounds:
    """Yield the rounds of `run`: the first question of each task, then escalations."""
    yield from first_rounds(command.job, survey)
    yield from _escalations(command)


def _begin(command: Execution, planned: Plan) -> None:
    """Begin the progress of `run`. More may be active than the plan counts: escalations, and rows beyond `--limit`."""
    job, active = command.job, _active(command)
    answered = planned.tasks - planned.to_submit - planned.active
    seconds = job.seconds_of([job.spec.task.processor], planned.runs + planned.active)
    if seconds is not None and active:
        seconds = 0.0, seconds[1]  # those may end at any time
    command.progress.begin(answered + planned.to_submit + active, answered, active, seconds)


def _active(command: Execution) -> int:
    """Return how many tasks earlier commands left active at the API."""
    batches = (batch for batch in command.ledger.active_batches() if batch.api == command.prepared.api)
    return sum(batch.size(key) for batch in batches for key in batch.active)


def _submit(command: Execution) -> None:
    survey, planned = command.plan()
    budget = _budget(command, planned)
    command.confirm_plan(planned)
    if not planned.to_submit and not any(batch.unsure for batch in command.ledger.active_batches()):
        return
    if planned.to_submit:
        command.ledger.record_submission(round(command.job.spec.limits.max_cost_usd * MICRO))
    command.progress.begin(planned.to_submit, 0)
    command.send(first_rounds(command.job, survey), budget, Follow.NEVER)


def _collect(command: Execution, wait: timedelta | None) -> None:
    budget = _budget_to_collect(command)
    active = _active(command)
    command.progress.begin(active, 0, active)

    def active_runs() -> Rounds:
        if command.ledger.active_batches():
            yield Round([])

    def all_rounds() -> Rounds:
        yield from active_runs()
        yield from _next_rounds(command)

    if wait is None:
        command.send(active_runs(), budget, Follow.ONCE)
    else:
        with command.stop.pausing_after(wait):
            command.send(all_rounds(), budget)
    command.send(_next_rounds(command), budget, Follow.NEVER)
    command.pending_text = partial(_text_of_pending, command)


def _next_rounds(command: Execution) -> Rounds:
    """Yield what follows from the answers: packed rows without a part of their answer alone, then escalations."""
    if command.job.spec.task.records_per_run > 1 and (keys := command.ledger.parts_to_send_again()):
        yield parts_again(command.job, look(command.job, command.ledger, command.stop), keys)
    yield from _escalations(command)


def _escalations(command: Execution) -> Rounds:
    return escalation_rounds(
        command.job,
        command.ledger,
        progress=command.progress,
        stop=command.stop,
        confirm=command.confirm.escalation,
        typed=command.prepared.command,
        name=command.summary.command,
    )


def _text_of_pending(command: Execution, rows: int) -> str:
    """Return the message about rows that are pending after `collect`."""
    text = f"{plural_is(rows, 'row')} still pending"
    if command.ledger.active_batches():
        return f"{text}. Run `{command.prepared.command('collect')}` again when their answers are ready"
    return f"{text}, and no run is active. Send them with `{command.prepared.command('submit')}`"


def _budget_to_collect(command: Execution) -> int:
    """Return what may newly be spent, in micro-US$: without a limit on the total, what is left of the submission's budget."""
    limits, total = command.job.spec.limits, left_of_total(command.job, command.ledger)
    own = round(limits.max_cost_usd * MICRO)
    if total is not None:
        return max(min(own, total), 0)
    if (submission := command.ledger.submission()) is None:
        return own
    budget, spent = submission
    flag = command.prepared.max_cost
    return max((budget if flag is None else round(flag * MICRO)) - spent, 0)


def _check_lasting(prepared: Prepared, name: str) -> None:
    if prepared.job.local:
        raise UsageError(
            f"`rowcite {name}` needs a server that outlives it, and the local backend's ends with each command. Use `rowcite run`,"
            " or start `rowcite serve --corpus DIR` and give --backend parallel --base-url URL"
        )
