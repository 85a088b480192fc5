"""What the server refuses and what it warns about. Schemas: tests/local/conformance/test_schema_limits.py."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.api.facts import RUNS_PER_REQUEST
from rowcite.local.server.http_errors import HttpError, InvalidRequest, decoded
from rowcite.local.server.schema_match import mismatches
from rowcite.local.server.shapes import AddRunsRequest, McpServer, RunInput
from rowcite.local.server.validation import RequestContext, accept_run, accept_runs

TEXT = {"output_schema": "The founding year"}


def run(**more):
    return msgspec.convert({"processor": "core", "input": "Acme"} | more, RunInput)


def spec(schema, **more):
    return msgspec.Raw(msgspec.json.encode({"output_schema": {"type": "json", "json_schema": schema}} | more))


def fields(count, **kind):
    return {"type": "object", "properties": {f"f{n}": kind or {"type": "string"} for n in range(count)}}


def errors_of(request):
    with pytest.raises(InvalidRequest) as caught:
        accept_run(request)
    return caught.value.errors


def test_a_bare_string_is_a_text_schema():
    accepted = accept_run(run(task_spec=msgspec.Raw(b'{"output_schema":"The founding year"}')))
    assert accepted.spec.output == {"type": "text", "description": "The founding year"}


def test_a_text_schema_without_a_description_is_a_report():
    accepted = accept_run(run(task_spec=msgspec.Raw(b'{"output_schema":{"type":"text"}}')))
    assert accepted.spec.output == {"type": "text", "description": None}


def test_no_task_spec_is_auto():
    assert accept_run(run()).spec.output == {"type": "auto"}


@pytest.mark.parametrize(
    "raw", [b'"x"', b"[]", b"{}", b'{"output_schema":{"type":"yaml"}}', b'{"output_schema":7}']
)
def test_a_task_spec_of_another_shape_is_refused(raw):
    assert errors_of(run(task_spec=msgspec.Raw(raw)))[0].loc[:2] == ("body", "task_spec")


@pytest.mark.parametrize(
    ("metadata", "fine"),
    [
        ({"k" * 16: "v" * 512}, True),
        ({"k" * 17: "v"}, False),
        ({"k": "v" * 513}, False),
        ({"k": 1, "b": True}, True),
    ],
)
def test_metadata_keys_have_16_characters_and_values_512(metadata, fine):
    if fine:
        accept_run(run(metadata=metadata))
    else:
        assert errors_of(run(metadata=metadata))[0].loc[:2] == ("body", "metadata")


def test_a_task_spec_has_at_most_15000_characters():
    schema = {"type": "object", "properties": {"a": {"type": "string", "description": "é" * 14_800}}}
    accept_run(run(task_spec=spec(schema)))
    schema["properties"]["a"]["description"] += "x" * 200
    assert "15,000" in errors_of(run(task_spec=spec(schema)))[0].msg


def test_task_spec_and_input_have_at_most_25000_characters():
    accept_run(run(input="é" * 25_000))
    assert "25,000" in errors_of(run(input="é" * 25_001))[0].msg


def test_both_lists_together_have_at_most_200_domains():
    domains = [f"d{n}.example" for n in range(100)]
    policy = {"include_domains": domains, "exclude_domains": domains}
    accept_run(run(source_policy=policy))
    assert "200" in errors_of(run(source_policy=policy | {"include_domains": [*domains, ".gov"]}))[0].msg


@pytest.mark.parametrize(
    "domain", ["https://a.example", "", "a b", "a.example:80", ".gov/path", "a.example/path?x"]
)
def test_a_domain_has_no_scheme_port_or_query(domain):
    (error,) = errors_of(run(source_policy={"include_domains": ["ok.example", domain]}))
    assert error.loc == ("body", "source_policy", "include_domains", 1)


def test_a_run_has_at_most_10_mcp_servers():
    servers = [{"url": "https://a.example", "name": f"s{n}"} for n in range(11)]
    accept_run(run(mcp_servers=servers[:10]))
    assert errors_of(run(mcp_servers=servers))[0].loc == ("body", "mcp_servers")


def test_nullable_fields_and_a_property_named_like_a_keyword_draw_no_warning():
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    schema = {"type": "object", "properties": {"format": nullable, "pattern": {"type": ["string", "null"]}}}
    assert not accept_run(run(task_spec=spec(schema))).warnings


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf", "not", "if", "patternProperties"])
def test_an_input_schema_has_no_combining_keywords(keyword):
    given_schema = {"type": "json", "json_schema": {"type": "object", keyword: {}}}
    raw = msgspec.Raw(msgspec.json.encode(TEXT | {"input_schema": given_schema}))
    assert errors_of(run(task_spec=raw))[0].loc[-1] == keyword


def test_an_unknown_processor_is_forbidden():
    with pytest.raises(HttpError) as caught:
        accept_run(run(processor="hyper"))
    assert caught.value.status == 403


def test_fields_that_the_basis_has_draw_a_warning():
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "sources": {"type": "string"}}}
    (warning,) = accept_run(run(task_spec=spec(schema))).warnings
    assert (warning.type, warning.detail) == ("spec_validation_warning", {"field": "sources"})


@pytest.mark.parametrize(("processor", "warned"), [("lite", True), ("lite-fast", True), ("base", False)])
def test_more_fields_than_the_processor_fills_draw_a_warning(processor, warned):
    accepted = accept_run(run(processor=processor, task_spec=spec(fields(3))))
    assert bool(accepted.warnings) is warned


@pytest.mark.parametrize("given_input", [{"name": 7}, {}, '{"name": null}', "just words"])
def test_an_input_that_does_not_match_its_schema_draws_a_warning(given_input):
    wanted = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    raw = spec(fields(1), input_schema={"type": "json", "json_schema": wanted})
    (warning,) = accept_run(run(input=given_input, task_spec=raw)).warnings
    assert warning.type == "input_validation_warning"
    assert not accept_run(run(input={"name": "Acme"}, task_spec=raw)).warnings


KEYWORDS = st.sampled_from(
    [
        "type",
        "properties",
        "items",
        "anyOf",
        "enum",
        "required",
        "additionalProperties",
        "$defs",
        "object",
        "null",
        "a",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYWORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4),
    max_leaves=20,
)


@given(JSON, JSON, JSON)
def test_any_request_is_accepted_or_refused_without_another_error(properties, given_schema, given_input):
    output = {"type": "object", "properties": properties}
    wanted = {"type": "json", "json_schema": given_schema}
    body = msgspec.json.encode({"processor": "core", "input": given_input, "task_spec": {}})
    task_spec = {"output_schema": {"type": "json", "json_schema": output}, "input_schema": wanted}
    try:
        request = decoded(body, RunInput)
        request.task_spec = msgspec.Raw(msgspec.json.encode(task_spec))
        accept_run(request)
    except InvalidRequest:
        return


@pytest.mark.parametrize(
    "raw",
    [
        b'{"output_schema":{"type":"json","json_schema":{"type":"object","properties":{"a":%b1%b}}}}'
        % (b'{"items":' * 900, b"}" * 900),
        b'{"output_schema":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_deeply_nested_schema_is_refused(raw):
    with pytest.raises(InvalidRequest):
        accept_run(decoded(b'{"processor":"core","input":"a","task_spec":%b}' % raw, RunInput))


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)
)
def test_every_value_matches_the_empty_schema(value):
    assert not list(mismatches(value, {}))


def test_each_mismatch_is_reported_with_its_path():
    wanted = {
        "type": "object",
        "properties": {"size": {"enum": ["S", "L"]}, "tags": {"type": "array", "items": {"type": "integer"}}},
        "additionalProperties": False,
    }
    assert list(mismatches({"size": "M", "tags": [1, 2.0, "x"], "new": 1}, wanted)) == [
        "input.size is not one of the enum's values",
        "input.tags[2] is not of type integer",
        "input.new is not in the input schema",
    ]


def test_a_run_uses_its_own_spec_or_the_default_of_the_batch():
    inputs = [{"processor": "core", "input": "a"}, {"processor": "core", "input": "b", "task_spec": TEXT}]
    default = {"output_schema": {"type": "text"}}
    body = msgspec.json.encode({"inputs": inputs, "default_task_spec": default})
    accepted = accept_runs(decoded(body, AddRunsRequest))
    assert [one.spec.output["description"] for one in accepted] == [None, "The founding year"]


def test_a_batch_reports_every_error_with_its_run():
    inputs = [{"processor": "core", "input": "a", "metadata": {"k" * 17: "v"}} for _ in range(3)]
    with pytest.raises(InvalidRequest) as caught:
        accept_runs(decoded(msgspec.json.encode({"inputs": inputs}), AddRunsRequest))
    assert [error.loc[:3] for error in caught.value.errors] == [("body", "inputs", n) for n in range(3)]


@pytest.mark.parametrize("count", [0, RUNS_PER_REQUEST + 1])
def test_a_batch_has_1_to_1000_runs(count):
    body = AddRunsRequest([RunInput("core", "a")] * count)
    with pytest.raises(InvalidRequest):
        accept_runs(body)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        (b"{", ("body",)),
        (b"\xff", ("body",)),
        (
            b'{"inputs":[{"processor":"core","input":"a"},{"processor":7,"input":"a"}]}',
            ("body", "inputs", 1, "processor"),
        ),
        (b'{"inputs":[{"processor":"core"}]}', ("body", "inputs", 0)),
    ],
)
def test_a_body_of_another_shape_is_refused_with_its_path(body, loc):
    with pytest.raises(InvalidRequest) as caught:
        decoded(body, AddRunsRequest)
    assert caught.value.errors[0].loc == loc


def test_a_server_without_mcp_warns_about_it():
    request = run(mcp_servers=[McpServer("https://m.example/mcp", "m")])
    assert not accept_run(request).warnings
    (warning,) = accept_run(request, RequestContext(tools_available=False)).warnings
    assert "pip install '.[mcp]'" in warning.message


# --- data sources, dates, memory ---------------------------------------------------------------------------

PATENTS = {"data_sources": {"free": ["patents"]}}
CRM = [{"url": "https://a.example", "name": "patents"}]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"processor": "core-fast"}, "standard processors"),
        ({"mcp_servers": CRM}, "MCP server"),
        ({"advanced_settings": {"data_sources": {"free": ["a"], "pay_per_use": ["a"]}}}, "listed twice"),
    ],
)
def test_data_sources_are_refused_as_the_api_does(more, message):
    (error,) = errors_of(run(**{"advanced_settings": PATENTS, **more}))
    assert error.loc == ("body", "advanced_settings", "data_sources")
    assert message in error.msg


def test_the_after_date_of_a_task_is_a_day():
    accept_run(run(source_policy={"after_date": "2025-01-31"}))
    (error,) = errors_of(run(source_policy={"after_date": "31.1.2025"}))
    assert error.loc == ("body", "source_policy", "after_date")


def test_what_this_server_does_not_use_draws_a_warning():
    accepted = accept_run(run(advanced_settings=PATENTS, memory_scope_key="team"))
    texts = [warning.message for warning in accepted.warnings]
    assert texts == [
        "This server has no data sources: patents is not used.",
        "This server keeps no memory: memory_scope_key is not used.",
    ]
