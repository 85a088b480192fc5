"""Spend and savings in a report, from the ledgers of real runs with packs and with escalation."""

import json
from contextlib import closing

import pytest

from rowcite.api.facts import PROCESSORS, usd
from rowcite.cli import main
from rowcite.ledger import open_ledger
from rowcite.pipeline.overrides import Overrides
from rowcite.pipeline.prepare import prepare
from rowcite.report.gather import gather
from rowcite.report.money import outcomes, savings, spend, steps
from support import ROOT, rowcite, served, small_spec, write_spec
from support.answers import NOWHERE, answer, answered, known, ready


def run(folder, task, **changes):
    """Run a spec over the sample with every row duplicated, and return the facts of its report."""
    whole = (ROOT / "sample_data" / "accounts.csv").read_text(encoding="utf-8")
    rows = whole.partition("\n")[2]
    (folder / "table.csv").write_text(whole.rstrip("\n") + "\n" + rows, encoding="utf-8")
    value = small_spec(**changes)
    value["task"] |= task
    del value["backend"], value["local"]
    spec = write_spec(folder, value)
    with served(folder) as server:
        done = rowcite("run", spec, "--base-url", server.url, "-q", "--escalate-anyway", "--yes", cwd=folder)
        assert done.returncode == 0, done.stderr.decode()
        prepared = prepare(spec, Overrides(base_url=server.url))
        with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
            return gather(prepared.job, ledger)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Return the facts of a run with ten records per run."""
    return run(tmp_path_factory.mktemp("packs"), {"records_per_run": 10})


@pytest.fixture(scope="module")
def escalated(tmp_path_factory):
    """Return the facts of a run that escalates twice."""
    accept = {"min_confidence": "medium", "required": ["employee_count"]}
    folder = tmp_path_factory.mktemp("escalated")
    return run(folder, {"processor": "lite"}, accept=accept, escalate=["core", "pro"])


def lines(part):
    """Return the numbers of a section: runs and US$ by line."""
    return {name: (runs, cost) for name, runs, cost in part.table.rows}


def test_packed_rows_save_a_run_each(packed):
    packs, core = packed.packs, PROCESSORS["core"].price
    assert (packs.rows, packs.runs) == (packed.tasks, -(-packed.tasks // 10))
    assert packs.saved == (packs.rows - packs.runs) * core
    assert packed.spent == packed.runs * core == packs.runs * core


def test_savings_name_duplicates_and_packs(packed):
    found = lines(savings(packed))
    assert found["One run for each row"][0] == str(packed.requested)
    assert found["Saved: duplicate rows"][0] == str(packed.requested - packed.tasks)
    assert found["Saved: rows packed into shared runs"][0] == str(packed.packs.rows - packed.packs.runs)


def test_spend_is_one_run_for_each_row_less_the_savings(packed):
    cost = [float(money.strip("$")) for _, money in lines(savings(packed)).values()]
    assert cost[0] - sum(cost[1:]) == pytest.approx(packed.spent / 1e6)


def test_spend_is_listed_by_processor_in_escalation_order(escalated):
    by_name = {item.processor: item for item in escalated.spend}
    assert list(by_name) == ["lite", "core", "pro"]
    assert all(item.cost == item.runs * PROCESSORS[name].price for name, item in by_name.items())
    assert by_name["lite"].runs == escalated.tasks > by_name["core"].runs > 0
    assert [name for name, _, _ in spend(escalated).table.rows] == ["lite", "core", "pro"]


def test_savings_compare_escalation_with_the_last_processor_for_every_task(escalated):
    found = lines(savings(escalated))
    assert found["Every task on pro"][0] == str(escalated.tasks)
    assert found["Spent by this ledger"][0] == str(escalated.runs)
    cost, spent = usd(escalated.tasks * PROCESSORS["pro"].price), usd(escalated.spent)
    assert f"Every task on pro would cost {cost}; this ledger has spent {spent}." in savings(escalated).text


@pytest.mark.parametrize("table", ["packed", "escalated"])
def test_the_costs_of_all_outcomes_are_the_spend(table, request):
    facts = request.getfixturevalue(table)
    assert sum(facts.outcomes.cost.values()) == pytest.approx(facts.spent)
    lines = outcomes(facts).table.rows
    assert sum(float(cost.strip("$")) for *_, cost in lines) == pytest.approx(facts.spent / 1e6)


def test_each_step_opens_what_the_step_before_left_open(escalated):
    found_steps = escalated.outcomes.steps
    assert list(found_steps) == ["lite", "core", "pro"]
    first, second, third = found_steps.values()
    assert first.opened == escalated.tasks * len(escalated.fields)
    assert first.tasks == escalated.tasks > second.tasks > third.tasks > 0
    assert second.opened <= first.opened - first.settled
    assert third.opened <= second.opened - second.settled
    assert all(step.settled >= step.filled for step in found_steps.values())
    assert second.cost == second.tasks * PROCESSORS["core"].price


def test_the_steps_name_what_a_settled_field_costs(escalated):
    rows = {name: numbers for name, *numbers in steps(escalated).table.rows}
    lite = escalated.outcomes.steps["lite"]
    assert float(rows["lite"][-1].removeprefix("$")) == round(lite.cost / lite.settled / 1e6, 4)


def test_savings_say_when_no_runs_were_saved(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    answered(path, [answer()])
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        part = savings(gather(prepared.job, ledger))
    assert (part.text, part.svgs) == ("1 row needed 1 task; no runs were saved.", ())


def test_spend_says_what_failed_runs_cost_which_may_not_be_billed(some, capsys):
    prepared = ready(some)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        part = spend(gather(prepared.job, ledger))
    assert "$0.125, an upper bound: 1 failed run ($0.025) may not be billed" in part.text
    args = ["status", str(some), "--base-url", NOWHERE]
    assert main(args) == 0
    assert "$0.125 spent at list price, $0.025 of it on failed runs" in capsys.readouterr().out
    assert main([*args, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["spent_usd"], shown["spent_on_failed_usd"]) == (0.125, 0.025)
