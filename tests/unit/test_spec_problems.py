"""Spec files: every problem is reported at its position, with what to do, and only as a SpecError."""

import pytest

from rowcite.pipeline.spec_checks import spec_warnings
from support import BASE_SPEC as BASE
from support.editors import valid_in_an_editor

# --- positions and suggestions ---------------------------------------------------------------------------


wrong_keys = pytest.mark.parametrize(
    ("added", "message"),
    [
        ("inpt: {path: x}", "7:1: unknown key `inpt`: did you mean `input`?"),
        ("input: {pth: x}", "7:9: unknown key `pth` in `input`: did you mean `path`?"),
        (
            "zzz: 1",
            "7:1: unknown key `zzz`: valid here: name, input, output, task, accept, escalate, columns, limits, eval, prices, cache, engine, backend, local",
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
        ("input: a.csv", "7:8: `input` is 'a.csv', but must be a mapping: write {path: a.csv}"),
        ("cache: 90d", "7:8: `cache` is '90d', but must be a mapping: write {max_age: 90d}"),
        ("escalate: core", "7:11: `escalate` is 'core', but must be a list: write [core]"),
        ("input: null", "7:8: `input` is null, but must be a mapping"),
        (
            "input: {format: docx}",
            "7:17: `input.format` is 'docx', but must be `csv`, `tsv`, `parquet`, `jsonl` or `xlsx`",
        ),
        ("input: {path: 2024}", "7:15: `input.path` is 2024, but must be a text: put it in quotes"),
        (
            "input: {csv: {null_values: [0]}}",
            "7:29: `input.csv.null_values.0` is 0, but must be a text: put it in quotes",
        ),
        (
            "input: {csv: {null_values: n/a}}",
            "7:28: `input.csv.null_values` is 'n/a', but must be a list: write [n/a]",
        ),
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
        (
            "accept: {rules: industry}",
            "7:17: `accept.rules` is 'industry', but must be a list: write [industry]",
        ),
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


@wrong_keys
def test_a_problem_is_reported_at_its_position(problems, added, message):
    found = problems(BASE + added + "\n")
    assert len(found) == 1
    assert message in found[0]


wrong_tasks = pytest.mark.parametrize(
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
        ("{processor: core, prompt: x, outputs: {a: int}}", "int}", "`task.outputs.a` is 'int', but must be a type or a description: did you mean `integer`? As a description, write {type: string, description: int}"),
        ("{processor: core, prompt: x, outputs: {a: Strng}}", "Strng}", "did you mean `string`?"),
        ("{processor: core, prompt: x, outputs: {a: ' '}}", "' '", "`task.outputs.a` is ' ', but must be a type or a description"),
        ("{processor: core, prompt: x, outputs: {a: {typ: string}}}", "typ:", "unknown key `typ` in `task.outputs.a`: did you mean `type`?"),
        ("{processor: core, prompt: x, outputs: {a: {}}}", "{}}", "`task.outputs.a`: a field needs a `type`"),
        ("{processor: core, prompt: x, outputs: {a: 5}}", "5}", "`task.outputs.a` is 5, but must be a mapping"),
        ("{processor: core, prompt: x, outputs: [a]}", "[a]", "`task.outputs` is a list, but must be a mapping: write each item as a key, `name: ...` without -"),
        ("{processor: core, inputs: {a: b}, outputs: {a: x}}", "b}", "`task.inputs.a` is 'b', but must be a mapping: write {column: b}"),
        ("{processor: core, prompt: x, outputs: {a: {enum: [1]}}}", "1]", "`task.outputs.a.enum.0` is 1, but must be a text: put it in quotes"),
        ("{processor: core, prompt: x, outputs: {a: {enum: []}}}", "{enum", "`enum` needs at least one value, and each value once"),
        ("{processor: core, prompt: x, outputs: {a: {enum: [x, x]}}}", "{enum", "`enum` needs at least one value, and each value once"),
        ("{processor: core, prompt: x, outputs: {a: {type: integer, enum: [x]}}}", "{type", "an `enum` is a choice of texts: remove `type`"),
        ("{processor: core, prompt: x, outputs: {a: {type: string, items: string}}}", "{type", "`items` is for `type: array`"),
        ("{processor: core, prompt: x, outputs: {a: {type: string, properties: {b: string}}}}", "{type", "`properties` is for `type: object`"),
        ("{processor: core, prompt: x, outputs: {a: object}}", "object}", "`type: object` needs `properties`"),
        ("{processor: cor, prompt: x, output: y}", "cor,", "no price is known for `cor` (did you mean `core`?): correct the name, or give US$ per run under `prices: {cor: 0.01}`"),
        ("{processor: core, prompt: x, output: y, location: usa}", "usa", "`task.location` is 'usa'"),
        ("{processor: core, prompt: x, output: y, metadata: {team: 5}}", "5}", "`task.metadata.team` is 5, but must be a text: put it in quotes"),
        ("{processor: core, prompt: x, output: y, source_policy: {include_domains: ['a.com:80/x']}}", "'a.com", "must be a domain without scheme, port or query, such as example.com, .gov or docs.python.org/3"),
        ("{processor: core, inputs: {a: {column: b, descr: c}}, output: y}", "descr:", "unknown key `descr` in `task.inputs.a`: did you mean `description`?"),
        ("{processor: core, inputs: {a: {column: b, transform: upper}}, output: y}", "upper", "`task.inputs.a.transform` is 'upper', but must be `strip`, `lower`, `domain`, `url` or `none`"),
        ("{processor: core, inputs: {a: {column: b, required: 1}}, output: y}", "1}", "`task.inputs.a.required` is 1, but must be true or false"),
    ],
)  # fmt: skip


@wrong_tasks
def test_a_problem_in_the_task_is_reported_at_its_position(problems, task, at, message):
    found = problems(f"name: t\ntask: {task}\n")
    assert len(found) == 1
    assert found[0].startswith(f"2:{len('task: ') + task.index(at) + 1}: ")
    assert message in found[0]


NOT_IN_A_SCHEMA = (
    "is not a field", "look-around", "regular expression", "applies to", "is not a text", "lists no values", "not an expression",
    "is a text and", "both trusted and", "repeated key", "not valid YAML", "has no meaning", "is not set", "has a NUL",
    "a key must be", "is not a finite", "no price is known", "cannot read the JSON schema", "an encoding that Python",
    "999999999999d", "did you mean `string`", "the prompt is empty",
)  # fmt: skip
"""Parts of messages: what a JSON Schema cannot express, or what is wrong with the text and not with its values."""


@wrong_keys
def test_the_json_schema_rejects_what_the_loader_rejects(added, message):
    assert any(part in message for part in NOT_IN_A_SCHEMA) or not valid_in_an_editor(BASE + added)


@wrong_tasks
def test_the_json_schema_rejects_a_task_that_the_loader_rejects(task, at, message):
    text = f"name: t\ntask: {task}\n"
    assert any(part in message for part in NOT_IN_A_SCHEMA) or not valid_in_an_editor(text)


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
