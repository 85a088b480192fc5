"""Columns that the table has already: blanks are filled, given values kept, no value is replaced by a null."""

import csv
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rowcite as library
from rowcite.cli import main
from support import served, small_spec, write_spec

PAGES = {
    "acme.html": "<title>Acme Oy</title><h1>Acme Oy</h1><p>Acme Oy was founded in 1999.</p>"
    "<table><tr><th>Employees</th><td>230</td></tr></table>",
    "borealis.md": "---\nurl: https://borealis.example/about\n---\n# Borealis Foods\n\nBorealis Foods was founded in 1987.\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    corpus = tmp_path_factory.mktemp("corpus")
    for name, text in PAGES.items():
        (corpus / name).write_text(text)
    with served(tmp_path_factory.mktemp("server"), corpus) as running:
        yield running


ROWS = [
    ["name", "employee_count", "founded_year"],
    ["Acme Oy", "", "1950"],
    ["Acme Oy", "12", "N/A"],
    ["Acme Oy", "7", "1999"],
    ["Borealis Foods", "n.a.", ""],
    ["Nobody Ltd", "", "1900"],
]


TASK = {
    "processor": "core",
    "inputs": {"company_name": {"column": "name", "required": True}},
    "outputs": {
        "employee_count": {"type": "integer", "description": "Number of employees"},
        "founded_year": {"type": "integer", "description": "Year founded"},
    },
}


def made(folder: Path, table: str, **changes: object) -> Path:
    columns = {"existing": "fill", **changes.pop("columns", {})}
    value = small_spec(
        backend="parallel",
        task=TASK,
        limits={"max_cost_usd": 1000},
        input={"path": table, "csv": {"null_values": ["", "N/A", "n.a."]}},
        columns=columns,
        **changes,
    )
    return write_spec(folder, {key: item for key, item in value.items() if key != "local"})


def enriched(folder: Path, server, rows=ROWS, *flags, **changes) -> list[dict[str, str]]:
    with (folder / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    spec = made(folder, "t.csv", **changes)
    code = main(["run", str(spec), "--base-url", server.url, "-q", "-o", str(folder / "o.csv"), *flags])
    assert code == 0
    with (folder / "o.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def column(rows, name):
    return [row[name] for row in rows]


def test_blanks_are_filled_and_given_values_stay(tmp_path, server):
    rows = enriched(tmp_path, server)
    assert column(rows, "employee_count") == ["230", "12", "7", "n.a.", ""]
    assert column(rows, "founded_year") == ["1950", "1999", "1999", "1987", "1900"]
    assert list(rows[0])[:3] == ROWS[0]


def test_a_given_value_has_the_confidence_given(tmp_path, server):
    rows = enriched(tmp_path, server)
    assert column(rows, "founded_year_confidence")[0] == "given"
    assert column(rows, "founded_year_citations")[0] == ""
    assert column(rows, "founded_year_confidence")[1] in ("medium", "high", "low")
    assert column(rows, "employee_count_confidence")[2] == "given"


def test_a_row_without_blanks_is_skipped(tmp_path, server):
    before = len(server.created())
    rows = enriched(tmp_path, server)
    assert column(rows, "rowcite_status") == ["completed", "completed", "skipped", "completed", "completed"]
    assert rows[2]["rowcite_error"] == "nothing to fill"
    assert len(server.created()) - before == 3  # three names, of five rows


def test_overwrite_replaces_a_value_only_by_a_found_one(tmp_path, server):
    rows = enriched(tmp_path, server, columns={"existing": "overwrite"})
    assert column(rows, "employee_count") == ["230", "230", "230", "n.a.", ""]
    assert column(rows, "founded_year") == ["1999", "1999", "1999", "1987", "1900"]
    assert rows[4]["founded_year_confidence"] == "given"


def test_a_rejected_value_replaces_nothing(tmp_path, server):
    rows = enriched(
        tmp_path,
        server,
        columns={"existing": "overwrite"},
        accept={"fields": {"founded_year": {"maximum": 1990}}},
    )
    assert column(rows, "founded_year") == ["1950", "N/A", "1999", "1987", "1900"]
    assert rows[1]["rowcite_status"] == "rejected"


def test_a_field_without_a_column_is_added(tmp_path, server):
    table = [["name", "founded_year"], ["Acme Oy", "1950"]]
    rows = enriched(tmp_path, server, table)
    assert (rows[0]["founded_year"], rows[0]["employee_count"]) == ("1950", "230")


def parquet(tmp_path, server, types, existing="fill"):
    values = {
        "name": ["Acme Oy", "Borealis Foods"],
        "founded_year": [None, 1850],
        "employee_count": [None, None],
    }
    schema = pa.schema([("name", pa.string()), *types.items()], metadata={"made": "here"})
    pq.write_table(pa.table(values, schema=schema), tmp_path / "t.parquet")
    spec = made(tmp_path, "t.parquet", columns={"existing": existing})
    code = main(["run", str(spec), "--base-url", server.url, "-q", "-o", str(tmp_path / "o.parquet")])
    return code, tmp_path / "o.parquet"


def test_a_parquet_column_keeps_its_type_and_metadata(tmp_path, server):
    code, out = parquet(tmp_path, server, {"founded_year": pa.int16(), "employee_count": pa.float32()})
    found = pq.read_table(out)
    assert code == 0
    assert found["founded_year"].to_pylist() == [1999, 1850]
    assert found["employee_count"].to_pylist() == [230.0, None]
    assert found.schema.field("founded_year").type == pa.int16()
    assert found.schema.metadata[b"made"] == b"here"


def test_a_value_that_does_not_fit_the_column_is_rejected_and_the_cell_stays(tmp_path, server):
    code, out = parquet(tmp_path, server, {"founded_year": pa.int16(), "employee_count": pa.int8()})
    found = pl.read_parquet(out)
    assert code == 0
    assert found["employee_count"].to_list() == [None, None]
    assert found["rowcite_status"].to_list() == ["rejected", "completed"]
    assert "employee_count: 230 does not fit the column's type Int8" in found["rowcite_error"][0]


def test_explain_rejects_a_value_that_does_not_fit_the_column_as_the_table_does(tmp_path, server, capsys):
    parquet(tmp_path, server, {"founded_year": pa.int16(), "employee_count": pa.int8()})
    flags = ["--base-url", server.url, "--row", "1", "--json"]
    assert main(["explain", str(tmp_path / "spec.yaml"), *flags]) == 0
    explained = json.loads(capsys.readouterr().out)
    table = pl.read_parquet(tmp_path / "o.parquet")
    assert (explained["status"], explained["error"]) == table.select("rowcite_status", "rowcite_error").row(0)


def test_a_column_of_another_type_is_an_error_before_anything_is_sent(tmp_path, server, capsys):
    before = len(server.created())
    code, _ = parquet(tmp_path, server, {"founded_year": pa.int16(), "employee_count": pa.bool_()})
    assert code == 2
    assert (
        'column "employee_count" is Boolean, and the field `employee_count` is integer'
        in capsys.readouterr().err
    )
    assert len(server.created()) == before


def test_json_lines_change_only_where_a_value_was_found(tmp_path, server):
    lines = [
        '{"name":"Acme Oy", "founded_year": null,"x":[1, 2]}',
        '{"name":"Acme Oy", "founded_year": 1950,"x":[]}',
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    spec = made(tmp_path, "t.jsonl")
    assert main(["run", str(spec), "--base-url", server.url, "-q", "-o", str(tmp_path / "o.jsonl")]) == 0
    out = (tmp_path / "o.jsonl").read_text().splitlines()
    assert json.loads(out[0])["founded_year"] == 1999
    assert out[1].startswith(lines[1][:-1])


def test_an_existing_column_is_an_error_by_default(tmp_path, server, capsys):
    (tmp_path / "t.csv").write_text("name,founded_year\nAcme Oy,\n")
    spec = made(tmp_path, "t.csv", columns={"existing": "error"})
    assert main(["run", str(spec), "--base-url", server.url, "-q", "-o", str(tmp_path / "o.csv")]) == 2
    assert "Set columns.existing to fill or overwrite" in capsys.readouterr().err


def test_an_existing_evidence_column_is_an_error(tmp_path, server, capsys):
    (tmp_path / "t.csv").write_text("name,founded_year,founded_year_confidence\nAcme Oy,,\n")
    spec = made(tmp_path, "t.csv")
    assert main(["run", str(spec), "--base-url", server.url, "-q", "-o", str(tmp_path / "o.csv")]) == 2
    assert '"founded_year_confidence" already' in capsys.readouterr().err


def test_a_frame_is_filled(tmp_path, monkeypatch, server):
    monkeypatch.setenv("PARALLEL_BASE_URL", server.url)
    monkeypatch.chdir(tmp_path)
    frame = pl.DataFrame({"name": ["Acme Oy", "Acme Oy"], "founded_year": [None, 1950]})
    value = small_spec(
        backend="parallel", task=TASK, limits={"max_cost_usd": 1000}, columns={"existing": "fill"}
    )
    value.pop("local"), value.pop("input"), value.pop("output", None)
    found = library.enrich(frame, value)
    assert found["founded_year"].to_list() == [1999, 1950]
    assert found.schema["founded_year"] == pl.Int64
