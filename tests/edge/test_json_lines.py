"""A line of JSON keeps its own values in every output: what other lines have changes none. `ROWCITE_EXAMPLES` tries more."""

import csv
import io
import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions
from rowcite.table.sinks import open_table
from rowcite.table.sources import open_source
from rowcite.table.sources.jsonl_faults import may_repeat_names
from rowcite.table.sources.members import edited, own_texts
from support import examples

EXAMPLES = examples(40)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)
NUMBER = st.from_regex(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
WHITE = st.sampled_from(["", " ", "\t"])


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


NESTED = st.recursive(
    st.one_of(NUMBER, TEXT.map(quoted), st.sampled_from(["true", "null"])),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=4,
)
"""JSON texts."""
MIXED = st.one_of(
    TEXT.map(quoted), NUMBER, st.sampled_from(["null", "1.0", "1e5", '"1"', "9007199254740993"])
)
LISTS = st.lists(NESTED.filter(lambda text: text[0] not in "tf["), max_size=3).map(
    lambda x: f"[{','.join(x)}]"
)
LINE = st.fixed_dictionaries(
    {}, optional={"n": NUMBER, "m": MIXED, "l": LISTS, "b": st.sampled_from(["true", "false", "null"])}
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lines")


def as_csv(folder, lines):
    """Return the cells of a CSV output of JSON lines, by name."""
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = open_source(str(folder / "in.jsonl"), None, CsvOptions())
    added = pl.Series("added", ["x"])
    with open_table(str(folder / "out.csv"), source, pl.Schema({"added": pl.String})) as write:
        for rows in source.batches():
            write(rows, added.new_from_index(0, rows.frame.height).to_frame())
    return list(csv.DictReader(io.StringIO((folder / "out.csv").read_bytes().decode(), newline="")))


def line(members, white=""):
    return "{" + f",{white}".join(f'"{name}"{white}:{white}{text}' for name, text in members.items()) + "}"


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=4), WHITE)
def test_members_have_their_own_text_in_a_csv_alone_and_among_others(folder, rows, white):
    rows[0]["m"] = rows[0].get("m", "1.0")
    together = as_csv(folder, [line(members, white) for members in rows])
    for members, cells in zip(rows, together, strict=True):
        expected = {name: json.loads(text) for name, text in members.items()}
        for name, value in expected.items():
            own = "" if value is None else value if isinstance(value, str) else members[name]
            assert cells[name] == own
        assert all(cells[name] == "" for name in set(cells) - set(members) - {"added"})
        if members:
            (alone,) = as_csv(folder, [line(members, white)])
            assert alone == {name: cells[name] for name in alone}


def test_numbers_and_lists_have_their_own_text_in_a_csv(tmp_path):
    lines = [
        '{"v":100,"x":1.0,"l":[1,"a",null,{"x":1}],"zero":-0}',
        '{"v":12.5,"x":1e5,"l":[ ],"zero":1}',
        '{"v":9007199254740993,"x":"1.0"}',
    ]
    found = as_csv(tmp_path, lines)
    assert [row["v"] for row in found] == ["100", "12.5", "9007199254740993"]
    assert [row["x"] for row in found] == ["1.0", "1e5", "1.0"]
    assert [row["l"] for row in found] == ['[1,"a",null,{"x":1}]', "[ ]", ""]
    assert [row["zero"] for row in found] == ["-0", "1", ""]


@pytest.mark.parametrize("name", ["a/b", "a\\/b", "\\u0061", "a b", 'a\\"b', "é", "a.b"])
def test_the_text_of_a_member_is_found_under_any_spelling_of_its_name(tmp_path, name):
    (row, _) = as_csv(tmp_path, [f'{{"{name}":1.0}}', f'{{"{name}":"x"}}'])
    assert row[json.loads(f'"{name}"')] == "1.0"


@pytest.mark.parametrize("key", ["", "id"])
def test_texts_of_single_columns_do_not_depend_on_other_lines(tmp_path, key):
    (tmp_path / "t.jsonl").write_text(f'{{"{key}":7}}\n{{"{key}":0.5}}\n{{"{key}":9007199254740993}}\n')
    (rows,) = open_source(str(tmp_path / "t.jsonl"), None, CsvOptions()).batches()
    assert own_texts(rows, [key]).to_series().to_list() == ["7", "0.5", "9007199254740993"]


def test_an_edited_line_keeps_the_text_of_its_other_members():
    line = b'{"a":1e5, "b" : null,"c":[1.0,2],"\\u0064":"\\u00e9"}'
    assert edited(line, {"b": 1999, "e": "\u00e9"}).decode() == (
        '{"a": 1e5, "b": 1999, "c": [1.0,2], "d": "\\u00e9", "e": "é"}'
    )


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('{"a":1,"a":2}', "a"),
        (r'{"a": 1, "\u0061": null}', "a"),
        ('{"a" : 1, "a" : 2}', "a"),
        ('{"a":\t1, "a":2}', "a"),
        ('{"z":{"b":1,"b":2}}', "b"),
        ('{"l":[[{"c":1}],[{"c":1,"c":2}]]}', "c"),
        (r'{"t":"{\"x\":null,\"y\": null}","u":"\"a\":","a":1,"a":2}', "a"),
    ],
)
def test_a_name_that_is_in_one_object_more_than_once_is_rejected_by_line_and_name(tmp_path, line, name):
    (tmp_path / "t.jsonl").write_text(f'{{"a":null}}\n\n{line}\n')
    with pytest.raises(TableError, match=rf"t\.jsonl:3: field '{name}' is in one object more than once"):
        list(open_source(str(tmp_path / "t.jsonl"), None, CsvOptions()).batches())


@pytest.mark.parametrize(
    "lines",
    [
        ['{"a":1,"z":{"a":2,"l":[{"a":3},{"a":null},null,{}]}}', '{"a":null,"z":null}', "{}"],
        [r'{"t":"{\"a\":null,\"b\": 1}"}', r'{"t":"\"a\": null"}', r'{"t":"he said \"a\":"}'],
        ['{"a":[[1],[],null],"b":true}', '{"a":[]}'],
    ],
)
def test_names_of_well_formed_lines_are_counted_without_parsing_the_lines(lines):
    data = "\n".join(lines).encode()
    assert not may_repeat_names(pl.read_ndjson(data), data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r'{"name":"Zo \ud83d"}', r":2: field 'name' has half a character"),
        (r'{"name":"\uDE00 x"}', r":2: field 'name' has half a character"),
        (r'{"a":[{"b":"\ud83d\u0041"}]}', r":2: field 'a' has half a character"),
        (r'{"\ud83dx":1}', ":2: the name of a field has half a character"),
        (r'{"a":"\\\ud83d"}', r":2: field 'a' has half a character"),
    ],
)
def test_half_a_character_is_rejected_by_line_and_field(tmp_path, text, message):
    (tmp_path / "t.jsonl").write_text(f'{{"name":"x"}}\n{text}\n')
    with pytest.raises(TableError, match=rf"t\.jsonl{message}"):
        open_source(str(tmp_path / "t.jsonl"), None, CsvOptions())


@pytest.mark.parametrize("text", [r"\ud83d\ude00", r"\\ud83d", r"\uD83D\uDE00\ud83d\ude00 \u00e9", r"\ud7ff"])
def test_whole_characters_are_read(tmp_path, text):
    (tmp_path / "t.jsonl").write_text(f'{{"name":"{text}"}}\n')
    (rows,) = open_source(str(tmp_path / "t.jsonl"), None, CsvOptions()).batches()
    assert rows.frame["name"].to_list() == [json.loads(f'"{text}"')]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"a":1}', "", '{"a":{"b":1}}'], ":3: field 'a' is an object, and a number in line 1"),
        (
            ['{"a":1,"b":"x"}', '{"b":2}', '{"a":true}'],
            ":3: field 'a' is true or false, and a number in line 1",
        ),
        (
            ['{"a":{"b":[{"c":1}]}}', '{"a":{"b":[{"c":[1]}]}}'],
            r":2: field 'a\.b\[\]\.c' is a list, and a number in line 1",
        ),
        (['{"a":1}', f'{{"a":{2**130}}}'], ":2: field 'a' has a number that is too large"),
        (['{"a":1}', '{"b":{"c":1e999}}'], r":2: field 'b\.c' has a number that is too large"),
    ],
)
def test_values_that_do_not_fit_one_column_are_named_by_field_and_lines(tmp_path, lines, message):
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(TableError, match=rf"t\.jsonl{message}"):
        list(open_source(str(tmp_path / "t.jsonl"), None, CsvOptions()).batches())


def test_values_in_two_files_that_do_not_fit_one_column_are_named_by_both(tmp_path):
    (tmp_path / "1.jsonl").write_text('{"a":1}\n')
    (tmp_path / "2.jsonl").write_text('{"b":1}\n{"a":[]}\n')
    (tmp_path / "3.jsonl").write_text("broken\n")
    with pytest.raises(TableError, match=r"2\.jsonl:2: field 'a' is a list, and a number in 1\.jsonl:1"):
        list(open_source(str(tmp_path), None, CsvOptions()).batches())
