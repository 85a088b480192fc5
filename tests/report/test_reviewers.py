"""Several reviewers, decisions on earlier answers, and rows that are reviewed first: what the page has of each."""

import json
import re
import shutil
from contextlib import closing

import pytest

from rowcite.errors import UsageError
from rowcite.ledger import open_ledger
from rowcite.model import Decision
from rowcite.report.gather import gather
from rowcite.report.page import page
from rowcite.review.app import ReviewSession
from rowcite.review.listed import read_listed
from rowcite.review.scope import Scope
from rowcite.spec.fields import fields
from support import rowcite
from support.answers import NOWHERE, answer, answered, found, known, ready

FIRST = "employee_count"


@pytest.fixture
def start(tmp_path, some_once):
    """Return a function that starts the review of a reviewer, all on one ledger, with rows to review first."""
    prepared = ready(some_once)
    ledger = shutil.copytree(prepared.ledger, tmp_path / "ledger")

    def started(who, listed=None, key=None):
        parts = fields(prepared.job.spec)
        scope = Scope(who, parts)
        with closing(open_ledger(ledger, writing=False)) as opened:
            scope.decisions = opened.decisions_by_reviewer()
            if listed is not None:
                file = tmp_path / "listed"
                file.write_text(listed)
                scope.listed = read_listed(file, prepared.job, [part.name for part in parts], key)
            facts = gather(prepared.job, opened, decided=False, also=scope.reasons)
        scope.order(facts)
        return ReviewSession(facts, scope, ledger)

    return started


def rows(session):
    """Return the rows of a review's page by their label, each with its cells by field."""
    html = session.page()
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])
    names = [field["name"] for field in data["fields"]]
    for row in data["rows"]:
        row["cells"] = dict(zip(names, row["cells"], strict=False))
    return {row["label"]: row for row in data["rows"]}


def decide(session, label, field, verdict, **more):
    key = next(row.key.hex() for row in session.facts.rows if row.label == label)
    return session.decide({"key": key, "field": field, "verdict": verdict, **more})


def test_another_reviewers_decision_is_shown_only_after_the_own_one(start):
    decide(start("Ann"), "Unsure", "industry", "correct", value="taps", note="theirs")
    bo = start("Bo")
    assert "taps" not in bo.page()
    assert "Ann" not in bo.page()
    (other,) = decide(bo, "Unsure", "industry", "accept")["others"]
    assert (other["who"], other["verdict"], other["value"]) == ("Ann", "correct", "taps")
    assert rows(bo)["Unsure"]["cells"]["industry"]["z"] == [other]
    assert decide(bo, "Unsure", "industry", "clear") == {"decision": None}
    assert "taps" not in bo.page()


def test_the_agreement_is_in_percent_with_the_cells_that_differ(start):
    ann, bo = start("Ann"), start("Bo")
    for session, verdicts in ((ann, ("accept", "reject", "reject")), (bo, ("reject", "reject", "blank"))):
        for field, verdict in zip(("industry", "employee_count", "listed"), verdicts, strict=True):
            decide(session, "Unsure", field, verdict)
    decide(bo, "Lost", "industry", "blank")  # not decided on by Ann
    text = re.sub(r"<[^>]+>", " ", ann.page())
    assert "Ann and Bo both decided on 3 cells and agree on 2 (67%)" in text
    assert re.search(r"Unsure\s+industry\s+accepted “valves”\s+rejected “valves”", text)
    assert "Agreement" not in start("Cy").page()


def test_the_command_prints_the_agreement(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    prepared = answered(path, [answer(industry=found("pumps", "low"))])
    assert rowcite("review", path.name, "--base-url", NOWHERE, "--agreement", cwd=tmp_path).stdout == b""
    with closing(open_ledger(prepared.ledger, writing=True)) as ledger:
        facts = gather(prepared.job, ledger)
        key = facts.rows[0].key
        made = [
            Decision(key, "industry", verdict, None, who, 1.0, None, '"pumps"')
            for who, verdict in (("ann", "accept"), ("bo", "blank"))
        ]
        ledger.record_decisions(made)
    done = rowcite("review", path.name, "--base-url", NOWHERE, "--agreement", cwd=tmp_path)
    assert done.stdout.decode().splitlines() == [
        "ann and bo both decided on 1 cell and agree on 0 (0%)",
        "  row 1 industry: ann accepted “pumps”; bo left blank",
    ]
    done = rowcite("review", path.name, "--base-url", NOWHERE, "--agreement", "--json", cwd=tmp_path)
    (pair,) = json.loads(done.stdout)["agreement"]
    assert (pair["reviewers"], pair["cells"], pair["agree"]) == (["ann", "bo"], 1, 0)
    assert [(item["row"], item["field"], item["first"]["verdict"]) for item in pair["differing"]] == [
        (1, "industry", "accept")
    ]


# --- another answer ------------------------------------------------------------------------------------------


@pytest.fixture
def again(start):
    """Return a function that makes a decision of Ann's on an earlier answer to a good cell, and starts her review."""

    def made(verdict, value=None):
        session = start("Ann")
        key = next(row.key for row in session.facts.rows if row.label == "Good")
        with closing(open_ledger(session.ledger, writing=True)) as ledger:
            ledger.record_decisions([Decision(key, FIRST, verdict, value, "Ann", 1.0, None, "11")])
        return start("Ann")

    return made


@pytest.mark.parametrize(
    ("verdict", "kept"), [("accept", False), ("reject", False), ("blank", False), ("correct", True)]
)
def test_a_decision_on_an_earlier_answer_is_shown_with_it_and_the_cell_is_open_again(again, verdict, kept):
    session = again(verdict, "13" if kept else None)
    row = rows(session)["Good"]
    cell = row["cells"][FIRST]
    assert row["reasons"] == ["changed"]
    assert (cell["a"]["verdict"], cell["a"]["answer"], cell["v"], "d" in cell) == (verdict, 11, 12, kept)
    decide(session, "Good", FIRST, "accept")
    assert "a" not in rows(session)["Good"]["cells"][FIRST]


def test_the_report_shows_that_a_decision_was_set_aside(some):
    prepared = ready(some)
    with closing(open_ledger(prepared.ledger, writing=True)) as ledger:
        key = next(row.key for row in gather(prepared.job, ledger).rows if row.label == "Good")
        ledger.record_decisions([Decision(key, FIRST, "accept", "11", "Ann", 1.0)])
        facts = gather(prepared.job, ledger)
    assert next(row.reasons for row in facts.rows if row.label == "Good") == ("changed",)
    assert '"a":{"verdict":"accept","value":11,"who":"Ann"' in page(facts, [])


# --- rows first ----------------------------------------------------------------------------------------------


def side(value):
    return {"value": value, "confidence": "high", "urls": ["https://a.example/"]}


def test_the_disagreements_of_compare_come_first_with_both_answers(start):
    differ = {"row": 1, "field": FIRST, "first": side(12), "second": side(None)}
    listed = json.dumps({"processors": ["base", "core"], "disagreements": [differ]})
    found = rows(start("Ann", listed))
    assert next(iter(found)) == "Good"
    assert found["Good"]["reasons"] == ["listed"]
    cells = found["Good"]["cells"]
    assert cells[FIRST]["h"] == [
        ["base", 12, "high", ["https://a.example/"]],
        ["core", None, "high", ["https://a.example/"]],
    ]
    assert [name for name, cell in cells.items() if cell.get("f")] == [FIRST]


@pytest.mark.parametrize(
    ("text", "key", "labels"),
    [
        ("row\n3\n1\n", None, ["Lost", "Good"]),
        ("row,field\n1,industry\n1,products\n", None, ["Good"]),
        ("id,industry\nA2,\nA0,\n", "id", ["Lost", "Good"]),
        ('[{"row": 2}, {"row": 1}]', None, ["Unsure", "Good"]),
    ],
)
def test_a_list_of_rows_puts_them_first_in_its_order(start, text, key, labels):
    found = rows(start("Ann", text, key))
    assert list(found)[: len(labels)] == labels
    wanted = {"industry", "products"} if "field" in text else {"industry", FIRST, "listed", "products"}
    assert {name for name, cell in found["Good"]["cells"].items() if cell.get("f")} == wanted


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("id\nA1\n", None, "Give --key COLUMN"),
        ("row,field\n1,revenue\n", None, 'unknown field "revenue"'),
        ('{"rows": []}', None, "none of the lists disagreements, pairs"),
        ('{"disagreements": [{}]}', None, "not a list of rows"),
        ("row\nmany\n", None, "not a list of rows"),
        ("id\nA1\n", "name", "name"),
        ("{", None, "not a list of rows"),
    ],
)
def test_a_file_that_is_no_list_of_rows_is_an_error(start, text, key, message):
    with pytest.raises(UsageError, match=message):
        start("Ann", text, key)
