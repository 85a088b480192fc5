"""Spec files: every problem is reported at its position, with what to do, and only as a SpecError."""

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

# Line 1 to 6; what a test adds begins on line 7.
BASE = """\
name: accounts
task:
  processor: core
  inputs: {company: {column: name}}
  outputs:
    industry: {type: string}
"""
CONTRACT = Path(__file__).parents[1] / "data" / "contract_spec.yaml"


@pytest.fixture
def load(tmp_path):
    """Return a function that loads a text as a spec file."""

    def load(text: str, **environ: str) -> Spec:
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8", newline="")
        return load_spec(tmp_path / "s.yaml", environ=environ)

    return load


@pytest.fixture
def problems(load, tmp_path):
    """Return a function that loads a wrong spec and returns its problems as `line:column: message`."""

    def problems(text: str, **environ: str) -> list[str]:
        with pytest.raises(SpecError) as raised:
            load(text, **environ)
        prefix = f"{tmp_path / 's.yaml'}:"
        lines = str(raised.value).split("\n")
        assert all(line.startswith(prefix) for line in lines)
        return [line.removeprefix(prefix) for line in lines]

    return problems


# --- positions and suggestions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("inpt: {path: x}", "7:1: unknown key `inpt`: did you mean `input`?"),
        ("input: {pth: x}", "7:9: unknown key `pth` in `input`: did you mean `path`?"),
        (
            "zzz: 1",
            "7:1: unknown key `zzz`: valid here: name, input, output, task, accept, escalate, columns, limits, prices, cache, backend, local",
        ),
        ("folder: x", "7:1: unknown key `folder`: valid here: name, input"),
        ("marks: {}", "7:1: unknown key `marks`"),
        (
            "limits: {concurency: 2}",
            "7:10: unknown key `concurency` in `limits`: did you mean `concurrency`?",
        ),
        ("columns:\n  citation: urls", "8:3: unknown key `citation` in `columns`: did you mean `citations`?"),
        (
            "columns: {citations: url}",
            "7:22: `columns.citations` is 'url', but must be `urls`, `full` or `none` (did you mean `urls`?)",
        ),
        ("columns: {confidence: 1.5}", "7:23: `columns.confidence` is 1.5, but must be true or false"),
        ("columns: {confidence: yes}", "7:23: `columns.confidence` is 'yes', but must be true or false"),
        ("backend: remote", "7:10: `backend` is 'remote', but must be `parallel` or `local`"),
        ("backend: local", "`backend: local` needs `local: {corpus: FOLDER}`"),
        ("input: [a]", "7:8: `input` is a list, but must be a mapping"),
        ("input: a.csv", "7:8: `input` is 'a.csv', but must be a mapping"),
        ("input: null", "7:8: `input` is null, but must be a mapping"),
        (
            "input: {format: xlsx}",
            "7:17: `input.format` is 'xlsx', but must be `csv`, `tsv`, `parquet` or `jsonl`",
        ),
        ("input: {path: 2024}", "7:15: `input.path` is 2024, but must be a text: put it in quotes"),
        (
            "input: {csv: {null_values: [0]}}",
            "7:29: `input.csv.null_values.0` is 0, but must be a text: put it in quotes",
        ),
        ("input: {csv: {null_values: n/a}}", "7:28: `input.csv.null_values` is 'n/a', but must be a list"),
        (
            "input: {csv: {separator: ',,'}}",
            "7:26: `input.csv.separator` is ',,', but must be one character other than a quote or a line end",
        ),
        (
            "input: {csv: {encoding: utf9}}",
            "7:25: `input.csv.encoding` is 'utf9', but must be an encoding that Python knows",
        ),
        (
            "input: {csv: {encoding: base64}}",
            "7:25: `input.csv.encoding` is 'base64', but must be an encoding that Python knows",
        ),
        (
            "limits: {requests_per_minute: 0}",
            "7:31: `limits.requests_per_minute` is 0: input should be greater than or equal to 1",
        ),
        (
            "limits: {requests_per_minute: true}",
            "7:31: `limits.requests_per_minute` is true, but must be a number",
        ),
        ("limits: {concurrency: 1.5}", "7:23: `limits.concurrency` is 1.5, but must be a whole number"),
        ("limits: {active_runs: many}", "7:23: `limits.active_runs` is 'many', but must be a whole number"),
        ("limits: {max_cost_usd: lots}", "7:24: `limits.max_cost_usd` is 'lots', but must be a number"),
        (
            "limits: {max_cost_usd: -1}",
            "7:24: `limits.max_cost_usd` is -1: input should be greater than or equal to 0",
        ),
        ("limits: {max_cost_usd: .inf}", "7:24: inf is not a finite number"),
        ("limits: {max_cost_usd: 1e400}", "7:24: inf is not a finite number"),
        ("limits: {max_cost_usd: 1e300}", "7:24: `limits.max_cost_usd` is 1e+300: input should be less than"),
        (
            "limits: {deadline: 2 weeks}",
            "7:20: `limits.deadline` is '2 weeks', but must be a duration such as 90s, 30m, 2h or 90d",
        ),
        (
            "limits: {deadline: 90}",
            "7:20: `limits.deadline` is 90, but must be a duration such as 90s, 30m, 2h or 90d",
        ),
        (
            "limits: {deadline: 999999999999d}",
            "7:20: `limits.deadline` is '999999999999d', but must be a shorter duration",
        ),
        (
            "limits: {max_failed: 120%}",
            "7:22: `limits.max_failed` is '120%', but must be a number of rows, or a share of them such as",
        ),
        ("limits: {max_failed: -1}", "7:22: `limits.max_failed` is -1, but must be a number of rows"),
        (
            "accept: {min_confidence: hihg}",
            "7:26: `accept.min_confidence` is 'hihg', but must be low, medium, high, or a number from 0 to 1 (did you mean `high`?)",
        ),
        (
            "accept: {min_confidence: 1.5}",
            "7:26: `accept.min_confidence` is 1.5, but must be low, medium, high, or a number from 0 to 1",
        ),
        (
            "accept: {min_confidence: true}",
            "7:26: `accept.min_confidence` is true, but must be low, medium, high, or a number from 0 to 1",
        ),
        (
            "accept: {trusted_domains: ['https://sec.gov']}",
            "7:28: `accept.trusted_domains.0` is 'https://sec.gov', but must be a domain without scheme, port or path",
        ),
        (
            "accept: {required: [industri]}",
            "7:21: `industri` is not a field (did you mean `industry`?). Fields: industry",
        ),
        ("accept: {required: [zzz]}", "7:21: `zzz` is not a field. Fields: industry"),
        ("accept: {min_citations: -1}", "7:25: `accept.min_citations` is -1"),
        (
            "accept: {min_domain: 1}",
            "7:10: unknown key `min_domain` in `accept`: did you mean `min_domains`?",
        ),
        ("accept: {max_age: old}", "7:19: `accept.max_age` is 'old', but must be a duration such as 90s"),
        ("accept: {on_reject: drop}", "7:21: `accept.on_reject` is 'drop', but must be `blank` or `keep`"),
        (
            "accept: {missing_confidence: maybe}",
            "7:30: `accept.missing_confidence` is 'maybe', but must be `accept` or `reject`",
        ),
        ("accept: {not_found: [0]}", "7:22: `accept.not_found.0` is 0, but must be a text: put it in quotes"),
        (
            "accept: {trusted_domains: [a.com], distrusted_domains: [a.com]}",
            "7:57: `a.com` is both trusted and distrusted",
        ),
        (
            "accept: {fields: {industri: {}}}",
            "7:29: `industri` is not a field (did you mean `industry`?). Fields: industry",
        ),
        (
            "accept: {fields: {industry: {patern: x}}}",
            "7:30: unknown key `patern` in `accept.fields.industry`: did you mean `pattern`?",
        ),
        (
            "accept: {fields: {industry: {required: 1}}}",
            "7:40: `accept.fields.industry.required` is 1, but must be true or false",
        ),
        (
            "accept: {fields: {industry: {pattern: '(x'}}}",
            "7:39: `pattern` of `industry`: not a regular expression: error: unclosed group",
        ),
        (
            "accept: {fields: {industry: {pattern: '(?=x)'}}}",
            "look-around, including look-ahead and look-behind, is not supported",
        ),
        (
            "accept: {fields: {industry: {minimum: 5}}}",
            "7:39: `minimum` of `industry`: applies to numbers and dates",
        ),
        (
            "accept: {fields: {industry: {minimum: [5]}}}",
            "7:39: `accept.fields.industry.minimum` is a list, but must be a text or true or false or a whole number or a number",
        ),
        ("accept: {fields: {industry: {one_of: []}}}", "7:38: `one_of` of `industry`: lists no values"),
        (
            "accept: {fields: {industry: {one_of: [true]}}}",
            "7:38: `one_of` of `industry`: true is not a text",
        ),
        (
            "accept: {rules: [industri = 'x']}",
            "7:18: `industri = 'x'`: `industri` is not a field: did you mean `industry`?",
        ),
        ("accept: {rules: [industry > 5]}", "7:18: `industry > 5`: `industry` is a text and `5` is a number"),
        (
            "accept:\n  rules:\n    - industry = 'a'\n    - industry ==",
            "10:7: `industry ==`: not an expression",
        ),
        ("accept: {rules: industry}", "7:17: `accept.rules` is 'industry', but must be a list"),
        ("prices: {core: cheap}", "7:16: `prices.core` is 'cheap', but must be a number"),
        ("cache: {max_age: old}", "7:18: `cache.max_age` is 'old', but must be a duration such as 90s"),
        ("name: again", "7:1: `name` is a repeated key (first on line 1): remove one"),
        ("? [a, b]\n: 1", "7:3: a key must be a plain text"),
        (
            "input: {path: !!binary aGk=}",
            "7:15: tag 'tag:yaml.org,2002:binary' has no meaning in a spec: write a plain value",
        ),
        ("input: {path: !mine x}", "7:15: tag '!mine' has no meaning in a spec: write a plain value"),
        ("input: {path: [}", "7:16: not valid YAML"),
        ("\tinput: 1", "7:1: not valid YAML: found character that cannot start any token"),
        ("input: *nowhere", "7:8: not valid YAML: found undefined alias"),
        ("---\nname: b", "7:1: not valid YAML: but found another document"),
        ('input: {path: "a\\0b"}', "7:15: the text has a NUL"),
        (
            "input: {path: '${TABLE}'}",
            "7:15: ${TABLE} is not set: export TABLE, or give a default: ${TABLE:-...}",
        ),
        ("columns: {prefix: industry_}\nlimits: {deadline: x}", "8:20: `limits.deadline`"),
    ],
)
def test_a_problem_is_reported_at_its_position(problems, added, message):
    found = problems(BASE + added + "\n")
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    ("task", "at", "message"),
    [
        ("null", "null", "`task` is null, but must be a mapping"),
        ("[1]", "[1]", "`task` is a list, but must be a mapping"),
        ("hello", "hello", "`task` is 'hello', but must be a mapping"),
        ("{prompt: x, output: y}", "{prompt", "`processor` is missing in task"),
        ("{processor: core, output: y}", "{processor", "`task`: a task needs either `inputs` or a `prompt`"),
        ("{processor: core, prompt: x, inputs: {a: {column: b}}, output: y}", "{processor", "a task needs either `inputs` or a `prompt`"),
        ("{processor: core, prompt: x}", "{processor", "`task`: a task needs either `outputs` or one `output`"),
        ("{processor: core, inputs: {}, output: y}", "{processor", "`inputs` is empty: name at least one column"),
        ("{processor: core, prompt: x, outputs: {}}", "{processor", "`outputs` is empty: name at least one field"),
        ("{processor: core, prompt: ' ', output: y}", "' '", "the prompt is empty"),
        ("{processor: core, prompt: x, output: {industry: {type: string}}}", "output:", "`output` is one answer, and these look like fields: did you mean `outputs`?"),
        ("{processor: core, prompt: x, output: {jsn_schema: {}}}", "jsn_schema:", "unknown key `jsn_schema` in `task.output`: did you mean `json_schema`?"),
        ("{processor: core, prompt: x, output: {type: txt}}", "txt", "`task.output.type` is 'txt', but must be `text` or `auto` (did you mean `text`?)"),
        ("{processor: core, prompt: x, output: {}}", "{}}", "`task.output`: write a description, or {type: text}"),
        ("{processor: core, prompt: x, output: {json_schema: 5}}", "5}", "`task.output.json_schema` is 5, but must be a text or a mapping"),
        ("{processor: core, prompt: x, output: {json_schema: no.json}}", "no.json", "cannot read the JSON schema no.json: No such file"),
        ("{processor: core, prompt: x, output: {json_schema: ~nobody/no.json}}", "~nobody", "cannot read the JSON schema ~nobody/no.json: No such file"),
        ("{processor: core, prompt: x, outputs: {a: int}}", "int}", "`task.outputs.a` is 'int', but must be `string`, `integer`"),
        ("{processor: core, prompt: x, outputs: {a: {typ: string}}}", "typ:", "unknown key `typ` in `task.outputs.a`: did you mean `type`?"),
        ("{processor: core, prompt: x, outputs: {a: {}}}", "{}}", "`task.outputs.a`: a field needs a `type`"),
        ("{processor: core, prompt: x, outputs: {a: 5}}", "5}", "`task.outputs.a` is 5, but must be a mapping"),
        ("{processor: core, prompt: x, outputs: [a]}", "[a]", "`task.outputs` is a list, but must be a mapping"),
        ("{processor: core, prompt: x, outputs: {a: {enum: [1]}}}", "1]", "`task.outputs.a.enum.0` is 1, but must be a text: put it in quotes"),
        ("{processor: core, prompt: x, outputs: {a: {enum: []}}}", "{enum", "`enum` needs at least one value, and each value once"),
        ("{processor: core, prompt: x, outputs: {a: {enum: [x, x]}}}", "{enum", "`enum` needs at least one value, and each value once"),
        ("{processor: core, prompt: x, outputs: {a: {type: integer, enum: [x]}}}", "{type", "an `enum` is a choice of texts: remove `type`"),
        ("{processor: core, prompt: x, outputs: {a: {type: string, items: string}}}", "{type", "`items` is for `type: array`"),
        ("{processor: core, prompt: x, outputs: {a: {type: string, properties: {b: string}}}}", "{type", "`properties` is for `type: object`"),
        ("{processor: core, prompt: x, outputs: {a: object}}", "object}", "`type: object` needs `properties`"),
        ("{processor: cor, prompt: x, output: y}", "cor,", "no price is known for `cor`: correct the name, or give US$ per run under `prices: {cor: 0.01}`"),
        ("{processor: core, prompt: x, output: y, location: usa}", "usa", "`task.location` is 'usa'"),
        ("{processor: core, prompt: x, output: y, metadata: {team: 5}}", "5}", "`task.metadata.team` is 5, but must be a text: put it in quotes"),
        ("{processor: core, prompt: x, output: y, source_policy: {include_domains: [a.com/x]}}", "a.com", "a domain without scheme, port or path"),
        ("{processor: core, inputs: {a: {column: b, descr: c}}, output: y}", "descr:", "unknown key `descr` in `task.inputs.a`: did you mean `description`?"),
        ("{processor: core, inputs: {a: {column: b, transform: upper}}, output: y}", "upper", "`task.inputs.a.transform` is 'upper', but must be `strip`, `lower`, `domain`, `url` or `none`"),
        ("{processor: core, inputs: {a: {column: b, required: 1}}, output: y}", "1}", "`task.inputs.a.required` is 1, but must be true or false"),
    ],
)  # fmt: skip
def test_a_problem_in_the_task_is_reported_at_its_position(problems, task, at, message):
    found = problems(f"name: t\ntask: {task}\n")
    assert len(found) == 1
    assert found[0].startswith(f"2:{len('task: ') + task.index(at) + 1}: ")
    assert message in found[0]


@pytest.mark.parametrize("text", ["", "# nothing\n", "null\n", "- a\n", "42\n", "just words\n"])
def test_a_file_that_is_not_a_mapping_is_an_error_at_its_start(problems, text):
    assert problems(text) == ["1:1: a spec is a mapping of keys to values, such as `name: accounts`"]


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(problems):
    text = "task:\n  processor: core\n  prompt: ${NO}\n  outputs: {a: int}\nnam: x\nescalate: [pro]\nlimits:\n  deadline: x\n  concurrency: 0\n"
    assert [line.split(": ")[0] for line in problems(text)] == [
        "1:1",
        "3:11",
        "4:16",
        "5:1",
        "8:13",
        "9:16",
    ]


def test_a_problem_is_reported_once(problems):
    assert problems(BASE + "limits: {deadline: !x 1}\n") == [
        "7:20: tag '!x' has no meaning in a spec: write a plain value"
    ]
    assert len(problems(BASE.replace("accounts", "${NAME}"))) == 1


def test_a_name_that_cannot_be_a_folder_is_an_error(problems):
    for name in ("a b", "../x", "é", "''", "a" * 101):
        assert problems(BASE.replace("accounts", name))[0].startswith("1:7: `name` is ")


# --- keys that were renamed ------------------------------------------------------------------------------


def test_the_old_name_of_on_reject_is_read_with_a_warning_at_its_place(load, tmp_path):
    spec = load(BASE + "accept:\n  otherwise: keep\n  fields:\n    industry: {otherwise: blank}\n")
    assert (spec.accept.on_reject, spec.accept.fields["industry"].on_reject) == ("keep", "blank")
    file = tmp_path / "s.yaml"
    assert spec_warnings(spec) == [
        f"{file}:8:3: `accept.otherwise` is now called `accept.on_reject`: rename it",
        f"{file}:10:16: `accept.fields.industry.otherwise` is now called `accept.fields.industry.on_reject`: rename it",
    ]


def test_a_value_under_the_old_name_is_checked_at_its_place(problems):
    assert problems(BASE + "accept: {otherwise: drop}\n") == [
        "7:21: `accept.on_reject` is 'drop', but must be `blank` or `keep`"
    ]


def test_the_old_and_the_new_name_together_are_an_error(problems):
    assert problems(BASE + "accept: {on_reject: keep, otherwise: blank}\n") == [
        "7:27: `accept.otherwise` is the old name of `accept.on_reject`, and both are set: remove `otherwise`"
    ]


def test_the_old_name_in_a_dict_draws_the_same_warning():
    spec = parse_spec({**GOOD, "accept": {"otherwise": "keep"}}, environ={})
    assert spec_warnings(spec)[0] == "<spec>: `accept.otherwise` is now called `accept.on_reject`: rename it"


# --- files -----------------------------------------------------------------------------------------------


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


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
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


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_the_environment_of_the_process_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "ROWCITE_TEST_NAME", "fromenv")
    (tmp_path / "s.yaml").write_text(BASE.replace("accounts", "${ROWCITE_TEST_NAME}"))
    assert load_spec(tmp_path / "s.yaml").name == "fromenv"


def test_the_value_of_a_variable_is_in_no_error(problems):
    found = problems(BASE.replace("name: t\n", "") + "name: t\ncolumns: ${KEY}\n", KEY="top-secret")
    assert any("'${KEY}'" in line for line in found)
    assert not any("top-secret" in line for line in found)
