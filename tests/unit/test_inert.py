"""Text made harmless: one rule for each place, for columns and for single values."""

import csv
import io
import re
import sys
import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rowcite.inert import csv_line, is_formula, one_line, plain_markdown, without_formula
from rowcite.table.columns import without_formulas
from support import examples

FORMULAS = [
    "=1+1",
    "+SUM(A1)",
    "-cmd",
    "@name",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd",
    "- a list item",
    "-5 %",
    "-1,5;",
    "\ttab",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
    "\x00=1",
    "\u2028@x",
    "\uff1d1+1",
    "\uff0bSUM(A1)",
    "\uff0dcmd",
    "\uff20name",
    " \u200b\uff1d1",
    "+49 call me",
    "-12.5\n",
    "+1,200\n",
    "=",
    "--1",
    "+",
    "\t-12.5",
]
HARMLESS = [
    "",
    "plain",
    "a=b",
    "-12.5",
    " -12.5",
    "+1,200",
    "-1e9",
    "+49 30 1234",
    "+1 (555) 010-9999",
    "'=1",
    " x",
    "1-1",
    "5@x",
    "a\n=1",
    "+33.1.23.45",
]
hostile = st.text(
    st.one_of(
        st.sampled_from("=+-@\uff1d\uff0b\uff0d\uff20 \t\r\n\0\u200b\ufeff'\",;019ae.()"), st.characters()
    )
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_escaped_in_a_column_and_alone(text):
    assert without_formula(text) == column(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_any_other_text_is_left_as_it_is(text):
    assert without_formula(text) == column(text) == text


@settings(max_examples=examples(300), deadline=None)
@given(hostile.filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)))
def test_the_rule_for_columns_is_the_rule_for_one_text(text):
    assert column(text) == without_formula(text)
    assert not is_formula(without_formula(text))


def test_null_stays_null():
    assert column(None) is None


def test_every_character_that_shows_nothing_is_passed_over_before_a_formula():
    invisible = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Zs", "Zl", "Zp"}
    ]
    assert [char for char in invisible if not is_formula(f"{char}=1")] == []


@given(st.lists(hostile, min_size=1))
def test_a_line_of_csv_reads_back(cells):
    (read,) = csv.reader(io.StringIO(csv_line(cells), newline=""))
    assert read == cells


@given(hostile)
def test_a_line_of_a_log_has_no_character_that_moves_the_cursor(text):
    assert one_line(text).replace("\t", "").isprintable()


def test_a_long_line_is_cut_and_its_length_given():
    assert one_line("x" * 1_234_567, 3) == "xxx… (1,234,564 more characters)"


def column(text):
    return without_formulas(pl.DataFrame({"x": [text]}, schema={"x": pl.String}), ["x"]).item()


MARKDOWN = MarkdownIt("commonmark", {"html": True})
MARKDOWN.validateLink = lambda _: True  # a viewer that leaves everything to the file


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "\\<img src=x onerror=alert(1)>",
        "![x](https://e.example/p.png)",
        "\\![x][r]\n\n[r]: https://e.example/p.png",
        "[x](javascript:alert(1))",
        "[x\\](javascript:alert(1))",
        "[x]( <\tjavascript:alert(1)>)",
        "[x](&#106;avascript:alert(1))",
        "[x](java\\script:alert(1))",
        "[x](//evil.example)",
        "> [x](\n> file:///etc/passwd)",
        "> [^r]:\n> data:text/html,x\n\n[^r]",
        "<javascript:alert(1)>",
        "x\x1b[2J\u202egnp.exe\r<b>",
    ],
)
def test_markdown_runs_and_loads_nothing(text):
    page = MARKDOWN.render(plain_markdown(text))
    assert set(re.findall("<([a-z]+)", page)) <= {"p", "a", "blockquote"}
    assert set(re.findall('href="([^"]*)"', page)) <= {"https://e.example/p.png"}
    assert not set(page) & set("\x1b\u202e\r")


@pytest.mark.parametrize(
    "text",
    [
        "# A report\n\n- 1 < 2 and a<2, `x = [1](2)`, *all* ![1]: [x]\n",
        'See [the site](https://a.example/?a=b&c "t"), <https://a.example/> or [mail](mailto:a@a.example)[^1].\n\n[^1]: A note\n',
        "Text [1] and [2].\n\n[1]: https://a.example/\n[2]: <https://b.example/>\n",
        "| a | b |\n| - | - |\n| é\u00a0x | 👩\u200d🔬 |\n",
    ],
)
def test_other_markdown_looks_the_same(text):
    assert MARKDOWN.render(plain_markdown(text)) == MARKDOWN.render(text)
