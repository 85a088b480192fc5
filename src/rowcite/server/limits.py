"""The limits of the Task API: what a run must be to be created, and what it is warned of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from rowcite.server.conform import misses
from rowcite.server.processors import PROCESSORS
from rowcite.server.refusals import Flaw, Invalid, Refusal
from rowcite.server.schema_limits import input_flaws, output_flaws
from rowcite.server.shapes import NOTHING, AddRunsRequest, Metadata, RunInput, RunWarning, SourcePolicy

MAX_RUNS = 1_000
MAX_SPEC = 15_000  # characters
MAX_SPEC_AND_INPUT = 25_000  # characters
MAX_METADATA_KEY = 16
MAX_METADATA_VALUE = 512
MAX_DOMAINS = 200
MAX_MCP_SERVERS = 10
BASIS_NAMES = frozenset(
    ["citations", "confidence", "evidence", "reasoning", "source", "sources", "source_urls"]
)

_DOMAIN = re.compile(r"\.?[^\s./:@?#]+(\.[^\s./:@?#]+)*\.?")


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


NO_SPEC = Spec({"type": "auto"}, None, 0)


def accept_run(request: RunInput) -> Accepted:
    """Return a single run that may be created; raise `Invalid` (422) or `Refusal` (403)."""
    flaws: list[Flaw] = []
    spec = _spec_or_flaws(request.task_spec, flaws, ("body", "task_spec"))
    flaws += [flaw.under("body") for flaw in _request_flaws(request, spec)]
    return _accepted([(request, spec)], flaws)[0]


def accept_runs(body: AddRunsRequest) -> list[Accepted]:
    """Return the runs of a batch, all or none; raise `Invalid` with every flaw (422) or `Refusal` (403)."""
    flaws: list[Flaw] = []
    if not 1 <= len(body.inputs) <= MAX_RUNS:
        flaw = Flaw(
            ("body", "inputs"), f"1 to {MAX_RUNS:,} runs can be added at once, not {len(body.inputs):,}."
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
        flaws += [flaw.under("body", "inputs", number) for flaw in _request_flaws(request, spec)]
        pairs.append((request, spec))
    return _accepted(pairs, flaws)


def metadata_flaws(metadata: Metadata | None) -> list[Flaw]:
    """Return which keys and values are too long."""
    flaws = []
    for key, value in (metadata or {}).items():
        if len(key) > MAX_METADATA_KEY:
            flaws.append(
                Flaw(("metadata", key), f"A metadata key has at most {MAX_METADATA_KEY} characters.")
            )
        if len(str(value)) > MAX_METADATA_VALUE:
            flaws.append(
                Flaw(("metadata", key), f"A metadata value has at most {MAX_METADATA_VALUE} characters.")
            )
    return flaws


def _accepted(pairs: list[tuple[RunInput, Spec]], flaws: list[Flaw]) -> list[Accepted]:
    if flaws:
        raise Invalid(flaws)
    for name in {request.processor for request, _ in pairs} - PROCESSORS.keys():
        raise Refusal(403, f"Forbidden: invalid processor in request: {name!r} does not exist")
    return [Accepted(request, spec, tuple(_warnings(request, spec))) for request, spec in pairs]


def _spec_or_flaws(raw: msgspec.Raw, flaws: list[Flaw], place: tuple[str | int, ...]) -> Spec:
    """Return the spec, or `NO_SPEC` with the reasons added to `flaws`."""
    try:
        return _read_spec(bytes(raw))
    except Invalid as invalid:
        flaws += [flaw.under(*place) for flaw in invalid.flaws]
        return NO_SPEC


@lru_cache(maxsize=512)  # a batch of 1,000 runs often repeats one spec 1,000 times
def _read_spec(raw: bytes) -> Spec:
    if raw == bytes(NOTHING):
        return NO_SPEC
    spec = msgspec.json.decode(raw)
    if not isinstance(spec, dict):
        raise Invalid([Flaw((), "A task spec is an object.", "type_error")])
    if spec.get("output_schema") is None:
        raise Invalid([Flaw(("output_schema",), "Field required", "missing")])
    size = _characters(spec)
    if size > MAX_SPEC:
        raise Invalid([Flaw((), f"A task spec has at most {MAX_SPEC:,} characters, not {size:,}.")])
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
    flaws: list[Flaw] = []
    if output["type"] == "json":
        flaws += [f.under("output_schema", "json_schema") for f in output_flaws(output["json_schema"])]
    if given and given["type"] == "json":
        flaws += [f.under("input_schema", "json_schema") for f in input_flaws(given["json_schema"])]
    if flaws:
        raise Invalid(flaws)


def _request_flaws(request: RunInput, spec: Spec) -> list[Flaw]:
    flaws = metadata_flaws(request.metadata) if request.metadata else []
    size = len(request.input) if isinstance(request.input, str) else _characters(request.input)
    if spec.size + size > MAX_SPEC_AND_INPUT:
        message = f"Task spec and input have {spec.size + size:,} characters; at most {MAX_SPEC_AND_INPUT:,} together."
        flaws.append(Flaw(("input",), message))
    if request.source_policy:
        flaws += _domain_flaws(request.source_policy)
    if request.mcp_servers and len(request.mcp_servers) > MAX_MCP_SERVERS:
        flaws.append(
            Flaw(("mcp_servers",), f"At most {MAX_MCP_SERVERS} MCP servers, not {len(request.mcp_servers)}.")
        )
    return flaws


def _domain_flaws(policy: SourcePolicy) -> list[Flaw]:
    listed = {"include_domains": policy.include_domains, "exclude_domains": policy.exclude_domains}
    flaws = [
        Flaw(("source_policy", name, number), f"{domain!r} is not a domain: give it without scheme or path.")
        for name, domains in listed.items()
        for number, domain in enumerate(domains)
        if not _DOMAIN.fullmatch(domain)
    ]
    if sum(map(len, listed.values())) > MAX_DOMAINS:
        flaws.append(Flaw(("source_policy",), f"At most {MAX_DOMAINS} domains, both lists together."))
    return flaws


def _warnings(request: RunInput, spec: Spec) -> list[RunWarning]:
    found = []
    if spec.output["type"] == "json":
        found += _field_warnings(spec.output["json_schema"]["properties"], request.processor)
    if spec.input_schema is not None:
        missed = list(misses(_as_json(request.input), spec.input_schema))
        if missed:
            message = f"The input does not meet the input schema: {'; '.join(missed)}."
            found.append(RunWarning("input_validation_warning", message))
    ignored = [
        name for name in ("mcp_servers", "previous_interaction_id", "webhook") if getattr(request, name)
    ]
    found += [RunWarning("warning", f"This server takes {name} and does not use it.") for name in ignored]
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


def _characters(value: Any) -> int:
    return len(msgspec.json.encode(value).decode())
