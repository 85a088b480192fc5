"""An API that contradicts itself: active runs are awaited, all others are given up after a documented time."""

import json
import re
import time

import pytest

from rowcite.errors import ApiError, Incomplete, Retriable
from rowcite.local.server.quirks import ACTIVE_NEVER_LISTED
from support.deviant import Deviations
from support.submitting import PRICE, tasks, whole


@pytest.fixture
def start(opened):
    """Return a function that starts a deviating server and returns a submission to it."""
    return opened


def listed(change):
    """Return a change of listings: each event becomes another event, bytes, or None to remove it."""

    def mangle(method, path, body):
        if method != "GET" or not path.endswith("/runs"):
            return None
        found = [json.loads(frame.removeprefix(b"data: ")) for frame in body.split(b"\n\n") if frame]
        changed = [change(event) for event in found]
        return (
            b"".join(
                b"data: " + (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n\n"
                for event in changed
                if event is not None
            )
            or b":\n\n"
        )

    return mangle


def company(event, number):
    return event["run"]["metadata"]["rowcite_key"] == number


def one(job_or_key, change):
    """Return a change of the events of one task's run."""
    return listed(lambda event: change(event) if company(event, job_or_key) else event)


# --- waiting ---------------------------------------------------------------------------------------------

ENDLESS = {
    "an unknown status": ({}, "has the status 'paused'"),
    "408 for a completed run": (
        {"drop_outputs": True, "active_results": 10**9},
        r"is active by another \(408\)",
    ),
    "no output, ever": ({"drop_outputs": True, "completed_without": "null"}, "its output is not returned"),
    "a missing result": (
        {"drop_outputs": True, "completed_without": "404"},
        "its output is not returned",
    ),
    "runs that are not listed": ({}, "not listed"),
}


def _paused(event):
    return {**event, "output": None, "run": {**event["run"], "status": "paused"}}


@pytest.mark.parametrize("name", ENDLESS)
def test_contradictory_runs_are_given_up_and_neither_lost_nor_sent_again(start, name):
    how, message = ENDLESS[name]
    changes = {"an unknown status": _paused, "runs that are not listed": lambda _: None}
    mangle = listed(changes[name]) if name in changes else None
    job = start(Deviations(mangle=mangle, run_events=False, **how))
    some = tasks(job.question, 5)
    began = time.monotonic()
    with pytest.raises(Incomplete, match=message) as error:
        job.run(some, stalled_timeout=0.4)
    assert error.value.exit_code == 5
    assert time.monotonic() - began < 8
    assert job.states() == {"submitted": 5}
    assert job.spent() == 5 * PRICE
    job.api.deviant.how = Deviations()
    job.run(some)
    assert whole(job, some)


def _contradictory(method, path, body):
    """Report runs as running in listings and as completed in the counts of their group."""
    if method == "GET" and re.search(r"/groups/[^/]+$", path):
        group = json.loads(body)
        group["status"].update(is_active=False, task_run_status_counts={"completed": 5})
        return json.dumps(group).encode()
    running = listed(lambda event: {**event, "output": None, "run": {**event["run"], "status": "running"}})
    return running(method, path, body)


def test_results_are_requested_of_runs_that_ended_by_group_counts_alone(start):
    job = start(Deviations(mangle=_contradictory, run_events=False))
    some = tasks(job.question, 5)
    job.run(some, stalled_timeout=5)
    assert whole(job, some)


def test_runs_that_ended_by_group_counts_alone_and_have_no_result_are_given_up(start):
    job = start(Deviations(mangle=_contradictory, run_events=False, active_results=10**9))
    with pytest.raises(Incomplete, match="is active"):
        job.run(tasks(job.question, 5), stalled_timeout=0.4)
    assert job.states() == {"submitted": 5}


def test_one_contradictory_run_stops_no_other(start):
    job = start()
    some = tasks(job.question, 20)
    job.api.deviant.how = Deviations(mangle=one(some[7].key.hex(), _paused), run_events=False)
    with pytest.raises(Incomplete, match="reported 1 of its runs"):
        job.run(some, active_runs=5, stalled_timeout=0.4)
    assert job.states() == {"completed": 19, "submitted": 1}
    assert job.submitter._active == 0
    assert job.misplaced(some) == [some[7].input]


def test_a_result_that_always_fails_costs_its_row_alone(start):
    fault = {"method": "GET", "path": "/result$", "status": 500}
    job = start(faults={"http": [fault]})
    some = tasks(job.question, 5)
    bare = one(some[2].key.hex(), lambda event: {**event, "output": None})
    job.api.deviant.how = Deviations(mangle=bare)
    with pytest.raises(Incomplete, match=r"cannot be fetched.*500"):
        job.run(some, stalled_timeout=0.5)
    assert job.states() == {"completed": 4, "submitted": 1}


@pytest.mark.parametrize(
    ("how", "settings"),
    [
        ({"stall": True}, {}),
        ({"run_events": False, "list_ended_only": True}, {}),
        ({"stall": True}, {"quirks": frozenset({ACTIVE_NEVER_LISTED})}),
    ],
    ids=["silent stream", "only ended runs listed", "active runs never listed"],
)
def test_active_runs_are_awaited_without_a_limit(start, how, settings):
    job = start(Deviations(**how), latency=0.005, **settings)  # 0.3 to 1.5 seconds
    some = tasks(job.question, 6)
    job.run(some, stalled_timeout=0.1, sweep=0.2)
    assert whole(job, some)


def test_a_completed_run_without_output_for_a_day_has_failed(start):
    job = start(Deviations(drop_outputs=True, completed_without="null"))
    some = tasks(job.question, 3)
    job.run(some, missing_output_timeout=0.1)
    assert job.states() == {"failed": 3}


# --- events that cannot be read --------------------------------------------------------------------------

BROKEN = {
    "cut": lambda event: json.dumps(event).encode()[:-20],
    "of another shape": lambda event: {**event, "run": {**event["run"], "status": ["completed"]}},
    "nameless": lambda event: b"{oops" if event.get("output") else event,
    "not UTF-8": lambda event: json.dumps(event).encode()[:-2] + b"\xff\xfe}",
    "deep": lambda event: json.dumps(event).encode()[:-1] + b', "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_unreadable_event_costs_a_request_and_no_row(start, broken):
    job = start()
    some = tasks(job.question, 10)
    job.api.deviant.how = Deviations(mangle=one(some[4].key.hex(), BROKEN[broken]), run_events=False)
    job.run(some)
    assert whole(job, some)


@pytest.mark.parametrize("broken", BROKEN)
def test_an_unreadable_event_hides_no_run_of_a_lost_post(start, broken):
    job = start(latency=0.001)
    some = tasks(job.question, 20)
    mangle = one(some[4].key.hex(), BROKEN[broken])
    job.api.deviant.how = Deviations(keep=12, answer=None, mangle=mangle)
    job.run(some, reconcile_after=0.35)
    assert whole(job, some)


def test_an_unreadable_listing_ends_the_command_and_loses_nothing(start):
    job = start(Deviations(mangle=listed(lambda _: b"{oops"), run_events=False))
    some = tasks(job.question, 10)
    with pytest.raises(ApiError, match=r"nothing that the API lists of task group .* can be read") as caught:
        job.run(some)
    assert caught.value.exit_code == 4
    assert job.states() == {"submitted": 10}
    job.api.deviant.how = Deviations()
    job.run(some)
    assert whole(job, some)


def test_an_html_page_does_not_count_as_an_empty_listing(start):
    page = {"status": 200, "headers": {"content-type": "text/html"}, "body": "<html>Sign in</html>"}
    job = start(faults={"http": [{"method": "GET", "path": "/runs$", **page}]})
    with pytest.raises(Retriable, match="text/html, not a stream of events"):
        job.run(tasks(job.question, 5))
    assert job.states() == {"submitted": 5}


# --- matching runs and tasks ----------------------------------------------------------------------------------


def test_the_input_of_runs_without_key_and_input_is_requested(start):
    job = start(Deviations(drop_metadata=True, drop_inputs=True))
    some = tasks(job.question, 6)
    job.run(some)
    assert whole(job, some)
    requests = [line for line in job.api.requests("GET") if re.search(r"/runs/[^/]+/input$", line["path"])]
    assert len(requests) == 6


def test_the_result_of_another_run_is_not_used(start):
    job = start()
    some = tasks(job.question, 4)
    job.run(some[:1])
    other = job.api.created()[0]["run"]

    def swap(method, path, body):
        return re.sub(rb"trun_\w+", other.encode(), body) if path.endswith("/result") else None

    job.api.deviant.how = Deviations(mangle=swap, drop_outputs=True)
    with pytest.raises(Incomplete):
        job.run(some, stalled_timeout=0.5)
    assert job.states() == {"completed": 1, "submitted": 3}
