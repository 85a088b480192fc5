"""Documents about the entity are told from documents about its namesakes."""

from __future__ import annotations

COUNT = {"type": ["integer", "null"], "description": "Latest head count"}
LEEDS = {"company_name": "Meridian Systems", "website": "meridian.example", "city": "Leeds"}


def namesakes(desk):
    desk.page(
        "a.html",
        "<h1>Meridian Systems</h1><p>We employ 240 people in Leeds.</p>",
        "https://meridian.example/",
    )
    desk.page(
        "b.html",
        "<h1>Meridian Systems</h1><p>We employ 90 people in Austin.</p>",
        "https://meridiansystems.example/",
    )


def test_the_site_decides_between_namesakes(desk):
    namesakes(desk)
    assert desk.value(LEEDS, COUNT) == 240
    assert desk.value({"company_name": "Meridian Systems", "website": "meridiansystems.example"}, COUNT) == 90


def test_a_name_that_two_share_is_not_guessed(desk):
    namesakes(desk)
    finding = desk.ask({"company_name": "Meridian Systems"}, {"employee_count": COUNT})
    assert finding.content == {"employee_count": None}
    assert "does not say which" in finding.basis[0].reasoning


def test_a_register_page_of_a_namesake_is_left_out(desk):
    namesakes(desk)
    row = "<h1>Meridian Systems</h1><dl><dt>Website</dt><dd>meridiansystems.example</dd><dt>Employees</dt><dd>95</dd></dl>"
    desk.page("r.html", row, "https://registry.example/1")
    finding = desk.ask(LEEDS, {"employee_count": COUNT})
    assert finding.content == {"employee_count": 240}
    assert "https://registry.example/1" not in finding.read


def test_a_page_that_places_the_name_elsewhere_is_left_out(desk):
    desk.page(
        "n.html",
        "<h1>Meridian Systems</h1><p>Headquarters: Austin, USA</p><p>Employees: 90</p>",
        "https://news.example/1",
    )
    assert desk.value({"name": "Meridian Systems", "city": "Leeds"}, COUNT) is None
    assert desk.value({"name": "Meridian Systems", "city": "Austin"}, COUNT) == 90


def test_a_longer_name_is_another_company(desk):
    desk.page(
        "n.html",
        "<h1>News</h1><p>This week Northwind Traders employs 900 people.</p>",
        "https://news.example/1",
    )
    assert desk.value({"name": "Northwind"}, COUNT) is None


def test_only_the_entitys_row_of_a_table_counts(desk):
    table = "<table><tr><th>Name</th><th>Website</th><th>Staff</th></tr><tr><td>Meridian Systems</td><td>other.example</td><td>7</td></tr><tr><td>Meridian Systems</td><td>meridian.example</td><td>240</td></tr></table>"
    desk.page("t.html", table, "https://lists.example/1")
    assert desk.value(LEEDS, COUNT) == 240


def test_a_slip_of_the_pen_still_finds_the_company(desk):
    namesakes(desk)
    desk.page(
        "c.html", "<h1>Brookmeter Instruments</h1><p>We employ 31 people.</p>", "https://brookmeter.example/"
    )
    assert desk.value({"name": "Brookmeter Instrumets"}, COUNT) == 31


def test_a_free_text_names_its_subject(desk):
    desk.page(
        "c.html", "<h1>Brookmeter Instruments</h1><p>We employ 31 people.</p>", "https://brookmeter.example/"
    )
    assert desk.value("How many people work at Brookmeter Instruments?", COUNT) == 31


def test_nobody_mentions_the_entity(desk):
    namesakes(desk)
    finding = desk.ask({"name": "Quillon"}, {"employee_count": COUNT})
    assert (finding.content, finding.read, finding.considered) == ({"employee_count": None}, (), 0)
    assert "No document mentions Quillon" in finding.basis[0].reasoning
