"""Faults of HTTP and of streams, in each phase: each row gets its own answer and no run is paid for twice."""

import asyncio
import json
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from rowcite.errors import (
    ApiError,
    ApiRefused,
    Incomplete,
    InsufficientCredit,
    KeyRefused,
    NotFound,
    Retriable,
)
from support import diagonal, with_slow
from support.answers import runs_of
from support.deviant import Deviations
from support.submitting import PRICE, tasks, whole

PHASES = {
    "create": ("POST", "/groups$"),
    "add": ("POST", "/runs$"),
    "count": ("GET", "/groups/[^/]+$"),
    "events": ("GET", "/events$"),
    "listing": ("GET", "/runs$"),
    "result": ("GET", "/result$"),
    "run": ("GET", "/tasks/runs/[^/]+$"),
    "input": ("GET", "/input$"),
}
BARE = {"drop_outputs": True, "drop_metadata": True, "drop_inputs": True}
"""The deviations that make the client pass through every phase."""
FAULTS = {
    "reset before": {"cut": True},
    "reset after": {"cut": True, "when": "after"},
    "408": {"status": 408},
    "429": {"status": 429},
    "429 in seconds": {"status": 429, "headers": {"retry-after": "0.2"}},
    "429 at once": {"status": 429, "headers": {"retry-after": "-7"}},
    "429 in words": {"status": 429, "headers": {"retry-after": "soon"}},
    "500": {"status": 500},
    "500 after": {"status": 500, "when": "after"},
    "502": {"status": 502, "body": "<html>Bad Gateway</html>"},
    "503": {"status": 503, "headers": {"retry-after": "0.2"}},
    "504 after": {"status": 504, "when": "after"},
    "html": {"status": 200, "headers": {"content-type": "text/html"}, "body": "<html>Sign in</html>"},
    "truncated": {"status": 200, "body": '{"taskgroup_id": "tgrp_', "when": "after"},
    "invalid": {"status": 200, "body": '[{"run_ids": 5}]', "when": "after"},
    "not UTF-8": {"status": 200, "body": "\ufffe\x00", "when": "after"},
    "bad gzip": {
        "status": 200,
        "headers": {"content-encoding": "gzip"},
        "body": "plain text",
        "when": "after",
    },
    "read timeout": {"delay": 0.6, "when": "after"},
}


@pytest.fixture
def start(opened):
    """Return a function that starts a server with faults and returns a submission to it."""

    def started(*http, how=None, latency=0.0, key=None, **plan):
        faults = {"http": list(http), **plan}
        return opened(how, latency=latency, key=key, client_key=key, faults=faults)

    return started


def hits(phase, fault, **more):
    method, path = PHASES[phase]
    return {"method": method, "path": path, "nth": [1], **fault, **more}


def patience(job, fault):
    """Return the job's retry policy, without the patience for an answer that comes late, as others do on a busy machine."""
    return replace(job.retry_policy, answer=0.4, attempts=9) if fault == "read timeout" else job.retry_policy


def called(job, phase):
    method, path = PHASES[phase]
    return sum(method == how and re.search(path, where) is not None for how, where in job.api.deviant.calls)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_post_that_creates_runs_only_costs_time(start, fault):
    job = start(hits("add", FAULTS[fault]))
    job.retry_policy = patience(job, fault)
    some = tasks(job.question, 20)
    job.run(some, reconcile_after=0.15)
    assert whole(job, some)


REST = [phase for phase in PHASES if phase not in ("add", "run")]
ALL = ["add", *REST]


LIKE_ANOTHER = ("429 at once", "429 in words", "500", "502", "504 after", "reset before", "408")


@pytest.mark.parametrize("fault", with_slow(FAULTS, *LIKE_ANOTHER))
def test_a_fault_in_any_other_phase_only_costs_time(start, fault):
    lost = hits("add", {"cut": True, "when": "after"})
    job = start(lost, *(hits(phase, FAULTS[fault]) for phase in REST), how=Deviations(**BARE))
    job.retry_policy = patience(job, fault)
    some = tasks(job.question, 6)
    job.run(some, reconcile_after=0.15)
    assert whole(job, some)
    assert [phase for phase in REST if not called(job, phase)] == []


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_in_each_phase_alone_only_costs_time(start, fault, phase):
    lost = [hits("add", {"cut": True, "when": "after"})] if phase == "count" else []
    how = Deviations(**BARE, completed_without="404" if phase == "run" else None)
    job = start(*lost, hits(phase, FAULTS[fault]), how=how)
    job.retry_policy = patience(job, fault)
    some = tasks(job.question, 6)
    if phase == "run":  # requested only without a result
        job.run(some, reconcile_after=0.15, missing_output_timeout=0)
        assert job.states() == {"failed": 6}
        assert len(job.api.created()) == 6
    else:
        job.run(some, reconcile_after=0.15)
        assert whole(job, some)
    assert called(job, phase)


# --- final responses ------------------------------------------------------------------------------

KEY, PROCESSOR, CREDIT = (
    (KeyRefused, 3, "PARALLEL_API_KEY"),
    (ApiRefused, 2, "403"),
    (InsufficientCredit, 6, "402"),
)
LATER, OUT_OF_ORDER = (Incomplete, 5, "run again later"), (ApiError, 4, "501")
CONTINUES = None
FINAL = {
    401: dict.fromkeys(ALL, KEY),
    402: dict.fromkeys(ALL, CREDIT) | {"add": CONTINUES, "events": CONTINUES},
    403: dict.fromkeys(ALL, PROCESSOR)
    | {"add": (ApiRefused, 2, "the processor 'core'"), "events": CONTINUES},
    404: {
        **dict.fromkeys(ALL, CONTINUES),
        "create": (NotFound, 4, "404"),
        "count": LATER,
        "listing": LATER,
        "input": (ApiError, 4, "neither its metadata nor its input"),
    },
    422: dict.fromkeys(ALL, (ApiRefused, 2, "422")) | {"add": CONTINUES, "events": CONTINUES},
    501: dict.fromkeys(ALL, OUT_OF_ORDER) | {"events": CONTINUES},
}


@pytest.mark.parametrize(("status", "phase"), diagonal(FINAL, ALL))
def test_a_final_response_ends_the_command_as_documented_and_the_next_one_finishes(start, status, phase):
    lost = [hits("add", {"cut": True, "when": "after"})] if phase == "count" else []
    job = start(*lost, hits(phase, {"status": status}), how=Deviations(**BARE))
    some = tasks(job.question, 4)
    if (ending := FINAL[status][phase]) is not CONTINUES:
        kind, code, message = ending
        with pytest.raises(kind, match=message) as caught:
            job.run(some, reconcile_after=0.15)
        assert caught.value.exit_code == code
        assert job.spent() in (0, 4 * PRICE)
        assert (job.spent() == 0) == (phase in ("create", "add"))
    job.run(some, reconcile_after=0.15)
    assert whole(job, some)


def test_a_retry_after_date_is_respected(start):
    then = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    throttled = {"status": 429, "headers": {"retry-after": format_datetime(then, usegmt=True)}}
    job = start(*(hits(phase, throttled) for phase in ("create", "add", "events", "listing")))
    some = tasks(job.question, 20)
    job.run(some)
    assert whole(job, some)
    second = [line["at"] for line in job.api.requests("POST", "/groups")][1]
    assert datetime.fromisoformat(second) >= then


def test_many_faults_at_once_lose_nothing(start):
    faults = [
        {"method": "POST", "path": "/runs$", "probability": 0.3, "cut": True, "when": "after"},
        {"method": "POST", "path": "/runs$", "probability": 0.3, "status": 503},
        {"method": "GET", "probability": 0.15, "status": 502},
        {"method": "GET", "probability": 0.1, "status": 429},
    ]
    job = start(*faults, latency=0.002, seed=7, sse={"cut_after": 9})
    some = tasks(job.question, 200)
    job.retry_policy = replace(job.retry_policy, attempts=10)
    # its chunks are halved after losses: by default, in one run of fifty a small one is lost too often
    job.run(some, active_runs=50, reconcile_after=0.15, losses=30)
    assert whole(job, some)


@pytest.mark.parametrize("after", [1, 7])
def test_streams_that_are_cut_after_a_few_events_are_read_to_the_end(start, after):
    job = start(sse={"cut_after": after}, latency=0.002)
    some = tasks(job.question, 40)
    job.run(some)
    assert whole(job, some)


class OnceInAListing:
    """Changes the body of the first listing of runs."""

    def __init__(self, change):
        self.change, self.done = change, False

    def __call__(self, method, path, body):
        if method == "GET" and path.endswith("/runs") and not self.done:
            self.done = True
            return self.change(body)
        return None


def test_a_stream_that_is_cut_in_the_middle_of_an_event_is_read_again(start):
    job = start(how=Deviations(mangle=OnceInAListing(lambda body: body[: len(body) // 2 + 3])))
    some = tasks(job.question, 20)
    job.run(some)
    assert whole(job, some)


def test_a_listing_with_an_error_event_is_read_again(start):
    event = b'data: {"type":"error","error":{"ref_id":"x","message":"internal"}}\n\n'
    job = start(how=Deviations(mangle=OnceInAListing(lambda _: event)))
    some = tasks(job.question, 20)
    job.run(some)
    assert whole(job, some)


def test_a_refused_connection_creates_and_costs_nothing(tmp_path, start):
    job = start()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        job.api.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Retriable) as caught:
            job.run(tasks(job.question, 5))
    assert not caught.value.sent
    assert caught.value.exit_code == 4
    assert job.spent() == 0


def test_a_submission_resumes_after_the_server_was_away(start):
    job = start(latency=0.006)
    some = tasks(job.question, 20)
    real = job.api.url

    async def interrupted():
        going = asyncio.create_task(job.go(some))
        await asyncio.sleep(0.3)
        job.submitter.client._transport._http.base_url = "http://127.0.0.1:9"
        await going

    try:
        asyncio.run(interrupted())
    except ApiError:
        job.api.url = real
        job.run(some)
    assert whole(job, some)


@pytest.mark.parametrize(
    ("share", "state", "error"),
    [
        ("fail", "failed", "The run failed"),
        ("cancel", "cancelled", "cancelled"),
        ("action_required", "action_required", "action_required"),
    ],
)
def test_failed_runs_keep_their_reason(start, share, state, error):
    job = start(**{share: 0.3})
    some = tasks(job.question, 40)
    job.run(some)
    states = job.states()
    assert states.keys() == {"completed", state}
    assert job.spent() == 40 * PRICE
    with job.ledger() as ledger:
        bad = [run for run in runs_of(ledger, some).values() if run.state == state]
    assert len(bad) == states[state]
    assert all(error in found.error and found.run_id for found in bad)
    assert all(found.ref_id for found in bad) == (share == "fail")


def test_runs_that_never_end_stay_active_after_the_deadline(start):
    job = start(stuck=0.3)
    some = tasks(job.question, 40)
    job.interrupt(some, lambda: job.progress.counts["completed"] > 0)
    with pytest.raises(TimeoutError):
        job.run(some, deadline=0.6)
    assert job.states().keys() == {"completed", "submitted"}
    assert job.api.paid_twice() == 0


def test_warnings_reach_the_ledger(start):
    def warned(method, path, body):
        if method != "GET" or not path.endswith("/runs"):
            return None
        return body.replace(
            b'"warnings": null', b'"warnings": [{"type": "warning", "message": "mind the gap"}]'
        )

    job = start(how=Deviations(mangle=warned))
    job.run(tasks(job.question, 3))
    with job.ledger() as ledger:
        assert ledger.warnings() == {"mind the gap": 3}


@pytest.mark.parametrize("phase", ["events", "listing"])
def test_a_key_refused_while_runs_are_active_keeps_every_run(start, phase):
    job = start(hits(phase, {"status": 401}), latency=0.002)
    some = tasks(job.question, 20)
    with pytest.raises(KeyRefused) as caught:
        job.run(some)
    assert caught.value.exit_code == 3
    assert sum(job.states().values()) == 20
    job.run(some)
    assert whole(job, some)


def test_a_wrong_key_costs_nothing(start):
    job = start(key="right")
    job.key = "wrong"
    with pytest.raises(KeyRefused):
        job.run(tasks(job.question, 5))
    assert job.states() == {}


def test_a_missing_group_ends_the_submission_as_incomplete(start):
    job = start(hits("listing", {"status": 404}))
    with pytest.raises(Incomplete, match="does not know this task group"):
        job.run(tasks(job.question, 5))
    assert job.states() == {"submitted": 5}


def test_exhausted_credit_keeps_the_runs_that_were_paid_for(start):
    method, path = PHASES["add"]
    later = {"method": method, "path": path, "nth": list(range(3, 60)), "status": 402}
    job = start(later, latency=0.002)
    some = tasks(job.question, 40)
    with pytest.raises(InsufficientCredit) as caught:
        job.run(some, active_runs=10)
    assert caught.value.exit_code == 6
    assert job.states() == {"completed": 20}
    assert job.spent() == 20 * PRICE


def test_a_compressed_response_is_read(start):
    job = start(how=Deviations(squeeze=True))
    some = tasks(job.question, 20)
    job.run(some)
    assert whole(job, some)


def test_unknown_members_and_older_states_of_a_run_are_read(start):
    def old(method, path, body):
        if method != "GET" or not path.endswith("/runs"):
            return None
        events = [json.loads(line.removeprefix(b"data: ")) for line in body.split(b"\n\n") if line]
        for event in events:
            event["run"]["status"] = event["run"]["status"].replace("completed", "succeeded")
            event["news"] = {"from": "the future"}
        return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)

    job = start(how=Deviations(mangle=old))
    some = tasks(job.question, 5)
    job.run(some)
    assert whole(job, some)
