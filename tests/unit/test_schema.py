"""The fields of a spec as JSON schema and as column types, and the API's limits, checked before anything is spent."""

import json
from pathlib import Path

import pytest

from rowcite.errors import SpecError
from rowcite.pipeline.spec_checks import spec_warnings
from rowcite.pipeline.spec_file import load_spec
from rowcite.spec.fields import Field, FieldType, fields, input_schema, output_schema

BIG = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def own(**properties):
    """Return an output given as a JSON schema."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"output": {"json_schema": schema}}


def field_schema(make_spec, field):
    """Return the JSON schema of one field."""
    return output_schema(make_spec({"outputs": {"a": field}}))["json_schema"]["properties"]["a"]


# --- schemas ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        ("string", {"type": ["string", "null"]}),
        ({"type": "integer", "description": "Heads"}, {"type": ["integer", "null"], "description": "Heads"}),
        ("number", {"type": ["number", "null"]}),
        ("boolean", {"type": ["boolean", "null"]}),
        ("date", {"type": ["string", "null"], "description": "(a date, YYYY-MM-DD)"}),
        ({"type": "date", "description": "Founded"}, {"type": ["string", "null"], "description": "Founded (a date, YYYY-MM-DD)"}),
        ({"enum": ["A", "B"]}, {"type": ["string", "null"], "enum": ["A", "B", None]}),
        ("array", {"type": ["array", "null"], "items": {"type": "string"}}),
        ({"type": "array", "items": "integer"}, {"type": ["array", "null"], "items": {"type": "integer"}}),
        ({"type": "array", "items": {"enum": ["A"]}}, {"type": ["array", "null"], "items": {"type": "string", "enum": ["A"]}}),
        (
            {"type": "object", "description": "Who", "properties": {"name": "string", "born": "date"}},
            {
                "type": ["object", "null"],
                "description": "Who",
                "properties": {"name": {"type": ["string", "null"]}, "born": {"type": ["string", "null"], "description": "(a date, YYYY-MM-DD)"}},
                "required": ["name", "born"],
                "additionalProperties": False,
            },
        ),
    ],
)  # fmt: skip
def test_every_kind_of_field_may_be_null(make_spec, field, schema):
    assert field_schema(make_spec, field) == schema


def test_every_field_is_required_and_no_other_allowed(make_spec):
    schema = output_schema(make_spec({"outputs": {"b": "string", "a": "integer"}}))
    assert schema["type"] == "json"
    assert schema["json_schema"]["required"] == ["b", "a"]
    assert schema["json_schema"]["additionalProperties"] is False
    assert list(schema["json_schema"]["properties"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("task", "schema"),
    [
        ({"output": "The year"}, {"type": "text", "description": "The year"}),
        (
            {"output": "The year", "instructions": "Be brief"},
            {"type": "text", "description": "The year\n\nBe brief"},
        ),
        ({"output": {"type": "text"}}, {"type": "text"}),
        (
            {"output": {"type": "text"}, "instructions": "Be brief"},
            {"type": "text", "description": "A markdown report. Be brief"},
        ),
        ({"output": {"type": "auto"}}, {"type": "auto"}),
        ({"output": {"json_schema": BIG}}, {"type": "json", "json_schema": BIG}),
        (
            {"output": {"json_schema": BIG}, "instructions": "Be brief"},
            {"type": "json", "json_schema": {**BIG, "description": "Be brief"}},
        ),
        (
            {"output": {"json_schema": {**BIG, "description": "Facts"}}, "instructions": "Be brief"},
            {"type": "json", "json_schema": {**BIG, "description": "Facts\n\nBe brief"}},
        ),
    ],
)
def test_an_output_that_is_not_made_of_fields(make_spec, task, schema):
    assert output_schema(make_spec(task)) == schema


def test_instructions_become_the_description(make_spec):
    assert output_schema(make_spec({"instructions": "Be brief"}))["json_schema"]["description"] == "Be brief"


def test_the_input_schema_has_types_descriptions_and_what_is_required(make_spec):
    inputs = {"a": {"column": "x", "description": "First", "required": True}, "b": {"column": "y"}}
    assert input_schema(make_spec({"inputs": inputs}), {"a": "string", "b": "integer"}) == {
        "type": "json",
        "json_schema": {
            "type": "object",
            "properties": {"a": {"type": "string", "description": "First"}, "b": {"type": "integer"}},
            "required": ["a"],
            "additionalProperties": False,
        },
    }


def test_a_prompt_has_no_input_schema(make_spec):
    assert input_schema(make_spec({"prompt": "x"}), {}) is None


# --- columns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("integer", FieldType("integer")),
        ({"enum": ["A", "B"]}, FieldType("string", choices=("A", "B"))),
        ("array", FieldType("array", items=FieldType("string"))),
        ({"type": "array", "items": "date"}, FieldType("array", items=FieldType("date"))),
        (
            {"type": "object", "properties": {"b": "number"}},
            FieldType("object", properties=(("b", FieldType("number")),)),
        ),
    ],
)
def test_a_field_has_its_type(make_spec, field, kind):
    assert fields(make_spec({"outputs": {"a": field}})) == (Field("a", kind, "a"),)


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, FieldType("string")),
        ({"type": ["integer", "null"]}, FieldType("integer")),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, FieldType("number")),
        ({"type": ["string", "null"], "enum": ["A", None]}, FieldType("string", choices=("A",))),
        ({"type": "array", "items": {"type": "boolean"}}, FieldType("array", items=FieldType("boolean"))),
        ({"type": "object", "properties": {"b": {"type": "string"}}}, FieldType("object", properties=(("b", FieldType("string")),))),
        ({"type": "array"}, FieldType("json")),
        ({"type": "array", "items": True}, FieldType("json")),
        ({"type": "object"}, FieldType("json")),
        ({"type": ["string", "integer"]}, FieldType("json")),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, FieldType("json")),
        ({"$ref": "#/$defs/x"}, FieldType("json")),
        ({}, FieldType("json")),
    ],
)  # fmt: skip
def test_a_property_of_an_own_schema_has_its_type_or_is_json_text(make_spec, schema, kind):
    assert fields(make_spec(own(a=schema))) == (Field("a", kind, "a"),)


@pytest.mark.parametrize(
    ("output", "kind"), [("x", "string"), ({"type": "text"}, "string"), ({"type": "auto"}, "json")]
)
def test_any_other_output_is_one_answer_column(make_spec, output, kind):
    assert fields(make_spec({"output": output})) == (Field("answer", FieldType(kind), "output"),)


# --- limits ----------------------------------------------------------------------------------------------


def nested(levels: int):
    """Return a field with a number of levels."""
    return "string" if levels == 0 else {"type": "object", "properties": {"a": nested(levels - 1)}}


def names(count: int):
    return {f"f{number}": "string" for number in range(count)}


def server(number: int):
    return {"url": "https://tools.example", "name": f"s{number}"}


def choices(count: int, chars: int = 4):
    return {"a": {"enum": [f"{number:0{chars}}" for number in range(count)]}}


@pytest.mark.parametrize(
    ("inside", "over", "place", "message"),
    [
        ({"outputs": {"a": nested(4)}}, {"outputs": {"a": nested(5)}}, "outputs", "nested 6 levels deep; the API accepts at most 5"),
        ({"outputs": names(100)}, {"outputs": names(101)}, "outputs", "101 properties; the API accepts at most 100"),
        ({"outputs": choices(499)}, {"outputs": choices(500)}, "outputs", "501 enum values in all, null among them; the API accepts at most 500"),
        ({"outputs": choices(250, 30)}, {"outputs": choices(251, 30)}, "outputs", "an enum of more than 250 values has 7,530 characters; the API accepts at most 7,500"),
        ({"outputs": choices(249, 40)}, {"outputs": choices(250, 40)}, "outputs", "an enum of more than 250 values has 10,"),
        ({"instructions": "x" * 14_500}, {"instructions": "x" * 15_000}, "outputs", "characters; the API accepts at most 15,000"),
        (
            {"inputs": {"a": {"column": "x", "description": "x" * 14_500}}},
            {"inputs": {"a": {"column": "x", "description": "x" * 15_000}}},
            "outputs",
            "characters; the API accepts at most 15,000",
        ),
        (
            {"source_policy": {"include_domains": [f"a{n}.com" for n in range(100)], "exclude_domains": [f"b{n}.com" for n in range(100)]}},
            {"source_policy": {"include_domains": [f"a{n}.com" for n in range(100)], "exclude_domains": [f"b{n}.com" for n in range(101)]}},
            "source_policy",
            "more than 200 domains in both lists together",
        ),
        ({"mcp_servers": [server(n) for n in range(10)]}, {"mcp_servers": [server(n) for n in range(11)]}, "mcp_servers", "more than 10 MCP servers"),
        ({"metadata": {"k" * 16: "v" * 512}}, {"metadata": {"k" * 17: "v"}}, "k" * 17, "metadata keys have at most 16 characters, not 17"),
        ({"metadata": {"k": "v" * 512}}, {"metadata": {"k": "v" * 513}}, "k", "metadata values have at most 512 characters, not 513"),
        ({"metadata": {"key": "v"}}, {"metadata": {"rowcite_key": "v"}}, "rowcite_key", "`rowcite_key` is reserved for rowcite: choose another name"),
        (own(a={"type": "string"}), own(a={"type": "string", "pattern": "x"}), "output", "the API does not support `pattern` in an output schema"),
        (own(pattern={"type": "string"}), own(a={"type": "array", "items": {"type": "string", "minLength": 1}}), "output", "does not support `minLength` in an output schema"),
        (own(a={"type": ["string", "null"]}), own(a={"type": "array", "items": {"type": "null"}}), "output", "a field that is only `null` can hold nothing"),
        (own(a={"type": "string"}), {"output": {"json_schema": {**BIG, "anyOf": [{}]}}}, "output", "the root of the JSON schema cannot have `anyOf`"),
        (own(a={"type": "string"}), {"output": {"json_schema": {"type": "array"}}}, "output", "the root of the JSON schema must be an object with `properties`"),
        (own(a={"type": "string"}), {"output": {"json_schema": {"type": "object", "properties": {}}}}, "output", "must be an object with `properties`"),
        ({"outputs": {"a": "string"}}, {"outputs": {"a": "string", "a_confidence": "string"}}, "outputs", "two output columns would be called `a_confidence`"),
        ({"outputs": {"a": "string"}}, {"outputs": {"rowcite_status": "string"}}, "outputs", "two output columns would be called `rowcite_status`"),
        ({"outputs": {"a": "string"}}, {"outputs": {" ": "string"}}, "outputs", "a field has no name"),
        ({"output": {"type": "auto"}}, {"output": {"type": "auto"}, "instructions": "x"}, "instructions", "an auto output has no schema to carry instructions"),
        ({"processor": "core-fast"}, {"processor": "coer"}, "processor", "no price is known for `coer`"),
    ],
)  # fmt: skip
def test_exceeding_a_limit_is_an_error_at_its_position(make_spec, tmp_path, inside, over, place, message):
    make_spec(inside)
    task = {
        "processor": "core",
        "inputs": {"company": {"column": "name"}},
        "outputs": {"industry": "string"},
        **over,
    }
    if "output" in task:
        task.pop("outputs")
    file = tmp_path / "s.yaml"
    file.write_text(json.dumps({"name": "t", "task": task}, indent=1), encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        load_spec(file)
    (problem,) = raised.value.problems
    assert message in problem.message
    assert json.dumps(place) in file.read_text().split("\n")[problem.line - 1]


UNSUPPORTED = (
    "contains format maxContains maxItems maxLength maxProperties maximum minContains minItems minLength minimum minProperties "
    "multipleOf pattern patternProperties propertyNames uniqueItems unevaluatedItems unevaluatedProperties"
)


@pytest.mark.parametrize("word", UNSUPPORTED.split())
def test_a_keyword_that_the_api_does_not_take_is_an_error(make_spec, word):
    with pytest.raises(SpecError, match=f"the API does not support `{word}`"):
        make_spec(own(a={"anyOf": [{"type": "string", word: 1}]}))


def test_reports_need_a_text_output(make_spec):
    make_spec({"output": {"type": "text"}}, columns={"reports": "out"})
    with pytest.raises(SpecError, match="`reports` writes one file for each row"):
        make_spec(columns={"reports": "out"})


def test_a_price_in_the_spec_makes_a_processor_known(make_spec):
    assert make_spec({"processor": "brand-new"}, prices={"brand-new": 0.02}).task.processor == "brand-new"


def test_the_local_backend_needs_no_price(make_spec):
    assert make_spec({"processor": "brand-new"}, backend="local", local={"corpus": "."}).backend == "local"


# --- warnings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"outputs": {"a": nested(3)}}, "nested 4 levels deep: one page of the API's docs gives 3 as the limit"),
        ({"outputs": names(11)}, "11 fields, and `core` usefully fills about 10"),
        ({"outputs": names(3), "processor": "lite-fast"}, "3 fields, and `lite-fast` usefully fills about 2"),
        ({"output": {"type": "auto"}}, "auto output is meant for pro and above, not `core`"),
        ({"source_policy": {"include_domains": ["a.com"], "exclude_domains": ["b.com"]}}, "exclude_domains is ignored by the API"),
        ({"output": {"json_schema": {**BIG, "required": []}}}, "the JSON schema has optional or further properties"),
        ({"output": {"json_schema": {**BIG, "additionalProperties": True}}}, "the JSON schema has optional or further properties"),
        *(({"outputs": {name: "string"}}, f"fields {name}: every field already has citations, reasoning and confidence") for name in
          ("citations", "confidence", "evidence", "reasoning", "source", "sources", "source_urls")),
    ],
)  # fmt: skip
def test_a_spec_that_may_work_badly_draws_a_warning(make_spec, task, message):
    found = spec_warnings(make_spec(task))
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    "task",
    [{}, {"outputs": {"a": nested(2)}}, {"outputs": names(10)}, own(a={"type": "string"}), {"output": "x"}],
)
def test_a_plain_spec_draws_no_warning(make_spec, task):
    assert spec_warnings(make_spec(task)) == []


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[2] / "configs").glob("*.yaml")), ids=lambda file: file.name
)
def test_the_sample_specs_keep_every_limit(file):
    assert fields(load_spec(file))
