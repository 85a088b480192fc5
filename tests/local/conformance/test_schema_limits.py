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


ACCEPTED = {
    "one field": fields(a=TEXT),
    "optional and further properties": {"type": "object", "properties": {"a": TEXT}},
    "union by type": fields(a={"type": ["string", "null"]}),
    "union by anyOf": fields(a={"anyOf": [TEXT, {"type": "null"}]}),
    "a property named like a keyword": fields(pattern=TEXT, format=TEXT),
    "oneOf at the root": fields(a=TEXT) | {"oneOf": [{}]},
    "any item": fields(a={"type": "array", "items": True}),
    "no type": fields(a={"description": "Anything"}),
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
    "an unknown type": fields(a={"type": "strin"}),
    "a type that is a number": fields(a={"type": 7}),
    "an unknown type in a union": fields(a={"type": ["string", "nul"]}),
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


def refused_by_server(api, schema):
    spec = {"output_schema": {"type": "json", "json_schema": schema}}
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
