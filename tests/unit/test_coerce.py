"""Values coerced to their column's type without loss, or rejected with a reason."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.accept.coerce import CoercionError, coerce
from rowcite.spec.fields import FieldType
from rowcite.table.columns import dtype

STRING, INTEGER, NUMBER, BOOLEAN, DATE, JSON = map(
    FieldType, ("string", "integer", "number", "boolean", "date", "json")
)
STAGE = FieldType("string", choices=("Seed", "Series A", "Unknown"))
LIST = FieldType("array", items=INTEGER)
PERSON = FieldType("object", properties=(("name", STRING), ("born", DATE)))


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (STRING, "x", "x"), (STRING, " x ", " x "), (STRING, "", None), (STRING, " \n", None), (STRING, 12, "12"), (STRING, 12.5, "12.5"), (STRING, 10**30, "1" + "0" * 30),
        (INTEGER, 230, 230), (INTEGER, "230", 230), (INTEGER, " 230 ", 230), (INTEGER, "1,200", 1200), (INTEGER, "-1,234,567", -1234567),
        (INTEGER, 12.0, 12), (INTEGER, "12.0", 12), (INTEGER, "+7", 7), (INTEGER, "007", 7), (INTEGER, "1e3", 1000), (INTEGER, -0.0, 0),
        (INTEGER, 2**53 + 1, 2**53 + 1), (INTEGER, str(2**53 + 1), 2**53 + 1), (INTEGER, "9,007,199,254,740,993", 2**53 + 1),
        (INTEGER, "9007199254740993.0", 2**53 + 1), (INTEGER, 2**63 - 1, 2**63 - 1), (INTEGER, -(2**63), -(2**63)), (INTEGER, str(2**63 - 1), 2**63 - 1),
        (NUMBER, 1, 1.0), (NUMBER, 1.5, 1.5), (NUMBER, "1.5", 1.5), (NUMBER, "1,200.50", 1200.5), (NUMBER, "-2e-3", -0.002), (NUMBER, 2**60, 2.0**60),
        (BOOLEAN, True, True), (BOOLEAN, "true", True), (BOOLEAN, " False ", False),
        (DATE, "2024-02-29", date(2024, 2, 29)), (DATE, " 2024-01-15 ", date(2024, 1, 15)),
        (STAGE, "Seed", "Seed"), (STAGE, "seed", "Seed"), (STAGE, " SERIES A ", "Series A"), (STAGE, "Unknown", "Unknown"), (STAGE, "unknown", "Unknown"),
        (LIST, [], []), (LIST, [1, "2", 3.0], [1, 2, 3]), (LIST, [1, None], [1, None]), (LIST, ["n/a"], [None]),
        (PERSON, {"name": "A", "born": "1980-05-17"}, {"name": "A", "born": date(1980, 5, 17)}), (PERSON, {}, {"name": None, "born": None}),
        (JSON, "x", "x"), (JSON, {"a": ["é", 1]}, '{"a": ["é", 1]}'), (JSON, 5, "5"), (JSON, False, "false"),
    ],
)  # fmt: skip
def test_a_value_is_coerced_without_loss(kind, value, kept):
    found = coerce(value, kind)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (STRING, [True, [], {}, ["x"]]),
        (INTEGER, [12.7, "12.7", "1,20", "1,2000", "12 people", "~230", "", "NaN", "Infinity", math.nan, math.inf, True, False, [1], {}, 2**63, -(2**63) - 1, 10**400, "1e400", "1e99999", "1e-5", 1e300, "²", "٣", "1_000", "0x10", "--5", "5-10"]),
        (NUMBER, ["NaN", "nan", "inf", "1e400", math.inf, -math.inf, math.nan, 10**400, True, "1.2.3", "5%", "$5", "1 000", "1.200,50", "", [], {}, 2**53 + 1]),
        (BOOLEAN, ["yes", "no", 1, 0, "1", 1.0, [], {}]),
        (DATE, ["2024", "2024-01", "15/01/2024", "January 2024", "2024-02-30", "2024-01-15T10:00:00", 2024, 20240115, True, [], {}]),
        (STAGE, ["Series", "Series B", 1, "", ["Seed"]]),
        (LIST, ["1, 2", {}, 1, [1, "two"], [[1]], [1.5]]),
        (PERSON, ["A", [], 1, {"born": "soon"}, {"name": ["A"]}]),
        (JSON, [{"a": math.inf}]),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_rejected_with_a_reason(kind, values):
    for value in values:
        with pytest.raises(CoercionError) as raised:
            coerce(value, kind)
        assert str(raised.value)


@pytest.mark.parametrize("kind", [STRING, INTEGER, NUMBER, BOOLEAN, DATE, LIST, PERSON, JSON])
@pytest.mark.parametrize("value", [None, "unknown", "Unknown", " N/A ", "not found", "Not Available"])
def test_null_and_texts_that_mean_null_are_null(kind, value):
    assert coerce(value, kind) is None


def test_a_choice_that_means_null_is_a_value_where_the_spec_offers_it():
    assert coerce("n/a", FieldType("string", choices=("A", "N/A"))) == "N/A"
    assert coerce("n/a", FieldType("string", choices=("A",))) is None


def test_two_choices_that_differ_in_case_are_distinct():
    kind = FieldType("string", choices=("seed", "Seed"))
    assert coerce("Seed", kind) == "Seed"
    with pytest.raises(CoercionError):
        coerce("SEED", kind)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(codec="utf-8"), max_size=10), st.from_regex(r"\A[-+0-9.,eE]{1,12}\Z")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["name", "born", "x"]), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@given(st.sampled_from([STRING, INTEGER, NUMBER, BOOLEAN, DATE, STAGE, LIST, PERSON, JSON]), ANYTHING)
def test_any_value_fits_its_column_or_is_rejected(kind, value):
    import polars as pl

    try:
        found = coerce(value, kind)
    except CoercionError:
        return
    assert pl.Series([found], dtype=dtype(kind)).to_list() == [found]


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_whole_number_is_kept_in_every_notation(number):
    for spelling in (number, str(number), f"{number:,}", f"{number}.0", f" {number} "):
        assert coerce(spelling, INTEGER) == number


def test_the_texts_that_mean_null_are_the_specs_own():
    nulls = frozenset({"-", "tbd"})
    assert coerce(" TBD ", STRING, nulls) is None
    assert coerce(["-", "x"], FieldType("array", items=STRING), nulls) == [None, "x"]
    assert coerce({"name": "-", "born": None}, PERSON, nulls) == {"name": None, "born": None}
    assert coerce("unknown", STRING, nulls) == "unknown"
    assert coerce("unknown", STRING, frozenset()) == "unknown"
