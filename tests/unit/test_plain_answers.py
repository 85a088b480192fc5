"""A plain answer resolves to the same row on the fast path and on the general one; every other answer is left to the latter."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.accept.policy import acceptance_policy
from rowcite.model import RunState, StoredRun
from rowcite.rows.plain_answers import PlainAnswers
from rowcite.rows.resolve import resolve
from rowcite.spec.accept_models import Accept
from rowcite.spec.fields import Field, FieldType

DAY = date(2026, 1, 1)
KINDS = [
    FieldType("string"),
    FieldType("integer"),
    FieldType("number"),
    FieldType("boolean"),
    FieldType("date"),
    FieldType("json"),
    FieldType("string", choices=("A", "Unknown")),
    FieldType("array", items=FieldType("string")),
    FieldType("array", items=FieldType("integer")),
    FieldType("object", properties=(("name", FieldType("string")),)),
]
NAMES = ["one", "two", "three.x", "_basis"]
ACCEPTS = [
    {},
    {"min_confidence": "medium", "min_citations": 1},
    {"missing_confidence": "reject", "on_reject": "keep"},
    {"min_confidence": 0.3, "distrusted_domains": ["b.example"]},
    {"trusted_domains": [".example"], "min_domains": 2, "max_age": "9d"},
    {"required": ["one"], "not_found": ["A", "a long text that means null"]},
    {"rules": ["one is not null"]},
]


def fields_of(kinds):
    return tuple(Field(name, kind, name) for name, kind in zip(NAMES, kinds, strict=False))


def run(output, *, run_id="trun_1"):
    return StoredRun(b"k" * 16, RunState.COMPLETED, run_id, "core", output, None, None)


def entry(field, confidence="high", urls=("https://a.example/",), **more):
    citations = [{"url": url, "title": None, "excerpts": ["words"]} for url in urls]
    return {"field": field, "confidence": confidence, "citations": citations, "reasoning": "so", **more}


def output(content, basis=None, **more):
    basis = [entry(name) for name in content] if basis is None else basis
    return json.dumps({"type": "json", "content": content, "basis": basis, **more}).encode()


TEXTS = [
    "", "n/a", " Unknown ", "unknown", "A", "a", "12", "text", "not  found", " N/A\t", "\u2028", "İ",
    "a long text that means null", "2024-01-15",
]  # fmt: skip
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(TEXTS)
    | st.text(max_size=4)
    | st.lists(st.none() | st.integers(0, 9) | st.sampled_from(["x", "n/a", ""]), max_size=3)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)
)
PLAIN = st.sampled_from(["x", "A", 5, 5.5, 0, True, ["a", "b"], None])
ENTRIES = st.builds(
    entry,
    st.sampled_from([*NAMES, "one.0", "one[1]", "one.0.name", "two.1", "three", "other"]),
    st.sampled_from(["high", "low", "", None, 0.4, "odd"]),
    st.lists(
        st.sampled_from(["https://a.example/", "https://b.example/x y", "", "https://c.example/2026/01/01/"]),
        max_size=3,
    ),
)
CONTENT = st.dictionaries(st.sampled_from([*NAMES, "extra"]), VALUES | PLAIN) | VALUES


@pytest.mark.parametrize("accept", ACCEPTS)
@settings(max_examples=200, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    content=CONTENT,
    basis=st.lists(ENTRIES, max_size=7) | st.none(),
    kind=st.sampled_from(["json", "text", ""]),
    run_id=st.sampled_from(["trun_1", None]),
)
def test_the_fast_path_gives_the_row_of_the_general_one(accept, kinds, content, basis, kind, run_id):
    policy = acceptance_policy(fields_of(kinds), Accept(**accept))
    answered = run(json.dumps({"type": kind, "content": content, "basis": basis}).encode(), run_id=run_id)
    row = PlainAnswers(policy, DAY).resolve(answered)
    if row is not None:
        assert row == resolve([answered], policy, DAY)


FIELDS = fields_of([FieldType("string"), FieldType("integer"), FieldType("number")])
CONTENT_OK = {"one": "x", "two": 5, "three.x": 0.5}


def fast(output, accept=None, fields=FIELDS):
    return PlainAnswers(acceptance_policy(fields, Accept(**(accept or {}))), DAY).resolve(run(output))


@pytest.mark.parametrize("content", [CONTENT_OK, {}, {**CONTENT_OK, "three.x": 5, "extra": [1]}])
def test_an_answer_with_every_value_of_its_type_is_plain(content):
    row = fast(output(content))
    assert [cell.value for cell in row.cells] == [content.get(field.name) for field in FIELDS]
    assert row == resolve([run(output(content))], acceptance_policy(FIELDS, Accept()), DAY)


def test_a_whole_number_in_a_number_field_is_kept_as_it_was_answered():
    cell = fast(output({"three.x": 5})).cells[2]
    assert (type(cell.value), type(cell.found)) == (float, int)


@pytest.mark.parametrize(
    "content",
    [
        {**CONTENT_OK, "one": "n/a"},
        {**CONTENT_OK, "one": "  Not found "},
        {**CONTENT_OK, "one": 5},
        {**CONTENT_OK, "two": "5"},
        {**CONTENT_OK, "two": 5.5},
        {**CONTENT_OK, "two": 2**63},
        {**CONTENT_OK, "three.x": 2**53 + 1},
        "not an object",
    ],
)
def test_an_answer_with_a_value_to_coerce_is_not_plain(content):
    assert fast(output(content, [entry(name) for name in CONTENT_OK])) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldType("date"), "2024-01-15"),
        (FieldType("string", choices=("A",)), "a"),
        (FieldType("array", items=FieldType("string")), ["a", None]),
        (FieldType("array", items=FieldType("integer")), [1]),
    ],
)
def test_an_answer_to_a_field_that_needs_coercion_is_not_plain(kind, value):
    assert fast(output({"one": value}), fields=fields_of([kind])) is None


LISTS = fields_of([FieldType("array", items=FieldType("string")), FieldType("string")])


@pytest.mark.parametrize(
    "basis",
    [
        [entry("one"), entry("one.0"), entry("one.1", "medium", ["https://b.example/"])],
        [entry("one.0"), entry("one[1]")],
        [entry("one"), entry("one.0.name"), entry("one.0.role", "medium"), entry("one.7", "low")],
        [entry("one"), entry("two.0", "low")],
    ],
)
@pytest.mark.parametrize("accept", [{}, {"min_confidence": "medium", "min_citations": 1}])
def test_a_list_with_accepted_elements_is_plain(basis, accept):
    answered = output({"one": ["a", "b"], "two": "x"}, [*basis, entry("two")])
    row = fast(answered, accept, LISTS)
    assert row == resolve([run(answered)], acceptance_policy(LISTS, Accept(**accept)), DAY)
    assert row.cells[0].elements or basis[1]["field"] == "two.0"


def test_a_list_with_a_rejected_element_is_not_plain():
    answered = output({"one": ["a", "b"]}, [entry("one"), entry("one.1", "low")])
    assert fast(answered, {}, LISTS) is not None
    assert fast(answered, {"min_confidence": "medium"}, LISTS) is None


def test_a_rejected_value_is_not_plain():
    accept = {"min_confidence": "medium"}
    assert fast(output(CONTENT_OK, [entry(name, "low") for name in CONTENT_OK]), accept) is None
    assert fast(output(CONTENT_OK), accept) is not None
