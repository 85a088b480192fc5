"""JSON, text, report and auto answers: values, confidence, reasoning and empty values."""

from __future__ import annotations

import pytest

from rowcite.local.research.question import Question

ACME = {"company_name": "Acme Pumps", "website": "acmepumps.example"}
COUNT = {"type": ["integer", "null"], "description": "Latest head count"}


def own(docs, body, name="a.html", head=""):
    docs.page(name, f"<h1>Acme Pumps</h1>{body}", f"https://acmepumps.example/{name}", head)


@pytest.mark.parametrize(
    ("schema", "empty"),
    [
        ({"type": "string"}, ""),
        ({"type": "integer"}, 0),
        ({"type": "number"}, 0),
        ({"type": "boolean"}, False),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"enum": ["Seed", "Unknown", "Public"]}, "Unknown"),
        ({"enum": ["Seed", "Public"]}, "Public"),
        (
            {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": ["integer", "null"]}}},
            {"x": "", "y": None},
        ),
        ({"type": ["string", "null"]}, None),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ({"enum": ["Seed", None]}, None),
        ({"$ref": "#/$defs/gone"}, ""),
        ({"type": "array", "items": True}, []),
        ({"oneOf": [{"const": "Seed"}, {"const": "Public"}]}, "Public"),
    ],
)
def test_a_field_without_evidence_has_the_empty_value_of_its_schema(docs, schema, empty):
    own(docs, "<p>We make pumps of every kind.</p>")
    finding = docs.ask(ACME, {"shoe_size": schema})
    assert finding.content == {"shoe_size": empty}
    assert (finding.basis[0].confidence, finding.basis[0].citations) == ("low", ())
    assert ("placeholder" in finding.basis[0].reasoning) == (empty is not None)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/count"},
        {"allOf": [{"$ref": "#/$defs/count"}]},
        {"oneOf": [{"type": "integer"}, {"type": "null"}]},
        {"type": ["null", "integer"]},
    ],
)
def test_references_and_unions_in_a_schema_are_resolved(docs, schema):
    own(docs, "<p>Employees: 240</p>")
    definitions = {"count": {"type": "integer", "description": "Head count"}}
    whole = {"type": "object", "properties": {"employee_count": schema}, "$defs": definitions}
    finding = docs.open().research(Question(ACME, {"type": "json", "json_schema": whole}))
    assert finding.content == {"employee_count": 240}


@pytest.mark.parametrize(
    ("description", "value"),
    [
        ("Founding date, YYYY-MM-DD", "1998-03-25"),
        ("Founding year", "1998"),
        ("Founding date, YYYY-MM-DD, ISO 8601", "1998-03-25"),
    ],
)
def test_a_date_has_the_form_that_the_description_names(docs, description, value):
    own(docs, "<p>Founded: 25 March 1998</p>")
    schema = {"type": ["string", "null"], "description": description}
    assert docs.value(ACME, schema, "founded") == value


def test_a_year_alone_is_not_a_full_date(docs):
    own(docs, "<p>Founded: 1998</p>")
    schema = {"type": ["string", "null"], "description": "Founding date, YYYY-MM-DD"}
    assert docs.value(ACME, schema, "founded") is None


def test_a_country_is_its_name_or_its_code_as_described(docs):
    own(docs, "<p>Headquarters: Hull, UK</p>")
    name = {"type": ["string", "null"], "description": "Country"}
    code = {"type": ["string", "null"], "description": "Country, ISO code"}
    assert docs.value(ACME, name, "country") == "United Kingdom"
    assert docs.value(ACME, code, "country") == "GB"


def test_two_agreeing_sites_with_the_own_one_give_high_confidence(docs):
    own(docs, "<p>Employees: 240</p>")
    docs.page(
        "r.html",
        "<h1>Acme Pumps</h1><p>Website: acmepumps.example</p><p>Staff: 240</p>",
        "https://registry.example/1",
    )
    basis = docs.ask(ACME, {"employee_count": COUNT}).basis[0]
    assert basis.confidence == "high"
    assert {citation.url for citation in basis.citations} == {
        "https://acmepumps.example/a.html",
        "https://registry.example/1",
    }


def test_a_contradiction_is_in_the_reasoning_and_lowers_the_confidence(docs):
    own(docs, "<p>Founded: 1998</p>")
    docs.page(
        "r.html",
        "<h1>Acme Pumps</h1><p>Website: acmepumps.example</p><p>Founded: 1989</p>",
        "https://registry.example/1",
    )
    basis = docs.ask(ACME, {"founded_year": {"type": ["integer", "null"]}}).basis[0]
    assert basis.confidence == "low"
    assert "Not in agreement" in basis.reasoning


def test_the_newer_head_count_wins_and_the_older_is_in_the_reasoning(docs):
    own(docs, "<p>Employees: 198</p>", "old.html", '<meta name="date" content="2021-03-01">')
    own(docs, "<p>Employees: 240</p>", "new.html", '<meta name="date" content="2025-03-01">')
    finding = docs.ask(ACME, {"employee_count": COUNT})
    assert finding.content == {"employee_count": 240}
    assert "198" in finding.basis[0].reasoning


@pytest.mark.parametrize(
    ("text", "choices", "expected"),
    [
        ("Acme Pumps raised a €12m Series C in 2024.", ["Seed", "Series A", "Series B+"], "Series B+"),
        ("Acme Pumps closed a pre-seed round in 2024.", ["Pre-seed", "Seed"], "Pre-seed"),
        ("Acme Pumps plans to raise a Series B.", ["Seed", "Series B"], None),
    ],
)
def test_a_funding_stage_is_matched_with_an_enum_member(docs, text, choices, expected):
    own(docs, f"<p>{text}</p>")
    assert (
        docs.value(ACME, {"enum": [*choices, None], "description": "Funding stage"}, "funding_stage")
        == expected
    )


def test_a_head_count_is_matched_with_its_range(docs):
    own(docs, "<p>Employees: 240</p>")
    assert docs.value(ACME, {"enum": ["1-10", "11-200", "201-500", "501+"]}, "company_size") == "201-500"


def test_a_range_is_not_an_exact_count(docs):
    own(docs, "<p>Employees: 201-500</p>")
    assert docs.value(ACME, COUNT) is None


def test_money_in_another_currency_is_not_an_answer(docs):
    own(docs, "<p>Revenue: €12.5m</p>")
    assert (
        docs.value(ACME, {"type": ["number", "null"], "description": "Revenue in EUR"}, "revenue")
        == 12_500_000
    )
    assert docs.value(ACME, {"type": ["number", "null"], "description": "Revenue in USD"}, "revenue") is None


def test_lists_and_objects_are_filled(docs):
    own(
        docs,
        "<p>Headquarters: Leeds, United Kingdom</p><h2>Our products</h2><ul><li>Hydra 5</li><li>Nixe: for ponds</li></ul>",
    )
    role = {"type": "object", "properties": {"city": {"type": "string"}, "country": {"type": "string"}}}
    finding = docs.ask(
        ACME, {"headquarters": role, "products": {"type": "array", "items": {"type": "string"}}}
    )
    assert finding.content == {
        "headquarters": {"city": "Leeds", "country": "United Kingdom"},
        "products": ["Hydra 5", "Nixe"],
    }


def test_a_field_of_unknown_kind_is_found_by_its_label(docs):
    own(docs, "<dl><dt>Test benches</dt><dd>14</dd></dl>")
    assert docs.value(ACME, {"type": ["integer", "null"]}, "test_benches") == 14


def test_a_text_answer_is_short(docs):
    own(docs, "<p>Acme Pumps was founded in 1998.</p>")
    finding = docs.open().research(Question(ACME, {"type": "text", "description": "The founding year"}))
    assert (finding.kind, finding.content, finding.basis[0].field) == ("text", "1998", "output")
    assert finding.basis[0].citations[0].excerpts == ("Acme Pumps was founded in 1998.",)


def test_a_text_answer_without_evidence_is_not_found(docs):
    own(docs, "<p>Acme Pumps makes pumps.</p>")
    finding = docs.open().research(Question(ACME, {"type": "text", "description": "The founding year"}))
    assert (finding.content, finding.basis[0].confidence) == ("Not found in the documents.", "low")
    assert finding.basis[0].citations == ()


def test_a_report_quotes_sentences_of_the_documents(docs):
    docs.page(
        "m.html",
        "<h1>Cold chain, north</h1><p>The cold chain grew by 5 per cent in 2024, one study says.</p>",
        "https://news.example/m",
    )
    corpus = docs.open()
    finding = corpus.research(Question({"market": "Cold chain"}, {"type": "text"}))
    assert finding.content.startswith("# Cold chain\n")
    assert "(https://news.example/m)" in finding.content
    excerpts = finding.basis[0].citations[0].excerpts
    assert excerpts
    assert all(corpus.documents[0].contains(excerpt) for excerpt in excerpts)


def test_an_auto_answer_has_a_schema_for_the_facts_found(docs):
    own(docs, "<p>Employees: 240</p><p>Headquarters: Leeds, United Kingdom</p>")
    finding = docs.open().research(Question(ACME, {"type": "auto"}))
    assert finding.content == {
        "employee_count": 240,
        "headquarters": {"city": "Leeds", "country": "United Kingdom"},
    }
    assert finding.output_schema is not None
    assert set(finding.output_schema["properties"]) == {"employee_count", "headquarters"}
    assert [basis.field for basis in finding.basis] == [
        "employee_count",
        "headquarters.city",
        "headquarters.country",
    ]


def test_the_source_policy_is_obeyed(docs):
    own(docs, "<p>Employees: 240</p>")
    assert docs.value(ACME, COUNT, exclude_domains=("acmepumps.example",)) is None
    assert docs.value(ACME, COUNT, include_domains=(".example",)) == 240
    assert docs.value(ACME, COUNT, include_domains=("other.example",)) is None


def test_lite_reads_one_document(docs):
    own(docs, "<p>Employees: 240</p>")
    own(docs, "<p>Founded: 1998</p>", "b.html")
    finding = docs.ask(ACME, {"employee_count": COUNT}, processor="lite-fast")
    assert (len(finding.read), finding.considered) == (1, 2)


def test_the_same_question_has_the_same_answer(docs):
    own(docs, "<p>Employees: 240</p>")
    assert docs.ask(ACME, {"employee_count": COUNT}) == docs.ask(ACME, {"employee_count": COUNT})


@pytest.mark.parametrize(("after", "count"), [(None, 240), ("2024-05-01", 240), ("2024-05-02", None)])
def test_documents_before_the_after_date_are_not_read(docs, after, count):
    own(docs, "<p>Employees: 240</p>", head='<meta name="date" content="2024-05-01">')
    assert docs.value(ACME, COUNT, after_date=after) == count


def test_documents_without_a_date_are_read_beside_an_after_date(docs):
    own(docs, "<p>Employees: 240</p>")
    assert docs.value(ACME, COUNT, after_date="2026-01-01") == 240
