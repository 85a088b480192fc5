"""Types of pandas columns that Arrow has otherwise, or not at all: as inputs, as columns to fill, as new columns."""

import json

import pandas as pd
import pyarrow as pa
import pytest

import rowcite
from support import WEB, small_spec

NAMES = ["Aoba Robotics", "Nobody & Sons", None]
TEXT = {"type": "string", "description": "Colour of the door"}
DATE = {"type": "date", "description": "Date the company was founded"}


@pytest.fixture
def enriched(tmp_path):
    """Return a function that finds one field for the rows of a frame."""

    local = {"corpus": str(WEB / "aoba-robotics.example")}

    def enrich(frame, field, **changes):
        task = {
            "processor": "core",
            "inputs": {"company_name": {"column": "name"}},
            "outputs": {"found": field},
        }
        return rowcite.enrich(
            frame, small_spec(task=task, local=local, **changes), ledger=tmp_path / "ledger"
        )

    return enrich


def sent(values):
    """Return what is sent of a column with these values."""
    task = {**small_spec()["task"], "inputs": {"it": {"column": "it"}}}
    plan = rowcite.plan(pd.DataFrame({"it": values}), small_spec(task=task))
    return json.loads(plan.sample)["inputs"][0]["input"]["it"]


def test_a_period_is_sent_as_it_is_written_and_not_as_a_count_of_periods():
    assert sent(pd.period_range("2024-03", periods=2, freq="M")) == "2024-03"
    assert sent(pd.period_range("2024Q2", periods=2, freq="Q")) == "2024Q2"


def test_a_sparse_column_is_sent_as_its_values():
    assert sent(pd.arrays.SparseArray([3, 0, 0])) == 3


def test_a_boolean_of_one_byte_is_sent_as_a_boolean():
    kind = pa.bool8()
    values = pa.ExtensionArray.from_storage(kind, pa.array([1, 0], pa.int8()))
    assert sent(pd.Series(values, dtype=pd.ArrowDtype(kind))) is True


def test_a_text_column_without_any_value_has_the_type_of_one_with_values(enriched):
    after = enriched(pd.DataFrame({"name": NAMES[:1]}), TEXT)
    assert after["found"].isna().all()
    kinds = {
        str(after[name].dtype) for name in ("found", "found_confidence", "rowcite_error", "rowcite_status")
    }
    assert kinds == {"str"}


def test_found_dates_go_into_a_column_of_times_that_are_all_dates(enriched):
    given = pd.DataFrame({"name": NAMES, "found": pd.to_datetime([None, None, "2001-02-03"])})
    after = enriched(given, DATE, columns={"existing": "fill"})
    assert after["found"].dtype == given["found"].dtype
    assert list(after["found"].astype(object)) == [
        pd.Timestamp("2012-04-02"),
        pd.NaT,
        pd.Timestamp("2001-02-03"),
    ]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (pd.to_datetime([None, None, "2001-02-03 10:00"]), rowcite.SpecError, "a found value would not fit"),
        (
            pd.PeriodIndex(["2001", None, None], freq="Y"),
            rowcite.TableError,
            "cannot be filled: frame\\['found'\\] =",
        ),
        (
            pd.arrays.SparseArray([1.0, None, None]),
            rowcite.TableError,
            "cannot be filled: frame\\['found'\\] =",
        ),
    ],
)
def test_a_column_that_cannot_take_what_is_found_is_refused(enriched, values, error, message):
    with pytest.raises(error, match=message):
        enriched(pd.DataFrame({"name": NAMES, "found": values}), DATE, columns={"existing": "fill"})
