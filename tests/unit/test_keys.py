"""Task keys: the same in every process, version and machine; different for different questions."""

import json
import math
import os
import random
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.api.keys import canonical, exact, fingerprint, number_text, task_key
from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.question import question
from support import with_slow

QUESTION = {
    "api": "https://api.parallel.ai",
    "processor": "core",
    "task_spec": {"output_schema": {"type": "text", "description": "The founding year"}},
}
FINGERPRINT = "1703d55b3d6bb7bde5b1087422a279711e27b0cb4ab787c04d9c1e8ad4d0b32e"
# Input, its canonical text, its key. Never change one: every stored answer would be lost.
VECTORS = [
    ("Who runs Acme?", '"Who runs Acme?"', "4726bb145c1560daca88981e2af589e4"),
    ("", '""', "46d1b1f39f3e95991f6a3f3b73225406"),
    ({}, "{}", "b89eca80e5755930ab9fcd1e21931474"),
    (
        {"name": "Zoë Müller 株式会社 🚀"},
        '{"name":"Zoë Müller 株式会社 🚀"}',
        "36fedf4553b8fb615c3e5d7832de5e72",
    ),
    (
        {"q": 'a "quote", a \\ and a\nnew line\t\u0001\u2028'},
        '{"q":"a \\"quote\\", a \\\\ and a\\nnew line\\t\\u0001\u2028"}',
        "53fc4f517d4b01ff1bc5bf7a99e9b65a",
    ),
    (
        {"b": 1, "a": {"d": None, "c": True}},
        '{"a":{"c":true,"d":null},"b":1}',
        "fd93c5208372312445f1275cb66b4db9",
    ),
    (
        {"x": 1e16, "y": 0.1, "z": -0.0, "w": 0.0},
        '{"w":0,"x":10000000000000000,"y":0.1,"z":0}',
        "3a7aa421c35d6c05e362f93f11277fcc",
    ),
    (
        {"n": 123456789012345678901234567890, "m": -(2**63)},
        '{"m":-9223372036854775808,"n":123456789012345678901234567890}',
        "fe3f1c28dc248e5e60ef5bbe661e8e77",
    ),
    (
        {"n": 5e-324, "m": 1.7976931348623157e308, "k": 1e22, "j": 123456789.123},
        '{"j":123456789.123,"k":1e+22,"m":1.7976931348623157e+308,"n":5e-324}',
        "aa50c5567c8c415191a326551cb6bfe7",
    ),
    (
        {"l": [1, 1.0, "1", True, None, [], {}]},
        '{"l":[1,1,"1",true,null,[],{}]}',
        "05b7eff88bb68c52f959e745a703839d",
    ),
    (
        {"a": 300.0, "b": Decimal("300.00"), "c": 9007199254740993, "d": Decimal("0.10000000000000000001")},
        '{"a":300,"b":300,"c":9007199254740993,"d":0.10000000000000000001}',
        "76140f05b86da5a1696778fae88579a2",
    ),
    (
        {"a": 10**21, "b": 10**22, "c": 1e21, "d": 0.00001, "e": 1.5e-7, "f": Decimal("-1E+400")},
        '{"a":1000000000000000000000,"b":1e+22,"c":1000000000000000000000,"d":0.00001,"e":1.5e-7,"f":-1e+400}',
        "668449cd8ba56b74d8be8d729d5b4bc7",
    ),
]


def test_the_fingerprint_is_pinned():
    assert fingerprint(QUESTION).hex() == FINGERPRINT


@pytest.mark.parametrize(("value", "text", "key"), VECTORS)
def test_the_canonical_text_and_the_key_are_pinned(value, text, key):
    assert canonical(value).decode() == text
    assert task_key(bytes.fromhex(FINGERPRINT), canonical(value)).hex() == key


@pytest.mark.parametrize("seed", with_slow(["0", "1", "4242"], "0", "1"))
def test_another_process_computes_the_same_key(seed):
    program = (
        "from rowcite.api.keys import *\n"
        f"print(task_key(fingerprint({QUESTION!r}), canonical({VECTORS[5][0]!r})).hex())\n"
        "from rowcite.pipeline.spec_file import parse_spec; from rowcite.spec.question import question\n"
        "spec = parse_spec({'name': 't', 'task': {'processor': 'core', 'prompt': 'x', 'outputs': {'b': 'string', 'a': 'date'}}})\n"
        "print(question(spec, {}, 'https://api.parallel.ai').fingerprint.hex())\n"
    )
    env = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [VECTORS[5][2], SPEC_FINGERPRINT]


SPEC_FINGERPRINT = "86fa45b6cc670cec02ea649b861e516a1d81188b192b2a9b0134437e22a0f43c"

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=15,
)


def shuffled(value, rng: random.Random):
    """Return an equal value whose dicts have their keys in another order."""
    if isinstance(value, dict):
        items = [(name, shuffled(item, rng)) for name, item in value.items()]
        rng.shuffle(items)
        return dict(items)
    return [shuffled(item, rng) for item in value] if isinstance(value, list) else value


@given(JSON, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(value, rng):
    assert canonical(shuffled(value, rng)) == canonical(value)


@given(JSON)
def test_the_canonical_text_holds_the_value(value):
    assert exact(canonical(value)) == exact(json.dumps(value).encode())


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, {"a": [math.nan]}, "lone surrogate: \ud800"]
)
def test_values_without_json_text_are_refused(value):
    with pytest.raises(ValueError):
        canonical(value)


# --- the parts of a question -----------------------------------------------------------------------------

SERVER = {
    "url": "https://tools.example",
    "name": "crm",
    "headers": {"Authorization": "one"},
    "allowed_tools": ["find"],
}


def fingerprint_of(make_spec, task=None, api="https://api.parallel.ai", types=None, **keys):
    return question(make_spec(task, **keys), types or {"company": "string"}, api).fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"processor": "pro"},
        {"processor": "core-fast"},
        {"instructions": "Use the register"},
        {"location": "us"},
        {"source_policy": {"include_domains": ["a.com"]}},
        {"source_policy": {"exclude_domains": ["a.com"]}},
        {"previous_interaction_id": "trun_1"},
        {"outputs": {"industry": "integer"}},
        {"outputs": {"industry": {"type": "string", "description": "x"}}},
        {"outputs": {"sector": "string"}},
        {"output": {"type": "text"}},
        {"inputs": {"company": {"column": "name", "description": "x"}}},
        {"prompt": "{name}"},
        {"mcp_servers": [SERVER]},
        {"source_policy": {"after_date": "2025-01-31"}},
        {"data_sources": {"free": ["patents"]}},
        {"data_sources": {"free": [], "pay_per_use": ["filings"]}},
        {"memory_scope_key": "team"},
    ],
)
def test_each_part_of_a_question_changes_its_fingerprint(make_spec, change):
    prices = {"filings": 0.01}
    assert fingerprint_of(make_spec, change, prices=prices) != fingerprint_of(make_spec)


def test_the_order_of_data_sources_keeps_the_fingerprint(make_spec):
    one, other = ({"data_sources": {"free": listed}} for listed in (["a", "b"], ["b", "a"]))
    assert fingerprint_of(make_spec, one) == fingerprint_of(make_spec, other)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://other.example"},
        {"name": "other"},
        {"allowed_tools": ["write"]},
        {"allowed_tools": None},
    ],
)
def test_mcp_servers_and_their_tools_are_part_of_a_question(make_spec, change):
    assert fingerprint_of(make_spec, {"mcp_servers": [{**SERVER, **change}]}) != fingerprint_of(
        make_spec, {"mcp_servers": [SERVER]}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"team": "revops"}},
        {"source_policy": {"include_domains": [], "exclude_domains": []}},
        {"inputs": {"company": {"column": "another_column"}}},
        {"inputs": {"company": {"column": "name", "transform": "lower"}}},
        {"inputs": {"company": {"column": "name", "required": True}}},
        {"inputs": {"company": {"column": "name", "type": "integer"}}},
        {"mcp_servers": []},
        {"source_policy": {"after_date": None}},
        {"data_sources": None},
        {"data_sources": {"free": [], "pay_per_use": []}},
        {"memory_scope_key": None},
    ],
)
def test_other_settings_of_a_task_keep_the_fingerprint(make_spec, change):
    assert fingerprint_of(make_spec, change) == fingerprint_of(make_spec)


def test_the_rest_of_a_spec_keeps_the_fingerprint(make_spec):
    keys = {
        "accept": {"min_citations": 2},
        "columns": {"prefix": "x_"},
        "limits": {"concurrency": 1},
        "prices": {"core": 1},
    }
    assert fingerprint_of(
        make_spec, **keys, input={"path": "x.csv"}, cache={"max_age": "1d"}
    ) == fingerprint_of(make_spec)


def test_secrets_are_not_part_of_a_question(make_spec):
    other = {**SERVER, "headers": {"Authorization": "two", "X-Key": "three"}}
    assert fingerprint_of(make_spec, {"mcp_servers": [SERVER]}) == fingerprint_of(
        make_spec, {"mcp_servers": [other]}
    )
    built = question(make_spec({"mcp_servers": [other]}), {"company": "string"}, "api")
    assert b"three" not in canonical(built.named)
    assert b"three" in built.run
    assert b"three" not in built.shown.run


def test_the_types_of_the_columns_are_not_part_of_a_question(make_spec):
    assert fingerprint_of(make_spec, types={"company": "integer"}) == fingerprint_of(make_spec)


def test_an_input_has_the_type_that_the_spec_gives_it(make_spec):
    typed = make_spec({"inputs": {"company": {"column": "name", "type": "integer"}}})
    schema = question(typed, {"company": "string"}, "api").named["task_spec"]["input_schema"]["json_schema"]
    assert schema["properties"] == {"company": {"type": "integer"}}


@given(st.randoms(use_true_random=False))
def test_the_order_of_fields_does_not_matter(rng):
    task = {
        "processor": "core",
        "inputs": {"a": {"column": "a"}, "b": {"column": "b", "description": "x"}, "c": {"column": "c"}},
        "outputs": {
            "f": {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "date"}}},
            "g": {"enum": ["one", "two"]},
            "h": {"type": "array", "items": {"type": "string"}},
        },
    }
    types = dict.fromkeys("abc", "string")
    prints = [
        question(parse_spec({"name": "t", "task": value}), types, "api").fingerprint
        for value in (task, shuffled(task, rng))
    ]
    assert prints[0] == prints[1]


def reordered(schema, rng):
    """Return an equal schema with its properties and its `required` in another order."""
    if isinstance(schema, list):
        return [reordered(item, rng) for item in schema]
    if not isinstance(schema, dict):
        return schema
    words = shuffled(schema, rng)
    for word in words.keys() & {"properties", "$defs"}:
        words[word] = {name: reordered(item, rng) for name, item in words[word].items()}
    for word in words.keys() & {"items", "anyOf"}:
        words[word] = reordered(words[word], rng)
    if "required" in words:
        words["required"] = rng.sample(words["required"], len(words["required"]))
    return words


NAMES = st.lists(
    st.sampled_from(["required", "enum", "properties", "a", "b", "c"]), min_size=1, max_size=4, unique=True
)
VALUES = st.one_of(
    st.fixed_dictionaries({"enum": st.lists(JSON, min_size=1, max_size=3)}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "default": JSON, "examples": st.lists(JSON, max_size=2)}
    ),
    st.fixed_dictionaries({"const": JSON}),
)
SCHEMAS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        NAMES.flatmap(
            lambda names: st.fixed_dictionaries(
                {
                    "type": st.just("object"),
                    "properties": st.fixed_dictionaries(dict.fromkeys(names, inner)),
                    "required": st.permutations(names),
                }
            )
        ),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"$defs": st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)}),
    ),
    max_leaves=6,
)


def of_schema(schema):
    return fingerprint({**QUESTION, "task_spec": {"output_schema": {"type": "json", "json_schema": schema}}})


@given(SCHEMAS, st.randoms(use_true_random=False))
def test_the_order_of_properties_and_of_required_in_a_json_schema_does_not_matter(schema, rng):
    assert of_schema(reordered(schema, rng)) == of_schema(schema)


@pytest.mark.parametrize("word", ["enum", "default", "const", "examples"])
@pytest.mark.parametrize("values", [["b", "a"], [{"required": ["b", "a"]}], {"required": ["b", "a"]}])
def test_the_order_of_values_in_a_json_schema_matters(word, values):
    other = json.loads(json.dumps(values).replace('"b", "a"', '"a", "b"'))
    nested = [{"type": "object", "properties": {"required": {word: some}}} for some in (values, other)]
    assert of_schema(nested[0]) != of_schema(nested[1])


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(0, 30))
def test_equal_numbers_have_one_text_and_it_holds_the_number(value, zeros):
    sign, digits, exponent = value.as_tuple()
    padded = Decimal((sign, (*digits, *[0] * zeros), exponent - zeros))
    assert number_text(padded) == number_text(value)
    assert Decimal(number_text(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_has_the_text_of_its_shortest_decimal(value):
    assert number_text(value) == number_text(Decimal(repr(value)))
    assert float(number_text(value)) == value


@given(st.integers())
def test_a_whole_number_has_one_text_in_every_type(value):
    assert number_text(value) == number_text(Decimal(value))


def test_the_api_is_part_of_a_question(make_spec):
    apis = (
        "https://api.parallel.ai",
        "https://eu.api.parallel.ai",
        "http://127.0.0.1:8000",
        "local:aa",
        "local:bb",
    )
    assert len({fingerprint_of(make_spec, api=api) for api in apis}) == len(apis)


@given(st.text(), st.text(), JSON)
def test_a_local_answer_never_counts_as_one_of_the_api(real, corpus, task_input):
    text = canonical(task_input)
    names = (
        fingerprint({**QUESTION, "api": f"https://{real}"}),
        fingerprint({**QUESTION, "api": f"local:{corpus}"}),
    )
    assert task_key(names[0], text) != task_key(names[1], text)
