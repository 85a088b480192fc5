"""The price of a data source that is paid for counts in cost, budget and spend, and the runs name the source."""

import json
from contextlib import closing

import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.bench import Bench
from rowcite.local.server.serving import embedded
from support import write_spec

ROWS = 4
TASK = {
    "processor": "core",
    "inputs": {"company": {"column": "name"}},
    "outputs": {"industry": "string"},
    "data_sources": {"free": ["patents"], "pay_per_use": ["filings"]},
}


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "t.csv").write_text("name\n" + "".join(f"Company {n}\n" for n in range(ROWS)))
    value = {"name": "s", "input": {"path": "t.csv"}, "output": {"path": "o.csv"}, "task": TASK}
    return str(write_spec(tmp_path, {**value, "prices": {"filings": 0.02}}))


@pytest.fixture(scope="module")
def server():
    with embedded(create_app(Bench(), ServerSettings())) as url:
        yield url


def test_cost_budget_and_spend_have_the_price_of_the_source(spec, server, tmp_path, capsys):
    assert main(["plan", spec, "--base-url", server, "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["cost_usd"] == pytest.approx(ROWS * 0.045)
    assert planned["sample"]["inputs"][0]["advanced_settings"] == {"data_sources": TASK["data_sources"]}
    assert main(["run", spec, "--base-url", server, "-q", "--max-cost", "0.17"]) == 6
    assert main(["run", spec, "--base-url", server, "-q", "--max-cost", "0.18"]) == 0
    with closing(open_ledger(tmp_path / ".rowcite" / "s", writing=False)) as ledger:
        assert ledger.spent() == ROWS * 45_000


def test_without_a_price_there_is_no_plan(spec, server, tmp_path, capsys):
    value = json.loads((tmp_path / "spec.yaml").read_text())
    del value["prices"]
    (tmp_path / "spec.yaml").write_text(json.dumps(value))
    assert main(["plan", spec, "--base-url", server]) == 2
    assert "no price is known for `filings`" in capsys.readouterr().err
