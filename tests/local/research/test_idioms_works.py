"""What running text says of works, firms, societies and missions, and what only looks like it.

Every person, place and thing here is made up.
"""

from __future__ import annotations

import pytest

TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
LIST = {"type": ["array", "null"], "items": {"type": "string"}}
S = "The Otter Society is a learned society. "

CASES = [
    ("The Long Road", "The Long Road is a 1987 novel by Ann Lee.", "author", TEXT, "Author", "Ann Lee"),
    ("The Long Road", "The Long Road is a science fiction novel by American author Ann Lee, published in 1987.", "author", TEXT, "Author", "Ann Lee"),
    ("The Long Road", "The Long Road is a satirical essay written and published anonymously by Ann Lee in 1729.", "author", TEXT, "Author", "Ann Lee"),
    ("The Long Road", "The Long Road is a children's picture book written and illustrated by Ann Lee.", "author", TEXT, "Author", "Ann Lee"),
    ("The Long Road", "The Long Road is a children's picture book written and illustrated by Ann Lee.", "illustrator", TEXT, "Illustrator", "Ann Lee"),
    ("The Long Road", "The Long Road is a novel. Ann Lee wrote the novel in 1987.", "author", TEXT, "Author", "Ann Lee"),
    ("The Long Road", "The Long Road is the third novel of Ann Lee.", "author", TEXT, "Author", "Ann Lee"),
    ("The Long Road", "The Long Road is a collection of short stories by Ann Lee.", "author", TEXT, "Author", "Ann Lee"),
    ("The Long Road", "The Long Road is a book. It was co-written by Ann Lee and Bob Roe.", "writer", LIST, "Who wrote it", ["Ann Lee", "Bob Roe"]),
    ("The Long Road", "The Long Road is a song by the singer Ann Lee. It was written by Lee, Bob Roe and Tom Hill.", "writer", LIST, "Who wrote it", ["Lee", "Bob Roe", "Tom Hill"]),
    ("The Long Road", "The Long Road is a song. Its lyrics were written by the Ulm-born poet Bob Roe and the music was composed by Tom Hill.", "writer", LIST, "Who wrote it", ["Bob Roe", "Tom Hill"]),
    ("The Long Road", "The Long Road is a 1987 American drama film directed by Ann Lee and starring Bob Roe and Tom Hill.", "director", TEXT, "Director", "Ann Lee"),
    ("The Long Road", "The Long Road is a 1987 American drama film directed by Ann Lee and starring Bob Roe and Tom Hill.", "starring", LIST, "Leading actors", ["Bob Roe", "Tom Hill"]),
    ("The Long Road", "The Long Road is a 1987 film written and directed by Ann Lee.", "director", TEXT, "Director", "Ann Lee"),
    ("The Long Road", "The Long Road is a 1987 film written and directed by Ann Lee.", "writer", LIST, "Who wrote it", ["Ann Lee"]),
    ("The Long Road", "The Long Road is a film. The screenplay by Tom Hill is based on a novel.", "writer", LIST, "Who wrote it", ["Tom Hill"]),
    ("The Long Road", "The Long Road is a 1987 film. The director, Ann Lee, won a prize.", "director", TEXT, "Director", "Ann Lee"),
    ("The Long Road", "The Long Road is a novel. A film version directed by Ann Lee was released in 1990.", "director", TEXT, "Director", None),
    ("The Long Road", "The Long Road is a novel published by Otter Press in 1987.", "publisher", TEXT, "Publisher", "Otter Press"),
    ("The Long Road", "The Long Road is a novel. It was first published in London by Otter & Sons in 1987.", "publisher", TEXT, "Publisher", "Otter & Sons"),
    ("The Long Road", "The Long Road is a novel, first published in 1987.", "publication_year", INTEGER, "Year of publication or release", 1987),
    ("The Long Road", "The Long Road is a novel. First published in 1987, it sold a million copies.", "publication_year", INTEGER, "Year of publication or release", 1987),
    ("The Long Road", "The Long Road is a song. It was originally released as a single in October 1989.", "publication_year", INTEGER, "Year of publication or release", 1989),
    ("The Long Road", "The Long Road is a novel. The book came out in 1987.", "publication_year", INTEGER, "Year of publication or release", 1987),
    ("The Long Road", "The Long Road is a novel with 320 pages.", "pages", INTEGER, "Number of pages", 320),
    ("The Long Road", "The Long Road is a 98-minute film.", "running_time", INTEGER, "Running time in minutes", 98),
    ("The Long Road", "The Long Road is an epic fantasy novel by Ann Lee.", "genre", LIST, "Genres", ["epic fantasy novel"]),
    ("The Long Road", "The Long Road is a German-language novel.", "language", TEXT, "Language in which it is written or spoken", "German"),
    ("The Long Road", "The Long Road is a French novel by Ann Lee.", "language", TEXT, "Language in which it is written or spoken", "French"),
    ("Otters", "Otters are a Ukrainian rock band from Kiev. Their music combines punk rock, ska and folk.", "genre", LIST, "Genres", ["punk rock", "ska", "folk"]),
    ("Otters", "Otters are a band from Kiev. The style which the group uses includes Britpop, funk and folk.", "genre", LIST, "Genres", ["Britpop", "funk", "folk"]),
    ("Otters", "Otters are a band that plays in the genres of street punk, ska and folk punk.", "genre", LIST, "Genres", ["street punk", "ska", "folk punk"]),
    ("Otters", "Otters are a band influenced by jazz.", "genre", LIST, "Genres", None),
    ("Otters", "Otters are a band from Kiev. Their debut album was released on Otter Records in 2005.", "record_label", LIST, "Record labels", ["Otter Records"]),
    ("Otters", "Otters are a band from Kiev. In 2005 they signed with Otter Records.", "record_label", LIST, "Record labels", ["Otter Records"]),
    ("Otter Inc.", "Otter Inc. is an American multinational technology company headquartered in Ulm, Ohio.", "industry", TEXT, "Industry", "technology"),
    ("Otter Inc.", "Otter Inc. is an American multinational technology company headquartered in Ulm, Ohio.", "headquarters", TEXT, "Where the head office is", "Ulm"),
    ("Otter Inc.", "Otter Inc. is a Mexican restaurant operator based in Lutz.", "industry", TEXT, "Industry", "restaurant operator"),
    ("Otter Inc.", "Otter Inc. was founded by Ann Lee and Bob Roe in 1990.", "founders", LIST, "Founders", ["Ann Lee", "Bob Roe"]),
    ("Otter Inc.", "Otter Inc. was founded in 1990 by brothers Ann and Bob Lee.", "founders", LIST, "Founders", ["Ann Lee", "Bob Lee"]),
    ("Otter Inc.", "Otter Inc. is a company. Ann Lee founded the company in 1990.", "founders", LIST, "Founders", ["Ann Lee"]),
    ("Otter Inc.", "Otter Inc. is a company. Ann Lee co-founded Otter Inc. with Bob Roe.", "founders", LIST, "Founders", ["Bob Roe", "Ann Lee"]),
    ("Otter Inc.", "Otter Inc. is a company that was established in 1990 by comedian Ann Lee and comedy promoter Bob Roe.", "founders", LIST, "Founders", ["Ann Lee", "Bob Roe"]),
    ("Otter Inc.", "Otter Inc. is a wholly owned subsidiary of Stoat Group.", "owner", TEXT, "Owner", "Stoat Group"),
    ("Otter Inc.", "Otter Inc. is a brand owned by Stoat Group.", "owner", TEXT, "Owner", "Stoat Group"),
    ("Otter Inc.", "Otter Inc. is a company. Its parent company is Stoat Group.", "owner", TEXT, "Owner", "Stoat Group"),
    ("Otter Inc.", "Otter Inc. is a company. Its products include boats, sails and ropes.", "products", LIST, "Products", ["boats", "sails", "ropes"]),
    ("Otter Inc.", "Otter Inc. is a company which manufactures boats and sails.", "products", LIST, "Products", ["boats", "sails"]),
    ("Otter Inc.", "Otter Inc. is a manufacturer of boats and sails.", "products", LIST, "Products", ["boats", "sails"]),
    ("Otter Inc.", "Otter Inc. is a company. As of 2015 it had 12,000 employees.", "employees", INTEGER, "Number of employees", 12000),
    ("Otter Inc.", "Otter Inc. is a company employing some 12,000 people worldwide.", "employees", INTEGER, "Number of employees", 12000),
    ("Otter Society", "The Otter Society (OS) is a learned society.", "abbreviation", TEXT, "Abbreviation of the name", "OS"),
    ("Otter Society", "The Otter Society, abbreviated as OSoc, is a learned society.", "abbreviation", TEXT, "Abbreviation of the name", "OSoc"),
    ("Otter Society", S + "It has over 12,000 members worldwide.", "members", INTEGER, "Number of members", 12000),
    ("Otter Society", S + "Membership stood at 12,000 in 2010.", "members", INTEGER, "Number of members", 12000),
    ("Otter Prize", "The Otter Prize is an annual award given by the Otter Academy for the best novel.", "presenter", TEXT, "Who presents the award", "Otter Academy"),
    ("Otter Prize", "The Otter Prize is awarded annually by the Otter Academy.", "presenter", TEXT, "Who presents the award", "Otter Academy"),
    ("Otter Prize", "Established in 1950 by the Otter Academy, the Otter Prize honours novels.", "presenter", TEXT, "Who presents the award", None),
    ("Otter Prize", "The Otter Prize is presented each year by the Academy of Otter Arts and Sciences (AOAS).", "presenter", TEXT, "Who presents the award", "Academy of Otter Arts and Sciences"),
    ("Otter Journal", "Otter Journal is a peer-reviewed scientific journal of zoology published by Otter Press.", "discipline", TEXT, "Discipline of the journal", "zoology"),
    ("Otter Journal", "Otter Journal is a monthly peer-reviewed journal covering all aspects of zoology.", "discipline", TEXT, "Discipline of the journal", "zoology"),
    ("Otter Journal", "Otter Journal is a journal. The editor-in-chief is Ann Lee.", "editor", TEXT, "Editor", "Ann Lee"),
    ("Otter Journal", "Otter Journal is a journal, edited by Ann Lee.", "editor", TEXT, "Editor", "Ann Lee"),
    ("Otter Line", "The Otter Line is a railway line operated by Stoat Rail.", "operator", TEXT, "Operator", "Stoat Rail"),
    ("Otter Line", "The Otter Line is a railway line. Services are operated by Stoat Rail.", "operator", TEXT, "Operator", "Stoat Rail"),
    ("Lutz Stadium", "Lutz Stadium is a stadium with a seating capacity of 12,000.", "capacity", INTEGER, "Number of seats or spectators", 12000),
    ("Lutz Stadium", "Lutz Stadium is a stadium. It holds 12,000 people and opened in 1950.", "capacity", INTEGER, "Number of seats or spectators", 12000),
    ("Ulm Otters", "The Ulm Otters are a professional baseball team based in Ulm. The Otters compete in Major League Baseball (MLB) as a member club of the American League.", "league", TEXT, "League it plays in", "Major League Baseball"),
    ("Ulm Otters", "The Ulm Otters are a football club who play in the Lutz Premier League.", "league", TEXT, "League it plays in", "Lutz Premier League"),
    ("Ulm Otters", "The Ulm Otters are a football club. The head coach is Ann Lee.", "head_coach", TEXT, "head coach", "Ann Lee"),
    ("Zub language", "Zub is a language spoken in Zubrovia and Bolonia by 40,000 people.", "countries_spoken", LIST, "Countries in which it is spoken", ["Zubrovia", "Bolonia"]),
    ("Zub language", "Zub is a language spoken by about 40,000 people in Zubrovia.", "countries_spoken", LIST, "Countries in which it is spoken", ["Zubrovia"]),
    ("Zub language", "Zub is a language. It has 1.2 million native speakers.", "speakers", INTEGER, "Number of native speakers", 1200000),
    ("Ant 7", "Ant 7 was a spacecraft launched on 3 May 1999 and landed on the Moon on 6 May 1999.", "landing_date", TEXT, "Date of the landing, YYYY-MM-DD", "1999-05-06"),
    ("Ant 7", "Ant 7 was a mission crewed by Ann Lee, Bob Roe and Tom Hill.", "crew", LIST, "Members of the crew", ["Ann Lee", "Bob Roe", "Tom Hill"]),
    ("Ant 7", "Ant 7 was a mission. Commander Ann Lee and pilot Bob Roe landed on the Moon.", "crew", LIST, "Members of the crew", ["Ann Lee", "Bob Roe"]),
    ("Zubrovian Army", "The Zubrovian Army is the army of Zubrovia. As of 2013, it had 306,000 active duty personnel.", "active_troops", INTEGER, "Number of active troops", 306000),
    ("Lutz Tower", "The Lutz Tower is a skyscraper. It was designed by the architect Ann Lee and built in 1930.", "architect", TEXT, "architect", "Ann Lee"),
    ("Lutz Tower", "The Lutz Tower is a skyscraper. The architects were Ann Lee and Bob Roe.", "architect", TEXT, "architect", "Ann Lee"),
    ("Lutz Tower", "The Lutz Tower is a skyscraper. Construction began in 1929 and was completed in 1931.", "completion_date", TEXT, "completion date", "1931"),
    ("Lutz 2000", "The Lutz 2000 is a camera manufactured by Otter Inc.", "manufacturer", TEXT, "manufacturer", "Otter Inc"),
    ("Lutz 2000", "The Lutz 2000 is a camera made by Otter Works from 1990 to 1995.", "manufacturer", TEXT, "manufacturer", "Otter Works"),
    ("Otter Browser", "Otter Browser is a free web browser developed by the Stoat Foundation.", "developer", TEXT, "developer", "Stoat Foundation"),
    ("Otter University", "Otter University is a university. The chancellor is Ann Lee.", "chancellor", TEXT, "chancellor", "Ann Lee"),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "text", "name", "schema", "description", "value"), CASES)
def test_works(desk, subject, text, name, schema, description, value):
    desk.page("a.html", f"<h1>{subject}</h1><p>{text}</p>", "https://encyclopedia.example/a")
    assert desk.value({"name": subject}, {**schema, "description": description}, name) == value
