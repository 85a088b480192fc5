"""Hostile text takes no longer to read than other text."""

from __future__ import annotations

import time

import pytest

from rowcite.local.research.documents.phrases import PHRASES

LONGEST = 700  # characters: longer sentences are not read
TEXTS = {
    "capitals": "founded headquarters is " + "Aaa Bbb " * 90,
    "commas": "founded by a, " + "abc, " * 140,
    "words": "based in a " + "abc def " * 90,
    "digits": "employs " + "12, 13, " * 80,
    "mixed": "products include " + "Aa bb, Cc and dd of Ee " * 40,
    "brackets": "raised (; " + "a, b; 19, " * 70,
    "hyphens": "A-" * 350,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_phrase_takes_long_over_a_sentence(text):
    started = time.process_time()
    for phrase in PHRASES:
        list(phrase.pattern.finditer(text[:LONGEST]))
    assert time.process_time() - started < 1
