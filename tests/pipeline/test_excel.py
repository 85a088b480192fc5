"""Workbooks through whole commands."""

import json

import openpyxl
import polars as pl
import pytest

from support import rowcite, small_spec, write_spec

HEADER = ["name", "website", "crm_id", "since", "note"]
ROWS = [["Fjordcell", "fjordcell.example", "007", "=TODAY()", None], ["Malabar Loom", None, 8, None, "#N/A"]]


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a command on a spec for a workbook with two sheets."""
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("Accounts")
    for row in (HEADER, *ROWS):
        sheet.append(row)
    book.save(tmp_path / "crm.xlsx")

    def ran(*args, **changes):
        given = {"path": "crm.xlsx", "sheet": "Accounts", **changes.pop("input", {})}
        spec = write_spec(tmp_path, small_spec(**{"input": given, **changes}))
        return rowcite(args[0], spec, *args[1:], cwd=tmp_path)

    return ran


@pytest.fixture(scope="module")
def text():
    return lambda done: done.stderr.decode()


def test_cells_that_cannot_be_read_are_counted_in_a_warning(run, text):
    done = run("plan", "--json")
    assert (done.returncode, json.loads(done.stdout)["tasks"]) == (0, 2)
    assert 'column "since": 1 cell is read as blank: a formula without a stored value' in text(done)
    assert 'column "note": 1 cell is read as blank: an error such as #N/A' in text(done)


def test_an_input_column_with_a_formula_without_a_value_is_refused_by_cell(run, text):
    task = {**small_spec()["task"], "inputs": {"since": {"column": "since"}}}
    done = run("check", task=task)
    assert done.returncode == 2
    assert "spec.yaml:" in text(done)
    assert "a formula without a stored value. The first is Accounts!D2. The spec uses this column" in text(
        done
    )


def test_a_sheet_of_a_table_that_is_no_workbook_is_refused(run, text, tmp_path):
    (tmp_path / "t.csv").write_text("name,website\n")
    done = run("check", input={"path": "t.csv"})
    assert "`sheet` is for workbooks, and the table is csv: remove it" in text(done)


def test_a_workbook_on_stdin_is_read(run, tmp_path):
    spec = write_spec(tmp_path, small_spec(input={"path": "-", "format": "xlsx", "sheet": "Accounts"}))
    done = rowcite("plan", spec, "--json", cwd=tmp_path, stdin=(tmp_path / "crm.xlsx").read_bytes())
    assert json.loads(done.stdout)["tasks"] == 2


def test_a_workbook_is_written_as_csv_jsonl_and_parquet(run, tmp_path):
    assert run("run", output={"path": "out.csv"}).returncode == 0
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("Fjordcell,fjordcell.example,007,,,")
    for name in ("out.jsonl", "out.parquet"):
        assert run("write", output={"path": name}).returncode == 0
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert (first["crm_id"], second["crm_id"]) == ("007", 8)
    assert pl.read_parquet(tmp_path / "out.parquet")["crm_id"].to_list() == ["007", "8"]


def test_truth_may_be_a_workbook(run, tmp_path):
    book = openpyxl.Workbook()
    for row in (["crm_id", "founded_year"], ["007", 1900], [8, 1900]):
        book.active.append(row)
    book.save(tmp_path / "truth.xlsx")
    assert run("run").returncode == 0
    done = run("eval", "--truth", "truth.xlsx", "--key", "crm_id", "--json")
    (founded,) = [item for item in json.loads(done.stdout)["fields"] if item["field"] == "founded_year"]
    assert founded["labelled"] == 2


def test_a_workbook_is_written_with_filled_cells_and_their_evidence(run, tmp_path, text):
    outputs = {"note": "Main industry", "founded_year": {"type": "integer", "description": "Year founded"}}
    changes = {"task": {**small_spec()["task"], "outputs": outputs}, "columns": {"existing": "fill"}}
    assert run("check", output={"path": "out.xlsx"}, **changes).returncode == 0
    done = run("run", output={"path": "out.xlsx"}, **changes)
    assert done.returncode == 0, text(done)
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    sheet = book["Enriched"]
    names = [cell.value for cell in sheet[1]]
    filled = [sheet.cell(row, names.index("note") + 1) for row in (2, 3)]
    for cell in filled:
        if cell.value is not None and cell.value != "#N/A":
            assert cell.comment.text.startswith("Confidence: ")
            assert cell.hyperlink.target.startswith("http")
    assert any(cell.comment for cell in filled)
    assert [sheet.cell(row, names.index("crm_id") + 1).value for row in (2, 3)] == ["007", 8]
    facts = {name.value: value.value for name, value in book["Run"]}
    assert (facts["spec"], facts["rows"]) == ("spec.yaml", 2)
    before = (tmp_path / "out.xlsx").stat().st_mtime_ns
    assert run("run", output={"path": "out.xlsx"}, **changes).returncode == 0
    assert (tmp_path / "out.xlsx").stat().st_mtime_ns == before, "the same bytes are not written again"
