"""Runs that go through research, and what waits for them."""

import threading

import httpx

from rowcite.local.research.corpus import open_corpus
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from support import quick, until

RUN = {"processor": "core", "input": "Acme"}


def test_adding_runs_does_not_wait_for_their_research(start, batch, answers):
    answers.go.clear()
    client = start()
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    status = client.post(f"{path}/runs", json=batch(*"abc")).json()["status"]
    assert status["task_run_status_counts"] == {"queued": 3}


def test_a_result_is_sent_as_soon_as_the_run_ends(start, answers):
    answers.go.clear()
    client = start()
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    threading.Timer(0.05, answers.go.set).start()
    body = client.get(f"/v1/tasks/runs/{run}/result", params={"timeout": 5}).json()
    assert body["run"]["status"] == "completed"
    assert body["output"]["content"] == {"city": "Acme"}
    assert body["output"]["basis"][0]["citations"][0]["excerpts"] == ["about Acme"]


def test_a_result_that_is_late_is_408(start, answers):
    answers.go.clear()
    client = start()
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    assert client.get(f"/v1/tasks/runs/{run}/result", params={"timeout": 0}).status_code == 408


def test_a_timeout_that_is_not_a_number_is_422(plain):
    run = plain.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    assert plain.get(f"/v1/tasks/runs/{run}/result?timeout=soon").status_code == 422


def test_an_error_in_research_fails_its_run_alone(plain):
    broken, whole = (
        plain.post("/v1/tasks/runs", json=RUN | {"input": text}).json()["run_id"] for text in ("boom", "Acme")
    )
    response = plain.get(f"/v1/tasks/runs/{broken}/result")
    run = plain.get(f"/v1/tasks/runs/{broken}").json()
    assert response.status_code == 404
    assert run["error"]["ref_id"] in response.json()["error"]["message"]
    assert plain.get(f"/v1/tasks/runs/{whole}/result").status_code == 200


def test_research_gets_the_question_of_the_run(start, answers):
    client = start()
    policy = {"include_domains": [".gov"], "exclude_domains": ["x.example"], "after_date": "2025-01-31"}
    body = RUN | {
        "input": {"name": "Acme"},
        "source_policy": policy,
        "task_spec": {"output_schema": "The year"},
    }
    run = client.post("/v1/tasks/runs", json=body).json()["run_id"]
    client.get(f"/v1/tasks/runs/{run}/result")
    (question,) = answers.questions
    assert question.input == {"name": "Acme"}
    assert question.output == {"type": "text", "description": "The year"}
    assert question.processor == "core"
    assert (question.include_domains, question.exclude_domains, question.after_date) == (
        (".gov",),
        (),
        "2025-01-31",
    )


def test_runs_pass_through_queued_and_running(start, answers):
    answers.go.clear()
    client = start()
    run = client.post("/v1/tasks/runs", json=RUN).json()
    path = f"/v1/tasks/runs/{run['run_id']}"
    assert run["status"] == "queued"
    until(lambda: client.get(path).json()["status"] == "running", 120)
    answers.go.set()
    assert client.get(f"{path}/result").json()["run"]["status"] == "completed"


def test_the_server_answers_while_research_is_busy(start, batch, answers):
    client = start()
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    busy = threading.Event()

    def research_hard():
        while not busy.is_set():
            sum(range(1000))

    answers.go.wait = lambda _: research_hard()
    client.post(f"{path}/runs", json=batch("a"))
    try:
        assert quick(lambda: [client.get(path) for _ in range(10)], 2)
    finally:
        busy.set()


def test_the_basis_of_an_auto_answer_has_its_nested_names(tmp_path):
    page = "<h1>Acme Pumps</h1><p>Headquarters: Leeds, England</p><h2>Products</h2><ul><li>Pumps</li><li>Valves</li></ul>"
    (tmp_path / "acme.html").write_text(page)
    with embedded(create_app(open_corpus(tmp_path), ServerSettings())) as base:
        runs = f"{base}/v1/tasks/runs"
        body = {"processor": "core", "input": {"company_name": "Acme Pumps"}}
        run = httpx.post(runs, json=body).json()["run_id"]
        output = httpx.get(f"{runs}/{run}/result").json()["output"]
    fields = {entry["field"] for entry in output["basis"]}
    assert {"headquarters.city", "key_products.0", "key_products.1"} <= fields
