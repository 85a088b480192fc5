"""The check of a spec: the API's limits (`rowcite.api.facts`), and contradictions within the spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from rowcite.accept.policy import policy_problems
from rowcite.api import facts
from rowcite.api.bodies import KEY_METADATA
from rowcite.api.packing import RECORD_KEY, records_schema
from rowcite.api.schema_limits import characters, is_strict, nesting_levels, output_problems, property_count
from rowcite.api.source_policy import data_source_problems
from rowcite.pipeline.next_step import KNOWN
from rowcite.spec.fields import fields, input_schema, output_schema, value_column
from rowcite.spec.models import DataSources, Spec
from rowcite.spec.question import mcp_url
from rowcite.table.columns import column_names
from rowcite.wording import did_you_mean

Problem = tuple[tuple[str | int, ...], str]
"""The path in the spec, and the message."""


def spec_problems(spec: Spec) -> list[Problem]:
    """Return every reason why the API would refuse a spec, and its contradictions."""
    return [
        *_task_problems(spec),
        *_schema_problems(spec),
        *_name_problems(spec),
        *policy_problems(fields(spec), spec.accept),
        *_eval_problems(spec),
        *_price_problems(spec),
        *_packing_problems(spec),
        *_escalation_problems(spec),
    ]


def spec_warnings(spec: Spec) -> list[str]:
    """Return warnings about what works, but perhaps not as intended."""
    return [*spec.renamed_keys, *_mcp_warnings(spec), *_warnings(spec)]


def column_warnings(spec: Spec, existing: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each field whose column differs from one of the table only in the case of its letters."""
    there = {name.lower(): name for name in existing}
    taken = set(there.values())
    for field in fields(spec):
        column = value_column(spec, field.name)
        if (near := there.get(column.lower())) and column not in taken:
            yield (
                f'the field `{field.name}` adds the column "{column}" beside "{near}". To fill that one, name the field'
                f" `{near.removeprefix(spec.columns.prefix)}` and set columns.existing to fill"
            )


def _eval_problems(spec: Spec) -> Iterator[Problem]:
    names = [field.name for field in fields(spec)]
    for name in spec.eval:
        if name not in names:
            hint = did_you_mean(name, names)
            yield ("eval", name), f"`{name}` is not a field{hint}. Fields: {', '.join(names)}"


def _task_problems(spec: Spec) -> Iterator[Problem]:
    task = spec.task
    if task.output is not None and task.output.type == "auto" and task.instructions:
        yield (
            ("task", "instructions"),
            "an auto output has no schema to carry instructions: put them in a `prompt`",
        )
    policy = task.source_policy
    if policy and len(policy.include_domains) + len(policy.exclude_domains) > facts.DOMAINS:
        yield ("task", "source_policy"), f"more than {facts.DOMAINS} domains in both lists together"
    sources = task.data_sources or DataSources()
    named = [server.name for server in task.mcp_servers]
    processors = [task.processor, *spec.escalate]
    for message in data_source_problems([*sources.free, *sources.pay_per_use], processors, named):
        yield ("task", "data_sources"), message
    if len(task.mcp_servers) > facts.MCP_SERVERS:
        yield ("task", "mcp_servers"), f"more than {facts.MCP_SERVERS} MCP servers"
    yield from _metadata_problems(task.metadata)
    if spec.columns.reports is not None and not (task.output and task.output.type == "text"):
        yield (
            ("columns", "reports"),
            "`reports` writes one file for each row of `output: {type: text}`; this spec has another output",
        )
    if task.prompt is not None and not task.prompt.strip():
        yield ("task", "prompt"), "the prompt is empty"


def _metadata_problems(metadata: dict[str, str]) -> Iterator[Problem]:
    for key, value in metadata.items():
        where = ("task", "metadata", key)
        if key == KEY_METADATA:
            yield where, f"`{KEY_METADATA}` is reserved for rowcite: choose another name"
        for part, text, limit in (
            ("keys", key, facts.METADATA_KEY_CHARS),
            ("values", value, facts.METADATA_VALUE_CHARS),
        ):
            if len(text) > limit:
                yield where, f"metadata {part} have at most {limit} characters, not {len(text)}"


def _schema_problems(spec: Spec) -> Iterator[Problem]:
    where = _outputs_path(spec)
    output, shape = output_schema(spec), input_schema(spec, dict.fromkeys(spec.task.inputs or {}, "string"))
    if output["type"] == "json":
        found = (problem.message for problem in output_problems(output["json_schema"]))
        yield from ((where, message) for message in dict.fromkeys(found))
    size = characters({"output_schema": output, **({"input_schema": shape} if shape else {})})
    if size > facts.TASK_SPEC_CHARS:
        yield (
            where,
            f"the task spec has {size:,} characters; the API accepts at most {facts.TASK_SPEC_CHARS:,}",
        )


def _outputs_path(spec: Spec) -> tuple[str, str]:
    return ("task", "outputs" if spec.task.outputs is not None else "output")


def _name_problems(spec: Spec) -> Iterator[Problem]:
    if any(not field.name.strip() for field in fields(spec)):
        yield ("task", "outputs"), "a field has no name"
    added = sorted(column_names(spec))
    for first, second in pairwise(added):
        if first == second:
            yield ("task", "outputs"), f"two output columns would be called `{first}`: rename a field"


def _price_problems(spec: Spec) -> Iterator[Problem]:
    named: list[tuple[tuple[str | int, ...], str]] = [(("task", "processor"), spec.task.processor)]
    for index, name in enumerate(spec.escalate):
        if name in [earlier for _, earlier in named]:
            first = " (as the first processor)" if name == spec.task.processor else ""
            yield (
                ("escalate", index),
                f"`{name}` is listed before{first}: name each processor once in `escalate`",
            )
        named.append((("escalate", index), name))
    for path, name in named:
        if spec.backend == "parallel" and name not in spec.prices and name not in facts.PROCESSORS:
            hint = did_you_mean(name, [*spec.prices, *facts.PROCESSORS])
            yield (
                path,
                f"no price is known for `{name}`{hint}: correct the name, or give US$ per run under `prices: {{{name}: 0.01}}`",
            )

    for name in spec.task.data_sources.pay_per_use if spec.task.data_sources else ():
        if spec.backend == "parallel" and name not in spec.prices:
            yield (
                ("task", "data_sources", "pay_per_use"),
                f"no price is known for `{name}`: give US$ per run under `prices: {{{name}: 0.01}}`",
            )


def _packing_problems(spec: Spec) -> Iterator[Problem]:
    where = ("task", "records_per_run")
    if spec.task.records_per_run == 1:
        return
    output = output_schema(spec)
    if output["type"] != "json":
        yield where, "several rows in one run need an answer made of fields: use `outputs`"
        return
    whole = records_schema(output["json_schema"])
    nesting, properties = nesting_levels(whole), property_count(whole)
    if nesting > facts.NESTING_LEVELS:
        yield (
            where,
            f"fields nested in records are {nesting} levels deep; the API accepts at most {facts.NESTING_LEVELS}",
        )
    if properties > facts.PROPERTIES:
        yield (
            where,
            f"with records and keys {properties} properties; the API accepts at most {facts.PROPERTIES}",
        )
    for kind, names in (
        ("inputs", spec.task.inputs or {}),
        ("outputs", [field.name for field in fields(spec)]),
    ):
        if RECORD_KEY in names:
            yield (
                ("task", kind, RECORD_KEY),
                f"`{RECORD_KEY}` identifies the row of a record: choose another name",
            )


def _escalation_problems(spec: Spec) -> Iterator[Problem]:
    if spec.escalate and KNOWN in (spec.task.inputs or {}):
        yield (
            ("task", "inputs", KNOWN),
            f"`{KNOWN}` holds earlier findings for the next processor: choose another name",
        )


def _mcp_warnings(spec: Spec) -> Iterator[str]:
    for number, server in enumerate(spec.task.mcp_servers):
        path = ("task", "mcp_servers", number, "url")
        if mcp_url(spec, number) != server.url:
            yield str(
                spec.problem(
                    path,
                    f"`mcp_servers.{number}.url` has a variable. Its value is sent and not stored, but logs on the way may"
                    " have URLs: put a secret in `headers`",
                )
            )


def _warnings(spec: Spec) -> Iterator[str]:
    task, count = spec.task, len(fields(spec))
    doubled = sorted(facts.BASIS_NAMES & {field.name for field in fields(spec)})
    if doubled:
        yield f"fields {', '.join(doubled)}: every field already has citations, reasoning and confidence"
    processor = facts.PROCESSORS.get(task.processor)
    if processor and count > processor.fields:
        yield f"{count} fields, and `{task.processor}` usefully fills about {processor.fields}"
    elif processor and count * task.records_per_run > processor.fields:
        values = f"{task.records_per_run} records of {count} fields"
        yield f"{values} in a run, and `{task.processor}` usefully fills about {processor.fields}"
    schema = output_schema(spec).get("json_schema")
    if schema and (levels := nesting_levels(schema)) > facts.SAFE_NESTING_LEVELS:
        yield f"nested {levels} levels deep: one page of the API's docs gives {facts.SAFE_NESTING_LEVELS} as the limit"
    if schema and not is_strict(schema):
        yield "the JSON schema has optional or further properties: the API recommends all `required`, and `additionalProperties: false`"
    if task.source_policy and task.source_policy.include_domains and task.source_policy.exclude_domains:
        yield "exclude_domains is ignored by the API when include_domains is set"
    if task.source_policy and task.source_policy.after_date:
        yield "`source_policy.after_date` is unconfirmed for tasks: the newest page of the API's docs allows it, older ones for searches alone"
    if task.output and task.output.type == "auto" and processor and not processor.premium:
        yield f"auto output is meant for pro and above, not `{task.processor}`"
