"""The files of a spec: its own, and those that it names."""

import json

import pytest

from rowcite.errors import SpecError
from rowcite.pipeline.spec_file import load_spec
from support import BASE_SPEC as BASE


def test_a_missing_file_is_a_spec_error(tmp_path):
    with pytest.raises(SpecError, match="cannot read the spec: No such file or directory"):
        load_spec(tmp_path / "no.yaml")


@pytest.mark.parametrize("name", ["accounts.csv", "accounts.TSV", "part.jsonl.zst", "accounts.parquet"])
def test_a_table_given_as_the_spec_is_called_a_table(tmp_path, name):
    (tmp_path / name).write_bytes(b"name,website\nFjordcell,fjordcell.example\n\xff")
    with pytest.raises(SpecError, match=f"{name}: this looks like a table, not a spec. Give the YAML file"):
        load_spec(tmp_path / name)


def test_a_folder_given_as_the_spec_is_a_spec_error(tmp_path):
    with pytest.raises(SpecError, match="cannot read the spec: Is a directory"):
        load_spec(tmp_path)


def test_a_file_that_is_not_utf8_is_a_spec_error(tmp_path):
    (tmp_path / "s.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(SpecError, match="is not UTF-8 text"):
        load_spec(tmp_path / "s.yaml")


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_crlf_are_read(load, change):
    assert load(change(BASE)).task.processor == "core"


def test_paths_are_relative_to_the_spec(load, tmp_path):
    spec = load(BASE + "input: {path: ../a.csv}\n")
    assert spec.path("../a.csv") == tmp_path.parent / "a.csv"
    assert spec.path("~nobody-here/x") == tmp_path / "~nobody-here/x"


def test_a_json_schema_is_read_from_its_file_as_it_is(load, tmp_path):
    schema = {"type": "object", "properties": {"a": {"type": "string", "description": "${NOT_A_VARIABLE}"}}}
    (tmp_path / "x.json").write_text(json.dumps(schema))
    spec = load("name: t\ntask: {processor: core, prompt: x, output: {json_schema: x.json}}\n")
    assert spec.task.output.json_schema == schema


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name"),
        ("[]", "it is not a JSON object"),
        ('[["type", "object"]]', "it is not a JSON object"),
        ("NaN", "nan is not a finite number"),
        ('{"a": 1e999}', "`a`: inf is not a finite number"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ("[" * 100_000, "it is nested too deep"),
        ('{"a":' * 80 + "1" + "}" * 80, "nested more than 50 levels deep"),
        ('{"properties": []}', "`properties` of it must be a mapping"),
        ('{"properties": {"a": true}}', "`a` must be a mapping: a JSON schema"),
        ('{"properties": {"a": {"anyOf": "x"}}}', "`anyOf` of `a` must be a list"),
        ('{"properties": {"a": {"anyOf": [1]}}}', "each of `anyOf` must be a mapping"),
        ('{"properties": {"a": {"enum": 5}}}', "`enum` of `a` must be a list"),
        ('{"properties": {"a": {"type": {}}}}', "`type` of `a` must be a text, or a list of texts"),
        ('{"properties": {"a": {"items": []}}}', "`items` of `a` must be a mapping: a JSON schema"),
        ('{"description": 5}', "`description` of it must be a text"),
    ],
)
def test_a_broken_json_schema_is_reported_where_the_spec_names_it(problems, tmp_path, text, message):
    (tmp_path / "x.json").write_text(text)
    found = problems("name: t\ntask: {processor: core, prompt: x, output: {json_schema: x.json}}\n")
    assert len(found) == 1
    assert found[0].startswith("2:58: ")
    assert message in found[0]


@pytest.mark.parametrize("text", ["", "# nothing\n", "null\n", "- a\n", "42\n", "just words\n"])
def test_a_file_that_is_not_a_mapping_is_an_error_at_its_start(problems, text):
    assert problems(text) == ["1:1: a spec is a mapping of keys to values, such as `name: accounts`"]


@pytest.mark.parametrize(
    ("added", "hint"),
    [
        ("\tinput: 1", "The line begins with a tab: indent it with spaces"),
        ("input:\n\tpath: x", "The line begins with a tab: indent it with spaces"),
        (
            'input: {path: "C:\\data"}',
            "In double quotes a backslash begins an escape: put the text in single quotes",
        ),
        (
            'input: {path: "C:\\Users"}',
            "In double quotes a backslash begins an escape: put the text in single quotes",
        ),
        ("input: {path: ${D}/in.csv}", "Inside of { } or [ ] put a text with ${...} in quotes"),
        ("input: {path: ${D}}", "Inside of { } or [ ] put a text with ${...} in quotes"),
        ("other: [a, ${D}]", "Inside of { } or [ ] put a text with ${...} in quotes"),
        ("other: Find: a", 'Put a text that contains ": " in quotes, or correct the indentation'),
    ],
)
def test_an_error_of_yaml_ends_with_what_to_do(problems, added, hint):
    (found,) = problems(BASE + added + "\n")
    assert "not valid YAML" in found
    assert found.endswith(hint)
