"""Numbers, dates, places, names and sentences are read from text as people write them."""

from __future__ import annotations

import pytest

from rowcite.local.research.text.figures import (
    date_in,
    full_date,
    money_in,
    number_in,
    range_in,
    year_mentioned,
)
from rowcite.local.research.text.normalise import core_name, fold, split_sentences
from rowcite.local.research.text.places import city_of, country_code, country_in, country_name, same_place
from rowcite.local.research.text.urls import allowed, site_in, sites_within


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2019-03-25T10:00:00Z", "2019-03-25"),
        ("on 25th of March 2019", "2019-03-25"),
        ("March 25, 2019", "2019-03-25"),
        ("Mar. 2019", "2019-03"),
        ("25/03/2019", "2019-03-25"),
        ("03/25/2019", "2019-03-25"),
        ("03/04/2019", "2019"),  # either order is possible
        ("2019-13-01", "2019"),
        ("since 1998", "1998"),
        ("1,998 people", ""),
        ("$1998", ""),
        ("1998%", ""),
    ],
)
def test_a_date_is_read_without_completing_missing_parts(text, date):
    assert date_in(text) == date
    assert full_date(text) == (date if len(date) == 10 else None)


@pytest.mark.parametrize(
    ("sentence", "year"), [("In March 2015 it had 30 people.", "2015"), ("It has 2015 people.", "")]
)
def test_the_year_a_sentence_refers_to_is_read(sentence, year):
    assert year_mentioned(sentence) == year


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200", 1200),
        ("1.200", 1200),
        ("1 200", 1200),
        ("4.5m", 4_500_000),
        ("4,5 million", 4_500_000),
        ("about 240", 240),
        ("240+", 240),
        ("two hundred and fifty", 250),
        ("three thousand two hundred", 3200),
        ("two dozen", 24),
    ],
)
def test_a_number_is_read_in_digits_and_words(text, value):
    assert number_in(text).value == value


@pytest.mark.parametrize("text", ["51-200", "none", ""])
def test_a_range_or_a_word_is_not_a_number(text):
    assert number_in(text) is None


def test_both_ends_of_a_range_are_read():
    assert range_in("1,001 to 5,000 people") == (1001, 5000)
    assert range_in("200-51") is None


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("€12.5m", 12_500_000, "EUR"),
        ("US$ 3 billion", 3_000_000_000, "USD"),
        ("9,1 million euros", 9_100_000, "EUR"),
        ("500 kr", 500, ""),
        ("CHF 1,200", 1200, "CHF"),
    ],
)
def test_money_is_read_with_its_currency(text, value, currency):
    amount = money_in(text)
    assert (amount.value, amount.currency) == (value, currency)


@pytest.mark.parametrize(
    ("address", "city"),
    [
        ("12 Dock Road, Hull HU1 2AB, United Kingdom", "Hull"),
        ("Hull, UK", "Hull"),
        ("Austin, TX 78701", "Austin"),
        ("Dock House, Hull, UK", "Hull"),
        ("Lleida (Spain)", "Lleida"),
        ("Spain", ""),
    ],
)
def test_the_city_of_an_address_is_read(address, city):
    assert city_of(address) == city


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"),
        ("Deutschland", "DE"),
        ("Alemania", "DE"),
        ("the Netherlands", "NL"),
        ("usa", "US"),
        ("Leeds", ""),
    ],
)
def test_a_country_is_recognised_by_any_of_its_names(text, code):
    assert country_code(text) == code
    assert country_in(f"Leeds, {text}") == (text if code else "")


def test_places_are_compared_by_city_and_country():
    assert same_place("Leeds", "Leeds, UK")
    assert same_place("York, United Kingdom", "Leeds, UK")
    assert not same_place("Leeds", "Hull")
    assert country_name("RU") == "Russia"


def test_names_are_compared_without_accents_case_and_legal_form():
    assert fold("Bjørn & Søn A/S") == "bjorn and son a s"
    assert core_name("ACME GmbH & Co. KG") == "acme"
    assert core_name("The Acme Company Ltd (UK)") == "acme"


def test_sentences_are_not_split_at_abbreviations():
    text = 'Dr. Ann Lee of Acme Inc. left in Jan. 2020. "Why?" she asked. No one knew.'
    assert split_sentences(text) == [
        "Dr. Ann Lee of Acme Inc. left in Jan. 2020.",
        '"Why?" she asked.',
        "No one knew.",
    ]


@pytest.mark.parametrize(
    ("value", "site"),
    [
        ("https://www.shop.acme.co.uk/about?x=1", "acme.co.uk"),
        ("sales@acme.example", "acme.example"),
        ("report.pdf", ""),
        ("see acme.example", ""),
    ],
)
def test_the_site_of_an_address_is_its_registrable_domain(value, site):
    assert site_in(value) == site


def test_the_sites_in_a_text_exclude_shared_ones():
    assert sites_within("See acme.example and https://www.linkedin.com/acme, or a@gmail.com") == [
        "acme.example"
    ]


def test_a_domain_of_the_source_policy_covers_its_subdomains():
    url = "https://news.acme.example/1"
    assert allowed(url, ("acme.example",), ("acme.example",))  # `exclude` is ignored beside `include`
    assert allowed(url, (".example",), ())
    assert not allowed(url, ("cme.example",), ())
    assert not allowed(url, (), ("acme.example",))
