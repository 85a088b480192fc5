"""The fault plan."""

import random
import time

import httpx
import pytest

from rowcite.errors import UsageError
from rowcite.local.server.faults import read_plan
from rowcite.local.server.shapes import RunInput

RUN = {"processor": "core", "input": "Acme"}


def planned(plan):
    faults = read_plan(plan)
    return [faults.planned_status(RunInput("core", f"company {n}")) for n in range(2000)]


def group_with(client, batch, *inputs):
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    return path, client.post(f"{path}/runs", json=batch(*inputs))


def test_fractions_of_runs_fail_and_always_the_same_ones():
    plan = {"seed": 1, "fail": 0.1, "cancel": 0.1, "action_required": 0.1, "stuck": 0.1}
    statuses = planned(plan)
    assert statuses == planned(plan)
    for status in ("failed", "cancelled", "action_required", "stuck"):
        assert 140 < statuses.count(status) < 260


def test_another_seed_affects_other_runs():
    assert planned({"seed": 1, "fail": 0.1}) != planned({"seed": 2, "fail": 0.1})


def test_without_a_plan_nothing_fails():
    assert set(planned(None)) == {None}


@pytest.mark.parametrize("plan", [{"fial": 1}, {"http": [{"when": "during"}]}, {"sse": {"cuts": 1}}])
def test_an_invalid_plan_is_refused(plan):
    with pytest.raises(UsageError, match="fault plan"):
        read_plan(plan)


@pytest.mark.parametrize(
    ("plan", "status"),
    [({"fail": 1}, "failed"), ({"cancel": 1}, "cancelled"), ({"action_required": 1}, "action_required")],
)
def test_a_run_ends_as_planned_without_a_result(start, plan, status):
    client = start(faults=plan)
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    assert client.get(f"/v1/tasks/runs/{run}/result").status_code == 404
    shown = client.get(f"/v1/tasks/runs/{run}").json()
    assert (shown["status"], shown["is_active"]) == (status, False)
    assert bool(shown["error"]) is (status == "failed")


def test_a_stuck_run_stays_running(start):
    client = start(faults={"stuck": 1})
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    assert client.get(f"/v1/tasks/runs/{run}/result?timeout=0.05").status_code == 408
    assert client.get(f"/v1/tasks/runs/{run}").json()["status"] == "running"


def test_a_slow_run_takes_longer_and_ends(start):
    client = start(faults={"slow": 1, "slow_by": 0.5})
    began = time.monotonic()
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    early = client.get(f"/v1/tasks/runs/{run}/result?timeout=0.05").status_code
    assert early == 408 or time.monotonic() - began > 0.5
    assert client.get(f"/v1/tasks/runs/{run}/result?timeout=9").json()["run"]["status"] == "completed"
    assert time.monotonic() - began > 0.5


def test_some_streams_are_dropped_and_others_are_not():
    sse = read_plan({"sse": {"cut_after": 7, "probability": 0.5}}).sse
    rng = random.Random(1)
    assert {sse.cut(rng) for _ in range(30)} == {7, None}


def test_the_nth_request_gets_the_status_the_headers_and_the_body(start):
    fault = {
        "method": "POST",
        "path": "/runs$",
        "nth": [1, 3],
        "status": 503,
        "headers": {"Retry-After": "2"},
    }
    client = start(faults={"http": [fault | {"body": "busy"}]})
    responses = [client.post("/v1/tasks/runs", json=RUN) for _ in range(4)]
    assert [response.status_code for response in responses] == [503, 202, 503, 202]
    assert responses[0].headers["retry-after"] == "2"
    assert responses[0].text == "busy"


def test_every_nth_request_can_fail(start):
    client = start(faults={"http": [{"every": 2, "status": 500}]})
    codes = [client.get("/v1/tasks/runs/x").status_code for _ in range(4)]
    assert codes == [404, 500, 404, 500]


def test_probabilities_are_seeded(start):
    plan = {"seed": 5, "http": [{"probability": 0.5, "status": 500}]}
    codes = [
        [client.get("/x").status_code for _ in range(20)]
        for client in (start(faults=plan), start(faults=plan))
    ]
    assert codes[0] == codes[1]
    assert set(codes[0]) == {404, 500}


def test_a_fault_before_handling_creates_nothing(start, batch):
    client = start(
        faults={"http": [{"method": "POST", "path": "/groups/.*/runs$", "nth": [1], "status": 502}]}
    )
    path, response = group_with(client, batch, "a")
    assert response.status_code == 502
    assert client.get(path).json()["status"]["num_task_runs"] == 0


def test_an_answer_can_be_lost_after_its_runs_were_created(start, batch):
    fault = {"method": "POST", "path": "/groups/.*/runs$", "nth": [1], "when": "after", "cut": True}
    client = start(faults={"http": [fault]})
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(f"{path}/runs", json=batch("a", "b"))
    assert client.get(path).json()["status"]["num_task_runs"] == 2


def test_a_cut_before_handling_drops_the_connection(start):
    client = start(faults={"http": [{"nth": [1], "cut": True}]})
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/v1/tasks/runs", json=RUN)
    assert client.post("/v1/tasks/runs", json=RUN).status_code == 202


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delay_alone_only_delays(start, when):
    client = start(faults={"http": [{"delay": 0.1, "when": when}]})
    response = client.post("/v1/tasks/runs", json=RUN)
    assert response.status_code == 202
    assert response.elapsed.total_seconds() > 0.1


def test_a_stream_is_cut_after_n_events_and_can_be_resumed(start, batch):
    client = start(faults={"sse": {"cut_after": 3}})
    path, _ = group_with(client, batch, *"abcdefg")
    runs, cursor = [], ""
    for _ in range(3):
        text = ""
        try:
            with client.stream("GET", f"{path}/runs", params={"last_event_id": cursor}) as response:
                for part in response.iter_text():
                    text += part
        except httpx.RemoteProtocolError:
            assert text.count("data:") == 3
        runs += [line for line in text.splitlines() if line.startswith("data:")]
        cursor = str(len(runs))
    assert len(runs) == 7
