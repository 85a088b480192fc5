"""The page as a file: its content, and that nothing in it can run or load from the network. test_browser opens it."""

import base64
import hashlib
import json
import re
from contextlib import closing
from html.parser import HTMLParser

import pytest

from rowcite.inert import json_in_page
from rowcite.ledger import open_ledger
from rowcite.model import RowStatus
from rowcite.report.facts import LEAST_CERTAIN_FIRST, CellState
from rowcite.report.gather import gather
from rowcite.report.page import page
from support import rowcite
from support.answers import NOWHERE, answer, answered, found, known, ready


@pytest.fixture(scope="module")
def html(some_once):
    """Return the page of a table with a row of each kind."""
    return written(some_once)


@pytest.fixture(scope="module")
def hostile_html(hostile):
    """Return the page of a table whose names and answers are made to break out of it."""
    return written(hostile)


def written(path, *, drawn=None, **how):
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        return page(gather(prepared.job, ledger, **how), drawn)


def rows_of(path, **how):
    """Return a page without charts, and its rows."""
    html = written(path, drawn=[], **how)
    return html, json.loads(Parts(html).texts["script"][0])["rows"]


class Parts(HTMLParser):
    """Parses a page: its elements with their attributes, and the text of its scripts and styles."""

    def __init__(self, text):
        super().__init__(convert_charrefs=False)
        self.elements, self.texts, self._in = [], {"script": [], "style": []}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in self.texts:
            self._in = tag
            self.texts[tag].append("")

    def handle_endtag(self, tag):
        self._in = None if tag == self._in else self._in

    def handle_data(self, data):
        if self._in:
            self.texts[self._in][-1] += data


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else(html):
    parts = Parts(html)
    (policy,) = [attrs["content"] for tag, attrs in parts.elements if attrs.get("http-equiv")]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules == {
        "default-src": "'none'",
        "style-src": digest(parts.texts["style"][0]),
        "script-src": digest(parts.texts["script"][1]),
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_policy_comes_before_everything_that_it_restricts(html):
    names = [tag for tag, _ in Parts(html).elements]
    assert names.index("meta") < names.index("style")
    assert names[:5] == ["html", "head", "meta", "meta", "meta"]


@pytest.mark.parametrize("table", ["html", "hostile_html"])
def test_the_page_loads_nothing_and_has_no_inline_handlers(table, request):
    parts = Parts(request.getfixturevalue(table))
    fetched = {"src", "srcset", "data", "poster", "action", "formaction", "background", "style"}
    assert not [attrs for _, attrs in parts.elements if fetched & attrs.keys()]
    assert not [name for _, attrs in parts.elements for name in attrs if name.startswith("on")]
    assert {attrs["href"] for tag, attrs in parts.elements if "href" in attrs} <= {"#rows"}
    assert not [
        tag for tag, _ in parts.elements if tag in {"iframe", "object", "embed", "link", "base", "img"}
    ]
    assert "url(" not in parts.texts["style"][0]
    assert "@import" not in parts.texts["style"][0]


def test_hostile_values_do_not_change_the_structure_of_the_page(hostile_html):
    parts = Parts(hostile_html)
    assert [tag for tag, _ in parts.elements].count("script") == 2
    data = json.loads(parts.texts["script"][0])
    assert data["rows"][0]["label"] == "</script><script>window.hit=1</script>"


@pytest.mark.parametrize(
    "text", ["</script>", "<!--<script>", "]]>", "\u2028\u2029", "\ud800", "a\u202eb", "\x00\x7f"]
)
def test_embedded_json_keeps_its_value_and_cannot_close_its_element(text):
    made = json_in_page({"x": text})
    assert json.loads(made) == {"x": text}
    assert not set("<>&\u2028\u2029\u202e\ud800") & set(made)
    made.encode()


def test_long_values_are_cut(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    answered(
        path, [answer(industry=found("x" * 5_000, "low", reasoning="y" * 5_000, excerpts=["z" * 5_000] * 9))]
    )
    cell = rows_of(path)[1][0]["cells"][0]
    assert (len(cell["s"]), len(cell["y"]), [len(part) for part in cell["x"][0][1]]) == (
        2_000,
        1_200,
        [600] * 3,
    )


def test_the_elements_of_a_list_have_their_own_evidence(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    good, bad = found("P1", url="https://a.example/1"), found("P2", "low", url="https://b.example/2")
    products = found(["P1", "P2", "P3"], elements=[good, bad])
    answered(path, [answer(industry=found("pumps"), products=products)])
    data = json.loads(Parts(written(path)).texts["script"][0])
    (row,) = data["rows"]
    cell = row["cells"][3]
    assert cell["r"] == 'element "P2": confidence low, medium required'
    assert [[*element[:3], data["docs"][element[3][0]][0]] for element in cell["e"]] == [
        ["P1", "high", None, "https://a.example/1"],
        ["P2", "low", "confidence low, medium required", "https://b.example/2"],
    ]
    assert [len(cell["x"]), "e" in row["cells"][0]] == [3, False]


def test_the_page_says_how_many_rows_it_leaves_out(tmp_path):
    path = known(tmp_path, [{"id": str(n), "name": f"N{n}"} for n in range(9)])
    answered(path, [answer() for _ in range(9)])
    html, rows = rows_of(path, most_rows=4)
    assert "9 rows to review: 9 rejected. This page shows 4 of them;" in html
    assert len(rows) == 4


def test_each_picture_has_a_title_and_a_table_of_numbers(html):
    pictures = re.findall(r'<svg [^>]*role="img"[^>]*aria-label="([^"]+)"[^>]*><title>', html)
    assert {title.split(".")[0].split(":")[0] for title in pictures} >= {
        "Cells filled by field",
        "Rows by reason",
        "Spend by outcome",
    }
    assert html.count("<details") == 5


def test_a_page_without_runs_shows_pending_rows(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    assert "0 of 1 row completed, 1 pending; none to review." in written(path)


def test_a_conflict_shows_the_given_and_the_found_value(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One", "industry": "valves"}], columns={"existing": "fill"})
    answered(path, [answer(industry=found("pumps", reasoning="The sign says so."))])
    (row,) = rows_of(path)[1]
    cell = row["cells"][0]
    assert row["reasons"] == ["conflict"]
    assert (cell["l"], cell["v"], cell["g"], cell["s"], cell["k"]) == (
        "given",
        "valves",
        "valves",
        "pumps",
        "kept",
    )
    assert (cell["y"], cell["x"][0][1]) == ("The sign says so.", ["It says so."])


def test_every_state_of_a_cell_has_a_rank_and_a_colour(html):
    css = Parts(html).texts["style"][0]
    assert sorted(LEAST_CERTAIN_FIRST) == sorted(CellState)
    assert [css.count(f"--s-{state}:") for state in CellState] == [2] * len(CellState)  # light and dark


def test_the_page_filters_by_every_status_of_a_row(html):
    assert json.loads(Parts(html).texts["script"][0])["statuses"] == [status.value for status in RowStatus]


# --- the command -----------------------------------------------------------------------------------------


def test_the_command_writes_beside_the_output_table(some):
    done = rowcite("report", some.name, "--base-url", NOWHERE, "--json", cwd=some.parent)
    summary = json.loads(done.stdout)
    file = some.parent / summary.pop("output")
    assert file == some.parent / "out" / "known.report.html"
    rows = {"total": 6, "completed": 1, "rejected": 2, "failed": 1, "pending": 1, "skipped": 1}
    assert summary == {
        "bytes": file.stat().st_size,
        "rows": rows,
        "to_review": 3,
        "on_page": 5,
        "api": NOWHERE,
    }


def test_pending_rows_are_reported_with_the_command_that_completes_them(some):
    done = rowcite("report", some.name, "--base-url", NOWHERE, cwd=some.parent)
    assert (
        b"1 of 6 rows still pending: run `rowcite run spec.yaml --base-url http://127.0.0.1:9`" in done.stderr
    )


def test_the_command_writes_to_stdout(some):
    done = rowcite("report", some.name, "--base-url", NOWHERE, "-o", "-", "-q", cwd=some.parent)
    assert done.stdout.startswith(b"<!doctype html>")
    assert b"<" not in done.stderr


def test_a_file_that_cannot_be_written_is_named_and_ends_with_2(some):
    (some.parent / "file").write_text("")
    done = rowcite("report", some.name, "--base-url", NOWHERE, "-o", "file/x.html", cwd=some.parent)
    assert (done.returncode, b"file/x.html: cannot write the file" in done.stderr) == (2, True)


def test_a_hundred_fields_are_drawn_in_part_and_all_are_in_the_numbers(tmp_path):
    names = [f"f{n}" for n in range(100)]
    outputs = {name: {"type": "string", "description": "x"} for name in names}
    inputs = {"company_name": {"column": "name", "required": True}}
    task = {"processor": "core", "inputs": inputs, "outputs": outputs}
    path = known(tmp_path, [{"id": "1", "name": "One"}], task=task, accept={})
    answered(path, [answer(**{name: found("x") for name in names[:90]})])
    html = written(path)
    coverage = html[html.index('id="coverage"') : html.index('id="accuracy"')]
    assert "The picture has the 25 least filled of 100 fields." in coverage
    assert ">f99<" in coverage.partition("</figure>")[0]
    assert all(f"<bdi>{name}</bdi>" in coverage for name in names)
