"""How a result shows itself: as text, and as HTML in which nothing of a table or an answer runs or grows without limit."""

from html.parser import HTMLParser

import polars as pl
import pytest

from rowcite.library import Result
from rowcite.library.notebook import Preview
from rowcite.model import Counts, RowStatus
from rowcite.pipeline.summary import Summary

HOSTILE = (
    "</script><script>window.hit=1</script>",
    '<img src=x onerror="window.hit=2">',
    "\u202egnp.exe\u2066 \x1b[31mred",
    "\" onmouseover='window.hit=3' x=\"",
    "</style><!--<style>*{}",
)
TAGS = {"div", "style", "p", "strong", "small", "table", "tr", "th", "td", "i", "b", "br", "a"}
ATTRIBUTES = {"class", "style", "colspan", "aria-label", "href", "target", "rel"}


class Parts(HTMLParser):
    """Collects the tags, attributes, links and texts of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.links, self.texts = set(), set(), [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attributes)
        self.links += [value for name, value in attributes if name == "href"]

    def handle_data(self, data):
        self.texts.append(data)


def result(rows=(), *, fields=("industry",), stopped=None, **changes):
    counts = Counts({RowStatus.COMPLETED: 70, RowStatus.REJECTED: 5, RowStatus.SKIPPED: 5})
    summary = Summary(
        rows=counts, answered_rows=75, filled=dict.fromkeys(fields, 60), tasks=71, stopped=stopped, **changes
    )
    columns = dict.fromkeys(("name", *fields, *(f"{field}_confidence" for field in fields)), pl.String)
    columns |= {f"{name}_citations": pl.List(pl.String) for name in fields}
    columns |= {"rowcite_status": pl.String, "rowcite_error": pl.String}
    frame = pl.DataFrame(list(rows), schema=columns)
    return Result(frame, None, summary, Preview(["name"], {name: name for name in fields}, frame))


def row(**values):
    return {"name": "Acme", "rowcite_status": "completed", **values}


def test_the_text_has_counts_spend_and_the_share_of_filled_cells_and_no_value():
    shown = repr(result([row(name="Hidden")], submitted=3, answered=68, spent_usd=0.075))
    assert shown.splitlines() == [
        "80 rows: 70 completed, 5 rejected, 5 skipped",
        "71 tasks, 68 answered before; 3 runs submitted for $0.075 (list price)",
        "industry  ████████████████░░░░  60 of 75",
    ]


@pytest.mark.parametrize("show", [repr, Result._repr_html_])
def test_why_a_run_stopped_is_shown(show):
    assert "Stopped at the 2 h deadline" in show(result(stopped="Stopped at the 2 h deadline", exit_code=5))


def test_the_page_shows_counts_bars_and_the_first_rows_with_confidence_and_source():
    urls = ["https://www.acme.example/about?a=1&b=2"]
    page = result(
        [
            row(industry="pumps", industry_confidence="medium", industry_citations=urls),
            row(rowcite_status="rejected", rowcite_error="industry: confidence low, medium required"),
        ]
    )._repr_html_()
    texts = Parts(page).texts
    for text in (
        "60 of 75 (80%)",
        "pumps",
        "●●○ medium ",
        "acme.example",
        "rejected",
        "78 more rows in the table",
    ):
        assert text in texts, text
    assert "industry: confidence low, medium required" in texts
    assert "width:80.0%" in page
    assert Parts(page).links == urls


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_texts_of_the_page(text):
    page = result(
        [
            row(name=text, industry_confidence="high", rowcite_error=text)
            | {"in" + text: text, "in" + text + "_confidence": text}
        ],
        fields=("in" + text,),
        stopped=text,
    )._repr_html_()
    parts = Parts(page)
    assert parts.tags <= TAGS
    assert parts.attributes <= ATTRIBUTES
    assert page.count("</style>") == 1
    assert not {"\u202e", "\u2066", "\x1b"} & set(page)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:hit()",
        "data:text/html,x",
        "http://[",
        "https:nohost",
        "//x.example",
        "http://" + "x" * 5_000,
    ],
)
def test_only_the_address_of_a_page_is_a_link(url):
    assert Parts(result([row(industry_citations=[url])])._repr_html_()).links == []


def test_the_size_of_the_page_has_a_limit():
    large = "<" * 3_000
    fields = [f"{number}{'<' * 100}" for number in range(40)]
    row = dict.fromkeys(("name", *fields), large) | {"rowcite_error": large, "rowcite_status": "failed"}
    page = result([row] * 20, fields=fields)._repr_html_()
    assert len(page) < 100_000
    assert "34 more fields in the table" in page


def test_lists_and_objects_are_shown_as_texts():
    frame = pl.DataFrame(
        {"a": [["x", "y"]], "b": [{"k": [1]}], "rowcite_status": ["completed"], "rowcite_error": [None]}
    )
    page = Result(
        None, None, Summary(rows=Counts({RowStatus.COMPLETED: 1})), Preview([], {"a": "a", "b": "b"}, frame)
    )._repr_html_()
    assert {"x, y", '{"k": [1]}'} <= set(Parts(page).texts)


def test_a_result_without_rows_shows_itself():
    empty = Result(None, None, Summary())
    assert repr(empty) == "0 rows\n0 tasks, 0 answered before; 0 runs submitted"
    assert "<strong>0 rows</strong>" in empty._repr_html_()
