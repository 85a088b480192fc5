"""The validation of task runs: what the API refuses, and what it warns about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rowcite.api import facts
from rowcite.api.schema_limits import characters, input_problems, output_problems
from rowcite.api.source_policy import data_source_problems, is_day, normal_entry
from rowcite.local.server.addresses import PRIVATE, names_private
from rowcite.local.server.http_errors import FieldError, HttpError, InvalidRequest
from rowcite.local.server.params import missing_beta
from rowcite.local.server.schema_match import as_json, mismatches
from rowcite.local.server.shapes import (
    NOTHING,
    AddRunsRequest,
    Metadata,
    RunInput,
    RunWarning,
    SourcePolicy,
    Webhook,
)
from rowcite.wording import how_to_install


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A task spec: `output` as research takes it, `size` in characters as compact JSON."""

    output: dict[str, Any]
    input_schema: dict[str, Any] | None
    size: int


@dataclass(frozen=True, slots=True)
class AcceptedRun:
    """A run that may be created. `request.task_spec` is the one that applies, the run's or the group's.

    `betas` are the beta features that it has.
    """

    request: RunInput
    spec: TaskSpec
    warnings: tuple[RunWarning, ...]
    betas: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The conditions under which a run is accepted.

    `betas_required`: beta features need their header. `tools_available` and `signs_webhooks`: this server can call MCP
    tools, signs the webhooks that it sends, and calls private addresses.
    """

    betas: frozenset[str] = frozenset()
    interaction_exists: Callable[[str], bool] = lambda _: False
    betas_required: bool = False
    tools_available: bool = True
    signs_webhooks: bool = True
    private_addresses: bool = True


AUTO_SPEC = TaskSpec({"type": "auto"}, None, 0)


DEFAULT_CONTEXT = RequestContext()


def accept_run(request: RunInput, context: RequestContext = DEFAULT_CONTEXT) -> AcceptedRun:
    """Return a single run that may be created; raise `InvalidRequest` (422) or `HttpError` (403)."""
    errors: list[FieldError] = []
    spec = _spec_or_errors(request.task_spec, errors, ("body", "task_spec"))
    errors += [error.under("body") for error in _request_errors(request, spec, context)]
    return _accepted([(request, spec)], errors, context)[0]


def accept_runs(body: AddRunsRequest, context: RequestContext = DEFAULT_CONTEXT) -> list[AcceptedRun]:
    """Return the runs of a batch, all or none; raise `InvalidRequest` with every error (422) or `HttpError` (403)."""
    errors: list[FieldError] = []
    if not 1 <= len(body.inputs) <= facts.RUNS_PER_REQUEST:
        error = FieldError(
            ("body", "inputs"),
            f"1 to {facts.RUNS_PER_REQUEST:,} runs can be added at once, not {len(body.inputs):,}.",
        )
        raise InvalidRequest([error])
    default = _spec_or_errors(body.default_task_spec, errors, ("body", "default_task_spec"))
    pairs = []
    for number, request in enumerate(body.inputs):
        spec = default
        if bytes(request.task_spec) != b"null":
            spec = _spec_or_errors(request.task_spec, errors, ("body", "inputs", number, "task_spec"))
        else:
            request.task_spec = body.default_task_spec
        errors += [error.under("body", "inputs", number) for error in _request_errors(request, spec, context)]
        pairs.append((request, spec))
    return _accepted(pairs, errors, context)


def valid_prefix(body: AddRunsRequest, context: RequestContext = DEFAULT_CONTEXT) -> list[AcceptedRun]:
    """Return the runs of a batch before the first that is refused."""
    valid: list[AcceptedRun] = []
    for request in body.inputs[: facts.RUNS_PER_REQUEST]:
        try:
            valid += accept_runs(AddRunsRequest([request], body.default_task_spec), context)
        except (InvalidRequest, HttpError):
            break
    return valid


def metadata_errors(metadata: Metadata | None) -> list[FieldError]:
    """Return an error for each key or value that is too long."""
    texts = [
        (name, part, text, limit)
        for name, value in (metadata or {}).items()
        for part, text, limit in (
            ("key", name, facts.METADATA_KEY_CHARS),
            ("value", str(value), facts.METADATA_VALUE_CHARS),
        )
    ]
    return [
        FieldError(("metadata", name), f"A metadata {part} has at most {limit} characters.")
        for name, part, text, limit in texts
        if len(text) > limit
    ]


def _accepted(
    pairs: list[tuple[RunInput, TaskSpec]], errors: list[FieldError], context: RequestContext
) -> list[AcceptedRun]:
    if errors:
        raise InvalidRequest(errors)
    for name in {request.processor for request, _ in pairs} - facts.PROCESSORS.keys():
        raise HttpError(403, f"Forbidden: invalid processor in request: {name!r} does not exist")
    betas = context.betas if context.betas_required else facts.BETAS
    return [
        AcceptedRun(request, spec, tuple(_warnings(request, spec, context)), betas) for request, spec in pairs
    ]


def _spec_or_errors(raw: msgspec.Raw, errors: list[FieldError], place: tuple[str | int, ...]) -> TaskSpec:
    """Return the spec; if it is invalid, return `AUTO_SPEC` and add the reasons to `errors`."""
    try:
        return read_spec(bytes(raw))
    except InvalidRequest as invalid:
        errors += [error.under(*place) for error in invalid.errors]
        return AUTO_SPEC


@lru_cache(maxsize=512)  # a batch of 1,000 runs often repeats one spec 1,000 times
def read_spec(raw: bytes) -> TaskSpec:
    """Return a task spec given as JSON; raise `InvalidRequest` if the API does not accept it."""
    if raw == bytes(NOTHING):
        return AUTO_SPEC
    spec = msgspec.json.decode(raw)
    if not isinstance(spec, dict):
        raise InvalidRequest([FieldError((), "A task spec is an object.", "type_error")])
    if spec.get("output_schema") is None:
        raise InvalidRequest([FieldError(("output_schema",), "Field required", "missing")])
    size = characters(spec)
    if size > facts.TASK_SPEC_CHARS:
        raise InvalidRequest(
            [FieldError((), f"A task spec has at most {facts.TASK_SPEC_CHARS:,} characters, not {size:,}.")]
        )
    output = _schema(spec["output_schema"], "output_schema")
    given = None if spec.get("input_schema") is None else _schema(spec["input_schema"], "input_schema")
    _check_schemas(output, given)
    return TaskSpec(output, given.get("json_schema") if given else None, size)


def _schema(schema: Any, place: str) -> dict[str, Any]:
    """Return a schema with its type spelled out: json, text or auto."""
    if isinstance(schema, str):
        return {"type": "text", "description": schema}
    if not isinstance(schema, dict):
        raise InvalidRequest([FieldError((place,), "A schema is a text or an object.", "type_error")])
    kind = schema.get("type", "json" if "json_schema" in schema else "text")
    if kind == "json" and isinstance(schema.get("json_schema"), dict):
        return {"type": "json", "json_schema": schema["json_schema"]}
    if kind == "text" and isinstance(schema.get("description"), str | None):
        return {"type": "text", "description": schema.get("description")}
    if kind == "auto" and place == "output_schema":
        return {"type": "auto"}
    raise InvalidRequest(
        [
            FieldError(
                (place,), f"A schema of type {kind!r} with these keys is not known.", "union_tag_invalid"
            )
        ]
    )


def _check_schemas(output: dict[str, Any], given: dict[str, Any] | None) -> None:
    checks = [("output_schema", output, output_problems)]
    if given:
        checks.append(("input_schema", given, input_problems))
    errors = [
        FieldError((name, "json_schema", *problem.path), problem.message, problem.kind)
        for name, schema, problems in checks
        if schema["type"] == "json"
        for problem in problems(schema["json_schema"])
    ]
    if errors:
        raise InvalidRequest(errors)


def _request_errors(request: RunInput, spec: TaskSpec, context: RequestContext) -> list[FieldError]:
    errors = metadata_errors(request.metadata) if request.metadata else []
    size = len(request.input) if isinstance(request.input, str) else characters(request.input)
    if spec.size + size > facts.TASK_AND_INPUT_CHARS:
        message = f"Task spec and input have {spec.size + size:,} characters; at most {facts.TASK_AND_INPUT_CHARS:,} together."
        errors.append(FieldError(("input",), message))
    if request.source_policy:
        errors += policy_errors(request.source_policy)
    errors += _data_source_errors(request)
    if request.previous_interaction_id and not context.interaction_exists(request.previous_interaction_id):
        message = f"No interaction has the id {request.previous_interaction_id!r}."
        errors.append(FieldError(("previous_interaction_id",), message))
    return (
        errors
        + _address_errors(request)
        + (_beta_errors(request, context.betas) if context.betas_required else [])
    )


def _address_errors(request: RunInput) -> list[FieldError]:
    """Return an error for each URL that is not http or https, and for each unknown event type."""
    servers = request.mcp_servers or []
    message = "A URL begins with http:// or https:// and names a host."
    errors = [
        FieldError(("mcp_servers", number, "url"), message)
        for number, server in enumerate(servers)
        if not _is_address(server.url)
    ]
    if len(servers) > facts.MCP_SERVERS:
        errors.append(
            FieldError(("mcp_servers",), f"At most {facts.MCP_SERVERS} MCP servers, not {len(servers)}.")
        )
    if request.webhook:
        if not _is_address(request.webhook.url):
            errors.append(FieldError(("webhook", "url"), message))
        errors += [
            FieldError(("webhook", "event_types"), f"Unknown event type {kind!r}.", "enum")
            for kind in sorted(set(request.webhook.event_types) - {facts.WEBHOOK_EVENT})
        ]
    return errors


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port, unbalanced brackets
        return False


def _beta_errors(request: RunInput, named: frozenset[str]) -> list[FieldError]:
    needed = {
        facts.BETA_MCP: request.mcp_servers,
        facts.BETA_WEBHOOK: request.webhook,
        facts.BETA_EVENTS: request.enable_events,
    }
    return [missing_beta(beta) for beta, used in needed.items() if used and beta not in named]


def _data_source_errors(request: RunInput) -> list[FieldError]:
    servers = [server.name for server in request.mcp_servers or ()]
    return [
        FieldError(("advanced_settings", "data_sources"), f"{problem}.")
        for problem in data_source_problems(_data_sources(request), [request.processor], servers)
    ]


def _data_sources(request: RunInput) -> list[str]:
    named = request.advanced_settings.data_sources if request.advanced_settings else None
    return [*named.free, *named.pay_per_use] if named else []


def policy_errors(policy: SourcePolicy) -> list[FieldError]:
    """Return an error for each invalid entry, for too many entries, and for an invalid date."""
    listed = {"include_domains": policy.include_domains, "exclude_domains": policy.exclude_domains}
    errors = [
        FieldError(("source_policy", name, number), f"{entry!r} {problem}.")
        for name, entries in listed.items()
        for number, entry in enumerate(entries)
        if (problem := _entry_problem(entry))
    ]
    if sum(map(len, listed.values())) > facts.DOMAINS:
        errors.append(
            FieldError(("source_policy",), f"At most {facts.DOMAINS} domains, both lists together.")
        )
    if policy.after_date is not None and not is_day(policy.after_date):
        errors.append(
            FieldError(("source_policy", "after_date"), "A date is written YYYY-MM-DD.", "date_parsing")
        )
    return errors


def _entry_problem(entry: str) -> str:
    try:
        normal_entry(entry)
    except ValueError as error:
        return str(error)
    return ""


def _warnings(request: RunInput, spec: TaskSpec, context: RequestContext) -> Iterator[RunWarning]:
    """Yield the warnings about an accepted run."""
    if spec.output["type"] == "json":
        yield from _field_warnings(spec.output["json_schema"]["properties"], request.processor)
    if spec.input_schema is not None:
        found = "; ".join(mismatches(as_json(request.input), spec.input_schema))
        if found:
            yield RunWarning(
                "input_validation_warning", f"The input does not match the input schema: {found}."
            )
    if request.mcp_servers and not context.tools_available:
        yield RunWarning("warning", f"No tool is called without the package `mcp`: {how_to_install('mcp')}")
    if sources := _data_sources(request):
        verb = "is" if len(sources) == 1 else "are"
        yield RunWarning("warning", f"This server has no data sources: {', '.join(sources)} {verb} not used.")
    if request.memory_scope_key:
        yield RunWarning("warning", "This server keeps no memory: memory_scope_key is not used.")
    if request.webhook:
        yield from _webhook_warnings(request.webhook, context)


def _webhook_warnings(webhook: Webhook, context: RequestContext) -> Iterator[RunWarning]:
    if not webhook.event_types:
        yield RunWarning("warning", "The webhook names no event_types: nothing is sent to it.")
    elif not context.private_addresses and names_private(webhook.url):
        yield RunWarning("warning", f"Nothing is sent to the webhook: {PRIVATE}.")
    elif not context.signs_webhooks:
        yield RunWarning("warning", "The webhook's deliveries are not signed: no secret is set.")


def _field_warnings(properties: dict[str, Any], processor: str) -> Iterator[RunWarning]:
    for name in sorted(facts.BASIS_NAMES & properties.keys()):
        message = f"The field {name!r} is not needed: the basis of every field has it."
        yield RunWarning("spec_validation_warning", message, {"field": name})
    useful = facts.PROCESSORS[processor].fields
    if len(properties) > useful:
        message = f"{len(properties)} fields are more than the about {useful} that {processor!r} fills well."
        yield RunWarning("spec_validation_warning", message)
