"""Lists are judged element by element: each element by its own entry of the basis."""

from datetime import date

import pytest

from rowcite.accept.judge import check_results, judge
from rowcite.accept.policy import acceptance_policy
from rowcite.model import Answer, Citation, FieldBasis
from rowcite.spec.accept_models import Accept
from rowcite.spec.fields import Field, FieldType

DAY = date(2026, 6, 1)
A, B = (Citation(f"https://{name}.example/", None, (name,)) for name in "ab")
LIST = FieldType("array", items=FieldType("string"))
PEOPLE = FieldType("array", items=FieldType("object", properties=(("name", FieldType("string")),)))


def entry(field, confidence="high", *citations):
    return FieldBasis(field, f"about {field}", citations or (A,), confidence)


def policy_of(kind=LIST, **accept):
    return acceptance_policy((Field("list", kind, "list"),), Accept(**accept))


def cell(value, *basis, kind=LIST, **accept):
    answer = Answer("r", "core", {"list": value}, basis)
    return judge(answer, policy_of(kind, **accept), DAY)[0]


def test_a_list_is_accepted_if_every_element_is():
    found = cell(
        ["x", "y"], entry("list"), entry("list.0"), entry("list.1", "medium"), min_confidence="medium"
    )
    assert (found.value, found.rejection) == (["x", "y"], None)


@pytest.mark.parametrize("nothing", [[], [None], ["n/a", " "]])
def test_a_list_without_an_element_is_no_value_of_a_required_field(nothing):
    assert cell(nothing, entry("list")).rejection is None
    found = cell(nothing, entry("list"), required=["list"])
    assert (found.value, found.rule, found.rejection) == (None, "required", "required, and not found")


@pytest.mark.parametrize("place", ["list.1", "list[1]"])
def test_one_rejected_element_rejects_the_list_and_is_named(place):
    low = FieldBasis(place, "", (), "low")
    found = cell(["x", "y"], entry("list"), entry("list.0"), low, min_confidence="medium")
    assert (found.value, found.rule) == (None, "min_confidence")
    assert found.rejection == 'element "y": confidence low, medium required'
    found = cell(["x", "y"], entry("list"), entry("list.0"), low, min_citations=1, on_reject="keep")
    assert found.value == ["x", "y"]
    assert found.rejection == 'element "y": 0 citations, 1 required'


@pytest.mark.parametrize(
    ("accept", "rejection"),
    [
        ({"missing_confidence": "reject"}, 'element "y": no confidence'),
        ({"min_domains": 2}, 'element "y": citations from 1 domain, 2 required'),
        ({"trusted_domains": ["a.example"]}, 'element "y": no citation from a.example'),
        ({"distrusted_domains": ["b.example"]}, 'element "y": every citation is from b.example'),
        ({"max_age": "1d"}, None),
        ({}, None),
    ],
)
def test_every_rule_about_evidence_applies_to_each_element(accept, rejection):
    basis = (entry("list", "high", A, B), entry("list.0", "high", A, B), FieldBasis("list.1", "", (B,), None))
    assert cell(["x", "y"], *basis, **accept).rejection == rejection


def test_elements_without_an_entry_are_judged_by_that_of_the_list():
    assert cell(["x", "y"], entry("list"), entry("list.0"), min_confidence="medium").rejection is None
    found = cell(["x", "y"], entry("list", "low"), entry("list.0"), min_confidence="medium")
    assert found.rejection == "confidence low, medium required"


def test_elements_alone_are_evidence_of_the_list():
    found = cell(["x", "y"], entry("list.0", "high", A), entry("list.1", "medium", B), min_citations=1)
    assert (found.rejection, found.confidence, found.citations) == (None, "medium", (A, B))
    assert found.reasoning == "list.0: about list.0\nlist.1: about list.1"


def test_a_list_has_the_lowest_confidence_and_all_citations_each_url_once():
    more = Citation(A.url, "A", ("more",))
    found = cell(["x"], entry("list", "high", B), entry("list.0", "low", more, A))
    assert (found.confidence, found.reasoning) == ("low", "about list")
    assert found.citations == (B, Citation(A.url, "A", ("more", "a")))


def test_the_parts_of_an_element_are_one_entry():
    basis = (entry("list.0.name", "high", A), entry("list.0.role", "low", B))
    found = cell([{"name": "x"}], entry("list"), *basis, kind=PEOPLE, min_confidence="medium")
    assert found.rejection == 'element {"name": "x"}: confidence low, medium required'
    ((position, own, *_),) = found.elements
    assert (position, own.citations) == (0, (A, B))


def test_an_element_that_is_null_or_missing_is_not_judged():
    basis = (entry("list"), entry("list.0", "low"), entry("list.7", "low"))
    found = cell(["n/a", "y"], *basis, min_confidence="medium")
    assert (found.value, found.confidence, found.elements) == ([None, "y"], "high", ())
    assert cell([None, "y"], entry("list"), FieldBasis("list.0"), min_citations=1).rejection is None
    assert cell([], entry("list"), entry("list.0", "low"), min_confidence="medium").rejection is None


def test_a_field_with_a_similar_name_is_not_an_element():
    found = cell(
        ["x"], entry("list"), entry("list.0x", "low"), entry("lists.0", "low"), min_confidence="high"
    )
    assert (found.rejection, found.elements) == (None, ())


def test_the_rules_shown_for_a_list_name_the_rejected_element():
    answer = Answer("r", "core", {"list": ["x", "y"]}, (entry("list"), entry("list.1", "low")))
    (part,) = policy_of(min_confidence="medium", min_citations=1).fields
    assert list(check_results(answer, part, DAY)) == [
        (
            "min_confidence",
            "a confidence of medium or more, for each element",
            'element "y": confidence low, medium required',
        ),
        ("min_citations", "1 citation or more, for each element", None),
    ]
