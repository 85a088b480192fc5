"""What a spreadsheet would run: one rule, for columns and for single values."""

import polars as pl
import pytest

from rowcite.table.formulas import guarded, is_formula

RUN = ["=1+1", "+SUM(A1)", "-cmd", "@name", "\ttab", "\r=1", "+49 call me", "-12.5\n", "+1,200\n", "--1", "+"]
NOT_RUN = ["", "plain", "a=b", "-12.5", "+1,200", "-1e9", "+49 30 1234", "+1 (555) 010-9999", "'=1"]


@pytest.mark.parametrize("text", RUN)
def test_what_would_be_run_is_guarded_in_columns_and_alone(text):
    assert is_formula(text)
    assert column(text) == f"'{text}"


@pytest.mark.parametrize("text", NOT_RUN)
def test_what_would_not_is_left_as_it_is(text):
    assert not is_formula(text)
    assert column(text) == text


def test_null_stays_null():
    assert column(None) is None


def column(text):
    return pl.DataFrame({"x": [text]}, schema={"x": pl.String}).select(guarded("x")).item()
