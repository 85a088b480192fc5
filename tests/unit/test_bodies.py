"""The API's JSON, both ways: bodies written by hand from its documents, and compared with the official SDK's models."""

import asyncio
import json
import math
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parallel.types import (
    JsonSchema,
    McpServer,
    RunInput,
    TaskGroup,
    TaskGroupRunResponse,
    TaskRun,
    TaskRunJsonOutput,
    TaskRunResult,
    TaskRunTextOutput,
    TaskSpec,
    TextSchema,
)
from pydantic import ConfigDict, TypeAdapter

from rowcite.api import bodies as wire
from rowcite.api.answers import answer
from rowcite.api.bodies import (
    Added,
    Event,
    Group,
    Run,
    api_warnings,
    input_of,
    output_of,
    replace_lone_surrogates,
    runs_body,
)
from rowcite.api.client import Client
from rowcite.api.keys import canonical, task_key
from rowcite.api.rate_limit import RateLimiter
from rowcite.errors import ApiRefused
from rowcite.model import RunState, Task
from rowcite.spec.question import question

WIRE = Path(__file__).parents[1] / "data" / "wire"


def body(name: str):
    return json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))


def decoded(value, shape):
    """Read a body as rowcite reads it."""
    return msgspec.json.decode(json.dumps(value).encode(), type=shape)


# --- runs ------------------------------------------------------------------------------------------------

STATES = {
    "queued": RunState.SUBMITTED,
    "running": RunState.SUBMITTED,
    "cancelling": RunState.SUBMITTED,
    "action_required": RunState.ACTION_REQUIRED,
    "completed": RunState.COMPLETED,
    "failed": RunState.FAILED,
    "cancelled": RunState.CANCELLED,
}


@pytest.mark.parametrize(("status", "value"), body("runs").items())
def test_a_run_is_read_in_every_state(status, value):
    official, run = TaskRun.model_validate(value), decoded(value, Run)
    assert (run.run_id, run.status, run.processor) == (official.run_id, official.status, official.processor)
    assert run.metadata == official.metadata
    assert run.state is STATES[status]


def test_every_state_of_the_api_has_a_body():
    assert body("runs").keys() == STATES.keys()


def test_a_failed_run_has_its_reason():
    problem = decoded(body("runs")["failed"], Run).problem
    assert problem.message == "Task run failed: no sources could be reached"
    assert problem.ref_id == "fcb2b4f3-c75e-4186-87bc-caa1a8381331"
    assert problem.detail == {"stage": "search"}


@pytest.mark.parametrize("case", body("older_runs").values(), ids=body("older_runs"))
def test_an_older_run_is_read_too(case):
    run = decoded(case["body"], Run)
    assert run.state == case["state"]
    assert run.problem.message == case["problem"]
    assert run.problem.ref_id == case.get("ref_id")


def test_warnings_reach_the_user():
    found = [
        (warning.type, warning.message) for warning in api_warnings(decoded(body("runs")["completed"], Run))
    ]
    assert found == [
        ("spec_validation_warning", "Field 'sources' is filled by the basis already."),
        ("input_validation_warning", "Input 'year' is not in the schema."),
    ]


@pytest.mark.parametrize(
    ("warnings", "messages"), [(None, []), ("words", []), (["words"], ["words"]), ([{"x": 1}], ["{'x': 1}"])]
)
def test_warnings_of_another_shape_are_kept_or_left_out(warnings, messages):
    run = Run("r", "completed", warnings=warnings)
    assert [warning.message for warning in api_warnings(run)] == messages


def test_a_run_has_its_task_key():
    assert decoded(body("runs")["completed"], Run).key == bytes.fromhex("00112233445566778899aabbccddeeff")


@pytest.mark.parametrize(
    "metadata", [None, {}, {"other": "x"}, {"rowcite_key": "no hex"}, {"rowcite_key": 5}]
)
def test_a_run_without_a_valid_task_key_has_none(metadata):
    assert Run("r", "completed", metadata=metadata).key is None


# --- groups, events, errors ------------------------------------------------------------------------------


def test_a_group_is_read():
    official, group = TaskGroup.model_validate(body("group")), decoded(body("group"), Group)
    assert group.taskgroup_id == official.task_group_id
    assert group.status.num_task_runs == official.status.num_task_runs == 3
    assert group.status.task_run_status_counts == official.status.task_run_status_counts
    assert group.status.is_active is official.status.is_active is False


def test_the_answer_to_adding_runs_is_read():
    assert decoded(body("added"), Added).run_ids == TaskGroupRunResponse.model_validate(body("added")).run_ids


def test_a_result_is_read():
    result = decoded(body("result"), Event)
    assert result.run.run_id == TaskRunResult.model_validate(body("result")).run.run_id
    assert answer("r", "core", bytes(result.output)).content == {"gdp": "$3.1 trillion (2023)"}


@pytest.mark.parametrize("value", body("events"), ids=lambda value: value["type"])
def test_an_event_of_any_type_is_read(value):
    event = decoded(value, Event)
    assert event.type == value["type"]
    assert event.event_id == value.get("event_id")
    assert (event.run.run_id if event.run else None) == (value.get("run") or {}).get("run_id")
    assert (event.error.message if event.error else None) == (value.get("error") or {}).get("message")
    assert (event.status.num_task_runs if event.status else None) == (value.get("status") or {}).get(
        "num_task_runs"
    )


def test_an_event_has_its_input_and_output_or_none():
    _, full, bare, *_ = (decoded(value, Event) for value in body("events"))
    assert input_of(full) == {"country": "France", "year": 2023}
    assert json.loads(output_of(full))["content"] == {"gdp": "$3.1 trillion (2023)"}
    assert (input_of(bare), output_of(bare)) == (None, None)


@pytest.mark.parametrize("case", body("errors").values(), ids=body("errors"))
def test_an_error_of_any_shape_is_shown_with_its_ref_id(case):
    async def send() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(422, json=case["body"]))
        async with Client("http://127.0.0.1", None, RateLimiter(9, 9), transport=transport) as client:
            await client.group("tgrp_1")

    with pytest.raises(ApiRefused) as raised:
        asyncio.run(send())
    assert all(text in str(raised.value) for text in case["shown"])
    assert raised.value.ref_id == case["ref_id"]


# --- outputs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", body("outputs").values(), ids=body("outputs"))
def test_an_output_of_any_shape_is_read(case):
    found = answer("run", "core", json.dumps(case["output"]).encode())
    assert found.content == case["content"]
    basis = [
        [
            part.field,
            part.reasoning,
            part.confidence,
            [[item.url, item.title, list(item.excerpts)] for item in part.citations],
        ]
        for part in found.basis
    ]
    assert basis == case["basis"]


DOCUMENTED = {name: case for name, case in body("outputs").items() if case.get("documented")}


@pytest.mark.parametrize("case", DOCUMENTED.values(), ids=DOCUMENTED)
def test_the_official_models_read_the_documented_outputs_alike(case):
    model = TaskRunTextOutput if case["output"]["type"] == "text" else TaskRunJsonOutput
    official, found = (
        model.model_validate(case["output"]),
        answer("run", "core", json.dumps(case["output"]).encode()),
    )
    assert found.content == official.content
    for mine, theirs in zip(found.basis, official.basis, strict=True):
        assert (mine.field, mine.reasoning, mine.confidence) == (
            theirs.field,
            theirs.reasoning,
            theirs.confidence or None,
        )
        assert [item.url for item in mine.citations] == [item.url for item in theirs.citations or ()]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"words", b'"\xff"', b"[" * 100_000 + b"]" * 100_000, b'{"content": ' + b"[" * 100_000]
)
def test_bytes_that_are_not_json_are_a_value_error(raw):
    with pytest.raises(ValueError, match="run r: the answer is not JSON"):
        answer("r", "core", raw)


@pytest.mark.parametrize(
    ("raw", "content"),
    [
        (rb'{"content": {"a": "x\ud800y"}}', {"a": "x\ufffdy"}),
        (rb'{"content": {"a": "\udc00\ud83d\ude80"}}', {"a": "\ufffd🚀"}),
        (rb'{"content": {"a": "\\ud800"}}', {"a": "\\ud800"}),
        (rb'{"content": "{\"a\": \"\\ud800\"}"}', {"a": "\ufffd"}),
        (b'{"content": {"a": 1e400}}', {"a": math.inf}),
        (b'{"content": {"a": 123456789012345678901234567890}}', {"a": 123456789012345678901234567890}),
        (b'{"content": {"a": 1, "a": 2}}', {"a": 2}),
    ],
)
def test_values_on_the_edge_of_json_are_read(raw, content):
    assert answer("r", "core", raw).content == content


@given(st.text(st.characters(codec="utf-8")))
def test_replacing_surrogates_keeps_valid_texts(text):
    assert json.loads(replace_lone_surrogates(json.dumps(text).encode())) == text


@given(st.text(st.sampled_from("\\ud8\ud800\udc00x")))
def test_replacing_surrogates_leaves_no_lone_surrogate(text):
    whole = json.loads(replace_lone_surrogates(json.dumps(text).encode()))
    assert whole.encode("utf-8", "strict") is not None
    assert len(whole) == len(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["type", "content", "basis", "_basis", "field", "citations", "url", "excerpts", "confidence", "a"]), inner, max_size=5),
    ),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize("place", ["result", "output"])
@pytest.mark.parametrize("whole", [True, False])
def test_an_output_inside_an_older_run_is_read(place, whole):
    content = {"industry": "Retail"}
    basis = [{"field": "industry", "confidence": 0.9}]
    inside = {"content": content, "basis": basis} if whole else content
    event = wire.read_event(
        json.dumps(
            {"type": "task_run.state", "run": {"run_id": "run_1", "status": "succeeded", place: inside}}
        ).encode()
    )
    found = answer("run_1", "core", wire.output_of(event))
    assert found.content == content
    assert [item.confidence for item in found.basis] == ([0.9] if whole else [])


def test_the_output_of_an_event_comes_before_one_inside_its_run():
    run = {"run_id": "run_1", "status": "completed", "result": {"content": {"a": 1}}}
    event = wire.read_event(json.dumps({"run": run, "output": {"content": {"a": 2}}}).encode())
    assert answer("run_1", "core", wire.output_of(event)).content == {"a": 2}
    for nothing in (None, "", [], 5):
        run = {"run_id": "run_1", "status": "completed", "result": nothing}
        assert wire.output_of(wire.read_event(json.dumps({"run": run}).encode())) is None


@given(JSON)
def test_any_json_is_read_as_an_answer(value):
    assert answer("r", "core", json.dumps(value).replace("Infinity", "1e999").encode()).run_id == "r"


# --- out -------------------------------------------------------------------------------------------------

FULL = {
    "source_policy": {"include_domains": ["wikipedia.org", ".edu"], "after_date": "2025-01-31"},
    "location": "US",
    "data_sources": {"free": ["patents"], "pay_per_use": ["filings"]},
    "memory_scope_key": "team",
    "previous_interaction_id": "trun_1",
    "metadata": {"team": 'rev"ops\\', "é": "\u2028"},
    "mcp_servers": [
        {
            "url": "https://tools.example",
            "name": "crm",
            "headers": {"Authorization": "Bearer x"},
            "allowed_tools": ["find"],
        }
    ],
    "instructions": "Be brief",
}


def strict(model):
    """Return the official model with unknown members forbidden: the API would refuse or ignore them."""
    return type(f"Strict{model.__name__}", (model,), {"model_config": ConfigDict(extra="forbid")})


def sent(make_spec, task, *inputs):
    question_ = question(make_spec(task, prices={"filings": 0.01}), {"company": "string"}, "api")
    tasks = [Task(task_key(question_.fingerprint, canonical(value)), canonical(value)) for value in inputs]
    return json.loads(runs_body(question_, tasks)), tasks


def test_a_minimal_body_has_nothing_extra(make_spec):
    found, (task,) = sent(make_spec, {}, {"company": "Acme"})
    assert found == {
        "default_task_spec": {
            "output_schema": {
                "type": "json",
                "json_schema": {
                    "type": "object",
                    "properties": {"industry": {"type": ["string", "null"]}},
                    "required": ["industry"],
                    "additionalProperties": False,
                },
            },
            "input_schema": {
                "type": "json",
                "json_schema": {
                    "type": "object",
                    "properties": {"company": {"type": "string"}},
                    "required": [],
                    "additionalProperties": False,
                },
            },
        },
        "inputs": [
            {"input": {"company": "Acme"}, "metadata": {"rowcite_key": task.key.hex()}, "processor": "core"}
        ],
    }


def test_a_full_body_has_everything(make_spec):
    found, (task,) = sent(make_spec, FULL, {"company": "Acme"})
    (run,) = found["inputs"]
    assert run == {
        "input": {"company": "Acme"},
        "metadata": {"rowcite_key": task.key.hex(), "team": 'rev"ops\\', "é": "\u2028"},
        "processor": "core",
        "source_policy": {"include_domains": ["wikipedia.org", ".edu"], "after_date": "2025-01-31"},
        "advanced_settings": {
            "location": "us",
            "data_sources": {"free": ["patents"], "pay_per_use": ["filings"]},
        },
        "memory_scope_key": "team",
        "previous_interaction_id": "trun_1",
        "mcp_servers": [
            {
                "url": "https://tools.example",
                "name": "crm",
                "type": "url",
                "headers": {"Authorization": "Bearer x"},
                "allowed_tools": ["find"],
            }
        ],
    }


@pytest.mark.parametrize(
    "task",
    [
        {},
        FULL,
        {"prompt": "Who runs {name}?"},
        {"output": "x"},
        {"output": {"type": "auto"}, "processor": "pro"},
    ],
)
def test_the_official_models_accept_what_is_sent(make_spec, task):
    value = "Who runs Acme?" if "prompt" in task else {"company": "Acme"}
    found, _ = sent(make_spec, task, value)
    TypeAdapter(strict(TaskSpec)).validate_python(found["default_task_spec"])
    for run in found["inputs"]:
        TypeAdapter(strict(RunInput)).validate_python(run)
        for server in run.get("mcp_servers", ()):
            TypeAdapter(strict(McpServer)).validate_python(server)
    schema = found["default_task_spec"]["output_schema"]
    official = {"json": JsonSchema, "text": TextSchema}.get(schema["type"])
    if official is not None:
        TypeAdapter(strict(official)).validate_python(schema)


def test_each_run_has_its_key_and_the_users_metadata(make_spec):
    found, tasks = sent(make_spec, {"metadata": {"team": "revops"}}, {"company": "A"}, {"company": "B"})
    assert [run["metadata"] for run in found["inputs"]] == [
        {"rowcite_key": task.key.hex(), "team": "revops"} for task in tasks
    ]
    assert len({run["metadata"]["rowcite_key"] for run in found["inputs"]}) == 2


@given(
    value=st.one_of(
        st.text(st.characters(codec="utf-8")),
        st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))),
    )
)
def test_any_input_is_sent_unchanged(make_spec, value):
    found, _ = sent(make_spec, {"metadata": {"team": "%b"}}, value)
    assert found["inputs"][0]["input"] == value


def test_an_event_of_an_unknown_type_is_accepted():
    assert wire.read_event(b'{"type":"task_run.news","status":"fine","event_id":5}') == wire.Event(
        "task_run.news"
    )


def test_an_event_of_a_known_type_and_another_shape_is_an_error():
    with pytest.raises(msgspec.DecodeError):
        wire.read_event(b'{"type":"task_group_status","status":"fine"}')


def test_a_lone_surrogate_does_not_hide_an_answer():
    event = wire.read_event(b'{"type":"task_run.state","output":{"content":"\\ud83d"}}')
    assert b"\\ufffd" in bytes(event.output)


@pytest.mark.parametrize("data", [b'{"type":"\xff"}', b"[" * 100_000], ids=["not UTF-8", "nested too deep"])
def test_an_event_that_cannot_be_decoded_is_one_kind_of_error(data):
    with pytest.raises(msgspec.DecodeError):
        wire.read_event(data)
