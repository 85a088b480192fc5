"""The server's own OpenAPI document, made of the shapes that it reads and writes: `GET /openapi.json`."""

from __future__ import annotations

from types import GenericAlias
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rowcite.api.facts import PROCESSORS, RUN_STATUSES
from rowcite.local.server import shapes
from rowcite.local.server.search import OlderSearch, Search
from rowcite.version import __version__

Operation = dict[str, Any]

_REF = "#/components/schemas/{name}"
_RUN_ID = {"name": "run_id", "in": "path", "required": True, "schema": {"type": "string"}}
_GROUP_ID = {"name": "taskgroup_id", "in": "path", "required": True, "schema": {"type": "string"}}
_BETA = {"name": "parallel-beta", "in": "header", "required": False, "schema": {"type": "string"}}
_ERRORS = {
    400: "The request is not valid HTTP",
    401: "The key is missing or wrong",
    402: "The credit is insufficient",
    403: "The processor does not exist",
    404: "The run or group does not exist, or the run ended without a result",
    408: "The run is still active",
    422: "The request is invalid",
    429: "Too many requests in a minute",
}


def openapi_route() -> Route:
    """Return the route of the document."""
    return Route("/openapi.json", openapi)


async def openapi(_: Request) -> Response:
    """Answer with the document."""
    return Response(msgspec.json.encode(document()), media_type="application/json")


def document() -> dict[str, Any]:
    """Return the OpenAPI document of every path that is served."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rowcite serve",
            "version": __version__,
            "description": "Parallel's Task API and search, answered from a folder of documents on this machine.",
        },
        "paths": _paths(),
        "components": {"schemas": _schemas()},
    }


def _paths() -> dict[str, dict[str, Operation]]:
    paths = {
        "/v1/tasks/runs": {
            "post": _operation("Create a run", 202, "TaskRun", body="RunInput", errors=(402, 403, 429))
        },
        "/v1/tasks/runs/{run_id}": {"get": _of_run("Show a run", "TaskRun")},
        "/v1/tasks/runs/{run_id}/input": {"get": _of_run("Show a run's input", "RunInput")},
        "/v1/tasks/runs/{run_id}/result": {
            "get": _of_run(
                "Wait for a run's result",
                "RunResult",
                parameters=[_query("timeout", {"type": "integer"})],
                errors=(408,),
            )
        },
        "/v1/search": {"post": _operation("Search", 200, "SearchAnswer", body="Search")},
        "/v1beta/search": {
            "post": _operation("Search, older shape", 200, "OlderSearchAnswer", body="OlderSearch")
        },
        "/alpha/search": {
            "post": _operation("Search, older shape", 200, "OlderSearchAnswer", body="OlderSearch")
        },
    }
    for version in ("/v1", "/v1beta"):
        paths[f"{version}/tasks/runs/{{run_id}}/events"] = {
            "get": _of_run("Follow a run", "RunEvents", stream=True)
        }
        paths |= {f"{version}/tasks/groups{path}": operations for path, operations in _group_paths().items()}
    return paths


def _group_paths() -> dict[str, dict[str, Operation]]:
    after = _query("last_event_id", {"type": "string"})
    listed = [
        after,
        _query("status", {"type": "string", "enum": list(RUN_STATUSES)}),
        _query("include_input", {"type": "boolean"}),
        _query("include_output", {"type": "boolean"}),
    ]
    fresh = _query("refresh_status", {"type": "boolean"})
    followed = [after, _query("timeout", {"type": "number"})]
    return {
        "": {"post": _operation("Create a group", 200, "GroupResponse", body="GroupRequest")},
        "/{taskgroup_id}": {"get": _of_group("Show a group", "GroupResponse")},
        "/{taskgroup_id}/runs": {
            "post": _of_group(
                "Add runs",
                "AddRunsResponse",
                parameters=[fresh],
                body="AddRunsRequest",
                errors=(402, 403, 429),
            ),
            "get": _of_group("List a group's runs", "GroupRuns", parameters=listed, stream=True),
        },
        "/{taskgroup_id}/events": {
            "get": _of_group("Follow a group", "GroupEvents", parameters=followed, stream=True)
        },
        "/{taskgroup_id}/runs/{run_id}": {
            "get": _of_group("Show a group's run", "TaskRun", parameters=[_RUN_ID])
        },
    }


def _of_run(summary: str, answer: str, **more: Any) -> Operation:
    more["parameters"] = [_RUN_ID, *more.get("parameters", ())]
    more["errors"] = (404, *more.get("errors", ()))
    return _operation(summary, 200, answer, **more)


def _of_group(summary: str, answer: str, **more: Any) -> Operation:
    more["parameters"] = [_GROUP_ID, *more.get("parameters", ())]
    more["errors"] = (404, *more.get("errors", ()))
    return _operation(summary, 200, answer, **more, group=True)


def _operation(  # noqa: PLR0913  # one keyword for each part of an operation
    summary: str,
    status: int,
    answer: str,
    *,
    body: str | None = None,
    parameters: list[dict[str, Any]] | None = None,
    errors: tuple[int, ...] = (),
    stream: bool = False,
    group: bool = False,
) -> Operation:
    kind = "text/event-stream" if stream else "application/json"
    responses = {str(status): _answer("As requested", kind, answer)}
    for number in sorted({401, 422, 429, *errors}):
        invalid = (
            "InvalidGroupRequest" if number == 422 and (group or body in _OF_GROUPS) else "ErrorResponse"
        )
        responses[str(number)] = _answer(_ERRORS[number], "application/json", invalid)
    operation: Operation = {
        "summary": summary,
        "parameters": [*(parameters or []), _BETA],
        "responses": responses,
    }
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    return operation


_OF_GROUPS = frozenset({"GroupRequest", "AddRunsRequest"})


def _answer(description: str, kind: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": _ref(schema)}}}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(name=name)}


def _schemas() -> dict[str, Any]:
    """Return the schemas of the shapes, and that of a task spec, which the shapes keep as text."""
    run_input = _retyped(shapes.RunInput, task_spec=dict[str, Any] | None)
    kinds = [
        run_input,
        shapes.TaskRun,
        shapes.GroupRequest,
        shapes.GroupResponse,
        _retyped(
            shapes.AddRunsRequest,
            inputs=GenericAlias(list, (run_input,)),
            default_task_spec=dict[str, Any] | None,
        ),
        shapes.AddRunsResponse,
        shapes.ErrorResponse,
        shapes.McpToolCall,
        Search,
        OlderSearch,
    ]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REF)
    spec = {"anyOf": [_ref("TaskSpec"), {"type": "null"}]}
    schemas["RunInput"]["description"] = (
        "A run to create: its input, its processor, and the shape of its answer."
    )
    schemas["RunInput"]["properties"] |= {"task_spec": spec, "processor": {"enum": sorted(PROCESSORS)}}
    schemas["AddRunsRequest"]["properties"]["default_task_spec"] = spec
    return schemas | ANSWERS


def _retyped(shape: type[msgspec.Struct], **types: Any) -> Any:
    """Return a shape with other types for some of its fields: JSON kept as text has no schema."""
    fields: list[Any] = []
    for one in msgspec.structs.fields(shape):
        kind = types.get(one.name, one.type)
        default = None if one.name in types else one.default
        fields.append((one.name, kind) if one.required else (one.name, kind, default))
    return msgspec.defstruct(shape.__name__, fields, namespace={"__doc__": shape.__doc__})


_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_OBJECT = {"type": "object"}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object; `required` names properties, separated by spaces."""
    return {"type": "object", "properties": properties, "required": required.split()}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _either(*names: str) -> dict[str, Any]:
    return {"oneOf": [_ref(name) for name in names]}


_JSON_SCHEMA = _object("json_schema type", json_schema=_OBJECT, type={"const": "json"})
_TEXT_SCHEMA = _object("type", description=_TEXT_OR_NULL, type={"const": "text"})
_AUTO_SCHEMA = _object("type", type={"const": "auto"})
_RESULT = {"url": _TEXT, "title": _TEXT_OR_NULL, "publish_date": _TEXT_OR_NULL, "excerpts": _list(_TEXT)}
_FOUND = {
    "search_id": _TEXT,
    "results": _list(_object("url excerpts", **_RESULT)),
    "warnings": {"anyOf": [_list(_ref("RunWarning")), {"type": "null"}]},
    "usage": _list(_object("name count", name=_TEXT, count={"type": "integer"})),
}
_FIELD_ERROR = _object("loc msg type", loc=_list({"type": ["string", "integer"]}), msg=_TEXT, type=_TEXT)
_BASIS = _object(
    "field reasoning citations",
    field=_TEXT,
    reasoning=_TEXT,
    confidence=_TEXT_OR_NULL,
    citations=_list(_object("url", url=_TEXT, title=_TEXT_OR_NULL, excerpts=_list(_TEXT))),
)
_OUTPUT = {"basis": _list(_ref("FieldBasis")), "mcp_tool_calls": _list(_ref("McpToolCall"))}

ANSWERS: dict[str, Any] = {
    "TaskSpec": _object(
        "output_schema",
        output_schema={"anyOf": [_JSON_SCHEMA, _TEXT_SCHEMA, _AUTO_SCHEMA, _TEXT]},
        input_schema={"anyOf": [_JSON_SCHEMA, _TEXT_SCHEMA, _TEXT, {"type": "null"}]},
    ),
    "FieldBasis": _BASIS,
    "JsonOutput": _object("basis type content", type={"const": "json"}, content=_OBJECT, output_schema=_OBJECT, **_OUTPUT),
    "TextOutput": _object("basis type content", type={"const": "text"}, content=_TEXT, **_OUTPUT),
    "RunResult": _object("run output", run=_ref("TaskRun"), output=_either("JsonOutput", "TextOutput")),
    "SearchAnswer": _object("search_id results session_id", session_id=_TEXT, **_FOUND),
    "OlderSearchAnswer": _object("search_id results", **_FOUND),
    "InvalidGroupRequest": _object("detail", detail=_list(_FIELD_ERROR)),
    "RunStateEvent": _object(
        "type event_id run",
        type={"const": "task_run.state"},
        event_id=_TEXT,
        run=_ref("TaskRun"),
        input=_ref("RunInput"),
        output=_either("JsonOutput", "TextOutput"),
    ),
    "GroupStatusEvent": _object(
        "type event_id status", type={"const": "task_group_status"}, event_id=_TEXT, status=_ref("GroupStatus")
    ),
    "ProgressStatsEvent": _object(
        "type source_stats progress_meter",
        type={"const": "task_run.progress_stats"},
        source_stats=_OBJECT,
        progress_meter={"type": "number"},
    ),
    "ProgressMessageEvent": _object(
        "type message timestamp",
        type={"type": "string", "pattern": r"^task_run\.progress_msg\.(plan|search|result|tool_call|exec_status)$"},
        message=_TEXT,
        timestamp=_TEXT,
    ),
    "RunEvents": _either("ProgressStatsEvent", "ProgressMessageEvent", "RunStateEvent"),
    "GroupRuns": _ref("RunStateEvent"),
    "GroupEvents": _either("GroupStatusEvent", "RunStateEvent"),
}  # fmt: skip
