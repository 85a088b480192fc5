"""The shipped server on loopback, with a researcher whose answers are known."""

import threading
from contextlib import ExitStack

import pytest

from rowcite.model import Citation, FieldBasis
from rowcite.research import Finding
from rowcite.server.app import ServerSettings, create_app
from rowcite.server.run import embedded

BASIS = FieldBasis("output", "It says so.", (Citation("https://a.example/", None, ("words",)),), "high")


class Echo:
    """Answers in the kind that was asked for; `go` holds answers back, an input of "boom" breaks."""

    def __init__(self):
        self.go = threading.Event()
        self.go.set()

    def research(self, question):
        self.go.wait(10)
        if question.input == "boom":
            raise ZeroDivisionError
        kind = question.output["type"]
        if kind == "text":
            return Finding("text", f"answer to {question.input}", (BASIS,), None, 1, ("https://a.example/",))
        schema = {"type": "object", "properties": {"gdp": {"type": "string"}}} if kind == "auto" else None
        basis = FieldBasis("gdp", "Found.", BASIS.citations, "medium")
        return Finding("json", {"gdp": str(question.input)}, (basis,), schema, 2, ("https://a.example/",))


@pytest.fixture
def held():
    """Return the researcher, holding its answers back until `go` is set."""
    researcher = Echo()
    researcher.go.clear()
    yield researcher
    researcher.go.set()


@pytest.fixture(scope="module")
def shared_base():
    with embedded(create_app(Echo(), ServerSettings())) as base:
        yield base


@pytest.fixture
def started():
    """Return a function that starts a server of its own and returns its base URL."""
    with ExitStack() as stack:

        def start(researcher=None, **settings):
            return stack.enter_context(embedded(create_app(researcher or Echo(), ServerSettings(**settings))))

        yield start
