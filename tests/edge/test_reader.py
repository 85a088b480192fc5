"""Rows become tasks: the columns that are sent, their form in JSON, the rows that are skipped, and those that share one task."""

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest

from rowcite.api.facts import TASK_AND_INPUT_CHARS
from rowcite.errors import SpecError
from rowcite.pipeline.job import Job, make_job
from rowcite.pipeline.spec_file import load_spec, parse_spec
from rowcite.spec.models import CsvOptions
from rowcite.table.reader import Batch, Reader
from rowcite.table.sources import FrameSource, Source, base, open_source


def job(table: pl.DataFrame | Source, task: dict | None = None, **read: object) -> Job:
    task = task or {"inputs": {"x": {"column": "a"}}}
    spec = parse_spec(
        {"name": "t", "input": read, "task": {"processor": "core", "outputs": {"f": "string"}, **task}}
    )
    opened = FrameSource(table) if isinstance(table, pl.DataFrame) else table
    return make_job(spec, Reader(opened, spec), "https://api.example")


def batches(job: Job) -> list[Batch]:
    return list(job.reader.batches(job.question))


def inputs_of(job: Job) -> list[object]:
    """Return the input of each row, or its status and why it has none."""
    found: list[object] = []
    for batch in batches(job):
        for key, status, why in zip(batch.keys, batch.status, batch.why, strict=True):
            found.append(json.loads(batch.tasks[key]) if key is not None else f"{status}: {why}")
    return found


def column(*values: object, **dtype: object) -> pl.DataFrame:
    return pl.DataFrame({"a": pl.Series(values, **dtype)})


@pytest.mark.parametrize(
    ("transform", "value", "sent"),
    [
        ("strip", "  Acme  Oy ", "Acme  Oy"),
        ("strip", "\u00a0Acme\u3000", "Acme"),
        ("lower", " ACME ÖY ", "acme öy"),
        ("none", "  Acme ", "  Acme "),
        ("domain", "https://www.Acme.com/x?y#z", "acme.com"),
        ("domain", "WWW.ACME.COM.", "acme.com"),
        ("domain", "acme.com:443", "acme.com"),
        ("domain", "joe@acme.com", "acme.com"),
        ("domain", "http://user:word@acme.com:8080/", "acme.com"),
        ("domain", "//cdn.acme.co.uk/x", "cdn.acme.co.uk"),
        ("domain", "https://www.acme.com/@user", "acme.com"),
        ("domain", "acme.com (old)", "acme.com"),
        ("domain", "müller.de", "müller.de"),
        ("domain", "xn--mller-kva.xn--p1ai", "xn--mller-kva.xn--p1ai"),
        ("domain", "192.168.0.1", "192.168.0.1"),
        ("domain", "Acme Inc.", None),
        ("domain", "e.g.", None),
        ("domain", "1.5", None),
        ("domain", "n/a", None),
        ("domain", "acme", None),
        ("domain", "http://", None),
        ("domain", "tel:+1.555.1234", None),
        ("domain", "acme.com, beta.com", None),
        ("url", "Acme.com/Path/", "https://acme.com/Path"),
        ("url", "HTTP://Acme.com", "http://acme.com"),
        ("url", "https://acme.com/x?a=1#part", "https://acme.com/x?a=1"),
        ("url", "https://user:word@acme.com/", None),
        ("url", "javascript:alert(1)", None),
        ("url", "acme", None),
    ],
)
def test_transforms(transform, value, sent):
    inputs = inputs_of(job(column(value), {"inputs": {"x": {"column": "a", "transform": transform}}}))
    assert inputs == [{"x": sent} if sent is not None else "skipped: every input is blank"]


@pytest.mark.parametrize(
    ("table", "sent"),
    [
        (column(Decimal("12.50")), "12.50"),
        (column(dt.date(2024, 1, 2)), "2024-01-02"),
        (column(dt.datetime.fromisoformat("2024-01-02T03:04")), "2024-01-02T03:04:00.000000"),
        (
            column(dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), dtype=pl.Datetime("us", "Europe/Berlin")),
            "2024-01-02T03:00:00.000000Z",
        ),
        (column(dt.time(1, 2)), "01:02:00.000000"),
        (column(dt.timedelta(hours=1)), "PT1H"),
        (column("x", dtype=pl.Categorical), "x"),
        (column("x", dtype=pl.Enum(["x"])), "x"),
        (column(True), True),
        (column(2**64 - 1, dtype=pl.UInt64), 2**64 - 1),
        (column(1.5), 1.5),
    ],
)
def test_a_typed_column_is_sent_in_its_json_form(table, sent):
    assert inputs_of(job(table)) == [{"x": sent}]


@pytest.mark.parametrize(
    "table",
    [column(None), column(None, dtype=pl.Int64), column(float("nan")), column(float("inf")), column("")],
)
def test_a_row_without_any_input_is_skipped(table):
    assert inputs_of(job(table)) == ["skipped: every input is blank"]


@pytest.mark.parametrize("table", [column([1]), column({"b": 1}), column(b"x")])
def test_a_column_that_cannot_be_sent_is_rejected(table):
    with pytest.raises(SpecError, match=r'column "a" has the type .* cannot be sent'):
        job(table)


def test_a_blank_required_input_skips_the_row_and_another_blank_input_is_left_out():
    task = {"inputs": {"name": {"column": "a", "required": True}, "site": {"column": "b"}}}
    table = pl.DataFrame({"a": ["Acme", " ", None], "b": [None, "x.com", "y.com"]})
    blank = "skipped: required input `name` is blank"
    assert inputs_of(job(table, task)) == [{"name": "Acme"}, blank, blank]


def test_null_values_count_as_blank():
    table = column("Acme", " N/A ", "n/a", "-")
    inputs = inputs_of(job(table, csv={"null_values": ["", "N/A", "-"]}))
    assert inputs == [
        {"x": "Acme"},
        "skipped: every input is blank",
        {"x": "n/a"},
        "skipped: every input is blank",
    ]


def test_only_the_named_columns_are_sent():
    table = pl.DataFrame({"a": ["Acme"], "salary": ["90,000"]})
    assert inputs_of(job(table)) == [{"x": "Acme"}]


@pytest.mark.parametrize("name", ["rowcite_key", "index", "key", "why", "prompt"])
def test_an_input_may_have_any_name(name):
    assert inputs_of(job(column("x", "y", "x"), {"inputs": {name: {"column": "a"}}})) == [
        {name: "x"},
        {name: "y"},
        {name: "x"},
    ]


# --- prompts ---------------------------------------------------------------------------------------------


def test_a_prompt_is_filled_in_for_each_row():
    table = pl.DataFrame({"a": [" Acme ", None, None], "n": [1, 2, None]})
    inputs = inputs_of(job(table, {"prompt": "{{a}}: who runs {a} ({n})?"}))
    assert inputs == ["{a}: who runs Acme (1)?", "{a}: who runs  (2)?", "skipped: every input is blank"]


@pytest.mark.parametrize("prompt", ["Who is it?", "Who is {{a}}?", "Who is {a?"])
def test_a_prompt_that_names_no_column_is_rejected(prompt):
    with pytest.raises(SpecError, match="the prompt names no column"):
        job(column("x"), {"prompt": prompt})


@pytest.mark.parametrize(
    ("task", "place"),
    [
        ("  prompt: 'Who runs {nmae}?'\n", "5:"),
        ("  inputs:\n    site: {column: website}\n    x: {column: nmae}\n", "7:"),
    ],
)
def test_a_missing_column_is_an_error_at_its_line(tmp_path, task, place):
    file = tmp_path / "spec.yaml"
    file.write_text(f"name: t\ntask:\n  processor: core\n  outputs: {{f: string}}\n{task}")
    spec = load_spec(file)
    table = pl.DataFrame({"name": ["Acme"], "website": ["acme.com"]})
    with pytest.raises(SpecError) as error:
        Reader(FrameSource(table), spec)
    assert str(error.value).startswith(f"{file}:{place}")
    assert 'column "nmae" is not in the table (did you mean "name"?). Columns: name, website' in str(
        error.value
    )


# --- where -----------------------------------------------------------------------------------------------

PEOPLE = pl.DataFrame({"a": ["10", "9", "x", None], "n": [10, 9, None, 1]})


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("a = '9'", [1]),
        ("a <> '9'", [0, 2]),
        ("a LIKE '1%' OR n = 9", [0, 1]),
        ("n > 5", [0, 1]),
        ("NOT n > 5", []),
        ("TRY_CAST(a AS DOUBLE) > 9", [0]),
        ("a IN ('x', '9')", [1, 2]),
        ("a IS NOT NULL AND n IS NULL", [2]),
        ("1 = 1", [0, 1, 2]),
        ("false", []),
        ("a = 'max(n)'", []),
    ],
)
def test_where_selects_rows(where, rows):
    inputs = inputs_of(job(PEOPLE, where=where))
    assert [number for number, item in enumerate(inputs) if isinstance(item, dict)] == rows
    outside = [item for item in inputs if item == "skipped: outside `where`"]
    assert len(outside) >= len(inputs) - len(rows) - 1  # a null predicate is outside; the last row is blank


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("a > 5", r"CSV columns are text: write CAST\(a AS DOUBLE\)"),
        ("a = 5", r"CAST\(a AS DOUBLE\)"),
        ("a + 1 > '5'", r"CAST\(a AS DOUBLE\)"),
        ("a BETWEEN 1 AND 5", r"CAST\(a AS DOUBLE\)"),
        ("a IN (1, 2)", r"CAST\(a AS DOUBLE\)"),
        ("n > '5'", "Remove the quotes around the number"),
        ("nope = 'x'", 'unable to find column "nope". Columns: a, n'),
        ('a = "x"', "unable to find column \"x\". A text is in single quotes: 'x'. Columns: a, n"),
        ("a", "gives String, not true or false"),
        ("a =", "cannot be used"),
        ("SELECT 1", "cannot be used"),
        ("n = max(n)", "`max` of many rows"),
        ("count(*) > 1", "`count` of many rows"),
    ],
)
def test_a_where_that_cannot_be_used_is_rejected(where, message):
    with pytest.raises(SpecError, match=message):
        job(PEOPLE, where=where)


def test_the_cast_to_write_quotes_a_name_that_needs_it():
    with pytest.raises(SpecError, match=r'write CAST\("Head Count" AS DOUBLE\)'):
        job(pl.DataFrame({"a": ["x"], "Head Count": ["5"]}), where='"Head Count" > 5')


@pytest.mark.parametrize(
    "where", ["name LIKE 'a%' AND id IN (1, 2)", "5 < id AND name = 'a'", "name = 'b' AND id = -1"]
)
def test_the_cast_to_write_is_of_the_column_beside_the_number(where):
    with pytest.raises(SpecError, match=r"write CAST\(id AS DOUBLE\)"):
        job(pl.DataFrame({"name": ["x"], "id": ["5"]}), where=where)


def test_a_cast_that_fails_on_a_value_suggests_try_cast():
    with pytest.raises(SpecError, match=r"failed in column 'a'.*TRY_CAST"):
        batches(job(PEOPLE, where="CAST(a AS DOUBLE) > 5"))


# --- tasks -----------------------------------------------------------------------------------------------


def test_rows_with_equal_inputs_share_one_task():
    table = pl.DataFrame({"a": ["Acme", " Acme ", "Beta", "Acme"], "other": ["1", "2", "3", "4"]})
    (batch,) = batches(job(table))
    assert len(batch.tasks) == 2
    assert batch.keys[0] == batch.keys[1] == batch.keys[3] != batch.keys[2]


def test_an_input_that_is_too_long_is_a_failed_row_and_no_task():
    batch = batches(job(column("short", "x" * 200_000)))[0]
    assert batch.status.to_list() == [None, "failed"]
    assert "the input has 200,0" in batch.why[1]
    assert len(batch.tasks) == 1


def test_the_length_is_counted_in_characters():
    (batch,) = batches(job(column("é" * (TASK_AND_INPUT_CHARS * 2 // 3))))
    assert len(batch.tasks) == 1


def test_keys_are_equal_across_formats_and_batches(tmp_path):
    size = base.BATCH_ROWS + 20
    names = [f"Company {number % 7}" for number in range(size)]
    table = pl.DataFrame({"a": names, "b": [f"{n}.com" for n in range(size)]})
    table.write_csv(tmp_path / "t.csv")
    table.write_parquet(tmp_path / "t.parquet")
    table.write_ndjson(tmp_path / "t.jsonl")

    def keys(table: Source) -> list[bytes]:
        return [key for batch in batches(job(table)) for key in batch.keys]

    whole = keys(FrameSource(table[:30])) + keys(FrameSource(table[30:]))
    for suffix in ("csv", "parquet", "jsonl"):
        assert keys(open_source(str(tmp_path / f"t.{suffix}"), None, CsvOptions())) == whole
    assert keys(FrameSource(table)) == whole
    assert len(set(whole)) == 7


def test_answers_are_requested_within_the_limit_and_every_row_is_read():
    class Pairs(FrameSource):
        def batches(self):
            return (rows.slice(start, 2) for rows in super().batches() for start in (0, 2, 4))

    spec = job(column("x")).spec
    for limit in (0, 1, 2, 3, 9):
        reader = Reader(Pairs(column(*"abcde")), spec, limit=limit)
        asked = make_job(spec, reader, "api").question
        within = list(reader.batches_within_limit(asked))
        assert [text for batch in within for text in batch.rows.frame.to_series()] == list("abcde")[:limit]
        assert sum(batch.rows.frame.height for batch in reader.batches(asked)) == 5
