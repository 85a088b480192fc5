"""Refusals: of the key, processor, group, row or header. The spend is right after each of them."""

from dataclasses import replace

import pytest

from rowcite.errors import ApiError, ApiRefused, KeyRefused
from support.deviant import Deviations
from support.submitting import PRICE, tasks, whole


@pytest.fixture
def start(opened):
    """Return a function that starts a server with faults and returns a submission to it."""

    def started(*http, how=None, **settings):
        return opened(how, **{"faults": {"http": list(http)}, **settings})

    return started


def post(status, *, nth=None, **more):
    return {"method": "POST", "path": "/runs$", "nth": nth, "status": status, **more}


# --- keys, processors, groups ----------------------------------------------------------------------------

REFUSALS = {401: (KeyRefused, 3), 403: (ApiRefused, 2)}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refused_post_costs_nothing_and_the_next_command_finishes(start, status):
    kind, code = REFUSALS[status]
    job = start(post(status, nth=[1]))
    some = tasks(job.question, 20)
    with pytest.raises(kind) as caught:
        job.run(some)
    assert caught.value.exit_code == code
    assert (job.spent(), job.states()) == (0, {})
    job.run(some)
    assert whole(job, some)


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_after_some_posts_keeps_and_charges_their_runs_alone(start, status):
    job = start(post(status, nth=list(range(3, 99))), latency=0.005)
    some = tasks(job.question, 60)
    with pytest.raises(REFUSALS[status][0]):
        job.run(some, active_runs=10)
    assert job.spent() == len(job.api.created()) * PRICE == 20 * PRICE
    assert sum(job.states().values()) == 20


def test_active_posts_are_awaited_after_a_refusal(start):
    how = Deviations(together=4)
    job = start(post(401, nth=[1], delay=0.05), post(401, nth=[2, 3, 4], delay=0.5), how=how)
    job.retry_policy = replace(job.retry_policy, answer=60.0, total=120.0)
    with pytest.raises(KeyRefused):
        job.run(tasks(job.question, 4000))
    assert job.api.deviant.posts == [1000] * 4
    assert job.api.created() == []
    assert (job.spent(), job.states()) == (0, {})


def test_a_key_refused_while_runs_are_followed_keeps_the_answers(start):
    gone = {"method": "GET", "path": "/runs$", "nth": list(range(3, 999)), "status": 401}
    job = start(gone, latency=0.01)
    some = tasks(job.question, 40)
    with pytest.raises(KeyRefused):
        job.run(some)
    states = job.states()
    assert states["completed"] > 0
    assert sum(states.values()) == 40


def test_a_group_that_is_missing_at_its_post_is_replaced(start):
    job = start(post(404, nth=[1]))
    some = tasks(job.question, 20)
    job.run(some)
    assert whole(job, some)


def test_groups_that_are_always_missing_end_the_command_and_cost_nothing(start):
    job = start(post(404))
    with pytest.raises(ApiError, match="Run again to continue") as caught:
        job.run(tasks(job.question, 1), losses=3)
    assert caught.value.exit_code == 4
    assert (job.spent(), job.states()) == (0, {})


@pytest.mark.parametrize("status", [301, 307, 501])
def test_an_unexpected_response_is_final_and_its_runs_are_looked_up(start, status):
    job = start(post(status, nth=[1], when="after"))
    some = tasks(job.question, 20)
    with pytest.raises(ApiError) as caught:
        job.run(some)
    assert caught.value.exit_code == 4
    assert job.states() == {"submitted": 20}
    job.run(some)
    assert whole(job, some)


# --- rows ------------------------------------------------------------------------------------------------


def bad(*numbers):
    names = {f"Company {number}" for number in numbers}
    return lambda value: value["name"] in names


def test_the_rows_that_a_422_names_are_removed_and_the_rest_sent_in_one_post(start):
    job = start(how=Deviations(refuse=bad(17, 500, 999), names=lambda rows: rows))
    some = tasks(job.question, 1000)
    job.run(some)
    assert job.states() == {"completed": 997, "refused": 3}
    assert sorted(job.api.deviant.posts) == [1, 1, 1, 997, 1000]
    assert job.spent() == 997 * PRICE


@pytest.mark.parametrize(
    "names",
    [
        lambda rows: rows[:1],
        lambda _: [0],
        lambda _: [3, 10**9],
        lambda _: list(range(16)),
        lambda _: [],
        lambda rows: [row + 1 for row in rows],
    ],
    ids=["the first only", "a good one", "good ones and none", "all", "none", "the neighbours"],
)
def test_no_row_is_refused_on_being_named(start, names):
    job = start(how=Deviations(refuse=bad(3, 6, 14), names=names))
    some = tasks(job.question, 16)
    job.run(some)
    assert job.states() == {"completed": 13, "refused": 3}
    assert job.misplaced(some) == [some[row].input for row in (3, 6, 14)]
    assert job.spent() == 13 * PRICE == job.totals.spent
    assert job.submitter._active == 0
    assert len(job.api.deviant.posts) < 40


def test_many_bad_rows_in_the_first_batch_do_not_count_as_a_bad_spec(start):
    job = start(how=Deviations(refuse=bad(*range(0, 100, 4)), names=lambda rows: rows))
    job.run(tasks(job.question, 100))
    assert job.states() == {"completed": 75, "refused": 25}


def test_a_spec_that_the_api_rejects_ends_the_command_though_rows_are_named(start):
    job = start(how=Deviations(refuse=lambda _: True, names=lambda rows: rows[:50]))
    with pytest.raises(ApiRefused, match="422"):
        job.run(tasks(job.question, 1000))
    assert len(job.api.requests()) < 150
    assert job.spent() == 0


# --- headers ---------------------------------------------------------------------------------------------


def test_refused_beta_headers_are_left_out(start):
    job = start(how=Deviations(refuse_betas=True))
    some = tasks(job.question, 20)
    job.run(some)
    assert whole(job, some)
