"""Folders such as `country=NL` are columns of the files in them, in every format."""

import csv
import io
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions
from rowcite.table.sinks import open_table
from rowcite.table.sources import open_source

TABLE = pa.table({"name": ["a", "b", "c"], "country": ["NL", None, "São/1"], "year": [2023, 2024, 2024]})


@pytest.fixture
def folder(tmp_path):
    pq.write_to_dataset(TABLE, tmp_path / "ds", partition_cols=["country", "year"])
    return tmp_path / "ds"


def rows(path):
    source = open_source(str(path), None, CsvOptions())
    found = pl.concat([part.frame for part in source.batches()])
    assert found.schema == source.schema
    return source, sorted(found.rows(), key=str)


def test_the_partitions_of_a_folder_are_columns(folder, monkeypatch):
    expected = [("a", "NL", 2023), ("b", None, 2024), ("c", "São/1", 2024)]
    monkeypatch.chdir(folder.parent)
    for path in (folder, f"{folder}/", "ds", "./ds", "ds/**/*.parquet", folder / "*" / "*" / "*.parquet"):
        source, found = rows(path)
        assert (source.schema.names(), found) == (["name", "country", "year"], expected), path


def test_only_folders_below_the_named_one_are_partitions(folder):
    _, found = rows(folder / "country=NL")
    assert found == [("a", 2023)]
    (file,) = (folder / "country=NL").rglob("*.parquet")
    assert rows(file)[1] == [("a",)]
    assert rows(folder / "country=NL" / "year=*" / "*.parquet")[1] == [("a", 2023)]


def test_partitions_are_written_to_every_format(folder, tmp_path):
    source = open_source(str(folder), None, CsvOptions())
    for suffix in ("parquet", "csv", "jsonl"):
        with open_table(str(tmp_path / f"out.{suffix}"), source, pl.Schema({"x": pl.Int64})) as write:
            for part in source.batches():
                write(part, pl.DataFrame({"x": [7] * part.frame.height}))
    out = pq.read_table(tmp_path / "out.parquet")
    assert sorted(out.to_pydict()["name"]) == ["a", "b", "c"]
    assert out.schema.names == ["name", "country", "year", "x"]
    assert sorted(out["year"].to_pylist()) == [2023, 2024, 2024]
    texts = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))
    assert min((row["name"], row["country"], row["year"]) for row in texts) == ("a", "NL", "2023")
    lines = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert {"name": "a", "country": "NL", "year": 2023, "x": 7} in lines


def written(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_partitions_of_text_files_are_texts(tmp_path):
    written(tmp_path, "csv/zip=01/a.csv", "name\nx\n")
    written(tmp_path, "csv/zip=02/b.csv", "name\ny\n")
    assert rows(tmp_path / "csv")[1] == [("x", "01"), ("y", "02")]
    written(tmp_path, "jsonl/n=1/a.jsonl", '{"name":"x"}\n{}\n')
    written(tmp_path, "jsonl/n=2/b.jsonl", '{ "name":"y" }\n')
    source, _ = rows(tmp_path / "jsonl")
    lines = [line for part in source.batches() for line in part.lines]
    assert lines == [b'{"name":"x","n": "1"}', b'{"n": "1"}', b'{ "name":"y","n": "2"}']


def test_whole_numbers_with_leading_zeros_stay_texts(tmp_path):
    for name in ("01", "2"):
        (tmp_path / f"n={name}").mkdir()
        pq.write_table(pa.table({"a": [1]}), tmp_path / f"n={name}" / "t.parquet")
    assert rows(tmp_path)[1] == [(1, "01"), (1, "2")]


def test_a_column_of_the_files_is_not_replaced_by_a_partition(tmp_path):
    written(tmp_path, "n=1/a.csv", "n\nown\n")
    assert rows(tmp_path)[1] == [("own",)]


def test_files_of_other_partitions_are_rejected_by_name(tmp_path):
    written(tmp_path, "n=1/a.csv", "a\n1\n")
    written(tmp_path, "m=1/a.csv", "a\n1\n")
    with pytest.raises(TableError, match=r"n=1/a\.csv: is in the partitions n, and the first file is in m"):
        rows(tmp_path)


def test_a_folder_of_other_folders_is_rejected_with_the_glob_to_write(tmp_path):
    written(tmp_path, "part/a.csv", "a\n1\n")
    with pytest.raises(TableError, match=r"holds no csv.*give a glob, such as .*\*\*"):
        rows(tmp_path)
