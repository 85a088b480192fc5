"""Found values in columns of every type: what a column cannot hold exactly is rejected, and empty columns hold everything."""

import csv
import io
import json

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowcite.cli import main
from support import write_spec
from support.answers import NOWHERE, answer, answered, found, spec


def filled(folder, column, values, field="string", suffix="parquet"):
    """Fill the column `found` of a Parquet table of two rows with answers; return the output."""
    table = pa.table({"name": [f"n{at}" for at in range(len(column))], "found": column})
    pq.write_table(table, folder / "t.parquet")
    return written(folder, "t.parquet", values, field, suffix)


def written(folder, table, values, field="string", suffix="parquet"):
    kind = {"type": "array", "items": "string"} if field == "array" else {"type": field}
    task = {
        "processor": "core",
        "inputs": {"company_name": {"column": "name"}},
        "outputs": {"found": {**kind, "description": "x"}},
    }
    file = write_spec(
        folder,
        spec(
            task=task,
            accept={},
            input={"path": table},
            columns={"existing": "fill", "citations": "none", "confidence": False},
        ),
    )
    answered(file, [answer(found=found(value)) for value in values])
    out = folder / f"out.{suffix}"
    assert main(["write", str(file), "--base-url", NOWHERE, "-q", "-o", str(out), "--replace"]) == 0
    return out


@pytest.mark.parametrize(
    ("column", "field", "value"),
    [
        (pa.float32(), "integer", 89165470),
        (pa.float32(), "number", 0.1),
        (pa.float64(), "integer", 9007199254740993),
        (pa.float16(), "number", 70000.0),
        (pa.uint8(), "integer", 256),
        (pa.uint64(), "integer", -1),
    ],
    ids=str,
)
def test_a_number_that_a_column_would_change_is_rejected_and_the_cell_stays(tmp_path, column, field, value):
    out = pq.read_table(filled(tmp_path, pa.array([None], column), [value], field))
    assert out["found"].to_pylist() == [None]
    assert out["rowcite_status"].to_pylist() == ["rejected"]
    assert out.schema.field("found").type == column


def writes(kind):
    """Return True if this version of pyarrow writes a type to Parquet: older versions read string_view as string."""
    try:
        pq.write_table(pa.table({"found": pa.nulls(1, kind)}), io.BytesIO())
    except pa.ArrowNotImplementedError:
        return False
    return True


@pytest.mark.parametrize(
    ("column", "field", "value"),
    [
        (pa.float32(), "integer", 89165472),
        (pa.float32(), "number", 0.5),
        (pa.float64(), "integer", 9007199254740992),
        (pa.uint64(), "integer", 2**63 - 1),
        (pa.string(), "number", 1e22),
        *([(pa.string_view(), "string", "x")] if writes(pa.string_view()) else []),
        (pa.large_string(), "boolean", True),
    ],
    ids=str,
)
def test_a_value_that_a_column_holds_exactly_is_filled(tmp_path, column, field, value):
    out = pq.read_table(filled(tmp_path, pa.array([None], column), [value], field))
    (cell,) = out["found"].to_pylist()
    assert (json.loads(cell) if isinstance(cell, str) and field != "string" else cell) == value
    assert out["rowcite_status"].to_pylist() == ["completed"]
    assert out.schema.field("found").type == column


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_a_column_of_categories_holds_new_texts(tmp_path, suffix):
    own = pa.DictionaryArray.from_arrays(pa.array([None, 0, 1], pa.int8()), ["old", "N/A"])
    out = filled(tmp_path, own, ["new", "unused", "unused too"], suffix=suffix)
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "jsonl": pl.read_ndjson}[suffix](out)
    assert read["found"].cast(pl.String).to_list() == ["new", "old", "N/A"]


def test_a_column_of_bytes_for_its_categories_holds_more_than_a_byte_does(tmp_path):
    own = pa.DictionaryArray.from_arrays(pa.array([None] * 300, pa.int8()), ["old"])
    out = pq.read_table(filled(tmp_path, own, [f"v{at}" for at in range(300)]))
    assert out["found"].to_pylist() == [f"v{at}" for at in range(300)]
    assert out.schema.field("found").type == pa.dictionary(pa.int32(), pa.string())


def test_a_category_that_an_enum_lacks_is_rejected(tmp_path):
    frame = pl.DataFrame(
        {"name": ["a", "b"], "found": [None, None]}, schema_overrides={"found": pl.Enum(["x"])}
    )
    frame.write_parquet(tmp_path / "t.parquet")
    out = pl.read_parquet(written(tmp_path, "t.parquet", ["x", "y"]))
    assert out["found"].cast(pl.String).to_list() == ["x", None]
    assert out["rowcite_status"].to_list() == ["completed", "rejected"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("string", "x"), ("integer", 7), ("number", 0.5), ("boolean", True), ("array", ["a", "b"])],
)
@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
def test_a_column_without_a_value_holds_every_field(tmp_path, field, value, suffix):
    out = filled(tmp_path, pa.nulls(1), [value], field, suffix)
    if suffix == "parquet":
        assert pq.read_table(out)["found"].to_pylist() == [value]
    elif suffix == "jsonl":
        assert json.loads(out.read_text())["found"] == value
    else:
        (row,) = csv.DictReader(out.read_text().splitlines())
        assert row["found"] == value or json.loads(row["found"]) == value


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_json_line_holds_the_found_number_whatever_other_lines_have(tmp_path, suffix):
    lines = ['{"name":"a","found":null}', '{"name":"b","found":3}', '{"name":"c","found":4.50}']
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    out = written(tmp_path, "t.jsonl", [12, 1, 1], "integer", suffix)
    text = out.read_text()
    assert ('"found": 12,' if suffix == "jsonl" else "\na,12,") in text
    assert "4.50" in text
    (tmp_path / "t.jsonl").write_text("\n".join(lines[:2]) + "\n")
    out = written(tmp_path, "t.jsonl", [12.5, 1], "number", suffix)
    assert ('"found": 12.5,' if suffix == "jsonl" else "\na,12.5,") in out.read_text()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_list_is_filled_into_a_column_of_lists_in_every_format(tmp_path, suffix):
    out = filled(tmp_path, pa.array([None, ["k"]], pa.list_(pa.string())), [["a"], ["b"]], "array", suffix)
    cells = (
        pq.read_table(out)["found"].to_pylist()
        if suffix == "parquet"
        else [json.loads(row["found"]) for row in csv.DictReader(out.read_text().splitlines())]
    )
    assert cells == [["a"], ["k"]]


@pytest.mark.parametrize(
    ("suffix", "warning"),
    [("jsonl", "out.jsonl: JSON has no NaN and no infinity: 4 values are null there"), ("csv", "")],
)
def test_numbers_that_json_does_not_have_are_null_with_a_warning_that_counts_them(
    tmp_path, capsys, suffix, warning
):
    inside = [{"m": [float("nan")]}, {"m": [None, 1.0, float("-inf")]}]
    numbers = [float("nan"), float("inf")]
    pq.write_table(
        pa.table({"name": ["a", "b"], "x": numbers, "y": inside, "z": [1.0, None]}), tmp_path / "t.parquet"
    )
    out = written(tmp_path, "t.parquet", ["f", "g"], suffix=suffix)
    assert capsys.readouterr().err.strip().rpartition("/")[2] == warning
    if suffix == "jsonl":
        assert [json.loads(line)["x"] for line in out.read_text().splitlines()] == [None, None]


def test_a_field_with_the_name_of_several_columns_is_rejected(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("name\nx\n")
    task = {"processor": "core", "inputs": {"name": {"column": "name"}}, "outputs": {"^a$": "string"}}
    file = write_spec(tmp_path, spec(task=task, accept={}, input={"path": "t.csv"}))
    assert main(["check", str(file)]) == 2
    assert "the name of field '^a$' is a pattern" in capsys.readouterr().err
