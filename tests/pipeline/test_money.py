"""Spend in the ledger equals the number of runs that the server created times their price."""

import json
import shutil
from collections import Counter
from contextlib import closing
from itertools import pairwise

import pytest

from rowcite.api.facts import PROCESSORS
from rowcite.ledger import open_ledger
from support import ROOT, rowcite, served, small_spec, write_spec

# Half of the runs fail, so that one of 20 packs does: the port decides which, and at a fifth none failed once in 90 runs.
FAULTS = {"fail": 0.5, "seed": 5}
COMMANDS = ([], ["--retry-failed"], ["--fresh"], [])


@pytest.fixture(scope="module", params=[1, 4], ids=["singly", "packs"])
def commands(request, tmp_path_factory):
    """Run the sample with escalation four times while runs fail; return spend, runs and summary of each command."""
    folder = tmp_path_factory.mktemp("money")
    shutil.copy(ROOT / "sample_data" / "accounts.csv", folder / "table.csv")
    value = small_spec(
        accept={"min_confidence": "medium", "required": ["employee_count"]}, escalate=["core", "pro"]
    )
    value["task"] |= {"processor": "lite", "records_per_run": request.param}
    del value["backend"], value["local"]
    spec = write_spec(folder, {**value, "limits": {"max_failed": "100%"}})
    after = []
    with served(folder, faults=FAULTS) as server:
        common = ["--base-url", server.url, "--json", "--yes", "--escalate-anyway"]
        for flags in COMMANDS:
            done = rowcite("run", spec, *common, *flags, cwd=folder)
            assert done.returncode == 0, done.stderr.decode()
            with closing(open_ledger(folder / ".rowcite" / "small", writing=False)) as ledger:
                spent = ledger.spent()
            created = Counter(line["processor"] for line in server.created())
            after.append((spent, created, json.loads(done.stdout)))
    return after


def cost(created):
    return sum(PROCESSORS[name].price * runs for name, runs in created.items())


@pytest.mark.parametrize("at", range(len(COMMANDS)), ids=["first", "retry", "fresh", "repeat"])
def test_spend_in_the_ledger_is_runs_created_times_price(commands, at):
    spent, created, _ = commands[at]
    assert spent == cost(created) > 0


def test_each_command_reports_its_spend(commands):
    before = [0, *(spent for spent, _, _ in commands)]
    reported = [summary["spent_usd"] for _, _, summary in commands]
    assert reported == pytest.approx([(now - then) / 1e6 for then, now in pairwise(before)])


def test_escalation_and_each_kind_of_retry_create_runs(commands):
    runs = [created for _, created, _ in commands]
    assert set(runs[0]) == {"lite", "core", "pro"}
    assert runs[0]["lite"] < runs[1]["lite"] < runs[2]["lite"]


def test_a_command_with_nothing_to_submit_spends_nothing(commands):
    assert commands[3][:2] == commands[2][:2]
