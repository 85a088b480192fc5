"""What running text says of people, and what only looks like it.

Every person, place and thing here is made up.
"""

from __future__ import annotations

import pytest

TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
LIST = {"type": ["array", "null"], "items": {"type": "string"}}
L = "Jane Doe (4 March 1950 \u2013 1 May 2001) was a Welsh painter. "

CASES = [
    ("Jane Doe", L + "Jane Doe was born at Castle Hill in Ulm.", "birth_place", TEXT, "Place of birth", "Castle Hill, Ulm"),
    ("Jane Doe", L + "Doe was born on 4 March 1950 at 12 Mill Street, Ulm, Germany.", "birth_place", TEXT, "Place of birth", "Ulm, Germany"),
    ("Jane Doe", L + "She was born at Saint Mary's Hospital, Ulm, the daughter of a baker.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "She was born in the village of Lutz near Ulm.", "birth_place", TEXT, "Place of birth", "Lutz, Ulm"),
    ("Jane Doe", L + "She was born and raised in Ulm, Ohio.", "birth_place", TEXT, "Place of birth", "Ulm, Ohio"),
    ("Jane Doe", L + "Doe was born into a Jewish family in Ulm, then part of the Austrian Empire.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "Doe was born in what is now Ulm, Germany.", "birth_place", TEXT, "Place of birth", "Ulm, Germany"),
    ("Jane Doe", L + "Born in Ulm to a family of bakers, Doe studied art.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "Born Jane Mary Doe in Ulm, she was the third of four children.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "Doe, the son of a mason, was born in Ulm.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "The daughter of John and Mary Doe, she was born in Ulm in 1950.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "She was born the second child of Ann and Bob Doe in Ulm.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "Jane Doe was born at the family home, Castle Hill, in Ulm.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "Doe was born at Lutz House, near Ulm, Surrey.", "birth_place", TEXT, "Place of birth", "Ulm, Surrey"),
    ("Jane Doe", L + "Doe was born in Lutz Palace in Ulm.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", L + "A native of Ulm, she moved to Bern in 1970.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", "Jane Doe (born in Ulm on 4 March 1950) is a painter.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", "Jane Doe (born 4 March 1950 in Ulm, Germany) is a painter.", "birth_place", TEXT, "Place of birth", "Ulm, Germany"),
    ("Jane Doe", "Jane Doe (born 4 March 1950, Ulm) is a painter.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", "Jane Doe (4 March 1950 in Ulm \u2013 1 May 2001 in Bern) was a painter.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", "Jane Doe (4 March 1950 in Ulm \u2013 1 May 2001 in Bern) was a painter.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", "Jane Doe (b. Ulm, 4 March 1950 \u2013 d. Bern, 1 May 2001) was a painter.", "birth_place", TEXT, "Place of birth", "Ulm"),
    ("Jane Doe", "Jane Doe (b. Ulm, 4 March 1950 \u2013 d. Bern, 1 May 2001) was a painter.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "She was raised in Ulm.", "birth_place", TEXT, "Place of birth", None),
    ("Jane Doe", L + "Her son was born in Ulm.", "birth_place", TEXT, "Place of birth", None),
    ("Jane Doe", L + "She married Bob Lee, who was born in Ulm.", "birth_place", TEXT, "Place of birth", None),
    ("Jane Doe", L + "It is said that she may have been born in Ulm or Bern.", "birth_place", TEXT, "Place of birth", None),
    ("Jane Doe", L + "Bob Lee was born in Ulm.", "birth_place", TEXT, "Place of birth", None),
    ("Jane Doe", L + "She died of cancer in Bern on 1 May 2001.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "She died at her home in Bern, Switzerland, aged 51.", "death_place", TEXT, "Place of death", "Bern, Switzerland"),
    ("Jane Doe", L + "Doe died on 1 May 2001 at Saint Mary's Hospital in Bern.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "Doe died at the Lutz Clinic, Bern, in 2001.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "In 2001, at the age of 51, she died in Bern.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "She suffered a heart attack and died in a hospital in Bern.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "Doe moved to Bern in 1990, and died there on 1 May 2001.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "She retired to Bern, where she died in 2001.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "She spent her last years in Bern, where she died of pneumonia.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "She was killed in a car accident near Bern in 2001.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "She drowned near Bern in 2001.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "She committed suicide in Bern on 1 May 2001.", "death_place", TEXT, "Place of death", "Bern"),
    ("Jane Doe", L + "Her father died in Bern.", "death_place", TEXT, "Place of death", None),
    ("Jane Doe", L + "She nearly died in Bern in 1990.", "death_place", TEXT, "Place of death", None),
    ("Jane Doe", L + "Thousands died in Bern in the flood.", "death_place", TEXT, "Place of death", None),
    ("Jane Doe", "Jane Doe (born 4 March 1950) is a painter. She lives in Bern with her husband.", "residence", TEXT, "Where the person lives", "Bern"),
    ("Jane Doe", "Jane Doe (born 4 March 1950) is a painter. Doe and her husband, Bob, live in Bern, Ohio.", "residence", TEXT, "Where the person lives", "Bern, Ohio"),
    ("Jane Doe", "Jane Doe (born 4 March 1950) is a painter. She currently resides in Bern.", "residence", TEXT, "Where the person lives", "Bern"),
    ("Jane Doe", "Jane Doe (born 4 March 1950) is a painter who lives and works in Bern.", "residence", TEXT, "Where the person lives", "Bern"),
    ("Jane Doe", "Jane Doe (born 4 March 1950) is a painter. She has lived in Bern since 1990.", "residence", TEXT, "Where the person lives", "Bern"),
    ("Jane Doe", "Jane Doe (born 4 March 1950) is a painter. She now makes Bern her home.", "residence", TEXT, "Where the person lives", "Bern"),
    ("Jane Doe", "Jane Doe (born 4 March 1950) is a painter. She lived in Bern until 1990.", "residence", TEXT, "Where the person lives", None),
    ("Jane Doe", L + "In 1975, she married Bob Lee, a lawyer.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "She married actor Bob Lee in 1975; they divorced in 1980.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "Doe was married twice, first to Bob Lee and then to Tom Hill.", "spouse", LIST, "Wives or husbands", ["Bob Lee", "Tom Hill"]),
    ("Jane Doe", L + "Doe was married three times: to Bob Lee, Tom Hill and Max Bell.", "spouse", LIST, "Wives or husbands", ["Bob Lee", "Tom Hill", "Max Bell"]),
    ("Jane Doe", L + "She and her husband, Bob Lee, had two sons.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "She is survived by her husband, Bob Lee, and two sons.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "She met her future husband, Bob Lee, in Ulm.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "Doe was married to the painter Bob Lee from 1975 to 1980.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "On 3 May 1975 Doe married Bob Lee in Ulm.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "Doe's husband, the poet Bob Lee, died in 1999.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "After her divorce from Bob Lee, she moved to Bern.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "She eloped with Bob Lee in 1975.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "Her marriage to Bob Lee ended in divorce.", "spouse", LIST, "Wives or husbands", ["Bob Lee"]),
    ("Jane Doe", L + "Her daughter married Bob Lee.", "spouse", LIST, "Wives or husbands", None),
    ("Jane Doe", L + "Her sister Ann is married to Bob Lee.", "spouse", LIST, "Wives or husbands", None),
    ("Jane Doe", L + "She was engaged to Bob Lee.", "spouse", LIST, "Wives or husbands", None),
    ("Jane Doe", L + "She refused to marry Bob Lee.", "spouse", LIST, "Wives or husbands", None),
    ("Jane Doe", L + "She was educated at Ulm Grammar School and at Lutz College, Oxford.", "alma_mater", LIST, "Universities or schools attended", ["Ulm Grammar School", "Lutz College"]),
    ("Jane Doe", L + "She studied painting at the Lutz Academy of Fine Arts in Bern.", "alma_mater", LIST, "Universities or schools attended", ["Lutz Academy of Fine Arts"]),
    ("Jane Doe", L + "She graduated from Lutz University in 1971 with a degree in history.", "alma_mater", LIST, "Universities or schools attended", ["Lutz University"]),
    ("Jane Doe", L + "She received her B.A. from Lutz University and her Ph.D. from the University of Ulm.", "alma_mater", LIST, "Universities or schools attended", ["Lutz University", "University of Ulm"]),
    ("Jane Doe", L + "Doe holds a doctorate in physics from the University of Ulm.", "alma_mater", LIST, "Universities or schools attended", ["University of Ulm"]),
    ("Jane Doe", L + "She earned her bachelor's degree at Lutz State University in 1971.", "alma_mater", LIST, "Universities or schools attended", ["Lutz State University"]),
    ("Jane Doe", L + "Doe went to Lutz University, where she read law.", "alma_mater", LIST, "Universities or schools attended", ["Lutz University"]),
    ("Jane Doe", L + "An alumna of Lutz University, she worked in Bern.", "alma_mater", LIST, "Universities or schools attended", ["Lutz University"]),
    ("Jane Doe", L + "She obtained her doctorate in 1975 under Bob Lee at the University of Ulm.", "alma_mater", LIST, "Universities or schools attended", ["University of Ulm"]),
    ("Jane Doe", L + "She was a professor at Lutz University.", "alma_mater", LIST, "Universities or schools attended", None),
    ("Jane Doe", L + "She received an honorary degree from Lutz University.", "alma_mater", LIST, "Universities or schools attended", None),
    ("Jane Doe", L + "Her brother graduated from Lutz University.", "alma_mater", LIST, "Universities or schools attended", None),
    ("Jane Doe", "Jane Doe (4 March 1950 \u2013 1 May 2001) was a Welsh novelist, poet, and critic, best known for The Long Road.", "occupation", LIST, "Occupations", ["novelist", "poet", "critic"]),
    ("John Roe", "John Roe (born 4 March 1950) is an American former professional tennis player.", "occupation", LIST, "Occupations", ["tennis player"]),
    ("John Roe", "John Roe (born 4 March 1950) is an American film director, producer and screenwriter.", "occupation", LIST, "Occupations", ["film director", "producer", "screenwriter"]),
    ("John Roe", "John Roe (born 4 March 1950) is an American politician and lawyer who has served as governor of Ohio since 2011.", "occupation", LIST, "Occupations", ["politician", "lawyer"]),
    ("John Roe", "John Roe (born 4 March 1950) was an Austrian-born British physicist.", "occupation", LIST, "Occupations", ["physicist"]),
    ("John Roe", "Sir John Roe (4 March 1750 \u2013 1 May 1801) was an English philosopher and statesman of the Enlightenment.", "occupation", LIST, "Occupations", ["philosopher", "statesman"]),
    ("John Roe", "John Roe (born 4 March 1950) is an American former professional tennis player.", "nationality", TEXT, "Nationality", "American"),
    ("John Roe", "John Roe (4 March 1850 \u2013 1 May 1901) was a noted Swedish chemist.", "nationality", TEXT, "Nationality", "Swedish"),
    ("John Roe", "John Roe (4 March 1850 \u2013 1 May 1901) was a South African poet.", "nationality", TEXT, "Nationality", "South African"),
    ("John Roe", "John Roe (4 March 1850 \u2013 1 May 1901) was an Austrian-born British physicist.", "nationality", TEXT, "Nationality", "British"),
    ("Jane Doe", "Jane Doe (born Mary Jane Smith; 4 March 1950) is a singer.", "birth_name", TEXT, "Name at birth", "Mary Jane Smith"),
    ("Jane Doe", "Jane Doe (née Smith; 4 March 1950) is a singer.", "birth_name", TEXT, "Name at birth", None),
    ("Jane Doe", L + "She was born Mary Jane Smith in Ulm.", "birth_name", TEXT, "Name at birth", "Mary Jane Smith"),
    ("Jane Doe", "Mary Jane Smith (4 March 1950 \u2013 1 May 2001), known professionally as Jane Doe, was a singer.", "birth_name", TEXT, "Name at birth", "Mary Jane Smith"),
    ("Jane Doe", "Mary Jane Smith, better known by her stage name Jane Doe, is a singer.", "birth_name", TEXT, "Name at birth", "Mary Jane Smith"),
    ("Jane Doe", L + "She was a devout Catholic.", "religion", TEXT, "Religion", "Catholic"),
    ("Jane Doe", L + "She was raised in a Catholic family but became an atheist.", "religion", TEXT, "Religion", "atheist"),
    ("Jane Doe", L + "She is a member of the Labour Party.", "political_party", TEXT, "Political party", "Labour Party"),
    ("Jane Doe", "Jane Doe (born 1950) is an American politician and member of the Republican Party.", "political_party", TEXT, "Political party", "Republican Party"),
    ("Jane Doe", "Jane Doe (born 1950) is a Democratic politician.", "political_party", TEXT, "Political party", "Democratic"),
    ("Jane Doe", L + "She is best known for her work on optics.", "known_for", LIST, "What the person is known for", ["optics"]),
    ("Jane Doe", L + "She is known for proving the Lutz theorem and for the Roe conjecture.", "known_for", LIST, "What the person is known for", ["proving the Lutz theorem", "Roe conjecture"]),
    ("Jane Doe", L + "Doe is best known as the inventor of the Lutz lamp.", "known_for", LIST, "What the person is known for", ["inventor of the Lutz lamp"]),
    ("Jane Doe", L + "In 1985 she won the Otter Prize for Literature.", "awards", LIST, "Awards won", ["Otter Prize for Literature"]),
    ("Jane Doe", L + "She was awarded the Nobel Prize in Physics in 1985.", "awards", LIST, "Awards won", ["Nobel Prize in Physics"]),
    ("Jane Doe", L + "She received the Otter Medal in 1980 and the Stoat Prize in 1990.", "awards", LIST, "Awards won", ["Otter Medal", "Stoat Prize"]),
    ("Jane Doe", L + "She has won two Academy Awards, three Golden Globe Awards and a Grammy Award.", "awards", LIST, "Awards won", ["Academy Awards", "Golden Globe Awards", "Grammy Award"]),
    ("John Roe", "John Roe (born 4 March 1950) is an American football player. He was drafted by the Otters in the first round of the 1972 NFL Draft.", "draft_year", INTEGER, "Year in which the player was drafted", 1972),
    ("John Roe", "John Roe (born 4 March 1950) is an American tennis player. He turned professional in 1972.", "turned_pro", INTEGER, "Year in which the player turned professional", 1972),
    ("John Roe", "John Roe (born 4 March 1950) is an American tennis player. Roe turned pro at the age of 16 in 1966.", "turned_pro", INTEGER, "Year in which the player turned professional", 1966),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "text", "name", "schema", "description", "value"), CASES)
def test_people(desk, subject, text, name, schema, description, value):
    desk.page("a.html", f"<h1>{subject}</h1><p>{text}</p>", "https://encyclopedia.example/a")
    assert desk.value({"name": subject}, {**schema, "description": description}, name) == value


@pytest.mark.parametrize(
    ("text", "value", "confidence"),
    [
        ("Jane Doe was born at Castle Hill in Ulm.", "Castle Hill, Ulm", "medium"),
        ("Jane Doe was born at Mill House in Ulm.", "Ulm", "high"),
        ("Jane Doe was born at Mill House.", "Mill House", "low"),
        ("Jane Doe was born in Ulm.", "Ulm", "high"),
    ],
)
def test_a_house_is_never_a_sure_birthplace(desk, text, value, confidence):
    desk.page("a.html", f"<h1>Jane Doe</h1><p>{L}{text}</p>", "https://encyclopedia.example/a")
    finding = desk.ask({"name": "Jane Doe"}, {"birth_place": {**TEXT, "description": "Place of birth"}})
    assert (finding.content["birth_place"], finding.basis[0].confidence) == (value, confidence)
