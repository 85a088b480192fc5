"""What openings say past their brackets, whom later sentences mean, and which names are no answers.

Every person, place and thing here is made up.
"""

from __future__ import annotations

import pytest

TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
LIST = {"type": ["array", "null"], "items": {"type": "string"}}
C = "Zubrovia is a country in southern Europe. "
J = "Jane Doe (born 4 March 1950) is a Polish writer. "
S = "The Otter Society is a learned society. "
F = "The Mill is a 1961 drama film. "
B = "Otter Pumps is a company. "

OPENINGS = [
    ("Chapel of the Holy Otter (Ulm, Bavaria, Germany)", "The chapel of the Holy Otter is a chapel in Ulm, Germany.", "location", TEXT, "Where it is", "Ulm, Germany"),
    ("Otter Belt", "Otter Belt (Polish: Pas; see below (2010)) is a ridge in Ulm, Germany.", "location", TEXT, "Where it is", "Ulm, Germany"),
    ("Otter Lake", "Otter Lake is one of the deepest lakes in Norway.", "location", TEXT, "Where it is", "Norway"),
    ("Otter Falls", "Otter Falls is a waterfall on the Roe in the U.S. state of Oregon.", "location", TEXT, "Where it is", "Oregon"),
    ("Lutz Stoats", "The Lutz Stoats are a handball team from Ulm.", "location", TEXT, "Where it is", "Ulm"),
    ("Otter Society", S + "The seat of the company's rival is located in Bern.", "location", TEXT, "Where it is", None),
    ("Otter Falls", "Otter Falls is a waterfall on the edge of the Lutz valley, north of Ulm in Norway.", "country", TEXT, "Country it belongs to", "Norway"),
    ("Lutz", "Lutz is a village in Roe Municipality in Ost county, Norway.", "country", TEXT, "Country it belongs to", "Norway"),
    ("The Mill", "The Mill is a 1961 Polish drama film.", "country", TEXT, "Country of origin", "Poland"),
    ("Otter TV", "Otter TV is a global TV channel.", "country", TEXT, "Country it belongs to", None),
    ("Lutz", "Lutz is a town in Ulm County, Georgia.", "country", TEXT, "Country it belongs to", None),
    ("The Mill", "The Mill (Polish: Wiatrak) is a 1961 Polish-language drama film, directed by Ann Lee.", "director", TEXT, "Director", "Ann Lee"),
    ("The Roe's Mill", "The Roe's Mill is a 1961 drama film directed by Ann Lee.", "director", TEXT, "Director", "Ann Lee"),
    ("The Mill", F + "The film was directed by Ann Lee.", "director", TEXT, "Director", "Ann Lee"),
    ("The Mill", "The Mill is a novel by Ann Lee. A film was directed by Bob Roe.", "director", TEXT, "Director", None),
    ("The Mill", "The Mill is a song by the Polish singer Ann Lee, released in 1961.", "publication_year", INTEGER, "Year of release", 1961),
    ("The Mill", "The Mill (1961) is a novel by Ann Lee.", "publication_year", INTEGER, "Year of publication", 1961),
    ("The Mill", "The Mill is a film by Ann Lee based on the novel by Bob Roe, published in 1920.", "publication_year", INTEGER, "Year of publication or release", None),
    ("Otter Film", "Otter Film is a Polish production company established in 1932 by Ann Lee and Bob Roe.", "founders", LIST, "Founders", ["Ann Lee", "Bob Roe"]),
    ("Otter Trade Society", "The Otter Trade Society is a learned society. OTS was established in 1921.", "founded_year", INTEGER, "Year in which it was founded", 1921),
    ("Otter Command", "Otter Command was a staff of the navy, active from 1944 to 1958.", "founded_year", INTEGER, "Year in which it was established", 1944),
    ("Otter Society", "The Otter Society (OS) was established in 1921 in Ulm.", "founded_year", INTEGER, "Year in which it was founded", 1921),
    ("Otter Pumps", "Otter Pumps is a global maker of pumps headquartered in Ulm and owned by Stoat Works.", "headquarters", TEXT, "Where the head office is", "Ulm"),
]  # fmt: skip
PEOPLE = [
    ("Jane Doe", J + "Jane was born in Ulm.", "birth_place", "Place of birth", "Ulm"),
    ("Jane Doe", J + "Jane Roe was born in Ulm.", "birth_place", "Place of birth", None),
    ("John Roe Jr.", "John Roe Jr. (born 1950) is a Polish writer. Roe was born in Ulm.", "birth_place", "Place of birth", "Ulm"),
    ("Jane Doe", "Jane Doe (born 4 March 1950, Ulm) is a Polish writer.", "birth_place", "Place of birth", "Ulm"),
    ("Jane Doe", "Jane Doe (born 4 March 1950) is a Polish writer, born in Ulm.", "birth_place", "Place of birth", "Ulm"),
    ("Jane Doe", "Jane Doe was born in the British colony of Lutz.", "birth_place", "Place of birth", "Lutz"),
    ("John Roe", "John Roe (Lutz, 4 March 1850 \u2014 Ulm, May 1901) was a Polish poet.", "death_place", "Place of death", "Ulm"),
    ("John Roe", "John Roe (1850 \u2013 1901) was a Polish poet. He moved to Ulm in 1890 and worked there until his death.", "death_place", "Place of death", "Ulm"),
    ("Jane Doe", J + "Doe is a graduate of Otter University.", "alma_mater", "University attended", "Otter University"),
    ("Jane Doe", J + "She was elected as a Whig to the council.", "political_party", "Political party", "Whig"),
    ("Jane Doe", J + "She is a senior member of the Otter Congress.", "political_party", "Political party", "Otter Congress"),
    ("Jane Doe", "Jane Doe (born 1950) is a National League player.", "nationality", "Nationality", None),
    ("Jane Doe", "Jane Doe (born 1950) is a Polish Army officer.", "nationality", "Nationality", "Polish"),
    ("Jane Doe", "Jane Doe (born 1950) is a Sunni cleric.", "religion", "Religion", "Sunni"),
    ("Jane Doe", J + "She is the daughter of Tom Doe.", "father", "Father", "Tom Doe"),
    ("Jane Doe", J + "Her brother is the father of Bob Roe.", "father", "Father", None),
    ("Jane Doe", J + "She directed Mary Roe as well as her husband, Tom Hill.", "spouse", "Husband", None),
]  # fmt: skip
OTHERS = [
    ("Zubrovia", C + "The capital of Zubrovia and its largest city is Lutz, the second-largest port of the sea.", "largest_city", TEXT, "Largest city", "Lutz"),
    ("Zubrovia", C + "Ulm is the second-largest city.", "largest_city", TEXT, "Largest city", None),
    ("Zubrovia", C + "Lutz is the nation's capital and largest city.", "capital", TEXT, "Capital city", "Lutz"),
    ("Zubrovia", C + "It became a federation with Lutz as its capital.", "capital", TEXT, "Capital city", "Lutz"),
    ("Zubrovia", C + "The president\u2014currently Ann Lee\u2014is elected for five years.", "president_head_of_state", TEXT, "Current President (head of state)", "Ann Lee"),
    ("Zubrovia", C + "In 2008, the population was one of the fastest growing.", "population", INTEGER, "Number of inhabitants", None),
    ("Otter Society", S + "It is a member of the Stoat League.", "member_of", LIST, "What it is a member of", ["Stoat League"]),
    ("Otter Society", S + "He is a well-known patron of the society.", "patron", TEXT, "Patron", None),
    ("The Mill", "The Mill is a song by American singer Ann Lee.", "artist", TEXT, "Artist who performs it", "Ann Lee"),
    ("The Mill", "The Mill is an album. It was released in 1990 on the Otter label.", "record_label", LIST, "Record labels", ["Otter"]),
    ("The Mill", F + "It stars Ann Lee as the miller, Bob Roe as the baker and Tom Hill as the king.", "starring", LIST, "Leading actors", ["Ann Lee", "Bob Roe", "Tom Hill"]),
    ("The Mill", "The Mill is a novel preceded by The Well and followed by The Moor.", "preceded_by", TEXT, "What it follows", "The Well"),
    ("The Mill", "The Mill is a novel. It is followed by The Moor.", "followed_by", TEXT, "What follows it", "The Moor"),
    ("The Mill", "The Mill is a game developed and published by Otter Works.", "publisher", TEXT, "Publisher", "Otter Works"),
    ("The Mill", "The Mill is an animated television series by Ann Lee.", "genre", LIST, "Genres", None),
    ("Otter Pumps", B + "It was acquired by Stoat Works in 1990.", "owner", TEXT, "Owner", "Stoat Works"),
    ("Otter Pumps", B + "A mill near Ulm was acquired by Stoat Works in 1990.", "owner", TEXT, "Owner", None),
    ("Otter Bay", "Otter Bay is an inlet of the Lutz Sea.", "mouth", TEXT, "What it flows into", "Lutz Sea"),
]  # fmt: skip


def _asked(desk, subject, text, name, schema, description):
    desk.page("a.html", f"<h1>{subject}</h1><p>{text}</p>", "https://encyclopedia.example/a")
    return desk.value({"name": subject}, {**schema, "description": description}, name)


@pytest.mark.parametrize(("subject", "text", "name", "schema", "description", "value"), OPENINGS)
def test_openings(desk, subject, text, name, schema, description, value):
    assert _asked(desk, subject, text, name, schema, description) == value


@pytest.mark.parametrize(("subject", "text", "name", "description", "value"), PEOPLE)
def test_people(desk, subject, text, name, description, value):
    assert _asked(desk, subject, text, name, TEXT, description) == value


@pytest.mark.parametrize(("subject", "text", "name", "schema", "description", "value"), OTHERS)
def test_places_works_and_bodies(desk, subject, text, name, schema, description, value):
    assert _asked(desk, subject, text, name, schema, description) == value
