"""What a run is warned of: it is created all the same, but perhaps not as it was meant."""

from __future__ import annotations

from typing import Any

import msgspec

from rowcite.api.facts import BASIS_NAMES, PROCESSORS
from rowcite.local.server.conform import misses
from rowcite.local.server.shapes import RunInput, RunWarning, Webhook


def warnings(
    request: RunInput,
    output: dict[str, Any],
    input_schema: dict[str, Any] | None,
    *,
    calls_tools: bool,
    signs: bool,
) -> list[RunWarning]:
    """Return what to warn of, of a run with this output and input schema."""
    found = []
    if output["type"] == "json":
        found += _field_warnings(output["json_schema"]["properties"], request.processor)
    if input_schema is not None:
        missed = list(misses(_as_json(request.input), input_schema))
        if missed:
            message = f"The input does not meet the input schema: {'; '.join(missed)}."
            found.append(RunWarning("input_validation_warning", message))
    if request.mcp_servers and not calls_tools:
        found.append(RunWarning("warning", "No tool is called: this server lacks the package `mcp`."))
    if request.webhook:
        found += _webhook_warnings(request.webhook, signs=signs)
    return found


def _webhook_warnings(webhook: Webhook, *, signs: bool) -> list[RunWarning]:
    found = []
    if not webhook.event_types:
        message = "The webhook names no event_types: it is told nothing."
        found.append(RunWarning("warning", message))
    elif not signs:
        message = "The webhook's deliveries are not signed: this server has no webhook secret."
        found.append(RunWarning("warning", message))
    return found


def _field_warnings(properties: dict[str, Any], processor: str) -> list[RunWarning]:
    found = []
    for name in sorted(BASIS_NAMES & properties.keys()):
        message = f"The field {name!r} is not needed: the basis of every field has it."
        found.append(RunWarning("spec_validation_warning", message, {"field": name}))
    most = PROCESSORS[processor].fields
    if len(properties) > most:
        message = (
            f"{len(properties)} fields are more than the about {most} that {processor!r} usefully fills."
        )
        found.append(RunWarning("spec_validation_warning", message))
    return found


def _as_json(value: str | dict[str, Any]) -> Any:
    """Return an input as JSON: a text that holds an object counts as that object."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return value
