"""The official Python SDK against the shipped server; its own models read every body, strictly."""

import asyncio
from datetime import date

import parallel
import pytest
from parallel.types import TaskRunEvent, TaskRunEventsResponse

SCHEMA = {
    "type": "object",
    "properties": {"gdp": {"type": "string"}},
    "required": ["gdp"],
    "additionalProperties": False,
}
SPEC = {"output_schema": {"type": "json", "json_schema": SCHEMA}}
STRICT = {"max_retries": 0, "timeout": 10, "_strict_response_validation": True}


@pytest.fixture
def sdk(shared_base):
    with parallel.Parallel(api_key="k", base_url=shared_base, **STRICT) as client:
        yield client


@pytest.fixture
def sdk_of():
    return lambda base, key="k": parallel.Parallel(api_key=key, base_url=base, **STRICT)


def inputs(*texts, **more):
    return [
        {"processor": "core", "input": text, "metadata": {"n": str(n)}, **more}
        for n, text in enumerate(texts)
    ]


def group_of(sdk, *texts):
    group = sdk.task_group.create(metadata={"team": "revops"}).task_group_id
    return group, sdk.task_group.add_runs(group, inputs=inputs(*texts), default_task_spec=SPEC)


def states(events):
    return [event for event in events if isinstance(event, TaskRunEvent)]


# Runs


def test_create_answers_with_a_queued_run(sdk):
    run = sdk.task_run.create(input="France", processor="core", metadata={"k": "v"})
    assert run.run_id.startswith("trun_")
    assert (run.interaction_id, run.status, run.is_active) == (run.run_id, "queued", True)
    assert (run.processor, run.metadata, run.task_group_id) == ("core", {"k": "v"}, None)
    assert run.created_at.endswith("Z")


def test_retrieve_answers_with_the_run(sdk):
    run = sdk.task_run.create(input="France", processor="core")
    sdk.task_run.result(run.run_id)
    shown = sdk.task_run.retrieve(run.run_id)
    assert (shown.run_id, shown.status, shown.is_active) == (run.run_id, "completed", False)


def test_result_of_a_json_schema(sdk):
    run = sdk.task_run.create(input="France", processor="core", task_spec=SPEC)
    result = sdk.task_run.result(run.run_id, api_timeout=5)
    assert result.run.status == "completed"
    assert (result.output.type, result.output.content) == ("json", {"gdp": "France"})
    assert result.output.basis[0].field == "gdp"
    assert result.output.basis[0].citations[0].excerpts == ["words"]


@pytest.mark.parametrize(
    "schema", ["The founding year", {"type": "text", "description": "The year"}, {"type": "text"}]
)
def test_result_of_a_text_schema(sdk, schema):
    run = sdk.task_run.create(input="France", processor="core", task_spec={"output_schema": schema})
    output = sdk.task_run.result(run.run_id).output
    assert (output.type, output.content, output.basis[0].field) == ("text", "answer to France", "output")


@pytest.mark.parametrize("spec", [{"task_spec": {"output_schema": {"type": "auto"}}}, {}])
def test_result_of_an_auto_schema_has_the_schema(sdk, spec):
    run = sdk.task_run.create(input="France", processor="core", **spec)
    output = sdk.task_run.result(run.run_id).output
    assert output.output_schema["properties"] == {"gdp": {"type": "string"}}


def test_input_is_returned_as_it_was_given(sdk):
    given = {
        "input": {"country": "France", "year": 2023},
        "processor": "core",
        "metadata": {"k": "v", "n": 1.5, "b": True},
        "task_spec": SPEC | {"input_schema": {"type": "json", "json_schema": {"type": "object"}}},
        "source_policy": {
            "include_domains": [".gov", "docs.python.org/3"],
            "exclude_domains": ["x.com/Feed"],
            "after_date": date(2025, 1, 31),
        },
        "advanced_settings": {
            "location": "us",
            "data_sources": {"free": ["patents"], "pay_per_use": ["filings"]},
        },
        "memory_scope_key": "team",
        "mcp_servers": [{"type": "url", "url": "https://m.example", "name": "m"}],
        "enable_events": True,
    }
    run = sdk.task_run.create(**given)
    shown = sdk.task_run.retrieve_input(run.run_id).to_dict(exclude_unset=True)
    shown["mcp_servers"][0].setdefault("type", "url")
    assert shown == given


def older_events(sdk, run_id, stream):
    """Return the events of a run by the path under v1beta, read by the SDK."""
    path = f"/v1beta/tasks/runs/{run_id}/events"
    options = {"headers": {"Accept": "text/event-stream"}}
    return sdk.get(
        path,
        cast_to=TaskRunEventsResponse,
        options=options,
        stream=True,
        stream_cls=stream[TaskRunEventsResponse],
    )


def check_run_events(events, run_id):
    """Assert that events begin with the run's state, show its progress, and end with its output."""
    assert [event.type for event in events if event.type == "task_run.state"] == ["task_run.state"] * 2
    assert (events[0].type, events[-1].type) == ("task_run.state", "task_run.state")
    assert {event.run.run_id for event in states(events)} == {run_id}
    assert "task_run.progress_stats" in {event.type for event in events[1:-1]}
    assert events[-1].run.status == "completed"
    assert events[-1].output.content == {"gdp": "France"}


@pytest.mark.parametrize("processor", ["core", "pro"])
def test_run_events_begin_with_the_state_and_end_with_the_output(sdk, processor):
    run = sdk.task_run.create(input="France", processor=processor)
    check_run_events(list(sdk.task_run.events(run.run_id)), run.run_id)
    check_run_events(list(older_events(sdk, run.run_id, parallel.Stream)), run.run_id)


def test_run_events_of_a_premium_run_have_messages(sdk):
    run = sdk.task_run.create(input="France", processor="pro")
    assert "task_run.progress_msg.result" in {event.type for event in sdk.task_run.events(run.run_id)}


def test_run_events_begin_at_once_with_the_state_of_an_active_run(started, sdk_of, held):
    with sdk_of(started(held)) as sdk:
        run = sdk.task_run.create(input="France", processor="core", task_spec=SPEC)
        with sdk.task_run.events(run.run_id) as events:
            first = next(iter(events))
            held.go.set()
            *_, last = events
    assert (first.type, first.run.is_active, first.output) == ("task_run.state", True, None)
    assert (last.run.status, last.output.content) == ("completed", {"gdp": "France"})


def test_run_events_of_a_failed_run_end_without_an_output(sdk):
    run = sdk.task_run.create(input="boom", processor="core")
    *_, last = sdk.task_run.events(run.run_id)
    assert (last.run.status, last.output) == ("failed", None)
    assert last.run.error.ref_id


def test_execute_is_create_and_result(sdk):
    assert (
        sdk.task_run.execute(input="France", processor="core", output="The GDP").output.content
        == "answer to France"
    )


def test_warnings_reach_the_sdk(sdk):
    schema = {"type": "object", "properties": {"gdp": {"type": "string"}, "sources": {"type": "string"}}}
    spec = {"output_schema": {"type": "json", "json_schema": schema}}
    run = sdk.task_run.create(input="France", processor="core", task_spec=spec)
    assert [warning.type for warning in run.warnings] == ["spec_validation_warning"]


def test_a_failed_run_has_its_reason(sdk):
    run = sdk.task_run.create(input="boom", processor="core")
    with pytest.raises(parallel.NotFoundError):
        sdk.task_run.result(run.run_id)
    assert sdk.task_run.retrieve(run.run_id).error.ref_id


# Groups


def test_a_group_has_metadata_and_a_status(sdk):
    group = sdk.task_group.create(metadata={"team": "revops"})
    assert group.task_group_id.startswith("tgrp_")
    shown = sdk.task_group.retrieve(group.task_group_id)
    assert shown.metadata == {"team": "revops"}
    assert (shown.status.num_task_runs, shown.status.is_active) == (0, False)


def test_add_runs_answers_with_ids_in_the_order_of_inputs(sdk):
    group, added = group_of(sdk, "a", "b", "c")
    assert added.status.num_task_runs == 3
    shown = [sdk.task_group.retrieve_run(run_id, task_group_id=group) for run_id in added.run_ids]
    assert [run.metadata for run in shown] == [{"n": "0"}, {"n": "1"}, {"n": "2"}]
    assert {run.task_group_id for run in shown} == {group}


def test_add_runs_takes_refresh_status_and_betas(sdk):
    group = sdk.task_group.create().task_group_id
    added = sdk.task_group.add_runs(
        group, inputs=inputs("a"), refresh_status=False, betas=["events-sse-2025-07-24"]
    )
    assert len(added.run_ids) == 1


def test_get_runs_streams_inputs_and_outputs(sdk):
    group, added = group_of(sdk, "a", "b")
    list(sdk.task_group.events(group))
    runs = list(sdk.task_group.get_runs(group, include_input=True, include_output=True))
    assert [event.run.run_id for event in runs] == added.run_ids
    assert [event.input.input for event in runs] == ["a", "b"]
    assert [event.output.content for event in runs] == [{"gdp": "a"}, {"gdp": "b"}]


def test_a_run_of_a_group_can_have_its_own_spec(sdk):
    group = sdk.task_group.create().task_group_id
    own = inputs("a", task_spec={"output_schema": "The year"})
    sdk.task_group.add_runs(group, inputs=[*own, *inputs("b")], default_task_spec=SPEC)
    list(sdk.task_group.events(group))
    outputs = [event.output.type for event in sdk.task_group.get_runs(group, include_output=True)]
    assert outputs == ["text", "json"]


def test_get_runs_filters_by_status(sdk):
    group, added = group_of(sdk, "a", "boom")
    list(sdk.task_group.events(group))
    (failed,) = sdk.task_group.get_runs(group, status="failed")
    assert failed.run.run_id == added.run_ids[1]


def test_get_runs_resumes_after_every_event_without_loss_or_repeat(sdk):
    group, added = group_of(sdk, *"abcde")
    for seen, event in enumerate(list(sdk.task_group.get_runs(group)), 1):
        rest = sdk.task_group.get_runs(group, last_event_id=event.event_id)
        assert [one.run.run_id for one in rest] == added.run_ids[seen:]


def test_events_show_every_ending_and_then_end(sdk):
    group, added = group_of(sdk, *"abcde")
    events = list(sdk.task_group.events(group))
    assert sorted(event.run.run_id for event in states(events)) == sorted(added.run_ids)
    assert events[0].type == events[-1].type == "task_group_status"
    assert events[-1].status.task_run_status_counts == {"completed": 5}


def test_events_resume_after_every_event_without_loss_or_repeat(sdk):
    group, _ = group_of(sdk, *"abcde")
    events = list(sdk.task_group.events(group))
    for seen, event in enumerate(events, 1):
        rest = list(sdk.task_group.events(group, last_event_id=event.event_id))
        assert [one.event_id for one in rest[1:]] == [one.event_id for one in events[seen:]]


def test_the_cursors_of_add_runs_are_before_its_runs(sdk):
    group, first = group_of(sdk, "a", "b")
    list(sdk.task_group.events(group, last_event_id=first.event_cursor))
    second = sdk.task_group.add_runs(group, inputs=inputs("c"), default_task_spec=SPEC)
    events = states(sdk.task_group.events(group, last_event_id=second.event_cursor))
    runs = sdk.task_group.get_runs(group, last_event_id=second.run_cursor)
    assert [event.run.run_id for event in events] == [event.run.run_id for event in runs] == second.run_ids


def test_events_with_a_timeout_end_though_runs_are_active(started, sdk_of, held):
    with sdk_of(started(held)) as sdk:
        group, _ = group_of(sdk, "a")
        events = list(sdk.task_group.events(group, api_timeout=0.05))
    assert events[-1].status.is_active


# Search


def test_search_answers_with_results(sdk):
    found = sdk.search(search_queries=["france gdp"], objective="the gdp")
    assert (found.results[0].url, found.results[0].excerpts) == ("https://a.example/", ["words"])
    assert found.search_id
    assert found.session_id


# Contexts and betas


def test_an_earlier_interaction_can_be_named(sdk):
    first = sdk.task_run.create(input="France", processor="core")
    sdk.task_run.result(first.run_id)
    second = sdk.task_run.create(
        input="And then?", processor="core", previous_interaction_id=first.interaction_id
    )
    assert sdk.task_run.result(second.run_id).output.content == {"gdp": "And then?\nFrance"}


def test_betas_are_accepted_with_a_run_and_its_result(sdk):
    betas = ["mcp-server-2025-07-17", "webhook-2025-08-12", "field-basis-2025-11-25"]
    run = sdk.task_run.create(input="France", processor="core", betas=betas)
    assert sdk.task_run.result(run.run_id, betas=betas).output.basis[0].field == "gdp"


def test_a_webhook_is_accepted(sdk):
    hook = {"url": "http://127.0.0.1:9/", "event_types": ["task_run.status"]}
    run = sdk.task_run.create(input="France", processor="core", webhook=hook)
    assert sdk.task_run.retrieve_input(run.run_id).webhook.url == hook["url"]


def test_tool_calls_reach_the_sdk(sdk):
    server = {"type": "url", "url": "http://127.0.0.1:9/mcp", "name": "gone"}
    run = sdk.task_run.create(input="France", processor="core", mcp_servers=[server])
    (call,) = sdk.task_run.result(run.run_id).output.mcp_tool_calls
    assert (call.server_name, call.tool_name) == ("gone", "tools/list")
    assert call.error


# Errors


def test_401_without_the_right_key(started, sdk_of):
    with sdk_of(started(key="right"), "wrong") as sdk, pytest.raises(parallel.AuthenticationError) as caught:
        sdk.task_run.retrieve("trun_0")
    assert caught.value.body["error"]["ref_id"]


def test_402_when_credit_is_used(started, sdk_of):
    with sdk_of(started(credit=0.0)) as sdk, pytest.raises(parallel.APIStatusError) as caught:
        sdk.task_run.create(input="France", processor="core")
    assert caught.value.status_code == 402


def test_403_for_an_unknown_processor(sdk):
    with pytest.raises(parallel.PermissionDeniedError):
        sdk.task_run.create(input="France", processor="hyper")


@pytest.mark.parametrize("call", ["retrieve", "result", "retrieve_input", "events"])
def test_404_for_an_unknown_run(sdk, call):
    with pytest.raises(parallel.NotFoundError):
        getattr(sdk.task_run, call)("trun_0")


@pytest.mark.parametrize("call", ["retrieve", "get_runs", "events"])
def test_404_for_an_unknown_group(sdk, call):
    with pytest.raises(parallel.NotFoundError):
        getattr(sdk.task_group, call)("tgrp_0")


def test_404_for_a_run_of_another_group(sdk):
    _, added = group_of(sdk, "a")
    other = sdk.task_group.create().task_group_id
    with pytest.raises(parallel.NotFoundError):
        sdk.task_group.retrieve_run(added.run_ids[0], task_group_id=other)


def test_408_while_the_run_is_active(started, sdk_of, held):
    with sdk_of(started(held)) as sdk:
        run = sdk.task_run.create(input="France", processor="core")
        with pytest.raises(parallel.APIStatusError) as caught:
            sdk.task_run.result(run.run_id, api_timeout=0)
    assert caught.value.status_code == 408


def test_422_for_a_run_beyond_the_limits(sdk):
    with pytest.raises(parallel.UnprocessableEntityError) as caught:
        sdk.task_run.create(input="France", processor="core", metadata={"k" * 17: "v"})
    assert caught.value.body["error"]["detail"]["errors"]


def test_422_of_a_group_names_the_place(sdk):
    group = sdk.task_group.create().task_group_id
    with pytest.raises(parallel.UnprocessableEntityError) as caught:
        sdk.task_group.add_runs(group, inputs=inputs("a", metadata={"k" * 17: "v"}))
    (error,) = caught.value.body["detail"]
    assert error.keys() == {"loc", "msg", "type"}
    assert error["loc"][:3] == ["body", "inputs", 0]


def test_422_for_a_search_without_queries(sdk):
    with pytest.raises(parallel.UnprocessableEntityError):
        sdk.search(search_queries=[])


def test_429_over_the_rate_limit(started, sdk_of):
    with sdk_of(started(rate_limit=1)) as sdk:
        sdk.task_run.create(input="France", processor="core")
        with pytest.raises(parallel.RateLimitError) as caught:
            sdk.task_run.create(input="France", processor="core")
    assert int(caught.value.response.headers["retry-after"]) > 0


# The asynchronous client


def test_the_async_client_goes_through_a_group(shared_base):
    async def go():
        async with parallel.AsyncParallel(api_key="k", base_url=shared_base, **STRICT) as sdk:
            group = (await sdk.task_group.create()).task_group_id
            added = await sdk.task_group.add_runs(group, inputs=inputs("a", "b"), default_task_spec=SPEC)
            events = [event async for event in await sdk.task_group.events(group)]
            runs = [event async for event in await sdk.task_group.get_runs(group, include_output=True)]
            return added.run_ids, events, runs

    run_ids, events, runs = asyncio.run(go())
    assert {event.run.run_id for event in states(events)} == set(run_ids)
    assert [event.output.content for event in runs] == [{"gdp": "a"}, {"gdp": "b"}]


def test_the_async_client_goes_through_a_run(shared_base):
    async def go():
        async with parallel.AsyncParallel(api_key="k", base_url=shared_base, **STRICT) as sdk:
            run = await sdk.task_run.create(input="France", processor="core", task_spec=SPEC)
            result = await sdk.task_run.result(run.run_id)
            return result, await sdk.task_run.retrieve_input(run.run_id)

    result, shown = asyncio.run(go())
    assert result.output.content == {"gdp": "France"}
    assert shown.input == "France"


def test_the_async_client_reads_run_events(shared_base):
    async def go():
        async with parallel.AsyncParallel(api_key="k", base_url=shared_base, **STRICT) as sdk:
            run = await sdk.task_run.create(input="France", processor="core", task_spec=SPEC)
            newer = [event async for event in await sdk.task_run.events(run.run_id)]
            older = [event async for event in await older_events(sdk, run.run_id, parallel.AsyncStream)]
            return run.run_id, newer, older

    run_id, newer, older = asyncio.run(go())
    check_run_events(newer, run_id)
    check_run_events(older, run_id)


def test_the_async_client_searches(shared_base):
    async def go():
        async with parallel.AsyncParallel(api_key="k", base_url=shared_base, **STRICT) as sdk:
            return await sdk.search(search_queries=["france gdp"])

    assert asyncio.run(go()).results[0].excerpts == ["words"]
