"""What the journal records, and what it never contains."""

import hashlib
import json

import pytest

RUN = {"processor": "core", "input": {"b": 1, "a": "é"}, "metadata": {"row": "7"}}


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "journal.jsonl"


def lines(path):
    return [json.loads(line) for line in path.read_text("utf8").splitlines()]


def test_a_request_is_recorded_with_its_answer(start, journal):
    start(journal=journal).get("/v1/tasks/runs/x?a=b", headers={"parallel-beta": "events-sse-2025-07-24"})
    (line,) = lines(journal)
    assert line.pop("at").endswith("Z")
    assert line == {
        "method": "GET",
        "path": "/v1/tasks/runs/x",
        "query": "a=b",
        "status": 404,
        "beta": "events-sse-2025-07-24",
    }


def test_a_run_is_recorded_when_it_is_created_and_when_it_ends(start, journal):
    client = start(journal=journal)
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    client.get(f"/v1/tasks/runs/{run}/result")
    created, ended = (line for line in lines(journal) if line.get("run") == run)
    assert created["metadata"] == {"row": "7"}
    assert created["input_sha256"] == hashlib.sha256('{"a":"é","b":1}'.encode()).hexdigest()
    assert ended["ended"] == "completed"


def test_a_request_without_an_answer_is_recorded_without_a_status(start, journal):
    client = start(journal=journal, faults={"http": [{"cut": True}]})
    with pytest.raises(Exception, match="disconnected"):
        client.get("/v1/tasks/runs/x")
    assert lines(journal)[0]["status"] is None


def test_a_refused_request_is_recorded_and_the_key_is_not(start, journal):
    client = start(journal=journal, key="s3cret")
    client.get("/v1/tasks/runs/x", headers={"x-api-key": "s3cret"})
    client.get("/v1/tasks/runs/x", headers={"x-api-key": "wr0ng"})
    assert [line["status"] for line in lines(journal)] == [404, 401]
    assert not any(secret in journal.read_text("utf8") for secret in ("s3cret", "wr0ng"))
