"""Tables and specs that are too large are rejected by file and place, in little memory."""

import gzip
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rowcite.errors import SpecError, TableError
from rowcite.pipeline.spec_file import load_spec, parse_spec
from rowcite.spec import read_limits
from rowcite.spec.models import CsvOptions
from rowcite.table.sources import open_source
from support import environment

MIB = 1 << 20
SCALE = 16
"""The limits of a reading process are this many times smaller, so that its tables can be small too."""
READ = """
import json, sys
from rowcite.spec import read_limits
for name in ("CELL", "ROW", "BATCH", "FREE"):
    setattr(read_limits, name, getattr(read_limits, name) // int(sys.argv[1]))
from rowcite.errors import TableError
from rowcite.table.sources import open_source
from rowcite.spec.models import CsvOptions

def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # ru_maxrss is inherited
    return int(line.split()[1]) // 1024

before, read = peak(), []
for file in sys.argv[3:]:
    rows, message = 0, ""
    try:
        for batch in open_source(file, None, CsvOptions(encoding=sys.argv[2])).batches():
            rows += batch.frame.height
    except TableError as error:
        message = str(error)
    read.append([rows, message, peak() - before])
print(json.dumps(read))
"""


def read_in_process(*files, encoding="utf-8", scale=SCALE):
    """Read tables in another process; return of each its rows, its error and the memory in MiB that was needed up to its end."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(scale), encoding, *map(str, files)],
        env=environment(),
        capture_output=True,
        timeout=300,
        check=True,
    )
    return json.loads(done.stdout)


def zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


PACKED = {".gz": gzip.compress, ".zst": zstd}


@pytest.fixture(scope="module")
def sixteen():
    """Return 16 MiB of x, packed: in both formats such parts can be concatenated."""
    return {suffix: pack(b"x" * 16 * MIB) for suffix, pack in PACKED.items()}


FAR = {
    "t.csv": (b"a,b\n1,2\n3,", b"\n", ":3: a row of more than 4 MiB"),
    "t.tsv": (b'a\tb\n1\t2\n3\t"', b'"\n', ":3: a row of more than 4 MiB"),
    "header.csv": (b"", b"", ":1: the header: a row of more than 4 MiB"),
    "t.jsonl": (b'{"a":1}\n{"a":"', b'"}\n', ":2: a row of more than 4 MiB"),
}


def test_a_cell_far_above_the_limit_is_rejected_in_little_memory(tmp_path, sixteen):
    places = {}
    for name, (before, after, place) in FAR.items():
        for suffix, pack in PACKED.items():
            file = tmp_path / f"{name}{suffix}"
            file.write_bytes(pack(before) + sixteen[suffix] * 32 + (pack(after) if after else b""))
            places[file] = f"{file}{place}"
    read = read_in_process(*places)
    for (file, place), (_, message, memory) in zip(places.items(), read, strict=True):
        assert message.startswith(place), message
        assert memory < 250, file  # of 512 MiB, the largest of the files up to this one


def test_a_cell_of_a_gigabyte_is_rejected_in_little_memory(tmp_path, sixteen):
    file = tmp_path / "t.csv.zst"
    file.write_bytes(zstd(b"a,b\n1,2\n3,") + sixteen[".zst"] * 64)
    ((_, message, memory),) = read_in_process(file, scale=1)
    assert message.startswith(f"{file}:3: a row of more than 64 MiB"), message
    assert memory < 700


def test_a_huge_cell_in_another_encoding_is_rejected_in_little_memory(tmp_path):
    file = tmp_path / "t.csv.gz"
    part = gzip.compress("x".encode("utf-16-le") * 8 * MIB, 1)
    file.write_bytes(gzip.compress("\ufeffa,b\n1,".encode("utf-16-le")) + part * 32)
    ((_, message, memory),) = read_in_process(file, encoding="utf-16")
    assert "of more than" in message
    assert memory < 250  # of 512 MiB


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "a,b\n0,0\n1,{}\n", r"t\.csv: row 2, column 'b': a value of more than 32 MiB"),
        ("t.jsonl", '{{"a":"0"}}\n\n{{"a":"{}"}}\n', r"t\.jsonl: row 2, column 'a': a value of more than 32"),
    ],
)
def test_a_value_just_too_large_is_named_by_row_and_column(tmp_path, name, text, message):
    file = tmp_path / name
    file.write_text(text.format("x" * (read_limits.CELL + 1)))
    with pytest.raises(TableError, match=message):
        list(open_source(str(file), None, CsvOptions()).batches())


def test_a_parquet_value_just_too_large_is_named_by_row_and_column(tmp_path):
    values = pa.array(["x", "y" * (read_limits.CELL + 1)])
    pq.write_table(pa.table({"a": values}), tmp_path / "t.parquet", use_dictionary=False, compression="none")
    with pytest.raises(TableError, match=r"t\.parquet: row 2, column 'a': a value of more than 32 MiB"):
        list(open_source(str(tmp_path / "t.parquet"), None, CsvOptions()).batches())


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_file_that_unpacks_to_far_more_than_a_table_is_rejected(tmp_path, monkeypatch, kind, suffix):
    monkeypatch.setattr(read_limits, "FREE", 4 * MIB)
    file = tmp_path / f"t.{kind}{suffix}"
    rows = {"csv": b"a,b\n" + b"1,2\n" * 4 * MIB, "jsonl": b'{"a":1}\n' * 2 * MIB, "parquet": bytes(16 * MIB)}
    file.write_bytes(PACKED[suffix](rows[kind]))
    with pytest.raises(TableError, match=r"unpack to more than .* MiB: no table packs 500 times"):
        list(open_source(str(file), None, CsvOptions()).batches())


def test_a_normally_packed_table_is_read_without_any_free_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(read_limits, "FREE", 0)
    file = tmp_path / "t.csv.gz"
    file.write_bytes(gzip.compress(b"".join(b"%d,x%d\n" % (n, n * n) for n in range(100_000))))
    assert sum(b.frame.height for b in open_source(str(file), None, CsvOptions()).batches()) == 99_999


def test_a_parquet_dictionary_that_expands_far_is_read_in_little_memory(tmp_path):
    file = tmp_path / "t.parquet"
    rows = 8_000
    large = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * (MIB // SCALE)]))
    pq.write_table(pa.table({"a": large}), file, store_schema=False, dictionary_pagesize_limit=4 * MIB)
    assert file.stat().st_size < MIB
    ((read, message, memory),) = read_in_process(file)
    assert (read, message) == (rows, "")
    assert memory < 200  # of 500 MiB


def test_parquet_values_that_share_their_beginning_are_read_in_little_memory(tmp_path):
    file = tmp_path / "t.parquet"
    same = pa.array(["x" * (MIB // SCALE)] * 3_000)
    pq.write_table(
        pa.table({"a": same}), file, use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY"}
    )
    assert file.stat().st_size < MIB
    ((read, message, memory),) = read_in_process(file)
    assert (read, message) == (3_000, "")
    assert (
        memory < 170
    )  # of 187 MiB, beside the 116 MB that the process takes; the allocator varies under load


def test_a_parquet_dictionary_with_a_value_too_large_is_rejected(tmp_path):
    file = tmp_path / "t.parquet"
    large = pa.DictionaryArray.from_arrays(
        pa.array([0] * 100, pa.int32()), pa.array(["x" * (read_limits.CELL + 1)])
    )
    pq.write_table(
        pa.table({"a": large}), file, store_schema=False, dictionary_pagesize_limit=2 * read_limits.CELL
    )
    with pytest.raises(TableError, match=r"'a' has a value of more than 32 MiB"):
        list(open_source(str(file), None, CsvOptions()).batches())


def test_a_parquet_page_that_unpacks_to_far_more_than_a_table_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(read_limits, "CELL", 2 * MIB)
    file = tmp_path / "t.parquet"
    cells = pa.array(["y" * MIB] * 20, pa.large_string())
    pq.write_table(pa.table({"a": cells}), file, use_dictionary=False, compression="zstd", store_schema=False)
    with pytest.raises(TableError, match=r"column 'a' holds .* bytes that unpack to 20 MiB"):
        list(open_source(str(file), None, CsvOptions()).batches())


def test_a_parquet_list_of_millions_of_nulls_is_rejected(tmp_path):
    file = tmp_path / "t.parquet"
    count = 34_000_000
    lists = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), pa.nulls(count, pa.int8()))
    pq.write_table(pa.table({"a": lists}), file)
    with pytest.raises(TableError, match="34,000,000 values in lists in"):
        list(open_source(str(file), None, CsvOptions()).batches())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", ",".join(f"c{n}" for n in range(20_001)) + "\n"),
        ("t.jsonl", "{" + ",".join(f'"k{n}":1' for n in range(20_000)) + '}\n{"other":1}'),
        ("t.jsonl", "{" + ",".join(f'"k{n}":1' for n in range(20_001)) + "}"),
        ("t.jsonl", '{"a":{' + ",".join(f'"k{n}":1' for n in range(20_000)) + "}}"),
    ],
    ids=["csv", "jsonl, another line", "jsonl, one line", "jsonl, inside of an object"],
)
def test_more_columns_than_any_table_has_are_rejected(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(TableError, match="columns, and rowcite reads 20,000 at most"):
        open_source(str(tmp_path / name), None, CsvOptions())


@pytest.mark.parametrize("value", ["[" * 65 + "]" * 65, '{"b":' * 65 + "1" + "}" * 65])
def test_json_nested_too_deep_is_rejected_by_its_line(tmp_path, value):
    (tmp_path / "t.jsonl").write_text(f'{{"a":1}}\n{{"a":{value}}}\n')
    with pytest.raises(TableError, match=r"t\.jsonl:2: nested more than 64 levels deep"):
        open_source(str(tmp_path / "t.jsonl"), None, CsvOptions())


def test_brackets_in_a_text_are_not_nesting(tmp_path):
    text = "[" * 500 + '\\"{' * 500
    (tmp_path / "t.jsonl").write_text(f'{{"a":"{text}"}}\n')
    (batch,) = open_source(str(tmp_path / "t.jsonl"), None, CsvOptions()).batches()
    assert len(batch.frame["a"][0]) == 1_500


# --- specs -----------------------------------------------------------------------------------------------

SPEC = "name: a\ntask: {processor: lite, inputs: {x: {column: x}}, outputs: {y: string}}\n"


def test_a_spec_of_more_than_a_mebibyte_is_rejected(tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC + "#" * read_limits.SPEC)
    with pytest.raises(SpecError, match=r"spec\.yaml: cannot read the spec: it has more than 1 MiB"):
        load_spec(tmp_path / "spec.yaml")


def test_an_endless_json_schema_is_rejected():
    task = {"processor": "lite", "inputs": {"x": {"column": "x"}}, "output": {"json_schema": "/dev/zero"}}
    with pytest.raises(SpecError, match="cannot read the JSON schema /dev/zero: it has more than 1 MiB"):
        parse_spec({"name": "a", "task": task})


@pytest.mark.parametrize("text", ["x" * 100_000, "${HOME}" + "x" * 100_000], ids=["plain", "with a variable"])
def test_aliases_of_a_long_text_cannot_blow_a_spec_up(tmp_path, text):
    aliases = ", ".join(["*t"] * 5_000)
    (tmp_path / "spec.yaml").write_text(f"long: &t '{text}'\nmany: [{aliases}]\n{SPEC}")
    with pytest.raises(SpecError, match="more than 4,194,304 characters"):
        load_spec(tmp_path / "spec.yaml", environ={"HOME": "h" * 1_000})


def test_a_long_variable_used_often_cannot_blow_a_spec_up(tmp_path):
    (tmp_path / "spec.yaml").write_text(f"{SPEC}x: '{'${LONG}' * 10_000}'\n")
    with pytest.raises(SpecError, match="more than 4,194,304 characters"):
        load_spec(tmp_path / "spec.yaml", environ={"LONG": "l" * 100_000})
