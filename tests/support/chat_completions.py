"""A chat completions endpoint on loopback with scripted replies, and replies that quote documents."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACME = {"company_name": "Acme Pumps", "website": "acmepumps.example"}
COUNT = {"employee_count": {"type": ["integer", "null"], "description": "Head count"}}
KEY = "sk-very-secret-4711"
STAFF = "Acme Pumps employs 1,240 people in two plants."
ELSEWHERE = "The pump maker Acme Pumps has about 1,240 staff."
OWN = ("https://acmepumps.example/about", STAFF)
TRADE = ("https://trade.example/acme", ELSEWHERE)


class Stub:
    """A chat completions endpoint that answers each request with the next of `replies`, and repeats the last one.

    A reply is a text (the message's content), a number (the status), or a function of the request body that returns one.
    """

    def __init__(self, port):
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self.replies = ["{}"]
        self.headers = {}
        self.requests = []

    def fields(self, **fields):
        self.replies = [json.dumps({"fields": fields})]

    def prompt(self):
        return self.requests[-1]["body"]["messages"][-1]["content"]


@contextmanager
def stubbed():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            stub.requests.append({"path": self.path, "headers": dict(self.headers), "body": body})
            reply = stub.replies.pop(0) if len(stub.replies) > 1 else stub.replies[0]
            reply = reply(body) if callable(reply) else reply
            status, text = (reply, "no") if isinstance(reply, int) else (200, reply)
            sent = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()
            self.send_response(status)
            for name, value in stub.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(sent)))
            with suppress(ConnectionError):  # the client has stopped waiting
                self.end_headers()
                self.wfile.write(sent)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield stub
    server.shutdown()
    server.server_close()


def number_of(url, prompt):
    """Return the number of a document in the prompt."""
    for line in prompt.splitlines():
        if line.startswith("<untrusted-") and url in line:
            return int(line.split("document=")[1].split()[0])
    raise AssertionError(prompt)


def quoting(value, *quotes, reasoning="It says so.", name="employee_count"):
    """Return a reply that quotes pages by their URL."""

    def reply(body):
        prompt = body["messages"][-1]["content"]
        found = [{"document": number_of(url, prompt), "quote": quote} for url, quote in quotes]
        return json.dumps({"fields": {name: {"value": value, "quotes": found, "reasoning": reasoning}}})

    return [reply]
