"""MCP servers on loopback, whose tools are called."""

import asyncio
import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
import uvicorn
from starlette.responses import PlainTextResponse

from rowcite.local import backend
from rowcite.local.research.corpus import open_corpus
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.mcp_tools import arguments_for, callable_tools, connecting_to
from rowcite.local.server.serving import embedded
from support import refusing

TOKEN = "Bearer t0ken-of-the-client"
CALLS = []


def crm():
    """Return an MCP server with tools of several kinds."""
    from mcp.server import MCPServer  # takes a second, in each process that collects the tests
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import EmbeddedResource, TextResourceContents, ToolAnnotations

    server = MCPServer("crm")

    @server.tool()
    def owner(company_name: str) -> str:
        CALLS.append(("owner", company_name))
        return f"{company_name} belongs to Ada."

    @server.tool()
    def search(query: str) -> str:
        CALLS.append(("search", query))
        return f"Nothing about {query}."

    @server.tool()
    def revenue(company_name: str, year: int) -> str:
        return f"{company_name} {year}"

    @server.tool()
    def breaks(query: str) -> str:
        raise ToolError(f"cannot look up {query}")

    @server.tool()
    def whoami(query: str) -> str:
        return f"you are {TOKEN}"

    @server.tool()
    def company(company_name: str) -> dict[str, Any]:
        return {"name": company_name, "employees": 1240, "note": f"asked with {TOKEN}"}

    @server.tool()
    def filing(company_name: str) -> EmbeddedResource:
        text = f"{company_name} was founded in 1998."
        uri = "https://filings.example/acme"
        return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, text=text))

    @server.tool(annotations=ToolAnnotations(destructive_hint=True))
    def delete(company_name: str) -> str:
        CALLS.append(("delete", company_name))
        return "gone"

    return server


class Guard:
    """Records the authorization header of each request."""

    def __init__(self, app):
        self.app = app
        self.seen = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self.seen.append(dict(scope["headers"]).get(b"authorization", b"").decode())
        await self.app(scope, receive, send)


@contextmanager
def serving(app, ssl=None):
    """Serve an application on a free loopback port in a thread, with TLS if there is a context for it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        config.load()
        config.ssl = ssl
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            thread.join(5)


@pytest.fixture(scope="module")
def guard():
    return Guard(crm().streamable_http_app())


@pytest.fixture(scope="module")
def url(guard):
    with serving(guard) as address:
        yield address


@pytest.fixture
def calls_of(start):
    """Return a function that runs an input with some MCP servers and returns the tool calls of its output."""

    def ran(given, *servers, client=None, **more):
        client = client or start()
        body = {"processor": "core", "input": given, "mcp_servers": list(servers)} | more
        run = client.post("/v1/tasks/runs", json=body).json()
        assert run["warnings"] is None
        result = client.get(f"/v1/tasks/runs/{run['run_id']}/result", params={"timeout": 20})
        return result.json()["output"]["mcp_tool_calls"]

    return ran


def test_a_server_at_a_private_address_is_not_called_unless_told(start, calls_of, url):
    before = len(CALLS)
    (call,) = calls_of("Acme", {"url": url, "name": "crm"}, client=start(private_addresses=False))
    assert "private" in call["error"]
    assert len(CALLS) == before


@pytest.mark.parametrize(
    ("addresses", "status"), [(["127.0.0.1"], 200), (["127.0.0.2", "127.0.0.1"], 200), ([], None)]
)
def test_a_connection_goes_to_an_address_that_was_checked_and_not_to_one_of_a_later_look_up(
    tmp_path, monkeypatch, addresses, status
):
    import httpx2

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mcp.invalid").configure_cert(context)  # a name that no look-up finds

    async def get(port):
        async with httpx2.AsyncClient(transport=connecting_to(addresses)) as client:
            return await client.get(f"https://mcp.invalid:{port}/")

    with serving(PlainTextResponse("here"), ssl=context) as url:
        port = urlsplit(url).port
        if status is None:
            with pytest.raises(httpx2.ConnectError, match=r"mcp\.invalid is not found"):
                asyncio.run(get(port))
        else:
            assert asyncio.run(get(port)).status_code == status


def test_the_local_backend_calls_the_servers_of_a_spec_on_this_machine(url, tmp_path):
    (tmp_path / "a.txt").write_text("Acme")
    body = {
        "processor": "core",
        "input": {"company_name": "Acme"},
        "mcp_servers": [{"url": url, "name": "crm", "allowed_tools": ["owner"]}],
    }
    with (
        backend.serving(tmp_path, tmp_path / "cache") as base,
        httpx.Client(base_url=base, timeout=30) as client,
    ):
        run = client.post("/v1/tasks/runs", json=body).json()["run_id"]
        (call,) = client.get(f"/v1/tasks/runs/{run}/result").json()["output"]["mcp_tool_calls"]
    assert call["content"] == "Acme belongs to Ada."


def test_a_tool_whose_arguments_the_input_names_is_called(calls_of, url):
    (call,) = calls_of({"company_name": "Acme"}, {"url": url, "name": "crm", "allowed_tools": ["owner"]})
    assert (call["server_name"], call["tool_name"]) == ("crm", "owner")
    assert json.loads(call["arguments"]) == {"company_name": "Acme"}
    assert call["content"] == "Acme belongs to Ada."
    assert call["error"] is None
    assert ("owner", "Acme") in CALLS


def test_a_tool_with_a_single_text_argument_gets_the_whole_input(calls_of, url):
    crm_server = {"url": url, "name": "crm", "allowed_tools": ["search"]}
    (by_text,) = calls_of("Acme in Berlin", crm_server)
    (by_object,) = calls_of({"name": "Acme", "city": "Berlin"}, crm_server)
    assert json.loads(by_text["arguments"]) == {"query": "Acme in Berlin"}
    assert json.loads(by_object["arguments"]) == {"query": "Acme, Berlin"}


def test_a_tool_that_fails_is_recorded_with_its_error(calls_of, url):
    (call,) = calls_of("Acme", {"url": url, "name": "crm", "allowed_tools": ["breaks"]})
    assert call["content"] is None
    assert "cannot look up Acme" in call["error"]


def test_without_a_list_all_tools_are_called_except_destructive_ones(calls_of, url):
    calls = calls_of({"company_name": "Acme"}, {"url": url, "name": "crm"})
    assert [call["tool_name"] for call in calls] == [
        "owner",
        "search",
        "breaks",
        "whoami",
        "company",
        "filing",
    ]
    assert not any(name == "delete" for name, _ in CALLS)


def test_a_tool_that_is_not_allowed_is_not_called(calls_of, url):
    assert calls_of("Acme", {"url": url, "name": "crm", "allowed_tools": ["nothing"]}) == []


def test_an_unreachable_server_is_recorded_and_the_run_completes(calls_of, url):
    there = {"url": url, "name": "crm", "allowed_tools": ["owner"]}
    with refusing() as port:
        gone = {"url": f"http://127.0.0.1:{port}/mcp", "name": "gone"}
        lost, found = calls_of({"company_name": "Acme"}, gone, there)
    assert (lost["server_name"], lost["tool_name"]) == ("gone", "tools/list")
    assert "could not be reached" in lost["error"]
    assert found["content"]


def test_headers_are_sent_and_appear_nowhere_else(start, calls_of, guard, url, tmp_path):
    journal, data = tmp_path / "journal.jsonl", tmp_path / "data"
    client = start(journal=journal, data=data)
    server = {"url": url, "name": "crm", "headers": {"authorization": TOKEN}, "allowed_tools": ["whoami"]}
    guard.seen.clear()
    (call,) = calls_of("Acme", server, client=client)
    assert set(guard.seen) == {TOKEN}
    assert call["content"] == "you are ***"
    assert not any(b"t0ken" in file.read_bytes() for file in data.iterdir())
    assert "t0ken" not in journal.read_text()


def test_recorded_events_include_tool_calls(start, url, events_of):
    client = start()
    server = {"url": url, "name": "crm", "allowed_tools": ["search"]}
    body = {"processor": "core", "input": "Acme", "mcp_servers": [server], "enable_events": True}
    run = client.post("/v1/tasks/runs", json=body).json()["run_id"]
    messages = [
        event for event in events_of(client, f"/v1/tasks/runs/{run}/events") if "tool_call" in event["type"]
    ]
    assert [event["message"] for event in messages] == ["The tool search of crm answered."]


def test_a_slow_server_does_not_delay_other_runs(start, url):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = start()
        server = {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/mcp", "name": "silent"}
        client.post("/v1/tasks/runs", json={"processor": "core", "input": "a", "mcp_servers": [server]})
        other = client.post("/v1/tasks/runs", json={"processor": "core", "input": "b"}).json()["run_id"]
        assert client.get(f"/v1/tasks/runs/{other}/result", params={"timeout": 9}).status_code == 200


def test_a_value_from_a_tool_is_cited_with_its_address(url, tmp_path):
    (tmp_path / "acme.html").write_text("<h1>Acme Pumps</h1><p>Headquarters: Leeds</p>")
    fields = {
        "employee_count": {"type": ["integer", "null"]},
        "founded_year": {"type": ["integer", "null"]},
        "headquarters": {"type": ["string", "null"]},
    }
    body = {
        "processor": "core",
        "input": {"company_name": "Acme Pumps"},
        "task_spec": {"output_schema": {"json_schema": {"type": "object", "properties": fields}}},
        "mcp_servers": [{"url": f"{url}?key=in-the-url", "name": "crm", "headers": {"authorization": TOKEN}}],
    }
    with (
        embedded(create_app(open_corpus(tmp_path), ServerSettings(private_addresses=True))) as base,
        httpx.Client(base_url=base, timeout=30) as client,
    ):
        run = client.post("/v1/tasks/runs", json=body).json()["run_id"]
        answer = client.get(f"/v1/tasks/runs/{run}/result")
    output = answer.json()["output"]
    assert output["content"] == {"employee_count": 1240, "founded_year": 1998, "headquarters": "Leeds"}
    cited = {entry["field"]: (entry["confidence"], entry["citations"][0]) for entry in output["basis"]}
    host = url.removesuffix("mcp")
    by_tool = {"url": f"{host}#company", "title": "crm: company", "excerpts": ['"employees": 1240']}
    assert cited["employee_count"] == ("medium", by_tool)
    assert cited["founded_year"][0] == "medium"
    assert cited["founded_year"][1]["url"] == "https://filings.example/acme"
    assert "t0ken" not in answer.text
    assert "in-the-url" not in answer.text


@pytest.mark.parametrize("address", ["ftp://a.example/mcp", "/mcp", "http://"])
def test_only_http_servers_are_accepted(plain, address):
    body = {"processor": "core", "input": "a", "mcp_servers": [{"url": address, "name": "m"}]}
    answer = plain.post("/v1/tasks/runs", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["detail"]["errors"][0]["loc"] == ["body", "mcp_servers", 0, "url"]


NAME = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "given", "arguments"),
    [
        ({"properties": {"name": NAME}, "required": ["name"]}, {"name": "A", "x": 1}, {"name": "A"}),
        (
            {"properties": {"name": NAME, "x": NAME}, "required": ["name"]},
            {"name": "A", "x": 1},
            {"name": "A"},
        ),
        ({"properties": {"name": NAME, "x": NAME}, "required": ["name", "x"]}, {"name": "A"}, None),
        ({"properties": {"q": NAME}, "required": ["q"]}, "A", {"q": "A"}),
        ({"properties": {"q": NAME}}, "A", {"q": "A"}),
        ({"properties": {"q": {"type": "integer"}}, "required": ["q"]}, "A", None),
        ({"properties": {"q": NAME, "n": NAME}}, "A", None),
        ({}, "A", {}),
    ],
)
def test_arguments_are_taken_from_the_input_by_name_or_as_one_text(schema, given, arguments):
    assert arguments_for(schema, given) == arguments


def test_a_destructive_tool_is_called_only_when_it_is_allowed_by_name():
    hints = SimpleNamespace(destructive_hint=True)
    tool = SimpleNamespace(name="drop", annotations=hints, input_schema={"properties": {}})
    assert callable_tools([tool], None, "a") == []
    assert callable_tools([tool], ["drop"], "a") == [(tool, {})]
