"""Policies simulated for many rows at once give what one row at a time gives, and their keys are those of a spec."""

import json
import random
from datetime import UTC, datetime

import pytest
import yaml

from rowcite.accept.policy import acceptance_policy
from rowcite.evaluation.choice import with_own_bars
from rowcite.evaluation.judging import Comparisons, judge_cell
from rowcite.evaluation.labelled_rows import LabelledTask
from rowcite.evaluation.policies import Policy, accept_of, grid, yaml_block
from rowcite.evaluation.row_simulation import simulate
from rowcite.evaluation.simulation import LabelledAnswers, Simulation
from rowcite.model import RunState, StoredRun
from rowcite.spec.fields import fields
from rowcite.spec.models import Spec

PRICES = {"lite": 5, "core": 25, "pro": 100}
NAMES = ("ceo", "city", "tags")


def spec(**accept):
    outputs = {"ceo": "string", "city": "string", "tags": {"type": "array", "items": "string"}}
    task = {"processor": "core", "inputs": {"company": {"column": "name"}}, "outputs": outputs}
    return Spec.model_validate({"name": "s", "input": {"path": "t.csv"}, "task": task, "accept": accept})


def answer(dice):
    if dice.random() < 0.08:
        return RunState.FAILED, None
    if dice.random() < 0.08:
        return RunState.COMPLETED, b"no JSON"
    content = {
        "ceo": dice.choice([None, "Ann", "Bo"]),
        "city": dice.choice([None, "Oslo", "Rome", 7]),
        "tags": ["x"],
    }
    basis = [
        {
            "field": name,
            "reasoning": "",
            "confidence": dice.choice(["low", "medium", "high"]),
            "citations": [],
        }
        for name in (*NAMES, "tags.0", "tags.1")
        if dice.random() < 0.8
    ]
    return RunState.COMPLETED, json.dumps({"type": "json", "content": content, "basis": basis}).encode()


def labelled_answers(rows, seed=1):
    dice = random.Random(seed)
    for number in range(rows):
        runs = {}
        for at, name in enumerate(PRICES):
            if dice.random() < 0.95:
                state, output = answer(dice)
                runs[name] = StoredRun(
                    b"k", state, f"{name}{number}", name, output, None, None, at, PRICES[name]
                )
        labels = {name: dice.choice([None, "Ann", "Oslo", ["0"]]) for name in NAMES if dice.random() < 0.7}
        weights = {name: dice.choice([1.0, 2.5]) for name in labels}
        yield LabelledAnswers(LabelledTask(str(number), number + 1, labels), runs, 1.5, weights)


def one_at_a_time(made, policy, rows):
    """Return what a policy accepts right and in all, what it costs, and on how many rows."""
    accept = acceptance_policy(fields(made), accept_of(policy, made.accept))
    comparisons, found = Comparisons(fields(made), {}), [0.0, 0.0, 0.0, 0]
    for task, runs, weight, weights in rows:
        row = simulate(runs, policy.ladder, accept, datetime.now(UTC).date())
        if row is None:
            continue
        found[2] += weight * sum(PRICES[name] for name in row.processors)
        found[3] += 1
        for name, cell in zip(NAMES, row.row.cells, strict=True):
            if name in task.labels and cell.value is not None and cell.rejection is None:
                pair = judge_cell(comparisons, task.record, task.row, name, task.labels[name], cell)
                found[0] += weights[name] * (pair.outcome == "right")
                found[1] += weights[name]
    return found


def at_once(simulation, policy):
    whole = simulation.candidate(policy).whole
    return [whole.right, sum(sums.given for sums in whole.sums.values()), whole.cost, whole.rows]


@pytest.mark.parametrize(
    "accept",
    [
        {},
        {"required": ["city"]},
        {"fields": {"ceo": {"min_confidence": "high"}}},
        {"rules": ["city <> 'Rome'", "len(tags) < 3 or ceo <> 'Bo'"]},
    ],
    ids=["plain", "required", "own bar", "rules"],
)
def test_rows_simulated_together_give_what_each_gives_alone(accept):
    made, rows = spec(**accept), list(labelled_answers(40))
    simulation = Simulation(made, PRICES, rows, Comparisons(fields(made), {}))
    policies = grid(list(PRICES), PRICES, ["ceo"])
    mixed = with_own_bars([simulation.candidate(policy) for policy in policies], NAMES, 0.5)
    assert any(policy.bars for policy in mixed)
    for policy in [*policies[::3], *mixed[::4]]:
        assert at_once(simulation, policy) == pytest.approx(one_at_a_time(made, policy, rows)), policy


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(("core",)), "core"),
        (Policy(("core",), "medium"), "core at medium"),
        (Policy(("core", "pro"), "medium", retry_for="ceo"), "core at medium, pro for `ceo`"),
        (Policy(("lite", "core", "pro")), "lite, then core and pro"),
        (
            Policy(("core",), None, (("ceo", "high"), ("city", "medium"), ("tags", "high"))),
            "core, `ceo` and `tags` at high, `city` at medium",
        ),
    ],
)
def test_a_policy_is_named_in_words(policy, words):
    assert str(policy) == words


ACCEPTS = [
    {},
    {"min_confidence": 0.7, "required": ["city"], "max_age": "730d", "not_found": ["n/a", "no", "-"]},
    {
        "fields": {"ceo": {"min_confidence": "low", "required": False, "pattern": "^[A-Z] \"'#:{"}},
        "max_age": "90s",
    },
    {
        "rules": ["ceo <> 'x: y'"],
        "trusted_domains": [".gov"],
        "on_reject": "keep",
        "fields": {"tags": {"one_of": ["on", 1]}},
    },
]


@pytest.mark.parametrize("accept", ACCEPTS)
def test_the_block_to_paste_makes_the_policy_that_was_simulated(accept):
    made = spec(**accept)
    for policy in [
        Policy(("lite",)),
        Policy(("core", "pro"), "medium", retry_for="ceo"),
        Policy(("lite", "pro"), None, (("ceo", "high"), ("tags", "medium"))),
    ]:
        block = yaml.safe_load(yaml_block(policy, made.accept))
        pasted = Spec.model_validate(
            {
                **spec().model_dump(exclude_unset=True),
                "accept": block.get("accept", {}),
                "escalate": block["escalate"],
            }
        )
        assert pasted.accept == accept_of(policy, made.accept)
        assert (block["task"], pasted.escalate) == ({"processor": policy.ladder[0]}, policy.ladder[1:])


def test_a_bar_for_all_fields_is_above_the_bar_of_one():
    changed = accept_of(Policy(("core",), "high"), spec(fields={"ceo": {"min_confidence": "low"}}).accept)
    assert (changed.min_confidence, changed.fields) == ("high", {})
