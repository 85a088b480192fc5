"""Split blocks into sentences, and extract the company facts that sentences state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, islice

from rowcite.local.research.documents.document import Block, Directness, Fact, Sentence
from rowcite.local.research.documents.layout_facts import is_labelled_line
from rowcite.local.research.documents.phrases import (
    MODEL_INSTRUCTIONS,
    NEEDS,
    OTHERS_HEADING,
    PHRASES,
    Phrase,
)
from rowcite.local.research.text.dates import year_mentioned
from rowcite.local.research.text.normalise import split_sentences
from rowcite.local.research.text.numbers import APPROXIMATELY

_DATED = frozenset({"employees", "revenue", "ceo", "stage", "funding_total", "hq"})
_ABOUT = re.compile(APPROXIMATELY, re.IGNORECASE)
_PAST = re.compile(
    r"\b(?:had|employed|was|were|counted|numbered)\b", re.IGNORECASE
)  # "In 2010 we had 15 employees"
_LONGEST = 600


def sentences_of(blocks: tuple[Block, ...]) -> Iterator[Sentence]:
    """Yield the sentences of headings, paragraphs and list items, without blocks that instruct a language model."""
    for number, block in enumerate(blocks):
        if block.kind in {"row", "pair"} or MODEL_INSTRUCTIONS.search(block.text):
            continue
        lines = block.lines if len(block.lines) > 1 else ()
        parts = [" ".join(run) for labelled, run in groupby(lines, is_labelled_line) if not labelled]
        for part in parts if lines else [block.text]:
            for text in split_sentences(part):
                yield Sentence(text, number, block.heading)


def sentence_facts(sentences: tuple[Sentence, ...]) -> Iterator[Fact]:
    """Yield the facts that sentences state, except under headings about others."""
    for sentence in sentences:
        low = sentence.text.lower() if len(sentence.text) <= _LONGEST else ""
        likely = {concept for concept, needs in NEEDS.items() if needs.search(low)}
        if likely and OTHERS_HEADING.search(sentence.heading):
            likely &= {"investors"}
        for phrase in (one for one in PHRASES if one.concept in likely) if likely else ():
            latest = phrase.concept == "stage"  # the last of several rounds
            matches = phrase.pattern.finditer(sentence.text)
            found = list(matches if latest else islice(matches, 1))
            if found and not _refused(phrase, sentence.text, found[-1]):
                yield _fact(phrase, sentence, found[-1])


def _refused(phrase: Phrase, text: str, match: re.Match[str]) -> bool:
    """Return True if a match is about an earlier year, or the words around it change its meaning."""
    if phrase.concept == "employees" and _PAST.search(match[0]) and year_mentioned(text):
        return True
    before, after = text[max(0, match.start() - 80) : match.start("v")], text[match.end() : match.end() + 60]
    return bool(phrase.before.search(before) or phrase.after.search(after))


def _fact(phrase: Phrase, sentence: Sentence, match: re.Match[str]) -> Fact:
    text, value = sentence.text, match["v"].strip(" ,.")
    passing = phrase.passing or bool(_ABOUT.match(value))
    return Fact(
        phrase.concept, value, text, Directness.PASSING if passing else Directness.SENTENCE, phrase.concept,
        heading=sentence.heading, lead=text[: match.start()], tail=text[match.start() :],
        as_of=year_mentioned(text) if phrase.concept in _DATED else "", block=sentence.block, change=phrase.change,
    )  # fmt: skip
