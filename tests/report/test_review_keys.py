"""The review one row at a time, in Chromium: keys, what is on disk after each, and what is announced and shown."""

import json
import re
from contextlib import closing

import pytest

from rowcite.ledger import open_ledger
from support import started
from support.answers import NOWHERE, answer, answered, found, known, ready
from support.pages import LOOKS, broken, decisions, reviewing

pytestmark = pytest.mark.browser


@pytest.fixture
def unsure(tmp_path):
    """Return a spec with three rows that each have two cells with low confidence."""
    path = known(tmp_path, [{"id": str(n), "name": f"Company {n}"} for n in range(1, 4)])
    low = [answer(industry=found(f"trade {n}", "low"), employee_count=found(n, "low")) for n in range(1, 4)]
    answered(path, low)
    return path


@pytest.fixture
def one(look):
    """Return a function that opens a review one row at a time, and counts the keys that are pressed."""

    def opened(address, **how):
        tab = look(address, **how)
        tab.evaluate("window.pressed = 0; addEventListener('keydown', () => { window.pressed += 1; }, true)")
        tab.get_by_role("button", name="One at a time").click()
        tab.locator("#current").wait_for()
        return tab

    return opened


def press(tab, keys):
    """Press keys one after the other, each when the one before has had its effect."""
    for key in keys:
        before = tab.locator("#announcement").inner_text()
        tab.keyboard.press(key)
        tab.wait_for_function(
            "before => document.getElementById('announcement').innerText !== before", arg=before
        )


def place(tab):
    return tab.locator(".position").inner_text(), tab.locator("#current h4").inner_text()


def verdicts(path):
    return sorted((made.field, made.verdict, made.value) for made in decisions(path))


def test_a_cell_that_is_right_takes_one_key(unsure, one):
    with reviewing(unsure) as address:
        tab = one(address)
        tab.keyboard.type("aaaaaa")  # faster than they are saved: none is lost
        tab.get_by_text("All 3 rows are decided").wait_for()
        assert tab.evaluate("window.pressed") == 6
        assert tab.locator("#progress").inner_text() == "3 of 3 rows decided"
        assert {(made.verdict, made.who) for made in decisions(unsure)} == {("accept", "Ann")}
        assert len(decisions(unsure)) == 6


def test_each_key_does_what_the_help_says(unsure, one):
    with reviewing(unsure) as address:
        tab = one(address)
        press(tab, "rb")
        assert place(tab) == ("Row 2 of 3", "industry")
        tab.keyboard.press("c")
        tab.get_by_label("Value (string)").fill("locks")
        tab.keyboard.press("Enter")
        tab.get_by_text("Corrected: industry of Company 2").wait_for()
        assert verdicts(unsure) == [
            ("employee_count", "blank", None),
            ("industry", "correct", '"locks"'),
            ("industry", "reject", '"trade 1"'),
        ]
        press(tab, "n")
        assert place(tab) == ("Row 3 of 3", "industry")
        press(tab, "p")
        assert place(tab) == ("Row 2 of 3", "employee_count")
        press(tab, "k")
        assert place(tab) == ("Row 2 of 3", "industry")
        press(tab, "jj")
        assert place(tab) == ("Row 3 of 3", "industry")
        press(tab, "u")  # the correction of row 2
        assert place(tab) == ("Row 2 of 3", "industry")
        assert [made[1] for made in verdicts(unsure)] == ["blank", "reject"]
        tab.keyboard.press("?")
        assert tab.get_by_role("dialog", name="Keys").is_visible()
        tab.keyboard.press("Escape")
        press(tab, "uu")
        assert verdicts(unsure) == []


def test_undo_brings_back_the_decision_before(unsure, one):
    with reviewing(unsure) as address:
        tab = one(address)
        press(tab, "akru")
        assert ("industry", "accept", '"trade 1"') in verdicts(unsure)
        assert (
            tab.locator("#current").get_by_role("button", name="Accept").get_attribute("aria-pressed")
            == "true"
        )


def test_nothing_is_chosen_beforehand(tmp_path, one):
    outputs = {"size": {"enum": ["small", "large"], "description": "Size"}}
    task = {"processor": "core", "inputs": {"company_name": {"column": "name"}}, "outputs": outputs}
    path = known(tmp_path, [{"id": "1", "name": "One"}], task=task, accept={"min_confidence": "medium"})
    answered(
        path,
        [
            json.dumps(
                {
                    "type": "json",
                    "content": {"size": "small"},
                    "basis": [{"field": "size", "confidence": "low"}],
                }
            ).encode()
        ],
    )
    with reviewing(path) as address:
        tab = one(address)
        assert tab.locator("[aria-pressed=true]").all_inner_texts() == ["One at a time"]
        assert tab.evaluate("document.activeElement.id") == "current"
        tab.keyboard.press("c")
        assert tab.get_by_label("Value (string)").input_value() == ""


def test_a_reload_shows_the_same_place(unsure, one):
    with reviewing(unsure) as address:
        tab = one(address)
        press(tab, "aaj")
        before = place(tab)
        assert before == ("Row 2 of 3", "employee_count")
        tab.reload()
        tab.locator("#current").wait_for()
        assert place(tab) == before


def test_a_killed_server_has_lost_no_decision_and_the_next_one_goes_on_there(unsure, one):
    process = started("review", unsure.name, "--base-url", NOWHERE, "--reviewer", "Ann", cwd=unsure.parent)
    address = process.stderr.readline().decode().split(" at ")[1].split()[0]
    tab = one(address)
    press(tab, "ara")
    process.kill()
    process.communicate()
    assert [made[1] for made in verdicts(unsure)] == ["reject", "accept", "accept"]
    tab.keyboard.press("a")
    tab.get_by_role("alert").wait_for()
    assert "Not saved: the review has stopped" in tab.get_by_role("alert").inner_text()
    tab.messages.clear()  # the browser reports the failed request
    with reviewing(unsure) as address:
        assert place(one(address)) == ("Row 2 of 3", "employee_count")


def test_a_decision_that_is_not_saved_stays_open_and_drops_the_keys_after_it(unsure, one):
    with reviewing(unsure) as address:
        tab = one(address)
        with closing(open_ledger(ready(unsure).ledger, writing=True)):
            tab.keyboard.type("aa")
            tab.get_by_role("alert").wait_for()
        tab.messages.clear()
        assert (place(tab), decisions(unsure)) == (("Row 1 of 3", "industry"), [])
        press(tab, "a")
        assert len(decisions(unsure)) == 1


def test_a_key_that_is_held_down_decides_once(unsure, one):
    with reviewing(unsure) as address:
        tab = one(address)
        for _ in range(4):
            tab.keyboard.down("r")  # the second and later ones are repetitions
        tab.keyboard.up("r")
        tab.get_by_text("Rejected: industry").wait_for()
        press(tab, "j")  # waits for what is still to be done
        assert len(decisions(unsure)) == 1


def test_letter_keys_can_be_turned_off(unsure, one):
    with reviewing(unsure) as address:
        tab = one(address)
        tab.get_by_role("button", name="Keys").click()
        tab.get_by_label("Use letter keys").uncheck()
        tab.get_by_role("button", name="Close").click()
        tab.keyboard.press("a")
        tab.locator("#current").get_by_role("button", name="Reject").click()
        tab.get_by_text("Rejected: industry of Company 1").wait_for()
        assert [made[1] for made in verdicts(unsure)] == ["reject"]


def test_the_page_announces_what_happened_and_where_the_focus_is(unsure, one):
    with reviewing(unsure) as address:
        tab = one(address)
        press(tab, "a")
        assert tab.get_by_role("status").first.inner_text() == (
            "Accepted: industry of Company 1. Row 1 of 3: employee_count of Company 1."
        )
        assert tab.evaluate("document.activeElement.getAttribute('aria-labelledby')") == "current-name"


def test_where_nothing_was_found_the_same_key_leaves_the_cell_blank(some, one):
    with reviewing(some) as address:
        tab = one(address)
        press(tab, "n")
        names = tab.locator("#current .decide button").all_inner_texts()
        assert [name.split("\n")[0].rstrip("ABCU").strip() for name in names] == [
            "Leave blank",
            "Enter value…",
        ]
        press(tab, "a")
        assert verdicts(some) == [("industry", "blank", None)]


def test_all_values_of_a_field_are_accepted_after_a_question_and_undone(unsure, look, axe):
    with reviewing(unsure) as address:
        tab = look(address, bypass_csp=True)
        accept_all = tab.get_by_role("button", name=re.compile("Accept all"))
        assert accept_all.count() == 0
        tab.get_by_role("combobox", name="Field").select_option(label="industry")
        accept_all.click()
        assert "Accept all 3 values of industry?" in tab.get_by_role("dialog").inner_text()
        assert tab.evaluate("document.activeElement.textContent") == "Cancel"
        assert broken(tab, axe, most=10) == []
        tab.messages.clear()  # without its policy the browser requests an icon
        tab.keyboard.press("Enter")  # Cancel has the focus
        assert (tab.get_by_role("dialog").count(), decisions(unsure)) == (0, [])
        accept_all.click()
        tab.get_by_role("dialog").get_by_role("button", name="Accept all").click()
        tab.get_by_text("Accepted: 3 values").wait_for()
        assert verdicts(unsure) == [("industry", "accept", f'"trade {n}"') for n in (1, 2, 3)]
        tab.get_by_role("button", name="Undo all 3").click()
        tab.get_by_text("Undone: 3 values").wait_for()
        assert verdicts(unsure) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_one_row_at_a_time_breaks_no_accessibility_rule_and_fits(hostile, one, axe, width, scheme):
    with reviewing(hostile) as address:
        tab = one(address, width=width, scheme=scheme, bypass_csp=True)
        press(tab, "r")
        tab.keyboard.press("c")
        assert broken(tab, axe) == []
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        assert tab.evaluate("window.hit") is None
        sizes = (
            "[...document.querySelectorAll('#one button')].map((node) => node.getBoundingClientRect().height)"
        )
        assert min(size for size in tab.evaluate(sizes) if size) >= (44 if width == 390 else 34)
        tab.keyboard.press("Escape")
        tab.keyboard.press("?")
        assert broken(tab, axe) == []
        tab.messages.clear()  # without its policy the browser requests an icon
