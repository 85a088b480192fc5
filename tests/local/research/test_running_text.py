"""What running text says of places, people, works and bodies, asked for by arbitrary fields."""

from __future__ import annotations

import pytest

TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}
LIFE = "Jane Doe (March 4, 1950 \u2013 May 1, 2001) was a Welsh painter and sculptor."
LIST = {"type": ["array", "null"], "items": {"type": "string"}}


def ask(desk, subject, sentence, name, schema, description=""):
    desk.page("a.html", f"<h1>{subject}</h1><p>{sentence}</p>", "https://encyclopedia.example/a")
    return desk.value({"name": subject}, {**schema, "description": description or name}, name)


@pytest.mark.parametrize(
    ("sentence", "name", "schema", "value"),
    [
        ("The capital and largest city is Lutz.", "capital", TEXT, "Lutz"),
        ("Lutz is the capital and largest city of Zubrovia.", "largest_city", TEXT, "Lutz"),
        ("The nation's capital, Lutz, lies on the coast.", "capital", TEXT, "Lutz"),
        (
            "Its official languages are Zubrovian and German.",
            "official_languages",
            LIST,
            ["Zubrovian", "German"],
        ),
        ("Zubrovia uses the zubro as its currency.", "currency", TEXT, "zubro"),
        ("As of 2015 the population of Zubrovia was 2,400,000.", "population", INTEGER, 2_400_000),
        ("It is home to 2.4 million people.", "population", INTEGER, 2_400_000),
        ("The population of Lutz is 800,000.", "population", INTEGER, None),
        ("Lutz has a population of 800,000.", "population", INTEGER, None),
        ("With an area of 90 km², the province of Ost is set apart from the rest.", "area_km2", NUMBER, None),
        ("Zubrovia covers 1,200 square kilometres.", "area_km2", NUMBER, 1200),
        ("Zubrovia covers 463 square miles.", "area_km2", NUMBER, 1199.16),
        ("The current president is Ann Lee.", "president", TEXT, "Ann Lee"),
        ("In 1975 Ann Lee became president.", "president", TEXT, None),
        ("The president of Bolonia is Ann Lee.", "president", TEXT, None),
        ('The motto of Zubrovia is "Ever onward".', "motto", TEXT, "Ever onward"),
        ("Traffic drives on the left.", "drives_on", {"enum": ["left", "right", None]}, "left"),
    ],
)
def test_countries(desk, sentence, name, schema, value):
    assert ask(desk, "Zubrovia", sentence, name, schema) == value


@pytest.mark.parametrize(
    ("sentence", "name", "schema", "value"),
    [
        (
            LIFE,
            "birth_date",
            TEXT,
            "1950-03-04",
        ),
        (
            LIFE,
            "death_date",
            TEXT,
            "2001-05-01",
        ),
        (
            LIFE,
            "nationality",
            TEXT,
            "Welsh",
        ),
        (
            LIFE,
            "occupation",
            LIST,
            ["painter", "sculptor"],
        ),
        (
            LIFE,
            "deceased",
            {"type": ["boolean", "null"]},
            True,
        ),
        (
            "Jane Doe (born 4 March 1950 in Ulm) is a Welsh painter.",
            "deceased",
            {"type": ["boolean", "null"]},
            False,
        ),
        ("Born on 4 March 1950 in Ulm, Doe grew up poor.", "place_of_birth", TEXT, "Ulm"),
        ("Her father was born in Ulm.", "place_of_birth", TEXT, None),
        ("On May 1, 2001, Doe died at her home in Bern.", "death_place", TEXT, "Bern"),
        ("Doe married the poet John Roe in 1975.", "spouse", TEXT, "John Roe"),
        (
            "She received a PhD in physics from the University of Ulm.",
            "alma_mater",
            TEXT,
            "University of Ulm",
        ),
    ],
)
def test_people(desk, sentence, name, schema, value):
    assert ask(desk, "Jane Doe", sentence, name, schema) == value


@pytest.mark.parametrize(
    ("subject", "sentence", "name", "schema", "value"),
    [
        (
            "The Long Road",
            "The Long Road is a 1987 novel by the Welsh writer Ann Lee.",
            "author",
            TEXT,
            "Ann Lee",
        ),
        (
            "The Long Road",
            "The Long Road is a 1987 novel by the Welsh writer Ann Lee.",
            "publication_year",
            INTEGER,
            1987,
        ),
        ("The Long Road", "It was directed by Ann Lee.", "director", TEXT, "Ann Lee"),
        (
            "The Long Road",
            "The film stars Bob Hope and Jane Roe.",
            "starring",
            LIST,
            ["Bob Hope", "Jane Roe"],
        ),
        (
            "Otter Prize",
            "The prize is presented by the Otter Academy.",
            "presented_by",
            TEXT,
            "Otter Academy",
        ),
        ("Ant 7", "Ant 7 was launched on 3 May 1999 from Kourou.", "launch_date", TEXT, "1999-05-03"),
        ("Mount Zub", "Mount Zub is 3,210 metres above sea level.", "elevation_ft", NUMBER, 10531.5),
        ("Zub language", "Zub is spoken by about 40,000 people.", "speakers", INTEGER, 40_000),
        ("Otter Society", "Founded in 1903, the society has 12,000 members.", "members", INTEGER, 12_000),
        ("Otter Society", "The society's mascot is Ottie.", "mascot", TEXT, "Ottie"),
        ("Otter Society", "The head coach is John Roe.", "head_coach", TEXT, "John Roe"),
        ("Otter Society", "The society runs 14 test benches.", "test_benches", INTEGER, 14),
    ],
)
def test_works_and_bodies(desk, subject, sentence, name, schema, value):
    assert ask(desk, subject, sentence, name, schema) == value


def test_a_date_in_the_opening_brackets_is_sure(desk):
    desk.page(
        "a.html",
        "<h1>Jane Doe</h1><p>Jane Doe (born 4 March 1950) is a Welsh painter.</p>",
        "https://encyclopedia.example/a",
    )
    finding = desk.ask(
        {"name": "Jane Doe"}, {"birth_date": {**TEXT, "description": "Date of birth, YYYY-MM-DD"}}
    )
    assert (finding.content["birth_date"], finding.basis[0].confidence) == ("1950-03-04", "high")
