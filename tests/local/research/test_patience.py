"""Hostile text costs no more than other text."""

from __future__ import annotations

import time

import pytest

from rowcite.local.research.cues import search_for
from rowcite.local.research.relations import RELATIONS

LONGEST = 700
TEXTS = {
    "capitals": "born is the population capital was " + "Aaa Bbb " * 90,
    "commas": "He was born a, " + "abc, " * 140,
    "words": "it is a " + "abc def " * 90,
    "digits": "population of " + "12, 13, " * 80,
    "mixed": "X is a " + "Aa bb, Cc and dd of Ee " * 40,
    "brackets": "X (; " + "a, b; 19, " * 70,
    "schools": "studied at " + "Aaa of the " * 70,
    "hyphens": "A-" * 350,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_idiom_takes_long_over_a_sentence(text):
    started = time.process_time()
    for relation in RELATIONS:
        search = search_for(relation.name, "string", relation.name, "", ())
        assert search is not None
        for cue in search.cues:
            list(cue.pattern.finditer(text[:LONGEST]))
    assert time.process_time() - started < 3
