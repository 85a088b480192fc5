"""Fields are matched with labels by their normal form and their synonyms, on any page and for any kind of thing."""

from __future__ import annotations

import json

import pytest

from rowcite.local.research.documents.labels import field_phrases, similarity

TEXT = {"type": ["string", "null"]}
NUMBER = {"type": ["number", "null"]}
COUNT = {"type": ["integer", "null"]}
LIST = {"type": ["array", "null"], "items": {"type": "string"}}
FLAG = {"type": ["boolean", "null"]}


@pytest.mark.parametrize(
    ("name", "description", "label"),
    [
        ("number_of_records", "", "records"),
        ("publication_date", "", "date posted"),
        ("expiry_date", "", "expirydate"),
        ("zip", "", "postal code"),
        ("colour", "", "color"),
        ("last_change", "Zuletzt geändert durch", "zuletzt geändert durch"),
        ("rrp", "Recommended retail price (RRP)", "rrp"),
        ("max_depth_km", "", "max depth"),
        ("depth", "Greatest depth in km", "greatest depth"),
        ("publication_year", "", "published"),
        ("max_payload", "", "maximum payload"),
        ("floor_area_m2", "", "floor size"),
        ("vat_number", "", "vat id"),
        ("listed_on", "Date it was listed", "date posted"),
        ("ein", "IRS employer identification number", "i r s employer identification no"),
    ],
)
def test_a_label_matches_a_field_in_other_words(name, description, label):
    phrases = field_phrases(name.replace("_", " "), description)
    assert max(similarity(phrase, label) for phrase in phrases) >= 0.85


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("literacy_rate_percent_of_population", "percent of population"),
        ("host", "author"),
        ("release_date", "published"),
        ("python_version", "version"),
    ],
)
def test_a_label_that_often_means_something_else_matches_in_part(name, label):
    found = max(similarity(phrase, label) for phrase in field_phrases(name.replace("_", " "), ""))
    assert 0.7 <= found < 0.8


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("registration_number", "date of registration"),
        ("website", "publisher"),
        ("website", "url"),
        ("founders", "founded"),
        ("rating", "rating count"),
        ("start_date", "end date"),
        ("publisher", "published"),
        ("date", "type"),
        ("average_depth", "max depth"),
        ("birth_date", "founder birth date"),
    ],
)
def test_a_label_of_another_thing_does_not_match(name, label):
    assert max(similarity(phrase, label) for phrase in field_phrases(name.replace("_", " "), "")) < 0.7


BOOK = {
    "@type": "Book",
    "name": "The Tin Boat",
    "author": {"@type": "Person", "name": "Ann Lee", "birthDate": "1961-02-03"},
    "numberOfPages": "224",
    "aggregateRating": {"@type": "AggregateRating", "ratingValue": 4.5, "ratingCount": 31},
    "offers": {"@type": "Offer", "price": "6.99", "priceCurrency": "EUR", "availability": "https://schema.org/InStock"},
    "genre": ["sea stories", "comedy"],
}  # fmt: skip
FIELDS = {
    "author": TEXT,
    "author_born": {**TEXT, "description": "Birth date of the author"},
    "pages": COUNT,
    "rating": NUMBER,
    "rating_count": COUNT,
    "price": NUMBER,
    "in_stock": FLAG,
    "genres": LIST,
}
FOUND = {
    "author": "Ann Lee",
    "author_born": "1961-02-03",
    "pages": 224,
    "rating": 4.5,
    "rating_count": 31,
    "price": 6.99,
    "in_stock": True,
    "genres": ["sea stories", "comedy"],
}


def test_data_of_any_type_is_read(docs):
    docs.file("b.html", f'<script type="application/ld+json">{json.dumps(BOOK)}</script>')
    finding = docs.ask({"book": "The Tin Boat"}, FIELDS)
    assert finding.content == FOUND
    (document,) = docs.open().documents
    assert all(document.contains(e) for b in finding.basis for c in b.citations for e in c.excerpts)


def test_data_that_refers_to_other_data_of_the_page_is_read(docs):
    author = {"@id": "#ann", **BOOK["author"]}
    graph = {"@graph": [{**BOOK, "author": {"@id": "#ann"}}, author]}
    docs.file("b.html", f'<script type="application/ld+json">{json.dumps(graph)}</script>')
    assert docs.ask({"book": "The Tin Boat"}, FIELDS).content == FOUND


MARKUP = (
    '<div itemscope itemtype="https://schema.org/Book"><h1 itemprop="name">The Tin Boat</h1>'
    '<p>By <span itemprop="author" itemscope itemtype="https://schema.org/Person"><b itemprop="name">Ann Lee</b>'
    '<meta itemprop="birthDate" content="1961-02-03"></span>, <i itemprop="numberOfPages">224</i> pages</p>'
    '<div itemprop="aggregateRating" itemscope itemtype="https://schema.org/AggregateRating">'
    '<b itemprop="ratingValue">4.5</b> of <b itemprop="ratingCount">31</b></div>'
    '<div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><b itemprop="price" content="6.99">€6.99</b>'
    '<link itemprop="availability" href="https://schema.org/InStock"></div>'
    '<em itemprop="genre">sea stories</em><em itemprop="genre">comedy</em></div>'
)


def test_markup_of_any_type_is_read(docs):
    docs.page("b.html", MARKUP)
    assert docs.ask({"book": "The Tin Boat"}, FIELDS).content == FOUND


def test_front_matter_states_facts(docs):
    docs.file(
        "m.md",
        "---\ntitle: Spring Meeting\nhost: Ann Lee\ntopics:\n  - boats\n  - knots\nfree: true\n---\nCome early.\n",
    )
    finding = docs.ask({"event": "Spring Meeting"}, {"host": TEXT, "topics": LIST, "free_of_charge": FLAG})
    assert finding.content == {"host": "Ann Lee", "topics": ["boats", "knots"], "free_of_charge": True}
    assert finding.basis[1].citations[0].excerpts == ("topics: - boats - knots",)


def test_meta_tags_state_facts(docs):
    head = '<title>Boats | Tin Press</title><meta property="og:site_name" content="Tin Press"><meta property="article:section" content="Sea">'
    docs.page("a.html", "<h1>Boats</h1><p>Text.</p>", "https://tin.example/boats", head)
    finding = docs.ask({"article": "Boats"}, {"section": TEXT, "site_name": TEXT})
    assert finding.content == {"section": "Sea", "site_name": "Tin Press"}


@pytest.mark.parametrize(
    "body",
    [
        "<h2>Licence terms</h2><p>Free for schools.</p>",
        "<p>Licence terms: Free for schools</p>",
        "<dl><dt>Licence terms</dt><dd>Free for schools</dd></dl>",
        "<div><div>Licence terms</div><div>Free for schools</div></div>",
        "<table><tr><th></th><th>Knot Box</th></tr><tr><th>Licence terms</th><td>Free for schools</td></tr></table>",
    ],
)
def test_a_value_is_read_under_beside_or_below_its_label(docs, body):
    docs.page("k.html", f"<h1>Knot Box</h1>{body}", "https://knots.example/box")
    value = docs.value({"product": "Knot Box"}, TEXT, "licence_terms")
    assert value.rstrip(".") == "Free for schools"


def test_a_list_under_a_heading_is_a_list(docs):
    docs.page("k.html", "<h1>Knot Box</h1><h2>Contents</h2><ul><li>Rope</li><li>Book: 40 pages</li></ul>")
    assert docs.value({"product": "Knot Box"}, LIST, "contents") == ["Rope", "Book"]


@pytest.mark.parametrize("key", ["place", "dataset", "licence", "song"])
def test_a_lone_input_of_any_name_is_the_entity(docs, key):
    docs.page("a.html", "<h1>Old Harbour Light</h1><p>Height: 31</p>", "https://lights.example/old")
    assert docs.value({key: "Old Harbour Light"}, COUNT, "height") == 31


def test_a_title_that_begins_with_the_name_is_about_it(docs):
    docs.page(
        "a.html", "<h1>The Tin Boat with map: a review</h1><p>Tested by: Bo Ek</p>", "https://r.example/1"
    )
    assert docs.value({"book": "The Tin Boat"}, TEXT, "tested_by") == "Bo Ek"


def test_adjacent_inline_elements_are_separate_words(docs):
    docs.page("a.html", "<p><span>1</span><span>burger</span><span>Calories</span></p>")
    (document,) = docs.open().documents
    assert document.text == "1 burger Calories"


@pytest.mark.parametrize(
    "body",
    [
        "<p>12-3456789</p><p>(Tax number)</p>",
        "<table><tr><th>Seats</th><td>40</td><th>Tax number</th><td>12-3456789</td></tr></table>",
    ],
)
def test_forms_are_read(docs, body):
    docs.page("f.html", f"<h1>Knot Box</h1>{body}", "https://knots.example/form")
    assert docs.value({"company": "Knot Box"}, TEXT, "tax_number") == "12-3456789"


def test_the_reasoning_names_another_label(docs):
    docs.page("k.html", "<h1>Knot Box</h1><p>Issuing body: Port of Hull</p>", "https://knots.example/box")
    basis = docs.ask({"company": "Knot Box"}, {"issuer": TEXT}).basis[0]
    assert 'Found under the label "issuing body".' in basis.reasoning


@pytest.mark.parametrize(
    ("text", "count"), [("Employees\nAbout 40", 40), ("Employees and\nmanagers met 40 times", None)]
)
def test_a_short_line_over_others_is_a_label_unless_a_sentence_goes_on(docs, text, count):
    docs.file("k.txt", f"Knot Box\n\n{text}\n")
    assert docs.value({"company": "Knot Box"}, COUNT, "employees") == count


@pytest.mark.parametrize("text", ["Tax number      12-3456789", "Tax number ......... 12-3456789"])
def test_columns_of_a_text_are_labels_and_values(docs, text):
    docs.file("k.txt", f"Knot Box\n\nOpened          1990\n{text}\nYears    2001    2002\n")
    asked = docs.ask({"company": "Knot Box"}, {"tax_number": TEXT, "years": TEXT}).content
    assert asked == {"tax_number": "12-3456789", "years": None}


@pytest.mark.parametrize("text", ["13. März 2014", "13 mars 2014", "13 de marzo de 2014", "13-Mar-2014"])
def test_dates_in_words_are_read_in_several_languages(docs, text):
    docs.page("k.html", f"<h1>Knot Box</h1><p>Opened: {text}</p>", "https://knots.example/box")
    assert (
        docs.value({"place": "Knot Box"}, TEXT | {"description": "Date, YYYY-MM-DD"}, "opened")
        == "2014-03-13"
    )


@pytest.mark.parametrize(
    ("body", "name", "schema", "value"),
    [
        ("<h2>Area</h2><p>total: 652,230 sq km<br>land: 652,000 sq km</p>", "area", NUMBER, 652_230),
        ('<p><ix:nonFraction contextRef="c1" name="us-gaap:Revenues" scale="6">391</ix:nonFraction></p>', "revenues", NUMBER, 391_000_000),
        ('<p><ix:nonNumeric contextRef="c1" name="dei:EntityTaxNumber">12-34</ix:nonNumeric></p>', "tax_number", TEXT, "12-34"),
        ('<div itemscope itemtype="https://schema.org/Recipe"><b itemprop="name">Knot Box</b><meta itemprop="prepTime" content="PT1H5M"></div>', "prep_time_minutes", COUNT, 65),
        ("<table><tr><th>Area</th><th>Depth</th></tr><tr><td>14 km²</td><td>96 m</td></tr></table>", "depth", NUMBER, 96),
        ("<table><tr><td><b>Area</b></td><td><b>Depth</b></td></tr><tr><td>14 km²</td><td>96 m</td></tr></table>", "depth", NUMBER, 96),
        ("<table><tr><th>Class</th><th>Trading symbol</th><th>Par</th></tr><tr><td>Common</td><td>KNOT</td><td>$1</td></tr></table>", "ticker", TEXT, "KNOT"),
        ("<table><tr><td>Delaware</td><td>47-11</td></tr><tr><td>(State of incorporation)</td><td>(Tax number)</td></tr></table>", "state_of_incorporation", TEXT, "Delaware"),
        ("<p>88 Harbor Way, Portland, Maine 04101</p><p>(Address of principal executive offices)</p>", "city", TEXT, "Portland"),
        ("<p>Tower height<br>38 metres</p>", "tower_height", NUMBER, 38),
        ("<p><b>Duration</b><br>10 weeks</p>", "duration_weeks", COUNT, 10),
        ("<p>Opened: 12 May 1990</p>", "opened", COUNT | {"description": "Year in which it opened"}, 1990),
        ("<p>Opened: 1974年4月12日</p>", "opening_date", TEXT, "1974-04-12"),
        ("<p>Shares outstanding as of June 12, 2025: 41,208</p>", "shares_outstanding", COUNT, 41_208),
        ("<p>Contact: office@knots.example, +353 51 555 020</p>", "email", TEXT, "office@knots.example"),
        ("<p>Contact: office@knots.example, +353 51 555 020</p>", "phone", TEXT, "+353 51 555 020"),
        ("<p>Place of origin: Cyprus</p>", "origin", TEXT | {"description": "Where it comes from"}, "Cyprus"),
        ("<p><b>Exports</b><br>$5.799 billion (2024 est.)<br>$5.7 billion (2023 est.)</p>", "exports_usd", NUMBER, 5_799_000_000),
        ("<p>Umsatz: 1.200 Mio. EUR</p>", "umsatz", NUMBER, 1_200_000_000),
        ("<p><b>Area</b><br><i>total</i>: 1.284 million sq km<br><i>land</i>: 1,259,200 sq km</p>", "land_area_km2", NUMBER, 1_259_200),
        ("<p><b>Area</b><br><i>total</i>: 1.284 million sq km<br><i>land</i>: 1,259,200 sq km</p>", "area_km2", NUMBER, 1_284_000),
        ("<p>Location: Central Africa</p><p>Capital: Abeche</p>", "capital", TEXT | {"description": "Capital city"}, "Abeche"),
        ("<p>Phone: 0482 555</p>", "mobile", COUNT | {"description": "Number of mobile phone subscriptions"}, None),
        ("<h2>Landlocked: True</h2>", "landlocked", FLAG, True),
        ('<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Knot Box</b><meta itemprop="weight" content="1.234 kg"></div>', "weight_g", NUMBER, 1234),
        ("<p>Latitude: 51.0621</p>", "latitude", NUMBER, 51.0621),
        ("<div><strong>1.284</strong><span>gebaute Brunnen</span></div><div><strong>37</strong><span>Orte</span></div>", "orte", COUNT, 37),
        ("<div><strong>$4.7m</strong> <span>donations 2024</span></div>", "donations", NUMBER, 4_700_000),
        ("<p>Shelf life: 3 years</p>", "shelf_life_months", COUNT, 36),
        ("<p>Distance: 0.091 km</p>", "distance", NUMBER, 0.091),
        ("<p>Sales<br>sales@knots.example<br>+48 58 555</p>", "revenue", NUMBER, None),
        ("<h3>Marta Ziel</h3><p>Chief Executive Officer</p>", "ceo", TEXT, "Marta Ziel"),
        ("<p>Height: 31</p><p>Width: 20</p>", "width", NUMBER, 20),
        ('<div itemscope itemtype="https://schema.org/Hotel"><b itemprop="name">Knot Box</b><div itemprop="amenityFeature" itemscope itemtype="https://schema.org/LocationFeatureSpecification"><b itemprop="name">Pool</b>: <i itemprop="value">yes</i></div></div>', "pool", FLAG, True),
        ('<div itemscope itemtype="https://schema.org/Car"><b itemprop="name">Knot Box</b><div itemprop="mileageFromOdometer" itemscope itemtype="https://schema.org/QuantitativeValue"><i itemprop="value">48210</i> <i itemprop="unitCode">KMT</i></div></div>', "mileage_miles", NUMBER, 29956.3052),
        ("<p>Length: 1.8 m</p>", "length", NUMBER, 1.8),
        ("<p>Height: 38m</p>", "height", NUMBER, 38),
        ("<p>Colour temperature: 2,700 K</p>", "colour_temperature", COUNT, 2700),
        ("<p>Downloads: 4.5m</p>", "downloads", COUNT, 4_500_000),
        ("<p>Lowest point: -430 m</p>", "lowest_point_m", NUMBER, -430),
        ("<p>Net income: -$12.5 million</p>", "net_income", NUMBER, -12_500_000),
        ("<p>Weight: 1,300 g</p>", "weight_kg", NUMBER, 1.3),
        ("<p>Length: 23.6 miles (38.0 km)</p>", "length_km", NUMBER, 38),
        ("<p>Cooking time: 1 hour and 20 minutes</p>", "cooking_time_minutes", COUNT, 80),
        ("<p>Working hours: 38 hours per week</p>", "working_hours_per_week", COUNT, 38),
        ("<p>Surface area: 2 ha</p>", "area", NUMBER | {"description": "Surface area in square metres"}, 20_000),
        ("<p>Height: 48-54 cm</p>", "height_cm", NUMBER, None),
        ('<div itemscope itemtype="https://schema.org/Recipe"><b itemprop="name">Knot Box</b><meta itemprop="prepTime" content="PT1H5M"></div>', "prep", COUNT | {"description": "Preparation time in minutes"}, 65),
    ],
)  # fmt: skip
def test_values_are_read_as_fact_sheets_filings_and_recipes_write_them(docs, body, name, schema, value):
    docs.page("k.html", f"<h1>Knot Box</h1>{body}", "https://knots.example/box")
    assert docs.value({"thing": "Knot Box"}, schema, name) == value


SHELF = {
    "@graph": [
        {
            "@type": "Product",
            "name": "Oak Shelf",
            "image": {"@type": "ImageObject", "url": "https://shop.example/a.jpg", "width": 1200},
            "offers": {"@type": "Offer", "price": "89.00", "priceCurrency": "EUR"},
        },
        {"@type": "ImageObject", "url": "https://shop.example/b.jpg", "width": 1600},
        {
            "@type": "BreadcrumbList",
            "itemListElement": [{"@type": "ListItem", "position": 1, "name": "Home"}],
        },
        {"@type": "WebSite", "potentialAction": {"@type": "SearchAction", "query-input": "required name=q"}},
    ]
}


@pytest.mark.parametrize("name", ["width", "url", "position", "query"])
def test_images_breadcrumbs_and_actions_of_a_page_are_no_facts(docs, name):
    docs.file("s.html", f'<h1>Oak Shelf</h1><script type="application/ld+json">{json.dumps(SHELF)}</script>')
    assert docs.value({"product": "Oak Shelf"}, {"type": ["string", "null"]}, name) is None
    assert docs.value({"product": "Oak Shelf"}, {"type": ["number", "null"]}, "price") == 89


def test_a_place_without_a_name_is_its_address(docs):
    place = {"@type": "Place", "address": {"@type": "PostalAddress", "addressLocality": "Hull"}}
    event = {"@type": "MusicEvent", "name": "Harbour Jazz Night", "location": place}
    docs.file("e.html", f'<h1>Night</h1><script type="application/ld+json">{json.dumps(event)}</script>')
    assert docs.value({"event": "Harbour Jazz Night"}, {"type": ["string", "null"]}, "venue") == "Hull"


@pytest.mark.parametrize(
    ("around", "price"),
    [
        ('<div class="related-products">{}</div>', None),
        ('<div id="site_footer">{}</div>', None),
        ("<nav>{}</nav>", None),
        ('<article class="post comments-open">{}</article>', 59),
        ('<div class="relatedness">{}</div>', 59),
    ],
)
def test_navigation_and_text_about_others_are_recognised_by_the_words_of_their_names(docs, around, price):
    docs.file("s.html", f"<h1>Oak Shelf</h1><p>Of oak.</p>{around.format('<p>Price: 59 EUR</p>')}")
    assert docs.value({"product": "Oak Shelf"}, {"type": ["number", "null"]}, "price") == price
