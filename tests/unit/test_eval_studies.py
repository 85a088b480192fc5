"""Whole studies with a known truth: how often `--target` certifies what it should not, and what it should.

ROWCITE_STUDIES=300 runs the full number, in `make soak`.
"""

import json
import os
import random

from rowcite.api.facts import PROCESSORS
from rowcite.evaluation.choice import choose, with_own_bars
from rowcite.evaluation.judging import Comparisons
from rowcite.evaluation.labelled_rows import LabelledTask
from rowcite.evaluation.policies import grid
from rowcite.evaluation.simulation import LabelledAnswers, Simulation
from rowcite.model import RunState, StoredRun
from rowcite.spec.fields import fields
from rowcite.spec.models import Spec

STUDIES = int(os.environ.get("ROWCITE_STUDIES", "6"))
NAMES, CERTAINTIES, TARGET = ("ceo", "city"), ("low", "medium", "high"), 0.9
PRICES = {name: PROCESSORS[name].price for name in ("lite", "core")}
SPEC = Spec.model_validate(
    {
        "name": "s",
        "input": {"path": "t.csv"},
        "task": {
            "processor": "core",
            "inputs": {"company": {"column": "name"}},
            "outputs": dict.fromkeys(NAMES, "string"),
        },
    }
)


def run(dice, processor, right):
    """Return an answer whose values are right with a chance that depends on their confidence."""
    sure = {name: dice.choice(CERTAINTIES) for name in NAMES}
    content = {name: "right" if dice.random() < right[sure[name]] else "wrong" for name in NAMES}
    basis = [{"field": name, "reasoning": "", "confidence": sure[name], "citations": []} for name in NAMES]
    output = json.dumps({"type": "json", "content": content, "basis": basis}).encode()
    return StoredRun(b"k", RunState.COMPLETED, processor, processor, output, None, None, 1, 0)


def study(seed, right, rows=240):
    """Return what a study of some labelled rows chooses for the target."""
    dice = random.Random(seed)
    answers = [
        LabelledAnswers(
            LabelledTask(f"{seed} {number}", number, dict.fromkeys(NAMES, "right")),
            {name: run(dice, name, right) for name in PRICES},
            1.0,
            dict.fromkeys(NAMES, 1.0),
        )
        for number in range(rows)
    ]
    simulation = Simulation(SPEC, PRICES, answers, Comparisons(fields(SPEC), {}))
    candidates = [simulation.candidate(policy) for policy in grid(list(PRICES), PRICES, NAMES)]
    candidates += [simulation.candidate(policy) for policy in with_own_bars(candidates, NAMES, TARGET)]
    return choose(candidates, NAMES, TARGET)


def test_policies_below_the_target_are_certified_in_at_most_one_study_in_ten():
    """Every policy is below the target, the strictest only just: each certified one is false."""
    below = {"low": 0.85, "medium": 0.88, "high": 0.898}
    false = sum(study(seed, below).certified for seed in range(STUDIES))
    assert false <= max(STUDIES / 10, 2)


def test_a_policy_far_above_the_target_is_certified():
    above = {"low": 0.5, "medium": 0.97, "high": 0.995}
    found = [study(1000 + seed, above) for seed in range(max(STUDIES // 6, 1))]
    certified = [choice for choice in found if choice.certified]
    assert len(certified) >= 0.8 * len(found)
    assert all(choice.judged_by.bound(choice.weakest) >= TARGET for choice in certified)
