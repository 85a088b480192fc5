"""The shipped server on loopback, with a researcher whose answers are known."""

import hashlib
import os
import shutil
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock

from rowcite.local.research.question import Finding
from rowcite.local.research.search import SearchResult
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis

BASIS = FieldBasis("output", "It says so.", (Citation("https://a.example/", None, ("words",)),), "high")


class Echo:
    """Answers in the requested kind, once `go` is set; the input "boom" raises."""

    def __init__(self):
        self.go = threading.Event()
        self.go.set()

    def search(self, query):
        return (SearchResult("https://a.example/", None, None, ("words",)),)

    def research(self, question):
        self.go.wait(60)
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
    """Return a function that starts a separate server and returns its base URL."""
    with ExitStack() as stack:

        def start(researcher=None, **settings):
            return stack.enter_context(embedded(create_app(researcher or Echo(), ServerSettings(**settings))))

        yield start


@pytest.fixture(scope="module")
def module_servers():
    """Return a function that starts a server for the whole module, one whose runs never end if it is `held`."""
    holding = Echo()
    holding.go.clear()
    with ExitStack() as stack:

        def start(*, held=False, **settings):
            researcher = holding if held else Echo()
            return stack.enter_context(embedded(create_app(researcher, ServerSettings(**settings))))

        yield start
        holding.go.set()


@pytest.fixture(scope="session")
def cached():
    """Return a function that returns a folder of installed packages, and installs them if they are missing."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rowcite-conformance"

    def folder_of(name, key, install):
        folder = base / f"{name}-{hashlib.sha256(key).hexdigest()[:12]}"
        done = folder / ".installed"
        base.mkdir(parents=True, exist_ok=True)
        with FileLock(base / f"{folder.name}.lock"):  # tests run in several processes
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                install(folder)
                done.touch()
        return folder

    return folder_of
