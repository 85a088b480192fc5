"""A row's key and text depend on that row alone: not on other rows, nor on the type that a file gives a column.

`ROWCITE_EXAMPLES` tries more.
"""

import json
from contextlib import closing

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.api.keys import canonical, exact
from rowcite.explain import explain
from rowcite.ledger import open_ledger
from rowcite.pipeline.job import make_job
from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.models import CsvOptions
from rowcite.table.reader import Reader
from rowcite.table.sources import open_source
from support import examples

EXAMPLES = examples(25)
INPUTS = {"inputs": {"x": {"column": "x", "transform": "lower"}, "y": {"column": "y"}}}
PROMPT = {"prompt": "{x} of {y}"}
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)
WHOLE = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
MEMBER = st.one_of(
    TEXT, WHOLE, FLOAT, st.none(), st.sampled_from(["1", "1.0", "true", 1, 1.0, 9007199254740993])
)
TRUTH = st.one_of(
    st.booleans(), st.sampled_from(["true", "x"])
)  # polars takes no column of booleans and numbers


def read(file, task):
    """Return each row's key, with its input or the reason why it has none."""
    spec = parse_spec({"name": "t", "task": {"processor": "core", "outputs": {"f": "string"}, **task}})
    job = make_job(spec, Reader(open_source(str(file), None, CsvOptions()), spec), "https://api.example")
    found = []
    for batch in job.reader.batches(job.question):
        for key, why in zip(batch.keys, batch.why, strict=True):
            found.append((key, batch.tasks[key].decode() if key is not None else why))
    return found


def jsonl(folder, rows):
    file = folder / "table.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def parquet(folder, rows, schema):
    file = folder / "table.parquet"
    pl.DataFrame(rows, schema=schema).write_parquet(file)
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rows")


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"x": MEMBER, "y": TRUTH}), min_size=1, max_size=5),
    st.sampled_from([INPUTS, PROMPT]),
)
def test_a_line_of_json_has_the_same_key_alone_and_among_others(folder, rows, task):
    together = read(jsonl(folder, rows), task)
    assert together == [read(jsonl(folder, [row]), task)[0] for row in rows]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({"x": st.one_of(st.none(), FLOAT), "y": st.one_of(st.none(), WHOLE)}),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([INPUTS, PROMPT]),
)
def test_a_row_of_parquet_has_the_same_key_alone_and_among_others(folder, rows, task):
    schema = {"x": pl.Float64, "y": pl.Int64}
    together = read(parquet(folder, rows, schema), task)
    assert together == [read(parquet(folder, [row], schema), task)[0] for row in rows]


@pytest.mark.parametrize("last", [12.5, "n/a", None, 2**70])
def test_a_line_that_is_added_changes_no_key_of_the_lines_before(tmp_path, last):
    task = {"inputs": {"vat": {"column": "vat"}}}
    rows = [{"vat": 100}, {"vat": 200}, {"vat": 9007199254740993}]
    before = read(jsonl(tmp_path, rows), task)
    after = read(jsonl(tmp_path, [*rows, {"vat": last}]), task)
    assert after[:3] == before
    assert [text for _, text in after[:3]] == ['{"vat":100}', '{"vat":200}', '{"vat":9007199254740993}']


def test_members_of_json_lines_are_sent_as_they_are(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        '{"x":1.0}\n{"x":"1.0"}\n{"x":1e5}\n{"x":true}\n{"x":0.10000000000000000001}\n{"x":"  A "}\n{"x":null}\n{}\n'
    )
    task = {"inputs": {"x": {"column": "x", "transform": "lower"}}}
    assert [text for _, text in read(rows, task)] == [
        '{"x":1}',
        '{"x":"1.0"}',
        '{"x":100000}',
        '{"x":true}',
        '{"x":0.10000000000000000001}',
        '{"x":"a"}',
        "every input is blank",
        "every input is blank",
    ]


def test_whole_numbers_have_one_key_in_every_number_column(tmp_path):
    task = {"inputs": {"x": {"column": "x"}}}
    kinds = (pl.Int64, pl.UInt16, pl.Float64, pl.Float32)
    keys = {read(parquet(tmp_path, {"x": [300]}, {"x": kind}), task)[0] for kind in kinds}
    assert [text for _, text in keys] == ['{"x":300}']
    assert read(jsonl(tmp_path, [{"x": 300.0}]), task)[0] in keys


@pytest.mark.parametrize("kind", [pl.Int64, pl.Float64])
def test_whole_numbers_have_one_text_in_a_prompt(tmp_path, kind):
    (found,) = read(parquet(tmp_path, {"x": [300], "y": [1]}, {"x": kind, "y": kind}), PROMPT)
    assert found[1] == '"300 of 1"'


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("string", ['"007"', '"1.50"', '"1e3"', '"True"', '"about 9"']),
        ("integer", ["7", None, "1000", None, None]),
        ("number", ["7", "1.5", "1000", None, None]),
        ("boolean", [None, None, None, "true", None]),
    ],
)
def test_the_spec_gives_an_input_its_type(tmp_path, kind, sent):
    file = tmp_path / "table.csv"
    cells = ["007", "1.50", "1e3", "True", "about 9"]
    file.write_text("x\n" + "\n".join(cells) + "\n")
    found = [text for _, text in read(file, {"inputs": {"x": {"column": "x", "type": kind}}})]
    assert found == [
        f'{{"x":{value}}}' if value else f'input `x` is "{cell}", which is not of the type {kind}'
        for value, cell in zip(sent, cells, strict=True)
    ]


def test_a_number_is_sent_as_text_where_the_spec_says_so(tmp_path):
    task = {"inputs": {"x": {"column": "x", "type": "string"}}}
    (found,) = read(parquet(tmp_path, {"x": [300.0]}, {"x": pl.Float64}), task)
    assert found[1] == '{"x":"300"}'
    assert read(jsonl(tmp_path, [{"x": 300}, {"x": "300"}]), task) == [found, found]


def test_a_value_that_does_not_fit_its_type_makes_its_row_failed(tmp_path):
    spec = parse_spec(
        {
            "name": "t",
            "task": {
                "processor": "core",
                "outputs": {"f": "string"},
                "inputs": {"x": {"column": "x", "type": "integer"}},
            },
        }
    )
    job = make_job(
        spec,
        Reader(open_source(str(jsonl(tmp_path, [{"x": "a"}, {"x": 1}])), None, CsvOptions()), spec),
        "https://api",
    )
    (batch,) = job.reader.batches(job.question)
    assert batch.status.to_list() == ["failed", None]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_a_number_of_a_line_has_its_canonical_text(folder, number):
    file = folder / "number.jsonl"
    file.write_text(f'{{"x":{number}}}\n{{"x":0.5}}\n')
    (first, _) = read(file, {"inputs": {"x": {"column": "x"}}})
    assert first[1] == canonical({"x": exact(number.encode())}).decode()


def test_explain_shows_the_input_of_a_line_as_it_is_sent(tmp_path):
    file = jsonl(tmp_path, [{"x": 9007199254740993}, {"x": 0.5}])
    spec = parse_spec(
        {
            "name": "t",
            "task": {
                "processor": "core",
                "outputs": {"f": "string"},
                "inputs": {"x": {"column": "x"}},
            },
        }
    )
    job = make_job(spec, Reader(open_source(str(file), None, CsvOptions()), spec), "https://api.example")
    with closing(open_ledger(tmp_path / "ledger", writing=True)) as ledger:
        assert explain(job, ledger, 1).input == {"x": 9007199254740993}
