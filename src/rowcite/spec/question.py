"""A spec to the question that is sent for every row."""

from __future__ import annotations

from typing import Any

import msgspec

from rowcite.api.bodies import Question
from rowcite.spec.fields import input_schema, output_schema
from rowcite.spec.models import Spec


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
    policy = task.source_policy.model_dump() if task.source_policy is not None else {}
    if any(policy.values()):
        run["source_policy"] = {name: list(domains) for name, domains in policy.items() if domains}
    if task.location is not None:
        run["advanced_settings"] = {"location": task.location.lower()}
    if task.previous_interaction_id is not None:
        run["previous_interaction_id"] = task.previous_interaction_id
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


def mcp_url(spec: Spec, number: int) -> str:
    """Return the URL of an MCP server as the spec has it: the value of a variable in it may be a secret."""
    return spec.written.get(("task", "mcp_servers", number, "url"), spec.task.mcp_servers[number].url)
