"""The event streams as bytes on the wire."""

import re

import httpx
import pytest

RUN = {"processor": "core", "input": "Acme"}


def group_with(client, batch, *inputs):
    group = client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    path = f"/v1/tasks/groups/{group}"
    added = client.post(f"{path}/runs", json=batch(*inputs)).raise_for_status().json()
    return path, added


def states(events):
    return [event for event in events if event["type"] == "task_run.state"]


def test_frames_have_an_event_line_a_data_line_and_no_id_line(plain, batch):
    path, _ = group_with(plain, batch, "a", "b")
    response = plain.get(f"{path}/runs")
    assert response.headers["content-type"].startswith("text/event-stream")
    for frame in response.text.split("\n\n")[:-1]:
        assert [line.split(":")[0] for line in frame.split("\n")] == ["event", "data"]


def test_the_events_stream_stays_open_until_nothing_is_active(start, batch, answers, events_of):
    client = start()
    path, added = group_with(client, batch, "a", "b", "c")
    events = events_of(client, f"{path}/events")
    assert [event["run"]["run_id"] for event in states(events)] == added["run_ids"]
    assert events[-1]["type"] == "task_group_status"
    assert events[-1]["status"]["is_active"] is False


def test_the_events_stream_begins_with_the_status_of_the_group(start, batch, answers):
    answers.go.clear()
    client = start()
    path, _ = group_with(client, batch, "a")
    with client.stream("GET", f"{path}/events") as response:
        assert next(response.iter_lines()) == "event: task_group_status"


def test_the_events_stream_ends_after_its_timeout_though_a_run_is_active(start, batch, answers, events_of):
    answers.go.clear()
    client = start()
    path, _ = group_with(client, batch, "a")
    assert events_of(client, f"{path}/events", timeout=0.05)[0]["status"]["is_active"] is True


def test_the_events_stream_of_an_empty_group_ends_immediately(plain, events_of):
    group = plain.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    (event,) = events_of(plain, f"/v1/tasks/groups/{group}/events")
    assert event["status"]["num_task_runs"] == 0


def test_event_ids_are_unique_and_resume_without_loss_or_repeat(plain, batch, events_of):
    path, _ = group_with(plain, batch, *"abcde")
    events = events_of(plain, f"{path}/events")
    ids = [event["event_id"] for event in events]
    assert len(set(ids)) == len(ids)
    for number, event_id in enumerate(ids):
        assert events_of(plain, f"{path}/events", last_event_id=event_id)[1:] == events[number + 1 :]


def test_active_runs_are_listed(start, batch, answers, events_of):
    answers.go.clear()
    client = start()
    path, added = group_with(client, batch, "a", "b")
    events = events_of(client, f"{path}/runs")
    assert [event["run"]["run_id"] for event in events] == added["run_ids"]
    assert all(event["run"]["is_active"] for event in events)


def test_runs_can_be_filtered_by_status(plain, batch, events_of):
    path, _ = group_with(plain, batch, "a", "boom")
    events_of(plain, f"{path}/events")
    (failed,) = events_of(plain, f"{path}/runs", status="failed")
    assert failed["run"]["error"]["ref_id"]
    assert len(events_of(plain, f"{path}/runs", status="completed")) == 1
    assert events_of(plain, f"{path}/runs", status="queued") == []


def test_runs_have_input_and_output_only_when_requested(plain, batch, events_of):
    path, _ = group_with(plain, batch, "a")
    events_of(plain, f"{path}/events")
    (bare,) = events_of(plain, f"{path}/runs")
    (full,) = events_of(plain, f"{path}/runs", include_input=True, include_output=True)
    assert not {"input", "output"} & bare.keys()
    assert full["input"]["input"] == "a"
    assert full["input"]["task_spec"] == batch()["default_task_spec"]
    assert full["output"]["content"] == {"city": "a"}


def test_the_run_cursor_is_just_before_the_added_runs(plain, batch, events_of):
    path, first = group_with(plain, batch, "a", "b")
    second = plain.post(f"{path}/runs", json=batch("c")).json()
    assert first["run_cursor"] == ""
    (event,) = events_of(plain, f"{path}/runs", last_event_id=second["run_cursor"])
    assert event["run"]["run_id"] == second["run_ids"][0]


def test_the_event_cursor_is_just_before_the_added_runs(plain, batch, events_of):
    path, _ = group_with(plain, batch, "a", "b")
    events_of(plain, f"{path}/events")
    second = plain.post(f"{path}/runs", json=batch("c")).json()
    events = events_of(plain, f"{path}/events", last_event_id=second["event_cursor"])
    assert [event["run"]["run_id"] for event in states(events)] == second["run_ids"]


@pytest.mark.parametrize(
    "query", ["last_event_id=x", "last_event_id=99", "status=done", "include_input=perhaps"]
)
def test_an_invalid_query_is_refused_with_its_path(plain, batch, query):
    path, _ = group_with(plain, batch, "a")
    response = plain.get(f"{path}/runs?{query}")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", query.split("=")[0]]


def test_the_events_of_a_run_have_its_progress_and_its_final_state(plain, events_of):
    run = plain.post("/v1/tasks/runs", json=RUN | {"enable_events": True}).json()["run_id"]
    events = events_of(plain, f"/v1beta/tasks/runs/{run}/events")
    assert events[0]["type"] == "task_run.state"
    assert events[-1]["run"]["status"] == "completed"
    assert events[-1]["output"]["content"] == {"city": "Acme"}
    assert events[-1]["event_id"] == ""
    assert events[-2]["source_stats"]["num_sources_read"] == 1
    assert any(event["type"].startswith("task_run.progress_msg.") for event in events)


def test_without_enable_events_a_core_run_has_no_messages(plain, events_of):
    run = plain.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    events = events_of(plain, f"/v1/tasks/runs/{run}/events")
    assert {event["type"] for event in events} == {"task_run.progress_stats", "task_run.state"}


def test_two_thousand_runs_are_streamed_completely(plain, batch, events_of):
    path, _ = group_with(plain, batch, *map(str, range(1000)))
    plain.post(f"{path}/runs", json=batch(*map(str, range(1000))))
    assert len(states(events_of(plain, f"{path}/events"))) == 2000
    outputs = [
        event["output"]["content"]["city"] for event in events_of(plain, f"{path}/runs", include_output=True)
    ]
    assert outputs == [str(n) for n in range(1000)] * 2


def test_a_client_that_leaves_a_stream_does_not_affect_others(start, batch, answers):
    answers.go.clear()
    client = start()
    path, _ = group_with(client, batch, "a")
    with httpx.Client(base_url=client.base_url) as other, other.stream("GET", f"{path}/events") as response:
        next(response.iter_raw())
    assert client.get(path).json()["status"]["is_active"] is True


def test_recorded_events_are_shown_to_a_client_that_connects_late(plain, events_of):
    run = plain.post("/v1/tasks/runs", json=RUN | {"enable_events": True}).json()["run_id"]
    plain.get(f"/v1/tasks/runs/{run}/result")
    kinds = [event["type"] for event in events_of(plain, f"/v1/tasks/runs/{run}/events")]
    assert kinds == [
        "task_run.state",
        "task_run.progress_msg.plan",
        "task_run.progress_msg.search",
        "task_run.progress_msg.result",
        "task_run.progress_stats",
        "task_run.state",
    ]


def test_only_a_run_that_records_its_events_shows_progress_in_between(start):
    def meters(client, **more):
        run = client.post("/v1/tasks/runs", json=RUN | more).json()["run_id"]
        text = client.get(f"/v1/tasks/runs/{run}/events").text
        return re.findall(r'"progress_meter":(\d+)', text)

    for latency in (
        0.002,
        0.02,
        0.2,
    ):  # core: 0.12 to 0.6 s, or longer if that is over before the stream is open
        client = start(progress_every=0.01, latency=latency)
        quiet, recorded = meters(client), meters(client, enable_events=True)
        if len(quiet) > 1 and len(recorded) > 5:
            break
    assert quiet in (["0", "50", "100"], ["50", "100"])
    assert len(recorded) > 5
    assert recorded == sorted(recorded, key=int)
