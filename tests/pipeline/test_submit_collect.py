"""`submit` sends and ends, `collect` takes what is ready: together they do what `run` does, in any order and any number of times."""

import csv
import json
from threading import Event, Timer

import pytest

from rowcite.cli import main
from rowcite.local.research.question import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis
from support import write_spec

CONFIDENCE = {"lite": "low", "core": "high"}


class Gated:
    """Answers with the processor's name. `slow` companies wait until the gate is opened."""

    def __init__(self):
        self.gate, self.asked = Event(), set()

    def research(self, question):
        name = question.input["company_name"]
        if name.startswith("slow"):
            assert self.gate.wait(120)
        if name == "sure, alone" and name not in self.asked:
            self.asked.add(name)
            return Finding("json", {}, (), None, 1, ())
        confidence = "high" if name.startswith("sure") else CONFIDENCE[question.processor]
        basis = FieldBasis("city", "So.", (Citation("https://a.example/"),), confidence)
        return Finding("json", {"city": f"{name} by {question.processor}"}, (basis,), None, 1, ())


class Scene:
    """A server, a table and its spec, and the commands on them."""

    def __init__(self, folder, url, researcher, journal):
        self.folder, self.url, self.researcher, self.journal = folder, url, researcher, journal
        self.spec()

    def spec(self, **changes):
        task = {
            "processor": "lite",
            "inputs": {"company_name": {"column": "name"}},
            "outputs": {"city": "string"},
        }
        value = {
            "name": "s",
            "input": {"path": "t.csv"},
            "output": {"path": "o.csv"},
            "accept": {"min_confidence": "medium"},
            "escalate": ["core"],
            **changes,
        }
        write_spec(self.folder, {**value, "task": {**task, **changes.get("task", {})}})

    def table(self, *names):
        with (self.folder / "t.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["name"], *([name] for name in names)])

    def __call__(self, command, *flags):
        return main([command, str(self.folder / "spec.yaml"), "--base-url", self.url, *flags])

    def statuses(self):
        with (self.folder / "o.csv").open(newline="") as file:
            return [row["rowcite_status"] for row in csv.DictReader(file)]

    def created(self):
        if not self.journal.exists():
            return []
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [line["processor"] for line in lines if "input_sha256" in line]


@pytest.fixture
def scene(tmp_path):
    researcher, journal = Gated(), tmp_path / "journal.jsonl"
    with embedded(create_app(researcher, ServerSettings(journal=journal))) as url:
        yield Scene(tmp_path, url, researcher, journal)
        researcher.gate.set()


def collected(scene, *flags):
    """Collect until no row is pending."""
    for _ in range(50):
        if (code := scene("collect", "-q", "--wait", "1s", *flags)) != 5:
            return code
    raise AssertionError("still pending")


# --- submit ----------------------------------------------------------------------------------------------


def test_submit_sends_every_task_and_writes_no_table(scene, capsys):
    scene.table("slow one", "slow two", "slow two")
    assert scene("submit", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["submitted"], shown["spent_usd"], shown["output"]) == (2, 0.01, None)
    assert scene.created() == ["lite", "lite"]
    assert not (scene.folder / "o.csv").exists()


def test_a_repeated_submit_sends_nothing_again(scene):
    scene.table("slow one", "slow two")
    assert scene("submit", "-q") == scene("submit", "-q") == 0
    assert len(scene.created()) == 2


def test_a_row_that_was_added_is_all_that_the_next_submit_sends(scene):
    scene.table("slow one")
    assert scene("submit", "-q") == 0
    scene.table("slow one", "slow two")
    assert scene("submit", "-q") == 0
    assert len(scene.created()) == 2


def test_submit_stops_at_the_number_of_active_runs(scene, capsys):
    scene.spec(limits={"active_runs": 2})
    scene.table("slow 1", "slow 2", "slow 3")
    assert scene("submit") == 5
    assert "limits.active_runs (2)" in capsys.readouterr().err
    assert len(scene.created()) == 2
    scene.researcher.gate.set()
    while scene("collect", "-q") == 5 and scene.statuses().count("pending") > 1:
        pass
    assert scene("submit", "-q") == 0
    assert collected(scene) == 0
    assert scene.created().count("lite") == 3


def test_submit_over_budget_sends_nothing(scene):
    scene.table("slow 1", "slow 2")
    assert scene("submit", "-q", "--max-cost", "0.005") == 6
    assert scene.created() == []


@pytest.mark.parametrize("command", ["submit", "collect"])
def test_the_local_backend_is_refused_because_its_server_ends(scene, capsys, command):
    scene.table("Acme")
    scene.spec(backend="local", local={"corpus": "."})
    assert main([command, str(scene.folder / "spec.yaml")]) == 2
    assert "rowcite serve --corpus" in capsys.readouterr().err


# --- collect ---------------------------------------------------------------------------------------------


def test_collect_writes_what_is_ready_and_ends_with_5_while_rows_are_pending(scene):
    scene.table("sure thing", "slow one")
    assert scene("submit", "-q") == 0
    while scene("collect", "-q") == 5 and scene.statuses() != ["completed", "pending"]:
        pass
    assert scene.statuses() == ["completed", "pending"]
    scene.researcher.gate.set()
    assert collected(scene) == 0
    assert scene.statuses() == ["completed", "completed"]


def test_collect_escalates_the_rows_that_are_ready_while_others_are_active(scene):
    scene.table("Acme", "slow one")
    assert scene("submit", "-q") == 0
    while scene.created() != ["lite", "lite", "core"]:
        assert scene("collect", "-q") == 5
    scene.researcher.gate.set()
    assert collected(scene) == 0
    assert scene.statuses() == ["completed", "completed"]
    assert sorted(scene.created()) == ["core", "core", "lite", "lite"]


def test_collect_sends_no_row_that_submit_has_not_sent(scene, capsys):
    scene.table("sure thing")
    assert scene("submit", "-q") == 0
    scene.table("sure thing", "sure other")
    while scene("collect", "-q") == 5 and scene.statuses() != ["completed", "pending"]:
        pass
    assert scene("collect") == 5
    assert scene.created() == ["lite"]
    assert "rowcite submit" in capsys.readouterr().err


def test_collect_with_nothing_submitted_asks_nothing_of_the_api(scene):
    scene.table("Acme")
    assert scene("collect", "-q") == 5
    assert scene.statuses() == ["pending"]
    assert not scene.journal.exists() or "GET" not in scene.journal.read_text()


def test_the_collects_of_a_submission_share_its_budget(scene):
    scene.table("Acme", "slow one")
    scene.spec(limits={"max_cost_usd": 1})
    assert scene("submit", "-q", "--max-cost", "0.045") == 0  # 2 of lite; one of core is left
    while "core" not in scene.created():
        assert scene("collect", "-q") == 5
    scene.researcher.gate.set()
    assert collected(scene) == collected(scene) == 6
    assert scene.created().count("core") == 1
    assert collected(scene, "--max-cost", "0.1") == 0
    assert scene.created().count("core") == 2
    assert scene.statuses() == ["completed"] * 2


def test_with_a_limit_on_the_total_each_collect_has_a_budget(scene):
    scene.table("Acme", "slow one")
    scene.spec(limits={"max_cost_usd": 0.025, "max_total_usd": 0.06})
    assert scene("submit", "-q") == 0
    while "core" not in scene.created():
        assert scene("collect", "-q") == 5
    scene.researcher.gate.set()
    assert collected(scene) == 0
    assert scene.created().count("core") == 2


def test_a_row_without_a_part_of_its_packs_answer_is_sent_alone(scene):
    scene.table("sure one", "sure, alone")
    scene.spec(task={"records_per_run": 2}, accept={}, escalate=[])
    assert scene("submit", "-q") == 0
    assert scene.created() == ["lite"]
    assert collected(scene) == 0
    assert scene.created() == ["lite", "lite"]
    assert scene.statuses() == ["completed"] * 2


def test_the_table_of_submit_and_collect_is_that_of_run(scene):
    names = [*(f"sure {number}" for number in range(5)), *(f"Company {number}" for number in range(5))]
    scene.table(*names)
    assert scene("submit", "-q") == 0
    assert collected(scene) == 0
    in_two_steps = rows_without_ids(scene.folder / "o.csv")
    assert scene("run", "-q", "--ledger", str(scene.folder / "other"), "--yes", "--replace") == 0
    assert rows_without_ids(scene.folder / "o.csv") == in_two_steps


def test_run_takes_over_what_submit_sent(scene):
    scene.table("sure 1", "sure 2")
    assert scene("submit", "-q") == 0
    assert scene("run", "-q") == 0
    assert scene.statuses() == ["completed"] * 2
    assert len(scene.created()) == 2


def test_a_moved_ledger_folder_is_collected_elsewhere(scene, tmp_path_factory):
    scene.table("sure 1")
    assert scene("submit", "-q") == 0
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "moved"
    (scene.folder / ".rowcite" / "s").rename(elsewhere)
    assert collected(scene, "--ledger", str(elsewhere)) == 0
    assert scene.statuses() == ["completed"]


def rows_without_ids(file):
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    return [{name: value for name, value in row.items() if name != "rowcite_run_id"} for row in rows]


def test_progress_counts_what_is_sent_and_what_an_earlier_command_left_active(scene, capsys, monkeypatch):
    scene.table("sure A", "slow B", "slow C")
    assert scene("submit") == 0
    assert "3/3 sent, 0:0" in capsys.readouterr().err
    monkeypatch.setenv("ROWCITE_LOG_SECONDS", "0.001")
    Timer(0.5, scene.researcher.gate.set).start()
    assert scene("run") == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if " done, " in line]
    assert lines[0].startswith("0/3 done, 0:00, 3 active, up to 60 s left")
    assert lines[-1].startswith("5/5 done, ")


def test_the_summary_says_what_was_found_and_what_to_type_next(scene, capsys):
    scene.spec(escalate=[])
    scene.table("sure A", "B", "sure C")
    assert scene("run") == 0
    lines = capsys.readouterr().err.splitlines()
    typed = f"{scene.folder / 'spec.yaml'} --base-url {scene.url}"
    assert (
        lines[lines.index("filled   city  2 of 3   67%") + 1]
        == "reasons  1  city: confidence low, medium required"
    )
    assert "cost     $0.0075 for each of 2 accepted values ($0.015 spent in total)" in lines
    assert lines[-2:] == [f"next     rowcite explain {typed} --row 2", f"         rowcite report {typed}"]


def test_the_next_command_has_only_flags_that_it_knows(scene, capsys, tmp_path):
    scene.table("sure A")
    assert scene("submit", "--max-cost", "3") == 0
    typed = f"{scene.folder / 'spec.yaml'} --max-cost 3.0 --base-url {scene.url}"
    assert capsys.readouterr().err.splitlines()[-1] == f"next     rowcite collect {typed}"
    assert scene("run", "--max-cost", "3", "-o", str(tmp_path / "x.csv")) == 0
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"next     rowcite report {scene.folder / 'spec.yaml'} --base-url {scene.url}"
    )
