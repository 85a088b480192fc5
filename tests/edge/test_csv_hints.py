"""A file that is not the CSV of its spec is rejected with its real cause and the key to set, and read once it is set."""

import io
import zipfile

import polars as pl
import pytest

from rowcite.cli import main
from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions
from rowcite.table.sources import open_source
from support import rowcite, write_spec
from support.answers import spec


def read(file, **options):
    source = open_source(str(file), None, CsvOptions(**options))
    return list(source.schema), [row for rows in source.batches() for row in rows.frame.iter_rows()]


def workbook():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


def parquet():
    file = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(file)
    return file.getvalue()


TEXT = "id,name\n1,Zoë\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(workbook(), r"is an Excel workbook .* End the name of a workbook in \.xlsx", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0 rest", r"is an old Excel workbook", id="xls"),
        pytest.param(parquet(), r"is Parquet\. Set input\.format to parquet", id="parquet"),
        pytest.param(b"\x1f\x8b\x08 rest", r"is compressed with gzip\. End its name in \.gz", id="gzip"),
        pytest.param(TEXT.encode("utf-16"), r"is UTF-16, not UTF-8\. Set input\.csv\.encoding to utf-16", id="utf-16"),
        pytest.param(TEXT.encode("utf-16-le"), r"is UTF-16-LE, not UTF-8\. Set input\.csv\.encoding to utf-16-le", id="utf-16-le"),
        pytest.param(TEXT.encode("utf-16-be"), r"is UTF-16-BE, not UTF-8\. Set input\.csv\.encoding to utf-16-be", id="utf-16-be"),
        pytest.param(b"sep=;\nid;name\n1;x\n", r":1: this is a note to Excel, not a header\. Set input\.csv\.separator to "
                     r'";" and input\.csv\.skip_lines to 1', id="note of a separator"),
        pytest.param(b"sep=,\nid,name\n1,x\n", r":1: .* Set input\.csv\.skip_lines to 1", id="note of the same"),
        pytest.param(b"id;name\n1;x\n2,5;y\n", r':3: 2 cells .* The header contains ";": set input\.csv\.separator', id=";"),
        pytest.param(b"id\tname\n1\t2,5\n", r':2: 2 cells .* The header contains "\\t"', id="tab"),
        pytest.param(b"Report of May\n\nid,name\n1,x\n", r":3: 2 cells .* set input\.csv\.skip_lines to 2", id="title"),
        pytest.param(b"Report of May,,\nid,name,x\n1,x,y\n", r":1: the header has '' more than once\. .*skip_lines", id="padded"),
    ],
)  # fmt: skip
def test_another_kind_of_file_is_named_with_the_key_to_set(tmp_path, data, message):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(TableError, match=rf"t\.csv(: |){message}"):
        read(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"sep=;\nid;name\n1;x\n", {"separator": ";", "skip_lines": 1}),
        (b'A "title" of\r\n"two lines\r\nid,name\r\n1,x\r\n', {"skip_lines": 2}),
        (b"\xef\xbb\xbfReport\rid,name\r1,x\r", {"skip_lines": 1}),
        ("Report\nid,name\n1,x\n".encode("utf-16"), {"encoding": "utf-16", "skip_lines": 1}),
        (b"Report\n\n\nid,name\n1,x\n", {"skip_lines": 1}),
    ],
)
def test_lines_above_the_header_are_skipped(tmp_path, data, options):
    (tmp_path / "t.csv").write_bytes(data)
    assert read(tmp_path / "t.csv", **options) == (["id", "name"], [("1", "x")])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("id,name\n1\n", r":4: 1 cell where"),
        ('id,name\n1,"x" y\n', r":4: text follows the closing quote"),
        ("id,name,id\n", r":3: the header has 'id' more than once"),
        ('id,"name\n', r":3: a quote is opened"),
        ("", "the file is empty"),
    ],
)
def test_faults_below_skipped_lines_are_named_by_the_line_of_the_file(tmp_path, body, message):
    (tmp_path / "t.csv").write_text('A "title\n\n' + body)
    with pytest.raises(TableError, match=rf"t\.csv(: )?{message}"):
        read(tmp_path / "t.csv", skip_lines=2)


def test_a_quote_fault_below_long_titles_is_found(tmp_path):
    (tmp_path / "t.csv").write_text('"' * 3_000_000 + 'x\nid,name\n1,"x" y\n')
    with pytest.raises(TableError, match=r":3: text follows the closing quote"):
        read(tmp_path / "t.csv", skip_lines=1)


def test_a_table_that_is_read_as_one_column_names_its_separator(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("id;name\n1;x\n")
    file = write_spec(tmp_path, spec(input={"path": "t.csv"}))
    assert main(["check", str(file)]) == 2
    error = capsys.readouterr().err
    assert 'which is read as one column: id;name. Set input.csv.separator to ";"' in error
    assert "Rename" not in error


def test_a_title_in_place_of_the_header_is_named_before_a_column_that_it_lacks(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("Report of May\nid,name\n1,x\n")
    file = write_spec(tmp_path, spec(input={"path": "t.csv"}))
    assert main(["check", str(file)]) == 2
    assert "t.csv:2: 2 cells where the header has 1. If the header is in line 2" in capsys.readouterr().err
    write_spec(tmp_path, spec(input={"path": "t.csv", "csv": {"skip_lines": 1}}))
    assert main(["check", str(file)]) == 0


def test_stdin_has_the_format_of_the_table_of_the_spec(tmp_path):
    file = write_spec(tmp_path, spec(input={"path": "t.jsonl"}))
    done = rowcite("check", file, "-i", "-", cwd=tmp_path, stdin=b'{"name":"x, y"}\n')
    assert done.returncode == 0, done.stderr
