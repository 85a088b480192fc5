"""When a label and a found value are equal: tables of pairs, and the rules that hold for every comparison."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.evaluation.equality import ListMatch, comparison, elements, is_unreadable, match_lists
from rowcite.spec.accept_models import EvalField
from rowcite.spec.fields import Field, FieldType
from support import ROOT

PAIRS = ROOT / "tests" / "data" / "eval" / "pairs.txt"
KINDS = (
    "text", "company", "domain", "url", "phone", "country", "state", "number", "money", "date", "boolean", "exact",
)  # fmt: skip


def tables():
    """Return the pairs of each comparison: equal ones and others."""
    found = {}
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        if head := re.fullmatch(r"\[(\w+)\] (equal|unequal)", line):
            pairs = found.setdefault(head.groups(), [])
        elif " | " in line:
            pairs.append(line.partition(" | ")[::2])
    return found


TABLES = tables()


def same(kind, label, found, **terms):
    field = Field("f", FieldType("string"), "f")
    return comparison(field, EvalField(compare=kind, **terms))(label, found)


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_that_are_equal_are_found_equal_both_ways(kind):
    pairs = TABLES[kind, "equal"]
    assert len(pairs) >= 30
    assert [pair for pair in pairs if not same(kind, *pair)] == []
    if kind != "date":  # a label may be less precise than the found date
        assert [pair for pair in pairs if not same(kind, *pair[::-1])] == []


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_that_are_not_equal_are_found_different(kind):
    pairs = TABLES[kind, "unequal"]
    assert len(pairs) >= 30
    assert [pair for pair in pairs if same(kind, *pair)] == []


@given(st.sampled_from([kind for kind in KINDS if kind != "state"]), st.text(min_size=1).filter(str.strip))
def test_every_value_is_equal_to_itself(kind, value):
    assert same(kind, value, value)


@given(st.sampled_from([kind for kind in KINDS if kind != "exact"]), st.text(max_size=20))
def test_a_blank_equals_nothing(kind, value):
    assert not same(kind, "", value)
    assert not same(kind, " - ", value) or value.strip() == "-"


@pytest.mark.parametrize(
    ("label", "found", "equal"),
    [(100, 110, True), (100, 111, False), (100, 90, True), ("1,000", 1100, True), (0, 1, False)],
)
def test_a_tolerance_is_a_share_of_the_label(label, found, equal):
    assert same("number", label, found, tolerance="10%") is equal


def test_a_phone_number_without_a_country_code_is_read_in_its_region():
    assert same("phone", "030 901820", "+49 30 901820", region="DE")
    assert not same("phone", "030 901820", "+49 30 901820", region="FR")


@pytest.mark.parametrize(
    ("kind", "label", "found", "equal"),
    [
        (FieldType("integer"), "240", 240, True),
        (FieldType("integer"), "240", 241, False),
        (FieldType("integer"), "1.200", 1200, True),
        (FieldType("integer"), "1.200 k", 1200, True),
        (FieldType("number"), "1.200", 1200, False),
        (FieldType("date"), "2015.0", date(2015, 3, 1), True),
        (FieldType("number"), "0.5", 0.5, True),
        (FieldType("boolean"), "yes", True, True),
        (FieldType("boolean"), "no", True, False),
        (FieldType("date"), "2015", date(2015, 3, 1), True),
        (FieldType("date"), "2015-03-02", date(2015, 3, 1), False),
        (FieldType("string", choices=("Series A",)), "series a", "Series A", True),
        (FieldType("string"), "Zurich", "Zürich", True),
        (FieldType("object"), '{"a": 1}', {"a": 1}, True),
    ],
)
def test_without_a_word_in_the_spec_the_type_decides(kind, label, found, equal):
    assert comparison(Field("f", kind, "f"), EvalField())(label, found) is equal


SEEDED = FieldType("string", choices=("Seed", "Series A", "Unknown"))


@pytest.mark.parametrize(
    ("kind", "label", "unreadable"),
    [
        (FieldType("integer"), "12.5", True),
        (FieldType("integer"), "1200.0", False),
        (FieldType("integer"), float("inf"), True),
        (FieldType("number"), float("nan"), True),
        (FieldType("number"), "12.5", False),
        (FieldType("string"), " N/A ", True),
        (FieldType("string"), "Oslo", False),
        (SEEDED, "series a", False),
        (SEEDED, "Series C", True),
        (SEEDED, "unknown", False),
        (FieldType("array", items=FieldType("string")), "; ;", True),
    ],
)
def test_a_label_that_no_value_of_its_field_can_match_is_unreadable(kind, label, unreadable):
    assert is_unreadable(Field("f", kind, "f"), EvalField(), label, ["n/a", "unknown"]) is unreadable


def test_a_label_between_two_whole_numbers_is_readable_with_a_tolerance():
    assert not is_unreadable(Field("f", FieldType("integer"), "f"), EvalField(tolerance="10%"), "12.5")


# --- lists ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("A;B", ["A", "B"]),
        ('["A","B"]', ["A", "B"]),
        (["A", "B"], ["A", "B"]),
        ("A\nB", ["A", "B"]),
        ("A", ["A"]),
        ("A; ", ["A"]),
    ],
)
def test_a_list_is_read_in_each_of_its_spellings(written, expected):
    assert elements(written) == expected


def test_lists_are_compared_as_sets():
    def equal(first, second):
        return first.lower() == second.lower()

    assert match_lists(["A", "B"], ["b", "a", "A"], equal) == ListMatch(2, 0, 0)
    assert match_lists(["A", "B"], ["A", "C"], equal) == ListMatch(1, 1, 1)
    assert match_lists([], ["A"], equal) == ListMatch(0, 1, 0)
    assert match_lists(["A"], [], equal) == ListMatch(0, 0, 1)
