"""`rowcite explain` shows the evidence that the ledger has and the rules of the spec, in lines that fit the terminal."""

import json
import os
import pty
import shutil
import subprocess
import sys

import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from rowcite.local import backend
from rowcite.model import Decision, EndedRun, RunState, Task
from rowcite.pipeline.prepare import prepare
from support import ROOT, environment, rowcite, served, small_spec, write_spec
from support.answers import NOWHERE, answer, answered, found, known

ACCEPT = {
    "min_confidence": "medium",
    "fields": {"employee_count": {"maximum": 500}},
    "rules": ["founded_year <= 1990 or founded_year is null"],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The sample table, answered once by the shipped server; row 82 has no name."""
    folder = tmp_path_factory.mktemp("explain")
    shutil.copy(ROOT / "sample_data" / "accounts.csv", folder / "table.csv")
    with (folder / "table.csv").open("a", encoding="utf-8") as table:
        table.write("9,Nobody Knows Ltd,,,,,,,\n9,,,,,,,,\n")
    spec = write_spec(folder, small_spec(accept=ACCEPT))
    done = rowcite("run", spec, "-q", cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    return folder


def explain(capsys, home, *args, code=0):
    """Return what the command writes to stdout, or to stderr with another exit code."""
    assert main(["explain", str(home / "spec.yaml"), *map(str, args)]) == code
    out, err = capsys.readouterr()
    return err if code else out


def explained(capsys, home, *args):
    return json.loads(explain(capsys, home, *args, "--json"))


def flat(text):
    return " ".join(text.split())


def test_a_row_is_named_by_a_value_of_a_column(capsys, home):
    by_key = explained(capsys, home, "--key", "name=Nobody Knows Ltd")
    assert by_key == explained(capsys, home, "--row", 81)
    assert by_key["row"] == 81


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "--row N or --key COLUMN=VALUE"),
        (("--row", 1, "--key", "name=x"), "--row N or --key COLUMN=VALUE"),
        (("--key", "name"), "write it as COLUMN=VALUE"),
        (("--key", "nmae=x"), 'did you mean "name"?'),
        (("--key", "name=x"), 'no row has "x" in column "name"'),
        (("--key", "account_id=9"), "2 rows have"),
    ],
)
def test_a_key_that_names_no_single_row_ends_with_2_and_the_reason(capsys, home, args, message):
    assert message in flat(explain(capsys, home, *args, code=2))


def test_a_cell_is_shown_with_its_evidence_and_the_rules_that_accepted_it(capsys, home):
    shown = flat(explain(capsys, home, "--row", 2, "--field", "employee_count"))
    for words in (
        "row 2", "Malabar Loom", "value 340", "confidence medium", "accepted a confidence of medium or more (min_confidence)",
        "accepted 500 or less (maximum)", "from local:core, trun_", "https://www.malabarloom.example/", "numberOfEmployees", "completed, $0.00",
    ):  # fmt: skip
        assert words in shown
    assert "founded_year" not in shown


def test_a_rejected_cell_is_shown_with_the_rule_and_the_found_value(capsys, home):
    shown = flat(explain(capsys, home, "--row", 1))
    assert "rejected 640 is more than 500 (maximum) found 640" in shown
    assert "status rejected: employee_count: 640 is more than 500" in shown
    assert "founded_year value 1978" in shown
    assert "accepted founded_year <= 1990 or founded_year is null (rules.0)" in shown


def test_the_elements_of_a_list_are_shown_one_by_one(capsys, tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    elements = [found("P1", url="https://a.example/1"), found("P2", "low", url="https://b.example/2")]
    answered(path, [answer(industry=found("pumps"), products=found(["P1", "P2"], elements=elements))])
    args = ["explain", str(path), "--row", "1", "--field", "products", "--base-url", NOWHERE]
    assert main(args) == 0
    shown = flat(capsys.readouterr().out)
    assert 'rejected element "P2": confidence low, medium required (min_confidence)' in shown
    assert "element P1, confidence high, https://a.example/1" in shown
    assert (
        "element P2, confidence low, rejected: confidence low, medium required (min_confidence), https://b.example/2"
        in shown
    )
    assert main([*args, "--json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["fields"]
    assert [(item["element"], item["value"], item["rule"]) for item in cell["elements"]] == [
        (0, "P1", None),
        (1, "P2", "min_confidence"),
    ]
    assert cell["elements"][1]["citations"][0]["url"] == "https://b.example/2"


def test_json_has_the_same_evidence(capsys, home):
    found = explained(capsys, home, "--row", 1)
    cell = found["fields"][0]
    assert (found["row"], found["status"], found["cost_usd"]) == (1, "rejected", 0.0)
    assert (cell["field"], cell["value"], cell["found"], cell["rule"]) == (
        "employee_count",
        None,
        640,
        "maximum",
    )
    assert {"rule": "maximum", "requires": "500 or less", "rejection": "640 is more than 500"} in cell[
        "checks"
    ]
    assert cell["citations"][0]["excerpts"]
    assert [run["state"] for run in found["runs"]] == ["completed"]


def test_a_null_is_accepted_unless_the_field_is_required(capsys, home):
    assert "accepted null, and the field is not `required`" in flat(explain(capsys, home, "--row", 81))


def test_a_skipped_row_is_shown_with_the_reason(capsys, home):
    shown = flat(explain(capsys, home, "--row", 82))
    assert (
        shown
        == "answers of the local corpus row 82 not sent status skipped: required input `company_name` is blank"
    )


def test_a_row_that_was_never_answered_is_pending(capsys, home, tmp_path):
    found = explained(capsys, home, "--row", 1, "--ledger", tmp_path / "empty")
    assert (found["status"], found["runs"]) == ("pending", [])
    assert [cell["value"] for cell in found["fields"]] == [None, None]


def test_a_row_that_was_not_sent_shows_the_command_and_no_empty_cells(capsys, home, tmp_path):
    shown = flat(explain(capsys, home, "--row", 1, "--ledger", tmp_path / "empty"))
    command = f"rowcite run {home / 'spec.yaml'} --ledger {tmp_path / 'empty'}"
    assert shown.endswith(f"status pending: not sent yet to send it {command}")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--row", 83], "no row 83: there are 82 rows. Rows count from 1, without the header"),
        (["--row", 0], "0 is not in the range x>=1"),
        (["--row", "x"], "'x' is not a valid integer"),
        (["--row", 1, "--field", "employees"], "no field 'employees' in"),
        (["--row", 1, "--field", "employee_cuont"], "did you mean 'employee_count'?"),
    ],
)
def test_an_unknown_row_or_field_is_an_error(capsys, home, args, message):
    assert message in explain(capsys, home, *args, code=2)


def test_nothing_is_written(capsys, home):
    before = sorted(path.name for path in home.iterdir())
    explain(capsys, home, "--row", 1)
    assert sorted(path.name for path in home.iterdir()) == before


# --- several runs ----------------------------------------------------------------------------------------


@pytest.fixture
def escalated(home, tmp_path):
    """A ledger in which row 1 escalated from lite to core to pro."""
    job = prepare(home / "spec.yaml", local=backend, environ={}).job
    (key, sent), *_ = next(iter(job.reader.batches(job.question))).tasks.items()
    ledger = open_ledger(tmp_path / "escalated", writing=True)
    question = ledger.record_question(job.question.fingerprint, json.dumps(job.question.named).encode())

    def ended(task, run_id, processor, price, state=RunState.COMPLETED, error=None, **values):
        basis = [
            {"field": name, "reasoning": "Said \x1b[31mred\u202e.", "confidence": sure, "citations": [{"url": "https://a.example/" + "x" * 90, "title": "T", "excerpts": ["w"]}]}
            for name, (_, sure) in values.items()
        ]  # fmt: skip
        output = {
            "type": "json",
            "content": {name: value for name, (value, _) in values.items()},
            "basis": basis,
        }
        raw = json.dumps(output).encode() if state is RunState.COMPLETED else None
        batch = ledger.record_intent(question, "g", [task], processor=processor, price=price)
        ledger.record_created(batch.id, [run_id])
        ledger.save(batch.id, [EndedRun(task.key, run_id, state, raw, error)])

    ended(
        Task(key, sent), "r-lite", "lite", 5_000, employee_count=(9_999, "high"), founded_year=(1980, "low")
    )
    ended(Task(b"2" * 16, sent, root=key), "r-core", "core", 25_000, employee_count=(450, "medium"))
    ended(Task(b"3" * 16, sent, root=key), "r-pro", "pro", 100_000, RunState.FAILED, "no page")
    yield tmp_path / "escalated", key, ledger
    ledger.close()


def test_every_run_of_a_row_is_shown_with_its_cost_and_answer(capsys, home, escalated):
    shown = flat(explain(capsys, home, "--row", 1, "--ledger", escalated[0]))
    for words in (
        "run lite, completed, $0.005, r-lite", "run core, completed, $0.025, r-core", "run pro, failed: no page, $0.10, r-pro", "cost $0.13",
        "value 450", "from core, r-core", "answer lite: 9999 (high), rejected: 9999 is more than 500 (maximum)", "answer core: 450 (medium), accepted",
        "rejected confidence low, medium required (min_confidence) found 1980",
    ):  # fmt: skip
        assert words in shown


def test_the_answers_of_all_runs_are_in_the_json(capsys, home, escalated):
    found = explained(capsys, home, "--row", 1, "--field", "employee_count", "--ledger", escalated[0])
    assert found["cost_usd"] == 0.13
    assert [(item["processor"], item["found"], item["rule"]) for item in found["fields"][0]["answers"]] == [
        ("lite", 9999, "maximum"),
        ("core", 450, None),
    ]


@pytest.fixture(scope="module")
def paid(tmp_path_factory):
    """The sample at list prices, five rows a run, escalated twice."""
    folder = tmp_path_factory.mktemp("paid")
    shutil.copy(ROOT / "sample_data" / "accounts.csv", folder / "table.csv")
    accept = {"min_confidence": "high", "required": ["founded_year"]}
    value = small_spec(accept=accept, escalate=["core", "pro"])
    value["task"] |= {"processor": "lite", "records_per_run": 5}
    del value["backend"], value["local"]
    spec = write_spec(folder, value)
    with served(folder) as server:
        flags = ("--base-url", server.url, "-q", "--escalate-anyway")
        done = rowcite("run", spec, *flags, cwd=folder)
        assert done.returncode == 0, done.stderr.decode()
        yield folder, server.url


def test_a_packed_row_has_its_share_of_the_price(capsys, paid):
    home, url = paid
    shown = flat(explain(capsys, home, "--row", 1, "--base-url", url, "--field", "founded_year"))
    assert "run lite, completed, $0.001 (one of 5 rows in a run of $0.005), trun_" in shown


def test_every_escalation_of_a_row_is_shown_with_its_cost(capsys, paid):
    home, url = paid
    shown = flat(explain(capsys, home, "--row", 1, "--base-url", url, "--field", "founded_year"))
    for words in ("run core, completed, $0.025, trun_", "run pro, completed, $0.10, trun_", "cost $0.126"):
        assert words in shown
    for words in (
        "answer lite: 1978 (medium), rejected",
        "answer core: 1978 (medium), rejected",
        "answer pro: 1978",
    ):
        assert words in shown


def test_json_has_the_share_and_the_run(capsys, paid):
    home, url = paid
    found = explained(capsys, home, "--row", 1, "--base-url", url)
    assert [(run["cost_usd"], run["rows"], run["run_usd"]) for run in found["runs"]] == [
        (0.001, 5, 0.005),
        (0.025, 1, 0.025),
        (0.1, 1, 0.1),
    ]
    assert found["cost_usd"] == 0.126


def test_a_decision_is_shown(capsys, home, escalated):
    folder, key, ledger = escalated
    ledger.record_decisions([Decision(key, "founded_year", "accept", "1980", "ana", 0.0)])
    found = explained(capsys, home, "--row", 1, "--field", "founded_year", "--ledger", folder)
    assert (found["fields"][0]["value"], found["fields"][0]["confidence"]) == (1980, "reviewed")
    assert found["status"] == "completed"
    assert found["fields"][0]["decision"]["is_set_aside"] is False
    shown = explain(capsys, home, "--row", 1, "--field", "founded_year", "--ledger", folder)
    assert "decision   accepted by ana on 1970-01-01\n" in shown


@pytest.mark.parametrize(
    ("decision", "text", "is_set_aside", "value"),
    [
        (
            ("accept", "1970", None),
            "accepted by ana on 1970-01-01 (set aside: it was made on the answer 1970,",
            True,
            None,
        ),
        (
            ("reject", None, "1970"),
            "rejected by ana on 1970-01-01 (set aside: it was made on the answer 1970,",
            True,
            None,
        ),
        (
            ("correct", "1971", "1970"),
            "corrected by ana on 1970-01-01 (kept: it was made on the answer 1970,",
            False,
            1971,
        ),
    ],
)
def test_a_decision_on_an_earlier_answer_is_shown_with_that_answer(
    capsys, home, escalated, decision, text, is_set_aside, value
):
    folder, key, ledger = escalated
    verdict, decided, answer = decision
    made = Decision(key, "founded_year", verdict, decided, "ana", 0.0, answer=answer)
    ledger.record_decisions([made])
    where = ("--row", 1, "--field", "founded_year", "--ledger", folder)
    assert text in flat(explain(capsys, home, *where))
    found = explained(capsys, home, *where)["fields"][0]["decision"]
    assert (found["is_set_aside"], found["value"], found["answer"]) == (is_set_aside, value, 1970)


def test_control_characters_are_escaped(capsys, home, escalated):
    shown = explain(capsys, home, "--row", 1, "--ledger", escalated[0])
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "Said \\u001b[31mred\\u202e." in shown


AT_WIDTHS = """
import fcntl, struct, sys, termios
from rowcite.cli import main
for columns in map(int, sys.argv[2:]):
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    main(["explain", "spec.yaml", "--row", "1", "--ledger", sys.argv[1]])
    print("====", flush=True)
"""


def test_lines_fit_the_terminal_and_urls_are_not_broken(home, escalated):
    widths = (20, 44, 100, 250)
    master, slave = pty.openpty()
    command = [sys.executable, "-c", AT_WIDTHS, escalated[0], *map(str, widths)]
    plain = {name: value for name, value in environment().items() if name != "COLUMNS"}
    with subprocess.Popen(command, cwd=home, stdout=slave, env=plain) as process:
        os.close(slave)
        shown = b""
        while piece := _read(master):
            shown += piece
    os.close(master)
    assert process.returncode == 0
    for columns, text in zip(widths, shown.decode().split("===="), strict=False):
        lines = text.splitlines()
        assert max(len(line) for line in lines if "://" not in line) <= max(30, min(columns, 100))
        assert sum("https://a.example/" + "x" * 90 in line for line in lines) == 2


def _read(terminal):
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how a pty says that the other side has closed
        return b""
