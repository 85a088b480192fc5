"""A spec held against the API's limits and against itself.

The limits are those of Parallel's public docs (docs.parallel.ai, "Task Spec" and "Source policy").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from rowcite.accept.escalation import KNOWN
from rowcite.accept.policy import policy_problems
from rowcite.api.bodies import KEY_METADATA
from rowcite.api.facts import TASK_SPEC_CHARS, known
from rowcite.api.packing import RECORD_KEY, records_schema
from rowcite.spec.fields import STATUS_COLUMNS, column_names, fields, input_schema, output_schema
from rowcite.spec.models import Spec

Problem = tuple[tuple[str | int, ...], str]
"""Where in the spec, and what is wrong."""

_NESTING, _NESTING_SAFE = 5, 3
_PROPERTIES = 100
_ENUM_VALUES, _ENUM_FREE, _ENUM_CHARS = 500, 250, 7_500
_DOMAINS, _MCP_SERVERS = 200, 10
_METADATA_KEY, _METADATA_VALUE = 16, 512
_BASIS_NAMES = frozenset(
    ["citations", "confidence", "evidence", "reasoning", "source", "sources", "source_urls"]
)
_UNSUPPORTED = frozenset(
    [
        "contains",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minimum",
        "minProperties",
        "multipleOf",
        "pattern",
        "patternProperties",
        "propertyNames",
        "uniqueItems",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)


def spec_problems(spec: Spec) -> list[Problem]:
    """Return everything about a spec that the API would refuse, or that contradicts itself."""
    return [
        *_task_problems(spec),
        *_schema_problems(spec),
        *_name_problems(spec),
        *policy_problems(fields(spec), spec.accept),
        *_price_problems(spec),
        *_packing_problems(spec),
        *_ladder_problems(spec),
    ]


def spec_warnings(spec: Spec) -> list[str]:
    """Return what will work, but not as well as the user may think."""
    return [*spec.renamed_keys, *_warnings(spec)]


def _task_problems(spec: Spec) -> Iterator[Problem]:
    task = spec.task
    if task.output is not None and task.output.type == "auto" and task.instructions:
        yield (
            ("task", "instructions"),
            "an auto output has no schema to carry instructions: put them in a `prompt`",
        )
    policy = task.source_policy
    if policy and len(policy.include_domains) + len(policy.exclude_domains) > _DOMAINS:
        yield ("task", "source_policy"), f"more than {_DOMAINS} domains in both lists together"
    if len(task.mcp_servers) > _MCP_SERVERS:
        yield ("task", "mcp_servers"), f"more than {_MCP_SERVERS} MCP servers"
    for key, value in task.metadata.items():
        if key == KEY_METADATA:
            yield ("task", "metadata", key), f"`{KEY_METADATA}` is rowcite's own: choose another name"
        if len(key) > _METADATA_KEY:
            yield (
                ("task", "metadata", key),
                f"metadata keys have at most {_METADATA_KEY} characters, not {len(key)}",
            )
        if len(value) > _METADATA_VALUE:
            yield (
                ("task", "metadata", key),
                f"metadata values have at most {_METADATA_VALUE} characters, not {len(value)}",
            )
    if spec.columns.reports is not None and not (task.output and task.output.type == "text"):
        yield (
            ("columns", "reports"),
            "`reports` writes one file a row for `output: {type: text}`, which is not asked for",
        )
    if task.prompt is not None and not task.prompt.strip():
        yield ("task", "prompt"), "the prompt is empty"


def _schema_problems(spec: Spec) -> Iterator[Problem]:
    where = ("task", "outputs") if spec.task.outputs is not None else ("task", "output")
    asked = output_schema(spec)
    schema = asked.get("json_schema")
    if schema is not None:
        if spec.task.outputs is None:
            yield from ((where, message) for message in _own_schema_problems(schema))
        nesting, properties = _nesting(schema), sum(1 for _ in _properties(schema))
        if nesting > _NESTING:
            yield where, f"nested {nesting} levels deep, and the API takes {_NESTING}"
        if properties > _PROPERTIES:
            yield where, f"{properties} properties, and the API takes {_PROPERTIES}"
        yield from ((where, message) for message in _enum_problems(schema))
    sent = {
        "output_schema": asked,
        "input_schema": input_schema(spec, dict.fromkeys(spec.task.inputs or {}, "string")),
    }
    size = len(json.dumps(sent, ensure_ascii=False, separators=(",", ":")))
    if size > TASK_SPEC_CHARS:
        yield where, f"the task spec has {size:,} characters, and the API takes {TASK_SPEC_CHARS:,}"


def _own_schema_problems(schema: dict[str, Any]) -> Iterator[str]:
    if (
        schema.get("type") != "object"
        or not isinstance(schema.get("properties"), dict)
        or not schema["properties"]
    ):
        yield "the root of the JSON schema must be an object with `properties`"
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            yield f"the root of the JSON schema may not have `{word}`"
    for part in _parts(schema):
        for word in sorted(_UNSUPPORTED & part.keys()):
            yield f"the API does not take `{word}` in a JSON schema: say it in the description instead"
        for inner in (*part.get("properties", {}).values(), part.get("items")):
            if isinstance(inner, dict) and inner.get("type") in ("null", ["null"]):
                yield "a field that is only `null` can say nothing: use a union such as [string, null]"


def _enum_problems(schema: dict[str, Any]) -> Iterator[str]:
    for part in _parts(schema):
        values = part.get("enum", ())
        chars = sum(len(value) for value in values if isinstance(value, str))
        if len(values) > _ENUM_VALUES:
            yield f"an enum has {len(values)} values{', null among them' * (None in values)}, and the API takes {_ENUM_VALUES}"
        elif len(values) > _ENUM_FREE and chars > _ENUM_CHARS:
            yield f"an enum of more than {_ENUM_FREE} values has {chars:,} characters, and the API takes {_ENUM_CHARS:,}"


def _name_problems(spec: Spec) -> Iterator[Problem]:
    asked = [field.name for field in fields(spec)]
    if any(not name.strip() for name in asked):
        yield ("task", "outputs"), "a field has no name"
    added = sorted([*STATUS_COLUMNS, *(column for name in asked for column in column_names(spec, name))])
    for first, second in pairwise(added):
        if first == second:
            yield ("task", "outputs"), f"two output columns would be called `{first}`: rename a field"


def _price_problems(spec: Spec) -> Iterator[Problem]:
    named: list[tuple[tuple[str | int, ...], str]] = [(("task", "processor"), spec.task.processor)]
    for index, name in enumerate(spec.escalate):
        if name in [earlier for _, earlier in named]:
            yield ("escalate", index), f"`{name}` was asked before: name each processor once"
        named.append((("escalate", index), name))
    for path, name in named:
        if spec.backend == "parallel" and name not in spec.prices and known(name) is None:
            yield (
                path,
                f"no price is known for `{name}`: correct the name, or give US$ per run under `prices: {{{name}: 0.01}}`",
            )


def _packing_problems(spec: Spec) -> Iterator[Problem]:
    where = ("task", "records_per_run")
    if spec.task.records_per_run == 1:
        return
    asked = output_schema(spec)
    if asked["type"] != "json":
        yield where, "only answers made of fields can be asked for several rows at once: name `outputs`"
        return
    whole = records_schema(asked["json_schema"])
    nesting, properties = _nesting(whole), sum(1 for _ in _properties(whole))
    if nesting > _NESTING:
        yield where, f"fields nested in records are {nesting} levels deep, and the API takes {_NESTING}"
    if properties > _PROPERTIES:
        yield where, f"with records and keys {properties} properties, and the API takes {_PROPERTIES}"
    for kind, names in (
        ("inputs", spec.task.inputs or {}),
        ("outputs", [field.name for field in fields(spec)]),
    ):
        if RECORD_KEY in names:
            yield (
                ("task", kind, RECORD_KEY),
                f"`{RECORD_KEY}` says which row a record is of: choose another name",
            )


def _ladder_problems(spec: Spec) -> Iterator[Problem]:
    if spec.escalate and KNOWN in (spec.task.inputs or {}):
        yield (
            ("task", "inputs", KNOWN),
            f"`{KNOWN}` tells the next processor what was found: choose another name",
        )


def _warnings(spec: Spec) -> Iterator[str]:
    task, asked = spec.task, fields(spec)
    doubled = sorted(_BASIS_NAMES & {field.name for field in asked})
    if doubled:
        yield f"fields {', '.join(doubled)}: citations, reasoning and confidence come with every field by themselves"
    processor = known(task.processor)
    if processor and len(asked) > processor.fields:
        yield f"{len(asked)} fields, and `{task.processor}` usefully fills about {processor.fields}"
    elif processor and len(asked) * task.records_per_run > processor.fields:
        values = f"{task.records_per_run} records of {len(asked)} fields"
        yield f"{values} in a run, and `{task.processor}` usefully fills about {processor.fields}"
    schema = output_schema(spec).get("json_schema")
    if schema and _nesting(schema) > _NESTING_SAFE:
        yield f"nested {_nesting(schema)} levels deep: one page of the API's docs says {_NESTING_SAFE} is the most"
    if schema and any(_is_open(part) for part in _parts(schema)):
        yield "the JSON schema has optional or further properties: the API wants all `required`, and `additionalProperties: false`"
    if task.source_policy and task.source_policy.include_domains and task.source_policy.exclude_domains:
        yield "exclude_domains is ignored by the API when include_domains is set"
    base = task.processor.removesuffix("-fast")
    if task.output and task.output.type == "auto" and base in ("lite", "base", "core", "core2x"):
        yield f"auto output is made for pro and above, not `{task.processor}`"


def _is_open(schema: dict[str, Any]) -> bool:
    properties = schema.get("properties")
    if properties is None:
        return False
    return schema.get("additionalProperties") is not False or not properties.keys() <= set(
        map(str, schema.get("required", ()))
    )


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Walk every sub-schema. Names of properties are names, not keywords."""
    if not isinstance(schema, dict):
        return
    yield schema
    for word in ("properties", "$defs", "definitions"):
        for part in schema.get(word, {}).values() if isinstance(schema.get(word), dict) else ():
            yield from _parts(part)
    for word in ("items", "additionalProperties"):
        yield from _parts(schema.get(word))
    for word in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(word, ()):
            yield from _parts(part)


def _properties(schema: dict[str, Any]) -> Iterable[str]:
    for part in _parts(schema):
        yield from part.get("properties", ())


def _nesting(schema: Any) -> int:
    """Count levels of objects and arrays; a flat schema has one."""
    inner = [_nesting(part) for part in _children(schema)]
    own = 1 if re.search("object|array", str(schema.get("type", ""))) else 0
    return own + max(inner, default=0)


def _children(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (part for part in schema.get("properties", {}).values() if isinstance(part, dict))
    if isinstance(schema.get("items"), dict):
        yield schema["items"]
    yield from (part for part in schema.get("anyOf", ()) if isinstance(part, dict))
