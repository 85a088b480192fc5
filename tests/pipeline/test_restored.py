"""A ledger that was restored from an older copy: it reports what it cannot know, and no row gets another row's answer."""

import csv
import json
import shutil

import pytest

from rowcite.cli import main
from support import small_spec, write_spec
from support.submitting import api

ROWS, EARLIER = 20, 8


class Job:
    """A table, and a ledger with the answers of its first rows."""

    def __init__(self, folder, server, output="out.csv"):
        self.folder, self.server = folder, server
        self.ledger, self.output = folder / ".rowcite" / "small", folder / output
        lines = "".join(f"Company {number},\n" for number in range(ROWS))
        (folder / "table.csv").write_text(f"name,website\n{lines}")
        task = {
            "processor": "core",
            "inputs": {"company_name": {"column": "name"}},
            "outputs": {"city": "string"},
        }
        spec = small_spec(backend="parallel", task=task, output={"path": output})
        self.spec = str(write_spec(folder, {name: value for name, value in spec.items() if name != "local"}))
        assert self("run", "--limit", str(EARLIER)) == 0

    def __call__(self, *command, code=0):
        name, *flags = command
        return main([name, self.spec, "--base-url", self.server.url, *flags])

    def restore(self, copy):
        shutil.rmtree(self.ledger)
        if copy.is_dir():
            shutil.copytree(copy, self.ledger)
        else:
            self.ledger.mkdir()
            shutil.copy(copy, self.ledger / "ledger.db")

    def answers(self):
        with self.output.open(newline="") as file:
            return [json.loads(row["city"])["company_name"] for row in csv.DictReader(file)]


@pytest.fixture
def server(tmp_path):
    with api(tmp_path) as running:
        yield running


@pytest.fixture
def job(tmp_path, server):
    return Job(tmp_path, server)


def planned(job, capsys):
    capsys.readouterr()
    assert job("plan", "--json") == 0
    return json.loads(capsys.readouterr().out)


def check_finished(job, capsys):
    """Run to the end; check that it warns, and that what the copy lacks was requested again, each row for itself."""
    before = len(job.server.created())
    assert job("run", "-q") == 0
    assert "are sent again, and paid for again" in capsys.readouterr().err
    assert len(job.server.created()) - before == ROWS - EARLIER
    assert job.answers() == [f"Company {number}" for number in range(ROWS)]


def test_a_backup_that_is_restored_is_reported_until_something_is_submitted(job, capsys):
    copy = job.folder / "copy.db"
    assert main(["ledger", "backup", job.spec, "-o", str(copy)]) == 0
    assert planned(job, capsys)["warnings"] == []  # only the copy is marked
    assert job("run", "-q") == 0
    job.restore(copy)
    (warning,) = planned(job, capsys)["warnings"]
    assert "this ledger is a copy of 20" in warning
    assert "are sent again, and paid for again" in warning
    for command in (["status"], ["ledger", "verify"]):
        assert main([*command, job.spec]) == 0
        assert "what was submitted, answered and decided since then is not known" in capsys.readouterr().err
    check_finished(job, capsys)
    assert main(["ledger", "verify", job.spec]) == 0
    assert "copy" not in capsys.readouterr().err
    assert planned(job, capsys)["warnings"] == []


@pytest.mark.parametrize("output", ["out.csv", "out.jsonl.gz", "out.parquet"])
def test_a_ledger_that_lacks_the_runs_of_the_table_is_reported_before_they_are_paid_again(
    tmp_path, server, capsys, output
):
    job = Job(tmp_path, server, output)
    shutil.copytree(job.ledger, tmp_path / "copy")
    assert planned(job, capsys)["warnings"] == []
    assert job("run", "-q") == 0
    job.restore(tmp_path / "copy")
    plan = planned(job, capsys)
    (warning,) = plan["warnings"]
    assert f"the ledger does not know {ROWS - EARLIER} of {ROWS} runs that {output} names" in warning
    assert plan["to_submit"] == ROWS - EARLIER
    assert job("plan", "--fresh", "--json") == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []
    if output == "out.csv":
        check_finished(job, capsys)


def test_runs_that_were_active_in_the_copy_are_collected_and_not_paid_again(job):
    assert job("submit", "-q") == 0
    shutil.copytree(job.ledger, job.folder / "copy")
    assert job("collect", "-q", "--wait", "30s") == 0
    job.restore(job.folder / "copy")
    assert job("run", "-q") == 0
    assert len(job.server.created()) == ROWS
    assert job.answers() == [f"Company {number}" for number in range(ROWS)]
