"""What counts as found: types without loss, confidence, citations, domains."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.acceptance import Unfit, fit, judge
from rowcite.merge import dtype
from rowcite.model import Answer, Citation, FieldBasis
from rowcite.schema import Field, FieldType
from rowcite.spec import Accept

STRING, INTEGER, NUMBER, BOOLEAN, DATE, JSON = map(
    FieldType, ("string", "integer", "number", "boolean", "date", "json")
)
STAGE = FieldType("string", choices=("Seed", "Series A", "Unknown"))
LIST = FieldType("array", items=INTEGER)
PERSON = FieldType("object", properties=(("name", STRING), ("born", DATE)))


# --- types -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (STRING, "x", "x"), (STRING, " x ", " x "), (STRING, "", ""), (STRING, 12, "12"), (STRING, 12.5, "12.5"), (STRING, 10**30, "1" + "0" * 30),
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
def test_a_value_is_made_its_type_without_loss(kind, value, kept):
    found = fit(value, kind)
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
def test_a_value_that_does_not_fit_is_refused_with_a_reason(kind, values):
    for value in values:
        with pytest.raises(Unfit) as raised:
            fit(value, kind)
        assert str(raised.value)


@pytest.mark.parametrize("kind", [STRING, INTEGER, NUMBER, BOOLEAN, DATE, LIST, PERSON, JSON])
@pytest.mark.parametrize("value", [None, "unknown", "Unknown", " N/A ", "not found", "Not Available"])
def test_null_and_texts_that_mean_null_are_null(kind, value):
    assert fit(value, kind) is None


def test_a_choice_that_means_null_is_a_value_where_the_spec_offers_it():
    assert fit("n/a", FieldType("string", choices=("A", "N/A"))) == "N/A"
    assert fit("n/a", FieldType("string", choices=("A",))) is None


def test_two_choices_that_differ_in_case_are_told_apart():
    kind = FieldType("string", choices=("seed", "Seed"))
    assert fit("Seed", kind) == "Seed"
    with pytest.raises(Unfit):
        fit("SEED", kind)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(codec="utf-8"), max_size=10), st.from_regex(r"\A[-+0-9.,eE]{1,12}\Z")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["name", "born", "x"]), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@given(st.sampled_from([STRING, INTEGER, NUMBER, BOOLEAN, DATE, STAGE, LIST, PERSON, JSON]), ANYTHING)
def test_anything_fits_its_column_or_is_refused(kind, value):
    import polars as pl

    try:
        found = fit(value, kind)
    except Unfit:
        return
    assert pl.Series([found], dtype=dtype(kind)).to_list() == [found]


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_whole_number_survives_in_every_spelling(number):
    for spelling in (number, str(number), f"{number:,}", f"{number}.0", f" {number} "):
        assert fit(spelling, INTEGER) == number


# --- acceptance ------------------------------------------------------------------------------------------

SEC = Citation("https://www.sec.gov/x", "SEC", ("words",))


def cell(accept, *, value="v", confidence="high", citations=(SEC,), kind=STRING):
    """Return the cell of a field `a` under these terms."""
    basis = FieldBasis("a", "because", citations, confidence)
    return judge(Answer("r", "core", {"a": value}, (basis,)), (Field("a", kind, "a"),), Accept(**accept))[0]


def test_without_terms_what_came_counts():
    found = cell({})
    assert (found.value, found.confidence, found.citations, found.reasoning, found.refused) == (
        "v",
        "high",
        (SEC,),
        "because",
        None,
    )
    assert cell({}, confidence=None, citations=()).refused is None


@pytest.mark.parametrize(
    ("bar", "accepted", "refused"),
    [
        ("low", ["low", "medium", "high", 0.0, 0.3, 1.0, "0.1"], ["none", "?"]),
        (
            "medium",
            ["medium", "high", "High", " medium ", 0.5, 0.79, "0.7"],
            ["low", 0.49, 0.0, "0.2", "none", "nan"],
        ),
        ("high", ["high", "HIGH", 0.8, 1, "0.9"], ["low", "medium", 0.79, "0.79", "very high"]),
        (0.6, ["medium", "high", 0.6], ["low", 0.59, "0.5", math.nan]),
        (0.0, ["low", 0.0], ["x"]),
    ],
)
def test_confidence_counts_from_the_bar_on_in_words_and_numbers(bar, accepted, refused):
    for confidence in accepted:
        assert cell({"min_confidence": bar}, confidence=confidence).refused is None
    for confidence in refused:
        found = cell({"min_confidence": bar}, confidence=confidence)
        assert found.refused == f"confidence {confidence} is below {bar}"
        assert found.value is None
        assert found.confidence == str(confidence)


def test_a_missing_confidence_is_accepted():
    assert cell({"min_confidence": "high"}, confidence=None).refused is None


@pytest.mark.parametrize(
    ("least", "refused"), [(0, None), (1, None), (2, "1 citations, and 2 are asked for")]
)
def test_so_many_citations_are_needed(least, refused):
    assert cell({"min_citations": least}).refused == refused


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://sec.gov", True), ("https://www.sec.gov/a?b#c", True), ("http://SEC.GOV/x", True), ("https://sec.gov:8443/x", True),
        ("https://user:pass@sec.gov/x", True), ("https://sec.gov./x", True), ("https://a.b.sec.gov", True), ("https://état.gouv.example", True),
        ("https://evilsec.gov", False), ("https://sec.gov.example", False), ("https://evil.example/sec.gov", False),
        ("https://sec.gov@evil.example/", False), ("https://evil.example\\@sec.gov/", False), ("https://evil.example?.sec.gov", False),
        ("https://evil.example#@sec.gov", False), ("javascript://sec.gov/%0aalert(1)", False), ("file://sec.gov/x", False),
        ("sec.gov/x", False), ("", False), ("https://[bad", False), ("https://", False), ("https://xn--sec-gov", False), ("https://gov", False),
    ],
)  # fmt: skip
def test_a_trusted_domain_covers_itself_and_what_is_under_it(url, trusted):
    found = cell({"trusted_domains": ["sec.gov", "état.gouv.example"]}, citations=(Citation(url),))
    assert (found.refused is None) is trusted


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://sec.gov", True),
        ("https://a.sec.gov", True),
        ("https://evilgov", False),
        ("https://gov", False),
        ("https://gov.example", False),
    ],
)
def test_a_suffix_covers_every_domain_under_it(url, trusted):
    assert (cell({"trusted_domains": [".gov"]}, citations=(Citation(url),)).refused is None) is trusted


def test_one_trusted_citation_is_enough_and_none_is_told():
    accept = {"trusted_domains": ["sec.gov", ".edu"]}
    assert cell(accept, citations=(Citation("https://x.example"), SEC)).refused is None
    assert (
        cell(accept, citations=(Citation("https://x.example"),)).refused == "no citation from sec.gov, .edu"
    )


def test_a_null_is_an_answer_unless_the_field_is_required():
    strict = {"min_confidence": "high", "min_citations": 3, "trusted_domains": ["sec.gov"]}
    assert cell(strict, value=None, confidence="low", citations=()).refused is None
    assert cell({"required": ["a"]}, value=None).refused == "required, and not found"
    assert cell({"required": ["a"]}, value="Not found").refused == "required, and not found"
    assert cell({"required": ["a"]}).refused is None


def test_a_value_of_another_type_is_refused_with_its_evidence_kept():
    found = cell({}, value="many", kind=INTEGER)
    assert (found.value, found.refused) == (None, '"many" is not a whole number')
    assert (found.confidence, found.citations) == ("high", (SEC,))


def test_a_long_value_is_told_short():
    assert len(cell({}, value="x" * 9_999, kind=INTEGER).refused) < 100


# --- the evidence of a field -----------------------------------------------------------------------------


def basis_of(name, *parts, text=False):
    content = "v" if text else {"a": "v", "ab": "v"}
    return judge(
        Answer("r", "core", content, tuple(parts)),
        (Field(name, STRING, "output" if text else name),),
        Accept(),
    )[0]


def test_parts_of_a_field_stand_in_for_the_whole():
    other = Citation("https://other.example")
    found = basis_of(
        "a",
        FieldBasis("a.x", "one", (SEC,), "high"),
        FieldBasis("a.0.y", "two", (SEC, other), "low"),
        FieldBasis("ab", "no", (), "low"),
    )
    assert (found.confidence, found.citations, found.reasoning) == (
        "low",
        (SEC, other),
        "a.x: one\na.0.y: two",
    )


def test_a_field_with_a_basis_of_its_own_needs_no_parts():
    found = basis_of("a", FieldBasis("a.x", "part", (), "low"), FieldBasis("a", "whole", (SEC,), "high"))
    assert (found.confidence, found.reasoning) == ("high", "whole")


def test_a_name_that_only_begins_alike_is_no_part():
    assert basis_of("a", FieldBasis("ab", "no", (SEC,), "high")).citations == ()


def test_the_least_confidence_counts_whether_word_or_number():
    parts = (FieldBasis("a.0", confidence="high"), FieldBasis("a.1", confidence=0.6), FieldBasis("a.2"))
    assert basis_of("a", *parts).confidence == "0.6"
    assert basis_of("a", *parts, FieldBasis("a.3", confidence="?")).confidence == "?"


def test_a_whole_output_takes_every_basis():
    found = basis_of("answer", FieldBasis("x.y", "one", (SEC,), "medium"), text=True)
    assert (found.value, found.citations, found.confidence) == ("v", (SEC,), "medium")


# --- answers of a strange shape --------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["words", None, [1], 5, True])
def test_an_answer_without_fields_refuses_every_field(content):
    found = judge(Answer("r", "core", content), (Field("a", STRING, "a"), Field("b", JSON, "b")), Accept())
    assert all(cell.refused.startswith("the answer is no object with fields but ") for cell in found)


def test_a_field_that_did_not_come_is_null():
    assert judge(Answer("r", "core", {}), (Field("a", STRING, "a"),), Accept())[0].value is None


def test_a_text_answer_that_came_as_an_object_is_its_json():
    found = judge(Answer("r", "core", {"a": "é"}), (Field("answer", STRING, "output"),), Accept())[0]
    assert found.value == '{"a": "é"}'
