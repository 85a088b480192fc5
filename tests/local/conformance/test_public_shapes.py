"""Every body against the response schemas of the public OpenAPI documents, whose structure is in `public_shapes.json`.

A key that the public schemas do not have fails here too: clients do not expect it.
"""

import json
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator

from rowcite.api.facts import RUN_STATUSES

SHAPES = json.loads((Path(__file__).parent / "public_shapes.json").read_text("utf8"))
SCHEMA = {"type": "object", "properties": {"gdp": {"type": "string"}, "sources": {"type": "string"}}}
SPEC = {"output_schema": {"type": "json", "json_schema": SCHEMA}}
RUN = {"processor": "core", "input": "France", "metadata": {"row": "7"}}
LISTED = {"include_input": True, "include_output": True}


def closed(schema):
    """Return a schema whose objects have no keys but those that it names."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return {"additionalProperties": False} | inner if named else inner


CLOSED = {name: closed(shape) for name, shape in SHAPES.items()}


def assert_is(body, *names):
    """Assert that a body has one of the named shapes."""
    schema = {"$defs": CLOSED, "oneOf": [{"$ref": f"#/$defs/{name}"} for name in names]}
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(body)]
    assert not errors, (errors, body)


@pytest.fixture(scope="module")
def client(shared_base):
    with httpx.Client(base_url=shared_base, timeout=10) as one:
        yield one


@pytest.fixture
def run_id(client):
    answer = client.post("/v1/tasks/runs", json=RUN | {"task_spec": SPEC, "enable_events": True})
    assert_is(answer.json(), "TaskRun")
    assert answer.json()["warnings"]
    return answer.json()["run_id"]


@pytest.fixture
def group(client):
    created = client.post("/v1/tasks/groups", json={"metadata": {"team": "revops"}}).json()
    assert_is(created, "TaskGroupResponse")
    path = f"/v1/tasks/groups/{created['taskgroup_id']}"
    body = {"inputs": [RUN, RUN | {"input": "boom"}], "default_task_spec": SPEC}
    assert_is(client.post(f"{path}/runs", json=body).json(), "TaskGroupRunResponse")
    return path


def events(client, path, **params):
    lines = client.get(path, params=params).raise_for_status().text.splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def test_a_run_its_input_and_its_result(client, run_id):
    assert_is(client.get(f"/v1/tasks/runs/{run_id}/result").json(), "TaskRunResult")
    assert_is(client.get(f"/v1/tasks/runs/{run_id}").json(), "TaskRun")
    assert_is(client.get(f"/v1/tasks/runs/{run_id}/input").json(), "TaskRunInput")


@pytest.mark.parametrize("spec", ["The founding year", {"type": "text"}, {"type": "auto"}])
def test_results_of_every_kind(client, spec):
    body = RUN | {"task_spec": {"output_schema": spec}}
    run_id = client.post("/v1/tasks/runs", json=body).json()["run_id"]
    assert_is(client.get(f"/v1/tasks/runs/{run_id}/result").json(), "TaskRunResult")


def test_a_result_with_tool_calls(client):
    server = {"url": "http://127.0.0.1:9/mcp", "name": "gone"}
    run_id = client.post("/v1/tasks/runs", json=RUN | {"mcp_servers": [server]}).json()["run_id"]
    result = client.get(f"/v1/tasks/runs/{run_id}/result").json()
    assert result["output"]["mcp_tool_calls"][0]["error"]
    assert_is(result, "TaskRunResult")
    assert_is(client.get(f"/v1/tasks/runs/{run_id}/input").json(), "TaskRunInput")


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_the_events_of_a_run(client, run_id, version):
    kinds = ("TaskRunProgressStatsEvent", "TaskRunProgressMessageEvent", "TaskRunEvent")
    for event in events(client, f"/{version}/tasks/runs/{run_id}/events"):
        assert_is(event, *kinds)


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_group_its_runs_and_its_events(client, group, version):
    path = group.replace("v1", version)
    for event in events(client, f"{path}/events"):
        assert_is(event, "TaskGroupStatusEvent", "TaskRunEvent")
    listed = events(client, f"{path}/runs", **LISTED)
    assert [bool(event.get("output")) for event in listed] == [True, False]
    for event in listed:
        assert_is(event, "TaskRunEvent")
        assert_is(client.get(f"{path}/runs/{event['run']['run_id']}").json(), "TaskRun")
    assert_is(client.get(path).json(), "TaskGroupResponse")


def test_search_results(client):
    assert_is(client.post("/v1/search", json={"search_queries": ["gdp"]}).json(), "V1SearchResponse")
    for path in ("/v1beta/search", "/alpha/search"):
        assert_is(client.post(path, json={"objective": "gdp", "location": "us"}).json(), "SearchResponse")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "shape"),
    [
        ("POST", "/v1/tasks/runs", RUN | {"processor": "hyper"}, 403, "ErrorResponse"),
        ("POST", "/v1/tasks/runs", {}, 422, "ErrorResponse"),
        ("GET", "/v1/tasks/runs/trun_0", None, 404, "ErrorResponse"),
        ("GET", "/v1/tasks/runs/trun_0/result", None, 404, "ErrorResponse"),
        ("GET", "/v1/tasks/groups/tgrp_0", None, 404, "ErrorResponse"),
        ("POST", "/v1/tasks/groups", {"metadata": {"k" * 17: "v"}}, 422, "HTTPValidationError"),
        ("POST", "/v1/search", {}, 422, "ErrorResponse"),
    ],
)
def test_errors(client, method, path, body, status, shape):
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert_is(answer.json(), shape)


def test_errors_of_settings(started):
    run = "/v1/tasks/runs"
    keyed, poor = started(key="right"), started(credit=0.0)
    limited = started(rate_limit=0)
    for base, status in ((keyed, 401), (poor, 402), (limited, 429)):
        answer = httpx.post(f"{base}{run}", json=RUN)
        assert answer.status_code == status
        assert_is(answer.json(), "ErrorResponse")


def test_an_undocumented_key_would_be_noticed():
    with pytest.raises(AssertionError):
        assert_is({"type": "error", "error": {"ref_id": "r", "message": "m", "extra": 1}}, "ErrorResponse")


def test_the_facts_have_the_statuses_of_the_public_documents():
    assert list(RUN_STATUSES) == SHAPES["TaskRun"]["properties"]["status"]["enum"]
