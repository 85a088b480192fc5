"""A table is written whole or not at all, with every original value as it was."""

import csv
import datetime as dt
import gzip
import io
import json
import os
import resource
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions
from rowcite.table.sinks import check_output, open_table
from rowcite.table.sources import FrameSource, Source, open_source

READS_FIXED_LISTS = int(pa.__version__.split(".")[0]) >= 26  # older ones cannot read nulls among them
ADDED = pl.DataFrame({"found": ["p", "q"], "count": [1, None], "tags": [["a", "b"], []]})
FLAT = ADDED.select("found", "count")


def write(source: Source, path: Path, added: pl.DataFrame = FLAT) -> bytes:
    with open_table(str(path), source, added.schema) as write_rows:
        done = 0
        for rows in source.batches():
            write_rows(rows, added.slice(done, rows.frame.height))
            done += rows.frame.height
    return path.read_bytes()


def opened(folder: Path, data: str | bytes, name: str = "in.csv", **options: object) -> Source:
    file = folder / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return open_source(str(file), None, CsvOptions(**options))


def typed() -> pa.Table:
    moment = dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    return pa.table(
        {
            "date": pa.array([dt.date(2024, 1, 2), None]),
            "zoned": pa.array([moment, None], pa.timestamp("us", "Europe/Berlin")),
            "nanos": pa.array([1704164645123456789, None], pa.timestamp("ns")),
            "time": pa.array([dt.time(1, 2, 3), None]),
            "duration": pa.array([dt.timedelta(hours=1), None], pa.duration("us")),
            "decimal": pa.array([Decimal("12.50"), None], pa.decimal128(10, 2)),
            "category": pa.array(["x", None]).dictionary_encode(),
            "list": pa.array([[1, 2], None]),
            "struct": pa.array([{"a": 1, "b": "x"}, None]),
            "binary": pa.array([b"\xff\x00", None]),
            "binaries": pa.array([[b"\xff"], None]),
            "parts": pa.array([{"raw": b"\xff", "for": dt.timedelta(seconds=1)}, None]),
            "null": pa.nulls(2),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "half": pa.array([1.5, None], pa.float32()).cast(pa.float16()),
            "u64": pa.array([2**64 - 1, None], pa.uint64()),
            "bool": pa.array([True, None]),
            "fixed": pa.array([[1, 2], None if READS_FIXED_LISTS else [3, 4]], pa.list_(pa.int64(), 2)),
            "text": pa.array(["", None]),
        }
    ).replace_schema_metadata({"owner": "sales", "pandas": "{}"})


@pytest.fixture
def parquet(tmp_path) -> Source:
    pq.write_table(typed(), tmp_path / "in.parquet")
    return open_source(str(tmp_path / "in.parquet"), None, CsvOptions())


@pytest.mark.parametrize("name", [field.name for field in typed().schema])
def test_parquet_keeps_every_type_and_value(parquet, tmp_path, name):
    write(parquet, tmp_path / "out.parquet")
    before, after = pq.read_table(tmp_path / "in.parquet"), pq.read_table(tmp_path / "out.parquet")
    assert after.schema.field(name).type == before.schema.field(name).type
    assert after[name].equals(before[name])


def test_parquet_keeps_the_metadata_of_its_schema(parquet, tmp_path):
    write(parquet, tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet").metadata == {b"owner": b"sales", b"pandas": b"{}"}


def test_added_columns_of_a_parquet_are_native(parquet, tmp_path):
    write(parquet, tmp_path / "out.parquet", ADDED)
    added = pl.read_parquet(tmp_path / "out.parquet").select(ADDED.columns)
    assert added.equals(ADDED)


def test_parquet_types_have_a_form_in_csv(parquet, tmp_path):
    row = next(csv.DictReader(io.StringIO(write(parquet, tmp_path / "out.csv").decode())))
    shown = {
        name: row[name]
        for name in ("date", "duration", "decimal", "list", "struct", "binary", "binaries", "null", "map")
    }
    assert shown == {
        "date": "2024-01-02",
        "duration": "PT1H",
        "decimal": "12.50",
        "list": "[1,2]",
        "struct": '{"a":1,"b":"x"}',
        "binary": "/wA=",
        "binaries": '["/w=="]',
        "null": "",
        "map": '{"k":1}',
    }


def test_parquet_types_have_a_form_in_jsonl(parquet, tmp_path):
    first, second = map(json.loads, write(parquet, tmp_path / "out.jsonl").splitlines())
    assert first["binary"] == "/wA="
    assert first["parts"] == {"raw": "/w==", "for": "PT1S"}
    assert first["list"] == [1, 2]
    names = set(typed().schema.names) - (set() if READS_FIXED_LISTS else {"fixed"})
    assert all(second[name] is None for name in names)


def test_jsonl_lines_are_repeated_to_the_byte(tmp_path):
    lines = '{ "a" : 1.50,"b":"\\u00e9 \u2028" , "a2":{"z":[]}}\n{}\n'
    out = write(opened(tmp_path, lines, "in.jsonl"), tmp_path / "out.jsonl").decode()
    assert out == (
        '{ "a" : 1.50,"b":"\\u00e9 \u2028" , "a2":{"z":[]},"found":"p","count":1}\n'
        '{"found":"q","count":null}\n'
    )


def test_a_blank_and_a_quoted_blank_stay_different(tmp_path):
    assert (
        write(opened(tmp_path, 'a,b\n,""\n"",\n'), tmp_path / "out.csv")
        == b'a,b,found,count\n,"",p,1\n"",,q,\n'
    )


ODD = [
    "=1+1",
    "@x",
    "-5",
    "+49",
    '"',
    '""',
    "a,b",
    "x\ny",
    "x\r\ny",
    "x\ry",
    "x\x00y",
    " pad ",
    "007",
    "😀",
    "'",
    "\t",
    "\u2028",
]


@pytest.mark.parametrize("value", ODD)
def test_an_original_value_is_never_touched(tmp_path, value):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b"], [value, "1"], ["2", value]])
    out = write(opened(tmp_path, text.getvalue()), tmp_path / "out.csv").decode()
    assert [row[:2] for row in csv.reader(io.StringIO(out, newline=""))][1:] == [[value, "1"], ["2", value]]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "tsv"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_csv_has_the_byte_order_mark_and_the_line_ends_of_the_input(tmp_path, suffix, mark, line_end):
    text = mark + b'"A\nname",b' + line_end + b'1,"x\ny"' + line_end + b"2,z" + line_end
    out = write(opened(tmp_path, text), tmp_path / f"out.{suffix}")
    out = gzip.decompress(out) if suffix.endswith("gz") else out
    separator = b"\t" if suffix == "tsv" else b","
    assert out.startswith(mark + b'"A\nname"' + separator + b"b" + separator)
    lines = out.removeprefix(mark).replace(b"A\nname", b"").replace(b"x\ny", b"").split(line_end)
    assert len(lines) == 4
    assert not any(b"\n" in line or b"\r" in line or b"\xef\xbb\xbf" in line for line in lines)


def test_a_csv_has_the_separator_and_the_header_of_the_input(tmp_path):
    out = write(opened(tmp_path, '"A name";b\n1;"x;y"\n2;z\n', separator=";"), tmp_path / "out.csv")
    assert out == b'A name;b;found;count\n1;"x;y";p;1\n2;z;q;\n'


def test_another_encoding_is_written_as_utf_8(tmp_path):
    out = write(opened(tmp_path, "a\ncafé\nü\n".encode("latin-1"), encoding="latin-1"), tmp_path / "out.csv")
    assert out.decode().splitlines()[1] == "café,p,1"


@pytest.mark.parametrize(
    ("name", "unpack"),
    [
        ("o.csv", bytes),
        ("o.csv.gz", gzip.decompress),
        ("o.csv.zst", lambda data: pa.input_stream(io.BytesIO(data), compression="zstd").read()),
    ],
)
def test_the_suffix_sets_the_compression(tmp_path, name, unpack):
    assert unpack(write(opened(tmp_path, "a\n1\n2\n"), tmp_path / name)) == b"a,found,count\n1,p,1\n2,q,\n"


def test_a_tsv_is_written_with_tabs(tmp_path):
    assert (
        write(opened(tmp_path, 'a\n"x,y"\n2\n'), tmp_path / "o.tsv")
        == b"a\tfound\tcount\nx,y\tp\t1\n2\tq\t\n"
    )


def test_the_folder_of_the_output_is_created(tmp_path):
    assert write(opened(tmp_path, "a\n1\n2\n"), tmp_path / "new" / "deep folder ü" / "o.csv")


def test_a_link_to_the_output_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "o.csv").symlink_to(tmp_path / "real" / "x.csv")
    write(opened(tmp_path, "a\n1\n2\n"), tmp_path / "o.csv")
    assert (tmp_path / "o.csv").is_symlink()
    assert (tmp_path / "real" / "x.csv").exists()


def test_a_file_name_as_long_as_the_system_allows_is_written(tmp_path):
    write(opened(tmp_path, "a\n1\n2\n"), tmp_path / ("x" * 251 + ".csv"))


# --- failing ---------------------------------------------------------------------------------------------


@pytest.fixture
def small_files():
    """Let no file of this process grow above 200 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet", "jsonl", "jsonl.zst"])
def test_a_write_that_fails_leaves_the_old_table_and_nothing_beside_it(tmp_path, small_files, suffix):
    target = tmp_path / f"o.{suffix}"
    target.write_text("old")
    source = FrameSource(pl.DataFrame({"a": [str(hash((n, "x"))) for n in range(50_000)]}))
    with pytest.raises(TableError) as error:
        write(source, target, source.frame.rename({"a": "b"}))
    assert str(error.value) == f"{target}: cannot write the file: File too large"
    assert [file.name for file in tmp_path.iterdir()] == [target.name]
    assert target.read_text() == "old"


def test_an_interrupt_in_the_middle_leaves_nothing(tmp_path):
    def fail() -> None:
        source = opened(tmp_path, "a\n1\n2\n")
        with open_table(str(tmp_path / "o.parquet"), source, FLAT.schema):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [file.name for file in tmp_path.iterdir()] == ["in.csv"]


# --- before anything is spent ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("o.docx", "unknown format"),
        ("o", "unknown format"),
        ("o.parquet.gz", "parquet is compressed inside"),
        ("folder", "this is a folder. Name a file in it"),
        ("folder.csv", "this is a folder"),
        ("in.csv", "this is the input"),
        ("./folder/../in.csv", "this is the input"),
        ("link.csv", "this is the input"),
        ("hard.csv", "this is the input"),
        ("in.csv/o.csv", "in.csv is not a folder"),
        ("pipe.csv", "this is not a file"),
        ("x" * 300 + ".csv", "cannot write there"),
    ],
)
def test_an_output_that_cannot_be_written_is_rejected_beforehand(tmp_path, monkeypatch, output, message):
    monkeypatch.chdir(tmp_path)
    source = opened(tmp_path, "a\n1\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to("in.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "in.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(TableError, match=message):
        check_output(output, source)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_rejected_beforehand(tmp_path):
    source = opened(tmp_path, "a\n1\n")
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(TableError, match="no permission for the folder"):
        check_output(str(tmp_path / "locked" / "o.csv"), source)


def test_the_same_rows_give_the_same_bytes(parquet, tmp_path):
    for name in ("o.csv.gz", "o.csv.zst", "o.parquet", "o.jsonl"):
        first = write(parquet, tmp_path / name)
        assert write(parquet, tmp_path / name) == first
    assert write(parquet, tmp_path / "o.csv.gz")[4:8] == bytes(4)  # the time in a gzip header


# --- the layout of a Parquet output --------------------------------------------------------------------


def laid_out(tmp_path, rows=2_500, group=1_000, compression="snappy"):
    table = pa.table({"n": range(rows), "tags": [["a", "b"]] * rows}, metadata={"made": "here"})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=group, compression=compression)
    source = open_source(str(tmp_path / "in.parquet"), None, CsvOptions())
    added = pl.Schema({"found": pl.String})
    with open_table(str(tmp_path / "out.parquet"), source, added) as write_rows:
        for batch in source.batches():
            for start in range(0, batch.frame.height, 300):
                part = batch.slice(start, 300)
                write_rows(part, pl.DataFrame({"found": ["x"] * part.frame.height}))
    return pq.ParquetFile(tmp_path / "out.parquet")


def test_row_groups_have_the_size_of_the_input(tmp_path):
    metadata = laid_out(tmp_path).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [1_000, 1_000, 500]


@pytest.mark.parametrize("codec", ["snappy", "zstd", "none"])
def test_columns_of_the_input_keep_their_codec(tmp_path, codec):
    group = laid_out(tmp_path, compression=codec).metadata.row_group(0)
    codecs = {group.column(n).path_in_schema: group.column(n).compression for n in range(group.num_columns)}
    kept = "UNCOMPRESSED" if codec == "none" else codec.upper()
    assert codecs == {"n": kept, "tags.list.element": kept, "found": "ZSTD"}


def test_row_groups_have_every_row_once_and_in_order(tmp_path):
    assert laid_out(tmp_path).read()["n"].to_pylist() == list(range(2_500))


def test_a_parquet_without_rows_has_its_columns(tmp_path):
    found = laid_out(tmp_path, rows=0).read()
    assert (found.num_rows, found.column_names) == (0, ["n", "tags", "found"])
