"""Start and stop: in a thread, and as a process that gets a signal."""

import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest

from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import GRACE, embedded
from support import quick, until

SERVE = """
import sys
from pathlib import Path
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import serve
app = create_app(None, ServerSettings(latency=1.0))
serve(app, port=0, port_file=Path(sys.argv[1]), on_ready=lambda url: print(url, flush=True))
print("done", flush=True)
"""


@pytest.fixture
def process(tmp_path):
    port_file = tmp_path / "port"
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, port_file], stdout=subprocess.PIPE, text=True
    ) as running:
        running.base = running.stdout.readline().strip()
        running.port = port_file.read_text()
        yield running
        running.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_serve_cleanly_though_a_stream_is_open(process, number):
    assert process.base == f"http://127.0.0.1:{process.port.strip()}"
    run = httpx.post(f"{process.base}/v1/tasks/runs", json={"processor": "core", "input": "a"}).json()[
        "run_id"
    ]
    with httpx.stream("GET", f"{process.base}/v1/tasks/runs/{run}/events", timeout=60) as response:
        chunks = response.iter_raw()
        next(chunks)
        process.send_signal(number)
        assert process.wait(60) == 0
    assert process.stdout.read() == "done\n"


def test_embedded_serves_and_is_gone_after_the_block(answers):
    with embedded(create_app(answers, ServerSettings())) as base:
        assert httpx.get(f"{base}/v1/tasks/runs/x").status_code == 404
        left = time.monotonic()
    assert time.monotonic() - left < GRACE
    with pytest.raises(httpx.ConnectError):
        httpx.get(base)


def new_run(client, base, text):
    return client.post(f"{base}/v1/tasks/runs", json={"processor": "core", "input": text}).json()["run_id"]


def test_embedded_stops_without_waiting_for_open_streams_and_results(answers):
    answers.go.clear()
    app, codes = create_app(answers, ServerSettings()), {}
    with httpx.Client(timeout=30, verify=False) as client:
        with embedded(app) as base:
            runs = {path: new_run(client, base, path) for path in ("result", "events")}

            def wait(path):
                codes[path] = client.get(f"{base}/v1/tasks/runs/{runs[path]}/{path}").status_code

            waiting = [threading.Thread(target=wait, args=(path,)) for path in runs]
            for thread in waiting:
                thread.start()
            until(lambda: app.state.engine._waiting.keys() >= set(runs.values()), 120)
            left = time.monotonic()
        assert time.monotonic() - left < GRACE
        for thread in waiting:
            thread.join(30)
    assert codes == {"result": 408, "events": 200}


def test_two_embedded_servers_are_independent(answers):
    with (
        embedded(create_app(answers, ServerSettings())) as one,
        embedded(create_app(answers, ServerSettings())) as other,
    ):
        run = httpx.post(f"{one}/v1/tasks/runs", json={"processor": "core", "input": "a"}).json()["run_id"]
        assert httpx.get(f"{other}/v1/tasks/runs/{run}").status_code == 404


def test_an_error_inside_the_block_stops_the_server_and_is_raised(answers):
    before = set(threading.enumerate())  # other tests' servers too
    with pytest.raises(KeyError), embedded(create_app(answers, ServerSettings())) as base:
        raise KeyError(base)
    assert not any(thread.name == "rowcite-server" for thread in set(threading.enumerate()) - before)


def test_an_answer_does_not_wait_for_an_acknowledgement(answers):
    with embedded(create_app(answers, ServerSettings())) as base, httpx.Client(base_url=base) as client:
        client.get("/v1/tasks/runs/x")

        def twenty():
            for _ in range(20):
                client.get("/v1/tasks/runs/x")

        assert quick(twenty, 0.4)  # 20 times 40 ms with Nagle's algorithm on
