"""Answers of undocumented shapes: each has a defined status and affects no other row."""

import json

import polars as pl
import pytest

import rowcite
from support import small_spec
from support.deviant import Deviations
from support.submitting import api

BASIS = [
    {"field": name, "reasoning": "r", "confidence": "high", "citations": [{"url": "https://a.example/"}]}
    for name in ("employee_count", "founded_year")
]
CONTENT = {"employee_count": 230, "founded_year": 1999}
OLD = {name: {"confidence": 0.9, "citations": [{"url": "https://a.example/"}]} for name in CONTENT}


def output(content=None, basis=BASIS, **more):
    return {"type": "json", "content": CONTENT if content is None else content, "basis": basis, **more}


SHAPES = {
    "as documented": (output(), "completed", (230, 1999)),
    "of another type": (output({**CONTENT, "employee_count": "many"}), "rejected", (None, 1999)),
    "a number as text": (output({**CONTENT, "employee_count": "230"}), "completed", (230, 1999)),
    "without a field": (output({"founded_year": 1999}), "completed", (None, 1999)),
    "with more fields": (output({**CONTENT, "ceo": "Ann"}), "completed", (230, 1999)),
    "as JSON text": (output(json.dumps(CONTENT)), "completed", (230, 1999)),
    "with numbers as confidence": (
        output(basis=[{**item, "confidence": 0.91} for item in BASIS]),
        "completed",
        (230, 1999),
    ),
    "with its basis inside": (output({**CONTENT, "_basis": OLD}, None), "completed", (230, 1999)),
    "without a basis": (output(basis=[]), "completed", (230, 1999)),
    "all null": (
        output({"employee_count": None, "founded_year": None}),
        "completed",
        (None, None),
    ),
    "a list": (output([230, 1999]), "rejected", (None, None)),
    "text that is not JSON": (output("230 people, 1999"), "rejected", (None, None)),
    "an empty object": ({}, "rejected", (None, None)),
    "a number": (5, "rejected", (None, None)),
}


def replaced_by(shape):
    def mangle(method, path, body):
        if method != "GET" or not path.endswith(("/runs", "/result")):
            return None
        if path.endswith("/result"):
            return json.dumps({**json.loads(body), "output": shape}).encode()
        events = [json.loads(frame.removeprefix(b"data: ")) for frame in body.split(b"\n\n") if frame]
        for event in events:
            if event.get("output"):
                event["output"] = shape
        return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)

    return mangle


@pytest.mark.parametrize("name", SHAPES)
def test_an_answer_of_an_undocumented_shape_has_a_defined_status(tmp_path, monkeypatch, name):
    shape, status, values = SHAPES[name]
    monkeypatch.chdir(tmp_path)
    for variable in ("PARALLEL_API_KEY", "PARALLEL_API_URL", "ROWCITE_LEDGER"):
        monkeypatch.delenv(variable, raising=False)
    with api(tmp_path, Deviations(mangle=replaced_by(shape))) as server:
        monkeypatch.setenv("PARALLEL_BASE_URL", server.url)
        table = pl.DataFrame({"name": ["A", "B", "C"], "website": ["a.example", "b.example", "c.example"]})
        spec = {
            key: value
            for key, value in small_spec(backend="parallel").items()
            if key not in ("input", "output")
        }
        found = rowcite.enrich(table, spec)
        assert len(server.created()) == 3
    assert found["rowcite_status"].to_list() == [status] * 3
    assert found.select("employee_count", "founded_year").rows() == [values] * 3
