"""The plan of a run: its tasks, requests, cost and time, before anything is spent."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from rowcite.api.bodies import runs_body
from rowcite.api.facts import MICRO, RUNS_PER_REQUEST, usd
from rowcite.api.packing import packed, packs
from rowcite.errors import BudgetExceeded, LedgerError
from rowcite.ledger import Ledger
from rowcite.model import Task
from rowcite.pipeline.escalate import to_escalate
from rowcite.pipeline.job import Job
from rowcite.pipeline.next_step import CostForecast, outlook, shares
from rowcite.pipeline.question_changes import EarlierAnswers, earlier_answers, is_same
from rowcite.pipeline.spec_checks import column_warnings, spec_warnings
from rowcite.pipeline.unknown_work import unknown_work
from rowcite.pipeline.which_api import Use, choose_api
from rowcite.submit.stop import Stop
from rowcite.table.survey import Survey, survey
from rowcite.wording import plural

_REQUESTS_A_BATCH = 4  # create the group, add the runs, follow the events, read the answers


@dataclass(frozen=True, slots=True)
class Plan:
    """The work and cost of a run. Money is micro-US$; `seconds` is a range, None if unknown.

    `rows` counts all rows of the table, `requested` those within `--limit`; the counts after them are of the latter.
    `damaged` counts tasks whose stored answer cannot be used, and is not requested again either.
    `to_submit` counts tasks, `runs` the runs that carry them, `to_escalate` answered rows for the next processor,
    `reusable` those whose answer of it the ledger has from another question or an earlier answer.
    `expected` and `worst` are the cost with escalation and with packs sent again singly, None without either; `expected_is_assumed`
    is True if `expected` rests on an assumed share. `stored_for_other_questions` counts answers to earlier specs, of which
    `requested_again` are requested again because of the `changes`; `too_old` counts answers that are older than allowed.
    """

    rows: int
    requested: int
    skipped: int
    too_large: int
    tasks: int
    answered: int
    damaged: int
    active: int
    failed: int
    to_submit: int
    runs: int
    to_escalate: int
    reusable: int
    stored_for_other_questions: int
    changes: list[str]
    requested_again: int
    too_old: int
    price: int
    expected: int | None
    worst: int | None
    expected_is_assumed: bool
    requests: int
    seconds: tuple[float, float] | None
    sample: str | None
    warnings: list[str]

    @property
    def cost(self) -> int:
        """Return the cost of the first round, in micro-US$."""
        return self.runs * self.price


def look(job: Job, ledger: Ledger, stop: Stop | None = None) -> Survey:
    """Return the survey of the rows within `--limit`: their tasks, and the states in the ledger. Reads them once."""
    batches = (stop or Stop()).checked(job.batches_to_plan())
    again = job.fresh or job.retry_failed
    return survey(batches, ledger, not_before=job.not_before, again=again, room=job.memory // 2)


def plan(job: Job, ledger: Ledger, found: Survey | None = None, stop: Stop | None = None) -> Plan:
    """Return the plan of a run. Spends nothing, writes nothing.

    Reads the table, and the answers to find damaged ones, unless the table's survey is given.
    """
    stop = stop or Stop()
    damaged = 0 if found is not None else _damaged(job, ledger, stop)
    found = found or look(job, ledger, stop)
    runs = -(-found.to_submit // job.spec.task.records_per_run)
    escalating, reusable = to_escalate(job, ledger, stop) if job.spec.escalate else (0, 0)
    ahead = _outlook(job, ledger, found.to_submit, runs, escalating)
    before = _before(job, ledger, found)
    return Plan(
        rows=_rows(job, found, stop),
        requested=found.rows,
        skipped=found.skipped,
        too_large=found.too_large,
        tasks=found.tasks,
        answered=found.answered - damaged,
        damaged=damaged,
        active=found.active,
        failed=found.failed,
        to_submit=found.to_submit,
        runs=runs,
        to_escalate=escalating,
        reusable=reusable,
        stored_for_other_questions=before.other_answers,
        changes=before.changes,
        requested_again=min(before.answers, found.to_submit),
        too_old=min(before.too_old, found.to_submit),
        price=job.price,
        expected=ahead.expected if ahead else None,
        worst=ahead.worst if ahead else None,
        expected_is_assumed=ahead.assumed if ahead else False,
        requests=-(-runs // min(RUNS_PER_REQUEST, job.spec.limits.active_runs)) * _REQUESTS_A_BATCH,
        seconds=job.seconds_of([job.spec.task.processor], runs),
        sample=_sample(job, found.sample),
        warnings=[
            *spec_warnings(job.spec),
            *column_warnings(job.spec, job.reader.source.schema),
            *_answers_elsewhere(job, ledger, found.to_submit),
            *unknown_work(job, ledger, to_submit=found.to_submit),
        ],
    )


def _damaged(job: Job, ledger: Ledger, stop: Stop) -> int:
    """Return the number of the table's tasks whose answers are damaged. A ledger that cannot be read has its own error."""
    keys: set[bytes] = set()
    with suppress(LedgerError):
        keys = ledger.damaged_tasks()
    if not keys:
        return 0
    batches = stop.checked(job.batches_to_plan())
    return len({key for batch in batches for key in keys & batch.tasks.keys()})


def _before(job: Job, ledger: Ledger, found: Survey) -> EarlierAnswers:
    """Return which stored answers are not used, and why."""
    named = job.question.named
    ages = found.to_submit and job.not_before > 0
    stored = ledger.questions(named["api"])
    counted = {number: item for number, item in stored.items() if ages or not is_same(item, named)}
    answers = ledger.answers_by_question(counted, not_before=job.not_before)
    return earlier_answers(named, answers, found.to_submit, found.answered + found.active)


def _answers_elsewhere(job: Job, ledger: Ledger, to_submit: int) -> tuple[str, ...]:
    """Return the warning about answers of other APIs that are requested again."""
    api = job.question.named["api"]
    return choose_api(api, None, ledger.runs_by_api(), Use.SEND).warnings if to_submit else ()


def _rows(job: Job, found: Survey, stop: Stop) -> int:
    """Return the number of rows of the table. It is read to its end, so that its faults appear before money is spent."""
    if job.reader.limit is None or found.rows < job.reader.limit:
        return found.rows
    if job.distribution is not None:
        return job.distribution.rows
    return sum(batch.rows.frame.height for batch in stop.checked(job.reader.batches(job.question)))


def check_budget(job: Job, planned: Plan, ledger: Ledger, *, by_flag: bool) -> int:
    """Return the most that this command may newly spend, in micro-US$. `by_flag`: a flag names it, not the spec.

    Raises:
        BudgetExceeded: the first round costs more.
    """
    limits = job.spec.limits
    most = round(limits.max_cost_usd * MICRO)
    if planned.cost > most:
        name, other = ("--max-cost", "") if by_flag else ("limits.max_cost_usd", ", give --max-cost")
        raise BudgetExceeded(
            f"{plural(planned.runs, 'run')} would cost {usd(planned.cost)}, and {name} is {usd(most)}."
            f" Nothing was submitted. Raise it{other}, or take fewer rows with --limit"
        )
    left = left_of_total(job, ledger)
    if left is None:
        return most
    if planned.cost > left:
        raise BudgetExceeded(
            f"{plural(planned.runs, 'run')} would cost {usd(planned.cost)}, and of limits.max_total_usd"
            f" {usd(max(left, 0))} is left. Nothing was submitted. Raise it to continue"
        )
    return min(most, left)


def left_of_total(job: Job, ledger: Ledger) -> int | None:
    """Return what `limits.max_total_usd` allows to spend still, in micro-US$; None without that limit."""
    total = job.spec.limits.max_total_usd
    return None if total is None else round(total * MICRO) - ledger.spent()


def _outlook(job: Job, ledger: Ledger, tasks: int, runs: int, escalating: int) -> CostForecast | None:
    """Return the cost that may follow the first round: packed rows sent again singly, and escalation."""
    packing, processors = job.spec.task.records_per_run > 1, [job.spec.task.processor, *job.spec.escalate]
    if not packing and not job.spec.escalate:
        return None
    prices = [job.price_of(name) for name in processors]
    known_of = ledger.escalation_counts()
    answered = {name: known_of.get(job.ledger_processor(name), (0, 0))[0] for name in processors}
    unresolved = {
        name: known_of.get(job.ledger_processor(after), (0, 0))[1] for name, after in pairwise(processors)
    }
    first = outlook(tasks, prices, shares(processors, answered, unresolved))
    saved = (tasks - runs) * job.price if packing else 0
    singly = runs * job.price if packing else 0  # at worst no part of a pack's answer can be used
    more = sum(prices[1:])
    return CostForecast(
        first.expected - saved + escalating * (prices[1] if more else 0),
        first.worst + singly + escalating * more,
        first.shares,
        first.assumed and tasks > 0 and bool(job.spec.escalate),
    )


def _sample(job: Job, task: Task | None) -> str | None:
    """Return the body of a request for one task, without secrets."""
    if task is None:
        return None
    if job.spec.task.records_per_run == 1:
        return runs_body(job.question.shown, [task]).decode()
    packed_question = packed(job.question)
    return runs_body(packed_question.shown, packs(packed_question, [task], 1)).decode()
