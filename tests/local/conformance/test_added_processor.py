"""A processor that is added to the facts works everywhere: spec check, plan, server. The documentation: tests/docs/test_processor_table.py."""

import json
from datetime import datetime

import httpx
import pytest
from click.testing import CliRunner

from rowcite.api.facts import PROCESSORS, Processor
from rowcite.cli import cli
from rowcite.errors import SpecError
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.bench import Bench
from rowcite.local.server.serving import embedded
from rowcite.pipeline.spec_checks import spec_warnings
from rowcite.pipeline.spec_file import parse_spec
from support import write_spec

NAME, FIELDS = "hyper", 3
TASK = {
    "processor": NAME,
    "inputs": {"name": {"column": "name"}},
    "outputs": {f"f{number}": "string" for number in range(FIELDS + 1)},
}


@pytest.fixture
def added(monkeypatch):
    """Add a processor: US$ 0.04 a run, 20 seconds, 3 useful fields."""
    monkeypatch.setitem(PROCESSORS, NAME, Processor(40_000, (20, 20.001), FIELDS))


def test_a_name_that_is_not_in_the_facts_is_not_a_processor():
    with pytest.raises(SpecError, match="no price is known for `hyper`"):
        parse_spec({"name": "t", "task": TASK}, environ={})


def test_the_spec_check_knows_an_added_processor_and_its_useful_fields(added):
    spec = parse_spec({"name": "t", "task": TASK}, environ={})
    assert spec_warnings(spec) == ["4 fields, and `hyper` usefully fills about 3"]


def test_the_plan_has_price_and_duration_of_an_added_processor(added, tmp_path):
    (tmp_path / "in.csv").write_text("name\nAcme\nBolt\n")
    spec = {"name": "t", "input": {"path": "in.csv"}, "output": {"path": "out.csv"}, "task": TASK}
    done = CliRunner().invoke(cli, ["plan", str(write_spec(tmp_path, spec)), "--json"])
    plan = json.loads(done.stdout)
    assert plan["cost_usd"] == pytest.approx(0.08)
    assert plan["seconds"] == [20, 20.001]


def test_the_server_has_price_latency_and_useful_fields_of_an_added_processor(added):
    outputs = {"type": "object", "properties": {name: {"type": "string"} for name in TASK["outputs"]}}
    spec = {"output_schema": {"type": "json", "json_schema": outputs}}
    settings = ServerSettings(credit=0.05, latency=0.01)
    with (
        embedded(create_app(Bench(), settings)) as base,
        httpx.Client(base_url=base, timeout=10, trust_env=False) as client,
    ):
        run = {"processor": NAME, "input": "Acme", "task_spec": spec}
        first = client.post("/v1/tasks/runs", json=run).json()
        assert "about 3 that 'hyper'" in first["warnings"][0]["message"]
        assert client.post("/v1/tasks/runs", json=run).status_code == 402
        ended = client.get(f"/v1/tasks/runs/{first['run_id']}/result").json()["run"]
        taken = datetime.fromisoformat(ended["modified_at"]) - datetime.fromisoformat(ended["created_at"])
        assert 0.2 <= taken.total_seconds() < 20
        processors = client.get("/openapi.json").json()["components"]["schemas"]["RunInput"]["properties"]
        assert NAME in processors["processor"]["enum"]
