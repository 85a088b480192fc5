"""Whether the output can hold the table is tried before anything is spent."""

import json

import pyarrow.parquet as pq
import pytest

from rowcite.cli import main
from support import write_spec
from support.answers import NOWHERE, answer, answered, found, spec


def made(folder, lines, output="out.parquet"):
    (folder / "t.jsonl").write_text("\n".join(lines) + "\n")
    task = {
        "processor": "core",
        "inputs": {"company_name": {"column": "name"}},
        "outputs": {"found": {"type": "string", "description": "x"}},
    }
    return write_spec(folder, spec(task=task, accept={}, input={"path": "t.jsonl"}, output={"path": output}))


def test_whole_numbers_of_twenty_digits_are_kept_in_parquet(tmp_path):
    file = made(tmp_path, ['{"name":"a","id":18446744073709551615}', '{"name":"b","id":-1}'])
    answered(file, [answer(found=found("x"))] * 2)
    assert main(["write", str(file), "--base-url", NOWHERE, "-q"]) == 0
    assert list(map(int, pq.read_table(tmp_path / "out.parquet")["id"].to_pylist())) == [2**64 - 1, -1]


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ('"v":{}', 'parquet cannot hold the columns "v" (Struct({}))'),
        ('"v":[18446744073709551615]', 'parquet cannot hold the columns "v" (List(Int128))'),
        ('"v":9007199254740993', "row 1, column 'v': the number 9007199254740993 has more digits"),
        (
            '"v":0.10000000000000000001',
            "row 1, column 'v': the number 0.10000000000000000001 has more digits",
        ),
        ('"v":170141183460469231731687303715884105727', "row 1, column 'v': the number 1701411834604"),
    ],
)
@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_a_table_that_parquet_cannot_hold_is_rejected_before_anything_is_sent(
    tmp_path, capsys, command, member, message
):
    other = '"v":0.5' if "." in member or "9007" in member else member
    file = made(tmp_path, [f'{{"name":"a",{member}}}', f'{{"name":"b",{other}}}'])
    flags = [] if command == "check" else ["--base-url", NOWHERE]
    assert main([command, str(file), *flags]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert ".jsonl or .csv" in error


def test_numbers_that_parquet_cannot_hold_are_written_to_json_lines(tmp_path):
    lines = ['{"name":"a","v":9007199254740993,"w":{}}', '{"name":"b","v":0.5,"w":{}}']
    file = made(tmp_path, lines, "out.jsonl")
    answered(file, [answer(found=found("x"))] * 2)
    assert main(["write", str(file), "--base-url", NOWHERE, "-q"]) == 0
    written = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["v"] for line in written] == [9007199254740993, 0.5]
