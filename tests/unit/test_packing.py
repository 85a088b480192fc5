"""Several rows in one run: the request, and that no answer is ever assigned to another row."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.api.answers import answer
from rowcite.api.bodies import runs_body
from rowcite.api.facts import TASK_AND_INPUT_CHARS
from rowcite.api.keys import canonical, task_key
from rowcite.api.packing import codes_of, packed, packs, parts
from rowcite.model import Task
from rowcite.pipeline.spec_checks import spec_warnings
from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.question import question

KEYS = [task_key(b"q", str(number).encode()) for number in range(5)]
CODES = codes_of(KEYS)


@pytest.fixture
def packed_question(make_spec):
    def build(**task):
        spec = make_spec(
            {"outputs": {"industry": "string", "count": "integer"}, "instructions": "Look well.", **task}
        )
        return packed(question(spec, {"company": "string"}, "https://api.example"))

    return build


def tasks(inputs):
    return [Task(task_key(b"q", canonical(value)), canonical(value)) for value in inputs]


def output_of(*records, basis=()):
    return json.dumps({"type": "json", "content": {"records": list(records)}, "basis": list(basis)}).encode()


def contents(found):
    return [None if part is None else answer("", "", part).content for part in found.values()]


# --- the request -----------------------------------------------------------------------------------------


def test_a_packed_question_requests_records_with_a_key(packed_question):
    spec = packed_question().named["task_spec"]
    for side, names in (
        ("input_schema", ["key", "company"]),
        ("output_schema", ["key", "industry", "count"]),
    ):
        schema = spec[side]["json_schema"]
        record = schema["properties"]["records"]["items"]
        assert list(record["properties"]) == names
        assert "key" in record["required"]
        assert (schema["required"], record["additionalProperties"]) == (["records"], False)
    assert spec["output_schema"]["json_schema"]["description"].startswith("Look well. Work on each record")


def test_a_pack_has_at_most_n_rows_each_with_its_key(packed_question):
    members = tasks({"company": f"Company {number}"} for number in range(5))
    sent = list(packs(packed_question(), members, 2))
    assert [len(pack.members) for pack in sent] == [2, 2, 1]
    records = json.loads(sent[0].input)["records"]
    assert [record["company"] for record in records] == ["Company 0", "Company 1"]
    assert [record["key"] for record in records] == codes_of([member.key for member in sent[0].members])
    assert [member.key for pack in sent for member in pack.members] == [member.key for member in members]
    assert sent[0].key == task_key(packed_question().fingerprint, sent[0].input)
    json.loads(runs_body(packed_question(), sent))


def test_a_prompt_is_a_record_too(packed_question):
    question_ = packed_question(prompt="Who runs {name}?")
    (pack,) = packs(question_, tasks(["Who runs A?", "Who runs B?"]), 5)
    assert [record["prompt"] for record in json.loads(pack.input)["records"]] == [
        "Who runs A?",
        "Who runs B?",
    ]


@given(st.lists(st.integers(1, 9_000), max_size=30), st.integers(1, 10))
def test_a_pack_is_never_larger_than_the_api_accepts(sizes, most):
    question_ = packed(question(_SPEC, {"company": "string"}, "x"))
    members = tasks({"company": f"{number}" + "é" * size} for number, size in enumerate(sizes))
    sent = list(packs(question_, members, most))
    assert sum(len(pack.members) for pack in sent) == len(members)
    for pack in sent:
        assert len(pack.members) <= most
        assert len(pack.input.decode()) + len(question_.task_spec.decode()) <= TASK_AND_INPUT_CHARS


_SPEC = parse_spec(
    {
        "name": "t",
        "task": {"processor": "core", "inputs": {"company": {"column": "name"}}, "outputs": {"a": "string"}},
    },
    environ={},
)


def test_keys_are_short_and_unique():
    assert all(len(code) == 6 for code in CODES)
    near = [b"\0" * 15 + bytes([number]) for number in (0, 1, 128)]
    assert len(set(codes_of(near))) == 3


# --- assigning records to rows ---------------------------------------------------------------------------


def test_answers_are_matched_by_key_in_any_order():
    records = [{"key": code, "industry": f"i{number}"} for number, code in enumerate(CODES)]
    random.Random(1).shuffle(records)
    assert contents(parts(output_of(*records), KEYS)) == [{"industry": f"i{number}"} for number in range(5)]


def test_case_and_spaces_of_a_key_are_ignored():
    assert contents(parts(output_of({"key": f" {CODES[0].upper()} ", "a": 1}), KEYS[:1])) == [{"a": 1}]


@pytest.mark.parametrize(
    "records",
    [
        [{"key": CODES[0], "a": 1}, {"key": CODES[0], "a": 2}],
        [{"key": CODES[0], "a": 1}, {"key": CODES[0], "a": 1}],
        [{"key": "zzzzzz", "a": 1}],
        [{"a": 1}],
        [{"key": None, "a": 1}],
        [{"key": CODES[0]}],
        ["words", None, 5, [CODES[0]]],
        [],
    ],
)
def test_a_record_that_is_missing_repeated_or_empty_has_no_part(records):
    assert parts(output_of(*records), KEYS[:1]) == {KEYS[0]: None}


def test_a_record_with_an_unknown_key_does_not_affect_the_others():
    records = [{"key": "zzzzzz", "a": 9}, {"key": CODES[1], "a": 1}]
    assert contents(parts(output_of(*records), KEYS[:2])) == [None, {"a": 1}]


@pytest.mark.parametrize(
    "output", [b"<html>", b'{"type":"text","content":"words"}', b'{"content":{"records":{}}}', b"[]", b"null"]
)
def test_an_answer_of_another_shape_has_no_parts(output):
    assert parts(output, KEYS) == dict.fromkeys(KEYS)


def cite(field, url):
    return {
        "field": field,
        "reasoning": f"of {field}",
        "confidence": "high",
        "citations": [{"url": url, "excerpts": ["w"]}],
    }


def test_evidence_follows_its_element_in_any_order():
    records = [{"key": CODES[1], "industry": "B", "products": ["p", "q"]}, {"key": CODES[0], "industry": "A"}]
    basis = [
        cite("records.0.industry", "https://b.example/"),
        cite("records.0.products.1", "https://q.example/"),
        cite("records.0.key", "https://k.example/"),
        cite("records[1].industry", "https://a.example/"),
        cite("records", "https://all.example/"),
        cite("records.7.industry", "https://unknown.example/"),
    ]
    first, second = (
        answer("", "", part) for part in parts(output_of(*records, basis=basis), KEYS[:2]).values()
    )
    assert [(item.field, item.citations[0].url) for item in first.basis] == [
        ("industry", "https://a.example/")
    ]
    assert [(item.field, item.citations[0].url) for item in second.basis] == [
        ("industry", "https://b.example/"),
        ("products.1", "https://q.example/"),
    ]
    assert second.basis[0].citations[0].excerpts == ("w",)
    assert (second.basis[0].reasoning, second.basis[0].confidence) == ("of records.0.industry", "high")


def test_fields_without_evidence_get_that_of_the_whole_element():
    record = {"key": CODES[0], "industry": "A", "count": 5}
    basis = [cite("records.0", "https://whole.example/"), cite("records.0.count", "https://count.example/")]
    (part,) = parts(output_of(record, basis=basis), KEYS[:1]).values()
    assert {item.field: item.citations[0].url for item in answer("", "", part).basis} == {
        "industry": "https://whole.example/",
        "count": "https://count.example/",
    }


JSONISH = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from([*CODES, "key", "a"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["key", "a", "records"]), inner, max_size=3)),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(JSONISH, max_size=6))
def test_for_any_records_each_row_has_its_own_part_or_none(records):
    found = parts(output_of(*records), KEYS)
    assert list(found) == KEYS
    for key, code in zip(KEYS, CODES, strict=True):
        own = [r for r in records if isinstance(r, dict) and str(r.get("key")).strip().lower() == code]
        if found[key] is None:
            assert len(own) != 1 or set(own[0]) == {"key"}
        else:
            assert answer("", "", found[key]).content == {k: v for k, v in own[0].items() if k != "key"}


# --- specs that cannot be packed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"output": {"type": "text"}}, "several rows in one run need an answer made of fields"),
        ({"outputs": {"key": "string"}}, "`key` identifies the row of a record: choose another name"),
        ({"inputs": {"key": {"column": "name"}}}, "`key` identifies the row of a record: choose another name"),
        ({"outputs": {f"f{n}": "string" for n in range(99)}}, "with records and keys 101 properties"),
        ({"outputs": {"a": {"type": "object", "properties": {"b": {"type": "object", "properties": {"c": {"type": "array"}}}}}}}, "6 levels deep"),
    ],
)  # fmt: skip
def test_a_spec_that_cannot_be_packed_is_refused(make_spec, task, message):
    from rowcite.pipeline.spec_checks import spec_problems

    spec = make_spec(task)
    spec = spec.model_copy(update={"task": spec.task.model_copy(update={"records_per_run": 3})})
    assert any(message in problem for _, problem in spec_problems(spec))


def test_more_values_than_a_processor_fills_draw_a_warning(make_spec):
    spec = make_spec({"outputs": {f"f{n}": "string" for n in range(5)}})
    assert not spec_warnings(spec)
    spec = spec.model_copy(update={"task": spec.task.model_copy(update={"records_per_run": 3})})
    assert spec_warnings(spec) == ["3 records of 5 fields in a run, and `core` usefully fills about 10"]
