"""Doors that shut in the middle: a refused key, processor, group, row or header. What is owed is known at once."""

import pytest

from rowcite.errors import ApiError, ApiRefused, KeyRefused
from support.deviant import Deviations
from support.submitting import PRICE, tasks


@pytest.fixture
def start(opened):
    """Return a function that starts a server with faults and gives a submission to it."""

    def started(*http, how=None, **settings):
        return opened(how, **{"faults": {"http": list(http)}, **settings})

    return started


def post(status, *, nth=None, **more):
    return {"method": "POST", "path": "/runs$", "nth": nth, "status": status, **more}


def whole(job, some):
    assert job.misplaced(some) == []
    assert len(job.api.created()) == len(some)
    assert job.spent() == len(some) * PRICE
    return True


# --- keys, processors, groups ----------------------------------------------------------------------------

SHUT = {401: (KeyRefused, 3), 403: (ApiRefused, 2)}


@pytest.mark.parametrize("status", SHUT)
def test_a_door_that_is_shut_on_a_post_leaves_nothing_owed_and_the_next_command_goes_on(start, status):
    kind, code = SHUT[status]
    job = start(post(status, nth=[1]))
    some = tasks(job.question, 20)
    with pytest.raises(kind) as told:
        job.run(some)
    assert told.value.exit_code == code
    assert (job.spent(), job.states()) == (0, {})
    job.run(some)
    assert whole(job, some)


@pytest.mark.parametrize("status", SHUT)
def test_a_door_that_shuts_in_the_middle_keeps_what_was_taken_and_owes_nothing_else(start, status):
    job = start(post(status, nth=list(range(3, 99))), latency=0.005)
    some = tasks(job.question, 60)
    with pytest.raises(SHUT[status][0]):
        job.run(some, active_runs=10)
    assert job.spent() == len(job.api.created()) * PRICE == 20 * PRICE
    assert sum(job.states().values()) == 20


def test_posts_under_way_when_the_door_shuts_are_answered_before_the_command_ends(start):
    job = start(post(401, nth=[1], delay=0.3), post(401, nth=[2, 3, 4], delay=0.9))
    with pytest.raises(KeyRefused):
        job.run(tasks(job.question, 4000))
    assert job.api.deviant.posts == [1000] * 4
    assert job.api.created() == []
    assert (job.spent(), job.states()) == (0, {})


def test_a_key_that_is_refused_while_runs_are_followed_keeps_what_has_arrived(start):
    gone = {"method": "GET", "path": "/runs$", "nth": list(range(3, 999)), "status": 401}
    job = start(gone, latency=0.01)
    some = tasks(job.question, 40)
    with pytest.raises(KeyRefused):
        job.run(some)
    states = job.states()
    assert states["completed"] > 0
    assert sum(states.values()) == 40


def test_a_group_that_is_not_there_for_a_post_is_replaced(start):
    job = start(post(404, nth=[1]))
    some = tasks(job.question, 20)
    job.run(some)
    assert whole(job, some)


def test_groups_that_are_never_there_are_given_up_and_nothing_is_owed(start):
    job = start(post(404))
    with pytest.raises(ApiError, match="Run again to go on") as told:
        job.run(tasks(job.question, 1), losses=3)
    assert told.value.exit_code == 4
    assert (job.spent(), job.states()) == (0, {})


@pytest.mark.parametrize("status", [301, 307, 501])
def test_an_answer_that_makes_no_sense_is_final_and_what_it_left_is_found_out_at_once(start, status):
    job = start(post(status, nth=[1], when="after"))
    some = tasks(job.question, 20)
    with pytest.raises(ApiError) as told:
        job.run(some)
    assert told.value.exit_code == 4
    assert job.states() == {"submitted": 20}
    job.run(some)
    assert whole(job, some)


# --- rows ------------------------------------------------------------------------------------------------


def bad(*numbers):
    names = {f"Company {number}" for number in numbers}
    return lambda value: value["name"] in names


def test_the_rows_that_a_422_names_are_taken_out_and_the_others_go_in_one_post(start):
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
        lambda _: list(range(40)),
        lambda _: [],
        lambda rows: [row + 1 for row in rows],
    ],
    ids=["the first only", "a good one", "good ones and none", "all", "none", "the neighbours"],
)
def test_no_row_is_refused_on_being_named(start, names):
    job = start(how=Deviations(refuse=bad(3, 11, 30), names=names))
    some = tasks(job.question, 40)
    job.run(some)
    assert job.states() == {"completed": 37, "refused": 3}
    assert job.misplaced(some) == [some[row].input for row in (3, 11, 30)]
    assert job.spent() == 37 * PRICE == job.submitter.spent
    assert job.submitter._active == 0
    assert len(job.api.deviant.posts) < 60


def test_many_bad_rows_in_the_first_batch_are_not_taken_for_a_bad_spec(start):
    job = start(how=Deviations(refuse=bad(*range(0, 100, 4)), names=lambda rows: rows))
    job.run(tasks(job.question, 100))
    assert job.states() == {"completed": 75, "refused": 25}


def test_a_spec_that_is_all_bad_is_told_from_bad_rows_also_when_rows_are_named(start):
    job = start(how=Deviations(refuse=lambda _: True, names=lambda rows: rows[:50]))
    with pytest.raises(ApiRefused, match="422"):
        job.run(tasks(job.question, 1000))
    assert len(job.api.requests()) < 150
    assert job.spent() == 0


# --- headers ---------------------------------------------------------------------------------------------


def test_an_api_that_refuses_beta_headers_is_asked_without(start):
    job = start(how=Deviations(refuse_betas=True))
    some = tasks(job.question, 20)
    job.run(some)
    assert whole(job, some)
