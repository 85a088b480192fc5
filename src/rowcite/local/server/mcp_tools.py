"""Calls of MCP tools: those of a client's servers whose arguments the run's input provides.

The package `mcp` is optional (`available`). Header values are secrets: they are sent, and never appear in an answer,
error or file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import msgspec

from rowcite.local.research.question import ToolAnswer
from rowcite.local.server.addresses import PRIVATE, addresses_of, is_private
from rowcite.local.server.schema_match import mismatches
from rowcite.local.server.shapes import McpServer, McpToolCall

if TYPE_CHECKING:
    from httpx2 import AsyncBaseTransport
    from mcp import ClientSession, Tool
    from mcp.types import CallToolResult

Input = str | dict[str, Any]

SERVER_TIMEOUT = 30.0  # seconds for all requests to one server
MAX_CALLS = 10  # to one server in one run
LISTING = "tools/list"  # the recorded name of a call to a server that could not be reached
_SECRET = 6  # characters: shorter header values are not secrets, and occur in texts by chance


@cache
def available() -> bool:
    """Return True if the package `mcp` is installed, in a version that uses httpx2 (2 and newer)."""
    return find_spec("mcp") is not None and find_spec("httpx2") is not None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as answers show it, and the texts of its result."""

    call: McpToolCall
    answers: tuple[ToolAnswer, ...] = ()


def call_tools(servers: Sequence[McpServer], given: Input, *, private: bool) -> tuple[ToolCall, ...]:
    """Call every permitted tool whose arguments the input provides; errors are in the results.

    Without `private`, servers at private addresses are not called.
    """
    if not available():
        return ()
    return tuple(call for server in servers for call in _calls(server, given, private=private))


def _calls(server: McpServer, given: Input, *, private: bool) -> list[ToolCall]:
    if private:
        return asyncio.run(_call_server(server, given))
    addresses = addresses_of(server.url)
    if any(map(is_private, addresses)):
        return [ToolCall(_record(server, LISTING, {}, error=PRIVATE))]
    return asyncio.run(_call_server(server, given, connecting_to(addresses)))


async def _call_server(
    server: McpServer, given: Input, transport: AsyncBaseTransport | None = None
) -> list[ToolCall]:
    calls: list[ToolCall] = []
    try:
        async with asyncio.timeout(SERVER_TIMEOUT), _session(server, transport) as session:
            tools = (await session.list_tools()).tools
            for tool, arguments in callable_tools(tools, server.allowed_tools, given)[:MAX_CALLS]:
                calls.append(await _call(session, server, tool.name, arguments))
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # a foreign server, and a task group around it
        calls.append(ToolCall(_record(server, LISTING, {}, error=_error_message(error))))
    return calls


@asynccontextmanager
async def _session(server: McpServer, transport: AsyncBaseTransport | None) -> AsyncIterator[ClientSession]:
    from httpx2 import AsyncClient  # the type that the SDK's signature requires
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        AsyncClient(headers=server.headers or {}, timeout=SERVER_TIMEOUT, transport=transport) as http,
        streamable_http_client(server.url, http_client=http) as (read, write),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def connecting_to(addresses: Sequence[str]) -> AsyncBaseTransport:
    """Return a transport that connects to the first of some addresses that accepts, without a look-up of the host.

    A name may have another address a moment after it was checked. The certificate is still that of the name.
    """
    from httpx2 import AsyncHTTPTransport, ConnectError, ConnectTimeout, Request, Response

    class Connecting(AsyncHTTPTransport):
        async def handle_async_request(self, request: Request) -> Response:
            host, url = request.url.host, request.url
            request.extensions = {**request.extensions, "sni_hostname": host}
            error: Exception = ConnectError(f"{host} is not found")
            for address in addresses:
                request.url = url.copy_with(host=address)
                try:
                    return await super().handle_async_request(request)
                except (ConnectError, ConnectTimeout) as refused:
                    error = refused
            raise error

    return Connecting()


async def _call(session: ClientSession, server: McpServer, name: str, arguments: dict[str, Any]) -> ToolCall:
    from mcp import MCPError

    try:
        result = await session.call_tool(name, arguments)
    except MCPError as error:
        return ToolCall(_record(server, name, arguments, error=str(error)))
    parts = _parts(result)
    text = "\n".join(part for part, _ in parts)
    if result.is_error:
        return ToolCall(_record(server, name, arguments, error=text or "The tool failed."))
    if not text and result.structured_content is not None:
        text = msgspec.json.encode(result.structured_content).decode()
        parts = [(text, "")]
    record = _record(server, name, arguments, content=text)
    return ToolCall(record, tuple(_tool_answer(server, name, part, address) for part, address in parts))


def _parts(result: CallToolResult) -> list[tuple[str, str]]:
    """Return the texts of a result, those of embedded resources with their addresses."""
    found = []
    for block in result.content:
        if block.type == "text":
            found.append((block.text, ""))
        elif block.type == "resource" and (text := getattr(block.resource, "text", "")):
            found.append((text, str(block.resource.uri)))
    return found


def _tool_answer(server: McpServer, tool: str, text: str, address: str) -> ToolAnswer:
    """Return a text as evidence. Only the host of the server's URL is shown: paths and queries may hold secrets."""
    parts = urlsplit(server.url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    source = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}/"
    shown = _without_secrets(text, server) or ""
    is_page = address.lower().startswith(("http://", "https://"))
    cited = (_without_secrets(address, server) or "") if is_page else ""
    return ToolAnswer(cited or f"{source}#{quote(tool, safe='')}", source, f"{server.name}: {tool}", shown)


def callable_tools(
    tools: Sequence[Tool], allowed: Sequence[str] | None, given: Input
) -> list[tuple[Tool, dict[str, Any]]]:
    """Return the tools to call, with their arguments.

    A tool that is marked as destructive is called only if it was allowed by name.
    """
    found = []
    for tool in tools:
        destructive = bool(tool.annotations and tool.annotations.destructive_hint)
        if tool.name in allowed if allowed else not destructive:
            arguments = arguments_for(tool.input_schema, given)
            if arguments is not None:
                found.append((tool, arguments))
    return found


def arguments_for(schema: dict[str, Any], given: Input) -> dict[str, Any] | None:
    """Return a tool's arguments: input fields of the same name, or the whole input for a single text; None if one is missing."""
    properties = schema.get("properties") or {}
    required = schema.get("required") or []
    named = {
        name: value
        for name, value in (given.items() if isinstance(given, dict) else ())
        if name in properties and not any(mismatches(value, properties[name]))
    }
    if named.keys() >= set(required) and (named or not properties):
        return named
    wanted = required or list(properties)
    if len(wanted) == 1 and properties.get(wanted[0], {}).get("type") == "string":
        return {wanted[0]: given if isinstance(given, str) else _text(given)}
    return None


def _text(given: dict[str, Any]) -> str:
    """Return an object's values in one line, as for a search field."""
    return ", ".join(str(value) for value in given.values() if value not in (None, ""))


def _record(
    server: McpServer,
    tool: str,
    arguments: dict[str, Any],
    content: str | None = None,
    error: str | None = None,
) -> McpToolCall:
    return McpToolCall(
        f"call_{uuid4().hex}",
        server.name,
        tool,
        msgspec.json.encode(arguments).decode(),
        _without_secrets(content, server),
        _without_secrets(error, server),
    )


def _without_secrets(text: str | None, server: McpServer) -> str | None:
    """Return a text without the values of the server's headers: a server may repeat them."""
    for value in (server.headers or {}).values():
        for secret in (value, value.rpartition(" ")[2]):
            if text and len(secret) >= _SECRET:
                text = text.replace(secret, "***")
    return text


def _error_message(error: BaseException) -> str:
    """Return in one line why a server could not be reached; of a group of errors, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return f"The server did not answer within {SERVER_TIMEOUT:g} s."
    return f"The server could not be reached: {type(error).__name__}: {error}".rstrip(": ")
