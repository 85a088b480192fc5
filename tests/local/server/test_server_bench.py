"""`rowcite serve --bench`: answers without research, for measuring clients."""

import json
import signal
import time

import httpx
import jsonschema
import pytest

from rowcite.api.facts import BETA_FIELD_BASIS
from rowcite.cli import main
from rowcite.errors import UsageError
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.bench import Bench, number_of
from rowcite.local.server.latency import Lognormal
from rowcite.local.server.serving import embedded
from support import started, until

SCHEMA = {
    "type": "object",
    "properties": {
        "industry": {"type": "string", "description": "Main industry"},
        "employee_count": {"type": ["integer", "null"]},
        "listed": {"type": "boolean"},
        "stage": {"enum": ["Seed", "Public", None]},
        "founded": {"type": "string", "description": "a date, YYYY-MM-DD"},
        "products": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
    },
    "required": ["industry"],
    "additionalProperties": False,
}
JSON = {"output_schema": {"type": "json", "json_schema": SCHEMA}}


@pytest.fixture(scope="module")
def bench():
    with (
        embedded(create_app(Bench(), ServerSettings())) as base,
        httpx.Client(base_url=base, timeout=10) as client,
    ):
        yield client


def output(client, given, spec=JSON, **more):
    run = client.post("/v1/tasks/runs", json={"processor": "core", "input": given, "task_spec": spec} | more)
    return client.get(f"/v1/tasks/runs/{run.json()['run_id']}/result").json()["output"]


def test_every_field_has_a_value_that_the_schema_allows(bench):
    content = output(bench, "Acme")["content"]
    jsonschema.validate(content, SCHEMA)
    assert content.keys() == SCHEMA["properties"].keys()
    assert None not in content.values()
    assert content["founded"] == "2001-02-03"


@pytest.mark.parametrize(
    "spec",
    [
        JSON,
        {"output_schema": {"type": "text"}},
        {"output_schema": "The year"},
        {"output_schema": {"type": "auto"}},
    ],
)
def test_an_answer_is_as_long_as_a_real_one_and_states_that_it_is_not_research(bench, spec):
    found = output(bench, "Acme", spec)
    assert len(json.dumps(found, separators=(",", ":"))) >= 1_800
    for entry in found["basis"]:
        assert entry["reasoning"].startswith("Bench mode: not research.")
        assert len(entry["citations"]) == 3
        assert all(".example.invalid/" in citation["url"] for citation in entry["citations"])
        assert all(citation["excerpts"] for citation in entry["citations"])


def test_each_field_has_the_requested_number_of_citations():
    with (
        embedded(create_app(Bench(citations=1), ServerSettings())) as base,
        httpx.Client(base_url=base, timeout=10) as client,
    ):
        basis = output(client, "Acme")["basis"]
    assert {len(entry["citations"]) for entry in basis} == {1}


def test_equal_inputs_have_equal_answers_and_different_inputs_different_ones(bench):
    first, again, other = (output(bench, given) for given in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}))
    assert first == again != other
    assert first["content"]["employee_count"] == number_of({"a": 1, "b": 2})


def test_a_batch_gets_the_answers_that_single_runs_get(bench, events_of):
    path = f"/v1/tasks/groups/{bench.post('/v1/tasks/groups', json={}).json()['taskgroup_id']}"
    runs = [{"processor": "core", "input": f"row {number}"} for number in range(200)]
    bench.post(f"{path}/runs", json={"default_task_spec": JSON, "inputs": runs})
    ended = [event for event in events_of(bench, f"{path}/events") if event["type"] == "task_run.state"]
    listed = events_of(bench, f"{path}/runs", include_input=True, include_output=True)
    assert len(ended) == len(listed) == 200
    for event in listed:
        assert event["output"]["content"]["employee_count"] == number_of(event["input"]["input"])
    assert listed[7]["output"] == output(bench, "row 7")


def test_each_record_of_a_pack_is_answered_with_its_key(bench):
    item = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["id", "count"],
    }
    schema = {"type": "object", "properties": {"rows": {"type": "array", "items": item}}}
    given = {"records": [{"id": "a", "name": "Acme"}, {"id": "b", "name": "Bolt"}]}
    found = output(bench, given, {"output_schema": {"type": "json", "json_schema": schema}})
    assert found["content"]["rows"] == [
        {"id": "a", "count": number_of({"name": "Acme"})},
        {"id": "b", "count": number_of({"name": "Bolt"})},
    ]


def test_a_list_has_a_basis_for_each_element(bench):
    basis = output(bench, "Acme")["basis"]
    assert {"products.0", "products.1"} < {entry["field"] for entry in basis}


def texts(found):
    content = found["content"]
    yield from (content["industry"], *(item["name"] for item in content["products"]))
    for entry in found["basis"]:
        yield entry["reasoning"]
        for citation in entry["citations"]:
            yield from (citation["title"], *citation["excerpts"])


@pytest.mark.parametrize("betas", [BETA_FIELD_BASIS, ""])
def test_the_requested_share_of_texts_is_hostile_and_the_schema_still_holds(betas):
    with (
        embedded(create_app(Bench(0.3), ServerSettings())) as base,
        httpx.Client(base_url=base, timeout=10, headers={"parallel-beta": betas}) as client,
    ):
        answers = [output(client, f"row {number}") for number in range(60)]
        assert answers[7] == output(client, "row 7")
    for found in answers:
        jsonschema.validate(found["content"], SCHEMA)
        assert found["content"]["founded"] == "2001-02-03"
    given = [text for found in answers for text in texts(found)]
    hostile = [text for text in given if not text.startswith(("bench ", "Bench "))]
    assert len(hostile) / len(given) == pytest.approx(0.3, abs=0.04)
    assert all(any(sign in text for text in hostile) for sign in ("\u2028", '"', "\r\n", "=HYPERLINK"))
    assert "" in hostile
    assert max(map(len, hostile)) == 10_000


def test_a_search_result_states_that_it_is_not_research(bench):
    (found,) = bench.post("/v1/search", json={"search_queries": ["acme"]}).json()["results"]
    assert found["excerpts"][0].startswith("Bench mode: not research.")


def test_faults_and_the_rate_limit_apply():
    settings = ServerSettings(faults={"fail": 1.0}, rate_limit=2)
    with embedded(create_app(Bench(), settings)) as base, httpx.Client(base_url=base) as client:
        run = client.post("/v1/tasks/runs", json={"processor": "core", "input": "Acme"}).json()["run_id"]
        assert client.get(f"/v1/tasks/runs/{run}/result").status_code == 404
        assert client.get(f"/v1/tasks/runs/{run}").status_code == 429


def test_a_run_takes_its_latency():
    for _ in range(10):  # requests to a busy machine may take much longer than the run
        app = create_app(Bench(), ServerSettings(latency=Lognormal(0.2)))
        with embedded(app) as base, httpx.Client(base_url=base, timeout=30) as client:
            began = time.monotonic()
            output(client, "Acme")
            took = time.monotonic() - began
        assert 0.01 < app.state.engine.counts.makespan < took
        if app.state.engine.counts.makespan > took - 0.2:
            break
    assert app.state.engine.counts.makespan > took - 0.2


def test_latencies_have_the_requested_mean_and_spread():
    drawn = Lognormal(5.0)
    times = [drawn.seconds(number.to_bytes(8)) for number in range(2**63 >> 13, 2**64, 2**64 >> 12)]
    assert sum(times) / len(times) == pytest.approx(5.0, rel=0.03)
    assert sorted(times)[len(times) // 2] == pytest.approx(5.0 * 2.718281828**-0.5, rel=0.01)
    assert drawn.seconds(b"\xff" * 8) < 5_000


def test_the_command_serves_and_reports_its_makespan(tmp_path):
    port = tmp_path / "port"
    process = started("serve", "--bench", "--port", "0", "--port-file", port, "--journal", "j", cwd=tmp_path)
    try:
        until(port.exists, 120)
        with httpx.Client(base_url=f"http://127.0.0.1:{port.read_text().strip()}") as client:
            output(client, "Acme")
    finally:
        process.send_signal(signal.SIGINT)
        messages = process.communicate(timeout=60)[1].decode()
    assert "bench" in messages
    assert "1 runs created, 1 ended" in messages
    last = json.loads((tmp_path / "j").read_text().splitlines()[-1])
    assert (last["created"], last["ended"]) == (1, 1)
    assert last["makespan"] >= 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--bench", "--corpus", "."), "--bench"),
        ((), "--corpus DIR"),
        (("--hostile", "0.3", "--corpus", "."), "--bench"),
        (("--citations", "1", "--corpus", "."), "--bench"),
        (("--bench", "--latency", "1", "--latency-mean", "5"), "--latency-mean"),
        (("--bench", "--latency-mean", "0"), "--latency-mean"),
    ],
)
def test_flags_that_exclude_each_other_are_refused(capfd, flags, words):
    assert main(["serve", "--port", "0", *flags]) == UsageError.exit_code
    assert words in capfd.readouterr().err
