"""A researcher that answers immediately, or when `go` is set, and a server in front of it."""

import json
import threading
from contextlib import ExitStack

import httpx
import pytest

from rowcite.local.research.question import Finding
from rowcite.local.research.search import SearchResult
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis

FIELD = {"type": "json", "json_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


class Answers:
    """Answers every question with its input, once `go` is set; the input "boom" raises."""

    def __init__(self):
        self.go = threading.Event()
        self.go.set()
        self.questions = []
        self.searches = []

    def search(self, query):
        self.searches.append(query)
        return (SearchResult("https://a.example/", "A", "2026-01-02", ("about A",)),)

    def research(self, question):
        self.questions.append(question)
        self.go.wait(60)
        if question.input == "boom":
            raise ZeroDivisionError
        citation = Citation("https://a.example/", "A", (f"about {question.input}",))
        basis = FieldBasis("city", "It says so.", (citation,), "high")
        return Finding("json", {"city": str(question.input)}, (basis,), None, 3, ("https://a.example/",))


@pytest.fixture
def answers():
    researcher = Answers()
    yield researcher
    researcher.go.set()


@pytest.fixture
def start(answers):
    """Return a function that starts a server with the given settings and returns a client of it."""
    with ExitStack() as stack:

        def started(**settings):
            base = stack.enter_context(
                embedded(create_app(answers, ServerSettings(**{"private_addresses": True, **settings})))
            )
            return stack.enter_context(httpx.Client(base_url=base, timeout=10, verify=False))

        yield started
        answers.go.set()


@pytest.fixture(scope="module")
def plain():
    """Return a client of a server without settings, for tests that leave no trace on each other."""
    with (
        embedded(create_app(Answers(), ServerSettings())) as base,
        httpx.Client(base_url=base, timeout=10, verify=False) as client,
    ):
        yield client


@pytest.fixture
def batch():
    """Return a function that makes the body of an add-runs request from inputs."""

    def made(*inputs, **more):
        runs = [
            {"processor": "core", "input": one, "metadata": {"n": str(n)}} for n, one in enumerate(inputs)
        ]
        return {"default_task_spec": {"output_schema": FIELD}, "inputs": runs} | more

    return made


@pytest.fixture
def events_of():
    """Return a function that reads an event stream to its end and returns the events' data."""

    def read(client, path, **params):
        text = client.get(path, params=params).raise_for_status().text
        lines = [line for line in text.splitlines() if line.startswith("data: ")]
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    return read
