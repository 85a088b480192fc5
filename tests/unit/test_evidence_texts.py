"""An answer resolves to the same row whether the texts of its evidence are decoded or not, and alone or among others."""

import json
from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.accept.policy import acceptance_policy
from rowcite.model import Citation, FieldBasis, RowStatus, RunState, StoredRun
from rowcite.rows.columns import StoredRow, resolve_accepted
from rowcite.rows.resolve import resolve
from rowcite.spec.accept_models import Accept
from rowcite.spec.fields import Field, FieldType
from support import examples

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


def without_texts(basis):
    citations = tuple(Citation(citation.url) for citation in basis.citations)
    return FieldBasis(basis.field, "", citations, basis.confidence)


def cells_without_texts(row):
    return [
        msgspec.structs.replace(
            cell,
            reasoning=None,
            citations=tuple(Citation(citation.url) for citation in cell.citations),
            elements=tuple(item._replace(basis=without_texts(item.basis)) for item in cell.elements),
        )
        for cell in row.cells
    ]


@pytest.mark.parametrize("accept", ACCEPTS)
@settings(max_examples=examples(100), deadline=None)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    content=CONTENT,
    basis=st.lists(ENTRIES, max_size=7) | st.none(),
    kind=st.sampled_from(["json", "text", ""]),
    run_id=st.sampled_from(["trun_1", None]),
    member=st.sampled_from(["reasoning", "title", "excerpts"]),
    odd=st.sampled_from([None, 5, ["x"], "\ud83d"]),
)
def test_a_row_is_the_same_without_the_texts_of_its_evidence(
    accept, kinds, content, basis, kind, run_id, member, odd
):
    for item in basis or []:
        for place in (item, *item["citations"]):
            place.update({member: odd} if member in place else {})
    policy = acceptance_policy(fields_of(kinds), Accept(**accept))
    answered = run(json.dumps({"type": kind, "content": content, "basis": basis}).encode(), run_id=run_id)
    row, lean = (
        resolve([answered], policy, DAY, texts=texts or policy.reads_texts) for texts in (True, False)
    )
    assert cells_without_texts(lean) == cells_without_texts(row)
    assert (lean.status, lean.error, lean.run_ids) == (row.status, row.error, row.run_ids)


def test_texts_are_left_out_only_if_no_check_reads_them():
    answered = run(output({"one": "x"}))
    fields = fields_of([FieldType("string")])
    for accept, expected in (({}, ()), ({"max_age": "9d"}, ("words",))):
        policy = acceptance_policy(fields, Accept(**accept))
        (cell,) = resolve([answered], policy, DAY, texts=policy.reads_texts).cells
        assert cell.citations[0].excerpts == expected
        assert cell.citations[0].url == "https://a.example/"


def cells_at(columns, at):
    return [tuple(values[at] for values in column) for column in columns.cells]


def shown(cell):
    return cell.value, cell.confidence, cell.citations, cell.reasoning, cell.elements, cell.rejection


@pytest.mark.parametrize(
    "accept", [*ACCEPTS, {"required": ["two"]}, {"rules": ["one is not null", "1 < 2 and two is null"]}]
)
@settings(max_examples=examples(60), deadline=None)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=4),
    answers=st.lists(st.tuples(CONTENT, st.lists(ENTRIES, max_size=7) | st.none()), min_size=1, max_size=5),
    texts=st.booleans(),
)
def test_an_accepted_row_is_the_same_alone_and_among_others(accept, kinds, answers, texts):
    policy = acceptance_policy(fields_of(kinds), Accept(**accept))
    runs = [run(json.dumps({"content": content, "basis": basis}).encode()) for content, basis in answers]
    rows = [resolve([made], policy, DAY, texts=texts) for made in runs]
    columns, others = resolve_accepted([StoredRow([made], {}, {}) for made in runs], policy, DAY, texts=texts)
    assert others == {at for at, row in enumerate(rows) if row.status is not RowStatus.COMPLETED}
    for at, row in enumerate(rows):
        if at not in others:
            assert cells_at(columns, at) == list(map(shown, row.cells))
            assert (columns.run_ids[at], columns.processors[at]) == (row.run_ids, row.processors)


def test_rows_without_just_one_answer_are_resolved_by_themselves():
    policy = acceptance_policy(fields_of([FieldType("string")]), Accept())
    answered = run(output({"one": "x"}))
    rows = [
        StoredRow(runs, given, {})
        for runs, given in [
            ([], {}),
            ([answered], {}),
            ([answered, answered], {}),
            ([answered._replace(first=False)], {}),
            ([answered], {"one": "given"}),
            ([answered._replace(state=RunState.FAILED, output=None)], {}),
            ([answered._replace(output=b"{")], {}),
        ]
    ]
    _, others = resolve_accepted(rows, policy, DAY, texts=False)
    assert others == {0, 2, 3, 4, 5, 6}
