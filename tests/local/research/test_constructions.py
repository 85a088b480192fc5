"""The constructions in which encyclopaedias and company pages say who, where and what, and what only looks like them."""

from __future__ import annotations

import pytest

TEXT = {"type": ["string", "null"]}
LIST = {"type": ["array", "null"], "items": {"type": "string"}}
LIFE = "Jane Doe (4 March 1950 \u2013 1 May 2001) was a Welsh painter. "
LAND = "Zubrovia is a country in southern Europe. "
FIRM = "Otter Inc. is a German company. "
BOOK = "The Long Road is a novel. "


def ask(desk, subject, text, name, schema):
    desk.page("a.html", f"<h1>{subject}</h1><p>{text}</p>", "https://encyclopedia.example/a")
    return desk.value({"name": subject}, {**schema, "description": name.replace("_", " ")}, name)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Jane Doe (Ulm, 4 March 1950 \u2013 Bern, 1 May 2001) was a painter.", "birth_place", "Ulm"),
        ("Jane Doe (Ulm, 4 March 1950 \u2013 Bern, 1 May 2001) was a painter.", "death_place", "Bern"),
        ("Jane Doe (4 March 1950, Ulm \u2013 1 May 2001, Bern) was a painter.", "birth_place", "Ulm"),
        ("Jane Doe (4 March 1950, Ulm \u2013 1 May 2001, Bern) was a painter.", "death_place", "Bern"),
        ("Jane Doe (born Ulm, 4 March 1950; died Bern, 1 May 2001) was a painter.", "death_place", "Bern"),
        (f"{LIFE}She was born into a poor family in the small town of Ulm.", "birth_place", "Ulm"),
        (f"{LIFE}She was born in May 1950 in Ulm.", "birth_place", "Ulm"),
        (f"{LIFE}She was not born in Ulm.", "birth_place", None),
        (f"{LIFE}Her mother was born in Ulm.", "birth_place", None),
        (f"{LIFE}She returned to Bern, where she died in 2001.", "death_place", "Bern"),
        (f"{LIFE}She lived in Bern until her death in 2001.", "death_place", "Bern"),
        (f"{LIFE}Her husband lived in Bern until his death.", "death_place", None),
        ("Jane Doe (born 1950) is a painter. She lives with her two sons in Bern.", "residence", "Bern"),
        ("Jane Doe (born 1950) is a painter. She makes her home in Bern.", "residence", "Bern"),
        (f"{LIFE}Her second husband was the poet John Roe.", "spouse", "John Roe"),
        (f"{LIFE}She was the wife of John Roe.", "spouse", "John Roe"),
        (f"{LIFE}Doe married her old friend, John Roe, in 1975.", "spouse", "John Roe"),
        (f"{LIFE}In Bern she met John Roe; the two were married in 1975.", "spouse", "John Roe"),
        (f"{LIFE}Doe never married John Roe.", "spouse", None),
        (f"{LIFE}Doe won a scholarship to Ulm College.", "alma_mater", "Ulm College"),
        (f"{LIFE}She earned a B.A. in history at Ulm College.", "alma_mater", "Ulm College"),
        (f"{LIFE}She taught at Ulm College.", "alma_mater", None),
    ],
)
def test_people(desk, text, name, value):
    assert ask(desk, "Jane Doe", text, name, TEXT) == value


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        (
            "Her novels include Long Road (1980) and Old Mill (1990).",
            "notable_works",
            ["Long Road", "Old Mill"],
        ),
        ("Her most famous works are Long Road and Old Mill.", "notable_works", ["Long Road", "Old Mill"]),
        ("She is best known for Long Road and Old Mill.", "notable_works", ["Long Road", "Old Mill"]),
        ("Her brother's novels include Long Road and Old Mill.", "notable_works", None),
        ("Her awards include the Otter Prize and the Ulm Medal.", "awards", ["Otter Prize", "Ulm Medal"]),
        ("She was nominated for the Otter Prize.", "awards", None),
        ("Her research interests include optics and acoustics.", "field", ["optics", "acoustics"]),
    ],
)
def test_what_people_did(desk, text, name, value):
    assert ask(desk, "Jane Doe", f"{LIFE}{text}", name, LIST) == value


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Lutz, the capital and the country's largest city, lies by the sea.", "largest_city", "Lutz"),
        ("Lutz is the second largest city.", "largest_city", None),
        ("The capital of the province is Lutz.", "capital", None),
        ("Lutz was the capital until 1950.", "capital", None),
        ("Zubrovia sent a delegation to Bolonia's capital Lutz.", "capital", None),
        ("Zubrovia adopted the euro in 2002.", "currency", "euro"),
        ("Zubrovian culture is old.", "demonym", "Zubrovian"),
        ("Bolonian culture is older.", "demonym", None),
        ('"Ever onward" is its national motto.', "motto", "Ever onward"),
        ("As of 2012, the president is Ann Lee of the Green Party.", "current_president", "Ann Lee"),
        ("It is led by a president, currently Ann Lee, and a council.", "current_president", "Ann Lee"),
        ("The Vice President, Ann Lee, was re-elected.", "current_president", None),
    ],
)
def test_countries(desk, text, name, value):
    assert ask(desk, "Zubrovia", f"{LAND}{text}", name, TEXT) == value


@pytest.mark.parametrize(
    ("subject", "text", "name", "value"),
    [
        ("Lutz", "Lutz is the capital of France.", "country", "France"),
        ("Lutz River", "The Lutz is a river in northern Germany.", "country", "Germany"),
        ("Lutz", "Lutz is a town in the Ulm district, Germany.", "country", "Germany"),
        ("Battle of Lutz", "The Battle of Lutz was fought on 3 May 1800 near Ulm.", "place", "Ulm"),
        ("Battle of Lutz", "The Battle of Lutz ended in a French victory.", "result", "French victory"),
        ("Lutz Castle", "Lutz Castle, in Ulm, is a museum.", "location", "Ulm"),
        ("The Long Road", "The Long Road, by Ann Lee, is a novel of 1987.", "author", "Ann Lee"),
        ("The Long Road", "The Long Road is Ann Lee's third novel.", "author", "Ann Lee"),
        ("The Long Road", f"{BOOK}Kim Lee illustrated the book.", "illustrator", "Kim Lee"),
        ("The Long Road", f"{BOOK}Otter Press published the novel in 1987.", "publisher", "Otter Press"),
        ("The Long Road", f"{BOOK}It was published in Ulm by Otter Press.", "publisher", "Otter Press"),
        ("The Long Road", "The Long Road is a film. Ann Lee directed the film.", "director", "Ann Lee"),
        ("Otter Prize", "The Otter Academy presents the prize in May.", "presenter", "Otter Academy"),
        ("Otter Inc.", "Otter Inc. is an airline.", "industry", "airline"),
        ("Otter Inc.", "Otter Inc. is a leading German software company.", "industry", "software"),
        ("Otter Inc.", "Otter Inc. is a listed company.", "industry", None),
        ("Otter Inc.", f"{FIRM}It is owned and operated by Stoat Group.", "owner", "Stoat Group"),
        ("Otter Inc.", f"{FIRM}Until 1990 it was owned by Stoat Group.", "operator", None),
        (
            "Otter Line",
            "The Otter Line is a railway. Stoat Rail operates the line.",
            "operator",
            "Stoat Rail",
        ),
    ],
)
def test_works_and_bodies(desk, subject, text, name, value):
    assert ask(desk, subject, text, name, TEXT) == value


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Ann Lee and Bob Roe founded Otter in 1990.", "founders", ["Ann Lee", "Bob Roe"]),
        ("Its founders were Ann Lee and Bob Roe.", "founders", ["Ann Lee", "Bob Roe"]),
        ("It was started by Ann Lee in a garage.", "founders", ["Ann Lee"]),
        ("Ann Lee founded the Stoat Company in 1990.", "founders", None),
        ("Otter Inc. produces boats, sails and ropes.", "products", ["boats", "sails", "ropes"]),
    ],
)
def test_what_firms_list(desk, text, name, value):
    assert ask(desk, "Otter Inc.", f"{FIRM}{text}", name, LIST) == value
