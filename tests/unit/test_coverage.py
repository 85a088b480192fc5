"""The summary of a table: cells filled by field, reasons against values, and what to type next."""

import polars as pl
import pytest

from rowcite.cli.render import coverage_lines
from rowcite.pipeline.spec_file import parse_spec
from rowcite.pipeline.summary import Summary
from rowcite.table.coverage import Coverage
from rowcite.table.sources import Rows

STATUSES = ["completed", "rejected", "failed", "pending", "skipped"]


def spec(**changes):
    outputs = {"city": {"type": "string"}, "staff": {"type": "integer"}}
    task = {"processor": "core", "inputs": {"name": {"column": "name"}}, "outputs": outputs}
    return parse_spec({"name": "t", "input": {"path": "t.csv"}, "task": task, **changes})


def covered(table=None, settings=None, found=None, **added):
    columns = {
        "city": ["Bonn", "Oslo", None, None, None],
        "staff": [5, None, None, None, None],
        "rowcite_status": STATUSES,
        "rowcite_error": [
            None,
            "staff: 2 citations, 3 required",
            "run 0a1b2c3d4e failed; retried",
            None,
            "blank",
        ],
        **added,
    }
    coverage = Coverage()
    rows = Rows(pl.DataFrame(table or {"name": list("abcde")}), found=found)
    coverage.add(settings or spec(), rows, pl.DataFrame({k: v for k, v in columns.items() if v is not None}))
    return coverage


def test_cells_are_counted_in_answered_rows():
    found = covered()
    assert (found.answered, dict(found.filled), found.found) == (2, {"city": 2, "staff": 1}, 3)


def test_reasons_are_counted_without_what_differs_from_row_to_row():
    assert covered().reasons == {"staff: 2 citations, 3 required": 1, "run … failed": 1, "retried": 1}


def test_the_first_rejected_row_is_numbered_from_1_across_parts():
    coverage = Coverage()
    for statuses in (["completed"] * 3, ["failed", "rejected", "rejected"]):
        columns = {
            "city": [None] * 3,
            "staff": [None] * 3,
            "rowcite_status": statuses,
            "rowcite_error": [None] * 3,
        }
        rows = pl.DataFrame(columns, schema_overrides={"rowcite_error": pl.String})
        coverage.add(spec(), Rows(pl.DataFrame({"name": list("abc")})), rows)
    assert coverage.rejected_row == 5


def test_a_rejected_value_that_is_kept_is_not_an_accepted_one():
    kept = spec(accept={"on_reject": "keep"})
    assert covered(settings=kept, staff=[5, 7, None, None, None]).filled["staff"] == 1


def test_given_values_fill_a_field_and_are_not_found():
    filling = spec(columns={"existing": "fill", "confidence": False})
    table = {"name": list("abcde"), "city": ["Bonn", "Oslo", "x", "x", "x"]}
    values = pl.DataFrame({"city": [None, "Oslo", None, None, None]})
    found = covered(table, filling, values, city=None)
    assert (found.filled["city"], found.filled["staff"], found.found) == (2, 1, 2)


def test_the_summary_aligns_fields_and_reasons():
    summary = Summary(
        answered_rows=2_000,
        filled={"industry": 1_999, "hq": 3, "ceo": 0},
        reasons={"industry: required, and not found": 1_975, "hq: confidence low, medium required": 12},
    )
    assert coverage_lines(summary) == [
        "filled   industry  1,999 of 2,000  >99%",
        "         hq            3 of 2,000   <1%",
        "         ceo           0 of 2,000    0%",
        "reasons  1,975  industry: required, and not found",
        "            12  hq: confidence low, medium required",
    ]


def test_a_table_without_answers_has_no_fill_rates():
    assert coverage_lines(Summary(filled={"industry": 0})) == []


@pytest.mark.parametrize(("fields", "lines"), [(15, 15), (20, 16)])
def test_many_fields_are_cut(fields, lines):
    summary = Summary(answered_rows=1, filled={f"field{number}": 1 for number in range(fields)})
    assert len(coverage_lines(summary)) == lines
