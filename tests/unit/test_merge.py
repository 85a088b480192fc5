"""Resolved rows to columns: names, types, forms, statuses, and texts that a spreadsheet would run."""

import json
import weakref
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.model import RunState, StoredRun
from rowcite.spec.question import question
from rowcite.table.columns import ColumnLayout
from rowcite.table.contents import merged
from rowcite.table.merge import Merge
from rowcite.table.reader import Batch, Reader
from rowcite.table.sources import Rows

ONE, TWO, THREE = (bytes([number]) * 16 for number in (1, 2, 3))
SEC = {"url": "https://www.sec.gov/x", "title": "SEC", "excerpts": ["words"]}
OTHER = {"url": "https://other.example/a b", "title": None, "excerpts": []}


def output(content, *basis) -> bytes:
    return json.dumps({"type": "json", "content": content, "basis": basis}).encode()


def basis(field="industry", confidence="high", citations=(SEC,), reasoning="because"):
    return {"field": field, "confidence": confidence, "citations": list(citations), "reasoning": reasoning}


def completed(key=ONE, content=None, *parts, run_id="trun_1") -> StoredRun:
    return StoredRun(
        key,
        RunState.COMPLETED,
        run_id,
        "core",
        output({"industry": "Retail"} if content is None else content, *parts),
        None,
        None,
    )


def batch(*keys, status=None, why=None) -> Batch:
    """Return a batch of rows with these tasks; None is a row without a task."""
    nothing = [None] * len(keys)
    return Batch(
        Rows(pl.DataFrame({"n": range(len(keys))})),
        keys=pl.Series(keys, dtype=pl.Binary),
        status=pl.Series(status or nothing, dtype=pl.String),
        why=pl.Series(why or nothing, dtype=pl.String),
    )


class Stored:
    """The runs and decisions of tasks, read as from a ledger."""

    def __init__(self, runs, decisions=None):
        self.runs, self.decided = list(runs), decisions or {}

    def runs_by_task(self, keys):
        for key in keys:
            if mine := [run for run in self.runs if run.key == key]:
                yield mine

    def decisions(self, keys):
        return self.decided


def added(batch, held, spec, *, native):
    merge = Merge(spec, batch.rows.frame.schema, Stored(held), native=native)
    empty = pl.DataFrame(schema=ColumnLayout(spec, batch.rows.frame.schema, native=native).schema)
    return pl.concat([empty, *(columns for _, columns in merge.parts(batch))])


def added_schema(spec, *, native):
    return ColumnLayout(spec, pl.Schema(), native=native).schema


def one(held, spec, *, native=False):
    """Return the added columns of one row as a dict."""
    (row,) = added(batch(held.key), [held], spec, native=native).rows(named=True)
    return row


STATUS = ["rowcite_status", "rowcite_error", "rowcite_processor", "rowcite_run_id"]


def test_a_text_that_a_cell_of_a_workbook_does_not_hold_leaves_its_row_rejected(make_spec):
    spec = make_spec({"outputs": {"a": "string", "b": "string"}})
    held = completed(ONE, {"a": "x" * 32_768, "b": "=" * 32_767})
    merge = Merge(spec, pl.Schema({"n": pl.Int64}), Stored([held]), native=False, workbook=True)
    ((_, columns),) = merge.parts(batch(ONE, ONE))
    for row in columns.rows(named=True):
        assert (row["a"], row["\0evidence a"], row["b"]) == (None, None, "=" * 32_767)
        assert row["rowcite_status"] == "rejected"
        assert row["rowcite_error"] == "a: 32768 characters, and a cell of a workbook holds 32767"


def test_a_workbook_has_the_evidence_of_found_values_alone(make_spec):
    spec = make_spec({"outputs": {"a": "string", "b": "string"}})
    held = completed(ONE, {"a": "Retail", "b": None}, basis("a"))
    merge = Merge(spec, pl.Schema({"n": pl.Int64}), Stored([held]), native=False, workbook=True)
    ((_, columns),) = merge.parts(batch(ONE, None))
    assert columns["\0evidence a"].to_list() == [b'["high",[["SEC","https://www.sec.gov/x","words"]]]', None]
    assert columns["\0evidence b"].to_list() == [None, None]


# --- columns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({}, ["b", "b_confidence", "b_citations", "a", "a_confidence", "a_citations"]),
        (
            {"reasoning": True, "citations": "none"},
            ["b", "b_confidence", "b_reasoning", "a", "a_confidence", "a_reasoning"],
        ),
        ({"prefix": "x_", "confidence": False}, ["x_b", "x_b_citations", "x_a", "x_a_citations"]),
    ],
)
def test_columns_come_in_the_order_of_the_spec_then_the_status(make_spec, columns, names):
    spec = make_spec({"outputs": {"b": "string", "a": "string"}}, columns=columns)
    assert added_schema(spec, native=True).names() == names + STATUS
    assert added(batch(ONE), [], spec, native=True).columns == names + STATUS


TYPES = {
    "text": ("string", "x", pl.String, "x"),
    "whole": ("integer", 9_007_199_254_740_993, pl.Int64, 9_007_199_254_740_993),
    "real": ("number", 0.1, pl.Float64, 0.1),
    "flag": ("boolean", False, pl.Boolean, False),
    "day": ("date", "2024-01-15", pl.Date, date(2024, 1, 15)),
    "stage": ({"enum": ["A", "B"]}, "a", pl.String, "A"),
    "items": ({"type": "array", "items": "integer"}, [1, "2"], pl.List(pl.Int64), [1, 2]),
    "days": ({"type": "array", "items": "date"}, ["2024-01-15"], pl.List(pl.Date), [date(2024, 1, 15)]),
    "person": (
        {"type": "object", "properties": {"name": "string", "born": "date"}},
        {"name": "É", "born": "1980-05-17"},
        pl.Struct({"name": pl.String, "born": pl.Date}),
        {"name": "É", "born": date(1980, 5, 17)},
    ),
}
IN_CSV = {"items": "[1, 2]", "days": '["2024-01-15"]', "person": '{"name": "É", "born": "1980-05-17"}'}


@pytest.mark.parametrize(("field", "value", "dtype", "kept"), TYPES.values(), ids=TYPES)
def test_a_value_has_its_type_in_a_native_table(make_spec, field, value, dtype, kept):
    spec = make_spec({"outputs": {"a": field}})
    assert added_schema(spec, native=True)["a"] == dtype
    assert one(completed(ONE, {"a": value}), spec, native=True)["a"] == kept


@pytest.mark.parametrize("name", IN_CSV)
def test_lists_and_objects_are_json_text_in_a_csv(make_spec, name):
    field, value, _, _ = TYPES[name]
    spec = make_spec({"outputs": {"a": field}})
    assert added_schema(spec, native=False)["a"] == pl.String
    assert one(completed(ONE, {"a": value}), spec)["a"] == IN_CSV[name]


@pytest.mark.parametrize(
    ("citations", "native", "expected"),
    [
        ("urls", False, "https://www.sec.gov/x https://other.example/a%20b"),
        ("urls", True, ["https://www.sec.gov/x", "https://other.example/a%20b"]),
        ("full", False, json.dumps([SEC, OTHER])),
        ("full", True, [SEC, OTHER]),
    ],
)
def test_citations_have_the_form_that_the_spec_sets(make_spec, citations, native, expected):
    spec = make_spec(columns={"citations": citations})
    held = completed(ONE, None, basis(citations=[SEC, OTHER, SEC] if citations == "urls" else [SEC, OTHER]))
    assert one(held, spec, native=native)["industry_citations"] == expected


@pytest.mark.parametrize("native", [True, False])
def test_full_citations_of_a_list_name_the_element(make_spec, native):
    spec = make_spec({"outputs": {"a": {"type": "array"}}}, columns={"citations": "full"})
    own = [basis("a", citations=[OTHER]), basis("a.0", citations=[SEC]), basis("a.2", citations=[SEC, OTHER])]
    found = one(completed(ONE, {"a": ["x", "y", "z"]}, *own), spec, native=native)["a_citations"]
    expected = [{**SEC, "element": 0}, {**SEC, "element": 2}, {**OTHER, "element": 2}]
    assert (found if native else json.loads(found)) == expected
    alone = completed(ONE, {"a": ["x"]}, basis("a", citations=[SEC]))
    found = one(alone, spec, native=native)["a_citations"]
    assert (found if native else json.loads(found)) == [{**SEC, "element": None}]


@pytest.mark.parametrize(("native", "nothing"), [(False, None), (True, [])])
@pytest.mark.parametrize("citations", ["urls", "full"])
def test_a_value_without_citations_has_none(make_spec, citations, native, nothing):
    assert (
        one(completed(), make_spec(columns={"citations": citations}), native=native)["industry_citations"]
        == nothing
    )


def test_urls_with_white_space_stay_separate(make_spec):
    held = completed(ONE, None, basis(citations=[{"url": "https://a.example/x\ty\nz\u3000"}, SEC]))
    assert one(held, make_spec())["industry_citations"].split() == [
        "https://a.example/x%09y%0Az%E3%80%80",
        SEC["url"],
    ]


def test_confidence_and_reasoning_are_texts(make_spec):
    row = one(
        completed(ONE, None, basis(confidence=0.85)), make_spec(columns={"reasoning": True}), native=True
    )
    assert (row["industry_confidence"], row["industry_reasoning"]) == ("0.85", "because")


# --- statuses --------------------------------------------------------------------------------------------


def status(row):
    return [row[name] for name in STATUS]


def test_an_accepted_answer_is_completed(make_spec):
    row = one(completed(), make_spec())
    assert row["industry"] == "Retail"
    assert status(row) == ["completed", None, "core", "trun_1"]


def test_a_null_from_the_api_is_an_answer(make_spec):
    assert status(one(completed(ONE, {"industry": None}), make_spec()))[:2] == ["completed", None]


def test_a_rejected_value_is_blank_and_the_error_names_each_field(make_spec):
    spec = make_spec({"outputs": {"a": "integer", "b": "integer", "c": "string"}}, accept={"required": ["b"]})
    row = one(completed(ONE, {"a": "many", "c": "x"}), spec)
    assert (row["a"], row["b"], row["c"]) == (None, None, "x")
    assert status(row) == [
        "rejected",
        'a: "many" is not a whole number; b: required, and not found',
        "core",
        "trun_1",
    ]


@pytest.mark.parametrize("content", ["words", None, [1]])
def test_an_answer_that_is_not_an_object_is_rejected(make_spec, content):
    held = StoredRun(ONE, RunState.COMPLETED, "trun_1", "core", output(content), None, None)
    row = one(held, make_spec())
    assert status(row)[0] == "rejected"
    assert "the answer is not an object with fields" in row["rowcite_error"]


@pytest.mark.parametrize("raw", [b"", b"no JSON", b"\xff", b"[" * 100_000])
def test_an_unreadable_answer_is_rejected(make_spec, raw):
    held = StoredRun(ONE, RunState.COMPLETED, "trun_1", "core", raw, None, None)
    assert status(one(held, make_spec()))[0] == "rejected"


def test_a_lone_surrogate_is_replaced(make_spec):
    held = StoredRun(
        ONE, RunState.COMPLETED, "trun_1", "core", rb'{"content": {"industry": "a\ud800"}}', None, None
    )
    assert one(held, make_spec())["industry"] == "a\ufffd"


@pytest.mark.parametrize("value", [2**63, 10**400, "1e400"])
def test_a_number_that_no_column_holds_rejects_its_row(make_spec, value):
    row = one(completed(ONE, {"a": value}), make_spec({"outputs": {"a": "integer"}}))
    assert (row["a"], row["rowcite_status"]) == (None, "rejected")


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (StoredRun(ONE, RunState.FAILED, "trun_1", "core", None, "no sources", "ref_9"), ["failed", "failed: no sources (ref_id ref_9)", "core", "trun_1"]),
        (StoredRun(ONE, RunState.FAILED, "trun_1", "core", None, "no (ref_id ref_9)", "ref_9"), ["failed", "failed: no (ref_id ref_9)", "core", "trun_1"]),
        (StoredRun(ONE, RunState.FAILED, "trun_1", "core", None, None, None), ["failed", "failed: the API gave no reason", "core", "trun_1"]),
        (StoredRun(ONE, RunState.CANCELLED, "trun_1", "core", None, "the run is cancelled", None), ["failed", "cancelled: the run is cancelled", "core", "trun_1"]),
        (StoredRun(ONE, RunState.ACTION_REQUIRED, "trun_1", "core", None, "log in", None), ["failed", "action_required: log in", "core", "trun_1"]),
        (StoredRun(ONE, RunState.REFUSED, None, "core", None, "422", "ref_9"), ["failed", "refused: 422 (ref_id ref_9)", "core", None]),
        (StoredRun(ONE, RunState.SUBMITTED, "trun_1", "core", None, None, None), ["pending", None, "core", "trun_1"]),
        (StoredRun(ONE, RunState.INTENDED, None, "core", None, None, None), ["pending", None, "core", None]),
    ],
)  # fmt: skip
def test_a_run_without_an_answer_has_its_status_and_reason(make_spec, held, expected):
    row = one(held, make_spec())
    assert status(row) == expected
    assert row["industry"] is None


def test_a_task_without_runs_is_pending(make_spec):
    (row,) = added(batch(ONE), [], make_spec(), native=False).rows(named=True)
    assert status(row) == ["pending", None, None, None]


def test_a_row_without_a_task_has_the_reason(make_spec):
    rows = batch(
        None, None, status=["skipped", "failed"], why=["outside `where`", "the input has 30,000 characters"]
    )
    found = added(rows, [completed()], make_spec(), native=False).rows(named=True)
    assert [status(row) for row in found] == [
        ["skipped", "outside `where`", None, None],
        ["failed", "the input has 30,000 characters", None, None],
    ]


def test_rows_of_one_task_share_its_answer_and_keep_their_order(make_spec):
    held = [
        completed(TWO, {"industry": "B"}, run_id="trun_2"),
        completed(ONE, {"industry": "A"}),
        completed(THREE, {"industry": "C"}),
    ]
    found = added(
        batch(ONE, TWO, None, ONE, TWO, status=[None, None, "skipped", None, None]),
        held,
        make_spec(),
        native=False,
    )
    assert found["industry"].to_list() == ["A", "B", None, "A", "B"]
    assert found["rowcite_run_id"].to_list() == ["trun_1", "trun_2", None, "trun_1", "trun_2"]


def test_no_rows_make_no_rows(make_spec):
    assert added(batch(), [completed()], make_spec(), native=False).height == 0


@given(st.lists(st.sampled_from([ONE, TWO, THREE, None]), max_size=30))
def test_every_row_comes_once_in_its_order(make_spec, keys):
    held = [completed(key, {"industry": key.hex()}) for key in (THREE, ONE, TWO)]
    found = added(batch(*keys), held, make_spec(), native=True)
    assert found["industry"].to_list() == [key and key.hex() for key in keys]


# --- formulas --------------------------------------------------------------------------------------------

RUN = ["=HYPERLINK(1)", "\n=1", "\u200b\uff1d1", "- a list item"]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(make_spec, text):
    row = one(
        completed(ONE, {"industry": text}, basis(reasoning=text)), make_spec(columns={"reasoning": True})
    )
    assert (row["industry"], row["industry_reasoning"]) == (f"'{text}", f"'{text}")


def test_a_phone_number_is_left_alone(make_spec):
    assert one(completed(ONE, {"industry": "+49 30 1234-5"}), make_spec())["industry"] == "+49 30 1234-5"


def test_a_reason_that_begins_with_the_name_of_a_field_is_guarded_too(make_spec):
    row = one(completed(ONE, {"=cmd": "many"}), make_spec({"outputs": {"=cmd": "integer"}}))
    assert row["rowcite_error"].startswith("'=cmd: ")


@pytest.mark.parametrize("text", RUN)
def test_formulas_are_kept_where_the_spec_says_so_and_in_native_tables(make_spec, text):
    held = completed(ONE, {"industry": text})
    assert one(held, make_spec(columns={"formulas": "keep"}))["industry"] == text
    assert one(held, make_spec(), native=True)["industry"] == text


def test_what_the_api_says_of_a_failure_is_guarded_too(make_spec):
    row = one(StoredRun(ONE, RunState.FAILED, "=run()", "@core", None, "x", None), make_spec())
    assert (row["rowcite_run_id"], row["rowcite_processor"]) == ("'=run()", "'@core")


def test_a_number_column_needs_no_guard(make_spec):
    assert one(completed(ONE, {"a": -5}), make_spec({"outputs": {"a": "integer"}}))["a"] == -5


# --- other outputs ---------------------------------------------------------------------------------------


def test_a_text_answer_is_one_column_with_its_basis(make_spec):
    raw = json.dumps({"type": "text", "content": "1999", "basis": [basis("output")]}).encode()
    row = one(
        StoredRun(ONE, RunState.COMPLETED, "trun_1", "core", raw, None, None),
        make_spec({"output": "The founding year"}),
    )
    assert (row["answer"], row["answer_confidence"], row["answer_citations"]) == ("1999", "high", SEC["url"])


def test_an_auto_answer_is_json_text_with_all_its_evidence(make_spec):
    spec = make_spec({"output": {"type": "auto"}, "processor": "pro"})
    row = one(completed(ONE, {"a": {"b": "é"}}, basis("a.b", "low")), spec, native=True)
    assert (row["answer"], row["answer_confidence"], row["answer_citations"]) == (
        '{"a": {"b": "é"}}',
        "low",
        [SEC["url"]],
    )


def test_a_part_without_a_type_is_json_text(make_spec):
    schema = {"type": "object", "properties": {"a": {"type": ["string", "integer"]}, "b": {"type": "object"}}}
    row = one(
        completed(ONE, {"a": 5, "b": {"x": [1]}}), make_spec({"output": {"json_schema": schema}}), native=True
    )
    assert (row["a"], row["b"]) == ("5", '{"x": [1]}')


class Watched:
    """A table of large batches. `alive` has for each the number of earlier ones that were in memory when it was read."""

    format, separator, arrow_schema, files, faults = "csv", ",", None, (), ()
    schema = pl.Schema({"name": pl.String})

    def batches(self):
        self.alive, earlier = [], []
        for _ in range(3):
            self.alive.append(sum(frame() is not None for frame in earlier))
            frame = pl.DataFrame({"name": ["Acme"]}).select(pl.col("name").repeat_by(130_000).explode())
            earlier.append(weakref.ref(frame))
            yield Rows(frame)
            del frame


def test_a_merged_batch_is_out_of_memory_before_the_next_one_is_read(make_spec):
    source, spec = Watched(), make_spec()
    reader = Reader(source, spec)
    merge = Merge(spec, source.schema, Stored([]), native=False)
    heights = [rows.frame.height for rows, _ in merged(reader, question(spec, {}, "x"), merge)]
    assert sum(heights) == 390_000
    assert source.alive == [0, 0, 0]


@pytest.mark.parametrize(("room", "reads"), [(1 << 20, [ONE, TWO]), (200, [ONE, TWO, ONE])])
def test_resolved_tasks_that_the_next_rows_lack_make_room(make_spec, room, reads):
    stored, keys = Stored([completed(ONE), completed(TWO)]), []
    stored.runs_by_task = lambda some: keys.extend(some) or Stored.runs_by_task(stored, some)
    merge = Merge(make_spec(), pl.Schema({"n": pl.Int64}), stored, native=False, room=room)
    for key in (ONE, TWO, ONE):
        ((_, columns),) = merge.parts(batch(key))
        assert columns["industry"].to_list() == ["Retail"]
    assert keys == reads
    assert 200 // 8 < merge._resolved.estimated_size() < 200
