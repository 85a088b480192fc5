"""Acceptance of an answer: its evidence, its value, and rules over the row."""

import math
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from rowcite.accept.judge import check_results, judge
from rowcite.accept.policy import acceptance_policy
from rowcite.model import Answer, Citation, FieldBasis
from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.accept_models import Accept, AcceptField
from rowcite.spec.fields import Field, FieldType

STRING, INTEGER, JSON = map(FieldType, ("string", "integer", "json"))
DAY = date(2026, 6, 1)


# --- acceptance ------------------------------------------------------------------------------------------

SEC = Citation("https://www.sec.gov/x", "SEC", ("words",))


def judged(answer, *fields, accept=None):
    """Return the cells of an answer."""
    return judge(answer, acceptance_policy(fields, Accept(**(accept or {}))), DAY)


def cell(accept, *, value="v", confidence="high", citations=(SEC,), kind=STRING):
    """Return the cell of a field `a` under this `accept`."""
    basis = FieldBasis("a", "because", citations, confidence)
    return judged(Answer("r", "core", {"a": value}, (basis,)), Field("a", kind, "a"), accept=accept)[0]


def test_without_accept_every_value_is_accepted():
    found = cell({})
    assert (found.value, found.confidence, found.citations, found.reasoning, found.rejection) == (
        "v",
        "high",
        (SEC,),
        "because",
        None,
    )
    assert cell({}, confidence=None, citations=()).rejection is None


@pytest.mark.parametrize(
    ("least", "accepted", "rejected"),
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
def test_a_confidence_is_compared_with_the_minimum_in_words_and_numbers(least, accepted, rejected):
    for confidence in accepted:
        assert cell({"min_confidence": least}, confidence=confidence).rejection is None
    for confidence in rejected:
        found = cell({"min_confidence": least}, confidence=confidence)
        assert found.rejection == f"confidence {confidence}, {least} required"
        assert found.value is None
        assert found.confidence == str(confidence)


def test_a_missing_confidence_is_accepted():
    assert cell({"min_confidence": "high"}, confidence=None).rejection is None


@pytest.mark.parametrize(("least", "rejection"), [(0, None), (1, None), (2, "1 citation, 2 required")])
def test_fewer_citations_than_the_minimum_reject_a_value(least, rejection):
    assert cell({"min_citations": least}).rejection == rejection


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
def test_a_trusted_domain_covers_itself_and_its_subdomains(url, trusted):
    found = cell({"trusted_domains": ["sec.gov", "état.gouv.example"]}, citations=(Citation(url),))
    assert (found.rejection is None) is trusted


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
    assert (cell({"trusted_domains": [".gov"]}, citations=(Citation(url),)).rejection is None) is trusted


def test_one_trusted_citation_is_enough():
    accept = {"trusted_domains": ["sec.gov", ".edu"]}
    assert cell(accept, citations=(Citation("https://x.example"), SEC)).rejection is None
    assert (
        cell(accept, citations=(Citation("https://x.example"),)).rejection == "no citation from sec.gov, .edu"
    )


def test_a_null_is_an_answer_unless_the_field_is_required():
    strict = {"min_confidence": "high", "min_citations": 3, "trusted_domains": ["sec.gov"]}
    assert cell(strict, value=None, confidence="low", citations=()).rejection is None
    assert cell({"required": ["a"]}, value=None).rejection == "required, and not found"
    for text in ("Not found", "", " \n"):
        assert cell({"required": ["a"]}, value=text).rejection == "required, and not found"
    assert cell({"required": ["a"]}).rejection is None


def test_a_value_of_another_type_is_rejected_with_its_evidence_kept():
    found = cell({}, value="many", kind=INTEGER)
    assert (found.value, found.rejection) == (None, '"many" is not a whole number')
    assert (found.confidence, found.citations) == ("high", (SEC,))


def test_a_long_value_is_cut_in_the_reason():
    assert len(cell({}, value="x" * 9_999, kind=INTEGER).rejection) < 100


# --- every key: values that it rejects and values that it accepts ----------------------------------------------------

YEARS = FieldType("array", items=INTEGER)
BORN = FieldType("date")


def cited(*urls):
    return tuple(Citation(url) for url in urls)


@pytest.mark.parametrize(
    ("accept", "answer", "rule", "rejection"),
    [
        ({"missing_confidence": "reject"}, {"confidence": None}, "missing_confidence", "no confidence"),
        ({"missing_confidence": "reject"}, {"confidence": "low"}, None, None),
        ({"missing_confidence": "reject", "min_confidence": "high"}, {"confidence": "low"}, "min_confidence", "confidence low, high required"),
        ({"min_citations": 2}, {}, "min_citations", "1 citation, 2 required"),
        ({"min_domains": 2}, {"citations": cited("https://a.acme.co.uk/1", "https://b.acme.co.uk/2")}, "min_domains", "citations from 1 domain, 2 required"),
        ({"min_domains": 2}, {"citations": cited("https://acme.co.uk/1", "https://other.co.uk/2")}, None, None),
        ({"min_domains": 2}, {"citations": cited("https://a.github.io/", "https://b.github.io/")}, None, None),
        ({"min_domains": 1}, {"citations": cited("javascript:alert(1)")}, "min_domains", "citations from 0 domains, 1 required"),
        ({"trusted_domains": ["co.uk"]}, {"citations": cited("https://acme.co.uk/")}, None, None),
        ({"trusted_domains": ["co.uk"]}, {"citations": cited("https://acme.uk/")}, "trusted_domains", "no citation from co.uk"),
        ({"distrusted_domains": ["spam.example"]}, {"citations": cited("https://www.spam.example/")}, "distrusted_domains", "every citation is from spam.example"),
        ({"distrusted_domains": ["spam.example"]}, {"citations": (*cited("https://spam.example/"), SEC)}, None, None),
        ({"distrusted_domains": ["spam.example"]}, {"citations": ()}, None, None),
        ({"distrusted_domains": ["spam.example"], "min_citations": 2}, {"citations": (*cited("https://spam.example/"), SEC)}, "min_citations", "1 citation, 2 required"),
        ({"distrusted_domains": ["x.sec.gov"], "trusted_domains": [".gov"]}, {"citations": cited("https://x.sec.gov/")}, "distrusted_domains", "every citation is from x.sec.gov"),
        ({"max_age": "730d"}, {"citations": cited("https://news.example/2019/03/01/acme")}, "max_age", "the newest dated source is from 2019-03-01, more than 730 days ago"),
        ({"max_age": "730d"}, {"citations": cited("https://news.example/2019/03/01/acme", "https://x.example/2026-05-02-note")}, None, None),
        ({"max_age": "730d"}, {}, None, None),
        ({"fields": {"a": {"one_of": ["v", "w"]}}}, {}, None, None),
        ({"fields": {"a": {"one_of": ["w", "x"]}}}, {}, "one_of", '"v" is not one of w, x'),
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
def test_each_key_rejects_a_value_under_its_own_name(accept, answer, rule, rejection):
    found = cell(accept, **answer)
    assert found.rule == rule
    assert (found.rejection is None) is (rule is None)
    if rejection is not None:
        assert found.rejection == rejection


@pytest.mark.parametrize(
    ("shared", "own", "confidence", "accepted"),
    [
        ("high", "low", "low", True),
        ("low", "high", "low", False),
        ("high", None, "low", True),
    ],
)
def test_a_key_of_a_field_overrides_the_key_for_all_fields(shared, own, confidence, accepted):
    accept = {"min_confidence": shared, "fields": {"a": {"min_confidence": own}}}
    assert (cell(accept, confidence=confidence).rejection is None) is accepted


def test_a_key_not_set_for_a_field_is_inherited():
    accept = {"min_confidence": "high", "min_citations": 1, "fields": {"a": {"min_citations": 0}}}
    assert cell(accept, confidence="low").rule == "min_confidence"


def test_a_rejected_value_is_blank_or_kept_and_the_answered_one_is_in_the_cell():
    for on_reject, value in (("blank", None), ("keep", 5)):
        found = cell({"min_citations": 9, "on_reject": on_reject}, value="5", kind=INTEGER)
        assert (found.value, found.found, found.rule) == (value, "5", "min_citations")


def test_a_value_of_another_type_is_blank_even_with_keep():
    found = cell({"on_reject": "keep"}, value="many", kind=INTEGER)
    assert (found.value, found.found, found.rule) == (None, "many", "type")


def test_a_cell_names_its_run():
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
def test_evidence_is_dated_by_its_address_or_its_excerpts(url, excerpt, dated):
    from rowcite.accept.evidence import newest

    assert newest([Citation(url, None, (excerpt,))], DAY) == dated


# --- rules -----------------------------------------------------------------------------------------------


def row(accept, **values):
    """Return the cells of a row of whole numbers."""
    fields = [Field(name, INTEGER, name) for name in ("a", "b", "c")]
    cells = judged(Answer("r", "core", values), *fields, accept=accept)
    return {field.name: found for field, found in zip(fields, cells, strict=True)}


def test_a_broken_rule_rejects_the_fields_that_it_names():
    found = row({"rules": ["a > 0", "b > a"]}, a=5, b=3, c=1)
    assert [found[name].rule for name in "abc"] == ["rules.1", "rules.1", None]
    assert found["a"].rejection == "breaks the rule b > a (b is 3, a is 5)"
    assert (found["a"].value, found["a"].found, found["c"].value) == (None, 5, 1)


def test_a_rejected_value_is_unknown_to_a_rule():
    assert row({"rules": ["b > a"], "fields": {"b": {"minimum": 4}}}, a=5, b=3)["a"].rejection is None


def test_the_first_broken_rule_is_reported():
    found = row({"rules": ["a > 9", "a > 8"]}, a=1)
    assert found["a"].rule == "rules.0"


def test_a_value_that_breaks_a_rule_is_kept_with_keep():
    assert row({"rules": ["a > 9"], "on_reject": "keep"}, a=1)["a"].value == 1


def test_every_rule_of_a_field_has_a_check_result():
    accept = {"min_confidence": "medium", "min_citations": 2, "required": ["a"]}
    basis = FieldBasis("a", "", (SEC,), "high")
    part = acceptance_policy((Field("a", STRING, "a"),), Accept(**accept)).fields[0]
    found = list(check_results(Answer("r", "core", {"a": "v"}, (basis,)), part, DAY))
    assert found == [
        ("required", "a value", None),
        ("min_confidence", "a confidence of medium or more", None),
        ("min_citations", "2 citations or more", "1 citation, 2 required"),
    ]


# --- the evidence of a field -----------------------------------------------------------------------------


def basis_of(name, *parts, text=False):
    content = "v" if text else {"a": "v", "ab": "v"}
    return judged(
        Answer("r", "core", content, tuple(parts)), Field(name, STRING, "output" if text else name)
    )[0]


def test_a_field_without_a_basis_has_the_bases_of_its_parts():
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


def test_a_basis_of_the_whole_field_wins_over_those_of_its_parts():
    found = basis_of("a", FieldBasis("a.x", "part", (), "low"), FieldBasis("a", "whole", (SEC,), "high"))
    assert (found.confidence, found.reasoning) == ("high", "whole")


def test_a_name_with_the_same_beginning_is_not_a_part():
    assert basis_of("a", FieldBasis("ab", "no", (SEC,), "high")).citations == ()


def test_the_lowest_confidence_of_the_parts_counts():
    parts = (FieldBasis("a.0", confidence="high"), FieldBasis("a.1", confidence=0.6), FieldBasis("a.2"))
    assert basis_of("a", *parts).confidence == "0.6"
    assert basis_of("a", *parts, FieldBasis("a.3", confidence="?")).confidence == "?"


def test_a_text_output_has_the_evidence_of_every_basis():
    found = basis_of("answer", FieldBasis("x.y", "one", (SEC,), "medium"), text=True)
    assert (found.value, found.citations, found.confidence) == ("v", (SEC,), "medium")


# --- answers of an unexpected shape --------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["words", None, [1], 5, True])
def test_an_answer_without_fields_rejects_every_field(content):
    found = judged(Answer("r", "core", content), Field("a", STRING, "a"), Field("b", JSON, "b"))
    assert all(cell.rejection.startswith("the answer is not an object with fields: ") for cell in found)


def test_a_missing_field_is_null():
    assert judged(Answer("r", "core", {}), Field("a", STRING, "a"))[0].value is None


def test_an_object_in_place_of_a_text_answer_becomes_json_text():
    found = judged(Answer("r", "core", {"a": "é"}), Field("answer", STRING, "output"))[0]
    assert found.value == '{"a": "é"}'


# --- docs/acceptance.md -----------------------------------------------------------------------------------


def test_the_example_in_the_docs_loads_and_the_docs_name_every_key():
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
