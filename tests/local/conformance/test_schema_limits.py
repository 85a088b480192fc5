"""The spec check and the server judge every JSON schema alike, before anything is spent."""

import httpx
import pytest

from rowcite.api import facts
from rowcite.errors import SpecError
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.bench import Bench
from rowcite.local.server.serving import embedded
from rowcite.pipeline.spec_file import parse_spec

TEXT = {"type": "string"}


def fields(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def choices(count, width=4):
    return {"type": "string", "enum": [f"{number:0{width}}" for number in range(count)]}


def nested(wraps):
    """Return a schema of the given objects (o) and lists (l) inside the root object, outermost first."""
    schema = TEXT
    for kind in reversed(wraps):
        schema = fields(a=schema) if kind == "o" else {"type": "array", "items": schema}
    return fields(a=schema)


UNKNOWN = {
    "of the root": fields(a=TEXT) | {"type": "objekt"},
    "of a field": fields(a={"type": "strin"}),
    "in capitals": fields(a={"type": "String"}),
    "of another language": fields(a={"type": "float"}),
    "in a list of types": fields(a={"type": ["string", "nul"]}),
    "of an item": fields(a={"type": "array", "items": {"type": "strin"}}),
    "of an item's field": fields(a={"type": "array", "items": fields(b={"type": "strin"})}),
    "in an inner object": fields(a=fields(b=fields(c={"type": "strin"}))),
    "in a definition": fields(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": {"type": "strin"}}},
    "of further properties": fields(a=TEXT) | {"additionalProperties": {"type": "strin"}},
    **{f"in {word}": fields(a={word: [{"type": "strin"}]}) for word in ("anyOf", "oneOf", "allOf")},
    "in a union of unions": fields(a={"anyOf": [{"anyOf": [TEXT, {"type": "strin"}]}]}),
    "in prefixItems": fields(a={"type": "array", "prefixItems": [{"type": "strin"}]}),
    "in dependentSchemas": fields(a={"dependentSchemas": {"b": {"type": "strin"}}}),
    **{f"in {word}": fields(a={word: {"type": "strin"}}) for word in ("not", "if", "then", "else")},
}  # fmt: skip
"""Schemas with a type name that JSON schema does not have, by its place."""

ACCEPTED = {
    "one field": fields(a=TEXT),
    "optional and further properties": {"type": "object", "properties": {"a": TEXT}},
    "union by type": fields(a={"type": ["string", "null"]}),
    "union by anyOf": fields(a={"anyOf": [TEXT, {"type": "null"}]}),
    "a property named like a keyword": fields(pattern=TEXT, format=TEXT),
    "oneOf at the root": fields(a=TEXT) | {"oneOf": [{}]},
    "any item": fields(a={"type": "array", "items": True}),
    "no type": fields(a={"description": "Anything"}),
    "every type in one list": fields(a={"type": sorted(facts.JSON_TYPES)}),
    "a condition": fields(a={"type": "string", "not": {"type": "null"}, "if": True, "then": TEXT}),
    "properties named like types": fields(strin=TEXT, type=TEXT),
    "an enum with the name of an unknown type": fields(a={"enum": ["strin"]}),
    "a definition": fields(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": nested("ooo")}},
    "5 levels of objects": nested("oooo"),
    "5 levels of lists of objects": nested("lolo"),
    "4 levels under a union": fields(a={"anyOf": [nested("ooo"), {"type": "null"}]}),
    "100 properties": fields(**{f"f{number}": TEXT for number in range(100)}),
    "500 values in one enum": fields(a=choices(500)),
    "500 values in two enums": fields(a=choices(250), b=choices(250)),
    "250 long values": fields(a=choices(250, 40)),
    "251 values of 7,279 characters": fields(a=choices(251, 29)),
}
REFUSED = {
    "a list at the root": {"type": "array", "items": TEXT},
    "a nullable root": fields(a=TEXT) | {"type": ["object", "null"]},
    "no properties": {"type": "object"},
    "empty properties": {"type": "object", "properties": {}},
    "anyOf at the root": fields(a=TEXT) | {"anyOf": [{}]},
    "a bare null": fields(a={"type": "null"}),
    "a bare null in a list": fields(a={"type": "array", "items": {"type": ["null"]}}),
    "a type that is a number": fields(a={"type": 7}),
    "a type that is null": fields(a={"type": None}),
    "no type in the list": fields(a={"type": []}),
    "a type twice": fields(a={"type": ["string", "string"]}),
    "an empty anyOf": fields(a={"anyOf": []}),
    "an empty enum": fields(a={"type": "string", "enum": []}),
    "required that names a number": fields(a=TEXT) | {"required": ["a", 1]},
    **{f"an unknown type {place}": schema for place, schema in UNKNOWN.items()},
    "properties that are a list": {"type": "object", "properties": [TEXT]},
    "a property that is a boolean": fields(a=True),
    "an enum that is a text": fields(a={"type": "string", "enum": "AB"}),
    "anyOf that is a mapping": fields(a={"anyOf": {"type": "string"}}),
    "required that is a text": fields(a=TEXT) | {"required": "a"},
    "a description that is a number": fields(a={"type": "string", "description": 7}),
    "6 levels of objects": nested("ooooo"),
    "6 levels of lists of objects": nested("lolol"),
    "6 levels in further properties": fields(a={"type": "object", "additionalProperties": nested("ooo")}),
    "6 levels in a definition": fields(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": nested("ooooo")}},
    "101 properties": fields(**{f"f{number}": TEXT for number in range(101)}),
    "101 properties in all": fields(**{f"f{number}": fields(a=TEXT) for number in range(51)}),
    "501 values in one enum": fields(a=choices(501)),
    "600 values in two enums": fields(a=choices(300), b=choices(300)),
    "501 values with null": fields(a=choices(500) | {"type": ["string", "null"], "enum": [*choices(500)["enum"], None]}),
    "251 values of 7,530 characters": fields(a=choices(251, 30)),
    "15,000 characters": fields(a={"type": "string", "description": "x" * 15_000}),
    **{f"the keyword {word}": fields(a={"type": "array", "items": {"type": "string", word: 1}}) for word in facts.UNSUPPORTED_IN_OUTPUT},
}  # fmt: skip


@pytest.fixture(scope="module")
def api():
    with (
        embedded(create_app(Bench(), ServerSettings())) as base,
        httpx.Client(base_url=base, timeout=10, trust_env=False) as client,
    ):
        yield client


def refused_by_server(api, schema, place="output_schema"):
    spec = {"output_schema": "The year"} | {place: {"type": "json", "json_schema": schema}}
    answer = api.post("/v1/tasks/runs", json={"processor": "core", "input": "Acme", "task_spec": spec})
    assert answer.status_code in (202, 422)
    return answer.status_code == 422


def refused_by_spec(schema):
    task = {"processor": "core", "inputs": {"a": {"column": "a"}}, "output": {"json_schema": schema}}
    try:
        parse_spec({"name": "t", "task": task}, environ={})
    except SpecError:
        return True
    return False


@pytest.mark.parametrize("name", ACCEPTED)
def test_spec_and_server_accept_a_schema_within_the_limits(api, name):
    schema = ACCEPTED[name]
    assert (refused_by_spec(schema), refused_by_server(api, schema)) == (False, False)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_spec_and_server_refuse_a_schema_beyond_the_limits(api, name):
    schema = REFUSED[name]
    assert (refused_by_spec(schema), refused_by_server(api, schema)) == (True, True)


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_server_refuses_an_unknown_type_in_an_input_schema(api, name):
    assert refused_by_server(api, UNKNOWN[name], "input_schema")


def test_only_an_output_schema_has_no_field_that_is_only_null(api):
    schema = REFUSED["a bare null"]
    assert refused_by_server(api, schema)
    assert not refused_by_server(api, schema, "input_schema")
