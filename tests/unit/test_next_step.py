"""Escalation: the next processor, the fields that it is to answer, and the cost."""

import json
from datetime import date

import msgspec
import pytest

from rowcite.accept.policy import acceptance_policy
from rowcite.api.bodies import runs_body
from rowcite.api.facts import TASK_AND_INPUT_CHARS
from rowcite.api.keys import canonical, task_key
from rowcite.model import RunState, StoredRun, Task
from rowcite.pipeline.next_step import (
    CostForecast,
    EscalationStep,
    known_words,
    narrowed,
    next_step,
    open_fields,
    outlook,
    shares,
    task_of,
    too_many,
)
from rowcite.rows.resolve import resolve
from rowcite.spec.accept_models import Accept
from rowcite.spec.fields import Field, FieldType, fields
from rowcite.spec.question import question

FIELDS = tuple(Field(name, FieldType("string"), name) for name in ("industry", "ceo", "city"))
LADDER = ("core", "pro", "ultra")


def run(number, processor, state=RunState.COMPLETED, **answers):
    basis = [
        {
            "field": name,
            "reasoning": "",
            "confidence": sure,
            "citations": [{"url": f"https://{name}.example/"}],
        }
        for name, (_, sure) in answers.items()
    ]
    output = {
        "type": "json",
        "content": {name: value for name, (value, _) in answers.items()},
        "basis": basis,
    }
    raw = json.dumps(output).encode() if state is RunState.COMPLETED else None
    return StoredRun(
        b"k" * 16, state, f"r{number}", processor, raw, None, None, number=number, first=number == 1
    )


SURE, UNSURE, NOTHING = ("x", "high"), ("y", "low"), (None, "low")
ACCEPT = {"min_confidence": "medium"}


def step(*runs, accept=ACCEPT, escalate=LADDER, **more):
    policy = acceptance_policy(FIELDS, Accept(**accept))
    return next_step(escalate, policy, resolve(runs, policy, date(2026, 1, 1), **more), runs)


# --- the processor and its fields ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run(1, "lite", industry=SURE, ceo=SURE, city=SURE)], None),
        ([run(1, "lite", industry=SURE, ceo=UNSURE, city=UNSURE)], EscalationStep("core", ("ceo", "city"))),
        ([run(1, "lite", industry=SURE, ceo=NOTHING, city=SURE)], None),
        ([run(1, "local:lite", industry=UNSURE), run(2, "local:core", industry=UNSURE)], EscalationStep("pro", ("industry",))),
        ([run(1, "lite", industry=UNSURE, ceo=UNSURE), run(2, "core", industry=SURE, ceo=UNSURE)], EscalationStep("pro", ("ceo",))),
        ([run(1, "lite", industry=UNSURE), run(2, "core", RunState.FAILED)], EscalationStep("pro", ("industry",))),
        ([run(1, "lite", industry=UNSURE), run(2, "core", RunState.SUBMITTED)], None),
        ([run(1, "pro", industry=UNSURE)], EscalationStep("ultra", ("industry",))),
        ([run(1, "ultra", industry=UNSURE)], None),
        ([run(1, "lite", RunState.FAILED)], None),
        ([run(1, "lite", RunState.SUBMITTED)], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_next_processor_is_sent_the_rejected_fields(runs, expected):
    assert step(*runs) == expected


def test_there_is_no_step_after_the_last_processor():
    tried = [run(number, name, industry=UNSURE) for number, name in enumerate(("lite", *LADDER), 1)]
    assert step(*tried) is None
    assert step(tried[0], escalate=()) is None


@pytest.mark.parametrize(
    ("required", "answers", "open_ones"),
    [
        ([], {"industry": NOTHING, "ceo": UNSURE}, ("ceo",)),
        (["industry"], {"industry": SURE, "ceo": UNSURE}, ()),
        (["industry"], {"industry": NOTHING, "ceo": UNSURE}, ("industry", "ceo")),
        (["industry", "city"], {"industry": SURE, "ceo": NOTHING}, ("city",)),
    ],
)
def test_with_required_fields_only_they_cause_a_retry(required, answers, open_ones):
    policy = acceptance_policy(FIELDS, Accept(required=required, min_confidence="medium"))
    found = resolve([run(1, "lite", **answers)], policy, date(2026, 1, 1))
    assert open_fields(policy, found) == open_ones


def test_a_given_value_is_not_retried():
    assert step(run(1, "lite", industry=UNSURE, ceo=SURE, city=SURE), given={"industry": "z"}) is None


# --- the question ---------------------------------------------------------------------------------------


@pytest.fixture
def first_question(make_spec):
    def first_question(**task):
        wanted = {
            "outputs": {"industry": "string", "ceo": "string", "city": {"type": "array", "items": "string"}},
            "mcp_servers": [{"url": "https://t.example", "name": "t", "headers": {"A": "secret-value"}}],
            "location": "us",
        }
        spec = make_spec({**wanted, **task})
        return question(spec, {"company": "string"}, "https://api.example"), fields(spec)

    return first_question


def test_a_step_sends_fewer_fields_to_another_processor(first_question):
    first, _ = first_question()
    again = narrowed(first, EscalationStep("pro", ("city",)))
    assert list(again.named["task_spec"]["output_schema"]["json_schema"]["properties"]) == ["city"]
    assert again.named["task_spec"]["output_schema"]["json_schema"]["required"] == ["city"]
    assert msgspec.json.decode(again.task_spec) == again.named["task_spec"]
    sent = json.loads(b"{" + again.run + b"}")
    assert (sent["processor"], sent["advanced_settings"]) == ("pro", {"location": "us"})
    assert sent["mcp_servers"][0]["headers"] == {"A": "secret-value"}
    assert "secret-value" not in json.dumps(again.named)
    assert again.fingerprint != first.fingerprint


def test_the_first_question_is_not_changed(first_question):
    first, _ = first_question()
    before = json.dumps(first.named)
    narrowed(first, EscalationStep("pro", ("city",)))
    assert json.dumps(first.named) == before


def test_accepted_values_are_sent_with_their_sources(first_question):
    first, names = first_question()
    policy = acceptance_policy(names, Accept(min_confidence="medium"))
    row = resolve([run(1, "lite", industry=("Steel\n mills", "high"), ceo=UNSURE)], policy, date(2026, 1, 1))
    known = known_words(policy, row)
    assert known == "industry: Steel mills (https://industry.example/)"
    again = narrowed(first, EscalationStep("core", ("ceo",)))
    root = Task(task_key(first.fingerprint, b'{"company":"Acme"}'), b'{"company":"Acme"}')
    task = task_of(again, root, known)
    assert json.loads(task.input) == {"company": "Acme", "known": known}
    assert "known" in again.named["task_spec"]["input_schema"]["json_schema"]["properties"]
    assert (task.root, task.key) == (root.key, task_key(again.fingerprint, task.input))
    json.loads(runs_body(again, [task]))


def test_without_accepted_values_the_input_is_the_same(first_question):
    first, _ = first_question()
    root = Task(b"k" * 16, b'{"company":"Acme"}')
    assert task_of(narrowed(first, EscalationStep("core", ("ceo",))), root, "").input == root.input


def test_a_prompt_ends_with_the_accepted_values(first_question):
    first, _ = first_question(prompt="Who runs {name}?")
    task = task_of(
        narrowed(first, EscalationStep("core", ("ceo",))),
        Task(b"k" * 16, b'"Who runs Acme?"'),
        "industry: Steel",
    )
    text = json.loads(task.input)
    assert text.startswith("Who runs Acme?\n\n")
    assert text.endswith("\nindustry: Steel")


def test_a_text_output_is_retried_whole(first_question):
    first, _ = first_question(output="The founding year")
    again = narrowed(first, EscalationStep("pro", ("answer",)))
    assert again.named["task_spec"]["output_schema"] == first.named["task_spec"]["output_schema"]


def test_accepted_values_are_cut_to_the_limit_of_the_api(first_question):
    first, _ = first_question()
    again = narrowed(first, EscalationStep("core", ("ceo",)))
    root = Task(b"k" * 16, canonical({"company": "x" * 20_000}))
    task = task_of(again, root, "\n".join(f"f{n}: {'y' * 400}" for n in range(100)))
    assert json.loads(task.input)["known"].startswith("f0: ")
    assert len(task.input) + len(again.task_spec) <= TASK_AND_INPUT_CHARS


def test_a_long_value_and_many_sources_are_cut(first_question):
    from rowcite.accept.judge import Cell
    from rowcite.model import Citation, RowStatus
    from rowcite.rows.resolve import ResolvedRow

    cell = Cell("z" * 9_000, "high", tuple(Citation(f"https://{n}.example/") for n in range(9)))
    words = known_words(acceptance_policy(FIELDS[:1], Accept()), ResolvedRow([cell], RowStatus.COMPLETED))
    assert len(words) < 700
    assert words.count("https://") == 3


# --- the cost ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tasks", "prices", "known", "expected"),
    [
        (
            100,
            [5, 25, 100],
            [0.4, 0.5, None],
            CostForecast(500 + 1000 + 2000, 13_000, (0.4, 0.5), assumed=False),
        ),
        (100, [5, 25, 100], [None, 0.0, None], CostForecast(500 + 1250, 13_000, (0.5, 0.0), assumed=True)),
        (100, [5], [None], CostForecast(500, 500, (), assumed=False)),
        (0, [5, 25], [None, None], CostForecast(0, 0, (0.5,), assumed=True)),
    ],
)
def test_the_forecast_has_the_expected_and_the_worst_cost(tasks, prices, known, expected):
    assert outlook(tasks, prices, known) == expected


def test_a_share_needs_enough_answers():
    assert shares(["lite", "core", "pro"], {"lite": 200, "core": 19}, {"lite": 50, "core": 10}) == [
        0.25,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("answers", "rejected", "stops"), [(99, 99, False), (100, 50, False), (100, 51, True), (100, 0, False), (300, 160, True)]
)  # fmt: skip
def test_a_run_stops_when_more_than_half_of_the_first_answers_are_rejected(answers, rejected, stops):
    assert too_many(answers, rejected) is stops


@pytest.mark.parametrize(
    ("escalate", "inputs", "message"),
    [
        (("pro", "cor"), {}, "no price is known for `cor`"),
        (
            ("core",),
            {},
            "`core` is listed before (as the first processor): name each processor once",
        ),
        (("pro", "pro"), {}, "`pro` is listed before"),
        (
            ("pro",),
            {"known": {"column": "name"}},
            "`known` holds earlier findings for the next processor: choose another name",
        ),
        (("pro", "ultra-fast"), {}, None),
    ],
)
def test_an_invalid_list_of_processors_is_an_error(make_spec, escalate, inputs, message):
    from rowcite.pipeline.spec_checks import spec_problems

    spec = make_spec({"inputs": inputs} if inputs else {}).model_copy(update={"escalate": escalate})
    problems = [text for _, text in spec_problems(spec)]
    assert len(problems) == (message is not None)
    assert message is None or message in problems[0]
