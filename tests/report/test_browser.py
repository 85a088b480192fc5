"""The pages in Chromium: pictures, filters, keyboard, decisions, hostile values, accessibility."""

from contextlib import closing

import polars as pl
import pytest

from rowcite.ledger import open_ledger
from rowcite.library import Result
from rowcite.library.notebook import Preview
from rowcite.model import Counts, Decision, RowStatus, Share
from rowcite.pipeline.summary import Summary
from rowcite.report.gather import gather
from rowcite.report.measured import FieldResult, Measured, Policy
from rowcite.report.page import page
from support import rowcite, started
from support.answers import FIELDS, NOWHERE, answer, answered, found, known, ready
from support.pages import LOOKS, broken, decisions, reviewing

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(some_once):
    """Return the address of a report on disk."""
    return write(some_once)


def write(path, measured=None, **how):
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        facts = gather(prepared.job, ledger, **how)
    facts.measured = measured
    text = page(facts)
    file = path.parent / "report.html"
    file.write_text(text, encoding="utf-8")
    return file.as_uri()


def names(tab):
    return tab.locator(".rows .toggle").all_inner_texts()


def chooser(tab, name):
    return tab.get_by_role("combobox", name=name)


def count(tab):
    return tab.locator("#count").inner_text()


# --- the report ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_each_picture_is_drawn_once_and_fits(report, look, width):
    tab = look(report, width=width)
    pictures = [svg for svg in tab.locator("figure svg").all() if svg.is_visible()]
    assert len(pictures) == len(tab.locator("figure").all()) == 5  # nothing was saved, and no time was needed
    for picture in pictures:
        box = picture.bounding_box()
        assert box["width"] > 300
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert picture.locator("path, rect").count()
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_pictures_take_the_colours_of_light_and_dark(report, look):
    colours = {
        scheme: look(report, scheme=scheme).evaluate(
            "getComputedStyle(document.querySelector('#coverage ~ figure svg text')).fill"
        )
        for scheme in ("light", "dark")
    }
    assert colours == {"light": "rgb(23, 26, 30)", "dark": "rgb(230, 233, 236)"}


def test_rows_to_review_are_shown_first_and_all_on_request(report, look):
    tab = look(report)
    assert names(tab) == ["Unsure", "Lost", "Broken"]
    chooser(tab, "Show").select_option("all")
    assert names(tab) == ["Unsure", "Lost", "Broken", "Good", "Waiting"]
    assert count(tab) == "5 of 5 rows on this page"


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("unsure", ["Unsure"]),
        ("VALVES", ["Unsure"]),
        ("memory", ["Broken"]),
        ("says so lost", ["Lost"]),
        ("zzz", []),
    ],
)
def test_search_finds_names_values_reasons_and_errors(report, look, words, left):
    tab = look(report)
    tab.get_by_label("Search").fill(words)
    tab.get_by_text(f"{len(left)} of 5 rows").wait_for()
    assert names(tab) == left


def test_search_finds_the_domain_of_a_source(report, look):
    tab = look(report)
    chooser(tab, "Show").select_option("all")
    tab.get_by_label("Search").fill("register.example")
    tab.get_by_text("1 of 5 rows").wait_for()
    assert names(tab) == ["Good"]


def test_field_and_confidence_and_status_narrow_together(report, look):
    tab = look(report)
    chooser(tab, "Show").select_option("all")
    chooser(tab, "Confidence").select_option("rejected")
    assert names(tab) == ["Unsure", "Lost"]
    chooser(tab, "Field").select_option(label="employee_count")
    assert names(tab) == ["Unsure"]
    chooser(tab, "Confidence").select_option("medium")
    assert names(tab) == ["Good"]
    chooser(tab, "Show").select_option("is:failed")
    assert names(tab) == []
    tab.get_by_role("button", name="Clear filters").click()
    assert names(tab) == ["Broken"]


def test_a_column_sorts_in_both_directions(report, look):
    tab = look(report)
    head = tab.get_by_role("columnheader", name="Row")
    head.get_by_role("button").click()
    assert (names(tab), head.get_attribute("aria-sort")) == (["Broken", "Lost", "Unsure"], "ascending")
    head.get_by_role("button").click()
    assert (names(tab), head.get_attribute("aria-sort")) == (["Unsure", "Lost", "Broken"], "descending")


def test_a_row_opens_to_its_evidence(report, look):
    tab = look(report)
    tab.get_by_role("button", name="Unsure").click()
    cell = tab.locator(".cell").first
    assert "Rejected: confidence low, medium required" in cell.inner_text()
    link = cell.get_by_role("link")
    assert link.get_attribute("href") == "https://source.example/page"
    assert (link.get_attribute("rel"), link.get_attribute("target")) == ("noopener noreferrer", "_blank")
    assert cell.locator("blockquote").inner_text() == "It says so."


def test_a_decision_on_a_cell_without_a_value_is_named_and_run_ids_are_folded_away(tmp_path, look):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    answered(path, [answer(industry=found("pumps", "low"))])
    with closing(open_ledger(ready(path).ledger, writing=True)) as ledger:
        key = next(iter(ready(path).job.reader.batches(ready(path).job.question))).keys[0]
        ledger.record_decisions([Decision(key, "listed", "accept", None, "Ann", 1.0)])
        ledger.record_decisions([Decision(key, "industry", "accept", None, "Ann", 1.0)])
    tab = look(write(path), width=390)
    tab.locator(".toggle").first.click()
    assert [text.partition(",")[0] for text in tab.locator(".decided").all_inner_texts()] == [
        "Accepted by Ann",
        "Left blank by Ann",
    ]
    runs = tab.locator("details.runs")
    assert not runs.locator("bdi").is_visible()
    runs.locator("summary").click()
    assert runs.locator("bdi").inner_text().startswith("trun_")


def test_everything_is_reached_by_keyboard(report, look):
    tab = look(report)
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")  # skip to the rows
    assert tab.evaluate("document.activeElement.id") == "rows"
    for _ in range(4):
        tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "confidence"
    for _ in range(6):  # five headings, then the first row
        tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    opened = tab.locator(".toggle[aria-expanded=true]")
    assert opened.all_inner_texts() == ["Lost"]
    assert tab.locator(".toggle[aria-expanded=false]").count() == 2
    outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    tab.keyboard.press("Space")
    assert opened.count() == 0


def test_a_row_has_an_address(report, look):
    tab = look(f"{report}#row-1")
    assert tab.locator(".toggle[aria-expanded=true]").all_inner_texts() == ["Good"]


def test_many_rows_come_a_hundred_at_a_time_and_all_are_searched(tmp_path, look):
    path = known(tmp_path, [{"id": str(n), "name": f"Company {n}"} for n in range(250)])
    answered(path, [answer(employee_count=found(n)) for n in range(250)])
    tab = look(write(path))
    assert len(names(tab)) == 100
    tab.get_by_role("button", name="Show 100 more of 150").click()
    assert len(names(tab)) == 200
    assert tab.evaluate("document.activeElement.textContent") == "Company 100"
    tab.get_by_label("Search").fill("company 249")
    tab.get_by_text("1 of 250 rows").wait_for()
    assert names(tab) == ["Company 249"]


def test_printing_shows_every_row_that_is_chosen(tmp_path, look):
    path = known(tmp_path, [{"id": str(n), "name": f"Company {n}"} for n in range(150)])
    answered(path, [answer() for _ in range(150)])
    tab = look(write(path), scheme="dark")
    assert len(names(tab)) == 100
    tab.pdf()
    assert len(names(tab)) == 150
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert (
        tab.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--s-high')") == "#0b6b5c"
    )
    assert not tab.locator("#filters").is_visible()


# --- hostile values --------------------------------------------------------------------------------------


def test_hostile_values_are_shown_and_do_nothing(hostile, look):
    tab = look(write(hostile))
    chooser(tab, "Show").select_option("all")
    for toggle in tab.locator(".toggle").all():
        toggle.click()
        toggle.hover()
    assert tab.evaluate("window.hit") is None
    assert tab.locator("script").count() == 2
    assert tab.locator("main img").count() == 0
    shown = tab.locator("#table").inner_text()
    assert "</script><script>window.hit=1</script>" in shown
    assert '<img src=x onerror="window.hit=2">' in shown


def test_links_are_http_or_https_and_nothing_else(hostile, look):
    tab = look(write(hostile))
    chooser(tab, "Show").select_option("all")
    for toggle in tab.locator(".toggle").all():
        toggle.click()
    hrefs = tab.eval_on_selector_all("#table a", "links => links.map(link => link.protocol)")
    assert set(hrefs) == {"https:"}
    assert "javascript:window.hit=5" in tab.locator("#table").inner_text()


def test_characters_that_turn_or_hide_text_are_shown_as_escapes(hostile, look):
    tab = look(write(hostile))
    chooser(tab, "Show").select_option("all")
    assert "\\u202egnp.exe\\u2066 \\u001b[31mred\\u001b[0m" in " ".join(names(tab))


@pytest.mark.parametrize("width", [800, 390])
def test_a_long_name_of_a_field_does_not_widen_the_page(tmp_path, look, width):
    long = {"the_legal_name_of_the_group_that_owns_it_" * 3: {"type": "string", "description": "Owner"}}
    task = {"processor": "core", "inputs": {"company_name": {"column": "name"}}, "outputs": FIELDS | long}
    path = known(tmp_path, [{"name": "A"}], task=task)
    answered(path, [answer(industry=found("pumps", "low"))])
    assert look(write(path), width=width).evaluate("document.documentElement.scrollWidth") == width


def test_a_page_whose_script_was_changed_does_not_run(some, look):
    address = write(some)
    file = some.parent / "report.html"
    file.write_text(file.read_text().replace("\nstart();", "\nstart();window.hit=1;"))
    tab = look(address)
    assert tab.evaluate("window.hit") is None
    assert any("Content Security Policy" in line for line in tab.messages)
    tab.messages.clear()


# --- the review ------------------------------------------------------------------------------------------


def test_accepting_reaches_the_ledger_and_the_table(some, look):
    with reviewing(some) as address:
        tab = look(address)
        tab.get_by_role("button", name="Unsure").click()
        tab.locator(".cell").first.get_by_role("button", name="Accept").click()
        tab.get_by_text("Accepted by Ann").wait_for()
        (made,) = decisions(some)
        assert (made.field, made.verdict, made.value, made.who) == ("industry", "accept", '"valves"', "Ann")
        tab.reload()
        chooser(tab, "Show").select_option("all")
        tab.get_by_role("button", name="Unsure").click()
        assert (
            tab.locator(".cell").first.get_by_role("button", name="Accept").get_attribute("aria-pressed")
            == "true"
        )
    assert rowcite("write", some.name, "--base-url", NOWHERE, "-q", cwd=some.parent).returncode == 5
    assert "A1,Unsure,valves,reviewed" in (some.parent / "out" / "known.csv").read_text()


def test_a_correction_must_have_its_type_and_can_be_undone(some, look):
    with reviewing(some) as address:
        tab = look(address)
        tab.get_by_role("button", name="Unsure").click()
        cell = tab.locator(".cell").nth(1)
        cell.get_by_role("button", name="Correct").click()
        cell.get_by_label("Value (integer)").fill("many")
        cell.get_by_role("button", name="Save").click()
        cell.get_by_role("alert").wait_for()
        assert '"many" is not a whole number' in cell.get_by_role("alert").inner_text()
        assert tab.messages.pop().startswith(
            "Failed to load resource: the server responded with a status of 422"
        )
        cell.get_by_label("Value (integer)").fill("1,250")
        cell.get_by_label("Note (optional)").fill("from their site")
        cell.get_by_role("button", name="Save").click()
        tab.get_by_text("Corrected by Ann").wait_for()
        assert "from their site" in cell.inner_text()
        (made,) = decisions(some)
        assert (made.value, made.note) == ("1250", "from their site")
        cell.get_by_role("button", name="Undo").click()
        tab.get_by_text("Undone").wait_for()
        assert decisions(some) == []


def test_a_row_is_decided_on_by_keyboard_alone(some, look):
    with reviewing(some) as address:
        tab = look(address)
        tab.get_by_role("button", name="Unsure").focus()
        tab.keyboard.press("Enter")
        tab.keyboard.press("Tab")  # the source's link
        tab.keyboard.press("Tab")  # Accept
        tab.keyboard.press("r")
        tab.get_by_text("Rejected by Ann").wait_for()
        assert tab.evaluate("document.activeElement.textContent") == "Reject"
        assert [made.verdict for made in decisions(some)] == ["reject"]


def test_a_decision_during_a_run_fails_with_a_message_and_can_be_repeated(some, look):
    with reviewing(some) as address:
        tab = look(address)
        tab.get_by_role("button", name="Unsure").click()
        accept = tab.locator(".cell").first.get_by_role("button", name="Accept")
        with closing(open_ledger(ready(some).ledger, writing=True)):
            accept.click()
            tab.get_by_role("alert").wait_for()
            assert "another rowcite command is using this ledger" in tab.get_by_role("alert").inner_text()
            assert "423" in tab.messages.pop()
        accept.click()
        tab.get_by_text("Accepted by Ann").wait_for()


def test_another_page_can_neither_read_nor_decide(some, look, chromium):
    with reviewing(some) as address:
        prepared = ready(some)
        with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
            key = next(row.key.hex() for row in gather(prepared.job, ledger).rows if row.label == "Lost")
        tab = chromium.new_page()
        tab.route(
            "http://evil.example/",
            lambda route: route.fulfill(body="<h1>evil</h1>", content_type="text/html"),
        )
        tab.goto("http://evil.example/")
        tried = """async ([address, key]) => {
            const outcome = {};
            for (const type of ["application/json", "text/plain"]) {
                const body = JSON.stringify({key, field: "industry", verdict: "correct", value: "evil"});
                outcome[type] = await fetch(address + "decisions", {method: "POST", headers: {"content-type": type}, body, mode: type === "text/plain" ? "no-cors" : "cors"})
                    .then((got) => got.type, () => "refused");
            }
            outcome.read = await fetch(address).then((got) => got.text(), () => "refused");
            return outcome;
        }"""
        outcome = tab.evaluate(tried, [address, key])
        tab.close()
        assert outcome.pop("text/plain") in ("opaque", "refused")  # sent, and not saved
        assert outcome == {"application/json": "refused", "read": "refused"}
        assert decisions(some) == []


# --- rules -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_report_breaks_no_accessibility_rule(report, look, axe, width, scheme):
    tab = look(report, width=width, scheme=scheme, bypass_csp=True)
    for toggle in tab.locator(".toggle").all():
        toggle.click()
    tab.locator("summary").first.click()
    assert broken(tab, axe) == []


@pytest.mark.parametrize(("width", "scheme"), [LOOKS[0], LOOKS[3]])
def test_a_report_with_an_evaluation_fits_and_breaks_no_accessibility_rule(
    tmp_path, look, axe, hostile_texts, width, scheme
):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    answered(path, [answer(industry=found("pumps"))])
    sure, none = Share(0.9, 0.7, 0.97, 20), Share()
    fields = [
        FieldResult("core", "industry", 20, sure, sure, {"high": sure, "low": none}),
        FieldResult("core", f"employee_count{hostile_texts[1] * 3}", 0, none, none),
    ]
    policies = [Policy("lite", 0.005, 0.5, 0.3, 0.7), Policy(hostile_texts[0] * 2, 0.1, 0.9, 0.7, 1.0)]
    tab = look(write(path, measured=Measured(fields, policies)), width=width, scheme=scheme, bypass_csp=True)
    for numbers in tab.locator("summary").all():
        numbers.click()
    pictures = [
        svg for svg in tab.locator("#front ~ figure svg, #stated ~ figure svg").all() if svg.is_visible()
    ]
    assert len(pictures) == 2
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert broken(tab, axe) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_review_breaks_no_accessibility_rule(some, look, axe, width, scheme):
    with reviewing(some) as address:
        tab = look(address, width=width, scheme=scheme, bypass_csp=True)
        tab.get_by_role("button", name="Unsure").click()
        tab.locator(".cell").first.get_by_role("button", name="Reject").click()
        tab.get_by_text("Rejected by Ann").wait_for()
        tab.locator(".cell").nth(1).get_by_role("button", name="Correct").click()
        assert broken(tab, axe) == []
        tab.messages.clear()  # without its policy the browser requests an icon


@pytest.mark.parametrize(("text", "background"), [("#000000de", "#fff"), ("#ffffffde", "#111")])
def test_a_result_in_a_light_or_dark_notebook_runs_nothing_and_breaks_no_accessibility_rule(
    tmp_path, look, axe, text, background, hostile_texts
):
    frame = pl.DataFrame(dict.fromkeys(("name", "industry", "industry_confidence"), hostile_texts))
    frame = frame.with_columns(
        pl.lit("rejected").alias("rowcite_status"),
        pl.col("name").alias("rowcite_error"),
        pl.concat_list("name").alias("industry_citations"),
    )
    summary = Summary(rows=Counts({RowStatus.REJECTED: 6}), answered_rows=6, filled={hostile_texts[0]: 4})
    shown = Result(frame, None, summary, Preview(["name"], {"industry": "industry"}, frame))._repr_html_()
    file = tmp_path / "notebook.html"
    style = f"color: {text}; background: {background}"
    file.write_text(
        f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Notebook</title><main style='{style}'><h1>Cell</h1>{shown}</main>",
        encoding="utf-8",
    )
    tab = look(file.as_uri())
    assert tab.evaluate("window.hit") is None
    assert broken(tab, axe, most=10) == []


def test_the_review_ends_with_130(some):
    process = started("review", some.name, "--base-url", NOWHERE, cwd=some.parent)
    assert b"http://127.0.0.1" in process.stderr.readline()
    process.send_signal(2)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, b"Traceback" in errors) == (130, False)


def test_the_elements_of_a_list_are_listed_with_their_sites(tmp_path, look):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    elements = [found("<b>P1</b>", url="https://a.example/1"), found("P2", "low", url="https://b.example/2")]
    products = found(["<b>P1</b>", "P2"], elements=elements)
    answered(path, [answer(industry=found("pumps"), products=products)])
    tab = look(write(path))
    tab.locator(".toggle").click()
    assert tab.locator("ul[aria-label=Elements] li").all_inner_texts() == [
        "<b>P1</b> high · a.example",
        "P2 low · b.example Rejected: confidence low, medium required",
    ]
