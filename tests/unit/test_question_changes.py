"""What changed in a spec since its stored answers, in words."""

from copy import deepcopy

import pytest

from rowcite.api.keys import fingerprint
from rowcite.api.packing import packed, unpacked
from rowcite.ledger import QuestionAnswers
from rowcite.pipeline.question_changes import changes, earlier_answers
from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.question import question

TASK = {
    "processor": "core",
    "instructions": "Use the company's own site.",
    "inputs": {"company": {"column": "name"}, "site": {"column": "site", "description": "Web site"}},
    "outputs": {
        "employees": {"type": "integer", "description": "Head count"},
        "stage": {"enum": ["Seed", "Public"], "description": "Latest stage"},
    },
    "location": "us",
}


def asked(*path_and_value, task=TASK):
    """Return the question of a task with one value changed: the path to it, then the value; None removes it."""
    task = deepcopy(task)
    if path_and_value:
        *path, last, value = path_and_value
        part = task
        for name in path:
            part = part[name]
        if value is None:
            del part[last]
        else:
            part[last] = value
    return question(
        parse_spec({"name": "t", "input": {"path": "t.csv"}, "task": task}), {}, "https://api.example"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("processor", "pro"), "the processor changed from core to pro"),
        (("instructions", "Use registers."), "the instructions changed"),
        (("instructions", None), "the instructions changed"),
        (("outputs", "employees", "description", "Employees"), "the description of employees changed"),
        (("outputs", "employees", "type", "number"), "the type of employees changed"),
        (("outputs", "stage", "enum", ["Seed", "Series A"]), "the list of values of stage changed"),
        (("outputs", "stage", {"type": "string"}), "the schema of stage changed"),
        (("outputs", "ceo", "Name of the CEO"), "field ceo was added"),
        (("outputs", "stage", None), "field stage was removed"),
        (("inputs", "city", {"column": "city"}), "input city was added"),
        (("inputs", "site", None), "input site was removed"),
        (("inputs", "site", "description", "Home page"), "the description of input site changed"),
        (("location", "de"), "the location changed from us to de"),
        (("location", None), "the location changed from us to none"),
        (("source_policy", {"include_domains": ["sec.gov"]}), "the source policy changed"),
        (("mcp_servers", [{"name": "crm", "url": "https://crm.example"}]), "the MCP servers changed"),
        (("previous_interaction_id", "trun_1"), "the previous interaction changed"),
    ],
)
def test_a_change_of_the_question_is_named(change, words):
    assert changes(asked().named, asked(*change).named) == [words]


@pytest.mark.parametrize(
    "change", [("inputs", "site", "type", "string"), ("inputs", "site", "required", True)]
)
def test_what_does_not_change_the_answers_is_not_named(change):
    assert changes(asked().named, asked(*change).named) == []


def test_several_changes_are_all_named():
    before = asked().named
    now = asked(task={**TASK, "processor": "pro", "outputs": {"ceo": "Name of the CEO"}}).named
    assert changes(before, now) == [
        "the processor changed from core to pro",
        "field ceo was added",
        "field employees was removed",
        "field stage was removed",
    ]


def test_another_form_of_output_or_input_is_named():
    text = {"processor": "core", "prompt": "Who runs {name}?", "output": "The CEO", "location": "us"}
    assert changes(asked().named, asked(task=text).named) == [
        "the output changed",
        "the input changed between inputs and a prompt",
    ]


@pytest.mark.parametrize("change", [(), ("instructions", None), ("inputs", "site", None)])
def test_a_packed_question_is_compared_as_the_question_of_one_row(change):
    one = asked(*change)
    assert fingerprint(unpacked(packed(one).named)) == one.fingerprint
    assert unpacked(one.named) == one.named


def test_a_packed_prompt_is_compared_as_the_prompt_of_one_row():
    task = {name: part for name, part in TASK.items() if name != "inputs"}
    one = asked("prompt", "Who runs {name}?", task=task)
    assert fingerprint(unpacked(packed(one).named)) == one.fingerprint


def test_answers_that_are_requested_again_are_those_not_replaced_yet():
    now, before = asked("outputs", "employees", "description", "Employees"), asked()
    stored = [QuestionAnswers(packed(now).named, 100, 30), QuestionAnswers(before.named, 383, 383)]
    found = earlier_answers(now.named, stored, to_submit=320, present=70)
    assert found == (["the description of employees changed"], 283, 383, 30)


def test_answers_that_are_ignored_are_not_those_of_another_question():
    now, compared = asked(), asked("processor", "pro")
    stored = [QuestionAnswers(compared.named, 5, 5), QuestionAnswers(now.named, 100, 100)]
    assert earlier_answers(now.named, stored, to_submit=100, present=0) == ([], 0, 5, 100)


def test_rows_of_packs_and_rows_sent_alone_are_of_one_question():
    now, before = asked("outputs", "employees", "description", "Employees"), asked()
    stored = [QuestionAnswers(before.named, 1, 0), QuestionAnswers(packed(before).named, 73, 0)]
    assert earlier_answers(now.named, stored, to_submit=74, present=0).answers == 74


def test_a_trial_with_few_rows_does_not_hide_the_full_run_before_it():
    trial, full, now = asked("processor", "pro"), asked(), asked("location", "de")
    stored = [QuestionAnswers(trial.named, 5, 0), QuestionAnswers(full.named, 383, 0)]
    assert earlier_answers(now.named, stored, 383, 0)[:2] == (["the location changed from us to de"], 383)


def test_nothing_changed_when_all_earlier_answers_are_replaced():
    now = asked("processor", "pro")
    stored = [QuestionAnswers(now.named, 383, 0), QuestionAnswers(asked().named, 383, 0)]
    assert earlier_answers(now.named, stored, 5, 383)[:2] == ([], 0)
