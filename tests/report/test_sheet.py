"""Decisions as CSV: export, edit, import."""

import csv
import io
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rowcite.errors import TableError, UsageError
from rowcite.ledger import open_ledger
from rowcite.model import Decision
from rowcite.report.gather import gather
from rowcite.review.sheet import COLUMNS, export_lines, read_decisions
from rowcite.spec.fields import fields
from support import rowcite
from support.answers import NOWHERE, ready

NOW = 1_700_000_000.0


def lines(path, decisions=None):
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        facts = gather(prepared.job, ledger, decided=False)
    return list(csv.DictReader(io.StringIO("".join(export_lines(facts, each(decisions or {}))))))


def each(decisions):
    """Return decisions by task and field as a list."""
    return [made for cells in decisions.values() for made in cells.values()]


def table(file):
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))


def sheet(folder, rows):
    file = folder / "decisions.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        table = csv.DictWriter(out, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    return file


def taken(path, rows, known=None):
    return read_decisions(
        sheet(path.parent, rows), fields(ready(path).job.spec), each(known or {}), who="me", now=NOW
    )


def open_line(path, name, field="industry"):
    return next(line for line in lines(path) if (line["name"], line["field"]) == (name, field))


def test_open_cells_are_exported_with_the_found_value_and_the_reason(some):
    line = open_line(some, "Unsure")
    assert (line["row"], line["found"], line["why"], line["verdict"]) == (
        "2",
        "valves",
        "confidence low, medium required",
        "",
    )


def test_cells_that_need_no_review_are_not_exported(some):
    assert {line["name"] for line in lines(some)} == {"Unsure", "Lost", "Broken"}


def test_lines_without_a_verdict_are_ignored(some):
    found = taken(some, lines(some))
    assert (found.decisions, found.undecided) == ([], len(lines(some)))


def test_an_import_of_an_export_finds_every_decision_known(some):
    key = bytes.fromhex(open_line(some, "Lost")["key"])
    made = {key: {"industry": Decision(key, "industry", "correct", '"=locks"', "ann", NOW, "'=checked")}}
    (line,) = [line for line in lines(some, made) if line["verdict"]]
    assert (line["value"], line["note"], line["who"]) == ("'=locks", "''=checked", "ann")
    found = taken(some, [line], made)
    assert (found.decisions, found.known) == ([], 1)
    assert taken(some, [line]).decisions == [made[key]["industry"]]


def test_a_line_without_reviewer_and_time_gets_the_defaults(some):
    (decision,) = taken(some, [{**open_line(some, "Unsure"), "verdict": "Accept"}]).decisions
    assert (decision.verdict, decision.who, decision.at, decision.value) == ("accept", "me", NOW, None)


def test_a_second_reviewer_who_decides_the_same_is_saved(some):
    """Else two reviewers by CSV could only ever differ."""
    line = {**open_line(some, "Unsure"), "verdict": "accept"}
    (first,) = taken(some, [line]).decisions
    by_ann = {first.key: {"industry": replace(first, who="ann")}}
    assert [made.who for made in taken(some, [line], by_ann).decisions] == ["me"]
    assert taken(some, [line], {first.key: {"industry": first}}).known == 1


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_sheet_may_be_separated_as_spreadsheets_of_other_countries_save_it(some, tmp_path, separator):
    line = {**open_line(some, "Unsure"), "verdict": "correct", "value": "locks, pumps"}
    file = tmp_path / "saved.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as opened:
        writer = csv.DictWriter(opened, line, delimiter=separator)
        writer.writeheader()
        writer.writerow(line)
    (decision,) = read_decisions(file, fields(ready(some).job.spec), [], who="me", now=NOW).decisions
    assert json.loads(decision.value) == "locks, pumps"


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("industry", "007", "007"),
        ("industry", '"quoted"', '"quoted"'),
        ("employee_count", "1,200", 1200),
        ("listed", "TRUE", True),
        ("products", '["a", "b"]', ["a", "b"]),
    ],
)
def test_a_value_is_parsed_as_its_fields_type(some, field, text, value):
    line = {**open_line(some, "Lost"), "field": field, "verdict": "correct", "value": text}
    (decision,) = taken(some, [line]).decisions
    assert json.loads(decision.value) == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "maybe"}, '"maybe" is not a verdict'),
        ({"field": "revenue"}, 'unknown field "revenue"'),
        ({"key": "12"}, "the key must be the 32 hexadecimal digits"),
        ({"value": ""}, "`correct` needs a value"),
        ({"field": "employee_count", "value": "many"}, '"many" is not a whole number'),
        ({"at": "yesterday"}, '"yesterday" is not a time'),
    ],
)
def test_one_invalid_line_is_named_and_nothing_is_imported(some, change, message):
    right = {**open_line(some, "Lost"), "verdict": "correct", "value": "locks"}
    with pytest.raises(UsageError, match="Nothing was imported") as error:
        taken(some, [right, {**right, **change}])
    assert f"decisions.csv:3: {message}" in str(error.value)


def test_a_line_older_than_the_ledgers_decision_is_ignored(some):
    line = {**open_line(some, "Lost"), "verdict": "correct", "value": "old", "at": "2020-01-01T00:00:00"}
    key = bytes.fromhex(line["key"])
    found = taken(
        some, [line], {key: {"industry": Decision(key, "industry", "correct", '"new"', "ann", NOW)}}
    )
    assert (found.decisions, found.older) == ([], 1)


def test_a_file_that_is_not_such_a_csv_is_an_error(some, tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="missing columns: key, field, verdict"):
        read_decisions(tmp_path / "other.csv", [], {}, who="me", now=NOW)
    with pytest.raises(TableError, match="cannot read the file"):
        read_decisions(Path("nowhere.csv"), [], {}, who="me", now=NOW)


@pytest.mark.parametrize("last", ['1,"a" b,accept', '1,"a,accept'])
def test_a_line_with_a_quote_that_is_closed_too_early_or_never_is_named(tmp_path, last):
    (tmp_path / "d.csv").write_text(f"key,field,verdict\n{last}\n")
    with pytest.raises(TableError, match=r"d\.csv:2: .* Is a quote closed too early, or never\?"):
        read_decisions(tmp_path / "d.csv", [], {}, who="me", now=NOW)


def test_an_edited_export_is_imported_and_written_to_the_table(some):
    folder, base = some.parent, ("--base-url", NOWHERE)
    assert rowcite("review", some.name, *base, "--export", "open.csv", "-q", cwd=folder).returncode == 0
    rows = table(folder / "open.csv")
    for row in rows:
        if (row["name"], row["field"]) == ("Lost", "industry"):
            row |= {"verdict": "correct", "value": "locks"}
    sheet(folder, rows)
    done = rowcite(
        "review", some.name, *base, "--import", "decisions.csv", "--as", "Ann", "--json", cwd=folder
    )
    assert json.loads(done.stdout)["decisions"] == 1
    assert rowcite("write", some.name, *base, "-q", cwd=folder).returncode == 5  # one row is pending
    (lost,) = [row for row in table(folder / "out" / "known.csv") if row["name"] == "Lost"]
    assert (lost["industry"], lost["industry_confidence"]) == ("locks", "reviewed")
    assert lost["rowcite_status"] == "completed"


def test_every_reviewer_has_a_line_with_the_answer_that_was_decided_on_and_both_are_imported(some):
    key = bytes.fromhex(open_line(some, "Unsure")["key"])
    ann = Decision(key, "industry", "accept", '"pipes"', "ann", NOW, None, '"pipes"')
    bo = Decision(key, "industry", "blank", None, "bo", NOW - 5, None, '"valves"')
    prepared = ready(some)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        facts = gather(prepared.job, ledger, decided=False)
    made = [
        line
        for line in csv.DictReader(io.StringIO("".join(export_lines(facts, [ann, bo]))))
        if line["verdict"]
    ]
    assert [(line["found"], line["verdict"], line["who"]) for line in made] == [
        ("pipes", "accept", "ann"),
        ("valves", "blank", "bo"),
    ]
    assert taken(some, made).decisions == [ann, bo]
    found = taken(some, made, {key: {"industry": ann}})
    assert (found.decisions, found.known) == ([bo], 1)


def test_a_column_that_is_there_twice_is_an_error(tmp_path):
    (tmp_path / "two.csv").write_text("key,field,verdict,verdict,,\n00,industry,accept,reject,,\n")
    with pytest.raises(TableError, match=r"two\.csv:1: the header has 'verdict' more than once"):
        read_decisions(tmp_path / "two.csv", [], [], who="me", now=NOW)
