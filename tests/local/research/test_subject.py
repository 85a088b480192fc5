"""Documents about the entity are separated from documents about its namesakes."""

from __future__ import annotations

import pytest

from rowcite.local.research.subject.entity import Entity

COUNT = {"type": ["integer", "null"], "description": "Latest head count"}
LEEDS = {"company_name": "Meridian Systems", "website": "meridian.example", "city": "Leeds"}


def namesakes(docs):
    docs.page(
        "a.html",
        "<h1>Meridian Systems</h1><p>We employ 240 people in Leeds.</p>",
        "https://meridian.example/",
    )
    docs.page(
        "b.html",
        "<h1>Meridian Systems</h1><p>We employ 90 people in Austin.</p>",
        "https://meridiansystems.example/",
    )


def test_the_site_selects_the_company_among_namesakes(docs):
    namesakes(docs)
    assert docs.value(LEEDS, COUNT) == 240
    assert docs.value({"company_name": "Meridian Systems", "website": "meridiansystems.example"}, COUNT) == 90


def test_a_name_shared_by_two_companies_is_not_answered(docs):
    namesakes(docs)
    finding = docs.ask({"company_name": "Meridian Systems"}, {"employee_count": COUNT})
    assert finding.content == {"employee_count": None}
    assert "does not identify" in finding.basis[0].reasoning


def test_the_city_selects_the_company_among_namesakes(docs):
    namesakes(docs)
    docs.page(
        "c.html", "<h1>Contact</h1><p>Headquarters: Austin, USA</p>", "https://meridiansystems.example/c"
    )
    assert docs.value({"company_name": "Meridian Systems", "city": "Austin"}, COUNT) == 90


def test_a_register_page_of_a_namesake_is_excluded(docs):
    namesakes(docs)
    row = "<h1>Meridian Systems</h1><dl><dt>Website</dt><dd>meridiansystems.example</dd><dt>Employees</dt><dd>95</dd></dl>"
    docs.page("r.html", row, "https://registry.example/1")
    finding = docs.ask(LEEDS, {"employee_count": COUNT})
    assert finding.content == {"employee_count": 240}
    assert "https://registry.example/1" not in finding.read


def test_a_page_with_another_place_for_the_name_is_excluded(docs):
    docs.page(
        "n.html",
        "<h1>Meridian Systems</h1><p>Headquarters: Austin, USA</p><p>Employees: 90</p>",
        "https://news.example/1",
    )
    assert docs.value({"name": "Meridian Systems", "city": "Leeds"}, COUNT) is None
    assert docs.value({"name": "Meridian Systems", "city": "Austin"}, COUNT) == 90


def test_a_longer_name_is_another_company(docs):
    docs.page(
        "n.html",
        "<h1>News</h1><p>This week Northwind Traders employs 900 people.</p>",
        "https://news.example/1",
    )
    assert docs.value({"name": "Northwind"}, COUNT) is None


def test_only_the_entitys_row_of_a_table_counts(docs):
    table = "<table><tr><th>Name</th><th>Website</th><th>Staff</th></tr><tr><td>Meridian Systems</td><td>other.example</td><td>7</td></tr><tr><td>Meridian Systems</td><td>meridian.example</td><td>240</td></tr></table>"
    docs.page("t.html", table, "https://lists.example/1")
    assert docs.value(LEEDS, COUNT) == 240


def test_a_misspelt_name_finds_the_company(docs):
    namesakes(docs)
    docs.page(
        "c.html", "<h1>Brookmeter Instruments</h1><p>We employ 31 people.</p>", "https://brookmeter.example/"
    )
    assert docs.value({"name": "Brookmeter Instrumets"}, COUNT) == 31


def test_a_free_text_names_its_subject(docs):
    docs.page(
        "c.html", "<h1>Brookmeter Instruments</h1><p>We employ 31 people.</p>", "https://brookmeter.example/"
    )
    assert docs.value("How many people work at Brookmeter Instruments?", COUNT) == 31


def test_an_unknown_entity_has_no_documents(docs):
    namesakes(docs)
    finding = docs.ask({"name": "Quillon"}, {"employee_count": COUNT})
    assert (finding.content, finding.read, finding.considered) == ({"employee_count": None}, (), 0)
    assert "No document mentions Quillon" in finding.basis[0].reasoning


def test_words_that_are_no_name_are_not_reported_as_unmentioned(docs):
    docs.page(
        "a.html", "<h1>News</h1><p>They walk in the open data of the sea.</p>", "https://news.example/1"
    )
    reasoning = docs.ask({"community": "Open Data"}, {"employee_count": COUNT}).basis[0].reasoning
    assert reasoning == "Documents contain the words Open Data, but none of them names it."


def test_a_name_in_lower_case_is_found_in_a_title(docs):
    docs.page("a.html", "<h1>Release of nll</h1><p>Employees: 31</p>", "https://nll.test/1")
    assert docs.value({"name": "nll"}, COUNT) == 31


@pytest.mark.parametrize(
    ("title", "given"),
    [
        ("Carrot Cake Recipe - Good Food", "Carrot Cake"),
        ("Dyson V11™ Vacuum Cleaner", "Dyson V11 Vacuum"),
        ("Grand Duchy of Quill", "Quill"),  # the next line begins with a capital
    ],
)
def test_a_title_names_the_entity_in_more_or_fewer_words(docs, title, given):
    docs.page("a.html", f"<h1>{title}</h1><p>Staff: 31</p>")
    assert docs.value({"name": given}, COUNT) == 31


def test_a_filing_is_about_the_name_alone_on_its_cover(docs):
    cover = "FORM 10-K\n\nMeridian Systems, Inc.\n(Exact name of registrant)\n\n"
    docs.file("a.txt", f"{cover}The Company had 240 full-time employees.\n\nStaff: 240\n")
    finding = docs.ask({"name": "Meridian Systems, Inc."}, {"employee_count": COUNT})
    assert (finding.content, finding.basis[0].confidence) == ({"employee_count": 240}, "medium")


def test_a_word_in_lower_case_is_not_another_company_of_that_name():
    entity = Entity(names=("acme",), known=frozenset({"general", "globex works"}))
    assert not entity.names_another("In most plants our general staff is 240")
    assert entity.names_another("Our customer General has 90")
    assert entity.names_another("At Globex Works 90 people")


def test_documents_that_the_source_policy_excludes_are_not_reported_as_missing(docs):
    namesakes(docs)
    finding = docs.ask(LEEDS, {"employee_count": COUNT}, exclude_domains=("example",))
    reason = "No document that the source policy admits mentions Meridian Systems."
    assert finding.basis[0].reasoning == reason


def test_a_name_in_the_genitive_is_found(docs):
    docs.page("a.html", "<h1>News</h1><p>Last week Quillon's staff grew.</p>", "https://news.example/1")
    assert docs.ask({"name": "Quillon"}, {"employee_count": COUNT}).considered == 1
