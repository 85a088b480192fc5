"""A CSV is read as Python's strict reader reads it, or rejected with a line: `ROWCITE_EXAMPLES=5000` tries more texts."""

import csv
import io
import re
from itertools import chain

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rowcite.errors import TableError
from rowcite.spec.models import CsvOptions
from rowcite.table.sinks import open_table
from rowcite.table.sources import FrameSource, open_source
from rowcite.table.sources.base import TextForm
from rowcite.table.sources.csv_quotes import BLOCK, check_quotes, row_blocks
from rowcite.table.sources.limits import is_pattern
from support import examples

EXAMPLES = examples(40)
cheap = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXTS = st.lists(
    st.sampled_from(['"', '"', ",", ",", "\n", "\r\n", "\r", "a", "b ", ";", '""', '"a"', '"a,b"', "é"]),
    max_size=24,
).map("".join)


def read(file, **options):
    source = open_source(str(file), None, CsvOptions(**options))
    return [tuple(source.schema), *chain.from_iterable(rows.frame.iter_rows() for rows in source.batches())]


def strictly_read(text, separator=","):
    """Return the rows of a rectangular CSV without blank lines between them; None if it is none."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        return None
    if not any(rows):
        return None
    if len(next(filter(None, rows))) > 1:
        rows = [row for row in rows if row]
    else:  # above the header a blank line is none of its rows, below it it is a row with a blank
        rows = rows[next(place for place, row in enumerate(rows) if row) :]
        rows = [row or [""] for row in rows]
    return (
        rows if {len(row) for row in rows} == {len(rows[0])} and len(set(rows[0])) == len(rows[0]) else None
    )


@pytest.mark.parametrize("separator", [",", "\t", "^", "]", "\\"])
@cheap
@given(head=st.sampled_from(["x,y\n", "x,y,z\r\n", "x\n", "\n\nx,y\r", ""]), body=TEXTS)
@example(head="id,name\n", body='1,"5 inch pipe\n2,ok\n3,"6 inch pipe\n4,ok\n')
@example(head="id,name\n", body='7,"Zo" Inc\n')
@example(head="id,name\n", body='7,"a\\"b"\n')
@example(head="id,name\n", body='7,"a"b","c"\n')
def test_a_csv_is_read_as_the_strict_reader_reads_it_or_rejected(tmp_path, separator, head, body):
    text = (head + body).replace(",", separator)
    file = tmp_path / "t.csv"
    file.write_bytes(text.encode())
    assert check_quotes(file, separator, block_size=7).faulty == check_quotes(file, separator).faulty
    expected = strictly_read(text, separator)
    if expected is None:
        with pytest.raises(TableError) as error:
            read(file, separator=separator)
        assert re.match(rf"{re.escape(str(file))}(:\d+)?: ", str(error.value))
    else:
        found = read(file, separator=separator)
        assert [tuple(cell or "" for cell in row) for row in found] == [tuple(row) for row in expected]
        blocks = [part.decode() for part in row_blocks(file, separator, 0, block_size=7)]
        rows = [
            row for part in blocks for row in csv.reader(io.StringIO(part, newline=""), delimiter=separator)
        ]
        assert rows == list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        assert "".join(blocks) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            'id,name,note\n1,Zx1,"5 inch\n2,Zx2,ok\n3,Zx3,"6 inch\n4,Zx4,ok\n',
            r":4: text follows the closing quote of a value of a row that begins in line 2\. ",
            id="two quotes in two rows",
        ),
        pytest.param('a,b\n1,"Zo" Inc\n', r":2: text follows the closing quote of a value\. ", id="text"),
        pytest.param('a,b\n1,"a\\"b"\n', r":2: text follows the closing quote of a value\. ", id="backslash"),
        pytest.param('a,"b"c\n1,2\n', r":1: text follows the closing quote of a value\. ", id="header"),
        pytest.param('a,b\n1,"x" ,2\n', r":2: text follows the closing quote of a value\. ", id="space"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_text_after_a_closing_quote_is_rejected_by_its_line(tmp_path, data, message, encoding):
    (tmp_path / "t.csv").write_bytes(data.encode(encoding))
    with pytest.raises(TableError, match=r"t\.csv" + message):
        read(tmp_path / "t.csv", encoding=encoding)


@pytest.mark.parametrize("skip", [0, 2])
@pytest.mark.parametrize(
    ("blocks", "long"),
    [(1, 200), (3, 200), (8, 5 * BLOCK)],
    ids=["first block", "third block", "a row of five blocks"],
)
def test_a_line_break_in_a_quoted_value_at_the_end_of_a_block_is_kept(tmp_path, blocks, long, skip):
    file, above = tmp_path / "t.csv", "made by\nan export\n" if skip else ""
    head = f'{above}a,b\r\n1,"first\r\nsecond"\r\n'
    before = head + f'"{"x" * 77}",y\r\n' * ((BLOCK * blocks - long - len(head)) // 83)
    value = "v" * (BLOCK * blocks - len(before) - len('2,"') - 1) + "\r\nnext"
    file.write_bytes(f'{before}2,"{value}"\r\n3,"last\r\n"\r\n'.encode())
    assert file.read_bytes()[BLOCK * blocks - 1 : BLOCK * blocks + 1] == b"\r\n"
    found = read(file, skip_lines=skip)
    assert found[:2] == [("a", "b"), ("1", "first\r\nsecond")]
    assert found[-2:] == [("2", value), ("3", "last\r\n")]


def test_a_fault_far_below_the_limit_of_rows_is_found_before_any_row_is_read(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 200_000 + '3,"4" x\n')
    batches = open_source(str(tmp_path / "t.csv"), None, CsvOptions()).batches()
    with pytest.raises(TableError, match=r"t\.csv:200002: text follows"):
        next(batches)


NAME = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=4
).filter(lambda name: not is_pattern(name))
CELL = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    st.sampled_from(
        ["", '"', '"a" b', "a\rb", "\r", "\n", "\r\n", ",", ";", "\t", "=1", "\ufeff", " ", "\u2028", "'"]
    ),
)


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.csv.gz"])
@cheap
@given(
    names=st.lists(NAME, min_size=1, max_size=3, unique=True),
    data=st.data(),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    form=st.builds(TextForm, st.booleans(), st.sampled_from(["\n", "\r\n"])),
)
def test_every_csv_that_is_written_reads_back(tmp_path, name, names, data, separator, form):
    rows = data.draw(st.lists(st.tuples(*[CELL] * len(names)), max_size=4))
    frame = pl.DataFrame(rows, dict.fromkeys(names, pl.String), orient="row")
    source = FrameSource(frame, "csv", separator=separator, text_form=form)
    added = pl.DataFrame({"added\n": ["x"] * len(rows)}, schema={"added\n": pl.String})
    with open_table(str(tmp_path / name), source, added.schema) as write:
        for part in source.batches():
            write(part, added)
    sign = "\t" if name == "out.tsv" else separator
    header, *cells = read(tmp_path / name, separator=sign)
    assert header == (*names, "added\n")
    assert cells == [(*row, "x") for row in rows]
    if not name.endswith("gz"):
        text = (tmp_path / name).read_bytes().decode().removeprefix("\ufeff")
        assert strictly_read(text, sign) == [list(header), *([cell or "" for cell in row] for row in cells)]


@pytest.mark.parametrize("name", ["*", "^a.*$", "^$"])
@pytest.mark.parametrize(("suffix", "text"), [("csv", "a,{}\n1,2\n"), ("jsonl", '{{"a":1,"{}":2}}\n')])
def test_a_column_with_the_name_of_several_is_rejected_by_name(tmp_path, name, suffix, text):
    (tmp_path / f"t.{suffix}").write_text(text.format(name))
    with pytest.raises(
        TableError, match=rf"t\.{suffix}: the name of column '{re.escape(name)}' is a pattern"
    ):
        open_source(str(tmp_path / f"t.{suffix}"), None, CsvOptions())
