"""What counts as found: the evidence, the value, and rules over the row."""

import math
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from rowcite.accept.judge import judge, verdicts
from rowcite.accept.policy import acceptance_policy
from rowcite.model import Answer, Citation, FieldBasis
from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.fields import Field, FieldType
from rowcite.spec.models import Accept, AcceptField

STRING, INTEGER, JSON = map(FieldType, ("string", "integer", "json"))
DAY = date(2026, 6, 1)


# --- acceptance ------------------------------------------------------------------------------------------

SEC = Citation("https://www.sec.gov/x", "SEC", ("words",))


def judged(answer, *fields, accept=None):
    """Return the cells of an answer."""
    return judge(answer, acceptance_policy(fields, Accept(**(accept or {}))), DAY)


def cell(accept, *, value="v", confidence="high", citations=(SEC,), kind=STRING):
    """Return the cell of a field `a` under these terms."""
    basis = FieldBasis("a", "because", citations, confidence)
    return judged(Answer("r", "core", {"a": value}, (basis,)), Field("a", kind, "a"), accept=accept)[0]


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


@pytest.mark.parametrize(("least", "refused"), [(0, None), (1, None), (2, "1 citation, and 2 are asked for")])
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


# --- every key, what it refuses and what it does not ----------------------------------------------------

YEARS = FieldType("array", items=INTEGER)
BORN = FieldType("date")


def cited(*urls):
    return tuple(Citation(url) for url in urls)


@pytest.mark.parametrize(
    ("accept", "answer", "rule", "refused"),
    [
        ({"missing_confidence": "reject"}, {"confidence": None}, "missing_confidence", "no confidence was given"),
        ({"missing_confidence": "reject"}, {"confidence": "low"}, None, None),
        ({"missing_confidence": "reject", "min_confidence": "high"}, {"confidence": "low"}, "min_confidence", "confidence low is below high"),
        ({"min_citations": 2}, {}, "min_citations", "1 citation, and 2 are asked for"),
        ({"min_domains": 2}, {"citations": cited("https://a.acme.co.uk/1", "https://b.acme.co.uk/2")}, "min_domains", "citations from 1 domain, and 2 are asked for"),
        ({"min_domains": 2}, {"citations": cited("https://acme.co.uk/1", "https://other.co.uk/2")}, None, None),
        ({"min_domains": 2}, {"citations": cited("https://a.github.io/", "https://b.github.io/")}, None, None),
        ({"min_domains": 1}, {"citations": cited("javascript:alert(1)")}, "min_domains", "citations from 0 domains, and 1 are asked for"),
        ({"trusted_domains": ["co.uk"]}, {"citations": cited("https://acme.co.uk/")}, None, None),
        ({"trusted_domains": ["co.uk"]}, {"citations": cited("https://acme.uk/")}, "trusted_domains", "no citation from co.uk"),
        ({"distrusted_domains": ["spam.example"]}, {"citations": cited("https://www.spam.example/")}, "distrusted_domains", "every citation is from spam.example"),
        ({"distrusted_domains": ["spam.example"]}, {"citations": (*cited("https://spam.example/"), SEC)}, None, None),
        ({"distrusted_domains": ["spam.example"]}, {"citations": ()}, None, None),
        ({"distrusted_domains": ["spam.example"], "min_citations": 2}, {"citations": (*cited("https://spam.example/"), SEC)}, "min_citations", "1 citation, and 2 are asked for"),
        ({"distrusted_domains": ["x.sec.gov"], "trusted_domains": [".gov"]}, {"citations": cited("https://x.sec.gov/")}, "distrusted_domains", "every citation is from x.sec.gov"),
        ({"max_age": "730d"}, {"citations": cited("https://news.example/2019/03/01/acme")}, "max_age", "its newest dated source is of 2019-03-01, and 730 days are the most"),
        ({"max_age": "730d"}, {"citations": cited("https://news.example/2019/03/01/acme", "https://x.example/2026-05-02-note")}, None, None),
        ({"max_age": "730d"}, {}, None, None),
        ({"fields": {"a": {"one_of": ["v", "w"]}}}, {}, None, None),
        ({"fields": {"a": {"one_of": ["w", "x"]}}}, {}, "one_of", '"v" is none of w, x'),
        ({"fields": {"a": {"pattern": "^v"}}}, {"value": "voice"}, None, None),
        ({"fields": {"a": {"pattern": "^v$"}}}, {"value": "voice"}, "pattern", '"voice" does not match ^v$'),
        ({"fields": {"a": {"pattern": "(a+)+$"}}}, {"value": "a" * 50_000 + "b"}, "pattern", None),
        ({"fields": {"a": {"minimum": 1}}}, {"value": 0, "kind": INTEGER}, "minimum", "0 is less than 1"),
        ({"fields": {"a": {"minimum": 1}}}, {"value": 1, "kind": INTEGER}, None, None),
        ({"fields": {"a": {"maximum": 9.5}}}, {"value": 10, "kind": INTEGER}, "maximum", "10 is more than 9.5"),
        ({"fields": {"a": {"minimum": "2000-01-01"}}}, {"value": "1999-12-31", "kind": BORN}, "minimum", "1999-12-31 is less than 2000-01-01"),
        ({"fields": {"a": {"minimum": 1900}}}, {"value": [1990, 1890], "kind": YEARS}, "minimum", "1890 is less than 1900"),
        ({"fields": {"a": {"minimum": 1900}}}, {"value": [1990, None], "kind": YEARS}, None, None),
        ({"fields": {"a": {"one_of": [1, 2]}}}, {"value": "2", "kind": INTEGER}, None, None),
        ({"required": ["a"]}, {"value": None}, "required", "required, and not found"),
        ({"required": ["a"], "fields": {"a": {"required": False}}}, {"value": None}, None, None),
        ({"fields": {"a": {"required": True}}}, {"value": "Unknown"}, "required", "required, and not found"),
        ({"not_found": ["-"]}, {"value": "unknown"}, None, None),
        ({"not_found": ["TBD"], "required": ["a"]}, {"value": "tbd"}, "required", "required, and not found"),
        ({}, {"value": "many", "kind": INTEGER}, "type", '"many" is not a whole number'),
    ],
)  # fmt: skip
def test_each_key_refuses_what_it_says_by_its_name(accept, answer, rule, refused):
    found = cell(accept, **answer)
    assert found.rule == rule
    assert (found.refused is None) is (rule is None)
    if refused is not None:
        assert found.refused == refused


@pytest.mark.parametrize(
    ("shared", "own", "confidence", "accepted"),
    [
        ("high", "low", "low", True),
        ("low", "high", "low", False),
        ("high", None, "low", True),
    ],
)
def test_what_is_set_for_a_field_goes_before_what_is_set_for_all(shared, own, confidence, accepted):
    accept = {"min_confidence": shared, "fields": {"a": {"min_confidence": own}}}
    assert (cell(accept, confidence=confidence).refused is None) is accepted


def test_what_is_not_set_for_a_field_is_what_is_set_for_all():
    accept = {"min_confidence": "high", "min_citations": 1, "fields": {"a": {"min_citations": 0}}}
    assert cell(accept, confidence="low").rule == "min_confidence"


def test_a_refused_value_is_blank_or_kept_and_what_was_said_is_known():
    for on_reject, value in (("blank", None), ("keep", 5)):
        found = cell({"min_citations": 9, "on_reject": on_reject}, value="5", kind=INTEGER)
        assert (found.value, found.said, found.rule) == (value, "5", "min_citations")


def test_a_value_of_another_type_has_no_place_in_its_column_even_if_kept():
    found = cell({"on_reject": "keep"}, value="many", kind=INTEGER)
    assert (found.value, found.said, found.rule) == (None, "many", "type")


def test_a_cell_says_which_run_it_is_of():
    assert (cell({}).run_id, cell({}).processor) == ("r", "core")


@pytest.mark.parametrize(
    ("url", "excerpt", "dated"),
    [
        ("https://x.example/2024/03/15/a", "", date(2024, 3, 15)), ("https://x.example/2024/03/a", "", date(2024, 3, 31)),
        ("https://x.example/2024-03-15", "", date(2024, 3, 15)), ("https://x.example/a?id=2024", "", None),
        ("https://x.example/items/20240315", "", None), ("https://x.example/2024/99/01", "", None), ("https://x.example/2024/02/30/x", "", None),
        ("https://x.example/", "Published 15 March 2024 by A", date(2024, 3, 15)), ("https://x.example/", "Last updated: Mar. 5, 2024", date(2024, 3, 5)),
        ("https://x.example/", "As of 2023-12-31 it had 40 people", date(2023, 12, 31)), ("https://x.example/", "born 15 March 1960", None),
        ("https://x.example/", "Published 15 March 2024. Updated 1 May 2025", date(2025, 5, 1)), ("https://x.example/", "as of 2031-01-01", None),
        ("https://x.example/2026/06/", "", DAY),
    ],
)  # fmt: skip
def test_evidence_is_as_old_as_its_address_or_its_words_say(url, excerpt, dated):
    from rowcite.accept.evidence import newest

    assert newest([Citation(url, None, (excerpt,))], DAY) == dated


# --- rules -----------------------------------------------------------------------------------------------


def row(accept, **values):
    """Return the cells of a row of whole numbers."""
    fields = [Field(name, INTEGER, name) for name in ("a", "b", "c")]
    cells = judged(Answer("r", "core", values), *fields, accept=accept)
    return {field.name: found for field, found in zip(fields, cells, strict=True)}


def test_a_broken_rule_refuses_the_fields_that_it_names():
    found = row({"rules": ["a > 0", "b > a"]}, a=5, b=3, c=1)
    assert [found[name].rule for name in "abc"] == ["rules.1", "rules.1", None]
    assert found["a"].refused == "breaks the rule b > a (b is 3, a is 5)"
    assert (found["a"].value, found["a"].said, found["c"].value) == (None, 5, 1)


def test_a_rule_does_not_see_a_value_that_does_not_count():
    assert row({"rules": ["b > a"], "fields": {"b": {"minimum": 4}}}, a=5, b=3)["a"].refused is None


def test_the_first_rule_that_refuses_is_told():
    found = row({"rules": ["a > 9", "a > 8"]}, a=1)
    assert found["a"].rule == "rules.0"


def test_a_value_that_breaks_a_rule_is_kept_when_asked_for():
    assert row({"rules": ["a > 9"], "on_reject": "keep"}, a=1)["a"].value == 1


def test_each_verdict_of_a_field_can_be_told():
    accept = {"min_confidence": "medium", "min_citations": 2, "required": ["a"]}
    basis = FieldBasis("a", "", (SEC,), "high")
    part = acceptance_policy((Field("a", STRING, "a"),), Accept(**accept)).fields[0]
    found = list(verdicts(Answer("r", "core", {"a": "v"}, (basis,)), part, DAY))
    assert found == [
        ("required", "a value", None),
        ("min_confidence", "a confidence of medium or more", None),
        ("min_citations", "2 citations or more", "1 citation, and 2 are asked for"),
    ]


# --- the evidence of a field -----------------------------------------------------------------------------


def basis_of(name, *parts, text=False):
    content = "v" if text else {"a": "v", "ab": "v"}
    return judged(
        Answer("r", "core", content, tuple(parts)), Field(name, STRING, "output" if text else name)
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
    found = judged(Answer("r", "core", content), Field("a", STRING, "a"), Field("b", JSON, "b"))
    assert all(cell.refused.startswith("the answer is no object with fields but ") for cell in found)


def test_a_field_that_did_not_come_is_null():
    assert judged(Answer("r", "core", {}), Field("a", STRING, "a"))[0].value is None


def test_a_text_answer_that_came_as_an_object_is_its_json():
    found = judged(Answer("r", "core", {"a": "é"}), Field("answer", STRING, "output"))[0]
    assert found.value == '{"a": "é"}'


# --- the page about it -----------------------------------------------------------------------------------


def test_the_page_about_acceptance_shows_what_loads_and_names_every_key():
    page = (Path(__file__).parents[2] / "docs" / "acceptance.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (rules,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    kinds = {
        "employee_count": "integer",
        "founded_year": "integer",
        "two words": "integer",
        "revenue": "number",
        "founded_on": "date",
    }
    texts = dict.fromkeys(("industry", "ticker", "country", "funding_stage"), "string")
    outputs = {**texts, **kinds, "key_products": {"type": "array", "items": "string"}}
    task = {"processor": "core", "prompt": "Who is {name}?", "outputs": outputs}
    accept = yaml.safe_load(example)["accept"]
    accept["rules"] += rules.strip().splitlines()
    assert parse_spec({"name": "t", "task": task, "accept": accept}, environ={})
    for key in {*Accept.model_fields, *AcceptField.model_fields} - {
        "not_found",
        "on_reject",
        "fields",
        "rules",
    }:
        assert re.search(rf"^\| .*`{key}`.* \|", page, re.MULTILINE), key
