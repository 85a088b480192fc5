"""What changed: a told change overtakes older and undated pages."""

from __future__ import annotations

import pytest

ACME = {"company_name": "Acme Pumps", "website": "acmepumps.example"}
COUNT = {"type": ["integer", "null"], "description": "Latest head count"}
TEXT = {"type": ["string", "null"]}


def own(desk, name, body, date=""):
    head = f'<meta name="date" content="{date}">' if date else ""
    desk.page(name, f"<h1>Acme Pumps</h1>{body}", f"https://acmepumps.example/{name}", head)


def register(desk, body):
    page = f"<h1>Acme Pumps</h1><p>Website: acmepumps.example</p>{body}"
    desk.page("r.html", page, "https://directory.example/1")


def test_a_seat_that_moved_beats_undated_pages(desk):
    own(desk, "news.html", "<p>Our head office is now in Hull.</p>", "2025-03-01")
    own(desk, "about.html", "<p>Headquarters: Leeds</p>")
    register(desk, "<p>Headquarters: Leeds</p>")
    finding = desk.ask(ACME, {"headquarters": TEXT})
    assert finding.content == {"headquarters": "Hull"}
    assert "Leeds" in finding.basis[0].reasoning


def test_a_later_page_beats_an_old_change(desk):
    own(desk, "news.html", "<p>Our head office is now in Hull.</p>", "2015-03-01")
    own(desk, "about.html", "<p>Headquarters: York</p>", "2025-03-01")
    assert desk.ask(ACME, {"headquarters": TEXT}).content == {"headquarters": "York"}


def test_a_delisting_beats_a_stale_directory(desk):
    own(desk, "news.html", "<p>In March, Acme Pumps was delisted from the Nasdaq.</p>", "2024-03-01")
    register(desk, "<p>Publicly traded: yes</p>")
    listed = {"type": ["boolean", "null"], "description": "Whether its shares are publicly traded"}
    assert desk.ask(ACME, {"publicly_traded": listed}).content == {"publicly_traded": False}


def test_today_beats_then(desk):
    own(desk, "about.html", "<p>In 2010 we had 15 employees. Today we are 60.</p>")
    assert desk.value(ACME, COUNT) == 60


def test_today_without_people_before_it_is_no_head_count(desk):
    own(desk, "about.html", "<p>We began in a barn. Today we are 60.</p>")
    assert desk.value(ACME, COUNT) is None


@pytest.mark.parametrize(
    "sentence", ["We have 45 employees in Germany.", "Acme Pumps employs 45 people in Germany."]
)
def test_the_people_in_one_country_are_no_total(desk, sentence):
    own(desk, "about.html", f"<p>{sentence}</p>")
    assert desk.value(ACME, COUNT) is None


def test_a_thousands_separator_is_no_list(desk):
    own(desk, "about.html", "<p>Acme Pumps has about 1,200 staff.</p>")
    assert desk.value(ACME, COUNT) == 1200


def test_a_stated_range_fits_its_band(desk):
    own(desk, "about.html", "<p>Acme Pumps has 1-10 employees.</p>")
    assert desk.value(ACME, {"enum": ["1-10", "11-50", None]}, "company_size") == "1-10"
