"""`deltas --since`: accepted values that differ from those of an earlier time, with both evidences."""

import csv
import json
import time
from contextlib import closing
from datetime import datetime

import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from rowcite.model import Decision
from support.answers import NOWHERE, answer, answered, found, known, ready

ROWS = [{"id": "a", "name": "Pumps"}, {"id": "b", "name": "Valves"}, {"id": "c", "name": "Valves"}]
HEADER = ["id", "field"] + [
    f"{when}_{what}" for when in ("old", "new") for what in ("value", "confidence", "citations")
]


def now():
    """Return a time between what happened before and what happens after."""
    time.sleep(0.002)
    found_ = datetime.now().astimezone().isoformat()
    time.sleep(0.002)
    return found_


def refreshed(folder, before, after, **spec):
    """Return a spec whose rows were answered twice, and the time between."""
    path = known(folder, ROWS, **spec)
    answered(path, [*before, answer()][:2])
    since = now()
    answered(path, [*after, answer()][:2])
    return path, since


def changes(path, since, *flags, code=0):
    file = path.parent / "changed.csv"
    command = ["deltas", str(path), "--base-url", NOWHERE, "-o", str(file), "--key", "id", "--since", since]
    assert main([*command, *flags]) == code
    if code:
        return None
    with file.open(newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    assert header == HEADER
    return rows


def test_a_changed_value_has_both_evidences(tmp_path):
    before = [
        answer(industry=found("pumps", "medium", url="https://old.example/")),
        answer(industry=found("valves")),
    ]
    after = [answer(industry=found("taps", url="https://new.example/")), answer(industry=found("valves"))]
    assert changes(*refreshed(tmp_path, before, after)) == [
        ["a", "industry", "pumps", "medium", "https://old.example/", "taps", "high", "https://new.example/"]
    ]


def test_each_row_of_a_changed_task_has_a_line(tmp_path):
    before, after = [answer(), answer(listed=found(False))], [answer(), answer(listed=found(True))]
    path, since = refreshed(tmp_path, before, after)
    assert [[row[0], row[2], row[5]] for row in changes(path, since)] == [
        ["b", "false", "true"],
        ["c", "false", "true"],
    ]


def test_a_value_that_is_rejected_now_is_not_a_change(tmp_path):
    path, since = refreshed(
        tmp_path, [answer(employee_count=found(7))], [answer(employee_count=found(9, "low"))]
    )
    assert changes(path, since) == []


@pytest.mark.parametrize("then", [found(7, "low"), found(None)])
def test_a_value_that_was_not_accepted_then_counts_as_none(tmp_path, then):
    path, since = refreshed(tmp_path, [answer(employee_count=then)], [answer(employee_count=found(9))])
    assert [(row[1], row[2], row[5]) for row in changes(path, since)] == [("employee_count", "", "9")]


def test_a_value_that_only_has_other_evidence_is_not_a_change(tmp_path):
    before, after = [answer(employee_count=found(7, "medium"))], [answer(employee_count=found(7))]
    assert changes(*refreshed(tmp_path, before, after)) == []


def test_answers_from_before_the_time_are_not_changes(tmp_path):
    path, _ = refreshed(tmp_path, [answer(employee_count=found(7))], [answer(employee_count=found(9))])
    assert changes(path, now()) == []
    assert [row[5] for row in changes(path, "1h")] == ["9"]


def test_decisions_of_then_and_now_are_compared(tmp_path):
    path = known(tmp_path, ROWS)
    answered(path, [answer(employee_count=found(7))])
    prepared = ready(path, NOWHERE)
    key = next(iter(next(iter(prepared.job.reader.batches(prepared.job.question))).tasks))
    times = []
    for value in ("8", "9"):
        with closing(open_ledger(prepared.ledger, writing=True)) as ledger:
            ledger.record_decisions([Decision(key, "employee_count", "correct", value, "me", time.time())])
        times.append(now())
    assert [row[2:4] + row[5:7] for row in changes(path, times[0])] == [["8", "reviewed", "9", "reviewed"]]
    assert changes(path, times[1]) == []


def test_found_texts_that_a_spreadsheet_would_run_are_escaped(tmp_path):
    before, after = [answer(industry=found("pumps"))], [answer(industry=found("=1+1"))]
    assert [row[5] for row in changes(*refreshed(tmp_path, before, after))] == ["'=1+1"]


def test_the_json_has_the_counts(tmp_path, capsys):
    before, after = [answer(employee_count=found(7))], [answer(employee_count=found(9), listed=found(True))]
    changes(*refreshed(tmp_path, before, after), "--json")
    summary = json.loads(capsys.readouterr().out)
    assert (summary["rows"], summary["cells"], summary["first_values"]) == (
        1,
        {"employee_count": 1, "listed": 1},
        1,
    )


@pytest.mark.parametrize("flags", [["--for", "hubspot"], ["--per-field"], ["--against", "x.csv"]])
def test_flags_of_imports_do_not_go_with_since(tmp_path, flags, capsys):
    assert changes(known(tmp_path, ROWS), "7d", *flags, code=2) is None
    assert "leave out" in capsys.readouterr().err


def test_what_is_no_time_is_rejected(tmp_path, capsys):
    assert changes(known(tmp_path, ROWS), "yesterday", code=2) is None
    assert "not a time" in capsys.readouterr().err


@pytest.mark.slow  # draws pictures
def test_the_report_has_a_section_with_what_changed(tmp_path):
    before, after = [answer(industry=found("pumps"))], [answer(industry=found("<b>taps"), listed=found(True))]
    path, since = refreshed(tmp_path, before, after)
    page = tmp_path / "page.html"
    assert main(["report", str(path), "--base-url", NOWHERE, "-o", str(page), "--since", since]) == 0
    section = page.read_text().split('id="changes"')[1].split("</section>")[0]
    assert "1 row changed since" in section
    assert "1 industry, 1 listed. 1 of these had no value before." in section
    assert ">pumps (high)</td>" in section
    assert ">&lt;b&gt;taps (high)</td>" in section
    assert main(["report", str(path), "--base-url", NOWHERE, "-o", str(page), "--since", now()]) == 0
    assert "No accepted value changed since" in page.read_text()
    assert main(["report", str(path), "--base-url", NOWHERE, "-o", str(page)]) == 0
    assert 'id="changes"' not in page.read_text()
