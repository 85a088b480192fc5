"""Quotes are evidence only if they are about the entity."""

from __future__ import annotations

import pytest

from rowcite.local.research.language_model.endpoint import Endpoint
from rowcite.local.research.language_model.reader import ModelResearcher
from rowcite.local.research.question import Question
from support.chat_completions import ACME, COUNT, quoting

SHARED = "https://trade.example/pump-makers"
VALVES = "Bolt Valves of Hull employs 900 people."
LISTED = "Acme Pumps (Lleida, 66 lathes) sees no reason to sell. Today it has 12 fairs a year."
OURS = "Acme Pumps (acmepumps.example) employs 1,240 people."


@pytest.fixture
def shared(docs, stub):
    """Return a function that asks about Acme, with pages about several companies and a reply of given quotes."""
    docs.page(
        "list.html",
        f"<h1>Pump makers</h1><p>{OURS}</p><p>{VALVES}</p><p>Its rival Acme Pumps sold it in 2019. It has 77 staff.</p>"
        "<table><tr><th>Company</th><th>Employees</th></tr><tr><td>Bolt Valves</td><td>900</td></tr>"
        "<tr><td>Acme Pumps</td><td>1,240</td></tr></table>"
        f"<h2>Northwind</h2><p>The company has 55 employees.</p><h2>Sales</h2><p>{LISTED}</p>",
        SHARED,
    )
    docs.page(
        "own.html",
        "<h1>Acme Pumps</h1><p>We make pumps. Our customer Globex has 4,000 employees. Globex employs 4,000 people. In 2019 Globex had 4,000 employees. "
        "Acme Pumps supplies Globex, which has 4,000 employees. Globex, which supplies Acme Pumps, has 4,000 employees. "
        "Acme Pumps works with Globex of Hull, a firm of 4,000 people. Acme Pumps and Globex employ 4,000 people.</p>"
        "<p>We were founded in 1998.</p><p>Ada Lovelace has been chief executive since 2019.</p>",
        "https://acmepumps.example/",
    )
    docs.page(
        "namesake.html",
        "<h1>Acme Pumps</h1><p>Website: acme-pumps.test</p><p>Acme Pumps employs 31 people.</p>",
        "https://acme-pumps.test/",
    )

    def asked(value, *quotes, properties=COUNT, name="employee_count"):
        stub.replies = quoting(value, *quotes, name=name)
        researcher = ModelResearcher(docs.open(), Endpoint(stub.base_url, "m", timeout=5))
        schema = {"type": "object", "properties": properties}
        return researcher.research(Question(ACME, {"type": "json", "json_schema": schema}))

    return asked


OWN_PAGE = "https://acmepumps.example/"


@pytest.mark.parametrize(
    ("value", "url", "quote"),
    [
        (900, SHARED, VALVES),
        (900, SHARED, "Bolt Valves 900"),  # a table's row
        (900, SHARED, f"{OURS} {VALVES}"),  # the sentence with the value does not name the entity
        (77, SHARED, "It has 77 staff."),
        (55, SHARED, "The company has 55 employees."),  # under another company's heading
        (4000, OWN_PAGE, "Our customer Globex has 4,000 employees."),
        (4000, OWN_PAGE, "Globex employs 4,000 people."),
        (4000, OWN_PAGE, "In 2019 Globex had 4,000 employees."),
        (4000, OWN_PAGE, "Acme Pumps supplies Globex, which has 4,000 employees."),
        (4000, OWN_PAGE, "Globex, which supplies Acme Pumps, has 4,000 employees."),
        (4000, OWN_PAGE, "Acme Pumps works with Globex of Hull, a firm of 4,000 people."),
        (4000, OWN_PAGE, "Acme Pumps and Globex employ 4,000 people."),
    ],
)
def test_a_quote_about_another_company_is_not_evidence(shared, value, url, quote):
    finding = shared(value, (url, quote))
    assert finding.content == {"employee_count": None}
    assert (finding.basis[0].confidence, finding.basis[0].citations) == ("low", ())
    assert "about another entity" in finding.basis[0].reasoning


@pytest.mark.parametrize(
    ("value", "url", "quote", "name"),
    [
        (1240, SHARED, OURS, "employee_count"),
        (1240, SHARED, "Acme Pumps 1,240", "employee_count"),
        (1240, SHARED, f"{OURS} {VALVES}", "employee_count"),
        (1998, OWN_PAGE, "We were founded in 1998.", "founded_year"),
        ("Ada Lovelace", OWN_PAGE, "Ada Lovelace has been chief executive since 2019.", "chief_executive"),
        (
            66,
            SHARED,
            "Acme Pumps (Lleida, 66 lathes) sees no reason to sell. Today it has 12 fairs a year.",
            "lathes",
        ),
    ],
)
def test_a_quote_about_the_entity_is_evidence(shared, value, url, quote, name):
    properties = {name: {"type": ["string" if isinstance(value, str) else "integer", "null"]}}
    finding = shared(value, (url, quote), properties=properties, name=name)
    assert (finding.content, finding.basis[0].confidence) == ({name: value}, "medium")


def test_a_quote_that_names_another_thing_on_a_page_about_the_entity_is_evidence_of_low_confidence(
    docs, stub
):
    bridge = "The Kessock Bridge reopened on Tuesday after repairs of £14 million."
    docs.page("a.html", f"<h1>Harbour opens again</h1><p>{bridge}</p>", SHARED)
    stub.replies = quoting("£14 million", (SHARED, bridge), name="cost")
    researcher = ModelResearcher(docs.open(), Endpoint(stub.base_url, "m", timeout=5))
    schema = {"type": "object", "properties": {"cost": {"type": ["string", "null"]}}}
    finding = researcher.research(
        Question({"article": "Harbour opens again"}, {"type": "json", "json_schema": schema})
    )
    assert (finding.content, finding.basis[0].confidence) == ({"cost": "£14 million"}, "low")


def test_a_quote_about_another_company_lowers_the_confidence_and_is_not_cited(shared):
    finding = shared(1240, (SHARED, OURS), (OWN_PAGE, "Globex employs 4,000 people."))
    (basis,) = finding.basis
    assert (finding.content, basis.confidence) == ({"employee_count": 1240}, "low")
    assert [citation.url for citation in basis.citations] == [SHARED]
    assert "Quotes about another entity, or unclear: 1." in basis.reasoning


def test_the_page_of_a_namesake_is_not_shown_and_cannot_be_quoted(docs, shared, stub):
    shared(1240, (SHARED, OURS))
    assert "acme-pumps.test" not in stub.prompt()
    claims = [{"document": number, "quote": "Acme Pumps employs 31 people."} for number in range(6)]
    stub.fields(employee_count={"value": 31, "quotes": claims})
    researcher = ModelResearcher(docs.open(), Endpoint(stub.base_url, "m", timeout=5))
    schema = {"type": "json", "json_schema": {"type": "object", "properties": COUNT}}
    finding = researcher.research(Question(ACME, schema))
    assert (finding.content, finding.basis[0].citations) == ({"employee_count": None}, ())


def test_a_list_takes_no_item_from_another_company(shared):
    properties = {"heads": {"type": "array", "items": {"type": "integer"}}}
    finding = shared([1240, 900], (SHARED, OURS), (SHARED, VALVES), properties=properties, name="heads")
    assert (finding.content, finding.basis[0].confidence) == ({"heads": [1240]}, "low")


@pytest.mark.parametrize("digits", ["1,204", "1240", "12,40", "1,2400"])
def test_a_quote_with_changed_digits_is_dropped(shared, digits):
    finding = shared(1240, (SHARED, OURS.replace("1,240", digits)))
    assert finding.content == {"employee_count": None}
    assert finding.basis[0].citations == ()
