"""Keys, the rate limit and the bodies of errors."""

import pytest

from rowcite.local.server.access import RateLimit

RUN = {"processor": "core", "input": "Acme"}


def test_a_limit_holds_in_any_60_seconds():
    now = [0.0]
    limit = RateLimit(2, lambda: now[0])
    assert limit.wait() == 0
    now[0] = 50
    assert limit.wait() == 0
    assert limit.wait() == pytest.approx(10)
    now[0] = 60
    assert limit.wait() == 0
    assert limit.wait() == pytest.approx(50)


@pytest.mark.parametrize("headers", [{"x-api-key": "s3cret"}, {"authorization": "Bearer s3cret"}])
def test_the_key_is_accepted_in_either_header(start, headers):
    assert start(key="s3cret").post("/v1/tasks/runs", json=RUN, headers=headers).status_code == 202


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "other"}, {"authorization": "Basic s3cret"}])
def test_without_the_key_every_path_is_401(start, headers):
    client = start(key="s3cret")
    for path in ("/v1/tasks/runs/x", "/v1beta/tasks/groups/x/runs", "/nowhere"):
        response = client.get(path, headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["message"] == "Unauthorized: invalid or missing credentials"


def test_a_request_over_the_rate_limit_is_429_with_retry_after(start):
    client = start(rate_limit=2)
    codes = [client.get("/v1/tasks/runs/x").status_code for _ in range(2)]
    response = client.get("/v1/tasks/runs/x")
    assert codes == [404, 404]
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 60


def test_a_limit_of_0_refuses_every_request(start):
    assert start(rate_limit=0).get("/v1/tasks/runs/x").status_code == 429


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/tasks/runs/trun_0", 404),
        ("GET", "/v1/tasks/runs/trun_0/input", 404),
        ("GET", "/v1/tasks/runs/trun_0/result", 404),
        ("GET", "/v1/tasks/runs/trun_0/events", 404),
        ("GET", "/v1/tasks/groups/tgrp_0", 404),
        ("GET", "/v1/tasks/groups/tgrp_0/runs", 404),
        ("GET", "/v1/tasks/groups/tgrp_0/events", 404),
        ("POST", "/v1/tasks/groups/tgrp_0/runs", 404),
        ("GET", "/v2/nothing", 404),
        ("DELETE", "/v1/tasks/runs", 405),
    ],
)
def test_every_error_has_the_documented_body(plain, method, path, status):
    response = plain.request(method, path)
    assert response.status_code == status
    body = response.json()
    assert body["type"] == "error"
    assert body["error"]["ref_id"]
    assert body["error"]["message"]


def test_an_invalid_run_is_422_with_an_error_body(plain):
    response = plain.post("/v1/tasks/runs", json={"processor": "core"})
    assert response.status_code == 422
    assert response.json()["error"]["detail"]["errors"][0]["loc"] == ["body"]


def test_one_invalid_run_refuses_its_batch_and_nothing_is_created(plain, batch, events_of):
    path = "/v1/tasks/groups/" + plain.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    body = batch("a", "b")
    body["inputs"][1]["metadata"] = {"k" * 17: "v"}
    response = plain.post(f"{path}/runs", json=body)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:3] == ["body", "inputs", 1]
    assert plain.get(path).json()["status"]["num_task_runs"] == 0


def test_group_metadata_is_limited_and_returned(plain):
    assert plain.post("/v1beta/tasks/groups", json={"metadata": {"k" * 17: 1}}).status_code == 422
    assert plain.post("/v1beta/tasks/groups", json={"metadata": {"k": 1}}).json()["metadata"] == {"k": 1}


def test_the_older_paths_serve_the_same_groups(plain, batch):
    group = plain.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    run = plain.post(f"/v1beta/tasks/groups/{group}/runs", json=batch("a")).json()["run_ids"][0]
    for path in ("", "/runs", "/events", f"/runs/{run}"):
        old, new = (plain.get(f"/{version}/tasks/groups/{group}{path}") for version in ("v1beta", "v1"))
        assert (old.status_code, old.headers["content-type"]) == (200, new.headers["content-type"])


@pytest.mark.parametrize("depth", range(900, 1010, 10))
def test_a_deeply_nested_body_is_accepted_or_422_and_never_a_500(plain, depth):
    body = b'{"processor":"core","input":{"a":%b%b}}' % (b"[" * depth, b"]" * depth)
    response = plain.post("/v1/tasks/runs", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (202, 422)
    if response.status_code == 202:
        assert plain.get(f"/v1/tasks/runs/{response.json()['run_id']}/input").status_code in (200, 422)


def test_mcp_headers_are_never_shown(plain):
    servers = [{"url": "https://m.example", "name": "m", "headers": {"authorization": "s3cret"}}]
    run = plain.post("/v1/tasks/runs", json=RUN | {"mcp_servers": servers}).json()["run_id"]
    shown = plain.get(f"/v1/tasks/runs/{run}/input")
    assert shown.json()["mcp_servers"][0]["url"] == "https://m.example"
    assert "s3cret" not in shown.text
