"""Tables of every format are read as they are, and a fault is named by file and line."""

import csv
import gzip
import io
import os
import re
from pathlib import Path
from typing import get_args

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions, Format
from rowcite.table.sources import FORMATS, open_source
from rowcite.table.sources.base import BATCH_ROWS, Rows, coalesce

ROWS = [("007", "Åse & Søn", None), ("008", "O'Neill, Ltd", "x")]
TEXTS = {
    "csv": 'id,name,note\n007,Åse & Søn,\n008,"O\'Neill, Ltd",x\n',
    "tsv": "id\tname\tnote\n007\tÅse & Søn\t\n008\tO'Neill, Ltd\tx\n",
    "jsonl": '{"id":"007","name":"Åse & Søn","note":null}\n{"id":"008","name":"O\'Neill, Ltd","note":"x"}\n',
}


def packed(data: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(data)
    if suffix == ".zst":
        out = pa.BufferOutputStream()
        with pa.CompressedOutputStream(out, "zstd") as stream:
            stream.write(data)
        return out.getvalue().to_pybytes()
    return data


def table(kind: str) -> bytes:
    if kind == "parquet":
        out = io.BytesIO()
        pl.DataFrame(ROWS, schema=["id", "name", "note"], orient="row").write_parquet(out)
        return out.getvalue()
    return TEXTS[kind].encode()


def rows(path: object, **options: object) -> list[tuple[object, ...]]:
    source = open_source(str(path), None, CsvOptions(**options))
    return [row for batch in source.batches() for row in batch.frame.rows()]


def written(folder: Path, data: bytes | str, name: str = "t.csv") -> Path:
    file = folder / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_is_read_plain_and_compressed(tmp_path, kind, compression):
    assert rows(written(tmp_path, packed(table(kind), compression), f"t.{kind}{compression}")) == ROWS


def test_the_formats_of_a_spec_are_the_registered_ones():
    assert list(FORMATS) == list(get_args(Format))


def test_a_glob_is_read_in_the_order_of_the_names(tmp_path):
    for name in ("b", "a", "c"):
        written(tmp_path, f"x\n{name}\n", f"part-{name}.csv")
    written(tmp_path, "other\n1\n", "not-this.csv")
    assert rows(tmp_path / "part-*.csv") == [("a",), ("b",), ("c",)]


def test_a_folder_is_read_part_after_part_without_hidden_files(tmp_path):
    written(tmp_path, "x\n1\n", "1.csv")
    written(tmp_path, gzip.compress(b"x\n2\n"), "2.csv.gz")
    written(tmp_path, "y\n3\n", ".3.csv")
    written(tmp_path, "done", "_SUCCESS")
    assert rows(tmp_path) == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("x,z\n1,2\n", "has 'z' and lacks 'y'"),
        ("y,x\n1,2\n", "in another order"),
        ("x,y,z\n1,2,3\n", "has 'z'"),
    ],
)
def test_parts_with_another_header_are_rejected(tmp_path, second, message):
    written(tmp_path, "x,y\n1,2\n", "1.csv")
    written(tmp_path, second, "2.csv")
    with pytest.raises(TableError, match=rf"2\.csv:1: the header .*{message}.* unlike 1\.csv"):
        rows(tmp_path)


def test_parts_of_different_formats_are_rejected(tmp_path):
    written(tmp_path, "x\n1\n", "1.csv")
    written(tmp_path, '{"x":1}\n', "2.jsonl")
    with pytest.raises(TableError, match="different formats"):
        rows(tmp_path)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"x": ["1"], "y": [1]}, "column 'x' is large_string, and int64 in 1.parquet"),
        ({"x": [1], "z": [1]}, "has the column 'z' and lacks the column 'y', unlike 1.parquet"),
        ({"y": [1], "x": [1]}, "its columns are in another order than those of 1.parquet"),
    ],
)
def test_parquet_parts_of_another_schema_are_rejected_with_column_and_type(tmp_path, second, message):
    pl.DataFrame({"x": [1], "y": [1]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame(second).write_parquet(tmp_path / "2.parquet")
    with pytest.raises(TableError, match=rf"2\.parquet: {re.escape(message)}"):
        rows(tmp_path)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n", [("1", "2")], id="byte order mark"),
        pytest.param(b'\xef\xbb\xbf"a",b\n1,2\n', [("1", "2")], id="byte order mark before a quote"),
        pytest.param(b'a,b\r\n1,"x\r\ny"\r\n', [("1", "x\r\ny")], id="CRLF, also in a value"),
        pytest.param(b"a,b\r1,2\r3,4\r", [("1", "2"), ("3", "4")], id="CR alone"),
        pytest.param(b'a,b\n1,"x\ny"\n', [("1", "x\ny")], id="quoted newline"),
        pytest.param(b'a,b\n1,"say ""hi"""\n', [("1", 'say "hi"')], id="doubled quotes"),
        pytest.param(b'a,b\n1,5" pipe\n', [("1", '5" pipe')], id="quote inside a bare value"),
        pytest.param(b'a,b\n1,""""', [("1", '"')], id="a closed quote at the very end"),
        pytest.param(b'a,b\n,""\n', [(None, "")], id="blank and quoted blank"),
        pytest.param(b"a,b\nNA,null\n", [("NA", "null")], id="words that mean null elsewhere"),
        pytest.param(b"a,b\n007,1e5\n", [("007", "1e5")], id="numbers as they are written"),
        pytest.param(b"a,b\n 1 ,\t2\n", [(" 1 ", "\t2")], id="spaces"),
        pytest.param(b"a,b\n1,x\x00y\n", [("1", "x\x00y")], id="NUL"),
        pytest.param(b"a,b\n1,2", [("1", "2")], id="no line end after the last row"),
        pytest.param(b"a,b\n", [], id="header only"),
        pytest.param(b"a,b", [], id="header only, without a line end"),
        pytest.param(b"\n\na,b\n\n1,2\n\n\n3,4\n\n", [("1", "2"), ("3", "4")], id="blank lines"),
        pytest.param(b"a\n1\n\n2\n", [("1",), (None,), ("2",)], id="blank rows of a single column"),
        pytest.param(b"\na\n\n1\n", [(None,), ("1",)], id="blank line above a single column"),
        pytest.param(b",b\n1,2\n", [("1", "2")], id="a column without a name"),
        pytest.param(b'"a\nb",c\n1,2\n', [("1", "2")], id="newline in the header"),
    ],
)
def test_a_csv_is_read_as_text(tmp_path, data, expected):
    assert rows(written(tmp_path, data)) == expected


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("latin-1", "café"),
        ("cp1252", "€ café"),
        ("utf-16", "café 日本"),
        ("utf-16-le", "café"),
        ("utf-8-sig", "é"),
        ("shift_jis", "日本"),
    ],
)
def test_other_encodings_are_read_if_the_spec_names_them(tmp_path, encoding, text):
    file = written(tmp_path, f"a,é\n1,{text}\n".replace("é", "b", 1).encode(encoding))
    assert rows(file, encoding=encoding) == [("1", text)]


@pytest.mark.parametrize("separator", [";", "|", "\t", "\x01"])
def test_other_separators_are_read_if_the_spec_names_them(tmp_path, separator):
    file = written(tmp_path, f'a{separator}b\n1,5{separator}"x{separator}y"\n')
    assert rows(file, separator=separator) == [("1,5", f"x{separator}y")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"\n\n", "the file is empty", id="only line ends"),
        pytest.param(b"a,b\n1,2\n3\n", r":3: 1 cell where the header has 2", id="short row"),
        pytest.param(b'a,b\n1,"x\ny"\n3,4,5\n', r":4: 3 cells where the header has 2", id="long row"),
        pytest.param(b"a,b,a\n1,2,3\n", r":1: the header has 'a' more than once", id="duplicate header"),
        pytest.param(
            b'a,b\n1,2\n1,"x\ny,z\n', r":3: a quote is opened and never closed", id="unclosed quote"
        ),
        pytest.param(b'a,b\n1,2\n1,"x', r":3: a quote is opened and never closed", id="unclosed at the end"),
        pytest.param(b'a,b\n1,"', r":2: a quote is opened and never closed", id="a lone quote"),
        pytest.param(b'a,"b\n1,2\n', r":1: a quote is opened and never closed", id="unclosed in the header"),
        pytest.param(b"a,b\n1,ok\n2,caf\xe9\n", r":3: byte 0xe9 is not utf-8", id="bad byte"),
        pytest.param(b"a,caf\xe9\n1,2\n", r":1: byte 0xe9 is not utf-8", id="bad byte in the header"),
        pytest.param(
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", r":1: byte 0x89 .* Is it a text file", id="binary"
        ),
        pytest.param(
            b"a,b\n1," + b"x" * 300_000 + b"\n2,3,4\n", r":3: 3 cells where", id="ragged after a large cell"
        ),
    ],
)
def test_a_fault_in_a_csv_is_named_by_its_line(tmp_path, data, message):
    with pytest.raises(TableError, match=message) as error:
        rows(written(tmp_path, data))
    assert str(error.value).startswith(str(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b'{"a":1}\n{"a":\n', r":2: not a line of JSON", id="broken"),
        pytest.param(b'{"a":1}\n\n[1]\n', r":3: a line is a JSON object, and this is a list", id="a list"),
        pytest.param(
            b'{"a":1}{"a":2}\n', r":1: not a line of JSON: Extra data at character 8", id="two in a line"
        ),
        pytest.param(b'{"a":NaN}\n', r":1: .*NaN is not a JSON value", id="NaN"),
        pytest.param(b'{"a":"caf\xe9"}\n', r":1: byte 0xe9 is not UTF-8", id="bad byte"),
        pytest.param(b'{"a":1}\n{"a":{"b":1}}\n', "do not fit one column", id="a number and an object"),
    ],
)
def test_a_fault_in_json_lines_is_named_by_its_line(tmp_path, data, message):
    with pytest.raises(TableError, match=message):
        rows(written(tmp_path, data, "t.jsonl"))


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zst", "t.jsonl.gz", "t.parquet.gz", "t.parquet"])
def test_a_file_that_does_not_match_its_suffix_is_rejected(tmp_path, name):
    with pytest.raises(TableError, match=rf"{name}: (cannot read it|not a Parquet file)"):
        rows(written(tmp_path, b"plainly something else", name))


def test_a_truncated_compressed_file_is_rejected(tmp_path):
    whole = gzip.compress(b"a,b\n" + os.urandom(200_000).hex().encode() + b",2\n")
    with pytest.raises(TableError, match="cannot read it"):
        rows(written(tmp_path, whole[: len(whole) // 2], "t.csv.gz"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing.csv", "no such file"),
        ("no*.csv", "no such file"),
        (".", "holds no csv"),
        ("x" * 5_000 + ".csv", "cannot read the path"),
        ("ftp://host/x.csv", "reads s3://, gs://, az:// and https:// tables, not ftp://"),
        ("-", "stdin can be read only once"),
    ],
)
def test_a_table_that_does_not_exist_is_named(tmp_path, monkeypatch, path, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TableError, match=message):
        open_source(path, None, CsvOptions())


def test_an_unknown_suffix_names_the_key_to_set(tmp_path):
    with pytest.raises(TableError, match=r"t\.docx: unknown format. Set input.format"):
        rows(written(tmp_path, b"", "t.docx"))


def test_a_pipe_is_rejected_with_the_advice_to_use_stdin(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(TableError, match="send it to stdin"):
        rows(tmp_path / "pipe.csv")


@pytest.mark.parametrize("size", [20_000_000, 33_000_000])
def test_a_huge_cell_and_the_rows_after_it_are_read(tmp_path, size):
    file = written(tmp_path, b"a,b\n0,0\n1," + b"x" * size + b"\n2,3\n")
    assert [len(b or "") for _, b in rows(file)] == [1, size, 1]


def test_two_thousand_columns_are_read(tmp_path):
    names = [f"c{i}" for i in range(2_000)]
    file = written(tmp_path, ",".join(names) + "\n" + ",".join("7" * 2_000) + "\n")
    assert rows(file) == [("7",) * 2_000]


def test_jsonl_fields_that_appear_late_are_columns_of_all_rows(tmp_path):
    file = written(tmp_path, '{"a":1}\n' * BATCH_ROWS + '{}\n{"b":"x"}\n', "t.jsonl")
    assert rows(file)[-3:] == [(1, None), (None, None), (None, "x")]


def test_jsonl_kinds_that_differ_between_batches_become_text(tmp_path):
    file = written(tmp_path, '{"a":1}\n' * BATCH_ROWS + '{"a":"x"}\n', "t.jsonl")
    assert rows(file)[-2:] == [("1",), ("x",)]


@pytest.mark.parametrize("value", ["\n", "\r\n", "x\n", "\n\n", '"\n', ",\n", "\r"])
def test_a_last_cell_that_ends_in_a_line_end_is_closed(tmp_path, value):
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], ["1", value]])
    (tmp_path / "t.csv").write_bytes(text.getvalue().encode())
    (rows,) = open_source(str(tmp_path / "t.csv"), None, CsvOptions()).batches()
    assert rows.frame.rows() == [("1", value)]


def test_a_column_without_a_name_keeps_it(tmp_path):
    (batch,) = open_source(str(written(tmp_path, ",b\n1,2\n")), None, CsvOptions()).batches()
    assert batch.frame.columns == ["", "b"]


@pytest.mark.parametrize(
    ("name", "data"),
    [("t.csv", b"a\0,b\n1,2\n"), ("t.jsonl", b'{"a\\u0000": 1}\n')],
)
def test_a_column_whose_name_holds_a_nul_is_rejected(tmp_path, name, data):
    with pytest.raises(TableError, match=r"holds a NUL\. Rename it"):
        rows(written(tmp_path, data, name))


def test_packed_json_lines_without_the_suffix_are_rejected(tmp_path):
    file = written(tmp_path, gzip.compress(b'{"a":1}\n'), "t.jsonl")
    with pytest.raises(TableError, match=r"t\.jsonl: is compressed with gzip\. End its name in \.gz"):
        rows(file)


def test_text_in_parquet_that_is_not_utf_8_is_rejected(tmp_path):
    offsets = pa.array([0, 2, 4], pa.int32()).buffers()[1]
    bad = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"a\xffbc")])
    pq.write_table(pa.table({"a": bad}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match=r"t\.parquet: cannot read it: .*Invalid UTF8"):
        rows(tmp_path / "t.parquet")


def test_parquet_metadata_that_is_not_utf_8_is_ignored(tmp_path):
    field = pa.field("a", pa.int64(), metadata={"k": b"\xff"})
    pq.write_table(
        pa.table([[1]], schema=pa.schema([field], metadata={"k": b"\xff"})), tmp_path / "t.parquet"
    )
    assert rows(tmp_path / "t.parquet") == [(1,)]


def test_utf_16_without_its_mark_is_rejected(tmp_path):
    with pytest.raises(TableError, match=r"is not utf-16: .* does not start with BOM"):
        rows(written(tmp_path, "a,b\n1,2\n".encode("utf-16-le")), encoding="utf-16")


def test_a_batch_of_json_lines_is_limited_by_their_bytes_too():
    """A line is in memory beside its values: here all its bytes are in a member that the frame does not have."""
    lines = [b'{"a":1,"b":"%b"}' % (b"x" * 2_000_000)] * 5
    parts = (Rows(pl.DataFrame({"a": [1] * 5}), lines=lines) for _ in range(4))
    assert [rows.frame.height for rows in coalesce(parts)] == [10, 10]
