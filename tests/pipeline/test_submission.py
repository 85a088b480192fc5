"""Submissions to the shipped server: requests, money, time to the ledger, and each open question about the API both ways."""

import asyncio
import json
import re
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import pytest

from rowcite.errors import ApiError, ApiRefused, BudgetExceeded, Incomplete, InsufficientCredit
from rowcite.submit.options import SubmitOptions
from support import diagonal, with_slow
from support.answers import runs_of
from support.deviant import Deviations
from support.submitting import PRICE, Submission, tasks, whole

REAL = {
    name: getattr(SubmitOptions(), name)
    for name in ("gather", "sweep", "first_pause", "reconcile_after", "reconcile_after_refusal")
}


@pytest.fixture
def start(opened):
    """Return a function that starts a deviating server and returns a submission to it."""
    return opened


# --- numbers ---------------------------------------------------------------------------------------------


def test_a_thousand_rows_cost_at_most_six_requests(start):
    job = start()
    some = tasks(job.question, 1000)
    job.run(some, **REAL)
    assert whole(job, some)
    assert len(job.api.requests()) <= 6


def test_a_batch_is_recorded_only_when_few_others_wait_for_their_response(start):
    """After a kill each recorded batch without a response is looked up: a long table must not record all of them first."""
    job = start()
    some = tasks(job.question, 3_000)
    job.run(some, sending=1)
    assert whole(job, some)
    posts = [item["path"].rpartition("/")[2] for item in job.api.requests("POST")]
    assert posts == ["groups", "runs"] * 3


def test_runs_are_not_polled_one_by_one(start):
    job = start(latency=0.01)
    some = tasks(job.question, 300)
    job.run(some)
    assert whole(job, some)
    assert [line for line in job.api.requests("GET") if re.search(r"/runs/[^/]+$", line["path"])] == []
    # A few results at a time, where a listing would repeat all 300.
    assert len(job.api.requests("GET", "/result")) < 100


def test_the_limiter_counts_each_request(start):
    job = start(latency=0.002)
    job.run(tasks(job.question, 25), active_runs=5)
    assert job.submitter.client.rate_limiter.requests == len(job.api.requests())


def test_each_answer_is_in_the_ledger_within_five_seconds_of_its_completion(start):
    job = start(latency=0.01)  # core: 0.6 to 3 seconds
    some = tasks(job.question, 120)
    job.run(some, **REAL | {"gather": 0.5})
    assert whole(job, some)
    ended = {line["run"]: _unix(line["at"]) for line in job.api.lines() if "ended" in line}
    assert max(ended.values()) - min(ended.values()) > 1
    with job.ledger() as ledger:
        saved = dict(ledger._db.execute("SELECT run_id, ended_at FROM run").fetchall())
    beyond_gather = max(saved[run] - ended[run] for run in ended) - 0.5
    assert REAL["gather"] + beyond_gather < 5


def _unix(text):
    return datetime.fromisoformat(text).timestamp()


def test_active_runs_smaller_than_a_batch_are_respected(start):
    job = start(latency=0.002)
    some = tasks(job.question, 40)
    job.run(some, active_runs=7)
    assert whole(job, some)
    assert max(job.api.deviant.posts) == 7


def test_a_budget_stops_new_runs_and_keeps_what_is_under_way(start):
    job = start(latency=0.002)
    some = tasks(job.question, 30)
    with pytest.raises(BudgetExceeded, match=r"Stopped at the \$0.50 limit: \$0.50 spent"):
        job.run(some, active_runs=10, budget=20 * PRICE)
    assert job.states() == {"completed": 20}
    assert job.spent() == 20 * PRICE


# --- rejected rows and specs ------------------------------------------------------------------------------


def test_one_bad_row_does_not_sink_the_other_999(start):
    job = start(Deviations(refuse=lambda value: value["name"] == "Company 777"))
    some = tasks(job.question, 1000)
    job.run(some)
    assert job.states() == {"completed": 999, "refused": 1}
    assert job.misplaced(some) == [some[777].input]
    assert job.spent() == 999 * PRICE == job.totals.spent
    assert job.submitter._active == 0


def test_bad_rows_anywhere_in_a_batch_are_found(start):
    job = start(Deviations(refuse=lambda value: int(value["name"].split()[1]) % 10 == 0))
    job.run(tasks(job.question, 60))
    assert job.states() == {"completed": 54, "refused": 6}


def test_a_rejected_spec_costs_few_requests(start):
    job = start(Deviations(refuse=lambda _: True))
    with pytest.raises(ApiRefused, match="422"):
        job.run(tasks(job.question, 2000))
    assert len(job.api.requests()) < 150
    assert job.spent() == 0


def test_a_refused_processor_is_named_and_stops_at_once(start):
    job = start(Deviations(refuse=lambda _: True, refuse_status=403))
    with pytest.raises(ApiRefused, match="'core'") as caught:
        job.run(tasks(job.question, 100))
    assert caught.value.exit_code == 2
    assert len(job.api.deviant.posts) == 1
    assert job.spent() == 0


# --- credit ----------------------------------------------------------------------------------------------


def test_credit_held_by_active_runs_is_awaited(start):
    job = start(Deviations(reserve=10), latency=0.004)
    some = tasks(job.question, 24)
    job.run(some, active_runs=20)
    assert whole(job, some)
    assert len(job.api.requests()) < 60


def test_credit_for_part_of_a_batch_is_used_up(start):
    job = start(Deviations(credit=37))
    with pytest.raises(InsufficientCredit, match="402"):
        job.run(tasks(job.question, 100))
    assert job.states() == {"completed": 37}
    assert job.spent() == 37 * PRICE == job.totals.spent
    assert job.submitter._active == 0


def test_an_account_without_credit_costs_few_requests(start):
    job = start(Deviations(credit=0))
    with pytest.raises(InsufficientCredit):
        job.run(tasks(job.question, 2000))
    assert job.spent() == 0
    assert len(job.api.requests()) < 80


def test_a_refusal_for_credit_that_created_some_runs_pays_none_twice(start):
    job = start(Deviations(keep=12, answer=402), latency=0.003)
    some = tasks(job.question, 40)
    job.run(some)
    assert whole(job, some)


# --- lost posts, listings and streams -----------------------------------------------------------------------------------

LOST_POSTS = {"cut": None, "500": 500, "504": 504, "422": 422, "402": 402, "408": 408}


@pytest.mark.parametrize(("keep", "answer"), diagonal([0, 25, 40], LOST_POSTS))
def test_a_lost_post_creates_each_run_once_whatever_it_created(start, keep, answer):
    job = start(Deviations(keep=keep, answer=LOST_POSTS[answer]))
    some = tasks(job.question, 40)
    job.run(some)
    assert whole(job, some)


LISTINGS = [
    {},
    {"list_ended_only": True},
    {"list_lag": 0.4},
    {"count_lag": 0.2},
    {"shuffle": True},
    {"drop_metadata": True},
    {"drop_metadata": True, "list_ended_only": True, "shuffle": True, "list_lag": 0.3},
    {"drop_metadata": True, "drop_inputs": True, "shuffle": True},
]


@pytest.mark.parametrize(
    ("how", "keep"),
    diagonal(LISTINGS, [25, 40]),
    ids=lambda value: ("+".join(value) or "as shipped") if isinstance(value, dict) else None,
)
def test_a_lost_post_is_found_out_about_however_runs_are_listed(start, keep, how):
    job = start(Deviations(keep=keep, answer=None, **how), latency=0.001)
    some = tasks(job.question, 40)
    job.run(some, reconcile_after=0.35)
    assert whole(job, some)


@pytest.mark.parametrize("late", [0.1, 0.6])
def test_runs_that_appear_late_are_awaited(start, late):
    job = start(Deviations(late=late))
    some = tasks(job.question, 40)
    job.run(some, reconcile_after=0.9)
    assert whole(job, some)


def test_runs_that_are_counted_and_never_listed_are_not_sent_again(start):
    job = start(Deviations(keep=25, answer=None, list_lag=1e9), latency=1.0)
    with pytest.raises(Incomplete, match="counts 25 runs and lists 0"):
        job.run(tasks(job.question, 40), unexplained=0.5)
    assert len(job.api.created()) == 25
    assert job.states() == {"intended": 40}


@pytest.mark.parametrize(
    "how",
    [
        {"list_ended_only": True},
        {"list_lag": 1.0},
        {"count_lag": 0.5},
        {"shuffle": True},
        {"drop_metadata": True},
        {"drop_metadata": True, "drop_inputs": True},
        {"drop_outputs": True},
        {"drop_outputs": True, "drop_metadata": True},
        {"run_events": False},
        {"stall": True},
        {"end_at_once": True},
        {"repeat": True},
        {"odd_frames": True},
        {"squeeze": True},
        {"active_results": 5, "drop_outputs": True},
        {
            "shuffle": True,
            "drop_metadata": True,
            "repeat": True,
            "odd_frames": True,
            "list_lag": 0.3,
            "run_events": False,
        },
    ],
    ids="+".join,
)
def test_every_answer_arrives_on_its_own_row_whatever_streams_and_listings_do(start, how):
    job = start(Deviations(**how), latency=0.001)
    some = tasks(job.question, 60)
    job.run(some)
    assert whole(job, some)


def test_a_lagging_listing_costs_few_requests(start):
    job = start(Deviations(list_lag=1.5))
    some = tasks(job.question, 50)
    job.run(some, gather=0.05, sweep=60)
    assert whole(job, some)
    assert len(job.api.requests()) < 20


def without_blank_lines(method, path, body):
    """Return a listing as a proxy writes it that drops the blank lines between events."""
    if method != "GET" or not path.endswith("/runs"):
        return None
    return b"\n".join(line for line in body.split(b"\n") if line) + b"\n\n"


def test_runs_that_a_listing_never_shows_are_fetched_one_by_one(start):
    job = start(Deviations(mangle=without_blank_lines))
    some = tasks(job.question, 60)
    job.run(some, longest_pause=0.1, stalled_timeout=9.0)
    assert whole(job, some)


def test_a_stream_that_always_ends_at_once_costs_few_requests(start):
    job = start(Deviations(end_at_once=True), latency=0.01)  # 0.6 to 3 seconds
    some = tasks(job.question, 20)
    job.run(some, sweep=60, first_pause=REAL["first_pause"])
    assert whole(job, some)
    assert len(job.api.requests()) < 20


def test_a_run_without_key_and_input_stops_the_submission(start):
    job = start(Deviations(drop_metadata=True, drop_inputs=True, no_inputs=True))
    with pytest.raises(ApiError, match="neither its metadata nor its input"):
        job.run(tasks(job.question, 5))
    assert job.states() == {"submitted": 5}


def test_a_run_that_answers_another_question_stops_the_run_and_keeps_the_rest(start):
    job = start(Deviations(mangle=_swap_a_key))
    some = tasks(job.question, 5)
    with pytest.raises(ApiError, match="was not sent in it"):
        job.run(some)
    assert set(job.states()) <= {"completed", "submitted"}


def _swap_a_key(method, path, body):
    if method != "GET" or not path.endswith("/runs"):
        return None
    return b"\n\n".join([*body.split(b"\n\n")[:-2], _foreign(body.split(b"\n\n")[-2]), b""])


def _foreign(frame):
    event = json.loads(frame.removeprefix(b"data: "))
    event["run"]["metadata"] = dict.fromkeys(event["run"]["metadata"], "00" * 16)
    return b"data: " + json.dumps(event).encode()


@pytest.mark.parametrize("way", ["null", "missing", "404"])
def test_a_completed_run_without_output_fails_its_row_alone(start, way):
    job = start(Deviations(completed_without=way, drop_outputs=True))
    job.run(tasks(job.question, 3), missing_output_timeout=0)
    assert job.states() == {"failed": 3}
    assert job.spent() == 3 * PRICE
    with job.ledger() as ledger:
        errors = {run.error for run in runs_of(ledger, tasks(job.question, 3)).values()}
    assert errors == {"the API calls the run completed and has no output of it"}


def test_a_post_throttled_for_its_size_is_sent_in_smaller_chunks(start):
    job = start(Deviations(throttle_over=100))
    some = tasks(job.question, 400)
    job.run(some)
    assert whole(job, some)
    assert len(job.api.deviant.posts) < 25


def test_a_limit_far_below_the_own_costs_time_and_no_batch_its_size(start):
    job = start(Deviations(window=(3, 0.5)), latency=0.002)
    some = tasks(job.question, 60)
    job.run(some, active_runs=20)
    assert whole(job, some)
    assert job.api.deviant.throttled > 0
    assert sum(runs == 20 for runs in job.api.deviant.posts) >= 2
    assert min(job.api.deviant.posts) >= 10


def test_a_post_that_counts_with_each_of_its_runs_against_the_limit_gets_through_in_parts(start):
    job = start(Deviations(window=(260, 0.25), count_runs=True))
    some = tasks(job.question, 1000)
    job.run(some)
    assert whole(job, some)
    assert job.api.deviant.posts[0] == 1000
    assert max(len(made) for made in _batches(job)) == 250


def test_a_post_that_fits_a_limit_on_runs_stays_whole(start):
    turned_away = {"method": "POST", "path": "/runs$", "nth": [1, 2, 4, 5], "status": 429}
    job = start(
        faults={"http": [turned_away]}
    )  # as by a limit on runs that one such POST uses up for a while
    some = tasks(job.question, 2000)
    job.run(some)
    assert whole(job, some)
    assert {len(made) for made in _batches(job)} == {1000}


def _batches(job):
    """Return the runs created, by group."""
    groups = {}
    for line in job.api.created():
        groups.setdefault(line["group"], []).append(line)
    return groups.values()


def test_repeated_429_responses_are_waited_out_and_reported(start):
    job = start(
        faults={"http": [{"nth": list(range(1, 12)), "status": 429, "headers": {"retry-after": "0.1"}}]}
    )
    some = tasks(job.question, 40)
    job.retry_policy = replace(job.retry_policy, total=0.3)
    job.run(some)
    assert whole(job, some)
    assert any(
        re.fullmatch(r"the API is throttling .* continuing at [\d,]+ requests a minute", text)
        for text in job.progress.messages
    )


def test_endless_429_responses_end_at_the_deadline_and_cost_nothing(start):
    job = start(faults={"http": [{"method": "POST", "path": "/runs$", "status": 429}]})
    job.interrupt(tasks(job.question, 40), lambda: len(job.api.deviant.posts) > 2)
    assert job.api.created() == []


@pytest.mark.parametrize(
    "fault", [{"cut": True}, {"status": 503}, {"status": 500}], ids=["cut", "503", "500"]
)
def test_a_lost_post_that_created_nothing_is_sent_again_whole(start, fault):
    job = start(faults={"http": [{"method": "POST", "path": "/runs$", "nth": [1], **fault}]})
    some = tasks(job.question, 40)
    job.run(some, reconcile_after=0.1)
    assert whole(job, some)
    assert [len(made) for made in _batches(job)] == [40]


def test_a_chunk_that_is_lost_twice_is_sent_in_halves(start):
    job = start(faults={"http": [{"method": "POST", "path": "/runs$", "nth": [1, 2], "status": 503}]})
    some = tasks(job.question, 40)
    job.run(some, reconcile_after=0.1)
    assert whole(job, some)
    assert [len(made) for made in _batches(job)] == [20, 20]


def test_chunks_grow_again_after_accepted_posts(start):
    busy = {"method": "POST", "path": "/runs$", "nth": list(range(1, 10)), "status": 429}
    job = start(faults={"http": [{**busy, "headers": {"retry-after": "0"}}]})
    some = tasks(job.question, 5000)
    job.run(some, reconcile_after=0.1, active_runs=1000)
    assert whole(job, some)
    sizes = [len(made) for made in _batches(job)]
    assert min(sizes) == 500
    assert sizes.count(1000) >= 3


def test_a_413_halves_this_chunk_and_the_next_ones(start):
    large = Deviations(refuse=lambda _: True, refuse_over=100, refuse_status=413)
    job = start(large)
    some = tasks(job.question, 400)
    job.run(some, active_runs=200)
    assert whole(job, some)
    assert len([runs for runs in job.api.deviant.posts if runs > 100]) <= 2


def test_an_api_that_loses_each_post_ends_the_command_and_costs_nothing(start):
    job = start(faults={"http": [{"method": "POST", "path": "/runs$", "status": 500}]})
    with pytest.raises(ApiError, match="Run again"):
        job.run(tasks(job.question, 40), reconcile_after=0.1, losses=3)
    assert job.api.created() == []
    assert len(job.api.requests("POST", "/runs")) <= 7
    # The next command looks up the chunks that were being sent at the end.
    assert set(job.states()) <= {"intended"}


# --- resuming and stopping -------------------------------------------------------------------------------


def test_a_second_run_submits_nothing(start):
    job = start()
    some = tasks(job.question, 50)
    job.run(some)
    before = len(job.api.requests())
    job.run(some)
    assert len(job.api.requests()) == before


def test_active_runs_of_an_interrupted_submission_are_collected(start):
    job = start(latency=0.006)
    some = tasks(job.question, 50)
    job.interrupt_active(some)
    assert job.states().get("submitted", 0) > 0
    job.run(some)
    assert whole(job, some)


@pytest.mark.parametrize(
    "moment", with_slow([0.0, 0.01, 0.02, 0.04, 0.08, 0.15, 0.4, 0.8], 0.01, 0.04, 0.15, 0.8)
)
def test_a_cancelled_submission_loses_nothing(start, moment):
    job = start(latency=0.002)
    some = tasks(job.question, 100)

    async def cancelled():
        going = asyncio.create_task(job.go(some, active_runs=20))
        await asyncio.sleep(moment)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going

    with suppress(pytest.fail.Exception):  # it had ended before
        asyncio.run(cancelled())
    job.run(some)
    assert whole(job, some)


def test_active_runs_at_another_api_are_reported_and_left_alone(start):
    job = start(latency=1.0)
    some = tasks(job.question, 5)
    job.interrupt_active(some)
    other = Submission(job.folder, job.api)
    other.question = type(job.question)(
        {**job.question.named, "api": "https://elsewhere.example"}, *_rest(job.question)
    )
    other.run([])
    assert other.progress.messages == [
        f"5 runs are still active at {job.api.url}: run with --base-url {job.api.url} to collect them"
    ]
    assert job.states() == {"submitted": 5}


def _rest(asked):
    return asked.task_spec, asked.run, asked.extra_metadata


def test_runs_of_a_stopped_local_server_are_sent_again(start, tmp_path):
    job = start(latency=1.0)
    some = tasks(job.question, 5)
    job.interrupt_active(some)
    new = start()
    new.question = job.question
    new.run(some, local=True)
    assert new.states() == {"lost": 5, "completed": 5}
    assert new.misplaced(some) == []


def test_runs_of_an_unknown_group_are_not_sent_again(start, tmp_path):
    job = start(latency=1.0)
    some = tasks(job.question, 8)
    job.interrupt_active(some[:5])
    new = start()
    new.question = job.question
    with pytest.raises(Incomplete, match="does not know this task group"):
        new.run(some)
    assert new.states() == {"submitted": 5, "completed": 3}


def test_the_ledger_rejects_a_second_active_run_of_a_task(start):
    job = start(latency=1.0)
    some = tasks(job.question, 5)
    job.interrupt_active(some)
    with job.ledger() as ledger, pytest.raises(Exception, match="UNIQUE"):
        ledger.record_intent(1, "second", some[:1], processor="core", price=PRICE)


def test_a_late_run_of_a_partly_created_batch_stops_no_later_command(start):
    job = start(Deviations(keep=25, answer=None), latency=0.01)
    some = tasks(job.question, 40)
    job.interrupt_active(some)
    group = job.api.created()[0]["group"]
    late = next(task for task in some if task.key.hex() not in _keys(job, group))
    _create(job, group, late)
    job.run(some)
    assert job.misplaced(some) == []


def test_runs_that_nothing_here_created_are_reported(start):
    """A proxy repeats a part of the first POST."""
    job = start(how=Deviations(again=1))
    some = tasks(job.question, 10)
    job.run(some)
    assert any("the API counts 1 more run than the ledger has" in text for text in job.progress.messages)
    assert job.misplaced(some) == []


def _keys(job, group):
    return {
        value for line in job.api.created() if line["group"] == group for value in line["metadata"].values()
    }


def _create(job, group, task):
    import httpx

    from rowcite.api.bodies import runs_body

    url = f"{job.api.url}/v1/tasks/groups/{group}/runs"
    headers = {"content-type": "application/json"}
    httpx.post(url, content=runs_body(job.question, [task]), headers=headers).raise_for_status()


def test_reconciling_counts_from_the_post_and_not_from_the_intent(start):
    first = {
        "method": "POST",
        "path": "/runs$",
        "nth": [1],
        "status": 429,
        "headers": {"retry-after": "1"},
    }
    job = start(faults={"http": [first]})
    before = time.time()
    job.run(tasks(job.question, 1))
    with job.ledger() as ledger:
        sent_at = ledger._db.execute("SELECT sent_at FROM batch").fetchone()[0]
    assert sent_at - before >= 0.95
