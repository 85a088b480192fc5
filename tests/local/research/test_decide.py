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


def test_a_stated_range_is_matched_with_its_enum_member(docs):
    own(docs, "about.html", "<p>Acme Pumps has 1-10 employees.</p>")
    assert docs.value(ACME, {"enum": ["1-10", "11-50", None]}, "company_size") == "1-10"


FIRM = {"company_name": "Brookmeter Instruments", "website": "brookmeter.example"}
FOUNDED = {"type": ["integer", "null"], "description": "Year of foundation"}


def home(docs):
    docs.page(
        "home.html",
        "<h1>Brookmeter Instruments</h1><p>Here Brookmeter is at home: Brookmeter makes pumps.</p><p>Founded: 1998</p>",
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
