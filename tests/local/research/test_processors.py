"""What the processors do: read one document, cross-check, follow links and search again."""

from __future__ import annotations

import pytest

FIRM = {"company_name": "Brookmeter Instruments", "website": "brookmeter.example"}
COUNT = {"type": ["integer", "null"], "description": "Latest head count"}
FOUNDED = {"type": ["integer", "null"], "description": "Year of foundation"}


def home(desk, links=""):
    desk.page(
        "home.html",
        f"<h1>Brookmeter Instruments</h1><p>Here Brookmeter is at home: Brookmeter makes pumps.</p><p>Founded: 1998</p>{links}",
        "https://brookmeter.example/",
    )


@pytest.mark.parametrize(
    ("processor", "confidence"), [("lite", "medium"), ("core", "high"), ("core-fast", "high")]
)
def test_core_checks_one_source_against_another(desk, processor, confidence):
    home(desk)
    desk.page(
        "r.html",
        "<h1>Brookmeter Instruments</h1><p>Website: brookmeter.example</p><p>Founded: 1998</p>",
        "https://registry.example/1",
    )
    assert desk.ask(FIRM, {"founded_year": FOUNDED}, processor=processor).basis[0].confidence == confidence


@pytest.mark.parametrize(("processor", "value"), [("core", None), ("pro", 240), ("ultra-fast", 240)])
def test_pro_follows_a_link_to_a_page_that_uses_the_short_name(desk, processor, value):
    home(desk, '<p><a href="https://fair.example/stands/7#top">At the fair</a></p>')
    desk.page(
        "fair.html",
        "<h1>Stand 7</h1><p>This year Brookmeter employs 240 people.</p>",
        "https://fair.example/stands/7",
    )
    assert desk.value(FIRM, COUNT, processor=processor) == value


def test_pro_searches_again_among_the_documents_it_left_unread(desk):
    home(desk)
    for number in range(30):
        desk.page(
            f"n{number}.html",
            f"<h1>News {number}</h1><p>Brookmeter Instruments showed pump {number}, see brookmeter.example.</p><p>Founded: 1998</p><p>Staff: 30</p>",
            f"https://n{number}.example/",
        )
    desk.page(
        "z.html",
        "<p>Brookmeter Instruments shows pumps at the fair, see brookmeter.example.</p>"
        "<table><tr><th>Company</th><th>Mascot</th></tr><tr><td>Brookmeter Instruments</td><td>Otto</td></tr></table>",
        "https://z.example/",
    )
    mascot = {"type": ["string", "null"], "description": "Name of the mascot"}
    properties = {"founded": FOUNDED, "employee_count": COUNT, "mascot": mascot}
    found = [desk.ask(FIRM, properties, processor=name).content["mascot"] for name in ("core", "pro")]
    assert found == [None, "Otto"]


def test_the_source_policy_holds_for_links(desk):
    home(desk, '<p><a href="https://fair.example/stands/7">At the fair</a></p>')
    desk.page(
        "fair.html",
        "<h1>Stand 7</h1><p>This year Brookmeter employs 240 people.</p>",
        "https://fair.example/stands/7",
    )
    assert desk.value(FIRM, COUNT, processor="pro", exclude_domains=("fair.example",)) is None
