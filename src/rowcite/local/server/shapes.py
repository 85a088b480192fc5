"""The JSON bodies of the Task API as this server reads and writes them.

Source: the public OpenAPI documents, `/v1` and `/v1beta`. Unknown keys are ignored, as there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Raw, Struct

Metadata = dict[str, str | int | float | bool]
NOTHING = Raw(b"null")


class SourcePolicy(Struct, omit_defaults=True):
    """The domains that research may use, and the earliest day of publication."""

    include_domains: list[str] = []
    exclude_domains: list[str] = []
    after_date: str | None = None


class DataSources(Struct, omit_defaults=True):
    """Connectors to further sources, by name."""

    free: list[str] = []
    pay_per_use: list[str] = []


class AdvancedSettings(Struct, omit_defaults=True):
    """`location` is an ISO 3166-1 alpha-2 country code."""

    location: str | None = None
    data_sources: DataSources | None = None


class McpServer(Struct, omit_defaults=True):
    """An MCP server of the client. `headers` are write-only: no answer repeats them."""

    url: str
    name: str
    type: str = "url"
    headers: dict[str, str] | None = None
    allowed_tools: list[str] | None = None


class Webhook(Struct, omit_defaults=True):
    """The address that receives the end of a run."""

    url: str
    event_types: list[str] = []


class RunInput(Struct, omit_defaults=True):
    """`TaskRunInput`. `task_spec` stays JSON text: equal specs are then read once, however many runs share them."""

    processor: str
    input: str | dict[str, Any]
    metadata: Metadata | None = None
    source_policy: SourcePolicy | None = None
    advanced_settings: AdvancedSettings | None = None
    task_spec: Raw = NOTHING
    previous_interaction_id: str | None = None
    mcp_servers: list[McpServer] | None = None
    enable_events: bool | None = None
    webhook: Webhook | None = None
    memory_scope_key: str | None = None


class GroupRequest(Struct):
    """`CreateTaskGroupRequest`."""

    metadata: Metadata | None = None


class AddRunsRequest(Struct):
    """`TaskGroupRunRequest`."""

    inputs: list[RunInput]
    default_task_spec: Raw = NOTHING


class Error(Struct):
    """An error; `ref_id` identifies it for support."""

    ref_id: str
    message: str
    detail: dict[str, Any] | None = None


class ErrorResponse(Struct):
    """The body of every status other than 2xx, except the 422 of group paths."""

    error: Error
    type: str = "error"


class RunWarning(Struct):
    """`type` is spec_validation_warning, input_validation_warning or warning."""

    type: str
    message: str
    detail: dict[str, Any] | None = None


class TaskRun(Struct):
    """A run as every endpoint shows it. Times are RFC 3339, UTC."""

    run_id: str
    interaction_id: str
    status: str
    is_active: bool
    warnings: list[RunWarning] | None
    error: Error | None
    processor: str
    metadata: Metadata | None
    taskgroup_id: str | None
    created_at: str
    modified_at: str


class GroupStatus(Struct):
    """The number of runs of a group, by status."""

    num_task_runs: int
    task_run_status_counts: dict[str, int]
    is_active: bool
    status_message: str | None
    modified_at: str | None


class GroupResponse(Struct):
    """A group and its status."""

    taskgroup_id: str
    metadata: Metadata | None
    status: GroupStatus
    created_at: str


class McpToolCall(Struct, frozen=True):
    """One call of a tool: `arguments` is JSON text; `content` is its result, `error` the reason if there is none."""

    tool_call_id: str
    server_name: str
    tool_name: str
    arguments: str
    content: str | None = None
    error: str | None = None


class AddRunsResponse(Struct):
    """`run_ids` in the order of the request's inputs; the cursors point to just before these runs."""

    status: GroupStatus
    run_ids: list[str]
    run_cursor: str
    event_cursor: str


class SourceStats(Struct):
    """The sources that research has considered and read so far."""

    num_sources_considered: int | None
    num_sources_read: int | None
    sources_read_sample: list[str] | None


def rfc3339(moment: float) -> str:
    """Return Unix seconds as `2025-04-23T20:21:48.037943Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
