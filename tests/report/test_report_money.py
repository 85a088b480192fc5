"""What a report says of money: packs and a ladder, as a real run on the shipped server leaves them in the ledger."""

from contextlib import closing

import pytest

from rowcite.api.facts import PROCESSORS, usd
from rowcite.ledger import open_ledger
from rowcite.pipeline.prepare import Overrides, prepare
from rowcite.report.gather import gather
from rowcite.report.money import savings, spend
from support import ROOT, rowcite, serving, small_spec, write_spec
from support.answers import answer, answered, known, ready


def run(folder, task, **changes):
    """Run a spec over the sample, each row of which stands there twice, and return what its report counts."""
    whole = (ROOT / "sample_data" / "accounts.csv").read_text(encoding="utf-8")
    rows = whole.partition("\n")[2]
    (folder / "table.csv").write_text(whole.rstrip("\n") + "\n" + rows, encoding="utf-8")
    value = small_spec(**changes)
    value["task"] |= task
    del value["backend"], value["local"]
    spec = write_spec(folder, value)
    with serving(folder) as server:
        done = rowcite("run", spec, "--base-url", server.url, "-q", "--escalate-anyway", "--yes", cwd=folder)
        assert done.returncode == 0, done.stderr.decode()
        prepared = prepare(spec, Overrides(base_url=server.url))
        with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
            return gather(prepared.job, ledger)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A report of packs of ten."""
    return run(tmp_path_factory.mktemp("packs"), {"records_per_run": 10})


@pytest.fixture(scope="module")
def escalation_counts(tmp_path_factory):
    """A report of a ladder."""
    accept = {"min_confidence": "medium", "required": ["employee_count"]}
    folder = tmp_path_factory.mktemp("ladder")
    return run(folder, {"processor": "lite"}, accept=accept, escalate=["core", "pro"])


def lines(part):
    """Return the figures of a section: by name, runs and US$."""
    return {name: (runs, cost) for name, runs, cost in part.table.rows}


def test_rows_that_were_sent_together_are_money_saved(packed):
    packs, core = packed.packs, PROCESSORS["core"].price
    assert (packs.rows, packs.runs) == (packed.tasks, -(-packed.tasks // 10))
    assert packs.saved == (packs.rows - packs.runs) * core
    assert packed.spent == packed.runs * core == packs.runs * core


def test_savings_name_duplicates_and_packs(packed):
    found = lines(savings(packed))
    assert found["Every row on its own"][0] == str(packed.asked)
    assert found["Saved: rows that ask the same"][0] == str(packed.asked - packed.tasks)
    assert found["Saved: rows sent together"][0] == str(packed.packs.rows - packed.packs.runs)


def test_what_is_left_of_every_row_on_its_own_is_what_was_spent(packed):
    cost = [float(money.strip("$")) for _, money in lines(savings(packed)).values()]
    assert cost[0] - sum(cost[1:]) == pytest.approx(packed.spent / 1e6)


def test_spend_is_told_by_the_processors_of_the_ladder(escalation_counts):
    by_name = {item.processor: item for item in escalation_counts.spend}
    assert list(by_name) == ["lite", "core", "pro"]
    assert all(item.cost == item.runs * PROCESSORS[name].price for name, item in by_name.items())
    assert by_name["lite"].runs == escalation_counts.tasks > by_name["core"].runs > 0
    assert [name for name, _, _ in spend(escalation_counts).table.rows] == ["lite", "core", "pro"]


def test_a_ladder_is_held_against_asking_its_last_processor_at_once(escalation_counts):
    found = lines(savings(escalation_counts))
    assert found["Every question asked of pro"][0] == str(escalation_counts.tasks)
    assert found["What this ledger has spent"][0] == str(escalation_counts.runs)
    cost, spent = usd(escalation_counts.tasks * PROCESSORS["pro"].price), usd(escalation_counts.spent)
    assert (
        f"To ask pro at once would cost {cost}; this ledger has spent {spent}."
        in savings(escalation_counts).says
    )


def test_a_table_on_which_nothing_was_saved_says_so(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    answered(path, [answer()])
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        part = savings(gather(prepared.job, ledger))
    assert (part.says, part.svgs) == ("1 row came to 1 question; no run was saved.", ())
