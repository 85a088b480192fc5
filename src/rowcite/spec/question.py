"""A spec to the question that is sent for every row."""

from __future__ import annotations

from typing import Any

import msgspec

from rowcite.api.bodies import Question
from rowcite.spec.fields import input_schema, output_schema
from rowcite.spec.models import Spec, TaskSpec


def question(spec: Spec, types: dict[str, str], api: str) -> Question:
    """Return the question for every row.

    `types` has the JSON type of each input whose column declares one. `api` is a base URL, or `local:` and the corpus's digest: it is part of the
    question's fingerprint, so that an answer of a local server never counts as one of the API.
    """
    task = spec.task
    task_spec: dict[str, Any] = {"output_schema": output_schema(spec)}
    shape = input_schema(spec, types)
    if shape is not None:
        task_spec["input_schema"] = shape
    run: dict[str, Any] = {"processor": task.processor}
    run |= _sources(task)
    for name in ("previous_interaction_id", "memory_scope_key"):
        if (value := getattr(task, name)) is not None:
            run[name] = value
    servers = [server.model_dump(exclude_none=True, exclude={"headers"}) for server in task.mcp_servers]
    written = [{**server, "url": mcp_url(spec, number)} for number, server in enumerate(servers)]
    named = {"api": api, "task_spec": task_spec, **run, **({"mcp_servers": written} if written else {})}
    if servers:
        run["mcp_servers"] = [
            {**shown, "headers": {name: value.get_secret_value() for name, value in server.headers.items()}}
            for shown, server in zip(servers, task.mcp_servers, strict=True)
        ]
    return Question(
        named=msgspec.to_builtins(named),
        task_spec=msgspec.json.encode(task_spec),
        run=msgspec.json.encode(run)[1:-1],
        extra_metadata=msgspec.json.encode(task.metadata)[1:-1],
    )


def _sources(task: TaskSpec) -> dict[str, Any]:
    """Return the members about sources that are set: their order in a list of data sources does not matter."""
    policy = {} if task.source_policy is None else task.source_policy.model_dump()
    connectors = {} if task.data_sources is None else task.data_sources.model_dump()
    listed = {name: sorted(names) for name, names in connectors.items() if names}
    settings = {
        **({"location": task.location.lower()} if task.location is not None else {}),
        **({"data_sources": listed} if listed else {}),
    }
    named = {
        name: list(value) if isinstance(value, tuple) else value for name, value in policy.items() if value
    }
    parts = {"source_policy": named, "advanced_settings": settings}
    return {name: part for name, part in parts.items() if part}


def mcp_url(spec: Spec, number: int) -> str:
    """Return the URL of an MCP server as the spec has it: the value of a variable in it may be a secret."""
    return spec.written.get(("task", "mcp_servers", number, "url"), spec.task.mcp_servers[number].url)
