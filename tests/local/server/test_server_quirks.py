"""The quirks: behaviour that the API's documents leave open, switched to the other possibility."""

import re
import threading
import time
from pathlib import Path

import pytest

from rowcite.errors import UsageError
from rowcite.local.server.quirks import QUIRKS, read_quirks

RUN = {"processor": "core", "input": "Acme"}


def group_of(client, batch, *inputs):
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    return path, client.post(f"{path}/runs", json=batch(*inputs))


@pytest.fixture
def with_quirks(start):
    """Return a function that starts a server with some quirks."""
    return lambda *names, **settings: start(quirks=frozenset(names), **settings)


def test_all_means_every_quirk():
    assert read_quirks("all") == QUIRKS.keys()


def test_names_are_separated_by_commas_and_blanks():
    assert read_quirks(" no-replay, failed-free,") == {"no-replay", "failed-free"}


def test_an_unknown_quirk_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean no-replay"):
        read_quirks("noreplay")


@pytest.mark.parametrize(("name", "by_status"), [("active-unlisted", 1), ("active-never-listed", 0)])
def test_active_runs_are_listed_by_status_alone_or_never(
    with_quirks, batch, events_of, answers, name, by_status
):
    answers.go.clear()
    client = with_quirks(name)
    path, _ = group_of(client, batch, "a")
    while client.get(path).json()["status"]["task_run_status_counts"] != {"running": 1}:
        time.sleep(0.005)
    assert events_of(client, f"{path}/runs") == []
    assert len(events_of(client, f"{path}/runs", status="running")) == by_status


def test_a_run_that_ended_is_listed(with_quirks, batch, events_of):
    client = with_quirks("active-never-listed")
    path, _ = group_of(client, batch, "a")
    events_of(client, f"{path}/events")
    assert len(events_of(client, f"{path}/runs")) == 1


def test_run_ids_are_in_another_order_than_the_inputs(with_quirks, batch, events_of):
    client = with_quirks("run-ids-reordered")
    path, added = group_of(client, batch, "a", "b", "c")
    runs = [client.get(f"{path}/runs/{run_id}").json() for run_id in added.json()["run_ids"]]
    assert [run["metadata"]["n"] for run in runs] == ["2", "1", "0"]


def test_streams_show_no_metadata_and_single_runs_do(with_quirks, batch, events_of):
    client = with_quirks("no-stream-metadata")
    path, added = group_of(client, batch, "a")
    events = [event for event in events_of(client, f"{path}/events") if "run" in event]
    (listed,) = events_of(client, f"{path}/runs", include_input=True)
    (run_id,) = added.json()["run_ids"]
    last = events_of(client, f"/v1/tasks/runs/{run_id}/events")[-1]
    assert [event["run"]["metadata"] for event in (*events, listed, last)] == [None, None, None]
    assert "metadata" not in listed["input"]
    assert client.get(f"/v1/tasks/runs/{run_id}").json()["metadata"] == {"n": "0"}


def test_a_refused_batch_is_created_up_to_its_first_error(with_quirks, batch):
    client = with_quirks("partial-batches")
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    body = batch("a", "b", "c")
    body["inputs"][2]["processor"] = "hyper"
    assert client.post(f"{path}/runs", json=body).status_code == 403
    body["inputs"][1]["metadata"] = {"k" * 17: "v"}
    assert client.post(f"{path}/runs", json=body).status_code == 422
    assert client.get(path).json()["status"]["num_task_runs"] == 2 + 1


def test_a_batch_is_created_as_far_as_credit_covers_it(with_quirks, batch):
    client = with_quirks("partial-batches", credit=0.05)
    path, answer = group_of(client, batch, "a", "b", "c")
    assert answer.status_code == 402
    assert client.get(path).json()["status"]["num_task_runs"] == 2


def test_half_of_a_batch_is_created_before_a_server_error(with_quirks, batch, events_of):
    fault = {"method": "POST", "path": "/runs$", "nth": [1], "status": 503}
    client = with_quirks("partial-batches", faults={"http": [fault]})
    path, answer = group_of(client, batch, "a", "b", "c")
    assert answer.status_code == 503
    events_of(client, f"{path}/events")
    listed = events_of(client, f"{path}/runs", include_input=True)
    assert [event["input"]["input"] for event in listed] == ["a", "b"]


def test_a_status_is_up_to_three_seconds_old_unless_it_is_refreshed(with_quirks, batch):
    client = with_quirks("stale-statuses")
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    before = client.get(path).json()["status"]
    stale = client.post(f"{path}/runs?refresh_status=false", json=batch("a")).json()["status"]
    assert stale == before == client.get(path).json()["status"]
    fresh = client.post(f"{path}/runs", json=batch("b")).json()["status"]
    assert fresh["num_task_runs"] == 2


def test_a_run_that_needs_action_keeps_its_group_active_and_the_events_open(with_quirks, batch, events_of):
    client = with_quirks("action-required-active", faults={"action_required": 1})
    path, _ = group_of(client, batch, "a")
    begun = time.monotonic()
    events_of(client, f"{path}/events", timeout=0.3)
    assert time.monotonic() - begun >= 0.3
    status = client.get(path).json()["status"]
    assert (status["task_run_status_counts"], status["is_active"]) == ({"action_required": 1}, True)


def test_events_show_nothing_from_before_they_were_opened(with_quirks, batch, events_of, answers):
    answers.go.clear()
    client = with_quirks("no-replay")
    path, added = group_of(client, batch, "a")
    threading.Timer(0.05, answers.go.set).start()
    assert len([event for event in events_of(client, f"{path}/events") if "run" in event]) == 1
    cursor = added.json()["event_cursor"]
    again = events_of(client, f"{path}/events", last_event_id=cursor)
    assert [event["type"] for event in again] == ["task_group_status"]


def test_a_batch_counts_with_each_of_its_runs(with_quirks, batch):
    client = with_quirks("runs-counted", rate_limit=5)
    path, added = group_of(client, batch, "a", "b", "c")
    assert added.status_code == 200  # with the group's creation that is four
    refused = client.post(f"{path}/runs", json=batch("d", "e"))
    assert (refused.status_code, bool(refused.headers["retry-after"])) == (429, True)


def test_a_batch_larger_than_the_limit_is_always_refused(with_quirks, batch):
    _, refused = group_of(with_quirks("runs-counted", rate_limit=5), batch, *"abcdef")
    assert refused.status_code == 429


@pytest.mark.parametrize(
    ("more", "beta"),
    [
        ({"mcp_servers": [{"url": "http://127.0.0.1:9", "name": "m"}]}, "mcp-server-2025-07-17"),
        ({"webhook": {"url": "http://127.0.0.1:9"}}, "webhook-2025-08-12"),
        ({"enable_events": True}, "events-sse-2025-07-24"),
    ],
)
def test_beta_features_of_a_run_need_their_header(with_quirks, more, beta):
    client = with_quirks("betas-demanded")
    refused = client.post("/v1/tasks/runs", json=RUN | more)
    assert refused.status_code == 422
    assert beta in refused.json()["error"]["message"]
    headers = {"parallel-beta": f"other-2025-01-01, {beta}"}
    assert client.post("/v1/tasks/runs", json=RUN | more, headers=headers).status_code == 202


def test_events_and_older_searches_need_their_beta_headers(with_quirks, batch):
    client = with_quirks("betas-demanded")
    path, added = group_of(client, batch, "a")
    run = f"/v1/tasks/runs/{added.json()['run_ids'][0]}"
    for events in (f"{path}/events", f"{run}/events"):
        assert client.get(events).status_code == 422
        assert client.get(events, headers={"parallel-beta": "events-sse-2025-07-24"}).status_code == 200
    for search in ("/v1beta/search", "/alpha/search"):
        assert client.post(search, json={"objective": "x"}).status_code == 422
        headers = {"parallel-beta": "search-extract-2025-10-10"}
        assert client.post(search, json={"objective": "x"}, headers=headers).status_code == 200


@pytest.mark.parametrize(("names", "code"), [((), 402), (("failed-free",), 202)])
def test_a_failed_run_is_charged_unless_a_quirk_makes_it_free(with_quirks, names, code):
    client = with_quirks(*names, credit=0.025, faults={"fail": 1})
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    client.get(f"/v1/tasks/runs/{run}/result")
    assert client.post("/v1/tasks/runs", json=RUN).status_code == code


def test_every_quirk_is_documented():
    page = (Path(__file__).parents[3] / "docs" / "serve.md").read_text("utf8")
    assert re.findall(r"^\| `([a-z][a-z-]*)` \|", page, re.MULTILINE) == list(QUIRKS)
