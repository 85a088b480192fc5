"""Many inputs to texts at once: byte for byte what `keys.canonical` says of each row."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.api import column_text
from rowcite.api.keys import canonical, task_key, task_keys
from support import examples

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TRICKY = [
    None,
    "",
    "plain",
    'a "quote" and a \\',
    "tab\tline\nreturn\rbell\x07nul\x00del\x7f",
    "é ü 漢 🚲 \u2028 \u0085",
    "</script>",
]


def expected(frame):
    rows = [
        {name: value for name, value in row.items() if value is not None}
        for row in frame.iter_rows(named=True)
    ]
    return [canonical(row).decode() for row in rows]


def test_texts_that_json_has_to_escape():
    frame = pl.DataFrame({"b": TRICKY, "a": TRICKY[::-1]})
    assert column_text.objects(frame).to_list() == expected(frame)


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (pl.Int64, [0, -5, 2**62, None]),
        (pl.UInt8, [255]),
        (pl.Float64, [1.0, -0.0, 1e16, 1e-7, 0.1, 1.5e300, 3, None]),
        (pl.Float32, [0.1, 1.0]),
        (pl.Boolean, [True, False, None]),
    ],
)
def test_numbers_and_booleans(dtype, values):
    frame = pl.DataFrame({"a": values}, schema={"a": dtype}, strict=False)
    assert column_text.objects(frame).to_list() == expected(frame)


@settings(max_examples=examples(200), deadline=None)
@given(
    st.dictionaries(ANY, st.lists(st.none() | ANY, min_size=3, max_size=3), min_size=1, max_size=4),
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
)
def test_any_columns_of_any_name(columns, floats):
    frame = pl.DataFrame(
        {**columns, "number": floats}, schema={**dict.fromkeys(columns, pl.String), "number": pl.Float64}
    )
    assert column_text.objects(frame).to_list() == expected(frame)


def test_a_prompt_is_a_json_text():
    assert column_text.values(pl.Series(TRICKY)).to_list() == [
        None if text is None else canonical(text).decode() for text in TRICKY
    ]


def test_many_keys_are_those_of_one_at_a_time():
    inputs = [b'{"a":"1"}', b"", b"x" * 1000]
    assert task_keys(b"q" * 32, inputs) == [task_key(b"q" * 32, text) for text in inputs]
