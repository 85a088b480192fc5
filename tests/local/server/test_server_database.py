"""The database: a server that is killed, and its successor."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest

from rowcite.errors import UsageError
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.database import Database
from rowcite.local.server.serving import embedded
from rowcite.local.server.shapes import RunInput
from rowcite.local.server.store import Ending, Output, Store
from rowcite.local.server.validation import AUTO_SPEC, AcceptedRun
from support import until

RUN = {"processor": "core", "input": {"name": "Acme"}, "metadata": {"row": "7"}}
SERVE = """
import sys, time
from pathlib import Path
from rowcite.model import FieldBasis
from rowcite.local.research.question import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import serve

class Slow:
    def research(self, question):
        time.sleep(float(sys.argv[3]))
        return Finding("json", {"city": str(question.input)}, (FieldBasis("city", "So it is."),))

app = create_app(Slow(), ServerSettings(data=Path(sys.argv[1]), latency=float(sys.argv[2])))
serve(app, port=0, on_ready=lambda url: print(url, flush=True))
"""


@contextmanager
def process(data, *, latency=0.0, each=0.0):
    """Serve in a separate process, which is killed at the end."""
    command = [sys.executable, "-c", SERVE, str(data), str(latency), str(each)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        with httpx.Client(base_url=running.stdout.readline().strip(), timeout=10, verify=False) as client:
            yield client
        running.kill()  # SIGKILL: no cleanup


@contextmanager
def serving(answers, **settings):
    """Serve in this process; yield a client."""
    with (
        embedded(create_app(answers, ServerSettings(**settings))) as base,
        httpx.Client(base_url=base, timeout=10, verify=False) as client,
    ):
        yield client


@pytest.fixture
def data(tmp_path):
    return tmp_path / "deep" / "data"


def group_of(client, batch, *inputs):
    group = client.post("/v1/tasks/groups", json={"metadata": {"team": "revops"}}).json()["taskgroup_id"]
    path = f"/v1/tasks/groups/{group}"
    return path, client.post(f"{path}/runs", json=batch(*inputs)).json()


def test_a_new_server_has_everything_of_a_killed_one(data, batch, events_of, answers):
    with process(data) as client:
        path, added = group_of(client, batch, *"abc")
        events = events_of(client, f"{path}/events")
        listed = events_of(client, f"{path}/runs", include_input=True, include_output=True)
        single = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
        answer = client.get(f"/v1/tasks/runs/{single}/result").json()
        group = client.get(path).json()
    with serving(answers, data=data) as client:
        assert client.get(path).json() == group
        assert events_of(client, f"{path}/events")[1:] == events[1:]
        assert events_of(client, f"{path}/runs", include_input=True, include_output=True) == listed
        assert client.get(f"/v1/tasks/runs/{single}/result").json() == answer
        assert [event["run"]["run_id"] for event in listed] == added["run_ids"]


def test_cursors_of_a_killed_server_resume_without_loss_or_repeat(data, batch, events_of, answers):
    with process(data) as client:
        path, _ = group_of(client, batch, *"ab")
        seen = events_of(client, f"{path}/events")
    with serving(answers, data=data) as client:
        second = client.post(f"{path}/runs", json=batch("c")).json()
        events = events_of(client, f"{path}/events", last_event_id=seen[-1]["event_id"])
        assert [one["run"]["run_id"] for one in events if "run" in one] == second["run_ids"]
        runs = events_of(client, f"{path}/runs", last_event_id=second["run_cursor"])
        assert [one["run"]["run_id"] for one in runs] == second["run_ids"]


def test_running_runs_of_a_killed_server_end_in_the_next(data, batch, events_of, answers):
    with process(data, each=0.05) as client:
        path, added = group_of(client, batch, *map(str, range(20)))
        client.get(f"/v1/tasks/runs/{added['run_ids'][0]}/result")
        before = client.get(path).json()["status"]["task_run_status_counts"]
    assert before["running"] > 0
    with serving(answers, data=data) as client:
        events_of(client, f"{path}/events")
        runs = events_of(client, f"{path}/runs", include_output=True)
        events = events_of(client, f"{path}/events", last_event_id="0")
    assert [run["run"]["run_id"] for run in runs] == added["run_ids"]
    assert [run["output"]["content"]["city"] for run in runs] == [str(n) for n in range(20)]
    assert sorted(one["run"]["run_id"] for one in events if "run" in one) == sorted(added["run_ids"])


def test_queued_runs_of_a_killed_server_wait_and_end_in_the_next(data, answers):
    with process(data, latency=0.005) as client:  # core: 0.3 to 1.5 s, a tenth of it queued
        run = client.post("/v1/tasks/runs", json=RUN).json()
        assert run["status"] == "queued"
    with serving(answers, data=data, latency=0.005) as client:
        assert client.get(f"/v1/tasks/runs/{run['run_id']}/result").json()["run"]["metadata"] == {"row": "7"}


def test_a_second_server_on_the_same_folder_is_refused(data):
    first = Database(data)
    with pytest.raises(UsageError, match="Another server"):
        Database(data)
    first.close()
    Database(data).close()


def test_a_file_that_is_not_a_database_is_refused(data):
    data.mkdir(parents=True)
    (data / "rowcite-server.sqlite").write_text(
        "this is not a database, and long enough to be recognised " * 30
    )
    with pytest.raises(UsageError, match="--data"):
        Database(data)


def test_a_file_of_a_later_version_is_refused(data):
    Database(data).close()
    with sqlite3.connect(data / "rowcite-server.sqlite") as file:
        file.execute("pragma user_version = 99")
    file.close()
    with pytest.raises(UsageError, match="version 99"):
        Database(data)


def test_credit_is_computed_from_the_restored_runs(data, answers):
    with serving(answers, data=data, credit=0.06) as client:
        run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
        client.get(f"/v1/tasks/runs/{run}/result")
    with serving(answers, data=data, credit=0.06) as client:
        codes = [client.post("/v1/tasks/runs", json=RUN).status_code for _ in range(2)]
    assert codes == [202, 402]


def test_an_earlier_interaction_is_known_after_a_restart(data, answers):
    with serving(answers, data=data) as client:
        run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
        client.get(f"/v1/tasks/runs/{run}/result")
    with serving(answers, data=data) as client:
        body = RUN | {"previous_interaction_id": run}
        assert client.post("/v1/tasks/runs", json=body).status_code == 202


def test_warnings_errors_and_specs_are_restored(data, answers):
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "sources": {"type": "string"}}}
    spec = {"output_schema": {"type": "json", "json_schema": schema}}
    body = RUN | {"input": "boom", "task_spec": spec}
    with serving(answers, data=data) as client:
        run = client.post("/v1/tasks/runs", json=body).json()["run_id"]
        client.get(f"/v1/tasks/runs/{run}/result")
        before = client.get(f"/v1/tasks/runs/{run}").json()
    with serving(answers, data=data) as client:
        assert client.get(f"/v1/tasks/runs/{run}").json() == before
        assert client.get(f"/v1/tasks/runs/{run}/input").json()["task_spec"] == spec
    assert before["warnings"]
    assert before["error"]


def test_a_webhook_that_was_not_delivered_is_sent_after_the_restart(data, answers, tmp_path):
    hook = {"url": "http://127.0.0.1:9/", "event_types": ["task_run.status"]}
    journal = tmp_path / "journal.jsonl"
    with serving(answers, data=data) as client:
        run = client.post("/v1/tasks/runs", json=RUN | {"webhook": hook}).json()["run_id"]
        client.get(f"/v1/tasks/runs/{run}/result")
    with serving(answers, data=data, journal=journal):
        until(lambda: '"webhook"' in journal.read_text(), 120)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [one["run"] for one in lines if "webhook" in one] == [run]


def test_a_failed_write_is_repeated_with_the_next_changes(data, monkeypatch, caplog):
    database, store = Database(data), Store(lambda: 1_000_000.0)
    database.restore(store)
    asked = AcceptedRun(RunInput("core", "a"), AUTO_SPEC, ())
    with monkeypatch.context() as broken:
        broken.setattr("rowcite.local.server.database._PUT_RUN", "insert into nowhere values (1)")
        (run,) = store.add([asked])
        database.save(store)
    assert "could not be written" in caplog.text
    store.advance()
    store.finish([(run, Ending("completed", Output(b"{}", 1, ("u",))))])
    store.advance()
    database.save(store)
    database.close()
    again, later = Database(data), Store(lambda: 1_000_000.0)
    again.restore(later)
    again.close()
    assert later.runs[run.id].ending == run.ending


def test_a_batch_of_a_thousand_is_one_quick_write(data):
    database, store = Database(data), Store(lambda: 1_000_000.0)
    database.restore(store)
    group = store.create_group(None)

    def taken():
        store.add([AcceptedRun(RunInput("core", f"row {n}"), AUTO_SPEC, ()) for n in range(1000)], group)
        begun = time.perf_counter()
        database.save(store)
        return time.perf_counter() - begun

    quick = any(taken() < 0.5 for _ in range(10))  # a busy machine delays some
    database.close()
    assert quick
