"""Statements are weighed by age, agreement and the documents a processor reads."""

from __future__ import annotations

import pytest

ACME = {"company_name": "Acme Pumps", "website": "acmepumps.example"}
COUNT = {"type": ["integer", "null"], "description": "Latest head count"}
TEXT = {"type": ["string", "null"]}


def own(docs, name, body, date=""):
    head = f'<meta name="date" content="{date}">' if date else ""
    docs.page(name, f"<h1>Acme Pumps</h1>{body}", f"https://acmepumps.example/{name}", head)


def register(docs, body):
    page = f"<h1>Acme Pumps</h1><p>Website: acmepumps.example</p>{body}"
    docs.page("r.html", page, "https://directory.example/1")


def test_a_stated_move_beats_undated_pages(docs):
    own(docs, "news.html", "<p>Our head office is now in Hull.</p>", "2025-03-01")
    own(docs, "about.html", "<p>Headquarters: Leeds</p>")
    register(docs, "<p>Headquarters: Leeds</p>")
    finding = docs.ask(ACME, {"headquarters": TEXT})
    assert finding.content == {"headquarters": "Hull"}
    assert "Leeds" in finding.basis[0].reasoning


def test_a_newer_page_beats_an_older_move(docs):
    own(docs, "news.html", "<p>Our head office is now in Hull.</p>", "2015-03-01")
    own(docs, "about.html", "<p>Headquarters: York</p>", "2025-03-01")
    assert docs.ask(ACME, {"headquarters": TEXT}).content == {"headquarters": "York"}


def test_a_delisting_beats_an_undated_directory(docs):
    own(docs, "news.html", "<p>In March, Acme Pumps was delisted from the Nasdaq.</p>", "2024-03-01")
    register(docs, "<p>Publicly traded: yes</p>")
    listed = {"type": ["boolean", "null"], "description": "Whether its shares are publicly traded"}
    assert docs.ask(ACME, {"publicly_traded": listed}).content == {"publicly_traded": False}


def test_a_stated_range_is_matched_with_its_enum_member(docs):
    own(docs, "about.html", "<p>Acme Pumps has 1-10 employees.</p>")
    assert docs.value(ACME, {"enum": ["1-10", "11-50", None]}, "company_size") == "1-10"


FIRM = {"company_name": "Brookmeter Instruments", "website": "brookmeter.example"}
FOUNDED = {"type": ["integer", "null"], "description": "Year of foundation"}


def home(docs, links=""):
    docs.page(
        "home.html",
        f"<h1>Brookmeter Instruments</h1><p>Here Brookmeter is at home: Brookmeter makes pumps.</p><p>Founded: 1998</p>{links}",
        "https://brookmeter.example/",
    )


@pytest.mark.parametrize(
    ("processor", "confidence"), [("lite", "medium"), ("core", "high"), ("core-fast", "high")]
)
def test_core_compares_sources_and_lite_does_not(docs, processor, confidence):
    home(docs)
    docs.page(
        "r.html",
        "<h1>Brookmeter Instruments</h1><p>Website: brookmeter.example</p><p>Founded: 1998</p>",
        "https://registry.example/1",
    )
    assert docs.ask(FIRM, {"founded_year": FOUNDED}, processor=processor).basis[0].confidence == confidence


@pytest.mark.parametrize(("processor", "value"), [("core", None), ("pro", 240), ("ultra-fast", 240)])
def test_pro_follows_a_link_to_a_page_with_the_short_name(docs, processor, value):
    home(docs, '<p><a href="https://fair.example/stands/7#top">At the fair</a></p>')
    docs.page(
        "fair.html",
        "<h1>Stand 7</h1><p>This year Brookmeter employs 240 people.</p>",
        "https://fair.example/stands/7",
    )
    assert docs.value(FIRM, COUNT, processor=processor) == value


def test_pro_searches_unread_documents_for_missing_fields(docs):
    home(docs)
    for number in range(30):
        docs.page(
            f"n{number}.html",
            f"<h1>News {number}</h1><p>Brookmeter Instruments showed pump {number}, see brookmeter.example.</p><p>Founded: 1998</p><p>Staff: 30</p>",
            f"https://n{number}.example/",
        )
    docs.page(
        "z.html",
        "<p>Brookmeter Instruments shows pumps at the fair, see brookmeter.example.</p>"
        "<table><tr><th>Company</th><th>Mascot</th></tr><tr><td>Brookmeter Instruments</td><td>Otto</td></tr></table>",
        "https://z.example/",
    )
    mascot = {"type": ["string", "null"], "description": "Name of the mascot"}
    properties = {"founded": FOUNDED, "employee_count": COUNT, "mascot": mascot}
    found = [docs.ask(FIRM, properties, processor=name).content["mascot"] for name in ("core", "pro")]
    assert found == [None, "Otto"]


def test_the_source_policy_applies_to_links(docs):
    home(docs, '<p><a href="https://fair.example/stands/7">At the fair</a></p>')
    docs.page(
        "fair.html",
        "<h1>Stand 7</h1><p>This year Brookmeter employs 240 people.</p>",
        "https://fair.example/stands/7",
    )
    assert docs.value(FIRM, COUNT, processor="pro", exclude_domains=("fair.example",)) is None
