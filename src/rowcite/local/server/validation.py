"""The validation of task runs: what the API refuses, and what it warns of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rowcite.api import facts
from rowcite.api.facts import BASIS_NAMES, PROCESSORS
from rowcite.api.schema_limits import characters, input_problems, output_problems
from rowcite.local.server.http_errors import Flaw, Invalid, Refusal
from rowcite.local.server.params import missing_beta
from rowcite.local.server.schema_match import misses
from rowcite.local.server.shapes import (
    NOTHING,
    AddRunsRequest,
    Metadata,
    RunInput,
    RunWarning,
    SourcePolicy,
    Webhook,
)


@dataclass(frozen=True, slots=True)
class Spec:
    """A task spec that was read: `output` is what research takes, `size` its characters as compact JSON."""

    output: dict[str, Any]
    input_schema: dict[str, Any] | None
    size: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that may be created. `request.task_spec` is the one that counts, its own or the group's."""

    request: RunInput
    spec: Spec
    warnings: tuple[RunWarning, ...]
    betas: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SubmitOptions:
    """What a run is accepted under, beside itself.

    `knows`: whether an interaction id exists. `demanded`: whether betas must be named. `tools` and `signs`: whether
    this server can call tools, and sign what it sends to webhooks.
    """

    betas: frozenset[str] = frozenset()
    knows: Callable[[str], bool] = lambda _: False
    demanded: bool = False
    tools: bool = True
    signs: bool = True


NO_SPEC = Spec({"type": "auto"}, None, 0)


ANY = SubmitOptions()


def accept_run(request: RunInput, terms: SubmitOptions = ANY) -> Accepted:
    """Return a single run that may be created; raise `Invalid` (422) or `Refusal` (403)."""
    flaws: list[Flaw] = []
    spec = _spec_or_flaws(request.task_spec, flaws, ("body", "task_spec"))
    flaws += [flaw.under("body") for flaw in _request_flaws(request, spec, terms)]
    return _accepted([(request, spec)], flaws, terms)[0]


def accept_runs(body: AddRunsRequest, terms: SubmitOptions = ANY) -> list[Accepted]:
    """Return the runs of a batch, all or none; raise `Invalid` with every flaw (422) or `Refusal` (403)."""
    flaws: list[Flaw] = []
    if not 1 <= len(body.inputs) <= facts.RUNS_PER_REQUEST:
        flaw = Flaw(
            ("body", "inputs"),
            f"1 to {facts.RUNS_PER_REQUEST:,} runs can be added at once, not {len(body.inputs):,}.",
        )
        raise Invalid([flaw])
    default = _spec_or_flaws(body.default_task_spec, flaws, ("body", "default_task_spec"))
    pairs = []
    for number, request in enumerate(body.inputs):
        spec = default
        if bytes(request.task_spec) != b"null":
            spec = _spec_or_flaws(request.task_spec, flaws, ("body", "inputs", number, "task_spec"))
        else:
            request.task_spec = body.default_task_spec
        flaws += [flaw.under("body", "inputs", number) for flaw in _request_flaws(request, spec, terms)]
        pairs.append((request, spec))
    return _accepted(pairs, flaws, terms)


def sound_runs(body: AddRunsRequest, terms: SubmitOptions = ANY) -> list[Accepted]:
    """Return the runs of a batch before the first that may not be created."""
    sound: list[Accepted] = []
    for request in body.inputs[: facts.RUNS_PER_REQUEST]:
        try:
            sound += accept_runs(AddRunsRequest([request], body.default_task_spec), terms)
        except (Invalid, Refusal):
            break
    return sound


def metadata_flaws(metadata: Metadata | None) -> list[Flaw]:
    """Return which keys and values are too long."""
    flaws = []
    for key, value in (metadata or {}).items():
        if len(key) > facts.METADATA_KEY_CHARS:
            flaws.append(
                Flaw(("metadata", key), f"A metadata key has at most {facts.METADATA_KEY_CHARS} characters.")
            )
        if len(str(value)) > facts.METADATA_VALUE_CHARS:
            flaws.append(
                Flaw(
                    ("metadata", key),
                    f"A metadata value has at most {facts.METADATA_VALUE_CHARS} characters.",
                )
            )
    return flaws


def _accepted(pairs: list[tuple[RunInput, Spec]], flaws: list[Flaw], terms: SubmitOptions) -> list[Accepted]:
    if flaws:
        raise Invalid(flaws)
    for name in {request.processor for request, _ in pairs} - facts.PROCESSORS.keys():
        raise Refusal(403, f"Forbidden: invalid processor in request: {name!r} does not exist")
    return [
        Accepted(
            request,
            spec,
            tuple(
                warnings(request, spec.output, spec.input_schema, calls_tools=terms.tools, signs=terms.signs)
            ),
            terms.betas,
        )
        for request, spec in pairs
    ]


def _spec_or_flaws(raw: msgspec.Raw, flaws: list[Flaw], place: tuple[str | int, ...]) -> Spec:
    """Return the spec, or `NO_SPEC` with the reasons added to `flaws`."""
    try:
        return read_spec(bytes(raw))
    except Invalid as invalid:
        flaws += [flaw.under(*place) for flaw in invalid.flaws]
        return NO_SPEC


@lru_cache(maxsize=512)  # a batch of 1,000 runs often repeats one spec 1,000 times
def read_spec(raw: bytes) -> Spec:
    """Return a task spec given as JSON; raise `Invalid` for one that the API does not take."""
    if raw == bytes(NOTHING):
        return NO_SPEC
    spec = msgspec.json.decode(raw)
    if not isinstance(spec, dict):
        raise Invalid([Flaw((), "A task spec is an object.", "type_error")])
    if spec.get("output_schema") is None:
        raise Invalid([Flaw(("output_schema",), "Field required", "missing")])
    size = characters(spec)
    if size > facts.TASK_SPEC_CHARS:
        raise Invalid(
            [Flaw((), f"A task spec has at most {facts.TASK_SPEC_CHARS:,} characters, not {size:,}.")]
        )
    output = _schema(spec["output_schema"], "output_schema")
    given = None if spec.get("input_schema") is None else _schema(spec["input_schema"], "input_schema")
    _check_schemas(output, given)
    return Spec(output, given.get("json_schema") if given else None, size)


def _schema(schema: Any, place: str) -> dict[str, Any]:
    """Return a schema with its type spelled out: json, text or auto."""
    if isinstance(schema, str):
        return {"type": "text", "description": schema}
    if not isinstance(schema, dict):
        raise Invalid([Flaw((place,), "A schema is a text or an object.", "type_error")])
    kind = schema.get("type", "json" if "json_schema" in schema else "text")
    if kind == "json" and isinstance(schema.get("json_schema"), dict):
        return {"type": "json", "json_schema": schema["json_schema"]}
    if kind == "text" and isinstance(schema.get("description"), str | None):
        return {"type": "text", "description": schema.get("description")}
    if kind == "auto" and place == "output_schema":
        return {"type": "auto"}
    raise Invalid(
        [Flaw((place,), f"A schema of type {kind!r} with these keys is not known.", "union_tag_invalid")]
    )


def _check_schemas(output: dict[str, Any], given: dict[str, Any] | None) -> None:
    checks = [("output_schema", output, output_problems)]
    if given:
        checks.append(("input_schema", given, input_problems))
    flaws = [
        Flaw((name, "json_schema", *problem.path), problem.message, problem.kind)
        for name, schema, problems in checks
        if schema["type"] == "json"
        for problem in problems(schema["json_schema"])
    ]
    if flaws:
        raise Invalid(flaws)


def _request_flaws(request: RunInput, spec: Spec, terms: SubmitOptions) -> list[Flaw]:
    flaws = metadata_flaws(request.metadata) if request.metadata else []
    size = len(request.input) if isinstance(request.input, str) else characters(request.input)
    if spec.size + size > facts.TASK_AND_INPUT_CHARS:
        message = f"Task spec and input have {spec.size + size:,} characters; at most {facts.TASK_AND_INPUT_CHARS:,} together."
        flaws.append(Flaw(("input",), message))
    if request.source_policy:
        flaws += domain_flaws(request.source_policy)
    if request.previous_interaction_id and not terms.knows(request.previous_interaction_id):
        message = f"No interaction has the id {request.previous_interaction_id!r}."
        flaws.append(Flaw(("previous_interaction_id",), message))
    return flaws + _address_flaws(request) + (_beta_flaws(request, terms.betas) if terms.demanded else [])


def _address_flaws(request: RunInput) -> list[Flaw]:
    """Return which servers cannot be called: this one talks to http and https, and to nothing else."""
    servers = request.mcp_servers or []
    message = "A URL begins with http:// or https:// and names a host."
    flaws = [
        Flaw(("mcp_servers", number, "url"), message)
        for number, server in enumerate(servers)
        if not _is_address(server.url)
    ]
    if len(servers) > facts.MCP_SERVERS:
        flaws.append(Flaw(("mcp_servers",), f"At most {facts.MCP_SERVERS} MCP servers, not {len(servers)}."))
    if request.webhook:
        if not _is_address(request.webhook.url):
            flaws.append(Flaw(("webhook", "url"), message))
        flaws += [
            Flaw(("webhook", "event_types"), f"There is no event type {kind!r}.", "enum")
            for kind in sorted(set(request.webhook.event_types) - {facts.WEBHOOK_EVENT})
        ]
    return flaws


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, brackets that do not close
        return False


def _beta_flaws(request: RunInput, named: frozenset[str]) -> list[Flaw]:
    needed = {
        facts.BETA_MCP: request.mcp_servers,
        facts.BETA_WEBHOOK: request.webhook,
        facts.BETA_EVENTS: request.enable_events,
    }
    return [missing_beta(beta) for beta, used in needed.items() if used and beta not in named]


def domain_flaws(policy: SourcePolicy) -> list[Flaw]:
    """Return which domains are none, and whether there are too many."""
    listed = {"include_domains": policy.include_domains, "exclude_domains": policy.exclude_domains}
    flaws = [
        Flaw(("source_policy", name, number), f"{domain!r} is not a domain: give it without scheme or path.")
        for name, domains in listed.items()
        for number, domain in enumerate(domains)
        if not facts.DOMAIN.fullmatch(domain.removesuffix("."))
    ]
    if sum(map(len, listed.values())) > facts.DOMAINS:
        flaws.append(Flaw(("source_policy",), f"At most {facts.DOMAINS} domains, both lists together."))
    return flaws


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
