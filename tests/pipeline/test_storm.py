"""Seeded combinations of deviations and faults, with commands repeated until every task is answered.

`ROWCITE_STORMS=100` runs more seeds.
"""

import os
import random
from dataclasses import replace

import pytest

from rowcite.errors import RowciteError
from support import numbered
from support.deviant import Deviations
from support.submitting import PRICE, Submission, api, tasks

STORMS = int(os.environ.get("ROWCITE_STORMS", "4"))
MAX_COMMANDS = 8


def deviations(dice, seed):
    names = (
        "shuffle",
        "drop_metadata",
        "drop_inputs",
        "drop_outputs",
        "list_ended_only",
        "repeat",
        "odd_frames",
    )
    more = ("end_at_once", "squeeze", "stall", "refuse_betas")
    how = {name: dice.random() < 0.3 for name in names} | {name: dice.random() < 0.15 for name in more}
    return Deviations(seed=seed, run_events=dice.random() < 0.8, list_lag=dice.choice([0.0, 0.0, 0.2]), **how)


def faults(dice, seed):
    post, when = {"method": "POST", "path": "/runs$"}, ["before", "after"]
    passing = dice.choice([500, 503, 404, 408])
    http = [
        {**post, "probability": 0.25, "cut": True, "when": dice.choice(when)},
        {**post, "probability": 0.2, "status": passing, "when": dice.choice(when)},
        {"method": "GET", "probability": 0.1, "status": dice.choice([502, 429, 500, 408])},
        {"method": "GET", "path": "/runs$", "probability": 0.1, "cut": True, "when": "after"},
    ]
    return {"seed": seed, "http": http}


@pytest.mark.parametrize("seed", numbered(STORMS))
def test_no_combination_of_faults_loses_a_row_or_pays_for_one_twice(tmp_path, seed):
    dice = random.Random(seed)
    how, plan = deviations(dice, seed), faults(dice, seed)
    with api(tmp_path, how, latency=0.002, faults=plan) as server:
        job = Submission(tmp_path, server)
        job.retry_policy = replace(job.retry_policy, attempts=10)
        some = tasks(job.question, 100)
        for _ in range(MAX_COMMANDS):
            try:
                job.run(some, active_runs=dice.choice([30, 50, 100]), reconcile_after=0.45)
            except RowciteError as error:
                last = error
            else:
                break
        else:
            raise last
        assert job.misplaced(some) == []
        assert len(server.created()) == len(some)
        assert job.spent() == len(some) * PRICE
