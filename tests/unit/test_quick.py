"""What is read quickly is what would have been decided slowly, and the quick way never decides anything."""

import json
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.accept.policy import acceptance_policy
from rowcite.model import RunState, StoredRun
from rowcite.rows.plain_answers import FastDecoder
from rowcite.spec.fields import fields
from rowcite.table.merge import Merge

KEY = b"k" * 16
OUTPUTS = {
    "text": "string",
    "whole": "integer",
    "real": "number",
    "flag": "boolean",
    "stage": {"enum": ["A", "Unknown"]},
    "items": {"type": "array", "items": "string"},
}
ACCEPTS = [
    {},
    {"min_confidence": "medium", "min_citations": 1},
    {"required": ["text"]},
    {"rules": ["whole > 0"]},
]


class Said:
    def __init__(self, output):
        self.run = StoredRun(KEY, RunState.COMPLETED, "trun_1", "core", output, None, None)

    def runs_by_task(self, keys):
        yield [self.run]

    def decisions(self, keys):
        return {}


def merged(spec, output, *, native, quick):
    from rowcite.table.reader import Batch
    from rowcite.table.sources import Rows

    merge = Merge(spec, pl.Schema({"n": pl.Int64}), Said(output), native=native)
    if not quick:
        merge._fast_decoder.read = lambda _: None
    nothing = pl.Series([None], dtype=pl.String)
    batch = Batch(Rows(pl.DataFrame({"n": [1]})), pl.Series([KEY], dtype=pl.Binary), nothing, nothing)
    return merge.columns(batch).rows(named=True)


def entry(field, confidence="high", urls=("https://a.example/",), **more):
    citations = [{"url": url, "title": None, "excerpts": ["words"]} for url in urls]
    return {"field": field, "confidence": confidence, "citations": citations, "reasoning": "so", **more}


def output(content, basis=None, **more):
    basis = [entry(name) for name in content] if basis is None else basis
    return json.dumps({"type": "json", "content": content, "basis": basis, **more}).encode()


PLAIN = {"text": "x", "whole": 5, "real": 0.5, "flag": True, "stage": "A", "items": ["a", "b"]}
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["", "n/a", " Unknown ", "unknown", "A", "a", "12", "text", "not  found", " N/A\t", "\u2028", "İ"]
    )
    | st.text(max_size=4)
    | st.lists(st.none() | st.integers(0, 9) | st.sampled_from(["x", "n/a", ""]), max_size=3)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)
)
ENTRIES = st.builds(
    entry,
    st.sampled_from([*OUTPUTS, "items.0", "text.a", "other"]),
    st.sampled_from(["high", "low", "", None, 0.4, "odd"]),
    st.lists(
        st.sampled_from(["https://a.example/", "https://b.example/x y", "", "https://a.example/"]), max_size=3
    ),
)


@pytest.mark.parametrize("accept", ACCEPTS)
@settings(max_examples=150, deadline=None)
@given(
    content=st.dictionaries(st.sampled_from([*OUTPUTS, "extra", "_basis"]), VALUES) | VALUES,
    basis=st.lists(ENTRIES, max_size=7) | st.none(),
    native=st.booleans(),
    kind=st.sampled_from(["json", "text", ""]),
)
def test_it_is_what_the_slow_way_gives(make_spec_once, accept, content, basis, native, kind):
    spec = make_spec_once({"outputs": OUTPUTS}, accept=accept, columns={"reasoning": True})
    said = json.dumps({"type": kind, "content": content, "basis": basis}).encode()
    assert merged(spec, said, native=native, quick=True) == merged(spec, said, native=native, quick=False)


@pytest.fixture(scope="module")
def make_spec_once():
    from rowcite.pipeline.spec_file import parse_spec

    def make(task, **more):
        inputs = {"n": {"column": "n"}}
        return parse_spec({"name": "t", "task": {"processor": "core", "inputs": inputs, **task}, **more})

    return make


@pytest.fixture
def quick(make_spec_once):
    def made(accept=None, **outputs):
        spec = make_spec_once({"outputs": outputs or OUTPUTS}, accept=accept or {})
        return FastDecoder(acceptance_policy(fields(spec), spec.accept), date(2026, 1, 1))

    return made


def test_a_plain_answer_is_read(quick):
    assert quick().read(output(PLAIN))[::2] == list(PLAIN.values())


@pytest.mark.parametrize(
    "odd",
    [
        {**PLAIN, "text": "n/a"},
        {**PLAIN, "text": "  Not found "},
        {**PLAIN, "text": 5},
        {**PLAIN, "whole": "5"},
        {**PLAIN, "whole": 5.5},
        {**PLAIN, "whole": 2**63},
        {**PLAIN, "real": 2**53 + 1},
        {**PLAIN, "flag": "true"},
        {**PLAIN, "stage": "a"},
        {**PLAIN, "items": ["a", None]},
        {**PLAIN, "items": "a"},
        "not an object",
    ],
)
def test_what_has_to_be_decided_is_left_alone(quick, odd):
    basis = [entry(name) for name in PLAIN]
    assert quick().read(output(odd, basis)) is None


def test_a_value_below_the_bar_is_left_alone(quick):
    low = [entry(name, "low") for name in PLAIN]
    assert quick({"min_confidence": "medium"}).read(output(PLAIN, low)) is None
    assert quick({"min_confidence": "medium"}).read(output(PLAIN)) is not None


def test_types_that_need_care_are_left_alone(quick):
    assert quick(day="date").read(output({"day": "2024-01-15"})) is None
