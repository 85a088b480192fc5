"""Who may use a server without a key: programs of this machine, and no page of another site. Bodies are limited."""

import http.server
import json
import socket
import threading

import pytest

from rowcite.cli import main
from rowcite.local.server.access import BodyLimits
from rowcite.local.server.addresses import is_loopback, is_private
from support import until

RUN = {"processor": "core", "input": "Acme"}
SEARCH = {"objective": "Acme", "search_queries": ["Acme"]}


@pytest.mark.parametrize(
    "host", ["attacker.example", "127.0.0.1.attacker.example", "10.0.0.1:80", "localhost.example"]
)
def test_without_a_key_another_host_name_is_421(plain, host):
    for method, path in (("GET", "/v1/tasks/runs/x"), ("POST", "/v1/search"), ("GET", "/openapi.json")):
        refusal = plain.request(
            method, path, headers={"host": host}, json=SEARCH if method == "POST" else None
        )
        assert (refusal.status_code, refusal.json()["type"]) == (421, "error")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1234", "127.0.0.1", "[::1]:80", "127.8.8.8:80", "a.localhost"]
)
def test_each_name_of_this_machine_is_answered(plain, host):
    assert plain.post("/v1/search", headers={"host": host}, json=SEARCH).status_code == 200


def test_with_a_key_or_another_address_every_host_name_is_answered(start):
    for settings in ({"key": "k"}, {"loopback_only": False}):
        headers = {"host": "rowcite.intranet", "x-api-key": "k"}
        assert start(**settings).get("/v1/tasks/runs/x", headers=headers).status_code == 404


@pytest.mark.parametrize("origin", ["https://attacker.example", "null", "http://127.0.0.1.attacker.example"])
def test_a_page_of_another_site_is_403(plain, origin):
    assert plain.post("/v1/tasks/groups", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_that_is_not_json_by_its_type_is_415(plain, kind):
    headers = {"content-type": kind} if kind else {}
    for path in ("/v1/tasks/runs", "/v1/tasks/groups", "/v1/search"):
        assert plain.post(path, content=json.dumps(RUN), headers=headers).status_code == 415


def test_a_body_in_parts_without_a_type_is_415(plain):
    assert plain.post("/v1/tasks/runs", content=iter([b"{}"])).status_code == 415


def test_a_group_without_a_body_is_created(plain):
    assert plain.post("/v1/tasks/groups").status_code == 200


def test_a_body_above_the_limit_is_413_with_and_without_its_length(start):
    client = start(body=BodyLimits(size=1_000))
    headers = {"content-type": "application/json"}
    assert client.post("/v1/tasks/runs", content=b"x" * 1_001, headers=headers).status_code == 413
    assert client.post("/v1/tasks/runs", content=iter([b"x" * 600] * 2), headers=headers).status_code == 413


def test_a_body_that_never_comes_is_408(start):
    client = start(body=BodyLimits(seconds=0.05))
    with socket.create_connection((client.base_url.host, client.base_url.port)) as slow:
        slow.sendall(
            b"POST /v1/tasks/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
        )
        slow.settimeout(5)
        assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_a_body_with_two_lengths_is_400(plain):
    both = (
        b"content-type: application/json\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    with socket.create_connection((plain.base_url.host, plain.base_url.port)) as raw:
        raw.sendall(b"POST /v1/tasks/groups HTTP/1.1\r\nhost: localhost\r\n" + both)
        raw.settimeout(5)
        assert raw.recv(100).startswith(b"HTTP/1.1 400")


def test_a_webhook_to_a_private_address_is_not_sent_unless_told(start):
    with hook() as (url, deliveries):
        body = RUN | {"webhook": {"url": url, "event_types": ["task_run.status"]}}
        run = start(private_addresses=False).post("/v1/tasks/runs", json=body).json()
        assert run["warnings"][0]["message"].startswith(
            "Nothing is sent to the webhook: the address is private"
        )
        start(private_addresses=True).post("/v1/tasks/runs", json=body)
        until(lambda: deliveries, 120)
        assert len(deliveries) == 1


def test_a_name_of_a_private_address_is_not_called_either(start, tmp_path):
    with hook() as (url, deliveries):
        local = url.replace("127.0.0.1", "localhost.")
        body = RUN | {"webhook": {"url": local, "event_types": ["task_run.status"]}}
        journal = tmp_path / "journal"
        start(private_addresses=False, journal=journal).post("/v1/tasks/runs", json=body)
        until(lambda: '"webhook"' in journal.read_text(), 120)
        assert deliveries == []


class hook:  # noqa: N801 - a context manager
    """A receiver of webhooks on loopback: its URL, and the bodies that it received."""

    def __enter__(self):
        bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return f"http://127.0.0.1:{self.server.server_port}/", bodies

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "fec0::1", "::ffff:0:127.0.0.1", "64:ff9b:1::a00:1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
)  # fmt: skip
def test_private_addresses_are_recognised_in_every_form(address):
    assert is_private(address)


def test_public_addresses_are_not_private():
    assert not any(map(is_private, ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]))


def test_malformed_hosts_are_not_loopback():
    assert not any(
        map(
            is_loopback,
            [
                "",
                ":",
                "[",
                "[::1",
                "127.0.0.1@evil.example",
                "evil.example#127.0.0.1",
                "0",
                "127.0.0.1/evil",
                "localhost?x",
                "localhost#@evil",
                "127.0.0.1:x",
                "127.0.0.1:",
            ],
        )
    )
    assert all(map(is_loopback, ["127.0.0.1", "::1", "[::1]", "localhost", "127.0.0.1:80", "LOCALHOST:80"]))


@pytest.mark.parametrize(
    ("host", "key", "warns"),
    [("0.0.0.0", [], True), ("0.0.0.0", ["--key", "k"], False), ("127.0.0.1", [], False)],
)
def test_serving_the_network_without_a_key_draws_a_warning(capsys, host, key, warns):
    with socket.socket() as taken:
        taken.bind((host, 0))
        taken.listen()  # on the port that the command wants, so that it ends
        port = taken.getsockname()[1]
        assert main(["serve", "--bench", "--host", host, "--port", str(port), *key]) == 2
    errors = capsys.readouterr().err
    assert f"cannot listen on {host}:{port}" in errors
    assert (f"--host {host} without --key" in errors) == warns
