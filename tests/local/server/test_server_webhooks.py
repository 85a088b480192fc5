"""Webhooks, delivered to a real receiver and verified with the standardwebhooks package."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from support import until

SECRET = "the bytes of this text are the key"
ON_END = ["task_run.status"]


class Receiver(ThreadingHTTPServer):
    """Answers deliveries with the given statuses, then repeats the last one."""

    daemon_threads = True

    def __init__(self, *statuses, listens=True):
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=listens)
        if not listens:  # connections are refused until `server_activate`
            self.server_bind()
        self.statuses = list(statuses) or [204]
        self.deliveries = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook?a=b"

    def wait_for(self, count):
        until(lambda: len(self.deliveries) >= count, 120)
        return self.deliveries


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        number = len(self.server.deliveries)
        self.server.deliveries.append((self.path, dict(self.headers.items()), body))
        self.send_response(self.server.statuses[min(number, len(self.server.statuses) - 1)])
        self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    """Return a function that starts a receiver."""
    started = []

    def start(*statuses):
        one = Receiver(*statuses)
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        started.append(one)
        return one

    yield start
    for one in started:
        one.shutdown()
        one.server_close()


@pytest.fixture
def client(start):
    return start(webhook_secret=SECRET, webhook_pause=0.02)


def run_with(client, url, **more):
    body = {"processor": "core", "input": "Acme", "webhook": {"url": url, "event_types": ON_END}} | more
    return client.post("/v1/tasks/runs", json=body, headers={"parallel-beta": "webhook-2025-08-12"})


def test_the_end_of_a_run_is_delivered_with_a_signature(client, receiver):
    hook = receiver()
    run_id = run_with(client, hook.url, metadata={"row": "7"}).json()["run_id"]
    ((path, headers, body),) = hook.wait_for(1)
    payload = Webhook(SECRET.encode()).verify(body, headers)
    assert path == "/hook?a=b"
    assert payload["type"] == "task_run.status"
    assert payload["timestamp"].endswith("Z")
    assert payload["data"] == client.get(f"/v1/tasks/runs/{run_id}").json()
    assert payload["data"]["status"] == "completed"


def test_a_changed_body_does_not_verify(client, receiver):
    hook = receiver()
    run_with(client, hook.url)
    ((_, headers, body),) = hook.wait_for(1)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET.encode()).verify(body.replace(b"completed", b"cancelled"), headers)


def test_a_receiver_that_fails_twice_gets_a_third_delivery_with_the_same_id(client, receiver):
    hook = receiver(500, 503, 200)
    run_with(client, hook.url)
    deliveries = hook.wait_for(3)
    time.sleep(0.2)
    assert len(deliveries) == 3
    assert len({headers["webhook-id"] for _, headers, _ in deliveries}) == 1
    for _, headers, body in deliveries:
        Webhook(SECRET.encode()).verify(body, headers)


def test_a_redirect_is_not_followed_and_counts_as_a_failure(client, receiver):
    hook = receiver(307, 200)
    run_with(client, hook.url)
    assert [path for path, *_ in hook.wait_for(2)] == ["/hook?a=b"] * 2


def test_an_unreachable_receiver_gets_the_delivery_later(client):
    late = Receiver(listens=False)
    with late:
        run_with(client, late.url)
        time.sleep(0.1)
        late.server_activate()
        threading.Thread(target=late.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        assert late.wait_for(1)
        late.shutdown()


def test_a_receiver_that_hangs_does_not_delay_the_result(client):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        run = run_with(client, f"http://127.0.0.1:{silent.getsockname()[1]}/").json()["run_id"]
        assert client.get(f"/v1/tasks/runs/{run}/result", timeout=9).status_code == 200


def test_the_end_of_a_failed_run_is_delivered(client, receiver):
    hook = receiver()
    run_with(client, hook.url, input="boom")
    ((_, _, body),) = hook.wait_for(1)
    assert json.loads(body)["data"]["status"] == "failed"


def test_each_run_of_a_group_is_delivered_once(client, receiver, batch):
    hook = receiver()
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    body = batch("a", "b", "c")
    for one in body["inputs"]:
        one["webhook"] = {"url": hook.url, "event_types": ON_END}
    ids = client.post(f"{path}/runs", json=body).json()["run_ids"]
    deliveries = hook.wait_for(3)
    assert sorted(json.loads(body)["data"]["run_id"] for *_, body in deliveries) == sorted(ids)
    assert len({headers["webhook-id"] for _, headers, _ in deliveries}) == 3


def test_a_webhook_without_event_types_gets_nothing_and_draws_a_warning(client, receiver):
    hook = receiver()
    run = run_with(client, hook.url, webhook={"url": hook.url}).json()
    client.get(f"/v1/tasks/runs/{run['run_id']}/result")
    time.sleep(0.1)
    assert not hook.deliveries
    assert "event_types" in run["warnings"][0]["message"]


def test_without_a_secret_deliveries_are_unsigned_and_draw_a_warning(start, receiver):
    hook = receiver()
    run = run_with(start(), hook.url).json()
    ((_, headers, _),) = hook.wait_for(1)
    assert "webhook-signature" not in headers
    assert "not signed" in run["warnings"][0]["message"]


@pytest.mark.parametrize(
    "webhook",
    [
        {"url": "file:///etc/hosts"},
        {"url": "ftp://a.example/"},
        {"url": "a.example"},
        {"url": "http://"},
        {"url": "http://a.example:port/"},
        {"url": "http://a.example/", "event_types": ["monitor.event"]},
    ],
)
def test_only_http_and_known_events_are_accepted(plain, webhook):
    answer = plain.post("/v1/tasks/runs", json={"processor": "core", "input": "a", "webhook": webhook})
    assert answer.status_code == 422
    assert answer.json()["error"]["detail"]["errors"][0]["loc"][:2] == ["body", "webhook"]


def test_the_journal_records_each_attempt(start, receiver, tmp_path):
    hook = receiver(500, 200)
    journal = tmp_path / "journal.jsonl"
    client = start(webhook_secret=SECRET, webhook_pause=0.02, journal=journal)
    run_with(client, hook.url)
    hook.wait_for(2)
    until(lambda: journal.read_text().count('"webhook"') >= 2, 120)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(one["webhook"], one["answer"]) for one in lines if "webhook" in one] == [(1, 500), (2, 200)]
