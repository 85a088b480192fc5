"""The schemas that are not made of shapes: task specs, outputs, search answers and event streams."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_OBJECT = {"type": "object"}
_REF = "#/components/schemas/"


def _object(required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object; `required` names properties, separated by spaces."""
    return {"type": "object", "properties": properties, "required": required.split()}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF + name}


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
_FLAW = _object("loc msg type", loc=_list({"type": ["string", "integer"]}), msg=_TEXT, type=_TEXT)
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
    "InvalidGroupRequest": _object("detail", detail=_list(_FLAW)),
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
