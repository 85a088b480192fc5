"""`records_per_run`: each record is matched to its row by key, and rows without a record are sent singly."""

import csv
import json

import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from rowcite.local.research.question import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis
from support import write_spec


class Echo:
    """A researcher that returns the company's name as its city and records each input."""

    def __init__(self):
        self.inputs = []

    def research(self, question):
        self.inputs.append(question.input)
        name = question.input["company_name"]
        basis = FieldBasis("city", "So.", (Citation(f"https://{name.lower()}.example/"),), "high")
        return Finding("json", {"city": f"city of {name}"}, (basis,), None, 1, ())


class Twisted(Echo):
    """A researcher that returns the records of a pack in reverse, one missing and one repeated."""

    def research(self, question):
        records = question.input.get("records")
        if records is None:
            return super().research(question)
        self.inputs.append(question.input)
        answers = [{"key": item["key"], "city": f"city of {item['company_name']}"} for item in records][::-1]
        answers = [answers[0], *answers[2:], answers[-1]]  # drops the second to last, repeats the first
        return Finding("json", {"records": answers, "extra": 1}, (), None, 1, ())


NAMES = ["Acme", "Borealis", "Cardinal", "Delta", "Echo"]


@pytest.fixture
def url(tmp_path):
    with embedded(create_app(Echo(), ServerSettings(journal=tmp_path / "journal.jsonl"))) as running:
        yield running


def run(tmp_path, researcher, names=NAMES, records=5, flags=(), code=0, **changes):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["name"], *([name] for name in names)])
    value = {
        "name": "p",
        "input": {"path": "t.csv"},
        "output": {"path": "o.csv"},
        "task": {
            "processor": "core",
            "inputs": {"company_name": {"column": "name"}},
            "outputs": {"city": "string"},
            "records_per_run": records,
        },
        **changes,
    }
    journal = tmp_path / "journal.jsonl"
    spec = str(write_spec(tmp_path, value))
    if isinstance(researcher, str):
        assert main(["run", spec, "--base-url", researcher, "-q", *flags]) == code
    else:
        settings = ServerSettings(journal=journal, packs_whole=isinstance(researcher, Twisted))
        with embedded(create_app(researcher, settings)) as url:
            assert main(["run", spec, "--base-url", url, "-q", *flags]) == code
    with (tmp_path / "o.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    created = [line for line in map(json.loads, journal.read_text().splitlines()) if "input_sha256" in line]
    return rows, created


def cities(names):
    return [f"city of {name}" for name in names]


def test_rows_sent_together_get_their_own_answers(tmp_path):
    rows, created = run(tmp_path, Echo())
    assert [row["city"] for row in rows] == cities(NAMES)
    assert [row["rowcite_status"] for row in rows] == ["completed"] * 5
    assert len(created) == 1
    assert len({row["rowcite_run_id"] for row in rows}) == 1


def test_each_row_has_its_own_evidence(tmp_path):
    rows, _ = run(tmp_path, Echo())
    assert [row["city_citations"] for row in rows] == [f"https://{name.lower()}.example/" for name in NAMES]
    assert {row["city_confidence"] for row in rows} == {"high"}


def test_a_pack_costs_one_run(tmp_path):
    run(tmp_path, Echo(), names=[f"Company {n}" for n in range(12)], records=5)
    ledger = open_ledger(tmp_path / ".rowcite" / "p", writing=False)
    assert ledger.spent() == 3 * 25_000
    ledger.close()


def test_records_are_matched_by_key_and_missing_or_repeated_ones_are_sent_singly(tmp_path):
    researcher = Twisted()
    rows, created = run(tmp_path, researcher)
    assert [row["city"] for row in rows] == cities(NAMES)
    assert [given.get("company_name") for given in researcher.inputs[1:]] == ["Acme", "Delta"]
    assert len(created) == 3


def test_a_pack_of_one_row_is_sent_as_a_plain_input(tmp_path):
    researcher = Echo()
    _, created = run(tmp_path, researcher, names=NAMES, records=4)
    assert len(created) == 2
    assert {"company_name": "Echo"} in researcher.inputs


def test_rows_with_equal_inputs_share_one_record(tmp_path):
    researcher = Echo()
    rows, created = run(tmp_path, researcher, names=["Acme", "Borealis", "Acme", "Acme"])
    assert [row["city"] for row in rows] == cities(["Acme", "Borealis", "Acme", "Acme"])
    assert (len(created), len(researcher.inputs)) == (1, 2)


def test_a_second_run_submits_nothing(tmp_path, url):
    first, _ = run(tmp_path, url)
    again, created = run(tmp_path, url)
    assert again == first
    assert len(created) == 1


def test_answers_are_reused_at_any_pack_size(tmp_path, url):
    run(tmp_path, url)
    _, created = run(tmp_path, url, records=1)
    assert len(created) == 1


def test_a_failed_pack_fails_its_rows_and_can_be_retried(tmp_path):
    class Broken(Echo):
        broken = True

        def research(self, question):
            if self.broken:
                raise RuntimeError("on purpose")
            return super().research(question)

    researcher = Broken()
    with embedded(create_app(researcher, ServerSettings(journal=tmp_path / "journal.jsonl"))) as url:
        rows, _ = run(tmp_path, url, code=7)
        assert [row["rowcite_status"] for row in rows] == ["failed"] * 5
        researcher.broken = False
        rows, created = run(tmp_path, url, flags=["--retry-failed"])
    assert [row["city"] for row in rows] == cities(NAMES)
    assert len(created) == 2


@pytest.mark.parametrize("names", [NAMES[:1], NAMES])
def test_rows_without_a_usable_record_after_a_retry_are_sent_singly(tmp_path, names):
    class Broken(Twisted):
        broken = True

        def research(self, question):
            if self.broken:
                raise RuntimeError("on purpose")
            return super().research(question)

    researcher = Broken()
    settings = ServerSettings(journal=tmp_path / "journal.jsonl", packs_whole=True)
    with embedded(create_app(researcher, settings)) as url:
        run(tmp_path, url, names=names, code=7)
        researcher.broken = False
        rows, _ = run(tmp_path, url, names=names, flags=["--retry-failed"])
    assert [row["city"] for row in rows] == cities(names)


@pytest.mark.parametrize("records", [1, 5])
def test_the_plan_counts_runs_and_cost_by_pack(tmp_path, capsys, records):
    run(tmp_path, Echo(), names=["Other"], records=records)
    (tmp_path / "t.csv").write_text("name\n" + "".join(f"Company {n}\n" for n in range(10)))
    capsys.readouterr()
    main(["plan", str(tmp_path / "spec.yaml"), "--base-url", "http://127.0.0.1:9", "--json"])
    plan = json.loads(capsys.readouterr().out)
    assert plan["runs"] == 10 // records
    assert plan["cost_usd"] == pytest.approx(plan["runs"] * 0.025)
    main(["plan", str(tmp_path / "spec.yaml"), "--base-url", "http://127.0.0.1:9"])
    shown = capsys.readouterr().out
    assert "retried" not in shown
    assert ("rows that an answer leaves out are sent again, one row a run" in shown) == (records > 1)


def test_rows_of_a_pack_are_escalated_singly(tmp_path):
    rows, created = run(tmp_path, Echo(), accept={"min_citations": 2}, escalate=["pro"])
    assert [line["processor"] for line in created] == ["core", *["pro"] * 5]
    assert {row["rowcite_status"] for row in rows} == {"rejected"}
