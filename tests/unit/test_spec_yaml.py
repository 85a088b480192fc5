"""Specs as YAML and as dicts: values, variables, secrets, and arbitrary input."""

import contextlib
import copy
import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowcite.errors import SpecError
from rowcite.pipeline.spec_checks import spec_warnings
from rowcite.pipeline.spec_file import load_spec, parse_spec
from rowcite.spec import yaml_positions
from rowcite.spec.models import Spec
from support import BASE_SPEC as BASE
from support import examples

CONTRACT = Path(__file__).parents[1] / "data" / "contract_spec.yaml"


# --- the environment and secrets -------------------------------------------------------------------------


def read(text: str, **environ: str):
    """Return the one value of a document."""
    document = yaml_positions.load(f"a: {text}\n", "f", environ)
    assert not document.problems
    return document.value["a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${X}", "one"),
        ("a-${X}-${X}", "a-one-one"),
        ("'${X}'", "one"),
        ("${N}", 12),
        ("'${N}'", "12"),
        ("${NO:-two}", "two"),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY}", None),
        ("${X:-two}", "one"),
        ("'${NO:-}'", ""),
        ("$${X}", "${X}"),
        ("$$$$", "$$"),
        ("$X", "$X"),
        ("costs $5", "costs $5"),
        ("'${1}'", "${1}"),
        ("${NESTED}", "${X}"),
    ],
)
def test_variables_come_from_the_environment_as_in_a_shell(text, value):
    assert read(text, X="one", N="12", EMPTY="", NESTED="${X}") == value


def test_a_variable_in_a_key_is_not_replaced(load, problems):
    assert "unknown key `${X}`" in problems(BASE + '"${X}": 1\n', X="name")[0]


SECRET = "s3cret-value"  # not a real one
SERVERS = BASE + "  mcp_servers: [{url: https://tools.example, name: crm, headers: %s}]\n"


def test_a_secret_is_in_no_text_of_the_spec(load):
    spec = load(SERVERS % '{Authorization: "Bearer ${TOKEN}"}', TOKEN=SECRET)
    server = spec.task.mcp_servers[0]
    assert server.headers["Authorization"].get_secret_value() == f"Bearer {SECRET}"
    for shown in (repr(spec), str(spec), spec.model_dump_json(), repr(spec.model_dump())):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "headers",
    [
        "'${TOKEN}'",
        "['${TOKEN}']",
        "{A: ['${TOKEN}']}",
        "{A: {b: '${TOKEN}'}}",
        "{A: '${TOKEN}', B: '${NO}'}",
    ],
)
def test_a_secret_is_in_no_error(problems, headers):
    found = "\n".join(problems(SERVERS % headers, TOKEN=SECRET))
    assert "headers" in found or "${NO}" in found
    assert SECRET not in found


def test_a_secret_under_a_wrong_key_of_a_server_is_in_no_error(problems):
    text = (
        BASE
        + "  mcp_servers: [{url: [x], name: {a: '${TOKEN}'}, type: '${TOKEN}', headers: {}}, '${TOKEN}']\n"
    )
    found = problems(text, TOKEN=SECRET)
    assert len(found) == 4
    assert SECRET not in "\n".join(found)


# --- YAML ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("y", "y"),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("012", 12), ("0o14", "0o14"), ("1_000", "1_000"), ("+5", 5), ("-0", 0), ("12:30", "12:30"), ("12e", "12e"),
        ("1e3", 1000.0), ("1.", 1.0), (".5", 0.5), ("-1.5E-3", -0.0015), ("'12'", "12"), ('"null"', "null"),
        ("2024-01-15", "2024-01-15"), ("2024-01-15 10:00:00", "2024-01-15 10:00:00"),
        ("|\n  two\n  lines\n", "two\nlines\n"), (">\n  one\n  line\n", "one line\n"), ("two\n  words", "two words"),
        ("|-\n  12\n", "12"), ("9" * 30, int("9" * 30)), ("'it''s'", "it's"), (r'"\u00e9"', "é"), ("[1, [], {}]", [1, [], {}]),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text, value):
    found = read(text)
    assert found == value
    assert type(found) is type(value)


def test_anchors_and_aliases_work(load):
    spec = load(BASE + "  metadata: &m {team: ops}\nprices: {a: &p 0.5, b: *p}\n")
    assert spec.prices == {"a": 0.5, "b": 0.5}


def test_an_alias_of_itself_is_an_error(problems):
    assert any("nested more than 50 levels deep" in line for line in problems("name: &a [*a]\n"))


def test_aliases_of_aliases_are_limited(problems):
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
    found = problems("l0: &l0 x\n" + levels + BASE)
    assert sum("more than 20,000 values, the limit of a spec" in line for line in found) == 1


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_an_error_and_not_a_crash(problems, opening):
    closing = {"[": "]", "{a: ": "}"}.get(opening, "")
    assert problems("x:\n " + opening * 50_000 + "1" + closing * 50_000)


def test_the_environment_of_the_process_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "ROWCITE_TEST_NAME", "fromenv")
    (tmp_path / "s.yaml").write_text(BASE.replace("accounts", "${ROWCITE_TEST_NAME}"))
    assert load_spec(tmp_path / "s.yaml").name == "fromenv"


def test_the_value_of_a_variable_is_in_no_error(problems):
    found = problems(BASE.replace("name: t\n", "") + "name: t\ncolumns: ${KEY}\n", KEY="top-secret")
    assert any("'${KEY}'" in line for line in found)
    assert not any("top-secret" in line for line in found)


# --- the whole contract ----------------------------------------------------------------------------------


def test_the_example_of_the_contract_loads(load):
    spec = load(CONTRACT.read_text(encoding="utf-8"))
    assert list(spec.task.outputs) == ["industry", "employee_count", "funding_stage", "key_products"]
    assert spec.accept.trusted_domains == ("sec.gov", ".gov")


# --- dicts -----------------------------------------------------------------------------------------------

GOOD = {
    "name": "t",
    "task": {
        "processor": "core",
        "prompt": "{name}",
        "output": {"json_schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
    },
}


def test_a_dict_means_what_its_yaml_means(load):
    spec = {"name": "t", "task": {"processor": "core", "prompt": "${ASK} $$", "output": "x"}}
    assert parse_spec(spec, environ={"ASK": "who"}).task.prompt == "who $"
    assert load(json.dumps(spec), ASK="who").task == parse_spec(spec, environ={"ASK": "who"}).task


def test_a_dict_is_left_as_it_was(tmp_path):
    (tmp_path / "x.json").write_text('{"type": "object", "properties": {"a": {"type": "string"}}}')
    spec = {"name": "t", "task": {"processor": "core", "prompt": "x", "output": {"json_schema": "x.json"}}}
    before = copy.deepcopy(spec)
    parse_spec(spec, folder=tmp_path)
    assert spec == before


def recursive() -> dict:
    value: dict = {"name": "t"}
    value["task"] = [value, value]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a spec is a mapping"),
        (None, "a spec is a mapping"),
        ("name: t", "a spec is a mapping"),
        ({1: 2}, "the key 1 must be a text"),
        ({**GOOD, "prices": {None: 1.0}}, "`prices`: the key None must be a text"),
        (
            {**GOOD, "input": {"path": "a\ud800"}},
            "`input.path`: the text has a NUL or half of a surrogate pair",
        ),
        (
            {**GOOD, "limits": {"max_cost_usd": float("nan")}},
            "`limits.max_cost_usd`: nan is not a finite number",
        ),
        ({**GOOD, "input": {"path": object()}}, "`input.path` is a object, but must be a text"),
        (recursive(), "more than 20,000 values"),
    ],
)
def test_a_dict_that_is_not_a_spec_is_an_error(value, message):
    with pytest.raises(SpecError) as raised:
        parse_spec(value)
    assert message in str(raised.value)
    assert str(raised.value).startswith("<spec>: ")


def test_the_old_name_in_a_dict_draws_the_same_warning():
    spec = parse_spec({**GOOD, "accept": {"otherwise": "keep"}}, environ={})
    assert spec_warnings(spec)[0] == "<spec>: `accept.otherwise` is now called `accept.on_reject`: rename it"


# --- nothing but a SpecError -----------------------------------------------------------------------------

WORDS = sorted({
    *Spec.model_fields, *["path", "format", "csv", "separator", "encoding", "null_values", "where", "processor", "instructions", "inputs", "prompt", "outputs", "output", "source_policy", "location", "metadata", "mcp_servers", "previous_interaction_id", "column", "description", "required", "transform", "type", "enum", "items", "properties", "json_schema", "include_domains", "url", "headers", "min_confidence", "trusted_domains", "prefix", "formulas", "deadline", "max_failed", "max_age", "corpus", "anyOf", "additionalProperties", "string", "integer", "array", "object", "text", "auto", "core", "x", "5%", "2h"],
})  # fmt: skip
KEYS = st.one_of(st.sampled_from(WORDS), st.text(max_size=3))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=5),
    st.just("\ud800"),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, st.integers()), inner, max_size=4)
    ),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=4)
TASKS = st.fixed_dictionaries(
    {"processor": st.just("core"), "prompt": st.just("x")},
    optional={
        "outputs": MAPPINGS,
        "output": st.one_of(st.fixed_dictionaries({"json_schema": MAPPINGS}), VALUES),
        "metadata": VALUES,
    },
)
NEARLY = st.fixed_dictionaries(
    {"name": st.just("t"), "task": st.one_of(TASKS, VALUES)},
    optional={
        name: st.one_of(MAPPINGS, VALUES)
        for name in ("input", "accept", "limits", "columns", "prices", "cache", "local")
    },
)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(NEARLY, MAPPINGS, VALUES))
def test_a_random_structure_is_a_spec_or_a_spec_error(value):
    with contextlib.suppress(SpecError):
        assert isinstance(parse_spec(value, environ={}), Spec)


YAML = st.lists(
    st.one_of(
        st.sampled_from([f"{word}: " for word in WORDS]),
        st.sampled_from(list("{}[],:-&*!|>'\"#%@` \n\t?~")),
        st.text(alphabet=string.printable, max_size=4),
    ),
    max_size=30,
).map("".join)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(YAML, st.text(max_size=40), YAML.map(lambda tail: BASE + tail)))
def test_a_random_text_is_a_spec_or_a_spec_error(load, text):
    with contextlib.suppress(SpecError):
        assert isinstance(load(text), Spec)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NEARLY)
def test_a_structure_has_the_same_result_in_a_file_and_as_a_dict(load, value):
    def outcome(build):
        try:
            return build().model_dump()
        except SpecError:
            return None

    try:
        text = json.dumps(value, allow_nan=False)
        text.encode()
    except (ValueError, TypeError):
        return
    if "\\u" not in text and "\ud800" not in text:
        assert outcome(lambda: load(text)) == outcome(lambda: parse_spec(json.loads(text), environ={}))
