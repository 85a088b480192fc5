"""Rejected values are retried on the next processor, at a known cost, and never on one that was tried."""

import csv
import json
import re
import shlex
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from rowcite.api.facts import PROCESSORS
from rowcite.cli import main
from rowcite.errors import DeadlineReached
from rowcite.ledger import open_ledger
from rowcite.ledger.maintenance import verify
from rowcite.local.research.question import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis
from rowcite.pipeline.escalate import next_round
from rowcite.pipeline.overrides import Overrides
from rowcite.pipeline.prepare import prepare
from rowcite.submit.stop import Stop
from support import write_spec

BETTER = {"lite": "low", "core": "medium", "pro": "high"}


class RisingConfidence:
    """Answers each field with the processor's name and a confidence that rises with it; `sure` rows are high at once.

    A processor with a gate answers once that is set; one that is down fails.
    """

    def __init__(self):
        self.received, self.gates, self.down = [], {}, set()

    def research(self, question):
        if (gate := self.gates.get(question.processor)) is not None:
            gate.wait(120)
        fields = question.output["json_schema"]["properties"]
        self.received.append((question.processor, question.input, sorted(fields)))
        name = question.input["company_name"]
        if name.startswith("broken") or question.processor in self.down:
            raise RuntimeError("on purpose")
        confidence = "high" if name.startswith("sure") else BETTER[question.processor]
        content = {field: self.value(field, question.processor) for field in fields}
        sure = "high" if name.startswith("half") else confidence
        basis = tuple(
            FieldBasis(
                field,
                "So.",
                (Citation(f"https://{question.processor}.example/"),),
                sure if field == "city" else confidence,
            )
            for field in fields
        )
        return Finding("json", content, basis, None, 1, ())

    @staticmethod
    def value(field, processor):
        return list(BETTER).index(processor) if field == "size" else f"by {processor}"


@pytest.fixture
def world(tmp_path):
    """A server with higher confidences from dearer processors, and a spec that runs over some names."""
    researcher = RisingConfidence()
    journal = tmp_path / "journal.jsonl"
    with embedded(create_app(researcher, ServerSettings(journal=journal))) as url:
        yield World(tmp_path, url, researcher, journal)


class World:
    def __init__(self, folder, url, researcher, journal):
        self.folder, self.url, self.researcher, self.journal = folder, url, researcher, journal

    def spec(self, **changes):
        task = {
            "processor": "lite",
            "inputs": {"company_name": {"column": "name"}},
            "outputs": {"city": "string", "size": "integer"},
            **changes.pop("task", {}),
        }
        value = {
            "name": "l",
            "input": {"path": "t.csv"},
            "output": {"path": "o.csv"},
            "task": task,
            "accept": {"min_confidence": "medium"},
            "escalate": ["core", "pro"],
            **changes,
        }
        return write_spec(self.folder, value)

    def run(self, *names, flags=(), code=0, **changes):
        with (self.folder / "t.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["name"], *([name] for name in names)])
        spec = self.spec(**changes)
        assert main(["run", str(spec), "--base-url", self.url, "-q", *flags]) == code
        return self.rows()

    def rows(self):
        with (self.folder / "o.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    @contextmanager
    def ledger(self):
        opened = open_ledger(self.folder / ".rowcite" / "l", writing=False)
        yield opened
        opened.close()

    def created(self):
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [line["processor"] for line in lines if "input_sha256" in line]


def test_a_row_is_escalated_until_its_values_are_accepted(world):
    (row,) = world.run("Acme")
    assert (row["rowcite_status"], row["city"], row["size"]) == ("completed", "by core", "1")
    assert world.created() == ["lite", "core"]


def test_a_row_rejected_by_the_last_processor_stays_rejected(world):
    (row,) = world.run("Acme", accept={"min_confidence": 0.95})
    assert world.created() == ["lite", "core", "pro"]
    assert row["rowcite_status"] == "rejected"


def test_an_accepted_row_is_not_retried(world):
    world.run("sure thing", "Acme")
    assert sorted(world.created()) == ["core", "lite", "lite"]


def test_only_rejected_fields_are_retried_and_accepted_values_are_sent_along(world):
    (row,) = world.run("half sure")
    again = world.researcher.received[1]
    assert again[0] == "core"
    assert again[2] == ["size"]
    assert again[1]["known"].startswith("city: by lite (https://lite.example/)")
    assert (row["city"], row["size"]) == ("by lite", "1")
    assert row["rowcite_processor"] == "lite core"
    assert len(row["rowcite_run_id"].split()) == 2


def test_with_required_fields_only_a_rejected_one_causes_a_retry(world):
    world.run("half sure", accept={"min_confidence": "medium", "required": ["city"]})
    assert world.created() == ["lite"]


def test_a_second_run_sends_nothing(world):
    first = world.run("Acme", "half sure", "sure thing")
    before = len(world.created())
    assert world.run("Acme", "half sure", "sure thing") == first
    assert len(world.created()) == before


def test_a_deadline_that_passes_during_an_escalation_ends_with_5_and_the_next_run_collects_it(world):
    world.researcher.gates["core"] = gate = threading.Event()
    for deadline in ("2s", "60s"):  # a busy machine may need more than two seconds for the first step
        (row,) = world.run("Acme", limits={"deadline": deadline}, code=5)
        assert row["rowcite_status"] == "pending"
        if "core" in world.created():
            break
    assert world.created() == ["lite", "core"]
    gate.set()
    (row,) = world.run("Acme")
    assert (row["rowcite_status"], row["city"]) == ("completed", "by core")
    assert world.created() == ["lite", "core"]


def test_a_deadline_that_has_passed_stops_the_computation_of_the_next_step(world, tmp_path):
    world.run("Acme", escalate=[])
    job = prepare(world.spec(), Overrides(base_url=world.url)).job
    stop = Stop()
    stop.limit(timedelta(microseconds=1))
    with world.ledger() as ledger, pytest.raises(DeadlineReached):
        next_round(job, ledger, tmp_path, stop)


def test_a_run_stopped_between_two_steps_continues_with_the_second(world):
    world.run("Acme", escalate=[])
    (row,) = world.run("Acme")
    assert world.created() == ["lite", "core"]
    assert row["city"] == "by core"


def test_rows_of_one_task_are_retried_once(world):
    rows = world.run(*["Acme"] * 5)
    assert world.created() == ["lite", "core"]
    assert {row["city"] for row in rows} == {"by core"}


def test_a_failed_run_is_not_escalated(world):
    (row,) = world.run("broken", flags=["--json"], code=7)
    assert world.created() == ["lite"]
    assert row["rowcite_status"] == "failed"


def test_spend_is_the_price_of_each_run(world):
    world.run("Acme", "half sure", "sure thing")
    price = sum(PROCESSORS[name].price for name in world.created())
    with world.ledger() as ledger:
        assert ledger.spent() == price == 3 * 5_000 + 2 * 25_000


def test_the_budget_includes_retries_and_the_table_is_written(world):
    rows = world.run(*(f"Acme {n}" for n in range(10)), limits={"max_cost_usd": 0.11}, code=6)
    with world.ledger() as ledger:
        assert ledger.spent() <= 110_000
    assert [row["rowcite_status"] for row in rows].count("completed") <= 2
    assert len(rows) == 10


def test_the_plan_has_the_expected_and_the_worst_cost(world, capsys):
    (world.folder / "t.csv").write_text("name\n" + "".join(f"Acme {n}\n" for n in range(10)))
    main(["plan", str(world.spec()), "--base-url", world.url, "--json"])
    plan = json.loads(capsys.readouterr().out)
    assert plan["cost_usd"] == 0.05
    assert plan["expected_cost_usd"] == pytest.approx(0.05 + 5 * 0.025 + 2.5 * 0.1)
    assert plan["worst_cost_usd"] == pytest.approx(10 * (0.005 + 0.025 + 0.1))


def test_the_plan_counts_earlier_answers_to_escalate(world, capsys):
    world.run("Acme", "sure thing", escalate=[])
    capsys.readouterr()
    main(["plan", str(world.spec()), "--base-url", world.url, "--json"])
    plan = json.loads(capsys.readouterr().out)
    assert (plan["to_submit"], plan["to_escalate"]) == (0, 1)
    assert plan["expected_cost_usd"] == 0.025


def many(count, sure):
    return [f"sure {n}" if n < sure else f"Acme {n}" for n in range(count)]


def test_a_run_stops_when_more_than_half_of_the_first_answers_are_rejected(world, capsys):
    rows = world.run(*many(120, 40), code=5)
    assert set(world.created()) == {"lite"}
    assert len(rows) == 120
    assert "60 of the first 100 answers were rejected" in capsys.readouterr().err


def test_that_message_has_commands_that_work_as_they_are_printed(world, capsys):
    world.run(*many(120, 40), code=5)
    error = capsys.readouterr().err
    explain, again = (shlex.split(text) for text in re.findall(r"`rowcite ([^`]+)`", error))
    assert main(explain) == 0
    assert "rejected" in capsys.readouterr().out
    assert main(again) == 0
    assert len(world.created()) > 120


def test_escalate_anyway_retries_them(world):
    world.run(*many(120, 40), flags=["--escalate-anyway"])
    assert world.created().count("core") == 80


def test_a_run_continues_when_half_are_accepted(world):
    world.run(*many(120, 50))
    assert world.created().count("core") == 70


def test_a_fresh_run_escalates_again(world):
    world.run("Acme")
    world.run("Acme", flags=["--fresh"])
    assert world.created() == ["lite", "core"] * 2


def test_a_step_is_not_paid_again_when_the_question_of_an_accepted_field_changes(world):
    (before,) = world.run("half Acme")
    outputs = {"city": {"type": "string", "description": "Where it is"}, "size": "integer"}
    (row,) = world.run("half Acme", task={"outputs": outputs})
    assert world.created() == ["lite", "core", "lite"]
    assert (row["size"], row["rowcite_status"]) == ("1", "completed")
    assert row["rowcite_run_id"].split()[1] == before["rowcite_run_id"].split()[1]
    with world.ledger() as ledger:
        assert (verify(ledger).runs, verify(ledger).faults, ledger.spent()) == (3, [], 35_000)


def test_a_fresh_run_that_stops_before_it_escalates_loses_no_step_for_the_next(world):
    world.run("Acme")
    world.run("Acme", flags=["--fresh", "--max-cost", "0.005"], code=6)
    (row,) = world.run("Acme")
    assert world.created() == ["lite", "core", "lite"]
    assert (row["city"], row["rowcite_status"]) == ("by core", "completed")


def test_retry_failed_sends_a_step_that_failed_again_once(world):
    world.researcher.down = {"core"}
    (row,) = world.run("Acme", escalate=["core"])
    assert "core failed" in row["rowcite_error"]
    (row,) = world.run("Acme", escalate=["core"], flags=["--retry-failed"])
    assert row["rowcite_error"].count("core failed") == 1
    world.researcher.down = set()
    world.run("Acme", escalate=["core"])
    assert world.created() == ["lite", "core", "core"]
    (row,) = world.run("Acme", escalate=["core"], flags=["--retry-failed"])
    assert (row["city"], row["rowcite_status"]) == ("by core", "completed")
    assert world.created() == ["lite", "core", "core", "core"]


def test_given_values_are_not_retried(world):
    (world.folder / "t.csv").write_text("name,size,city\nAcme,5,\n")
    spec = world.spec(columns={"existing": "fill"}, escalate=["core"])
    assert main(["run", str(spec), "--base-url", world.url, "-q"]) == 0
    assert world.researcher.received[1][2] == ["city"]
    (row,) = world.rows()
    assert (row["size"], row["city"]) == ("5", "by core")
