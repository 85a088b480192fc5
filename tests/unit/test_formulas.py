"""Texts that a spreadsheet would run: one rule, for columns and for single values."""

import polars as pl
import pytest

from rowcite.table.formulas import guarded, is_formula

FORMULAS = [
    "=1+1",
    "+SUM(A1)",
    "-cmd",
    "@name",
    "\ttab",
    "\r=1",
    "+49 call me",
    "-12.5\n",
    "+1,200\n",
    "--1",
    "+",
]
HARMLESS = ["", "plain", "a=b", "-12.5", "+1,200", "-1e9", "+49 30 1234", "+1 (555) 010-9999", "'=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_escaped_in_a_column_and_alone(text):
    assert is_formula(text)
    assert column(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_any_other_text_is_left_as_it_is(text):
    assert not is_formula(text)
    assert column(text) == text


def test_null_stays_null():
    assert column(None) is None


def column(text):
    return pl.DataFrame({"x": [text]}, schema={"x": pl.String}).select(guarded("x")).item()
